#include "net/connector.h"

#include "net/address.h"
#include "net/ssh.h"
#include "net/tcp.h"
#include "net/tls.h"

#include <inttypes.h>

struct connector {
	const struct conf_connect *conf;
	struct tls *tls;
	char *target;
};

static char *describe(const struct conf_connect *conf)
{
	cleanup(str_freep) char *address = NULL;

	switch (conf->type) {
	case CONNECT_TCP:
	case CONNECT_TLS:
		address = hostport_text(&conf->address);
		return xasprintf("%s %s", conf->type == CONNECT_TCP ? "tcp" : "tls",
				 address);
	case CONNECT_SSH:
		return xasprintf("ssh+stdinserver %s@%s:%" PRId64, conf->ssh_user,
				 conf->ssh_host, conf->ssh_port);
	case CONNECT_LOCAL:
		break;
	}
	return xasprintf("local %s", conf->listener_name);
}

struct connector *connector_new(const struct conf_connect *conf, const struct log *log)
{
	struct connector *c = xcalloc(1, sizeof(*c));

	c->conf = conf;
	c->target = describe(conf);
	if (conf->type == CONNECT_TLS)
		c->tls = tls_client_new(conf, log);
	return c;
}

void connector_free(struct connector *c)
{
	if (!c)
		return;
	tls_free(c->tls);
	free(c->target);
	free(c);
}

const char *connector_target(const struct connector *c)
{
	return c->target;
}

static int dial(struct ctx *ctx, const struct connector *c, char **peer, struct err *err)
{
	return tcp_dial_family(ctx, &c->conf->address, c->conf->family,
			       c->conf->dial_timeout_ms, peer, err);
}

static struct conn *dial_tcp(struct ctx *ctx, const struct connector *c, struct err *err)
{
	cleanup(str_freep) char *peer = NULL;
	int fd = dial(ctx, c, &peer, err);

	return fd < 0 ? NULL : conn_of_fds(fd, fd, peer, NULL);
}

static struct conn *dial_tls(struct ctx *ctx, const struct connector *c, struct err *err)
{
	cleanup(str_freep) char *peer = NULL;
	int fd = dial(ctx, c, &peer, err);

	return fd < 0 ? NULL : tls_handshake(ctx, c->tls, fd, peer, err);
}

static struct conn *dial_any(struct ctx *ctx, const struct connector *c, struct err *err)
{
	switch (c->conf->type) {
	case CONNECT_TCP:
		return dial_tcp(ctx, c, err);
	case CONNECT_TLS:
		return dial_tls(ctx, c, err);
	case CONNECT_SSH:
		return ssh_dial(ctx, c->conf, err);
	case CONNECT_LOCAL:
		break;
	}
	err_set(err, ERR_INTERNAL, "a local job has nothing to dial");
	return NULL;
}

struct conn *connector_dial(struct ctx *ctx, struct connector *c, struct err *err)
{
	struct conn *conn = dial_any(ctx, c, err);

	if (!conn)
		err_wrap(err, "%s", c->target);
	return conn;
}
