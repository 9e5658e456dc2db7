/*
 * place.h - where in the tree of datasets the jobs of a configuration receive.
 *
 * A pull job receives below its root_fs, a sink below ROOT_FS/IDENTITY for each client
 * it may have.  The clients of a local listener are the jobs that connect to it; while
 * there are none, it may be any.
 *
 * Places are sorted: by root_fs, those below a dataset following it without others in
 * between; then what is not one dataset before what is.  All text is borrowed.
 */
#ifndef CONF_PLACE_H
#define CONF_PLACE_H

#include "conf/config.h"
#include "conf/identity.h"

struct place {
	const struct conf_job *job;
	bool is_root; /* root_fs itself: a pull job */
	struct identity identity;
};

struct places {
	struct place *v;
	size_t n, cap;
};

/* A root_fs that is too long for a dataset has no places. */
void places_find(struct places *p, const struct conf_job *jobs, size_t n);
void places_free(struct places *p);

/* Is it known which dataset a client has there? */
bool place_is_one_dataset(const struct place *p);
/* "backup/laptop", "backup/lan-*", for people; the caller frees. */
char *place_text(const struct place *p) must_check;
/* The dataset that everything received here is below; the caller frees. */
char *place_dataset(const struct place *p) must_check;

/* Of those whose root_fs is `root`: the first one, which is not one dataset if there is
 * such; the first that is the dataset root/name.  Or where it would be. */
size_t places_at(const struct places *p, struct view root);
size_t places_exact(const struct places *p, struct view root, struct view name);
/* The first one after `from`, whose root_fs is at or below `dataset`, where it is not. */
size_t places_after(const struct places *p, size_t from, struct view dataset);

/* Paths by components: "a", "a/b", "a-b". */
int path_compare(struct view a, struct view b);
/* The next '/' at or after `at`, or the end. */
size_t path_component_end(struct view path, size_t at);

#endif
