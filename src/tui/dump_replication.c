#include "tui/dump_replication.h"

#include "codec/duration.h"
#include "tui/json_read.h"

#include <ctype.h>
#include <inttypes.h>

enum { BAR = 50 };

struct sums {
	uint64_t done, expected;
	bool is_expected_known; /* every step has an estimate */
};

static uint64_t saturating_sum(uint64_t a, uint64_t b)
{
	return a > UINT64_MAX - b ? UINT64_MAX : a + b;
}

static struct sums sum_steps(struct json_object *fs)
{
	struct sums s = { .is_expected_known = true };

	for (size_t i = 0; i < json_length(fs, "Steps"); i++) {
		struct json_object *info =
			json_member(json_element(fs, "Steps", i), "Info");
		uint64_t expected = json_number(info, "BytesExpected");
		uint64_t done = json_number(info, "BytesReplicated");

		s.done = saturating_sum(s.done, done);
		s.expected =
			saturating_sum(s.expected, expected > done ? expected : done);
		s.is_expected_known = s.is_expected_known && expected > 0;
	}
	return s;
}

static struct sums sum_filesystems(struct json_object *attempt)
{
	struct sums all = { .is_expected_known = true };

	for (size_t i = 0; i < json_length(attempt, "Filesystems"); i++) {
		struct sums s = sum_steps(json_element(attempt, "Filesystems", i));

		all.done = saturating_sum(all.done, s.done);
		all.expected = saturating_sum(all.expected, s.expected);
		all.is_expected_known = all.is_expected_known && s.is_expected_known;
	}
	return all;
}

/* The rate is the average of the attempt: who looks once has no other. */
static void put_progress(struct page *p, struct json_object *attempt)
{
	struct sums s = sum_filesystems(attempt);
	int64_t elapsed = p->now.tv_sec - json_time(attempt, "StartAt").tv_sec;
	uint64_t rate = s.done / (uint64_t)(elapsed > 0 ? elapsed : 1);
	cleanup(str_freep) char *done = page_bytes(s.done);
	cleanup(str_freep) char *expected = page_bytes(s.expected);
	cleanup(str_freep) char *speed = page_bytes(rate);
	cleanup(buf_free) struct buf b = { 0 };

	page_bar(&b, s.done, s.expected, BAR);
	buf_printf(&b, " %s / %s @ %s/s", done, expected, speed);
	if (rate > 0 && s.expected > s.done) {
		uint64_t left = (s.expected - s.done) / rate;
		cleanup(str_freep) char *eta = page_between(
			(struct timespec){ 0 },
			(struct timespec){ .tv_sec = (time_t)(left & INT64_MAX) });

		buf_printf(&b, " (%s remaining)", eta);
	}
	page_line(p, "Progress: %s", b.p);
	if (!s.is_expected_known)
		page_line(p, "NOTE: not all steps have a size estimate, the total is "
			     "likely to be imprecise");
}

static const char *error_of(struct json_object *fs)
{
	const char *plan_error = json_text(json_member(fs, "PlanError"), "Err");

	return *plan_error ? plan_error : json_text(json_member(fs, "StepError"), "Err");
}

static void put_next(struct buf *b, struct json_object *fs, uint64_t current)
{
	struct json_object *info;
	const char *from;

	if (*error_of(fs)) {
		buf_printf(b, " %s", error_of(fs));
		return;
	}
	if (current >= json_length(fs, "Steps"))
		return;
	info = json_member(json_element(fs, "Steps", (size_t)current), "Info");
	from = json_text(info, "From");
	if (*from)
		buf_printf(b, " next: %s => %s", from, json_text(info, "To"));
	else
		buf_printf(b, " next: full send %s", json_text(info, "To"));
	if (json_flag(info, "Resumed"))
		buf_printf(b, " (resumed)");
}

static bool is_active(struct json_object *fs)
{
	const char *state = json_text(fs, "State");

	return strcmp(json_text(fs, "BlockedOn"), "nothing") == 0 &&
	       (strcmp(state, "planning") == 0 || strcmp(state, "stepping") == 0);
}

static const char *name_of(struct json_object *fs)
{
	return json_text(json_member(fs, "Info"), "Name");
}

static void put_filesystem(struct page *p, struct json_object *fs, int width)
{
	uint64_t current = json_number(fs, "CurrentStep");
	size_t n = json_length(fs, "Steps");
	struct sums s = sum_steps(fs);
	cleanup(buf_free) struct buf b = { 0 };

	buf_printf(&b, "%c %-*s ", is_active(fs) ? '*' : ' ', width, name_of(fs));
	for (const char *c = json_text(fs, "State"); *c; c++)
		buf_printf(&b, "%c", toupper((unsigned char)*c));
	buf_printf(&b, " (step %" PRIu64 "/%zu, ", current < n ? current + 1 : n, n);
	bytes_format(&b, s.done);
	buf_printf(&b, "/");
	bytes_format(&b, s.expected);
	buf_printf(&b, ")");
	if (current < n && !s.is_expected_known)
		buf_printf(&b, " (not all steps have a size estimate)");
	put_next(&b, fs, current);
	page_line(p, "%s", b.p);
}

