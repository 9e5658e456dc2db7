#include "codec/snapname.h"

#include "base/parse.h"
#include "codec/civil.h"
#include "codec/dsname.h"
#include "codec/gotime.h"
#include "codec/quote.h"

#include <inttypes.h>

struct snapname {
	char *prefix;
	char *layout; /* NULL: seconds since 1970 */
	struct tzif *zone;
};

static const struct named_format {
	const char *name;
	const char *layout;
	bool utc_only;
} named_formats[] = {
	/* "000" is literal text here: no '.' before it */
	{ "dense", "20060102_150405_000", true },
	{ "human", "2006-01-02_15:04:05", true },
	{ "iso-8601", "2006-01-02T15:04:05.000Z0700", false },
	{ "unix-seconds", NULL, true },
};

static char lower(char c)
{
	return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

static bool equals_ignoring_case(const char *a, const char *b)
{
	while (*a && lower(*a) == lower(*b))
		a++, b++;
	return *a == *b;
}

static const struct named_format *find_format(const char *name)
{
	for (size_t i = 0; i < ARRAY_LEN(named_formats); i++)
		if (equals_ignoring_case(name, named_formats[i].name))
			return &named_formats[i];
	return NULL;
}

static bool is_utc(const char *location)
{
	return location[0] == '\0' || strcmp(location, "UTC") == 0;
}

static int check_at(const struct snapname *s, int month, struct err *err)
{
	struct timespec t = { .tv_sec = civil_day_s(2020, month, 1) };
	cleanup(str_freep) char *name = snapname_at(s, t);

	if (dsname_check_component(name, err) < 0)
		return err_wrap(err, "prefix and timestamp format make the snapshot");
	return 0;
}

struct snapname *snapname_new(const char *prefix, const char *format,
			      const char *location, struct err *err)
{
	const struct named_format *named = find_format(format);
	cleanup(snapname_freep) struct snapname *s = NULL;

	if (named && named->utc_only && !is_utc(location)) {
		cleanup(str_freep) char *shown = quote_str(location);

		err_set(err, ERR_INVALID,
			"the timestamp format %s needs the location UTC, not %s; write "
			"UTC, or the format iso-8601",
			named->name, shown);
		return NULL;
	}
	if (format[0] == '\0') {
		err_set(err, ERR_INVALID,
			"the timestamp format is empty; write e.g. dense");
		return NULL;
	}
	if (strchr(format, '+')) {
		cleanup(str_freep) char *shown = quote_str(format);

		err_set(err, ERR_INVALID,
			"the timestamp format %s contains '+', which ZFS does not allow "
			"in names; write '_' for it",
			shown);
		return NULL;
	}
	s = xcalloc(1, sizeof(*s));
	s->prefix = xstrdup(prefix);
	if (!named)
		s->layout = xstrdup(format);
	else if (named->layout)
		s->layout = xstrdup(named->layout);
	s->zone = tzif_load(location, err);
	if (!s->zone || check_at(s, 6, err) < 0 || check_at(s, 12, err) < 0)
		return NULL;
	return TAKE(s);
}

char *snapname_at(const struct snapname *s, struct timespec t)
{
	struct buf b = { 0 };
	char *stamp;

	buf_put(&b, s->prefix, strlen(s->prefix));
	if (!s->layout) {
		buf_printf(&b, "%" PRId64, (int64_t)t.tv_sec);
		return buf_take(&b);
	}
	gotime_format(&b, s->layout, t, s->zone);
	/* ZFS allows no '+' in a name: offsets east of UTC are written with '_'. */
	for (stamp = b.p + strlen(s->prefix); (stamp = strchr(stamp, '+')); stamp++)
		*stamp = '_';
	return buf_take(&b);
}

void snapname_free(struct snapname *s)
{
	if (!s)
		return;
	free(s->prefix);
	free(s->layout);
	tzif_free(s->zone);
	free(s);
}
