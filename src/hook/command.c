/*
 * A program, run once on each edge.
 *
 * It leads a process group of its own, which is killed when the edge has to end.  What
 * it prints is read as it comes, whatever it does: logged line by line up to a limit,
 * and its end is kept for the error.
 */
#include "base/proc.h"
#include "codec/utf8.h"
#include "hook/kind.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <unistd.h>

enum {
	GRACE_MS = 2000, /* from SIGTERM to SIGKILL */
	DRAIN_MS = 1000, /* for output that is still open when the command has ended */
	READ_CHUNK = 8 * 1024,
	LAST_CHUNKS = 64,      /* read without waiting, when time is up */
	LINE_MAX_BYTES = 4096, /* of one line, in the log */
	LINE_COST = 64,        /* what an entry in the log counts beside its text */
	SAID_MAX = 4096,       /* of the output, in an error */
};

static const char cut_mark[] = "(...)";

extern char **environ;

/* ---- what it prints ---- */

struct stream {
	int fd; /* -1: it ended */
	enum log_level level;
	const char *field;
	struct buf line; /* the beginning of one, without what is cut */
	bool cut;
};

struct output {
	const struct hook_call *c;
	struct stream s[2];
	struct buf said; /* the end of both */
	size_t said_max;
	bool said_cut;
	int64_t budget; /* what may still be logged; < 0: nothing any more */
	uint64_t left_out_lines, left_out_bytes;
};

static void output_init(struct output *o, const struct hook_call *c)
{
	size_t max = (size_t)c->env->max_hook_log_bytes;

	*o = (struct output){
		.c = c,
		.s = { { .fd = -1, .level = LOG_INFO, .field = "stdout" },
		       { .fd = -1, .level = LOG_WARN, .field = "stderr" } },
		.said_max = max < SAID_MAX ? max : SAID_MAX,
		.budget = c->env->max_hook_log_bytes,
	};
}

static void output_free(struct output *o)
{
	for (size_t i = 0; i < ARRAY_LEN(o->s); i++) {
		fd_closep(&o->s[i].fd);
		buf_free(&o->s[i].line);
	}
	buf_free(&o->said);
}

static void end_line(struct output *o, struct stream *s)
{
	size_t len = s->line.len;

	if (o->budget >= 0)
		o->budget -= (int64_t)len + LINE_COST;
	if (o->budget >= 0) {
		if (s->cut)
			buf_printf(&s->line, "%s", cut_mark);
		hook_log(o->c, s->level,
			 (struct log_field){ s->field, buf_str(&s->line) },
			 "hook output");
	} else {
		o->left_out_lines++;
		o->left_out_bytes += len;
	}
	buf_drop(&s->line, s->line.len);
	s->cut = false;
}

static void add_to_line(struct stream *s, const char *p, size_t n)
{
	size_t room = LINE_MAX_BYTES - s->line.len;

	s->cut |= n > room;
	buf_put(&s->line, p, n < room ? n : room);
}

/* Twice as much as is kept is there, so that not each chunk moves all of it. */
static void add_to_said(struct output *o, const char *p, size_t n)
{
	if (n > o->said_max) {
		p += n - o->said_max;
		n = o->said_max;
		o->said_cut = true;
	}
	buf_put(&o->said, p, n);
	if (o->said.len > 2 * o->said_max) {
		buf_drop(&o->said, o->said.len - o->said_max);
		o->said_cut = true;
	}
}

static void take_chunk(struct output *o, struct stream *s, char *p, size_t n)
{
	/* The log and errors are strings. */
	for (char *nul; (nul = memchr(p, '\0', n)) != NULL;)
		*nul = '?';
	add_to_said(o, p, n);
	for (char *nl; n > 0 && (nl = memchr(p, '\n', n)) != NULL;) {
		size_t len = (size_t)(nl - p);

		add_to_line(s, p, len);
		end_line(o, s);
		p += len + 1;
		n -= len + 1;
	}
	add_to_line(s, p, n);
}

