#include "endpoint/abstraction.h"

#include "base/buf.h"
#include "codec/dsname.h"

#include <inttypes.h>

static const char cursor_prefix[] = "zrepl_CURSOR";
/* Its own '_', and the one of "_G_": two in a row. */
static const char tentative_prefix[] = "zrepl_CURSORTENTATIVE_";
static const char cursor_v1_name[] = "zrepl_replication_cursor";
static const char step_prefix[] = "zrepl_STEP_J_";
static const char last_received_prefix[] = "zrepl_last_received_J_";

enum { GUID_DIGITS = 16 };

static char *with_guid(const char *prefix, uint64_t guid, const char *job)
{
	return xasprintf("%s_G_%016" PRIx64 "_J_%s", prefix, guid, job);
}

char *abs_cursor_name(uint64_t guid, const char *job)
{
	return with_guid(cursor_prefix, guid, job);
}

char *abs_tentative_name(uint64_t guid, const char *job)
{
	return with_guid(tentative_prefix, guid, job);
}

char *abs_step_tag(const char *job)
{
	return xasprintf("%s%s", step_prefix, job);
}

char *abs_last_received_tag(const char *job)
{
	return xasprintf("%s%s", last_received_prefix, job);
}

static bool is_job(const char *s)
{
	cleanup(err_clear) struct err ignored = ERR_INIT;

	return dsname_check_job(s, &ignored) == 0;
}

/* "_G_", 16 lower-case hexadecimal digits, "_J_", at least one more byte. */
static bool parse_tail(const char *s, uint64_t *guid, const char **job)
{
	uint64_t n = 0;

	if (strncmp(s, "_G_", 3) != 0)
		return false;
	s += 3;
	for (int i = 0; i < GUID_DIGITS; i++, s++) {
		if (*s >= '0' && *s <= '9')
			n = n << 4 | (uint64_t)(*s - '0');
		else if (*s >= 'a' && *s <= 'f')
			n = n << 4 | (uint64_t)(*s - 'a' + 10);
		else
			return false;
	}
	if (strncmp(s, "_J_", 3) != 0 || s[3] == '\0')
		return false;
	*guid = n;
	*job = s + 3;
	return true;
}

enum abstraction abs_of_bookmark(const struct version *bookmark, const char **job)
{
	const char *name = bookmark->name, *tail = name + strlen(name);
	cleanup(err_clear) struct err ignored = ERR_INIT;
	size_t prefix;
	uint64_t guid;

	*job = NULL;
	if (bookmark->type != VERSION_BOOKMARK ||
	    dsname_check_component(name, &ignored) < 0)
		return ABS_NONE;
	if (strcmp(name, cursor_v1_name) == 0)
		return ABS_CURSOR_V1;
	/* The last place that fits decides (compat: zrepl 0.7), so a job whose own name
	 * looks like our suffix is never recognised. */
	do {
		if (tail == name)
			return ABS_NONE;
		tail--;
	} while (!parse_tail(tail, &guid, job));
	prefix = (size_t)(tail - name);
	if (guid != bookmark->guid || !is_job(*job))
		prefix = 0;
	if (prefix == strlen(cursor_prefix) && strncmp(name, cursor_prefix, prefix) == 0)
		return ABS_CURSOR;
	if (prefix == strlen(tentative_prefix) &&
	    strncmp(name, tentative_prefix, prefix) == 0)
		return ABS_TENTATIVE_CURSOR;
	*job = NULL;
	return ABS_NONE;
}

bool abs_is_bookmark(const struct version *v, enum abstraction kind, const char *job)
{
	const char *of;

	return abs_of_bookmark(v, &of) == kind && of && strcmp(of, job) == 0;
}
