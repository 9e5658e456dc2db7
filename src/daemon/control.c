#include "daemon/control.h"

#include "base/version.h"
#include "daemon/status_json.h"
#include "net/socket.h"

#include <json-c/json.h>
#include <microhttpd.h>
#include <strings.h>
#include <unistd.h>

enum {
	MAX_BODY = 64 * 1024,
	MAX_CONNECTIONS = 64,
	CONNECTION_MEMORY = 32 * 1024,
};
#define MAX_STATUS ((size_t)1 << 30)

struct control {
	struct control_opts o;
	char *sockpath;
	struct MHD_Daemon *http;
};

/* One request while its body arrives. */
struct request {
	struct buf body;
	bool too_large;
};

struct answer {
	unsigned status;
	struct buf body;
};

/* ---- the endpoints: request body in, answer out ---- */

static void answer_error(struct answer *a, unsigned status, const char *text)
{
	a->status = status;
	buf_printf(&a->body, "%s\n", text);
}

static void get_version(struct answer *a)
{
	const struct version_info *v = version_info();
	struct jsonw w;

	jsonw_init(&w, &a->body);
	jsonw_object(&w);
	jsonw_member_str(&w, "Version", v->version);
	jsonw_member_str(&w, "RuntimeGo", v->runtime);
	jsonw_member_str(&w, "RuntimeGOOS", v->os);
	jsonw_member_str(&w, "RuntimeGOARCH", v->arch);
	jsonw_member_str(&w, "RUNTIMECompiler", v->compiler);
	jsonw_end(&w);
	buf_put(&a->body, "\n", 1);
}

static void put_internal_job(struct jsonw *w, const char *name)
{
	jsonw_key(w, name);
	jsonw_object(w);
	jsonw_member_str(w, "type", "internal");
	jsonw_member_null(w, "internal");
	jsonw_end(w);
}

static void put_job(struct jsonw *w, struct job *j)
{
	struct job_status s;

	job_status(j, &s);
	jsonw_key(w, job_conf(j)->name);
	status_json_job(w, &s);
	job_status_free(&s);
}

static int by_name(const void *a, const void *b)
{
	return strcmp(job_conf(*(struct job *const *)a)->name,
		      job_conf(*(struct job *const *)b)->name);
}

/* Job names as a map: its keys are sorted. */
static void put_jobs(struct jsonw *w, const struct control_opts *o)
{
	struct job **sorted = xcalloc(o->n_jobs, sizeof(struct job *));

	for (size_t i = 0; i < o->n_jobs; i++)
		sorted[i] = o->jobs[i];
	qsort(sorted, o->n_jobs, sizeof(*sorted), by_name);

	jsonw_object(w);
	/* '_' sorts between the capitals and the small letters; no job name begins so. */
	size_t i = 0;
	for (; i < o->n_jobs && strcmp(job_conf(sorted[i])->name, "_control") < 0; i++)
		put_job(w, sorted[i]);
	put_internal_job(w, "_control");
	if (o->metrics)
		put_internal_job(w, "_prometheus");
	for (; i < o->n_jobs; i++)
		put_job(w, sorted[i]);
	jsonw_end(w);
	free(sorted);
}

/* The status document. */
static void put_status(const struct control_opts *o, struct buf *out)
{
	struct jsonw w;

	jsonw_init(&w, out);
	jsonw_object(&w);
	jsonw_key(&w, "Jobs");
	put_jobs(&w, o);
	jsonw_key(&w, "Global");
	status_json_global(&w, o->zfs, o->env, environ);
	jsonw_end(&w);
	buf_put(out, "\n", 1);
}

/* Member names are matched without regard to case, as Go's decoder does.  A text with a
 * NUL in it is none that we know. */
static const char *string_member(struct json_object *obj, const char *name)
{
	json_object_object_foreach(obj, key, value)
	{
		const char *text;

		if (strcasecmp(key, name) != 0 ||
		    !json_object_is_type(value, json_type_string))
			continue;
		text = json_object_get_string(value);
		if (strlen(text) == (size_t)json_object_get_string_len(value))
			return text;
	}
	return "";
}

