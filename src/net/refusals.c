#include "net/refusals.h"

#include <stdio.h>
#include <string.h>

enum { MINUTE_MS = 60000 };

/* FNV-1a, of what is no digit. */
static uint64_t hash_of(const char *reason)
{
	uint64_t h = 14695981039346656037U;

	for (; *reason; reason++)
		if (*reason < '0' || *reason > '9')
			h = (h ^ (uint8_t)*reason) * 1099511628211U;
	return h;
}

static bool is_recent(const struct refusal *s, int64_t now_ms)
{
	return *s->origin && now_ms - s->at_ms < MINUTE_MS;
}

bool refusals_say(struct refusals *r, const char *origin, const char *reason,
		  int64_t now_ms, uint64_t *unsaid)
{
	struct refusal *oldest = &r->said[0];
	struct refusal new = { .reason = hash_of(reason), .at_ms = now_ms };
	size_t of_origin = 0;
	bool is_same = false;

	snprintf(new.origin, sizeof(new.origin), "%s", *origin ? origin : "-");
	for (size_t i = 0; i < ARRAY_LEN(r->said); i++) {
		struct refusal *s = &r->said[i];

		if (is_recent(s, now_ms) && strcmp(s->origin, new.origin) == 0) {
			of_origin++;
			is_same = is_same || s->reason == new.reason;
		}
		if (!*s->origin || (*oldest->origin && s->at_ms < oldest->at_ms))
			oldest = s;
	}
	if (is_same || of_origin >= REFUSALS_PER_ORIGIN || is_recent(oldest, now_ms)) {
		r->unsaid++;
		return false;
	}
	*oldest = new;
	*unsaid = r->unsaid;
	r->unsaid = 0;
	return true;
}
