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

const struct ep_filesystem *ep_filesystems_find(const struct ep_filesystems *l,
						const char *path)
{
	for (size_t i = 0; i < l->n; i++)
		if (strcmp(l->v[i].path, path) == 0)
			return &l->v[i];
	return NULL;
}

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
