#include "zfs/cmd.h"
#include "zfs/names.h"
#include "zfs/output.h"
#include "zfs/pipes.h"
#include "zfs/stream.h"

#include <errno.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <unistd.h>

enum {
	OUTPUT_MAX = 1024 * 1024, /* of an estimate */
	END_MS = 10000,           /* between the end of its stream and of a zfs send */
};

static void add_flags(struct strs *argv, const struct conf_send *f)
{
	const struct {
		bool is_set;
		const char *flag;
	} flags[] = {
		{ f->encrypted || f->raw, "-w" },
		{ f->send_properties, "-p" },
		{ f->backup_properties, "-b" },
		{ f->large_blocks, "-L" },
		{ f->compressed, "-c" },
		{ f->embedded_data, "-e" },
		{ f->saved, "-S" },
	};

	for (size_t i = 0; i < ARRAY_LEN(flags); i++)
		if (flags[i].is_set)
			strs_add(argv, flags[i].flag);
}

/* What is sent: flags and names, or the token. */
static int add_args(struct strs *argv, const struct zfs_send_args *a, struct err *err)
{
	cleanup(str_freep) char *from = NULL, *to = NULL;

	if (a->token) {
		if (zfs_check_token(a->token, err) < 0)
			return -1;
		strs_add(argv, "-t");
		strs_add(argv, a->token);
		return 0;
	}
	if (asprintf(&to, "%s%s", a->fs, a->to) < 0 ||
	    asprintf(&from, "%s%s", a->fs, a->from ? a->from : "") < 0)
		abort();
	if (zfs_check_version(to, '@', err) < 0 ||
	    (a->from && zfs_check_version(from, a->from[0] == '#' ? '#' : '@', err) < 0))
		return -1;
	add_flags(argv, a->flags);
	if (a->from) {
		strs_add(argv, "-i");
		strs_add(argv, from);
	}
	strs_add(argv, to);
	return 0;
}

int zfs_send_estimate(struct ctx *ctx, struct zfs *z, const struct zfs_send_args *a,
		      uint64_t *bytes, struct err *err)
{
	cleanup(strs_free) struct strs argv = { 0 };
	cleanup(zfs_exit_free) struct zfs_exit x = { 0 };
	cleanup(buf_free) struct buf said = { .max = OUTPUT_MAX };
	uint64_t threshold = z->env->size_estimate_incorrect_threshold;

	if (!a->token && a->from && a->from[0] == '#') {
		*bytes = 0;
		return 0;
	}
	strs_add(&argv, "zfs");
	strs_add(&argv, "send");
	strs_add(&argv, "-n");
	strs_add(&argv, "-v");
	strs_add(&argv, "-P");
	if (add_args(&argv, a, err) < 0)
		return err_wrap(err, "estimate");
	if (zfs_run_text(ctx, z, strs_argv(&argv), &said, &x.status, err) < 0)
		return -1;
	if (x.status != 0) {
		buf_put(&x.text, buf_str(&said), said.len);
		return zfs_exit_err(strs_argv(&argv), &x, err);
	}
	if (out_estimate(buf_view(&said), bytes, err) < 0)
		return err_wrap(err, "zfs send -n");
	if (threshold > 0 && *bytes >= threshold) /* OpenZFS prints absurd ones */
		*bytes = 0;
	return 0;
}

struct zfs_send {
	struct strs argv;
	struct zfs_child child;
	struct zfs_tail tail;
	int fd;
};

static void send_free(struct zfs_send *s)
{
	if (!s)
		return;
	fd_closep(&s->fd);
	strs_free(&s->argv);
	free(s);
}

DEFINE_CLEANUP(send_free, struct zfs_send *);

struct zfs_send *zfs_send_start(struct zfs *z, const struct zfs_send_args *a,
				struct err *err)
{
	cleanup(send_freep) struct zfs_send *s = xcalloc(1, sizeof(*s));
	cleanup(fd_closep) int out = -1, errfd = -1;

	s->fd = -1;
	strs_add(&s->argv, "zfs");
	strs_add(&s->argv, "send");
	if (add_args(&s->argv, a, err) < 0) {
		err_wrap(err, "send");
		return NULL;
	}
	if (zfs_pipe(ZFS_WE_READ, zfs_pipe_bytes(z, z->env->send_pipe_bytes), &s->fd,
		     &out, err) < 0 ||
	    zfs_tail_start(&s->tail, (size_t)z->env->send_stderr_max, &errfd, err) < 0)
		return NULL;
	if (zfs_child_start(&s->child, z, strs_argv(&s->argv),
			    (const int[]){ -1, out, errfd }, err) < 0) {
		free(zfs_tail_stop(&s->tail));
		return NULL;
	}
	return TAKE(s);
}

int zfs_send_fd(const struct zfs_send *s)
{
	return s->fd;
}

/* Has it closed its end, and have we read everything? */
static bool is_at_end(int fd)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };
	int unread = 0;

	return poll(&p, 1, 0) > 0 && (p.revents & POLLHUP) &&
	       ioctl(fd, FIONREAD, &unread) == 0 && unread == 0;
}

int zfs_send_finish(struct zfs_send *s, struct err *err)
{
	cleanup(ctx_freep) struct ctx *now = ctx_new(NULL);
	cleanup(err_clear) struct err why = ERR_INIT;
	cleanup(str_freep) char *said = NULL;
	bool has_ended = proc_ended(&s->child.proc, is_at_end(s->fd) ? END_MS : 0);
	int r;

	fd_closep(&s->fd); /* first: see stream.h */
	if (has_ended) {
		r = zfs_child_wait(&s->child, now, &why);
	} else {
		zfs_child_stop(&s->child);
		r = err_set(&why, ERR_CANCELLED, "ended before it had sent everything");
	}
	said = zfs_tail_stop(&s->tail);
	if (r < 0) {
		zfs_cmd_err(strs_argv(&s->argv), view_of(said), &why);
		err_move(err, &why);
	}
	send_free(s);
	return r < 0 ? -1 : 0;
}
