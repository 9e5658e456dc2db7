#include "zfs/cmd.h"

#include "base/parse.h"
#include "base/vec.h"
#include "zfs/output.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
	READ_CHUNK = 64 * 1024,
	SHOWN_COMMAND = 300, /* bytes of a command in messages */
	SHOWN_TEXT = 4096,   /* and of what it said */
};

extern char **environ;

/* ---- struct zfs ---- */

static int read_pipe_max(void)
{
	cleanup(fd_closep) int fd =
		open("/proc/sys/fs/pipe-max-size", O_RDONLY | O_CLOEXEC);
	cleanup(err_clear) struct err ignored = ERR_INIT;
	char text[32];
	ssize_t n = fd < 0 ? 0 : read(fd, text, sizeof(text));
	uint64_t max = 0;

	if (n <= 0 ||
	    parse_u64(view_trim((struct view){ text, (size_t)n }), &max, &ignored) < 0)
		return 1024 * 1024;
	return max > INT32_MAX ? INT32_MAX : (int)max;
}

struct zfs *zfs_new(const struct env *env, const struct log *log)
{
	struct zfs *z = xcalloc(1, sizeof(*z));

	z->env = env;
	z->log = log_with_subsystem(log, "zfs.cmd");
	z->pipe_max = read_pipe_max();
	z->base = z;
	pthread_mutex_init(&z->lock, NULL);
	for (char **e = environ; e && *e; e++)
		if (strncmp(*e, "LC_ALL=", 7) != 0)
			strs_add(&z->environ, *e);
	strs_add(&z->environ, "LC_ALL=C");
	strs_argv(&z->environ); /* so that threads only read */
	return z;
}

struct zfs *zfs_for(struct zfs *of, const struct log *log)
{
	struct zfs *z;

	if (!of)
		return NULL;
	z = xcalloc(1, sizeof(*z));
	z->env = of->env;
	z->log = log_with_subsystem(log, "zfs.cmd");
	z->meters = of->meters;
	z->pipe_max = of->pipe_max;
	z->base = of->base;
	return z;
}

/* Those that were stuck in the kernel may have come back and died. */
static void reap_undead_locked(struct zfs *z)
{
	for (size_t i = 0; i < z->undead.n;) {
		if (waitpid(z->undead.v[i], NULL, WNOHANG) == 0)
			i++;
		else
			z->undead.v[i] = z->undead.v[--z->undead.n];
	}
}

void zfs_free(struct zfs *z)
{
	if (!z)
		return;
	if (z->base != z) {
		free(z);
		return;
	}
	assert(!z->active);
	reap_undead_locked(z);
	free(z->undead.v);
	for (size_t i = 0; i < z->pools.n; i++)
		free(z->pools.v[i].name);
	free(z->pools.v);
	strs_free(&z->environ);
	pthread_mutex_destroy(&z->lock);
	free(z);
}

uint64_t zfs_process_count(const struct zfs *z)
{
	return atomic_load(&z->base->started);
}

void zfs_each_active(struct zfs *z, zfs_active_fn *fn, void *arg)
{
	pthread_mutex_lock(&z->base->lock);
	for (struct zfs_child *c = z->base->active; c; c = c->next)
		fn(arg, c->argv, c->started);
	pthread_mutex_unlock(&z->base->lock);
}

int64_t zfs_pipe_bytes(const struct zfs *z, int64_t from_env)
{
	return from_env > 0 ? from_env : z->pipe_max;
}

/* ---- messages ---- */

static char *show_command(const char *const *argv)
{
	struct buf b = { 0 };

	for (size_t i = 0; argv[i] && b.len <= SHOWN_COMMAND; i++)
		buf_printf(&b, "%s%.*s", i ? " " : "", SHOWN_COMMAND + 1, argv[i]);
	if (b.len > SHOWN_COMMAND) {
		b.len = SHOWN_COMMAND;
		buf_put(&b, "...", 3);
	}
	return buf_take(&b);
}

