#include "tui/dump.h"

#include "base/parse.h"
#include "codec/duration.h"
#include "codec/gotime.h"
#include "tui/json_read.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum { INDENT = 3, REPL_BAR = 50, PRUNE_BAR = 80 };

/* Text under construction, with an indentation for each new line. */
struct page {
	struct buf *out;
	unsigned depth;
	struct timespec now;
	const struct tzif *zone;
};

static void line(struct page *p, const char *fmt, ...) printf_like(2, 3);
static void line(struct page *p, const char *fmt, ...)
{
	cleanup(str_freep) char *text = NULL;
	struct view rest;
	va_list ap;

	va_start(ap, fmt);
	if (vasprintf(&text, fmt, ap) < 0)
		abort();
	va_end(ap);
	/* What comes from errors may have several lines: indent them all. */
	rest = view_of(text);
	do {
		struct view v = parse_field(&rest, '\n');

		buf_printf(p->out, "%*s%.*s\n", (int)(p->depth * INDENT), "", (int)v.len,
			   v.p);
	} while (rest.p);
}

static bool is_set(struct timespec t)
{
	return t.tv_sec != 0 || t.tv_nsec != 0;
}

static char *text_of_time(const struct page *p, struct timespec t)
{
	struct buf b = { 0 };

	gotime_format(&b, GOTIME_DEFAULT, t, p->zone);
	return buf_take(&b);
}

/* The time between, to the second. */
static char *text_between(struct timespec from, struct timespec to)
{
	struct buf b = { 0 };
	int64_t s = to.tv_sec - from.tv_sec + (to.tv_nsec - from.tv_nsec) / 500000000;

	gdur_format(&b, (s < 0 ? 0 : s) * NS_PER_S);
	return buf_take(&b);
}

static char *text_of_bytes(uint64_t n)
{
	struct buf b = { 0 };

	bytes_format(&b, n);
	return buf_take(&b);
}

static void put_bar(struct buf *b, uint64_t done, uint64_t total, int width)
{
	int filled = total ? (int)((double)done / (double)total * width) : width;

	if (filled > width)
		filled = width;
	buf_printf(b, "[");
	for (int i = 0; i < width; i++)
		buf_printf(b, "%c", i < filled ? '=' : i == filled ? '>' : '-');
	buf_printf(b, "]");
}

/* ---- replication ---- */

struct sums {
	uint64_t done, expected;
	bool is_expected_known; /* every step has an estimate */
};

static struct sums sum_steps(struct json_object *fs)
{
	struct sums s = { .is_expected_known = true };

	for (size_t i = 0; i < json_length(fs, "Steps"); i++) {
		struct json_object *info =
			json_member(json_element(fs, "Steps", i), "Info");
		uint64_t expected = json_number(info, "BytesExpected");
		uint64_t done = json_number(info, "BytesReplicated");

		s.done += done;
		s.expected += expected > done ? expected : done;
		s.is_expected_known = s.is_expected_known && expected > 0;
	}
	return s;
}

static struct sums sum_filesystems(struct json_object *attempt)
{
	struct sums all = { .is_expected_known = true };

	for (size_t i = 0; i < json_length(attempt, "Filesystems"); i++) {
		struct sums s = sum_steps(json_element(attempt, "Filesystems", i));

		all.done += s.done;
		all.expected += s.expected;
		all.is_expected_known = all.is_expected_known && s.is_expected_known;
	}
	return all;
}

static void put_progress(struct page *p, struct json_object *attempt)
{
	struct sums s = sum_filesystems(attempt);
	int64_t elapsed = p->now.tv_sec - json_time(attempt, "StartAt").tv_sec;
	uint64_t rate = s.done / (uint64_t)(elapsed > 0 ? elapsed : 1);
	cleanup(str_freep) char *done = text_of_bytes(s.done);
	cleanup(str_freep) char *expected = text_of_bytes(s.expected);
	cleanup(str_freep) char *speed = text_of_bytes(rate);
	cleanup(buf_free) struct buf b = { 0 };

	buf_printf(&b, "Progress: ");
	put_bar(&b, s.done, s.expected, REPL_BAR);
	buf_printf(&b, " %s / %s @ %s/s", done, expected, speed);
	if (rate > 0 && s.expected > s.done) {
		buf_printf(&b, " (");
		gdur_format(&b, (int64_t)((s.expected - s.done) / rate) * NS_PER_S);
		buf_printf(&b, " remaining)");
	}
	line(p, "%s", b.p);
	if (!s.is_expected_known)
		line(p, "NOTE: not all steps could be size-estimated, total estimate is "
			"likely "
			"imprecise!");
}

