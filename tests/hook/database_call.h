/* A hook of one kind that is called directly, and servers that do not do their work. */
#ifndef TESTS_HOOK_DATABASE_CALL_H
#define TESTS_HOOK_DATABASE_CALL_H

#include "base/thread.h"
#include "hook/kind.h"
#include "log_text.h"
#include "tap.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#define PASSWORD "s3cret word"

enum { PATIENCE_MS = 30000, SOON_MS = 300 };

/* What the script that has started the server tells of it. */
static inline const char *of_server(const char *name)
{
	const char *s = getenv(name);

	if (!s)
		abort();
	return s;
}

/* Asks the server for any connection of ours, until there is none, "": it may take a
 * while to notice. */
static inline bool none_is_left(char *(*any_of_ours)(void *server), void *server)
{
	int64_t end = now_ms() + PATIENCE_MS;

	while (now_ms() < end) {
		cleanup(str_freep) char *id = any_of_ours(server);

		if (!*id)
			return true;
	}
	return false;
}

struct database_call {
	struct conf_hook conf;
	struct env env;
	struct log_text text;
	struct log log;
	struct hook_call call;
	struct ctx *ctx;
	const struct hook_kind *kind;
	void *session;
	struct err err;
	int64_t took_ms;
};

/* conf: type, timeout and dsn. */
static inline void database_call_init(struct database_call *d,
				      const struct hook_kind *kind,
				      const struct conf_hook *conf)
{
	*d = (struct database_call){ .conf = *conf, .kind = kind, .env = env_defaults() };
	d->ctx = ctx_new(NULL);
	ctx_set_timeout(d->ctx, conf->timeout_ms);
	d->log = log_text_log(&d->text);
	d->call = (struct hook_call){
		.conf = &d->conf,
		.env = &d->env,
		.log = &d->log,
		.fs = "pool/db",
		.snap = "zrepl_1",
		.number = 1,
		.what = hook_type_name(conf->type),
	};
}

static inline int database_pre(struct database_call *d)
{
	int64_t before = now_ms();
	int rc = d->kind->pre(d->ctx, &d->call, &d->session, &d->err);

	d->took_ms = now_ms() - before;
	return rc;
}

static inline int database_post(struct database_call *d)
{
	void *session = TAKE(d->session);

	return d->kind->post(d->ctx, &d->call, session, &d->err);
}

/* Nothing that was said contains the password. */
static inline void database_call_fini(struct database_call *d)
{
	CHECK(d->session == NULL);
	CHECK(strstr(err_msg(&d->err), "s3cret") == NULL);
	CHECK(strstr(buf_str(&d->text.text), "s3cret") == NULL);
	CHECK(strchr(err_msg(&d->err), '\n') == NULL);
	err_clear(&d->err);
	ctx_free(d->ctx);
	log_text_free(&d->text);
}

/* The pre edge fails, of that kind, and the message has that in it; NULL: anything. */
static inline void database_pre_fails(struct database_call *d, enum err_kind kind,
				      const char *part)
{
	CHECK_INT(database_pre(d), -1);
	CHECK_INT(d->err.kind, kind);
	if (part && !CHECK(strstr(err_msg(&d->err), part) != NULL))
		printf("# no \"%s\" in: %s\n", part, err_msg(&d->err));
	CHECK(d->session == NULL);
}

/* A port of loopback, at which nobody answers: refused, unless somebody listens. */
struct silent {
	int fd;
	unsigned port;
};

static inline struct silent silent_open(bool listens)
{
	struct sockaddr_in a = { .sin_family = AF_INET };
	socklen_t len = sizeof(a);
	struct silent s = { .fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0) };

	a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	if (s.fd < 0 || bind(s.fd, (const struct sockaddr *)&a, len) < 0 ||
	    getsockname(s.fd, (struct sockaddr *)&a, &len) < 0 ||
	    (listens && listen(s.fd, 8) < 0))
		abort();
	s.port = ntohs(a.sin_port);
	return s;
}

/* A server that accepts one connection, says something, and then waits for its end. */
struct mumbler {
	struct silent at;
	struct thread thread;
	const void *says;
	size_t len;
	struct ctx *cancels; /* once somebody has come, unless NULL */
};

static inline void mumble(void *arg)
{
	struct mumbler *m = arg;
	int fd = accept4(m->at.fd, NULL, NULL, SOCK_CLOEXEC);
	char c;

	if (fd < 0)
		return;
	if (m->len > 0 && write(fd, m->says, m->len) != (ssize_t)m->len)
		abort();
	if (m->cancels)
		ctx_cancel(m->cancels);
	while (read(fd, &c, 1) > 0)
		;
	close(fd);
}

static inline void mumbler_start(struct mumbler *m)
{
	m->at = silent_open(true);
	thread_start(&m->thread, "mumbler", mumble, m);
}

static inline void mumbler_stop(struct mumbler *m)
{
	shutdown(m->at.fd, SHUT_RDWR);
	thread_join(&m->thread);
	close(m->at.fd);
}

#endif
