#include "conf/checks.h"

#include <time.h>

enum { N_SAMPLES = 2 };

/* An arbitrary second, and one that a rule about days or months may ask for. */
static const time_t sample_times[N_SAMPLES] = { 1715721383, 1704067200 };

/* Names that nobody but a person gives, in two spellings: who keeps one of them has
 * thought of it. */
struct probe {
	const char *name, *alike;
};

static const struct probe probes[] = {
	{ "manual-1", "manual_1" },
	{ "before-upgrade", "before_upgrade" },
	{ "keep-this", "keep_this" },
	{ "x", "x" },
};

/* What all lists are asked about. */
struct asked {
	const struct probe *probe;
	/* Timestamps as the last job has them, which most have, and reading a layout
	 * takes its time. */
	const struct conf_snapshotting *like;
	char *stamp[N_SAMPLES];
	char **taken; /* a name that each job gives; NULL: it takes no snapshots */
	const struct meetings *meetings;
	bool *met; /* the jobs that the one at hand may meet */
};

/* One rule list of a job. */
struct list {
	const struct conf_job *job;
	const char *key;
	const struct conf_keeps *keeps;
};

/* What becomes of a snapshot. */
struct fate {
	const struct conf_keep *for_good; /* the first rule that keeps it, whatever is */
	const struct conf_keep *limited;  /* the first that keeps it for a while */
};

/* What cannot be evaluated keeps the snapshot. */
static bool matches(const struct conf_keep *k, const char *name)
{
	cleanup(err_clear) struct err unused = ERR_INIT;

	return !k->regex || regex_matches(k->regex, name, &unused) != 0;
}

static struct fate fate_of(const struct conf_keeps *keeps, const char *name)
{
	struct fate f = { 0 };

	for (size_t i = 0; i < keeps->n; i++) {
		const struct conf_keep *k = &keeps->v[i];

		switch (k->type) {
		case KEEP_NOT_REPLICATED:
			break;
		case KEEP_REGEX:
			if (!f.for_good && matches(k, name) != k->negate)
				f.for_good = k;
			break;
		case KEEP_LAST_N:
		case KEEP_GRID:
			if (!f.limited && matches(k, name))
				f.limited = k;
			break;
		}
	}
	return f;
}

static bool has_not_replicated(const struct conf_keeps *keeps)
{
	for (size_t i = 0; i < keeps->n; i++)
		if (keeps->v[i].type == KEEP_NOT_REPLICATED)
			return true;
	return false;
}

/* The pattern of a last_n or grid that follows rule i, or NULL. */
static const char *next_pattern(const struct conf_keeps *keeps, size_t *i)
{
	for (; *i < keeps->n; ++*i) {
		const struct conf_keep *k = &keeps->v[*i];

		if ((k->type == KEEP_LAST_N || k->type == KEEP_GRID) && k->regex)
			return regex_pattern(keeps->v[(*i)++].regex);
	}
	return NULL;
}

/* "^a_" nor "^b_", each once; the caller frees.  NULL: there are none. */
static char *patterns(const struct conf_keeps *keeps)
{
	cleanup(strs_free) struct strs l = { 0 };
	const char *p;

	for (size_t i = 0; (p = next_pattern(keeps, &i));) {
		cleanup(str_freep) char *quoted = xasprintf("\"%s\"", p);

		if (!strs_has(&l, quoted))
			strs_add(&l, quoted);
	}
	return l.n > 0 ? strs_join(&l, " nor ") : NULL;
}

/* ---- snapshots of the job itself ---- */

/* Returns whether there was something to say. */
static bool warn_of_loss(struct checks *c, const struct list *l, const char *sample)
{
	cleanup(str_freep) char *p = patterns(l->keeps);
	bool until_replicated = has_not_replicated(l->keeps);

	if (until_replicated && !p)
		return false; /* as they probably mean it */
	checks_warn(c, l->job, l->key,
		    "the snapshots of this job, such as \"%s\", %s%s%s and will be "
		    "destroyed %s; want a rule whose regex matches them",
		    sample, p ? "do not match " : "match no rule", p ? p : "",
		    p ? "," : "",
		    until_replicated ? "once they are replicated" : "at once");
	return true;
}

