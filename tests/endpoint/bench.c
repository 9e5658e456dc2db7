#include "bench.h"

#include "zfs/stream.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <unistd.h>

/* Only from one thread; the other threads of these tests do not log. */
static void collect(void *arg, const struct log_entry *e)
{
	struct buf *to = arg;

	buf_printf(to, "%s %s %s\n", log_level_name(e->level),
		   e->subsystem ? e->subsystem : "-", e->msg);
}

void bench_start(struct bench *b)
{
	struct log log = { .write = collect, .arg = &b->logged, .job = "j" };
	struct err err = ERR_INIT;

	sim_start();
	b->env = env_defaults();
	b->recv.placeholder_encryption = PLACEHOLDER_ENCRYPTION_INHERIT;
	b->ctx = ctx_new(NULL);
	b->zfs = zfs_new(&b->env, &(struct log){ 0 });
	if (dsfilter_add(&b->filter, "tank/a<", true, &err) < 0 ||
	    dsfilter_add(&b->filter, "tank/b", true, &err) < 0 ||
	    !sim("create -p tank/a") || !sim("create backup"))
		abort();
	b->sender = sender_new(&(struct sender_opts){ .job = "j",
						      .filter = &b->filter,
						      .flags = &b->send,
						      .zfs = b->zfs,
						      .limit = b->send_limit,
						      .log = log });
	b->receiver = receiver_new(&(struct receiver_opts){ .job = "s",
							    .root_fs = "backup",
							    .recv = &b->recv,
							    .zfs = b->zfs,
							    .env = &b->env,
							    .limit = b->recv_limit,
							    .log = log });
	b->client = receiver_for(b->receiver, "c", &err);
	if (!b->client)
		abort();
}

void bench_end(struct bench *b)
{
	ep_close(b->sender);
	ep_close(b->client);
	receiver_free(b->receiver);
	zfs_free(b->zfs);
	rate_free(b->send_limit);
	rate_free(b->recv_limit);
	ctx_free(b->ctx);
	dsfilter_free(&b->filter);
	buf_free(&b->logged);
	err_clear(&b->err);
}

struct version ver(const char *relname, uint64_t guid)
{
	return (struct version){ .type = *relname == '@' ? VERSION_SNAPSHOT
							 : VERSION_BOOKMARK,
				 .name = (char *)relname + 1,
				 .guid = guid };
}

struct ep_send_req send_req(const struct version *from, const struct version *to,
			    enum protection p)
{
	return (struct ep_send_req){
		.fs = "tank/a", .from = from, .to = to, .protection = { p, p }
	};
}

struct ep_recv_req recv_req(const struct version *to, enum protection p)
{
	return (struct ep_recv_req){
		.fs = "tank/a", .to = to, .clear_token = true, .protection = { p, p }
	};
}

int drain(struct bench *b, struct ep_stream *s)
{
	struct pollfd p = { .fd = s->fd, .events = POLLIN };
	static char data[64 * 1024];
	ssize_t n;

	do {
		if (ctx_poll(b->ctx, &p, 1, -1, &b->err) < 0)
			break;
		n = read(s->fd, data, sizeof(data));
	} while (n > 0 || (n < 0 && errno == EAGAIN));
	return stream_finish(s, &b->err);
}

int send_all(struct bench *b, const struct ep_send_req *req)
{
	struct ep_stream *s;

	if (b->sender->ops->send(b->ctx, b->sender, req, &s, &b->err) < 0)
		return -1;
	return drain(b, s);
}

int complete(struct bench *b, const struct ep_send_req *req)
{
	return b->sender->ops->send_completed(b->ctx, b->sender, req, &b->err);
}

int transfer(struct bench *b, const struct ep_send_req *req,
	     const struct ep_recv_req *recv)
{
	struct err ignored = ERR_INIT;
	struct ep_stream *s;
	int r;

	if (b->sender->ops->send(b->ctx, b->sender, req, &s, &b->err) < 0)
		return -1;
	r = b->client->ops->receive(b->ctx, b->client, recv, s, &b->err);
	if (stream_finish(s, &ignored) < 0)
		err_clear(&ignored);
	return r;
}

int step(struct bench *b, const struct version *from, const struct version *to,
	 enum protection p)
{
	struct ep_send_req req = send_req(from, to, p);
	struct ep_recv_req recv = recv_req(to, p);

	if (transfer(b, &req, &recv) < 0)
		return -1;
	return complete(b, &req);
}

char *make_token(uint64_t to, uint64_t from, const char *to_name, bool raw)
{
	struct buf b = { 0 };

	buf_printf(&b, "1-%" PRIx64 "-%" PRIx64 "-0-100000-%x-", to, from, raw ? 1U : 0U);
	for (const char *p = to_name; *p; p++)
		buf_printf(&b, "%02x", (unsigned)*p);
	return buf_take(&b);
}
