#include "rpc/client_impl.h"

#include "base/thread.h"

#include <errno.h>
#include <sys/random.h>

enum { PAUSE_MAX_MS = 10000 };

typedef int ping_fn(struct ctx *ctx, struct rpc_client *c, const char *text,
		    struct err *err);

/* One of the two kinds of connection, asked until it answers. */
struct ping {
	struct rpc_client *client;
	struct ctx *ctx; /* of both */
	const char *text;
	ping_fn *once;
	int rc;
	struct err err;
};

/* May it work later?  ssh(1) fails in all ways alike: ERR_CHILD. */
static bool may_pass(const struct err *err)
{
	switch (err->kind) {
	case ERR_NETWORK:
	case ERR_TIMEOUT:
	case ERR_BUSY:
	case ERR_SYSTEM:
	case ERR_CHILD:
		return true;
	case ERR_NONE:
	case ERR_INTERNAL:
	case ERR_INVALID:
	case ERR_NOT_FOUND:
	case ERR_EXISTS:
	case ERR_DENIED:
	case ERR_PROTOCOL:
	case ERR_REMOTE:
	case ERR_CANCELLED:
		return false;
	}
	return false;
}

/* What is in the way says more than that time is up. */
static void give_up(struct ping *p, struct err *last)
{
	cleanup(err_clear) struct err why = ERR_INIT;

	if (ctx_sleep(p->ctx, 0, &why) < 0)
		err_set(&p->err, why.kind, "%s; last: %s", err_msg(&why), err_msg(last));
	else
		err_move(&p->err, last);
	p->rc = -1;
	ctx_cancel(p->ctx); /* the other one need not go on */
}

static void ping_until(void *arg)
{
	struct ping *p = arg;
	int64_t pause = p->client->o.env->rpc_ping_sleep_ms;
	cleanup(err_clear) struct err err = ERR_INIT, last = ERR_INIT, slept = ERR_INIT;

	while (p->once(p->ctx, p->client, p->text, &err) < 0) {
		const bool is_over = ctx_done(p->ctx);

		if (!is_over || last.kind == ERR_NONE)
			err_move(&last, &err);
		if (is_over || !may_pass(&last) || ctx_sleep(p->ctx, pause, &slept) < 0) {
			give_up(p, &last);
			return;
		}
		pause = pause * 2 < PAUSE_MAX_MS ? pause * 2 : PAUSE_MAX_MS;
	}
}

static int random_text(char text[33], struct err *err)
{
	uint8_t bytes[16];
	ssize_t n;

	do
		n = getrandom(bytes, sizeof(bytes), 0);
	while (n < 0 && errno == EINTR);
	if (n != sizeof(bytes))
		return err_sys(err, errno, "getrandom");
	for (size_t i = 0; i < sizeof(bytes); i++)
		snprintf(text + 2 * i, 3, "%02x", bytes[i]);
	return 0;
}

/* The one that has cancelled the other knows why. */
static int both(struct ping *a, struct ping *b, struct err *err)
{
	struct ping *worse = a->rc < 0 && a->err.kind != ERR_CANCELLED ? a
			     : b->rc < 0                               ? b
								       : a;

	if (worse->rc < 0)
		err_move(err, &worse->err);
	return worse->rc;
}

int client_ping(struct ctx *ctx, struct endpoint *e, struct err *err)
{
	cleanup(ctx_freep) struct ctx *shared = ctx_new(ctx);
	struct rpc_client *c = client_of(e);
	char text[33];
	struct ping control = {
		.client = c, .ctx = shared, .text = text, .once = client_ping_control
	};
	struct ping bulk = {
		.client = c, .ctx = shared, .text = text, .once = client_ping_bulk
	};
	struct thread thread = { 0 };
	int r;

	if (random_text(text, err) < 0)
		return -1;
	thread_start(&thread, "bulk ping", ping_until, &bulk);
	ping_until(&control);
	thread_join(&thread);
	r = both(&control, &bulk, err);
	err_clear(&control.err);
	err_clear(&bulk.err);
	return r;
}
