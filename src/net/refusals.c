#include "net/refusals.h"

#include <stdio.h>
#include <string.h>

enum { MINUTE_MS = 60000 };

bool refusals_say(struct refusals *r, const char *origin, int64_t now_ms,
		  uint64_t *unsaid)
{
	struct refusal *oldest = &r->said[0];
	struct refusal new = { .at_ms = now_ms };

	snprintf(new.origin, sizeof(new.origin), "%s", *origin ? origin : "-");
	for (size_t i = 0; i < ARRAY_LEN(r->said); i++) {
		struct refusal *s = &r->said[i];
		bool is_recent = *s->origin && now_ms - s->at_ms < MINUTE_MS;

		if (is_recent && strcmp(s->origin, new.origin) == 0) {
			r->unsaid++;
			return false;
		}
		if (!*s->origin || (*oldest->origin && s->at_ms < oldest->at_ms))
			oldest = s;
	}
	if (*oldest->origin && now_ms - oldest->at_ms < MINUTE_MS) {
		r->unsaid++;
		return false;
	}
	*oldest = new;
	*unsaid = r->unsaid;
	r->unsaid = 0;
	return true;
}