struct operation {
	const char *name;
	int (*run)(struct job *j, struct err *err);
	/* What an internal job, which does nothing, answers. */
	enum err_kind kind;
	const char *internal;
};

/* compat: zrepl 0.7 has no snapshot. */
static const struct operation operations[] = {
	{ "wakeup", job_wakeup, ERR_BUSY, "already woken up" },
	{ "reset", job_reset, ERR_BUSY, "already reset" },
	{ "snapshot", job_snapshot, ERR_INVALID, "an internal job takes no snapshots" },
};

static const struct operation *operation(const char *name)
{
	for (size_t i = 0; i < ARRAY_LEN(operations); i++)
		if (strcmp(operations[i].name, name) == 0)
			return &operations[i];
	return NULL;
}

static int do_signal(const struct control_opts *o, const char *name, const char *op,
		     struct err *err)
{
	const struct operation *do_it = operation(op);

	if (!do_it)
		return err_set(err, ERR_INVALID, "operation \"%s\" is invalid", op);
	if (strcmp(name, "_control") == 0 ||
	    (o->metrics && strcmp(name, "_prometheus") == 0))
		return err_set(err, do_it->kind, "%s", do_it->internal);
	for (size_t i = 0; i < o->n_jobs; i++)
		if (strcmp(job_conf(o->jobs[i])->name, name) == 0)
			return do_it->run(o->jobs[i], err);
	return err_set(err, ERR_NOT_FOUND, "Job %s does not exist", name);
}

static void post_signal(const struct control_opts *o, const struct request *r,
			struct answer *a)
{
	cleanup(err_clear) struct err err = ERR_INIT;
	struct json_tokener *t = json_tokener_new_ex(8);
	struct json_object *obj = NULL;

	if (t && r->body.len > 0)
		obj = json_tokener_parse_ex(t, r->body.p, (int)r->body.len);
	json_tokener_free(t);
	if (!json_object_is_type(obj, json_type_object)) {
		answer_error(a, MHD_HTTP_BAD_REQUEST,
			     "the request must be {\"Name\": JOB, \"Op\": "
			     "\"wakeup\"|\"reset\"|\"snapshot\"}");
	} else if (do_signal(o, string_member(obj, "Name"), string_member(obj, "Op"),
			     &err) < 0) {
		answer_error(a, MHD_HTTP_INTERNAL_SERVER_ERROR, err_msg(&err));
	} else {
		buf_printf(&a->body, "{}\n");
	}
	json_object_put(obj);
}

/* ---- HTTP ---- */

static const double request_bounds[] = { 1e-6, 1e-5, 1e-4, 5e-4, 1e-3, 1e-2, 0.1,
					 0.2,  0.4,  0.8,  1,    10,   20 };
static const struct metric_desc begin_desc = {
	.type = METRIC_COUNTER,
	.name = "zrepl_control_request_begin",
	.help = "number of request we started to handle",
	.labels = { "endpoint" },
};
static const struct metric_desc finished_desc = {
	.type = METRIC_HISTOGRAM,
	.name = "zrepl_control_request_finished",
	.help = "time it took a request to finish",
	.labels = { "endpoint" },
	.bounds = request_bounds,
	.n_bounds = ARRAY_LEN(request_bounds),
};

/* compat: zrepl 0.7: /status is not counted, nor what is not there. */
static void answer_counted(const struct control *c, const char *path,
			   const struct request *r, struct answer *a)
{
	const char *const labels[] = { path };
	int64_t start_us = now_in_us();

	metric_add(metric_of(c->o.metrics, &begin_desc), labels, 1);
	if (strcmp(path, "/version") == 0)
		get_version(a);
	else
		post_signal(&c->o, r, a);
	metric_observe(metric_of(c->o.metrics, &finished_desc), labels,
		       (double)(now_in_us() - start_us) / 1e6);
}