static void stamp_like(struct asked *a, const struct conf_snapshotting *s)
{
	if (a->like && strcmp(a->like->timestamp_format, s->timestamp_format) == 0 &&
	    strcmp(a->like->timestamp_location, s->timestamp_location) == 0)
		return;
	a->like = s;
	for (size_t i = 0; i < N_SAMPLES; i++) {
		struct timespec t = { .tv_sec = sample_times[i] };
		cleanup(str_freep) char *name = snapname_at(s->name, t);

		free(a->stamp[i]);
		a->stamp[i] = xstrdup(name + strlen(s->prefix));
	}
}

static bool check_own(struct checks *c, const struct list *l, struct asked *a)
{
	struct fate f[N_SAMPLES];
	char *name[N_SAMPLES];
	bool said = false;

	stamp_like(a, &l->job->snapshotting);
	for (size_t i = 0; i < N_SAMPLES; i++) {
		name[i] = xasprintf("%s%s", l->job->snapshotting.prefix, a->stamp[i]);
		f[i] = fate_of(l->keeps, name[i]);
	}
	if (!f[0].for_good && !f[0].limited && !f[1].for_good && !f[1].limited) {
		said = warn_of_loss(c, l, name[0]);
	} else if (f[0].for_good && f[1].for_good && f[0].limited && f[1].limited) {
		checks_warn(c, l->job, l->key,
			    "\"%s\" keeps the snapshots of this job, such as \"%s\", for "
			    "ever, so that \"%s\" is without effect",
			    f[0].for_good->text, name[0], f[0].limited->text);
		said = true;
	}
	for (size_t i = 0; i < N_SAMPLES; i++)
		free(name[i]);
	return said;
}

/* ---- snapshots that no job took ---- */

static bool begins_with(const char *text, const char *prefix)
{
	return strncmp(text, prefix, strlen(prefix)) == 0;
}

static bool is_taken(const struct checks *c, const char *name)
{
	for (size_t i = 0; i < c->n; i++) {
		const struct conf_job *j = &c->jobs[i];

		if (checks_takes_snapshots(j) &&
		    begins_with(name, j->snapshotting.prefix))
			return true;
	}
	return false;
}

/* In YAML's single quotes. */
static void put_quoted(struct buf *out, const char *text)
{
	buf_put(out, "'", 1);
	for (; *text; text++)
		buf_printf(out, *text == '\'' ? "''" : "%c", *text);
	buf_put(out, "'", 1);
}

/* "^zrepl_" */
static void put_prefix(struct buf *out, const struct conf_job *j)
{
	buf_put(out, "^", 1);
	for (const char *p = j->snapshotting.prefix; *p; p++)
		buf_printf(out, *p == '.' ? "\\%c" : "%c", *p);
}

/* A regex that matches the snapshots of this list's jobs; "" if none is known. */
static struct buf own_regex(const struct list *l)
{
	struct buf b = { 0 };
	size_t first = 0;
	const char *p;

	if (!checks_takes_snapshots(l->job)) {
		p = next_pattern(l->keeps, &first);
		if (p)
			buf_put(&b, p, strlen(p));
		return b;
	}
	put_prefix(&b, l->job);
	return b;
}

static struct buf remedy(const struct list *l)
{
	cleanup(buf_free) struct buf regex = own_regex(l);
	struct buf b = { 0 };

	if (!regex.len) {
		buf_printf(&b, "a rule of type regex that matches them");
		return b;
	}
	buf_printf(&b, "{type: regex, negate: true, regex: ");
	put_quoted(&b, buf_str(&regex));
	buf_printf(&b, "}");
	return b;
}

static void check_foreign(struct checks *c, const struct list *l,
			  const struct probe *probe)
{
	struct fate f = fate_of(l->keeps, probe->name);

	if (f.for_good || fate_of(l->keeps, probe->alike).for_good)
		return;
	cleanup(buf_free) struct buf add = remedy(l);
	cleanup(str_freep) char *p = f.limited ? NULL : patterns(l->keeps);
	const char *when = f.limited                      ? " when they get old"
			   : has_not_replicated(l->keeps) ? " once they are replicated"
							  : "";

	checks_warn(
		c, l->job, l->key,
		"snapshots that no job took, such as \"%s\",%s%s%s will be destroyed%s; "
		"to keep them add %s",
		probe->name, p ? " do not match " : "", p ? p : "", p ? ", and" : "",
		when, buf_str(&add));
}

/* ---- snapshots of other jobs ---- */

/* Does it help them all to keep what is not of this job?  Not those that are named like
 * this job's, and a bit longer. */
