/*
 * cron_next() against one that looks at each minute of a year, or each second of some
 * days, with the C library's idea of the time: what one finds, the other must find.
 */
#include "codec/cron.h"
#include "tap.h"

#include <strings.h>
#include <time.h>

enum { MINUTE_S = 60, DAY_S = 86400 };

static const struct {
	int min, max;
} limits[6] = { { 0, 59 }, { 0, 59 }, { 0, 23 }, { 1, 31 }, { 1, 12 }, { 0, 6 } };

/* What a specification means, the slow way: does each number match? */
struct slow {
	bool has[6][60], is_star[6];
};

static int number(const char *text)
{
	static const char names[][4] = { "jan", "feb", "mar", "apr", "may", "jun", "jul",
					 "aug", "sep", "oct", "nov", "dec", "sun", "mon",
					 "tue", "wed", "thu", "fri", "sat" };

	for (int i = 0; i < (int)ARRAY_LEN(names); i++)
		if (strncasecmp(text, names[i], 3) == 0)
			return i < 12 ? i + 1 : i - 12;
	return (int)strtol(text, NULL, 10);
}

static bool item_has(const char *item, int field, int n)
{
	const char *slash = strchr(item, '/'), *hyphen = strchr(item, '-');
	int step = slash ? number(slash + 1) : 1, first, last;

	if (*item == '*' || *item == '?')
		return (n - limits[field].min) % step == 0;
	first = number(item);
	last = hyphen ? number(hyphen + 1) : slash ? limits[field].max : first;
	return n >= first && n <= last && (n - first) % step == 0;
}

static struct slow slow_new(const char *spec)
{
	char text[7][40] = { "0" };
	int n = sscanf(spec, "%39s %39s %39s %39s %39s %39s", text[1], text[2], text[3],
		       text[4], text[5], text[6]);
	struct slow s = { 0 };

	for (int f = 0; f < 6; f++) {
		char *rest = text[n == 5 ? f : f + 1], *item;

		while ((item = strsep(&rest, ","))) {
			if ((*item == '*' || *item == '?') && !strchr(item, '/'))
				s.is_star[f] = true;
			for (int i = limits[f].min; i <= limits[f].max; i++)
				s.has[f][i] = s.has[f][i] || item_has(item, f, i);
		}
	}
	return s;
}

static bool slow_matches(const struct slow *s, const struct tm *t)
{
	bool day = s->has[3][t->tm_mday], weekday = s->has[5][t->tm_wday];

	return s->has[0][t->tm_sec] && s->has[1][t->tm_min] && s->has[2][t->tm_hour] &&
	       s->has[4][t->tm_mon + 1] &&
	       (s->is_star[3] || s->is_star[5] ? day && weekday : day || weekday);
}

/* Returns how often it came. */
static int compare(const char *zone, const char *spec, int64_t begin, int64_t end,
		   int step)
{
	cleanup(err_clear) struct err e = ERR_INIT;
	cleanup(str_freep) char *text = xasprintf("TZ=%s %s", zone, spec);
	cleanup(cron_freep) struct cron *c = cron_new(text, begin, &e);
	struct slow slow = slow_new(spec);
	int64_t next = 0;
	int n = 0;

	if (!CHECK(c) || !CHECK(cron_next(c, begin - 1, &next)))
		return 0;
	for (time_t t = begin; t < end; t += step) {
		struct tm tm;

		if (!slow_matches(&slow, localtime_r(&t, &tm)) && next != t)
			continue;
		if (!CHECK_INT(next, t)) {
			printf("# %s\n", text);
			return n;
		}
		n++;
		if (!CHECK(cron_next(c, t, &next)))
			return n;
	}
	CHECK(next >= end);
	return n;
}

static void use_zone(const char *zone)
{
	setenv("TZ", zone, 1);
	tzset();
}

static const char *const zones[] = { "UTC",
				     "Europe/Berlin",
				     "Australia/Lord_Howe",
				     "America/New_York",
				     "America/Sao_Paulo",
				     "Asia/Beirut" };

/* 2017-01-01: the last year but one with a missing midnight in Brazil */
static const int64_t year_s = 1483228800;

TEST(each_minute_of_a_year_is_found_in_each_zone)
{
	static const char *const specs[] = {
		"* * * * *",
		"*/7 * * * *",
		"0 * * * *",
		"30 2 * * *",
		"0 0 * * *",
		"15,45 1-3 * mar,apr,oct,nov *",
		"0 3 * * MON-FRI",
		"0 3 */2 * 1",
		"59 23 31 * ?",
		"0 12 13 * fri",
		"5/20 22,0-4/2 1-7 */3 0",
		"0 0 1,15 * wed",
	};

	for (size_t z = 0; z < ARRAY_LEN(zones); z++) {
		use_zone(zones[z]);
		for (size_t i = 0; i < ARRAY_LEN(specs); i++)
			CHECK(compare(zones[z], specs[i], year_s, year_s + 365 * DAY_S,
				      MINUTE_S) > 0);
	}
}

TEST(each_second_of_the_days_around_a_change_is_found)
{
	static const struct {
		const char *zone;
		int64_t begin;
	} changes[] = {
		{ "UTC", 1704067200 - DAY_S },                 /* New Year */
		{ "Europe/Berlin", 1711846800 - DAY_S },       /* 2024-03-31 */
		{ "Europe/Berlin", 1729990800 - DAY_S },       /* 2024-10-27 */
		{ "Australia/Lord_Howe", 1712415600 - DAY_S }, /* 2024-04-07 */
		{ "Australia/Lord_Howe", 1728142200 - DAY_S }, /* 2024-10-06 */
		{ "America/New_York", 1730613600 - DAY_S },    /* 2024-11-03 */
		{ "Asia/Beirut", 1648332000 - DAY_S },         /* 2022-03-27 */
	};
	static const char *const specs[] = {
		"* * * * * *",
		"*/10 0 3 * * *",
		"7,13-50/9 */17 * * * *",
		"59 59 0-2 ? * *",
		"30 30 1,2 * * sun,mon,sat",
	};

	for (size_t z = 0; z < ARRAY_LEN(changes); z++) {
		use_zone(changes[z].zone);
		for (size_t i = 0; i < ARRAY_LEN(specs); i++)
			CHECK(compare(changes[z].zone, specs[i], changes[z].begin,
				      changes[z].begin + 2 * DAY_S, 1) > 0);
	}
}

TEST_MAIN()
