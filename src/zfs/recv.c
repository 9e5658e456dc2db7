#include "base/parse.h"
#include "base/vec.h"
#include "codec/dsname.h"
#include "zfs/cmd.h"
#include "zfs/names.h"
#include "zfs/output.h"
#include "zfs/pipes.h"
#include "zfs/stream.h"

#include <stdio.h>
#include <string.h>

enum {
	STDERR_KEEP = 32 * 1024,
	/* What a receive has for saving its state when it is not to go on. */
	LEAVE_MS = 2000,
	RECHECK_MS = 30000, /* compat: zrepl 0.7 */
	OUTPUT_MAX = 1024 * 1024,
};

struct zfs_recv {
	struct zfs *z;
	struct strs argv;
	struct zfs_child child;
	struct zfs_tail tail;
	int fd;
};

static void recv_free(struct zfs_recv *r)
{
	if (!r)
		return;
	fd_closep(&r->fd);
	strs_free(&r->argv);
	free(r);
}

DEFINE_CLEANUP(recv_free, struct zfs_recv *);

static int add_props(struct strs *argv, const struct conf_recv *props, struct err *err)
{
	for (size_t i = 0; i < props->n_inherit; i++) {
		if (dsname_check_property(props->inherit[i], err) < 0)
			return -1;
		strs_add(argv, "-x");
		strs_add(argv, props->inherit[i]);
	}
	for (size_t i = 0; i < props->n_override; i++) {
		if (dsname_check_property(props->override[i].name, err) < 0)
			return -1;
		strs_add(argv, "-o");
		strs_addf(argv, "%s=%s", props->override[i].name,
			  props->override[i].value);
	}
	return 0;
}

static int add_args(struct strs *argv, const struct zfs_recv_args *a, struct err *err)
{
	cleanup(str_freep) char *full = NULL;

	if (asprintf(&full, "%s@%s", a->fs, a->snap) < 0)
		abort();
	if (zfs_check_version(full, '@', err) < 0)
		return -1;
	strs_add(argv, "zfs");
	strs_add(argv, "recv");
	if (a->force)
		strs_add(argv, "-F");
	if (a->resumable)
		strs_add(argv, "-s");
	if (a->props && add_props(argv, a->props, err) < 0)
		return -1;
	strs_add(argv, full);
	return 0;
}

struct zfs_recv *zfs_recv_start(struct zfs *z, const struct zfs_recv_args *a,
				struct err *err)
{
	cleanup(recv_freep) struct zfs_recv *r = xcalloc(1, sizeof(*r));
	cleanup(fd_closep) int in = -1, errfd = -1;

	r->z = z;
	r->fd = -1;
	if (add_args(&r->argv, a, err) < 0) {
		err_wrap(err, "receive");
		return NULL;
	}
	if (zfs_pipe(ZFS_WE_WRITE, zfs_pipe_bytes(z, z->env->recv_pipe_bytes), &r->fd,
		     &in, err) < 0 ||
	    zfs_tail_start(&r->tail, STDERR_KEEP, &errfd, err) < 0)
		return NULL;
	if (zfs_child_start(&r->child, z, strs_argv(&r->argv),
			    (const int[]){ in, -1, errfd }, err) < 0) {
		free(zfs_tail_stop(&r->tail));
		return NULL;
	}
	return TAKE(r);
}

int zfs_recv_fd(const struct zfs_recv *r)
{
	return r->fd;
}

/* Until it has ended, or has to be ended: *cause says why. */
static void wait_for_end(struct zfs_recv *r, struct ctx *ctx, bool complete,
			 struct err *cause)
{
	struct pollfd ended = { .fd = r->child.proc.pidfd, .events = POLLIN };
	int64_t stall_ms = r->z->env->stream_stall_ms;

	if (!complete)
		err_set(cause, ERR_CANCELLED, "its stream was cut off");
	else if (ctx_poll(ctx, &ended, 1, stall_ms > 0 ? stall_ms : -1, cause) == 0)
		err_set(cause, ERR_CHILD, "not done %lld ms after the end of its stream",
			(long long)stall_ms);
}

static enum zfs_recv_failure failure(const char *said)
{
	switch (out_recv_failure(view_of(said))) {
	case OUT_RECV_STATE_SAVED:
		return ZFS_RECV_STATE_SAVED;
	case OUT_RECV_ENCRYPTION_REFUSED:
		return ZFS_RECV_ENCRYPTION_REFUSED;
	case OUT_RECV_STREAM_ENDED:
		return ZFS_RECV_STREAM_ENDED;
	case OUT_RECV_OTHER:
		break;
	}
	return ZFS_RECV_FAILED;
}

int zfs_recv_finish(struct zfs_recv *r, struct ctx *ctx, bool complete,
		    enum zfs_recv_failure *why, struct err *err)
{
	cleanup(ctx_freep) struct ctx *now = ctx_new(NULL);
	cleanup(err_clear) struct err cause = ERR_INIT, own = ERR_INIT;
	cleanup(str_freep) char *said = NULL;
	bool is_done = false;

