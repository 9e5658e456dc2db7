#include "net/ssh.h"

#include "base/parse.h"
#include "base/proc.h"
#include "base/strs.h"
#include "net/stdinserver.h"
#include "net/tail.h"
#include "net/wrapped.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <unistd.h>

enum { GRACE_MS = 1000 };

struct ssh {
	struct wrapped conn;
	struct proc child;
	struct err exit; /* how it has ended; ERR_NONE: with status 0 */
	struct tail *said;
	bool finished;
};

static struct ssh *of(struct conn *c)
{
	return CONTAINER_OF(c, struct ssh, conn.base);
}

/* ---- what it says ---- */

/* On one line, and nothing that a terminal could take for a command. */
static void show(struct buf *to, struct view text)
{
	for (size_t i = 0; i < text.len; i++) {
		const char *c = &text.p[i];

		if (*c == '\n')
			buf_put(to, "; ", 2);
		else if (*c != '\r')
			buf_put(to, *c < ' ' || *c > '~' ? "?" : c, 1);
	}
}

/* Adds it to the error; it has ended, or nobody wants to know more. */
static void add_stderr(struct ssh *s, struct err *err)
{
	struct view said = view_trim(tail_stop(s->said));
	cleanup(buf_free) struct buf shown = { 0 };

	show(&shown, said);
	if (shown.len > 0)
		(void)err_detail(err, "%s", buf_str(&shown));
}

/* ---- its end ---- */

/* Has it, or does it within that time?  If so it is reaped. */
static bool has_ended(struct ssh *s, int64_t within_ms)
{
	cleanup(ctx_freep) struct ctx *ctx = NULL;

	if (s->child.pidfd < 0)
		return true;
	if (!proc_ended(&s->child, within_ms))
		return false;
	ctx = ctx_new(NULL);
	(void)!proc_wait(&s->child, ctx, GRACE_MS, &s->exit);
	return true;
}

/* Why it has ended. */
static void set_exit(const struct ssh *s, enum err_kind kind, struct err *err)
{
	if (err_is(&s->exit, ERR_NONE)) {
		err_set(err, kind, "exited with status 0");
		return;
	}
	err_copy(err, &s->exit);
	err->kind = kind;
	if (kind != ERR_CHILD)
		err->sys = 0;
}

static enum conn_result lost(struct ssh *s, struct err *err)
{
	set_exit(s, ERR_NETWORK, err);
	add_stderr(s, err);
	return CONN_FAILED;
}

/*
 * Nothing more comes out of it.  Its status says whether the peer has closed (0, from its
 * proxy), or something broke; it is at hand a moment after the end of the output, so this
 * is worth waiting for.  One that goes on without output passes on the half-close of the
 * peer, which is nothing to count on: where the peer's proxy keeps its stdout open, as
 * zrepl 0.7's does and ours, output ends only when everything does.
 */
static enum conn_result at_end(struct ssh *s, struct err *err)
{
	if (has_ended(s, s->finished ? 0 : GRACE_MS) && !err_is(&s->exit, ERR_NONE))
		return lost(s, err);
	return CONN_END;
}

/* Nobody reads its input any more: the same the other way round. */
static enum conn_result not_taken(struct ssh *s, struct err *err)
{
	if (err_is(err, ERR_NETWORK) && has_ended(s, GRACE_MS))
		return lost(s, err);
	return CONN_FAILED;
}

static enum conn_result ssh_read(struct conn *c, void *p, size_t n, size_t *got,
				 struct err *err)
{
	enum conn_result r = wrapped_read(c, p, n, got, err);

	return r == CONN_END ? at_end(of(c), err) : r;
}

static enum conn_result ssh_splice(struct conn *c, int pipe, size_t n, size_t *got,
				   struct err *err)
{
	enum conn_result r = wrapped_splice(c, pipe, n, got, err);

	return r == CONN_END ? at_end(of(c), err) : r;
}

static enum conn_result ssh_write(struct conn *c, const struct iovec *iov, int n,
				  size_t *put, struct err *err)
{
	enum conn_result r = wrapped_write(c, iov, n, put, err);

	return r == CONN_FAILED ? not_taken(of(c), err) : r;
}

