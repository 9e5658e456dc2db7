#include "conf/checks.h"

#include "base/vec.h"
#include "codec/dsname.h"

#include <stdlib.h>

/* ---- what is received must not be taken for one's own ---- */

static bool reaches(const struct dsfilter *f, const struct place *p)
{
	cleanup(str_freep) char *dataset = place_dataset(p);

	return dsfilter_reaches_below(f, dataset, NULL);
}

enum { FEW = 4, MAX_LEVELS = 4 };

/* Places from i on that need not be asked for one by one, since the filter reaches
 * nothing of the dataset that has them all.  Returns the first after those. */
static size_t skip_unreached(const struct places *p, size_t i, const struct dsfilter *f)
{
	struct view root = view_of(p->v[i].job->root_fs);
	size_t end = 0;

	for (int level = 0; level < MAX_LEVELS && end < root.len; level++) {
		struct view dataset = { root.p, path_component_end(root, end) };
		size_t after = places_after(p, i, dataset);

		if (after - i <= FEW)
			break;
		cleanup(str_freep) char *text =
			xasprintf("%.*s", (int)dataset.len, dataset.p);
		if (!dsfilter_reaches_below(f, text, NULL))
			return after;
		end = dataset.len + 1;
	}
	return i;
}

static const struct place *first_reached(const struct places *p, const struct dsfilter *f)
{
	for (size_t i = 0; i < p->n;) {
		size_t next = skip_unreached(p, i, f);

		if (next == i && reaches(f, &p->v[i]))
			return &p->v[i];
		i = next == i ? i + 1 : next;
	}
	return NULL;
}

static const struct conf_job *find_listener(const struct checks *c, enum job_type type,
					    const struct conf_connect *to)
{
	for (size_t i = 0; i < c->n; i++) {
		const struct conf_job *j = &c->jobs[i];

		if (j->type == type && conf_job_serves(j, to))
			return j;
	}
	return NULL;
}

/* What is sent arrives where it is sent from, and is sent again, without end. */
static bool check_push_into_itself(struct checks *c, const struct conf_job *j)
{
	const struct conf_job *sink;
	struct place p = { .identity = { .kind = IDENTITY_EXACT } };

	if (j->type != JOB_PUSH || j->connect.type != CONNECT_LOCAL)
		return false;
	sink = find_listener(c, JOB_SINK, &j->connect);
	if (!sink)
		return false;
	p.job = sink;
	p.identity.text = j->connect.client_identity;
	if (!reaches(&j->filesystems, &p))
		return false;
	cleanup(str_freep) char *dataset = place_dataset(&p);

	checks_refuse(
		c, j, "filesystems",
		"\"%s\" is where job \"%s\" puts what this job sends, so that every copy "
		"would be copied again; exclude it with \"%s<\": false",
		dataset, sink->name, dataset);
	return true;
}

static void check_pull_from_itself(struct checks *c, const struct conf_job *j)
{
	const struct conf_job *source;

	if (j->type != JOB_PULL || j->connect.type != CONNECT_LOCAL)
		return;
	source = find_listener(c, JOB_SOURCE, &j->connect);
	if (source && dsfilter_reaches_below(&source->filesystems, j->root_fs, NULL))
		checks_refuse(
			c, j, "root_fs",
			"\"%s\" is among the filesystems of job \"%s\", from which this "
			"job receives, so that every copy would be copied again; "
			"exclude it there with \"%s<\": false",
			j->root_fs, source->name, j->root_fs);
}

/* Chained replication, and pruning of what is received, are meant like that: whoever
 * takes no snapshots may send them on. */
static void check_received(struct checks *c, const struct conf_job *j,
			   const struct places *places)
{
	const struct place *p;

	if (j->type == JOB_SINK || j->type == JOB_PULL ||
	    (j->type != JOB_SNAP && !checks_takes_snapshots(j)))
		return;
	p = first_reached(places, &j->filesystems);
	if (!p)
		return;
	cleanup(str_freep) char *dataset = place_dataset(p);

	if (checks_takes_snapshots(j))
		checks_refuse(
			c, j, "filesystems",
			"job \"%s\" at %s:%u receives below \"%s\", and where snapshots "
			"are taken nothing more can be received; exclude it with "
			"\"%s<\": false, or want snapshotting of type manual",
			p->job->name, p->job->file, p->job->line, dataset, dataset);
	else
		checks_warn(c, j, "filesystems",
			    "job \"%s\" receives below \"%s\", and needs the last "
			    "snapshot it received; the rules of this job may destroy it, "
			    "unless excluded with \"%s<\": false",
			    p->job->name, dataset, dataset);
}

void checks_filesystems(struct checks *c, const struct places *p)
{
	for (size_t i = 0; i < c->n; i++) {
		const struct conf_job *j = &c->jobs[i];

		check_pull_from_itself(c, j);
		if (!check_push_into_itself(c, j))
			check_received(c, j, p);
	}
}