static bool is_negation_enough(const struct conf_job *j, const struct conf_job *other)
{
	return !begins_with(other->snapshotting.prefix, j->snapshotting.prefix);
}

static struct buf remedy_for(const struct list *l, const struct conf_job *other)
{
	cleanup(buf_free) struct buf regex = { 0 };
	struct buf b = { 0 };

	if (is_negation_enough(l->job, other))
		return remedy(l);
	put_prefix(&regex, other);
	buf_printf(&b, "{type: regex, regex: ");
	put_quoted(&b, buf_str(&regex));
	buf_printf(&b, "}");
	return b;
}

static void warn_of_other(struct checks *c, const struct list *l,
			  const struct conf_job *other, const char *name, bool limited,
			  const char *example)
{
	cleanup(buf_free) struct buf add = remedy_for(l, other);
	const char *fate = limited                        ? "thinned out"
			   : has_not_replicated(l->keeps) ? "destroyed once they are "
							    "replicated"
							  : "destroyed";

	checks_warn(
		c, l->job, l->key,
		"snapshots of job \"%s\" in \"%s\", such as \"%s\", will be %s by the "
		"rules of this job; to keep them add %s",
		other->name, example, name, fate, buf_str(&add));
}

/* Returns whether a remedy was told that helps what no job took, too. */
static bool check_others(struct checks *c, const struct list *l, const struct asked *a)
{
	const char *prefix = l->job->snapshotting.prefix;
	const char *last = NULL; /* whose fate is known */
	struct fate f = { 0 };
	bool said = false;

	meetings_of(a->meetings, l->job, a->met);
	for (size_t i = 0; i < c->n && !problems_are_full(c->s->warnings); i++) {
		const struct conf_job *o = &c->jobs[i];
		cleanup(str_freep) char *example = NULL;

		/* of the same prefix they are refused */
		if (!a->met[i] || strcmp(o->snapshotting.prefix, prefix) == 0 ||
		    checks_is_copy(o, l->job))
			continue;
		if (!last || strcmp(last, a->taken[i]) != 0)
			f = fate_of(l->keeps, a->taken[i]);
		last = a->taken[i];
		if (f.for_good ||
		    !dsfilter_overlap(&l->job->filesystems, &o->filesystems, &example))
			continue;
		warn_of_other(c, l, o, a->taken[i], f.limited != NULL, example);
		said |= is_negation_enough(l->job, o);
	}
	return said;
}

static void find_taken(struct asked *a, const struct checks *c)
{
	a->taken = xcalloc(c->n + 1, sizeof(*a->taken));
	for (size_t i = 0; i < c->n; i++) {
		const struct conf_snapshotting *s = &c->jobs[i].snapshotting;

		if (!checks_takes_snapshots(&c->jobs[i]))
			continue;
		stamp_like(a, s);
		a->taken[i] = xasprintf("%s%s", s->prefix, a->stamp[0]);
	}
}

/* ---- all of them ---- */

static void check_list(struct checks *c, struct asked *a, const struct conf_job *j,
		       const char *key, const struct conf_keeps *keeps)
{
	struct list l = { j, key, keeps };
	bool is_told = false;

	if (keeps->n == 0)
		return;
	if (checks_takes_snapshots(j)) {
		is_told = check_own(c, &l, a);
		if (keeps != &j->keep_receiver && check_others(c, &l, a))
			is_told = true;
	}
	if (!is_told)
		check_foreign(c, &l, a->probe);
}

void checks_keeps(struct checks *c, const struct meetings *m)
{
	struct asked a = { .meetings = m, .met = xcalloc(c->n + 1, sizeof(bool)) };
	size_t probe = 0;

	while (probe + 1 < ARRAY_LEN(probes) && is_taken(c, probes[probe].name))
		probe++;
	a.probe = &probes[probe];
	find_taken(&a, c);
	for (size_t i = 0; i < c->n; i++) {
		const struct conf_job *j = &c->jobs[i];

		check_list(c, &a, j, "pruning.keep_sender", &j->keep_sender);
		check_list(c, &a, j, "pruning.keep_receiver", &j->keep_receiver);
		check_list(c, &a, j, "pruning.keep", &j->keep);
	}
	for (size_t i = 0; i < N_SAMPLES; i++)
		free(a.stamp[i]);
	for (size_t i = 0; i < c->n; i++)
		free(a.taken[i]);
	free(a.taken);
	free(a.met);
}