int zfs_cmd_err(const char *const *argv, struct view said, struct err *err)
{
	cleanup(str_freep) char *shown = show_command(argv);

	said = out_without_usage(said);
	if (said.len > SHOWN_TEXT) {
		said.p += said.len - SHOWN_TEXT;
		said.len = SHOWN_TEXT;
	}
	if (said.len > 0)
		err_detail(err, "%.*s", (int)said.len, said.p);
	return err_wrap(err, "%s", shown);
}

int zfs_exit_err_as(const char *const *argv, const struct zfs_exit *x, enum err_kind kind,
		    struct err *err)
{
	err_set(err, kind, "exited with status %d", x->status);
	err->sys = x->status;
	return zfs_cmd_err(argv, buf_view(&x->text), err);
}

int zfs_exit_err(const char *const *argv, const struct zfs_exit *x, struct err *err)
{
	return zfs_exit_err_as(argv, x, out_failure_kind(buf_view(&x->text)), err);
}

/* ---- children ---- */

static void activate(struct zfs_child *c)
{
	struct zfs *z = c->z->base;

	atomic_fetch_add(&z->started, 1);
	pthread_mutex_lock(&z->lock);
	reap_undead_locked(z);
	c->prev = NULL;
	c->next = z->active;
	if (c->next)
		c->next->prev = c;
	z->active = c;
	pthread_mutex_unlock(&z->lock);
}

static void deactivate(struct zfs_child *c)
{
	struct zfs *z = c->z->base;

	pthread_mutex_lock(&z->lock);
	if (c->prev)
		c->prev->next = c->next;
	else
		z->active = c->next;
	if (c->next)
		c->next->prev = c->prev;
	pthread_mutex_unlock(&z->lock);
}

static void log_command(struct zfs *z, const char *const *argv, const char *msg)
{
	cleanup(str_freep) char *shown = NULL;

	if (!z->log.write)
		return;
	shown = show_command(argv);
	log_at(&z->log, LOG_DEBUG, LOG_FIELDS({ "cmd", shown }), "%s", msg);
}

int zfs_child_start(struct zfs_child *c, struct zfs *z, const char *const *argv,
		    const int fds[3], struct err *err)
{
	struct proc_opts o = {
		.argv = argv,
		.envp = (const char *const *)z->base->environ.v,
		.in = fds[0],
		.out = fds[1],
		.errfd = fds[2],
	};

	*c = (struct zfs_child){ .z = z, .argv = argv };
	clock_gettime(CLOCK_REALTIME, &c->started);
	c->started_us = now_in_us();
	log_command(z, argv, "start command");
	if (proc_start(&c->proc, &o, err) < 0)
		return -1;
	activate(c);
	return 0;
}

static void note_undead(struct zfs_child *c)
{
	pthread_mutex_lock(&c->z->base->lock);
	VEC_PUSH(&c->z->base->undead, c->proc.pid);
	pthread_mutex_unlock(&c->z->base->lock);
	log_warn(&c->z->log, "process %d (%s) cannot be killed", (int)c->proc.pid,
		 c->argv[0]);
}

void zfs_child_stop(struct zfs_child *c)
{
	deactivate(c);
	if (!proc_stop(&c->proc, ZFS_GRACE_MS))
		note_undead(c);
	zfs_meter_child(c);
}

int zfs_child_wait(struct zfs_child *c, struct ctx *ctx, struct err *err)
{
	cleanup(err_clear) struct err why = ERR_INIT;
	struct pollfd ended = { .fd = c->proc.pidfd, .events = POLLIN };
	int r;

	if (ctx_poll(ctx, &ended, 1, -1, &why) < 0 && !proc_ended(&c->proc, 0)) {
		zfs_child_stop(c);
		err_move(err, &why);
		return -1;
	}
	deactivate(c);
	r = proc_wait(&c->proc, ctx, ZFS_GRACE_MS, err);
	zfs_meter_child(c);
	return r;
}

