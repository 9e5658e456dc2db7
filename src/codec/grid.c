#include "codec/grid.h"

#include "base/parse.h"
#include "base/vec.h"
#include "codec/duration.h"

static int bad(struct view part, const char *why, struct err *err)
{
	return err_set(err, ERR_INVALID, "retention grid: interval '%.*s': %s",
		       (int)(part.len < 80 ? part.len : 80), part.p ? part.p : "", why);
}

/* The text between the parentheses, to the last byte: "keep=all " is an error. */
static int parse_keep(struct view part, struct view params, int64_t *keep,
		      struct err *err)
{
	while (params.len > 0 && (params.p[0] == ' ' || params.p[0] == '\t')) {
		params.p++;
		params.len--;
	}
	if (!view_skip(&params, "keep="))
		return bad(part, "want (keep=all) or (keep=NUMBER)", err);
	if (view_eq(params, VIEW("all"))) {
		*keep = GRID_KEEP_ALL;
		return 0;
	}
	if (params.len > 1 && params.p[0] == '+' && params.p[1] != '-') {
		params.p++;
		params.len--;
	}
	if (parse_i64(params, keep, err) < 0)
		return bad(part, "keep must be 'all' or a number", err);
	if (*keep < 1 && *keep != GRID_KEEP_ALL)
		return bad(part, "keep must be at least 1", err);
	return 0;
}

static int parse_length(struct view part, struct view text, int64_t *length_s,
			struct err *err)
{
	cleanup(str_freep) char *s = view_dup(text);
	int64_t ns;

	if (zdur_parse(s, &ns, err) < 0)
		return err_wrap(err, "retention grid");
	if (ns <= 0)
		return bad(part, "the length must be positive", err);
	*length_s = ns / NS_PER_S;
	return 0;
}

static int parse_interval(struct view part, struct grid_interval *out, struct err *err)
{
	struct view rest = view_trim(part), repeat, length;

	*out = (struct grid_interval){ .keep = 1 };
	repeat = view_trim(parse_field(&rest, 'x'));
	if (!rest.p)
		return bad(part, "want NxLENGTH, such as 24x1h", err);
	if (repeat.len == 0 || repeat.p[0] == '-' ||
	    parse_i64(repeat, &out->repeat, err) < 0 || out->repeat < 1)
		return bad(part, "want a number of at least 1 before the 'x'", err);
	length = parse_field(&rest, '(');
	if (parse_length(part, length, &out->length_s, err) < 0)
		return -1;
	if (!rest.p)
		return 0;
	if (rest.len == 0 || rest.p[rest.len - 1] != ')')
		return bad(part, "')' is missing at the end", err);
	rest.len--;
	return parse_keep(part, rest, &out->keep, err);
}

int grid_parse(const char *text, struct grid *out, struct err *err)
{
	cleanup(grid_free) struct grid g = { 0 };
	struct view rest = view_of(text);
	bool all_keep_all = true; /* of the intervals so far */
	int64_t buckets = 0;

	/*
	 * A length fits 63 bits in nanoseconds and buckets are limited, so the sum of
	 * all lengths in seconds cannot overflow.
	 */
	while (rest.p) {
		struct view part = parse_field(&rest, '|');
		struct grid_interval i;

		if (parse_interval(part, &i, err) < 0)
			return -1;
		if (g.n > 0 && i.length_s < g.v[g.n - 1].length_s && !all_keep_all)
			return bad(part, "is shorter than the interval before it", err);
		if (i.repeat > GRID_MAX_BUCKETS - buckets)
			return err_set(err, ERR_INVALID,
				       "retention grid: more than %d buckets",
				       GRID_MAX_BUCKETS);
		buckets += i.repeat;
		all_keep_all = all_keep_all && i.keep == GRID_KEEP_ALL;
		VEC_PUSH(&g, i);
	}
	*out = g;
	g = (struct grid){ 0 };
	return 0;
}

void grid_free(struct grid *g)
{
	free(g->v);
	*g = (struct grid){ 0 };
}
