#include "codec/grid.h"

#include "base/parse.h"
#include "base/vec.h"
#include "codec/duration.h"
#include "codec/quote.h"

static int bad(struct view part, const char *why, struct err *err)
{
	cleanup(str_freep) char *shown = quote(view_trim(part));

	return err_set(err, ERR_INVALID, "%s %s", shown, why);
}

/* The text between the parentheses, to the last byte: "keep=all " is an error. */
static int parse_keep(struct view part, struct view params, int64_t *keep,
		      struct err *err)
{
	cleanup(err_clear) struct err ignored = ERR_INIT;

	while (params.len > 0 && (params.p[0] == ' ' || params.p[0] == '\t')) {
		params.p++;
		params.len--;
	}
	if (!view_skip(&params, "keep="))
		return bad(part,
			   "has something else than keep= in its parentheses; write e.g. "
			   "24x1h(keep=2)",
			   err);
	if (view_eq(params, VIEW("all"))) {
		*keep = GRID_KEEP_ALL;
		return 0;
	}
	if (params.len > 1 && params.p[0] == '+' && params.p[1] != '-') {
		params.p++;
		params.len--;
	}
	if (parse_i64(params, keep, &ignored) < 0)
		return bad(part,
			   "keeps neither a number nor all; write e.g. 24x1h(keep=2) or "
			   "1x1h(keep=all)",
			   err);
	if (*keep < 1 && *keep != GRID_KEEP_ALL)
		return bad(part, "keeps nothing; write keep=1 or more, or keep=all", err);
	return 0;
}

/* The interval with an 'h' behind its length. */
static int lacks_unit(struct view part, struct view length, struct err *err)
{
	cleanup(str_freep) char *shown = quote(view_trim(part));
	struct view front, back, number = view_trim(length);

	part = view_trim(part);
	front = (struct view){ part.p, (size_t)(number.p + number.len - part.p) };
	back = (struct view){ number.p + number.len, part.len - front.len };
	if (part.len > QUOTE_MAX)
		return err_set(err, ERR_INVALID, "%s lacks a unit; write e.g. 24x1h",
			       shown);
	return err_set(err, ERR_INVALID, "%s lacks a unit; write e.g. %.*sh%.*s", shown,
		       (int)front.len, front.p, (int)back.len, back.p);
}

static int parse_length(struct view part, struct view text, int64_t *length_s,
			struct err *err)
{
	cleanup(str_freep) char *s = view_dup(text);
	struct view trimmed = view_trim(text);
	uint64_t number;
	int64_t ns;

	if (trimmed.len == 0)
		return bad(part, "has no length behind the 'x'; write e.g. 24x1h", err);
	if (parse_digits(trimmed, 10, &number) && number > 0)
		return lacks_unit(part, text, err);
	if (zdur_parse(s, &ns, err) < 0) {
		cleanup(str_freep) char *shown = quote(view_trim(part));

		return err_wrap(err, "%s", shown);
	}
	if (ns <= 0)
		return bad(part, "has no length above zero; write e.g. 24x1h", err);
	*length_s = ns / NS_PER_S;
	return 0;
}

static int parse_interval(struct view part, struct grid_interval *out, struct err *err)
{
	struct view rest = view_trim(part), repeat, length;
	cleanup(err_clear) struct err ignored = ERR_INIT;

	if (rest.len == 0)
		return err_set(err, ERR_INVALID,
			       "the grid has an empty interval; write e.g. 1x1h | 24x1h");
	*out = (struct grid_interval){ .keep = 1 };
	repeat = view_trim(parse_field(&rest, 'x'));
	if (!rest.p)
		return bad(part, "is not NUMBERxLENGTH; write e.g. 24x1h", err);
	if (repeat.len == 0 || repeat.p[0] == '-' ||
	    parse_i64(repeat, &out->repeat, &ignored) < 0 || out->repeat < 1)
		return bad(part,
			   "has no number of at least 1 before the 'x'; write e.g. 24x1h",
			   err);
	length = parse_field(&rest, '(');
	if (parse_length(part, length, &out->length_s, err) < 0)
		return -1;
	if (!rest.p)
		return 0;
	if (rest.len == 0 || rest.p[rest.len - 1] != ')')
		return bad(part, "does not end in ')'; write e.g. 24x1h(keep=2)", err);
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
			return bad(
				part,
				"is shorter than the interval before it; put the shorter "
				"one first, or let all before it have keep=all",
				err);
		if (i.repeat > GRID_MAX_BUCKETS - buckets)
			return err_set(err, ERR_INVALID,
				       "the grid has more than %d buckets; write fewer "
				       "or longer ones",
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
