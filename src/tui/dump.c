#include "tui/dump.h"

#include "tui/dump_replication.h"
#include "tui/json_read.h"

#include <inttypes.h>

enum { PRUNE_BAR = 80 };

/* The longest text of that name among the elements of a list. */
static int widest(struct json_object *o, const char *list, const char *key)
{
	int width = 0;

	for (size_t i = 0; i < json_length(o, list); i++) {
		int len = (int)strlen(json_text(json_element(o, list, i), key));

		width = len > width ? len : width;
	}
	return width;
}

/* ---- pruning ---- */

static void put_pruned_fs(struct page *p, struct json_object *fs, bool completed,
			  int width)
{
	const char *name = json_text(fs, "Filesystem");
	const char *skip = json_text(fs, "SkipReason");
	const char *error = json_text(fs, "LastError");
	size_t n = json_length(fs, "SnapshotList");
	size_t d = json_length(fs, "DestroyList");

	if (*skip)
		page_line(p, "%-*s skipped: %s", width, name, skip);
	else if (*error)
		page_line(p, "%-*s ERROR: %s", width, name, error);
	else
		page_line(p, "%-*s %s  (destroy %zu of %zu snapshots)", width, name,
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
	int wp = widest(r, "Pending", "Filesystem");
	int wc = widest(r, "Completed", "Filesystem");

	for (size_t i = 0, j = 0; i < np || j < nc;) {
		struct json_object *a = i < np ? json_element(r, "Pending", i) : NULL;
		struct json_object *b = j < nc ? json_element(r, "Completed", j) : NULL;
		bool completed =
			i == np || (j < nc && strcmp(json_text(b, "Filesystem"),
						     json_text(a, "Filesystem")) < 0);

		put_pruned_fs(p, completed ? b : a, completed, wp > wc ? wp : wc);
		*(completed ? &j : &i) += 1;
	}
}

static void put_pruner(struct page *p, struct json_object *r)
{
	const char *state = json_text(r, "State");

	if (!r) {
		page_line(p, "...");
		return;
	}
	page_line(p, "Status: %s", state);
	if (*json_text(r, "Error"))
		page_line(p, "Error: %s", json_text(r, "Error"));
	if (strcmp(state, "Plan") == 0 || strcmp(state, "PlanErr") == 0)
		return;
	if (json_length(r, "Pending") + json_length(r, "Completed") == 0) {
		page_line(p, "nothing to do");
		return;
	}
	if (strcmp(state, "Exec") == 0) {
		uint64_t done = sum_destroys(r, "Completed");
		uint64_t total = done + sum_destroys(r, "Pending");
		cleanup(buf_free) struct buf b = { 0 };

		page_bar(&b, done, total, PRUNE_BAR);
		page_line(p, "Progress: %s %" PRIu64 "/%" PRIu64 " snapshots", b.p, done,
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

enum { SNAP_STARTED = 2 };

static void put_snapped_fs(struct page *p, struct json_object *fs, int width)
{
	static const struct word states[] = { { 1, "SnapPending" },
					      { SNAP_STARTED, "SnapStarted" },
					      { 4, "SnapDone" },
					      { 8, "SnapError" } };
	struct timespec start = json_time(fs, "StartAt"), done = json_time(fs, "DoneAt");
	cleanup(str_freep) char *took =
		page_between(start, page_is_set(done) ? done : p->now);

	page_line(p, "%-*s %-11s %s snap name: \"%s\"", width, json_text(fs, "Path"),
		  word_of(states, ARRAY_LEN(states), json_number(fs, "State")),
		  page_is_set(start) ? took : "...", json_text(fs, "SnapName"));
	/* which one failed, or keeps us waiting */
	bool are_running =
		json_number(fs, "State") == SNAP_STARTED && *json_text(fs, "Hooks");

	if (json_flag(fs, "HooksHadError") || are_running) {
		p->depth++;
		page_text(p, json_text(fs, "Hooks"));
		p->depth--;
	}
}

static void put_snapped_filesystems(struct page *p, struct json_object *r)
{
	int width = widest(r, "Progress", "Path");

	for (size_t i = 0; i < json_length(r, "Progress"); i++)
		put_snapped_fs(p, json_element(r, "Progress", i), width);
}

static void put_sleep(struct page *p, struct timespec until)
{
	cleanup(str_freep) char *when = page_time(p, until);
	cleanup(str_freep) char *left = page_between(p->now, until);

	if (page_is_set(until))
		page_line(p, "Sleep until: %s (%s remaining)", when, left);
}

static void put_periodic(struct page *p, struct json_object *r)
{
	static const struct word states[] = {
		{ 1, "SyncUp" },       { 2, "SyncUpErrWait" }, { 4, "Planning" },
		{ 8, "Snapshotting" }, { 16, "Waiting" },      { 32, "ErrorWait" },
		{ 64, "Stopped" },
	};

	page_line(p, "Status: %s",
		  word_of(states, ARRAY_LEN(states), json_number(r, "State")));
	if (*json_text(r, "Error"))
		page_line(p, "Error: %s", json_text(r, "Error"));
	put_sleep(p, json_time(r, "SleepUntil"));
	put_snapped_filesystems(p, r);
}

/* Of daemons that have it. */
static void put_cron(struct page *p, struct json_object *r)
{
	const char *state = json_text(r, "State");
	struct timespec wakeup = json_time(r, "WakeupTime");

	page_line(p, "State: %s", state);
	if (strcmp(state, "running") == 0) {
		cleanup(str_freep) char *when = page_time(p, wakeup);
		cleanup(str_freep) char *took = page_between(wakeup, p->now);

		page_line(p, "Started: %s (lasting %s)", when, took);
	} else {
		put_sleep(p, wakeup);
	}
	for (size_t i = 0; i < json_length(r, "Errors"); i++)
		page_line(p, "Error: %s", json_element_text(r, "Errors", i));
	put_snapped_filesystems(p, r);
}

static void put_snapper(struct page *p, struct json_object *r)
{
	const char *type = json_text(r, "Type");

	if (!r) {
		page_line(p, "...");
		return;
	}
	page_line(p, "Type: %s", type);
	if (strcmp(type, "periodic") == 0)
		put_periodic(p, json_member(r, "Periodic"));
	else if (strcmp(type, "cron") == 0)
		put_cron(p, json_member(r, "Cron"));
	else
		page_line(p, "<no details available>");
}

/* ---- listening ---- */

/* Null with the local transport, and missing where daemons do not have it. */
static void put_listener(struct page *p, struct json_object *r)
{
	const char *address = json_text(r, "Address"), *error = json_text(r, "Error");

	if (*address)
		page_line(p, "Address: %s", address);
	if (*error)
		page_line(p, "Error: %s", error);
	if (!*address && !*error)
		page_line(p, "...");
	page_line(p, "Connections: %" PRIu64 " (%" PRIu64 " not yet admitted)",
		  json_number(r, "Open"), json_number(r, "HalfOpen"));
}

/* ---- jobs ---- */

typedef void put_fn(struct page *p, struct json_object *part);

static void section(struct page *p, const char *title, put_fn *put,
		    struct json_object *part)
{
	page_line(p, "%s:", title);
	p->depth++;
	put(p, part);
	p->depth--;
}

static void listener_section(struct page *p, struct json_object *job)
{
	struct json_object *l = json_member(job, "Listener");

	if (l)
		section(p, "Listener", put_listener, l);
}

void dump_job(struct buf *out, const char *name, struct json_object *job,
	      struct timespec now, const struct tzif *zone)
{
	struct page p = { .out = out, .now = now, .zone = zone };
	const char *type = json_text(job, "type");
	struct json_object *s = json_member(job, type);

	page_line(&p, "Job: %s", name);
	page_line(&p, "Type: %s", type);
	page_line(&p, "%s", "");
	if (strcmp(type, "push") == 0 || strcmp(type, "pull") == 0) {
		section(&p, "Replication", dump_replication,
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
		listener_section(&p, s);
	} else if (strcmp(type, "sink") == 0) {
		page_line(&p, "No status representation for job type 'sink', dumping as "
			      "YAML");
		page_line(&p, "%s", "");
		page_line(&p, "snapper: null");
		listener_section(&p, s);
	} else {
		page_line(&p, "No status representation for job type '%s'", type);
	}
}