static void put_next(struct buf *b, struct json_object *fs, uint64_t current)
{
	const char *plan_error = json_text(json_member(fs, "PlanError"), "Err");
	const char *step_error = json_text(json_member(fs, "StepError"), "Err");
	struct json_object *info;

	if (*plan_error || *step_error) {
		buf_printf(b, " %s", *plan_error ? plan_error : step_error);
		return;
	}
	if (strcmp(json_text(fs, "State"), "done") == 0 ||
	    current >= json_length(fs, "Steps"))
		return;
	info = json_member(json_element(fs, "Steps", (size_t)current), "Info");
	if (*json_text(info, "From"))
		buf_printf(b, " next: %s => %s", json_text(info, "From"),
			   json_text(info, "To"));
	else
		buf_printf(b, " next: full send %s", json_text(info, "To"));
	if (json_flag(info, "Resumed"))
		buf_printf(b, " (resumed)");
}

static void put_filesystem(struct page *p, struct json_object *fs, int width)
{
	const char *state = json_text(fs, "State");
	bool is_active =
		strcmp(json_text(fs, "BlockedOn"), "nothing") == 0 &&
		(strcmp(state, "planning") == 0 || strcmp(state, "stepping") == 0);
	uint64_t current = json_number(fs, "CurrentStep");
	size_t n = json_length(fs, "Steps");
	struct sums s = sum_steps(fs);
	cleanup(buf_free) struct buf b = { 0 };

	buf_printf(&b, "%c %-*s ", is_active ? '*' : ' ', width,
		   json_text(json_member(fs, "Info"), "Name"));
	for (const char *c = state; *c; c++)
		buf_printf(&b, "%c", toupper((unsigned char)*c));
	if (strcmp(state, "planning") != 0 && strcmp(state, "planning-error") != 0) {
		buf_printf(&b, " (step %" PRIu64 "/%zu, ", current < n ? current + 1 : n,
			   n);
		bytes_format(&b, s.done);
		buf_printf(&b, "/");
		bytes_format(&b, s.expected);
		buf_printf(&b, ")");
	}
	put_next(&b, fs, current);
	line(p, "%s", b.p);
}

static int by_fs_name(const void *a, const void *b)
{
	struct json_object *x = *(struct json_object *const *)a;
	struct json_object *y = *(struct json_object *const *)b;

	return strcmp(json_text(json_member(x, "Info"), "Name"),
		      json_text(json_member(y, "Info"), "Name"));
}

static void put_filesystems(struct page *p, struct json_object *attempt)
{
	size_t n = json_length(attempt, "Filesystems");
	struct json_object **sorted = xcalloc(n, sizeof(struct json_object *));
	int width = 0;

	for (size_t i = 0; i < n; i++) {
		const char *name;

		sorted[i] = json_element(attempt, "Filesystems", i);
		name = json_text(json_member(sorted[i], "Info"), "Name");
		if ((int)strlen(name) > width)
			width = (int)strlen(name);
	}
	qsort(sorted, n, sizeof(struct json_object *), by_fs_name);
	for (size_t i = 0; i < n; i++)
		put_filesystem(p, sorted[i], width);
	if (n == 0)
		line(p, "NOTE: no filesystems were considered for replication!");
	free(sorted);
}

static void put_times(struct page *p, struct json_object *attempt)
{
	struct timespec start = json_time(attempt, "StartAt");
	struct timespec finish = json_time(attempt, "FinishAt");
	bool is_finished = is_set(finish);
	cleanup(str_freep) char *when = text_of_time(p, is_finished ? finish : start);
	cleanup(str_freep) char *took =
		text_between(start, is_finished ? finish : p->now);

	if (is_finished)
		line(p, "Last Run: %s (lasted %s)", when, took);
	else
		line(p, "Started: %s (lasting %s)", when, took);
}

