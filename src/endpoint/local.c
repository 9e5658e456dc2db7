#include "endpoint/local.h"

#include "base/vec.h"

#include <assert.h>
#include <inttypes.h>

static const struct local *local_of(const struct endpoint *e)
{
	return CONTAINER_OF(e, struct local, ep);
}

static struct err not_found(const char *path)
{
	struct err e = ERR_INIT;

	err_set(&e, ERR_NOT_FOUND, "filesystem %s does not exist", path);
	return e;
}

int local_list_kinds(struct ctx *ctx, const struct local *l, const struct strs *paths,
		     unsigned kinds, struct ep_version_lists *out, struct err *err)
{
	cleanup(zfs_version_lists_free) struct zfs_version_lists found = { 0 };
	cleanup(strs_free) struct strs names = { 0 };
	size_t n = 0;

	for (size_t i = 0; i < paths->n; i++) {
		struct ep_version_list e = { .path = xstrdup(paths->v[i]) };
		char *name = l->map(l, paths->v[i], &e.err);

		if (name)
			strs_take(&names, name);
		VEC_PUSH(out, e);
	}
	if (names.n > 0 && zfs_list_versions(ctx, l->zfs, &names, kinds, &found, err) < 0)
		return -1;
	/* found is about the paths that map() let pass, in their order. */
	for (size_t i = out->n - paths->n; i < out->n; i++) {
		struct ep_version_list *e = &out->v[i];
		struct zfs_version_list *f;

		if (e->err.kind != ERR_NONE)
			continue;
		assert(n < found.n);
		f = &found.v[n++];
		if (!f->exists)
			e->err = not_found(e->path);
		e->versions = f->versions;
		f->versions = (struct versions){ 0 };
	}
	return 0;
}

int local_list_versions(struct ctx *ctx, struct endpoint *e, const struct strs *paths,
			struct ep_version_lists *out, struct err *err)
{
	return local_list_kinds(ctx, local_of(e), paths, ZFS_SNAPSHOTS | ZFS_BOOKMARKS,
				out, err);
}

int local_destroy_snapshots(struct ctx *ctx, struct endpoint *e, const char *fs,
			    const struct strs *names, struct ep_destroy_results *out,
			    struct err *err)
{
	const struct local *l = local_of(e);
	cleanup(str_freep) char *name = l->map(l, fs, err);
	struct zfs_results done = { 0 };

	if (!name)
		return -1;
	if (names->n == 0)
		return 0;
	if (zfs_destroy_snapshots(ctx, l->zfs, name, names, &done, err) < 0) {
		zfs_results_free(&done);
		return -1;
	}
	for (size_t i = 0; i < done.n; i++) {
		struct err r = ERR_INIT;

		err_move(&r, &done.v[i]);
		VEC_PUSH(out, r);
	}
	zfs_results_free(&done);
	return 0;
}

int local_ping(struct ctx *ctx, struct endpoint *e, struct err *err)
{
	(void)e;
	return ctx_sleep(ctx, 0, err); /* fails if ctx is done */
}

int local_versions(struct ctx *ctx, const struct local *l, const char *fs, unsigned kinds,
		   struct versions *out, struct err *err)
{
	cleanup(zfs_version_lists_free) struct zfs_version_lists found = { 0 };
	cleanup(strs_free) struct strs names = { 0 };

	strs_add(&names, fs);
	if (zfs_list_versions(ctx, l->zfs, &names, kinds, &found, err) < 0)
		return -1;
	if (!found.v[0].exists)
		return err_set(err, ERR_NOT_FOUND, "filesystem %s does not exist", fs);
	*out = found.v[0].versions;
	found.v[0].versions = (struct versions){ 0 };
	return 0;
}

const struct version *local_find_version(const struct versions *l,
					 const struct version *want, struct err *err)
{
	const struct version *v = versions_find(l, want->type, want->name);
	char sigil = version_sigil(want);

	if (!v) {
		err_set(err, ERR_NOT_FOUND, "%c%s does not exist", sigil, want->name);
		return NULL;
	}
	if (v->guid != want->guid) {
		err_set(err, ERR_INVALID,
			"%c%s is another one: its guid is %" PRIu64
			", asked for was %" PRIu64,
			sigil, want->name, v->guid, want->guid);
		return NULL;
	}
	return v;
}

static bool is_protection(enum protection p)
{
	switch (p) {
	case PROTECTION_INVALID:
		return false;
	case PROTECTION_RESUMABILITY:
	case PROTECTION_INCREMENTAL:
	case PROTECTION_NOTHING:
		return true;
	}
	return false; /* a peer may send any number */
}

int local_check_protection(const struct ep_protection *p, struct err *err)
{
	if (is_protection(p->initial) && is_protection(p->incremental))
		return 0;
	return err_set(err, ERR_INVALID,
		       "request asks for unknown protection (initial %d, incremental %d)",
		       (int)p->initial, (int)p->incremental);
}

/* To be stopped is no failure of what we wanted to clean. */
static void log_failure(const struct local *l, struct err *err)
{
	enum log_level level = err_is(err, ERR_CANCELLED) ? LOG_INFO : LOG_WARN;

	log_at(&l->log, level, LOG_NO_FIELDS, "%s", err_msg(err));
}

int local_find_holds(struct ctx *ctx, const struct local *l, const char *tag,
		     const struct strs *snaps, struct strs *out, struct err *err)
{
	cleanup(zfs_holds_free) struct zfs_holds holds = { 0 };

	if (snaps->n == 0)
		return 0;
	if (zfs_list_holds(ctx, l->zfs, snaps, &holds, err) < 0)
		return -1;
	for (size_t i = 0; i < holds.n; i++)
		if (strcmp(holds.v[i].tag, tag) == 0)
			strs_add(out, holds.v[i].snapshot);
	return 0;
}

void local_release_holds(struct ctx *ctx, const struct local *l,
			 const struct local_release *r)
{
	cleanup(strs_free) struct strs ask = { 0 }, release = { 0 };
	cleanup(err_clear) struct err err = ERR_INIT;

	for (size_t i = 0; i < r->versions->n; i++) {
		const struct version *v = &r->versions->v[i];
		bool known;

		if (v->type != VERSION_SNAPSHOT || v->userrefs == 0 ||
		    strs_has(r->keep, v->name))
			continue;
		known = r->known && strs_has(r->known, v->name);
		strs_take(known ? &release : &ask, version_fullname(v, r->fs));
	}
	if (local_find_holds(ctx, l, r->tag, &ask, &release, &err) < 0) {
		err_wrap(&err, "look for old holds on %s", r->fs);
		log_failure(l, &err);
	}
	if (release.n > 0 && zfs_release(ctx, l->zfs, r->tag, &release, &err) < 0) {
		err_wrap(&err, "release old holds on %s", r->fs);
		log_failure(l, &err);
	}
}

void local_destroy_bookmarks(struct ctx *ctx, const struct local *l,
			     const struct strs *full)
{
	cleanup(err_clear) struct err err = ERR_INIT;

	if (full->n > 0 && zfs_destroy_bookmarks(ctx, l->zfs, full, &err) < 0) {
		err_wrap(&err, "destroy old bookmarks");
		log_failure(l, &err);
	}
}