/* ---- run to the end ---- */

struct reading {
	const struct zfs_cmd *cmd;
	struct buf *text; /* takes stderr */
	struct buf line;  /* the beginning of a line */
	size_t scanned;   /* of line: no newline in there */
};

static int take_line(const struct reading *rd, struct view line, struct err *err)
{
	if (rd->cmd->line)
		return rd->cmd->line(rd->cmd->arg, line, err);
	if (line.len == 0)
		return 0;
	return err_set(err, ERR_PROTOCOL, "printed \"%.*s\" where nothing was expected",
		       (int)(line.len < SHOWN_COMMAND ? line.len : SHOWN_COMMAND),
		       line.p);
}

/* Hands out the complete lines. */
static int take_lines(struct reading *rd, struct err *err)
{
	size_t start = 0;
	const char *nl;

	while ((nl = memchr(rd->line.p + rd->scanned, '\n',
			    rd->line.len - rd->scanned)) != NULL) {
		size_t end = (size_t)(nl - rd->line.p);
		struct view line = { rd->line.p + start, end - start };

		if (take_line(rd, line, err) < 0)
			return -1;
		start = rd->scanned = end + 1;
	}
	buf_drop(&rd->line, start);
	rd->scanned = rd->line.len;
	if (rd->line.len > ZFS_LINE_MAX)
		return err_set(err, ERR_PROTOCOL, "printed a line of more than %d bytes",
			       ZFS_LINE_MAX);
	return 0;
}

/* Returns 1: there may be more; 0: end of file. */
static int read_chunk(int fd, struct buf *to, struct err *err)
{
	ssize_t n = read(fd, buf_reserve(to, READ_CHUNK), READ_CHUNK);

	if (n < 0)
		return errno == EINTR ? 1 : err_sys(err, errno, "read");
	buf_added(to, (size_t)n);
	return n > 0;
}

static int read_out(struct reading *rd, int fd, struct err *err)
{
	int r = read_chunk(fd, &rd->line, err);

	if (r > 0)
		return take_lines(rd, err) < 0 ? -1 : 1;
	if (r == 0 && rd->line.len > 0)
		return take_line(rd, buf_view(&rd->line), err);
	return r;
}

static int read_text(struct reading *rd, int fd, struct err *err)
{
	int r = read_chunk(fd, rd->text, err);

	if (rd->text->len > ZFS_STDERR_MAX)
		buf_drop(rd->text, rd->text->len - ZFS_STDERR_MAX);
	return r;
}

/* Until the child has ended and the pipes are at their end, or at least empty. */
static int follow(struct ctx *ctx, struct zfs_child *c, struct reading *rd,
		  const int fds[2], struct err *err)
{
	int64_t silence = c->z->env->zfs_command_ms;
	struct pollfd p[3] = {
		{ .fd = fds[0], .events = POLLIN },
		{ .fd = fds[1], .events = POLLIN },
		{ .fd = c->proc.pidfd, .events = POLLIN },
	};
	int r;

	while (p[0].fd >= 0 || p[1].fd >= 0 || p[2].fd >= 0) {
		r = ctx_poll(ctx, p, 3,
			     p[2].fd < 0   ? 0
			     : silence > 0 ? silence
					   : -1,
			     err);
		if (r < 0)
			return -1;
		if (r == 0 && p[2].fd < 0)
			break; /* a descendant keeps the pipes open */
		if (r == 0)
			return err_set(err, ERR_CHILD, "silent for %lld ms: given up",
				       (long long)silence);
		if (p[0].fd >= 0 && p[0].revents) {
			if ((r = read_out(rd, p[0].fd, err)) < 0)
				return -1;
			if (r == 0)
				p[0].fd = -1;
		}
		if (p[1].fd >= 0 && p[1].revents) {
			if ((r = read_text(rd, p[1].fd, err)) < 0)
				return -1;
			if (r == 0)
				p[1].fd = -1;
		}
		if (p[2].fd >= 0 && p[2].revents)
			p[2].fd = -1;
	}
	return 0;
}

