#include "endpoint/endpoint.h"

void ep_close(struct endpoint *e)
{
	if (e)
		e->ops->close(e);
}

int stream_finish(struct ep_stream *s, struct err *err)
{
	return s->finish(s, err);
}

/* ---- questions ---- */

int ep_list_filesystems(struct ctx *ctx, struct endpoint *e, struct ep_filesystems *out,
			struct err *err)
{
	if (e->ops->list_filesystems(ctx, e, out, err) < 0)
		return err_wrap(err, "list filesystems of the %s", e->label);
	return 0;
}

static int check_count(const struct endpoint *e, const char *what, size_t got,
		       size_t asked, struct err *err)
{
	if (got == asked)
		return 0;
	return err_set(err, ERR_PROTOCOL,
		       "list %s: the %s answers about %zu filesystems of %zu", what,
		       e->label, got, asked);
}

int ep_list_versions(struct ctx *ctx, struct endpoint *e, const struct strs *paths,
		     struct ep_version_lists *out, struct err *err)
{
	if (e->ops->list_versions(ctx, e, paths, out, err) < 0)
		return err_wrap(err, "list versions of the %s", e->label);
	if (check_count(e, "versions", out->n, paths->n, err) < 0)
		return -1;
	for (size_t i = 0; i < out->n; i++)
		versions_sort(&out->v[i].versions);
	return 0;
}

int ep_list_cursors(struct ctx *ctx, struct endpoint *e, const struct strs *paths,
		    struct ep_cursors *out, struct err *err)
{
	if (e->ops->cursors(ctx, e, paths, out, err) < 0)
		return err_wrap(err, "list replication cursors of the %s", e->label);
	return check_count(e, "replication cursors", out->n, paths->n, err);
}

/* ---- answers ---- */

void ep_filesystems_free(struct ep_filesystems *l)
{
	for (size_t i = 0; i < l->n; i++) {
		free(l->v[i].path);
		free(l->v[i].resume_token);
	}
	free(l->v);
	*l = (struct ep_filesystems){ 0 };
}

void ep_version_lists_free(struct ep_version_lists *l)
{
	for (size_t i = 0; i < l->n; i++) {
		free(l->v[i].path);
		err_clear(&l->v[i].err);
		versions_free(&l->v[i].versions);
	}
	free(l->v);
	*l = (struct ep_version_lists){ 0 };
}

void ep_cursors_free(struct ep_cursors *l)
{
	for (size_t i = 0; i < l->n; i++) {
		free(l->v[i].path);
		err_clear(&l->v[i].err);
	}
	free(l->v);
	*l = (struct ep_cursors){ 0 };
}

void ep_destroy_results_free(struct ep_destroy_results *l)
{
	for (size_t i = 0; i < l->n; i++)
		err_clear(&l->v[i]);
	free(l->v);
	*l = (struct ep_destroy_results){ 0 };
}