static void answer_request(const struct control *c, const char *path,
			   const struct request *r, struct answer *a)
{
	if (r->too_large) {
		answer_error(a, MHD_HTTP_CONTENT_TOO_LARGE, "request body too large");
	} else if (strcmp(path, "/status") == 0) {
		a->body.max = MAX_STATUS;
		put_status(&c->o, &a->body);
	} else {
		log_debug(&c->o.log, "request %s starts", path);
		if (strcmp(path, "/version") == 0 || strcmp(path, "/signal") == 0)
			answer_counted(c, path, r, a);
		else
			answer_error(a, MHD_HTTP_NOT_FOUND, "404 page not found");
		log_debug(&c->o.log, "request %s ends with status %u", path, a->status);
	}
}

/* budget: the parameters are libmicrohttpd's */
static enum MHD_Result on_request(void *cls, struct MHD_Connection *conn, const char *url,
				  const char *method, const char *version,
				  const char *data, size_t *size, void **state)
{
	const struct control *c = cls;
	struct request *r = *state;
	struct answer a = { .status = MHD_HTTP_OK };
	struct MHD_Response *response;
	enum MHD_Result queued;
	size_t n;

	(void)method;
	(void)version;
	if (!r) {
		*state = xcalloc(1, sizeof(*r));
		return MHD_YES;
	}
	if (*size > 0) {
		r->too_large = r->too_large || r->body.len + *size > MAX_BODY;
		if (!r->too_large)
			buf_put(&r->body, data, *size);
		*size = 0;
		return MHD_YES;
	}
	answer_request(c, url, r, &a);
	n = a.body.len;
	response = MHD_create_response_from_buffer(n, buf_take(&a.body),
						   MHD_RESPMEM_MUST_FREE);
	if (!response)
		return MHD_NO;
	MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE,
				a.status == MHD_HTTP_OK ? "application/json"
							: "text/plain; charset=utf-8");
	queued = MHD_queue_response(conn, a.status, response);
	MHD_destroy_response(response);
	return queued;
}

static void on_completed(void *cls, struct MHD_Connection *conn, void **state,
			 enum MHD_RequestTerminationCode how)
{
	struct request *r = *state;

	(void)cls;
	(void)conn;
	(void)how;
	if (r)
		buf_free(&r->body);
	free(r);
	*state = NULL;
}

/*
 * libmicrohttpd has one limit for a connection on which nothing moves, in seconds; zrepl
 * 0.7 has two, and no limit with 0.
 */
static unsigned idle_seconds(const struct env *env)
{
	int64_t read = env->control_read_ms, write = env->control_write_ms;
	int64_t s = ((read > write ? read : write) - 1) / 1000 + 1;

	if (read == 0 || write == 0)
		return 0;
	return s > INT32_MAX ? INT32_MAX : (unsigned)s;
}

struct control *control_start(const struct control_opts *o, struct err *err)
{
	struct control *c;
	int fd = socket_listen_private(o->sockpath, err);

	if (fd < 0)
		return NULL;
	c = xcalloc(1, sizeof(*c));
	c->o = *o;
	c->sockpath = xstrdup(o->sockpath);
	c->http = MHD_start_daemon(
		MHD_USE_AUTO_INTERNAL_THREAD, 0, NULL, NULL, on_request, c,
		MHD_OPTION_LISTEN_SOCKET, fd, MHD_OPTION_NOTIFY_COMPLETED, on_completed,
		NULL, MHD_OPTION_CONNECTION_LIMIT, (unsigned)MAX_CONNECTIONS,
		MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)CONNECTION_MEMORY,
		MHD_OPTION_CONNECTION_TIMEOUT, idle_seconds(o->env), MHD_OPTION_END);
	if (!c->http) {
		err_set(err, ERR_SYSTEM, "cannot serve %s", o->sockpath);
		fd_closep(&fd);
		free(c->sockpath);
		free(c);
		return NULL;
	}
	return c;
}

void control_stop(struct control *c)
{
	if (!c)
		return;
	/* First, so that it is not the socket of who comes next. */
	unlink(c->sockpath);
	MHD_stop_daemon(c->http); /* closes the socket */
	free(c->sockpath);
	free(c);
}