static int make_pipe(int *r, int *w, struct err *err)
{
	int fds[2];

	if (pipe2(fds, O_CLOEXEC) < 0)
		return err_sys(err, errno, "pipe");
	*r = fds[0];
	*w = fds[1];
	return 0;
}

static int run(struct ctx *ctx, struct zfs *z, const struct zfs_cmd *cmd,
	       struct zfs_exit *x, struct err *err)
{
	cleanup(fd_closep) int out_r = -1, out_w = -1, err_r = -1, err_w = -1;
	cleanup(err_clear) struct err status = ERR_INIT;
	struct reading rd = {
		.cmd = cmd,
		.text = &x->text,
		.line = { .max = ZFS_LINE_MAX + 2 * READ_CHUNK },
	};
	struct zfs_child c;
	int r;

	x->text.max = ZFS_STDERR_MAX + 2 * READ_CHUNK;
	if (make_pipe(&out_r, &out_w, err) < 0 ||
	    (!cmd->merge && make_pipe(&err_r, &err_w, err) < 0))
		return -1;
	const int fds[3] = { -1, out_w, cmd->merge ? out_w : err_w };

	if (zfs_child_start(&c, z, cmd->argv, fds, err) < 0)
		return -1;
	fd_closep(&out_w);
	fd_closep(&err_w);
	r = follow(ctx, &c, &rd, (int[]){ out_r, err_r }, err);
	buf_free(&rd.line);
	fd_closep(&out_r);
	fd_closep(&err_r);
	if (r < 0) {
		zfs_child_stop(&c);
		return -1;
	}
	if (zfs_child_wait(&c, ctx, &status) < 0 && !c.proc.exited) {
		err_move(err, &status);
		return -1;
	}
	x->status = c.proc.status;
	return 0;
}

int zfs_run(struct ctx *ctx, struct zfs *z, const struct zfs_cmd *cmd, struct zfs_exit *x,
	    struct err *err)
{
	*x = (struct zfs_exit){ 0 };
	if (run(ctx, z, cmd, x, err) == 0)
		return 0;
	if (!err_is(err, ERR_SYSTEM)) /* which names the command */
		zfs_cmd_err(cmd->argv, buf_view(&x->text), err);
	zfs_exit_free(x);
	return -1;
}

void zfs_exit_free(struct zfs_exit *x)
{
	buf_free(&x->text);
}

int zfs_run_simple(struct ctx *ctx, struct zfs *z, const char *const *argv,
		   struct err *err)
{
	cleanup(zfs_exit_free) struct zfs_exit x = { 0 };

	if (zfs_run(ctx, z, &(struct zfs_cmd){ .argv = argv }, &x, err) < 0)
		return -1;
	return x.status == 0 ? 0 : zfs_exit_err(argv, &x, err);
}

static int keep_line(void *arg, struct view line, struct err *err)
{
	struct buf *out = arg;

	if (buf_room(out) <= line.len)
		return err_set(err, ERR_PROTOCOL, "printed more than %zu bytes",
			       out->len);
	buf_put(out, line.p, line.len);
	buf_put(out, "\n", 1);
	return 0;
}

int zfs_run_text(struct ctx *ctx, struct zfs *z, const char *const *argv, struct buf *out,
		 int *status, struct err *err)
{
	cleanup(zfs_exit_free) struct zfs_exit x = { 0 };
	struct zfs_cmd cmd = {
		.argv = argv,
		.line = keep_line,
		.arg = out,
		.merge = true,
	};

	if (zfs_run(ctx, z, &cmd, &x, err) < 0)
		return -1;
	*status = x.status;
	return 0;
}
