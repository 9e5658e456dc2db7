#include "codec/cron.h"

#include "base/parse.h"
#include "codec/civil.h"
#include "codec/quote.h"
#include "codec/tzif.h"

#include <inttypes.h>

#define BLANKS " \t\n\v\f\r"

enum { DAY_S = 86400 };

/* From 0001-01-02 to 9990-01-01: where zones can be asked. */
static const int64_t earliest_s = -62135510400, latest_s = 253086768000;

enum { SECOND, MINUTE, HOUR, DAY, MONTH, WEEKDAY, N_FIELDS };

static const struct field {
	const char *name;
	unsigned min, max;
	const char *above; /* for a value beyond max: "(what that is); the right one" */
	const char *want;
	const char *names; /* of three letters each, from min on */
} fields[N_FIELDS] = {
	{ "second", 0, 59, "; want 0 to 59", "0 to 59", "" },
	{ "minute", 0, 59, "; want 0 to 59", "0 to 59", "" },
	{ "hour", 0, 23, "; midnight is 0", "0 to 23", "" },
	{ "day-of-month", 1, 31, "; want 1 to 31", "1 to 31", "" },
	{ "month", 1, 12, " (December); January is 1", "1 to 12 or jan to dec",
	  "janfebmaraprmayjunjulaugsepoctnovdec" },
	{ "day-of-week", 0, 6, " (Saturday); Sunday is 0", "0 to 6 or sun to sat",
	  "sunmontuewedthufrisat" },
};

struct cron {
	char *text;
	struct tzif *zone;
	uint64_t set[N_FIELDS]; /* bit n: at n */
	bool is_star[N_FIELDS]; /* has one without a step */
};

/* ---- the text ---- */

static int bad(const struct field *f, struct view piece, const char *why, struct err *err)
{
	cleanup(str_freep) char *shown = quote(piece);

	return err_set(err, ERR_INVALID, "%s: %s %s", f->name, shown, why);
}

/* The number of a name, or -1. */
static int find_name(const struct field *f, struct view v)
{
	if (v.len != 3)
		return -1;
	for (unsigned i = 0; f->names[i]; i += 3) {
		bool same = true;

		for (unsigned k = 0; k < 3; k++)
			same = same && (v.p[k] | 0x20) == f->names[i + k];
		if (same)
			return (int)(f->min + i / 3);
	}
	return -1;
}

static int parse_value(const struct field *f, struct view v, unsigned *out,
		       struct err *err)
{
	int named = find_name(f, v);
	uint64_t n;

	if (named >= 0) {
		*out = (unsigned)named;
		return 0;
	}
	if (v.len == 0 || strspn(v.p, "0123456789") < v.len) {
		cleanup(str_freep) char *shown = quote(v);

		return err_set(err, ERR_INVALID, "%s: %s is not a %s; want %s", f->name,
			       shown, *f->names ? "number or name" : "number", f->want);
	}
	if (!parse_digits(v, 10, &n) || n > f->max)
		return err_set(err, ERR_INVALID, "%s: %.*s is above %u%s", f->name,
			       (int)(v.len < 20 ? v.len : 20), v.p, f->max, f->above);
	if (n < f->min)
		return err_set(err, ERR_INVALID, "%s: %" PRIu64 " is below %u; want %s",
			       f->name, n, f->min, f->want);
	*out = (unsigned)n;
	return 0;
}

struct range {
	unsigned first, last, step;
	bool is_star;
};

/* What is before the '/'. */
static int parse_span(const struct field *f, struct view piece, struct view span,
		      struct range *r, struct err *err)
{
	struct view rest = span, from = parse_field(&rest, '-');
	bool has_end = rest.p;
	struct view to = parse_field(&rest, '-');

	if (rest.p)
		return bad(f, piece, "has more than one '-'; write e.g. 1-5", err);
	if (view_eq(from, VIEW("*")) || view_eq(from, VIEW("?"))) {
		r->is_star = true; /* compat: zrepl 0.7 takes *-5 for a star */
		r->first = f->min;
		r->last = f->max;
		return 0;
	}
	if (parse_value(f, from, &r->first, err) < 0)
		return -1;
	r->last = r->first;
	if (has_end && parse_value(f, to, &r->last, err) < 0)
		return -1;
	if (r->first > r->last) {
		cleanup(str_freep) char *shown = quote(span);

		return err_set(err, ERR_INVALID,
			       "%s: %s ends before it begins; write %u-%u,%u-%u", f->name,
			       shown, r->first, f->max, f->min, r->last);
	}
	return 0;
}

