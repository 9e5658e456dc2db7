#include "conf/checks.h"

#include <string.h>

static void refuse(struct checks *c, const struct conf_job *j, const struct conf_job *o,
		   const char *example)
{
	checks_refuse(
		c, j, "snapshotting.prefix",
		"job \"%s\" at %s:%u takes snapshots \"%s...\" of the same datasets, "
		"such as \"%s\"; want another prefix, or one job that takes them and "
		"type manual in the other",
		o->name, o->file, o->line, o->snapshotting.prefix, example);
}

/* Returns whether j was refused because of o. */
static bool check_pair(struct checks *c, const struct conf_job *j,
		       const struct conf_job *o)
{
	cleanup(str_freep) char *example = NULL;

	if (strcmp(j->snapshotting.prefix, o->snapshotting.prefix) != 0 ||
	    checks_is_copy(j, o) ||
	    !dsfilter_overlap(&j->filesystems, &o->filesystems, &example))
		return false;
	refuse(c, j, o, example);
	return true;
}

void checks_prefixes(struct checks *c, const struct meetings *m)
{
	bool *met = xcalloc(c->n + 1, sizeof(*met));

	for (size_t i = 0; i < c->n; i++) {
		const struct conf_job *j = &c->jobs[i];

		if (!checks_takes_snapshots(j))
			continue;
		meetings_of(m, j, met);
		for (size_t k = 0; k < i; k++)
			if (met[k] && check_pair(c, j, &c->jobs[k]))
				break;
	}
	free(met);
}
