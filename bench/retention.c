/*
 * retention.c - how long a decision about many snapshots takes, in ms, and beside it
 * qsort(3) of as many of the same by their dates: the least that a grid needs.
 *
 *	retention SNAPSHOTS
 */
#include "base/parse.h"
#include "prune/rules.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { NAME = 48, RULES = 4, MINUTES = 10 };

static int64_t now_us(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

static void need(int r, const struct err *e)
{
	if (r == 0)
		return;
	fprintf(stderr, "retention: %s\n", err_msg(e));
	exit(1);
}

static struct regex *regex(const char *pattern)
{
	struct err e = ERR_INIT;
	struct regex *r = regex_new(pattern, &e);

	need(r ? 0 : -1, &e);
	return r;
}

/* What people have: recent ones all, then hourly, daily, monthly, and what is theirs. */
static void make_rules(struct conf_keep rules[RULES])
{
	struct err e = ERR_INIT;

	rules[0] = (struct conf_keep){ .type = KEEP_NOT_REPLICATED,
				       .text = "not_replicated" };
	rules[1] = (struct conf_keep){ .type = KEEP_GRID,
				       .text = "grid",
				       .regex = regex("^zrepl_") };
	need(grid_parse("1x1h(keep=all)|24x1h|35x1d|600x30d", &rules[1].grid, &e), &e);
	rules[2] = (struct conf_keep){ .type = KEEP_LAST_N,
				       .count = 100,
				       .text = "last_n",
				       .regex = regex("^zrepl_.*[0-9]$") };
	rules[3] = (struct conf_keep){ .type = KEEP_REGEX,
				       .negate = true,
				       .text = "regex",
				       .regex = regex("^zrepl_") };
}

static struct prune_snap *make_snaps(size_t n)
{
	struct prune_snap *s = xcalloc(n, sizeof(*s));
	const int64_t youngest_s = 1700000000;

	for (size_t i = 0; i < n; i++) {
		int64_t age_s = (int64_t)(n - 1 - i) * MINUTES * 60;
		char *name = xcalloc(NAME, 1);

		snprintf(name, NAME, "%s_%010" PRId64 "_000", i % 50 ? "zrepl" : "manual",
			 youngest_s - age_s);
		s[i] = (struct prune_snap){ .name = name,
					    .creation_s = youngest_s - age_s,
					    .replicated = i + 3 < n };
	}
	return s;
}

static int by_date(const void *pa, const void *pb)
{
	const struct prune_snap *a = pa, *b = pb;

	return (a->creation_s < b->creation_s) - (a->creation_s > b->creation_s);
}

int main(int argc, char **argv)
{
	struct conf_keep rules[RULES];
	const struct conf_keeps keeps = { rules, RULES };
	struct err e = ERR_INIT;
	struct prune_snap *snaps;
	int64_t decided_us, sorted_us;
	uint64_t n, destroyed = 0;

	need(parse_u64(view_of(argc == 2 ? argv[1] : ""), &n, &e), &e);
	snaps = make_snaps(n);
	make_rules(rules);
	decided_us = now_us();
	need(prune_decide(&keeps, snaps, n, &e), &e);
	decided_us = now_us() - decided_us;
	for (size_t i = 0; i < n; i++)
		destroyed += snaps[i].destroy;
	sorted_us = now_us();
	qsort(snaps, n, sizeof(*snaps), by_date);
	sorted_us = now_us() - sorted_us;
	printf("%.3f %.3f %" PRIu64 "\n", (double)decided_us / 1e3,
	       (double)sorted_us / 1e3, destroyed);
	return 0;
}