/* Whether there was something. */
static bool read_some(struct output *o, struct stream *s)
{
	char chunk[READ_CHUNK];
	ssize_t n = read(s->fd, chunk, sizeof(chunk));

	if (n > 0) {
		take_chunk(o, s, chunk, (size_t)n);
		return true;
	}
	if (n == 0 || (errno != EAGAIN && errno != EINTR))
		fd_closep(&s->fd);
	return false;
}

static bool is_open(const struct output *o)
{
	return o->s[0].fd >= 0 || o->s[1].fd >= 0;
}

/* Reads until `ended` (-1: none) is readable, or all output has ended. */
static int follow(struct ctx *ctx, struct output *o, int ended, struct err *err)
{
	while (ended >= 0 || is_open(o)) {
		struct pollfd fds[] = {
			{ .fd = o->s[0].fd, .events = POLLIN },
			{ .fd = o->s[1].fd, .events = POLLIN },
			{ .fd = ended, .events = POLLIN },
		};

		if (ctx_poll(ctx, fds, ARRAY_LEN(fds), -1, err) < 0)
			return -1;
		for (size_t i = 0; i < ARRAY_LEN(o->s); i++)
			if (fds[i].revents)
				read_some(o, &o->s[i]);
		if (fds[2].revents)
			return 0;
	}
	return 0;
}

/* The command has ended; others may hold its output open, for ever. */
static void drain(struct ctx *within, struct output *o)
{
	cleanup(err_clear) struct err late = ERR_INIT;
	cleanup(ctx_freep) struct ctx *ctx = ctx_new(within);

	ctx_set_timeout(ctx, DRAIN_MS);
	if (follow(ctx, o, -1, &late) < 0)
		for (size_t i = 0; i < ARRAY_LEN(o->s); i++)
			for (int k = 0; k < LAST_CHUNKS && o->s[i].fd >= 0; k++)
				if (!read_some(o, &o->s[i]))
					break;
	if (is_open(o))
		hook_log(o->c, LOG_WARN, (struct log_field){ 0 },
			 "a process that the hook left behind keeps its output open; "
			 "it is closed");
	for (size_t i = 0; i < ARRAY_LEN(o->s); i++) {
		fd_closep(&o->s[i].fd);
		if (o->s[i].line.len > 0)
			end_line(o, &o->s[i]);
	}
}

static void log_left_out(const struct output *o)
{
	cleanup(str_freep) char *msg = NULL;

	if (o->left_out_lines == 0)
		return;
	msg = xasprintf("hook output: %" PRIu64 " more lines (%" PRIu64
			" bytes) are left out; ZREPL_MAX_HOOK_LOG_SIZE is %" PRId64,
			o->left_out_lines, o->left_out_bytes,
			o->c->env->max_hook_log_bytes);
	hook_log(o->c, LOG_WARN, (struct log_field){ 0 }, msg);
}

/* "...: what it said", without space at the end. */
static void add_said(struct output *o, struct err *err)
{
	cleanup(buf_free) struct buf shown = { 0 };

	while (o->said.len > 0 && strchr(" \t\r\n", o->said.p[o->said.len - 1]))
		o->said.len--;
	if (o->said.len > o->said_max) {
		buf_drop(&o->said, o->said.len - o->said_max);
		o->said_cut = true;
	}
	if (o->said.len == 0)
		return;
	utf8_put(&shown, buf_view(&o->said), 3 * o->said.len);
	err_detail(err, "%s%s", o->said_cut ? cut_mark : "", buf_str(&shown));
}

/* ---- running it ---- */

static bool is_ours(const char *assignment)
{
	static const char *const names[] = { "ZREPL_HOOKTYPE=", "ZREPL_FS=",
					     "ZREPL_SNAPNAME=", "ZREPL_DRYRUN=",
					     "ZREPL_TIMEOUT=" };

	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		if (strncmp(assignment, names[i], strlen(names[i])) == 0)
			return true;
	return false;
}

