#include "daemon/exporter.h"

#include "base/thread.h"
#include "daemon/process_metrics.h"
#include "net/tcp.h"

#include <microhttpd.h>

enum {
	MAX_CONNECTIONS = 32,
	MAX_OF_ONE_ADDRESS = 8,
	CONNECTION_MEMORY = 16 * 1024,
	IDLE_S = 10,
	RETRY_MS = 10 * 1000,
};
#define MAX_TEXT ((size_t)256 << 20)

struct exporter {
	struct exporter_opts o;
	struct ctx *ctx;
	struct thread thread; /* gets it to listen; then libmicrohttpd has its own */
	struct MHD_Daemon *http;
	bool has_failed; /* and the log said so */
};

/* ---- requests ---- */

static enum MHD_Result answer(struct MHD_Connection *conn, unsigned status,
			      struct buf *body, const char *type)
{
	size_t n = body->len;
	struct MHD_Response *r =
		MHD_create_response_from_buffer(n, buf_take(body), MHD_RESPMEM_MUST_FREE);
	enum MHD_Result queued;

	if (!r)
		return MHD_NO;
	MHD_add_response_header(r, MHD_HTTP_HEADER_CONTENT_TYPE, type);
	if (status == MHD_HTTP_METHOD_NOT_ALLOWED)
		MHD_add_response_header(r, MHD_HTTP_HEADER_ALLOW, "GET, HEAD");
	queued = MHD_queue_response(conn, status, r);
	MHD_destroy_response(r);
	return queued;
}

static enum MHD_Result answer_text(struct MHD_Connection *conn, unsigned status,
				   const char *text)
{
	struct buf body = { 0 };

	buf_printf(&body, "%s\n", text);
	return answer(conn, status, &body, "text/plain; charset=utf-8");
}

static enum MHD_Result answer_metrics(struct MHD_Connection *conn, struct metrics *m)
{
	cleanup(buf_free) struct buf body = { .max = MAX_TEXT };

	process_metrics_update(m);
	if (!metrics_write(m, &body))
		return answer_text(conn, MHD_HTTP_INTERNAL_SERVER_ERROR,
				   "there are too many metrics");
	return answer(conn, MHD_HTTP_OK, &body,
		      "text/plain; version=0.0.4; charset=utf-8");
}

/* budget: the parameters are libmicrohttpd's */
static enum MHD_Result on_request(void *cls, struct MHD_Connection *conn, const char *url,
				  const char *method, const char *version,
				  const char *data, size_t *size, void **state)
{
	static char seen;
	const struct exporter *e = cls;

	(void)version;
	(void)data;
	if (!*state) { /* only the head has been read */
		*state = &seen;
		return MHD_YES;
	}
	if (*size > 0) { /* a body; nobody wants it */
		*size = 0;
		return MHD_YES;
	}
	if (strcmp(url, "/metrics") != 0)
		return answer_text(conn, MHD_HTTP_NOT_FOUND, "404 page not found");
	if (strcmp(method, MHD_HTTP_METHOD_GET) != 0 &&
	    strcmp(method, MHD_HTTP_METHOD_HEAD) != 0)
		return answer_text(conn, MHD_HTTP_METHOD_NOT_ALLOWED,
				   "405 method not allowed");
	return answer_metrics(conn, e->o.metrics);
}

/* ---- life ---- */

static int serve(struct exporter *e, struct err *err)
{
	cleanup(fd_closep) int fd =
		tcp_listen(&e->o.conf->listen, e->o.conf->listen_freebind, err);
	cleanup(str_freep) char *text = NULL;

	if (fd < 0)
		return -1;
	text = tcp_local_address(fd);
	e->http = MHD_start_daemon(
		MHD_USE_AUTO_INTERNAL_THREAD, 0, NULL, NULL, on_request, e,
		MHD_OPTION_LISTEN_SOCKET, fd, MHD_OPTION_CONNECTION_LIMIT,
		(unsigned)MAX_CONNECTIONS, MHD_OPTION_PER_IP_CONNECTION_LIMIT,
		(unsigned)MAX_OF_ONE_ADDRESS, MHD_OPTION_CONNECTION_MEMORY_LIMIT,
		(size_t)CONNECTION_MEMORY, MHD_OPTION_CONNECTION_TIMEOUT,
		(unsigned)IDLE_S, MHD_OPTION_END);
	if (!e->http)
		return err_set(err, ERR_SYSTEM, "cannot serve %s", text);
	(void)take_fd(&fd);
	log_info(&e->o.log, "metrics are served at http://%s/metrics", text);
	return 0;
}

static void run(void *arg)
{
	struct exporter *e = arg;
	cleanup(err_clear) struct err stopped = ERR_INIT;

	do {
		cleanup(err_clear) struct err err = ERR_INIT;

		if (serve(e, &err) == 0)
			return;
		if (!e->has_failed)
			log_at(&e->o.log, LOG_ERROR, LOG_FIELDS({ "err", err_msg(&err) }),
			       "cannot listen for metrics, trying again every %d s",
			       RETRY_MS / 1000);
		e->has_failed = true;
	} while (ctx_sleep(e->ctx, RETRY_MS, &stopped) == 0);
}

struct exporter *exporter_start(const struct exporter_opts *o)
{
	struct exporter *e = xcalloc(1, sizeof(*e));

	e->o = *o;
	e->ctx = ctx_new(NULL);
	thread_start(&e->thread, "exporter", run, e);
	return e;
}

void exporter_stop(struct exporter *e)
{
	if (!e)
		return;
	ctx_cancel(e->ctx);
	thread_join(&e->thread);
	if (e->http)
		MHD_stop_daemon(e->http); /* closes the socket */
	ctx_free(e->ctx);
	free(e);
}