static void put_reconnect(struct page *p, struct json_object *r)
{
	struct timespec since = json_time(r, "WaitReconnectSince");
	struct timespec until = json_time(r, "WaitReconnectUntil");
	const char *error = json_text(json_member(r, "WaitReconnectError"), "Err");

	if (*error) {
		line(p, "Connectivity: %s", error);
	} else if (is_set(since) && is_set(until)) {
		cleanup(str_freep) char *from = text_of_time(p, since);
		cleanup(str_freep) char *to = text_of_time(p, until);

		line(p, "Connectivity: reconnecting since %s, giving up at %s", from, to);
	}
}

static void put_earlier_attempts(struct page *p, struct json_object *r, size_t n)
{
	line(p, "Previous attempts:");
	p->depth++;
	for (size_t i = 0; i < n; i++) {
		struct json_object *a = json_element(r, "Attempts", i);
		struct timespec finish = json_time(a, "FinishAt");
		cleanup(str_freep) char *when = text_of_time(p, finish);
		cleanup(str_freep) char *took =
			text_between(json_time(a, "StartAt"), finish);

		line(p, "#%zu: %s (finished %s, lasted %s)", i + 1, json_text(a, "State"),
		     when, took);
	}
	p->depth--;
}

static void put_replication(struct page *p, struct json_object *r)
{
	size_t n = json_length(r, "Attempts");
	struct json_object *a;
	const char *state;

	put_reconnect(p, r);
	if (n == 0) {
		line(p, "...");
		return;
	}
	a = json_element(r, "Attempts", n - 1);
	state = json_text(a, "State");
	line(p, "Attempt #%zu", n);
	if (n > 1)
		put_earlier_attempts(p, r, n - 1);
	line(p, "Status: %s", state);
	put_times(p, a);
	if (strcmp(state, "planning-error") == 0) {
		line(p, "Problem: %s", json_text(json_member(a, "PlanError"), "Err"));
		return;
	}
	if (strcmp(state, "planning") == 0)
		return;
	if (strcmp(state, "filesystem-error") == 0)
		line(p, "Problem: one or more of the filesystems encountered errors");
	if (strcmp(state, "fan-out-filesystems") == 0)
		put_progress(p, a);
	put_filesystems(p, a);
}

/* ---- pruning ---- */

static void put_pruned_fs(struct page *p, struct json_object *fs, bool completed)
{
	const char *name = json_text(fs, "Filesystem");
	const char *skip = json_text(fs, "SkipReason");
	const char *error = json_text(fs, "LastError");
	size_t n = json_length(fs, "SnapshotList");
	size_t d = json_length(fs, "DestroyList");

	if (*skip)
		line(p, "%s  skipped: %s", name, skip);
	else if (*error)
		line(p, "%s  ERROR: %s", name, error);
	else
		line(p, "%s  %s  (destroy %zu of %zu snapshots)", name,
		     completed ? "Completed" : "Pending  ", d, n);
}

static uint64_t sum_destroys(struct json_object *r, const char *list)
{
	uint64_t n = 0;

	for (size_t i = 0; i < json_length(r, list); i++)
		n += json_length(json_element(r, list, i), "DestroyList");
	return n;
}

/* Both lists are sorted; shown as one. */
static void put_pruned_filesystems(struct page *p, struct json_object *r)
{
	size_t np = json_length(r, "Pending"), nc = json_length(r, "Completed");

	for (size_t i = 0, j = 0; i < np || j < nc;) {
		struct json_object *a = i < np ? json_element(r, "Pending", i) : NULL;
		struct json_object *b = j < nc ? json_element(r, "Completed", j) : NULL;
		bool completed = !a || (b && strcmp(json_text(b, "Filesystem"),
						    json_text(a, "Filesystem")) < 0);

		put_pruned_fs(p, completed ? b : a, completed);
		*(completed ? &j : &i) += 1;
	}
}

static void put_pruner(struct page *p, struct json_object *r)
{
	const char *state = json_text(r, "State");

	if (!r) {
		line(p, "...");
		return;
	}
	line(p, "Status: %s", state);
	if (*json_text(r, "Error"))
		line(p, "Error: %s", json_text(r, "Error"));
	if (strcmp(state, "Plan") == 0 || strcmp(state, "PlanErr") == 0)
		return;
	if (json_length(r, "Pending") + json_length(r, "Completed") == 0) {
		line(p, "nothing to do");
		return;
	}
	if (strcmp(state, "Exec") == 0) {
		uint64_t done = sum_destroys(r, "Completed");
		uint64_t total = done + sum_destroys(r, "Pending");
		cleanup(buf_free) struct buf b = { 0 };

		put_bar(&b, done, total, PRUNE_BAR);
		line(p, "Progress: %s %" PRIu64 "/%" PRIu64 " snapshots", b.p, done,
		     total);
	}
	put_pruned_filesystems(p, r);
}