static int parse_range(const struct field *f, struct view piece, struct range *r,
		       struct err *err)
{
	struct view rest = piece, span = parse_field(&rest, '/');
	bool has_step = rest.p;
	struct view step = parse_field(&rest, '/');
	uint64_t n = 1;

	*r = (struct range){ 0 };
	if (rest.p)
		return bad(f, piece, "has more than one '/'; write e.g. */5", err);
	if (parse_span(f, piece, span, r, err) < 0)
		return -1;
	if (has_step && (!parse_digits(step, 10, &n) || n == 0))
		return bad(f, piece, "has no step of at least 1; write e.g. */5", err);
	if (has_step && !memchr(span.p, '-', span.len))
		r->last = f->max; /* 3/5: from there on */
	r->step = n > f->max ? f->max + 1 : (unsigned)n;
	r->is_star = r->is_star && n == 1;
	return 0;
}

static int parse_cron_field(struct cron *c, int i, struct view text, struct err *err)
{
	const struct field *f = &fields[i];
	struct view rest = text;

	while (rest.p) {
		struct view piece = parse_field(&rest, ',');
		struct range r;

		if (piece.len == 0)
			continue; /* compat: zrepl 0.7 ignores it */
		if (parse_range(f, piece, &r, err) < 0)
			return -1;
		for (unsigned n = r.first; n <= r.last; n += r.step)
			c->set[i] |= (uint64_t)1 << n;
		c->is_star[i] = c->is_star[i] || r.is_star;
	}
	if (c->set[i] == 0) {
		cleanup(str_freep) char *shown = quote(text);

		return err_set(err, ERR_INVALID, "%s: %s names no time; want %s", f->name,
			       shown, f->want);
	}
	return 0;
}

static int refuse_descriptor(const char *text, struct err *err)
{
	static const struct {
		const char *name, *fields;
	} known[] = {
		{ "@yearly", "0 0 1 1 *" },  { "@annually", "0 0 1 1 *" },
		{ "@monthly", "0 0 1 * *" }, { "@weekly", "0 0 * * 0" },
		{ "@daily", "0 0 * * *" },   { "@midnight", "0 0 * * *" },
		{ "@hourly", "0 * * * *" },
	};
	cleanup(str_freep) char *shown = quote_str(text);

	for (size_t i = 0; i < ARRAY_LEN(known); i++)
		if (strcmp(text, known[i].name) == 0)
			return err_set(err, ERR_INVALID,
				       "%s is a descriptor; write \"%s\"", shown,
				       known[i].fields);
	return err_set(err, ERR_INVALID,
		       "%s is a descriptor; write fields, e.g. \"0 3 * * *\", or use the "
		       "type periodic",
		       shown);
}

static int parse_fields(struct cron *c, const char *text, struct err *err)
{
	struct view v[N_FIELDS] = { 0 };
	size_t n = 0, offset;

	for (const char *p = text + strspn(text, BLANKS); *p; p += strspn(p, BLANKS)) {
		size_t len = strcspn(p, BLANKS);

		if (n < N_FIELDS)
			v[n] = (struct view){ p, len };
		n++;
		p += len;
	}
	if (n > 0 && v[0].p[0] == '@')
		return refuse_descriptor(v[0].p, err);
	if (n < N_FIELDS - 1 || n > N_FIELDS)
		return err_set(err, ERR_INVALID,
			       "%zu field%s; want five (minute hour day-of-month month "
			       "day-of-week), or six with the second first",
			       n, n == 1 ? "" : "s");
	offset = N_FIELDS - n;
	if (offset > 0)
		c->set[SECOND] = 1; /* second 0 */
	for (size_t i = 0; i < n; i++)
		if (parse_cron_field(c, (int)(i + offset), v[i], err) < 0)
			return -1;
	return 0;
}