/* Names and values are those of zrepl 0.7. */
static void make_environ(struct strs *to, const struct hook_call *c)
{
	for (char **e = environ; e && *e; e++)
		if (!is_ours(*e))
			strs_add(to, *e);
	strs_addf(to, "ZREPL_HOOKTYPE=%s_snapshot", c->edge == HOOK_PRE ? "pre" : "post");
	strs_addf(to, "ZREPL_FS=%s", c->fs);
	strs_addf(to, "ZREPL_SNAPNAME=%s", c->snap);
	strs_add(to, "ZREPL_DRYRUN=");
	strs_addf(to, "ZREPL_TIMEOUT=%" PRId64, c->conf->timeout_ms / 1000);
}

/* Only our end does not block. */
static int open_pipe(int *ours, int *its, struct err *err)
{
	int fds[2];

	if (pipe2(fds, O_CLOEXEC) < 0)
		return err_sys(err, errno, "open a pipe");
	*ours = fds[0];
	*its = fds[1];
	if (fcntl(fds[0], F_SETFL, O_NONBLOCK) < 0)
		return err_sys(err, errno, "open a pipe");
	return 0;
}

static int explain_start(const char *path, struct err *err)
{
	switch (err->sys) {
	case ENOENT:
		if (!strchr(path, '/'))
			return err_detail(err, "looked for in PATH");
		if (access(path, F_OK) == 0)
			return err_detail(err, "the program that its first line names is "
					       "missing");
		return -1;
	case EACCES:
		return err_detail(err, "it has to be an executable file");
	case ENOEXEC:
		return err_detail(err, "a script has to begin with a line such as "
				       "#!/bin/sh");
	default:
		return -1;
	}
}

static int start(struct proc *p, struct output *o, struct err *err)
{
	const char *argv[] = { o->c->conf->path, NULL };
	cleanup(fd_closep) int out = -1, errfd = -1;
	cleanup(strs_free) struct strs env = { 0 };
	struct proc_opts opts = { .argv = argv, .in = -1, .own_group = true };

	if (open_pipe(&o->s[0].fd, &out, err) < 0 ||
	    open_pipe(&o->s[1].fd, &errfd, err) < 0)
		return -1;
	make_environ(&env, o->c);
	opts.envp = strs_argv(&env);
	opts.out = out;
	opts.errfd = errfd;
	if (proc_start(p, &opts, err) < 0)
		return explain_start(argv[0], err);
	return 0;
}

/* Time is up: all of its group. */
static void stop(struct proc *p, struct output *o)
{
	if (!proc_stop(p, GRACE_MS)) {
		cleanup(str_freep) char *msg =
			xasprintf("process %d cannot be killed", (int)p->pid);

		hook_log(o->c, LOG_WARN, (struct log_field){ 0 }, msg);
	}
	drain(NULL, o);
}

static int run(struct ctx *ctx, const struct hook_call *c, struct err *err)
{
	cleanup(output_free) struct output o;
	struct proc p;
	int r;

	output_init(&o, c);
	if (start(&p, &o, err) < 0)
		return -1;
	r = follow(ctx, &o, p.pidfd, err);
	if (r == 0 || proc_ended(&p, 0)) {
		drain(ctx, &o);
		err_clear(err);
		r = proc_wait(&p, ctx, GRACE_MS, err);
	} else {
		hook_timed_out(c, err);
		stop(&p, &o);
	}
	log_left_out(&o);
	if (r < 0)
		add_said(&o, err);
	return r;
}

static int pre(struct ctx *ctx, const struct hook_call *c, void **session,
	       struct err *err)
{
	(void)session; /* nothing is held */
	return run(ctx, c, err);
}

static int post(struct ctx *ctx, const struct hook_call *c, void *session,
		struct err *err)
{
	(void)session;
	return run(ctx, c, err);
}

const struct hook_kind hook_command = { .pre = pre, .post = post };
