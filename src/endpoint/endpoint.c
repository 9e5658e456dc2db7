#include "endpoint/endpoint.h"

#include <errno.h>
#include <unistd.h>

enum { PEEK_CHUNK = 64 * 1024 };

void ep_close(struct endpoint *e)
{
	if (e)
		e->ops->close(e);
}

/* ---- streams ---- */

static int peek_fd(struct ctx *ctx, int fd, const struct pump_opts *o, struct buf *into,
		   bool *at_end, struct err *err)
{
	*at_end = false;
	while (!*at_end && buf_room(into) > 0) {
		size_t room = buf_room(into);
		size_t chunk = room < PEEK_CHUNK ? room : PEEK_CHUNK;
		ssize_t n;

		if (pump_poll(ctx, fd, POLLIN, o, err) < 0)
			return -1;
		n = read(fd, buf_reserve(into, chunk), chunk);
		if (n < 0 && errno != EAGAIN && errno != EINTR)
			return err_sys(err, errno, "read stream");
		*at_end = n == 0;
		if (n > 0) {
			buf_added(into, (size_t)n);
			pump_count(o, (size_t)n, now_in_us());
		}
	}
	return 0;
}

static struct pump_opts own_limit(const struct ep_stream *s, const struct pump_opts *o)
{
	struct pump_opts own = *o;

	own.limits[0] = s->limit;
	return own;
}

int stream_peek(struct ctx *ctx, struct ep_stream *s, const struct pump_opts *o,
		struct buf *into, bool *at_end, struct err *err)
{
	struct pump_opts own = own_limit(s, o);

	if (s->ops->peek) {
		if (s->ops->peek(ctx, s, into, at_end, err) < 0)
			return -1;
		pump_count(&own, into->len, now_in_us());
		return 0;
	}
	if (peek_fd(ctx, s->fd, &own, into, at_end, err) < 0)
		return -1;
	return *at_end ? stream_result(s, err) : 0;
}

int stream_pump(struct ctx *ctx, struct ep_stream *s, int to, const struct pump_opts *o,
		enum pump_end *end, struct err *err)
{
	struct pump_opts own = own_limit(s, o);

	if (s->ops->pump)
		return s->ops->pump(ctx, s, to, &own, end, err);
	return pump(ctx, s->fd, to, &own, end, err);
}

int stream_result(struct ep_stream *s, struct err *err)
{
	return s->ops->result(s, err);
}

int stream_finish(struct ep_stream *s, struct err *err)
{
	return s->ops->finish(s, err);
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