/* Takes the zone off the front of *text. */
static int parse_zone(struct cron *c, const char **text, struct err *err)
{
	struct view rest = view_of(*text), zone;
	cleanup(str_freep) char *name = NULL;

	if (!view_skip(&rest, "TZ=") && !view_skip(&rest, "CRON_TZ=")) {
		c->zone = tzif_load("Local", err);
		return c->zone ? 0 : -1;
	}
	zone = parse_field(&rest, ' ');
	name = view_dup(zone);
	if (!rest.p) {
		cleanup(str_freep) char *shown = quote_str(*text);

		return err_set(err, ERR_INVALID,
			       "%s has no fields after the zone; write e.g. "
			       "\"TZ=Europe/Berlin 0 3 * * *\"",
			       shown);
	}
	c->zone = tzif_load(name, err);
	*text = rest.p;
	return c->zone ? 0 : -1;
}

struct cron *cron_new(const char *spec, int64_t now_s, struct err *err)
{
	cleanup(cron_freep) struct cron *c = xcalloc(1, sizeof(*c));
	const char *text = spec;
	int64_t next;

	c->text = xstrdup(spec);
	if (parse_zone(c, &text, err) < 0 || parse_fields(c, text, err) < 0)
		return NULL;
	if (cron_next(c, now_s, &next))
		return TAKE(c);
	err_set(err, ERR_INVALID,
		"day-of-month: there is no such day in these months within %d years, so "
		"it would never run; choose a day that they have",
		CRON_MAX_YEARS);
	return NULL;
}

const char *cron_text(const struct cron *c)
{
	return c->text;
}

void cron_free(struct cron *c)
{
	if (!c)
		return;
	tzif_free(c->zone);
	free(c->text);
	free(c);
}

/* ---- the time ---- */

static bool has(const struct cron *c, int field, int n)
{
	return c->set[field] >> n & 1;
}

/* The first one from there on, or -1. */
static int next_in(const struct cron *c, int field, int from)
{
	uint64_t left = c->set[field] >> from;

	return left ? from + __builtin_ctzll(left) : -1;
}

static bool is_day(const struct cron *c, const struct civil *d)
{
	bool day = has(c, DAY, d->day), weekday = has(c, WEEKDAY, d->weekday);

	if (c->is_star[DAY] || c->is_star[WEEKDAY])
		return day && weekday;
	return day || weekday;
}

/* The first time of day from `from` on, in seconds, or -1. */
static int64_t next_time(const struct cron *c, const struct civil *from)
{
	int m0 = from->minute, s0 = from->second;

	for (int h = next_in(c, HOUR, from->hour); h >= 0; h = next_in(c, HOUR, h + 1)) {
		if (h > from->hour)
			m0 = s0 = 0;
		for (int m = next_in(c, MINUTE, m0); m >= 0;
		     m = next_in(c, MINUTE, m + 1)) {
			int s = next_in(c, SECOND, m > m0 ? 0 : s0);

			if (s >= 0)
				return h * 3600 + m * 60 + s;
		}
	}
	return -1;
}

/* The first time on the wall's clock in [from, before) that matches. */
static bool next_local(const struct cron *c, int64_t from, int64_t before, int64_t *at)
{
	struct civil t = civil_from_s(from);
	int64_t day = civil_day_s(t.year, t.month, t.day), of_day;

	while (day < before) {
		if (!has(c, MONTH, t.month)) {
			day = civil_day_s(t.year, t.month, 1) + 31 * DAY_S;
			t = civil_from_s(day);
			day -= (int64_t)(t.day - 1) * DAY_S;
			t = civil_from_s(day);
			continue;
		}
		of_day = is_day(c, &t) ? next_time(c, &t) : -1;
		if (of_day >= 0) {
			*at = day + of_day;
			return *at < before;
		}
		day += DAY_S;
		t = civil_from_s(day);
	}
	return false;
}

/*
 * Between two changes of its offset a zone is simple: find the next match there, by the
 * clock on the wall; if there is none, look behind the change.
 */
bool cron_next(const struct cron *c, int64_t after_s, int64_t *next_s)
{
	int64_t t, end;

	if (after_s < earliest_s || after_s > latest_s)
		return false;
	t = after_s + 1;
	end = civil_day_s(civil_from_s(t).year + CRON_MAX_YEARS + 1, 1, 1);
	while (t < end) {
		int32_t offset = tzif_at(c->zone, t).offset_s;
		int64_t change = tzif_next_change(c->zone, t), at;

		if (change > end)
			change = end;
		if (next_local(c, t + offset, change + offset, &at)) {
			*next_s = at - offset;
			return true;
		}
		t = change;
	}
	return false;
}