	fd_closep(&r->fd); /* the end of its input */
	wait_for_end(r, ctx, complete, &cause);
	if (proc_ended(&r->child.proc, err_is(&cause, ERR_NONE) ? 0 : LEAVE_MS))
		is_done = zfs_child_wait(&r->child, now, &own) == 0 && complete;
	else
		zfs_child_stop(&r->child);
	said = zfs_tail_stop(&r->tail);
	if (!is_done) {
		/* What it says of itself is closer to the point. */
		err_move(err, err_is(&own, ERR_NONE) ? &cause : &own);
		zfs_cmd_err(strs_argv(&r->argv), view_of(said), err);
		*why = failure(said);
	}
	recv_free(r);
	return is_done ? 0 : -1;
}

int zfs_recv_abort(struct ctx *ctx, struct zfs *z, const char *fs, struct err *err)
{
	cleanup(zfs_exit_free) struct zfs_exit x = { 0 };
	const char *argv[] = { "zfs", "recv", "-A", fs, NULL };
	struct view said, line, name;

	if (zfs_check_dataset(fs, err) < 0)
		return err_wrap(err, "abort receive");
	if (zfs_run(ctx, z, &(struct zfs_cmd){ .argv = argv }, &x, err) < 0)
		return -1;
	said = buf_view(&x.text);
	line = parse_field(&said, '\n');
	if (x.status == 0 || out_has_no_resume_state(line, fs))
		return 0;
	/* A partial receive of a new dataset is the dataset: it may be gone with it. */
	if (out_is_missing(line, &name) && view_eq(name, view_of(fs)))
		return 0;
	return zfs_exit_err(argv, &x, err);
}

/* ---- can the pool save the state of a receive? ---- */

/* true: known, *yes is set. */
static bool recall(struct zfs *z, struct view pool, bool *yes)
{
	bool is_known = false;

	pthread_mutex_lock(&z->base->lock);
	for (size_t i = 0; i < z->base->pools.n; i++) {
		struct zfs_pool *p = &z->base->pools.v[i];

		if (!view_eq(pool, view_of(p->name)))
			continue;
		*yes = p->can_resume;
		is_known = p->can_resume || now_ms() - p->asked_ms < RECHECK_MS;
	}
	pthread_mutex_unlock(&z->base->lock);
	return is_known;
}

static void remember(struct zfs *z, struct view pool, bool yes)
{
	struct zfs_pool *p = NULL;

	pthread_mutex_lock(&z->base->lock);
	for (size_t i = 0; i < z->base->pools.n; i++)
		if (view_eq(pool, view_of(z->base->pools.v[i].name)))
			p = &z->base->pools.v[i];
	if (!p) {
		VEC_PUSH(&z->base->pools, ((struct zfs_pool){ .name = view_dup(pool) }));
		p = &z->base->pools.v[z->base->pools.n - 1];
	}
	p->can_resume = yes;
	p->asked_ms = now_ms();
	pthread_mutex_unlock(&z->base->lock);
}

int zfs_recv_can_resume(struct ctx *ctx, struct zfs *z, const char *fs, bool *yes,
			struct err *err)
{
	struct view pool = { fs, strcspn(fs, "/") }, value;
	cleanup(zfs_exit_free) struct zfs_exit x = { 0 };
	cleanup(buf_free) struct buf said = { .max = OUTPUT_MAX };
	cleanup(str_freep) char *name = view_dup(pool);
	const char *argv[] = {
		"zpool", "get", "-H", "-p", "-o", "value", "feature@extensible_dataset",
		name,    NULL
	};

	if (zfs_check_dataset(fs, err) < 0)
		return -1;
	if (recall(z, pool, yes))
		return 0;
	if (zfs_run_text(ctx, z, argv, &said, &x.status, err) < 0)
		return -1;
	if (x.status != 0) {
		buf_put(&x.text, buf_str(&said), said.len);
		return zfs_exit_err(argv, &x, err);
	}
	value = view_trim(buf_view(&said));
	*yes = view_eq(value, VIEW("active")) || view_eq(value, VIEW("enabled"));
	remember(z, pool, *yes);
	return 0;
}

/* ---- resume tokens ---- */

int zfs_decode_token(struct ctx *ctx, struct zfs *z, const char *token,
		     struct resume_token *out, struct err *err)
{
	cleanup(buf_free) struct buf said = { .max = OUTPUT_MAX };
	const char *argv[] = { "zfs", "send", "-nvt", token, NULL };
	int ignored; /* the datasets may be those of another host */

	if (zfs_check_token(token, err) < 0 ||
	    zfs_run_text(ctx, z, argv, &said, &ignored, err) < 0)
		return err_wrap(err, "decode resume token");
	return resume_token_parse(buf_view(&said), out, err);
}