static int by_name(const void *a, const void *b)
{
	return strcmp(name_of(*(struct json_object *const *)a),
		      name_of(*(struct json_object *const *)b));
}

static void put_filesystems(struct page *p, struct json_object *attempt)
{
	size_t n = json_length(attempt, "Filesystems");
	struct json_object **sorted = xcalloc(n, sizeof(struct json_object *));
	int width = 0;

	for (size_t i = 0; i < n; i++) {
		int len;

		sorted[i] = json_element(attempt, "Filesystems", i);
		len = (int)strlen(name_of(sorted[i]));
		width = len > width ? len : width;
	}
	qsort(sorted, n, sizeof(struct json_object *), by_name);
	for (size_t i = 0; i < n; i++)
		put_filesystem(p, sorted[i], width);
	if (n == 0)
		page_line(p, "NOTE: no filesystems were considered for replication!");
	free(sorted);
}

static void put_times(struct page *p, struct json_object *attempt)
{
	struct timespec start = json_time(attempt, "StartAt");
	struct timespec finish = json_time(attempt, "FinishAt");
	bool is_finished = page_is_set(finish);
	cleanup(str_freep) char *when = page_time(p, is_finished ? finish : start);
	cleanup(str_freep) char *took =
		page_between(start, is_finished ? finish : p->now);

	if (is_finished)
		page_line(p, "Last Run: %s (lasted %s)", when, took);
	else
		page_line(p, "Started: %s (lasting %s)", when, took);
}

static bool is_past(const struct page *p, struct timespec t)
{
	return p->now.tv_sec > t.tv_sec ||
	       (p->now.tv_sec == t.tv_sec && p->now.tv_nsec >= t.tv_nsec);
}

static void put_reconnect(struct page *p, struct json_object *r)
{
	struct timespec since = json_time(r, "WaitReconnectSince");
	struct timespec until = json_time(r, "WaitReconnectUntil");
	const char *error = json_text(json_member(r, "WaitReconnectError"), "Err");
	cleanup(str_freep) char *from = page_time(p, since);
	cleanup(str_freep) char *to = page_time(p, until);

	if (*error)
		page_line(p, "Connectivity: %s", error);
	if (!page_is_set(since))
		return;
	if (!page_is_set(until)) {
		page_line(p, "Connectivity: waiting since %s", from);
	} else if (is_past(p, until)) {
		page_line(
			p,
			"Connectivity: waited since %s, hard-fail timeout reached at %s",
			from, to);
	} else {
		cleanup(str_freep) char *left = page_between(p->now, until);

		page_line(p, "Connectivity: waiting since %s, until %s (%s remaining)",
			  from, to, left);
	}
}

static void put_earlier_attempts(struct page *p, struct json_object *r, size_t n)
{
	page_line(p, "Earlier attempts:");
	p->depth++;
	for (size_t i = 0; i < n; i++) {
		struct json_object *a = json_element(r, "Attempts", i);
		struct timespec finish = json_time(a, "FinishAt");
		cleanup(str_freep) char *when = page_time(p, finish);
		cleanup(str_freep) char *took =
			page_between(json_time(a, "StartAt"), finish);

		page_line(p, "#%zu: %s (finished %s, lasted %s)", i + 1,
			  json_text(a, "State"), when, took);
	}
	p->depth--;
}

void dump_replication(struct page *p, struct json_object *r)
{
	size_t n = json_length(r, "Attempts");
	struct json_object *a;
	const char *state;

	put_reconnect(p, r);
	if (n == 0) {
		page_line(p, "...");
		return;
	}
	a = json_element(r, "Attempts", n - 1);
	state = json_text(a, "State");
	page_line(p, "Attempt #%zu", n);
	if (n > 1)
		put_earlier_attempts(p, r, n - 1);
	page_line(p, "Status: %s", state);
	put_times(p, a);
	if (strcmp(state, "planning-error") == 0) {
		page_line(p, "Problem: %s",
			  json_text(json_member(a, "PlanError"), "Err"));
		return;
	}
	if (strcmp(state, "planning") == 0)
		return;
	if (strcmp(state, "filesystem-error") == 0)
		page_line(p,
			  "Problem: one or more of the filesystems encountered errors");
	if (strcmp(state, "fan-out-filesystems") == 0)
		put_progress(p, a);
	put_filesystems(p, a);
}