static enum conn_result ssh_splice_from(struct conn *c, int pipe, size_t n, size_t *put,
					struct err *err)
{
	enum conn_result r = wrapped_splice_from(c, pipe, n, put, err);

	return r == CONN_FAILED ? not_taken(of(c), err) : r;
}

static enum conn_result ssh_finish(struct conn *c, struct err *err)
{
	of(c)->finished = true;
	return wrapped_finish(c, err);
}

static void stop(struct ssh *s)
{
	conn_close(TAKE(s->conn.inner));
	if (s->child.pidfd >= 0)
		proc_stop(&s->child, GRACE_MS);
}

static void ssh_close(struct conn *c)
{
	struct ssh *s = of(c);

	stop(s);
	tail_free(s->said);
	err_clear(&s->exit);
}

static const struct conn_ops ssh_ops = {
	.read = ssh_read,
	.splice = ssh_splice,
	.write = ssh_write,
	.splice_from = ssh_splice_from,
	.finish = ssh_finish,
	.poll = wrapped_poll,
	.ready = wrapped_ready,
	.want = wrapped_want,
	.is_flushed = wrapped_is_flushed,
	.close = ssh_close,
};

/* ---- its beginning ---- */

static void make_argv(struct strs *argv, const struct conf_connect *conf)
{
	strs_add(argv,
		 conf->ssh_command && *conf->ssh_command ? conf->ssh_command : "ssh");
	strs_add(argv, "-p");
	strs_addf(argv, "%" PRId64, conf->ssh_port);
	strs_add(argv, "-T");
	strs_add(argv, "-i");
	strs_add(argv, conf->ssh_identity_file);
	strs_add(argv, "-o");
	strs_add(argv, "BatchMode=yes");
	for (size_t i = 0; i < conf->n_ssh_options; i++) {
		strs_add(argv, "-o");
		strs_add(argv, conf->ssh_options[i]);
	}
	strs_addf(argv, "%s@%s", conf->ssh_user, conf->ssh_host);
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

/* Of our end only: the child's is another open file. */
static int set_nonblocking(int fd, struct err *err)
{
	return fcntl(fd, F_SETFL, O_NONBLOCK) < 0 ? err_sys(err, errno, "pipe") : 0;
}

static struct ssh *start(const struct conf_connect *conf, struct err *err)
{
	/* Empty since ever: with our HOME and agent, ssh would find other keys and
	 * settings than those that installations were set up with. */
	static const char *const nothing[] = { NULL };
	cleanup(fd_closep) int in_r = -1, in_w = -1, out_r = -1, out_w = -1, err_r = -1,
			       err_w = -1;
	cleanup(str_freep) char *peer =
		xasprintf("ssh %s@%s", conf->ssh_user, conf->ssh_host);
	cleanup(tail_freep) struct tail *said = NULL;
	cleanup(strs_free) struct strs argv = { 0 };
	struct ssh *s;
	struct proc child;

	if (make_pipe(&in_r, &in_w, err) < 0 || make_pipe(&out_r, &out_w, err) < 0 ||
	    make_pipe(&err_r, &err_w, err) < 0 || set_nonblocking(in_w, err) < 0 ||
	    set_nonblocking(out_r, err) < 0 || !(said = tail_start(take_fd(&err_r), err)))
		return NULL;
	make_argv(&argv, conf);
	if (proc_start(&child,
		       &(struct proc_opts){ .argv = strs_argv(&argv),
					    .envp = nothing,
					    .in = in_r,
					    .out = out_w,
					    .errfd = err_w },
		       err) < 0)
		return NULL;
	s = xcalloc(1, sizeof(*s));
	s->conn.base = (struct conn){ .ops = &ssh_ops, .peer = xstrdup(peer) };
	s->conn.inner = conn_of_fds(take_fd(&out_r), take_fd(&in_w), peer, NULL);
	s->child = child;
	s->said = TAKE(said);
	return s;
}

/* ---- the greeting ---- */

/* Of ssh itself, 255 is what it says of all its troubles: mostly the network's. */
static enum err_kind kind_of_exit(const struct ssh *s)
{
	return s->exit.sys == 255 ? ERR_NETWORK : ERR_CHILD;
}

/* Its end is near: closing its input is the least that brings it about. */
static int ended_early(struct ctx *ctx, struct ssh *s, struct view heard, struct err *err)
{
	cleanup(err_clear) struct err ignored = ERR_INIT;
	cleanup(buf_free) struct buf shown = { 0 };
	struct pollfd p = { .fd = s->child.pidfd, .events = POLLIN };

	(void)ssh_finish(&s->conn.base, &ignored);
	if (p.fd >= 0 && ctx_poll(ctx, &p, 1, -1, err) < 0)
		return -1;
	(void)has_ended(s, 0);
	set_exit(s, kind_of_exit(s), err);
	show(&shown, view_trim(heard));
	if (shown.len > 0)
		return err_detail(err, "printed \"%s\"", buf_str(&shown));
	return -1;
}

static int read_greeting(struct ctx *ctx, struct ssh *s, char *p, struct err *err)
{
	for (size_t have = 0, n = 0; have < SSH_GREETING_LEN; have += n) {
		struct pollfd fds[CONN_FDS];

		n = 0;
		switch (ssh_read(&s->conn.base, p + have, SSH_GREETING_LEN - have, &n,
				 err)) {
		case CONN_OK:
			break;
		case CONN_AGAIN:
			if (ctx_poll(ctx, fds, conn_poll(&s->conn.base, true, false, fds),
				     -1, err) < 0)
				return -1;
			break;
		case CONN_END:
		case CONN_FAILED:
		case CONN_PIPE_FULL:
		case CONN_PIPE_CLOSED:
		case CONN_PIPE_EMPTY:
			return ended_early(ctx, s, (struct view){ p, have }, err);
		}
	}
	return 0;
}

/* Something else than hello has come. */
static int refuse(struct ctx *ctx, struct ssh *s, const char *got, struct err *err)
{
	cleanup(err_clear) struct err ignored = ERR_INIT;
	cleanup(buf_free) struct buf shown = { 0 };

	if (memcmp(got, ssh_proxy_error, SSH_GREETING_LEN) == 0) {
		/* It ends now, and has said why on stderr. */
		(void)ended_early(ctx, s, VIEW(""), &ignored);
		return err_set(err, ERR_NETWORK,
			       "the peer's stdinserver cannot reach its daemon");
	}
	show(&shown, (struct view){ got, SSH_GREETING_LEN });
	return err_set(err, ERR_PROTOCOL,
		       "instead of a greeting came \"%s\": does a login print that?",
		       buf_str(&shown));
}

static int greet(struct ctx *ctx, struct ssh *s, struct err *err)
{
	char got[SSH_GREETING_LEN];

	if (read_greeting(ctx, s, got, err) < 0)
		return -1;
	if (memcmp(got, ssh_hello, SSH_GREETING_LEN) != 0)
		return refuse(ctx, s, got, err);
	if (conn_write_all(ctx, &s->conn.base, ssh_begin, SSH_GREETING_LEN, err) == 0)
		return 0;
	if (has_ended(s, 0))
		set_exit(s, kind_of_exit(s), err);
	return -1;
}

struct conn *ssh_dial(struct ctx *ctx, const struct conf_connect *conf, struct err *err)
{
	cleanup(ctx_freep) struct ctx *limit = ctx_new(ctx);
	struct ssh *s = NULL;

	/* Other than with tcp and tls, 0 is no time, and not all the time. */
	ctx_set_timeout(limit, conf->dial_timeout_ms);
	if (ctx_poll(limit, NULL, 0, 0, err) == 0 && (s = start(conf, err))) {
		if (greet(limit, s, err) == 0)
			return &s->conn.base;
		stop(s);
		add_stderr(s, err);
		conn_close(&s->conn.base);
	}
	(void)err_wrap(err, "ssh %s@%s", conf->ssh_user, conf->ssh_host);
	return NULL;
}