/* ---- snapshotting ---- */

struct word {
	uint64_t value;
	const char *name;
};

static const char *word_of(const struct word *words, size_t n, uint64_t value)
{
	for (size_t i = 0; i < n; i++)
		if (words[i].value == value)
			return words[i].name;
	return "?";
}

static void put_snapped_fs(struct page *p, struct json_object *fs)
{
	static const struct word states[] = { { 1, "SnapPending" },
					      { 2, "SnapStarted" },
					      { 4, "SnapDone" },
					      { 8, "SnapError" } };
	struct timespec start = json_time(fs, "StartAt"), done = json_time(fs, "DoneAt");
	cleanup(str_freep) char *took = text_between(start, is_set(done) ? done : p->now);

	line(p, "%s %s %s snap name: \"%s\"", json_text(fs, "Path"),
	     word_of(states, ARRAY_LEN(states), json_number(fs, "State")),
	     is_set(start) ? took : "", json_text(fs, "SnapName"));
}

static void put_periodic(struct page *p, struct json_object *r)
{
	static const struct word states[] = {
		{ 1, "SyncUp" },       { 2, "SyncUpErrWait" }, { 4, "Planning" },
		{ 8, "Snapshotting" }, { 16, "Waiting" },      { 32, "ErrorWait" },
		{ 64, "Stopped" },
	};
	struct timespec until = json_time(r, "SleepUntil");

	line(p, "Status: %s",
	     word_of(states, ARRAY_LEN(states), json_number(r, "State")));
	if (*json_text(r, "Error"))
		line(p, "Error: %s", json_text(r, "Error"));
	if (is_set(until)) {
		cleanup(str_freep) char *when = text_of_time(p, until);
		cleanup(str_freep) char *left = text_between(p->now, until);

		line(p, "Sleep until: %s (%s remaining)", when, left);
	}
	for (size_t i = 0; i < json_length(r, "Progress"); i++)
		put_snapped_fs(p, json_element(r, "Progress", i));
}

static void put_snapper(struct page *p, struct json_object *r)
{
	struct json_object *periodic = json_member(r, "Periodic");

	if (!r) {
		line(p, "<no details available>");
		return;
	}
	line(p, "Type: %s", json_text(r, "Type"));
	if (periodic)
		put_periodic(p, periodic);
	else
		line(p, "<no details available>");
}

/* ---- jobs ---- */

typedef void put_fn(struct page *p, struct json_object *part);

static void section(struct page *p, const char *title, put_fn *put,
		    struct json_object *part)
{
	line(p, "%s:", title);
	p->depth++;
	put(p, part);
	p->depth--;
}

void dump_job(struct buf *out, const char *name, struct json_object *job,
	      struct timespec now, const struct tzif *zone)
{
	struct page p = { .out = out, .now = now, .zone = zone };
	const char *type = json_text(job, "type");
	struct json_object *s = json_member(job, type);

	line(&p, "Job: %s", name);
	line(&p, "Type: %s", type);
	line(&p, "%s", "");
	if (strcmp(type, "push") == 0 || strcmp(type, "pull") == 0) {
		section(&p, "Replication", put_replication,
			json_member(s, "Replication"));
		section(&p, "Pruning Sender", put_pruner,
			json_member(s, "PruningSender"));
		section(&p, "Pruning Receiver", put_pruner,
			json_member(s, "PruningReceiver"));
		if (strcmp(type, "push") == 0)
			section(&p, "Snapshotting", put_snapper,
				json_member(s, "Snapshotting"));
	} else if (strcmp(type, "snap") == 0) {
		section(&p, "Pruning snapshots", put_pruner, json_member(s, "Pruning"));
		section(&p, "Snapshotting", put_snapper, json_member(s, "Snapshotting"));
	} else if (strcmp(type, "source") == 0) {
		section(&p, "Snapshotting", put_snapper, json_member(s, "Snapper"));
	} else {
		line(&p, "No status representation for job type '%s', dumping as YAML",
		     type);
		line(&p, "%s", "");
		if (strcmp(type, "sink") == 0)
			line(&p, "snapper: null");
	}
}
