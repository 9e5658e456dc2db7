#include "daemon/outlets.h"

#include "daemon/log_format.h"
#include "daemon/outlet.h"

#include <pthread.h>
#include <stdio.h>
#include <unistd.h>

struct channel {
	const struct conf_outlet *conf;
	struct log_style style;
	struct outlet *outlet;
	size_t n_lost; /* entries, since the last one that was written */
	struct err why;
};

struct outlets {
	struct channel *v; /* in the order of the file */
	size_t n;
	struct metric *entries;
	pthread_mutex_t lock; /* of all below, and of what is written to the outlets */
	struct buf line;
	bool is_closing;
};

static const struct metric_desc entries_desc = {
	.type = METRIC_COUNTER,
	.name = "zrepl_daemon_log_entries",
	.help = "number of log entries per job task and level",
	.labels = { "zrepl_job", "level" },
};

static const char *const host_syslog_paths[] = { "/dev/log", "/var/run/syslog",
						 "/var/run/log", NULL };

/* ---- writing; all locked ---- */

static int write_to(struct outlets *o, struct channel *c, const struct log_entry *e,
		    struct err *err)
{
	o->line.len = 0;
	log_format(&o->line, &c->style, e);
	return c->outlet->ops->write(c->outlet, e->level, buf_view(&o->line), err);
}

static void raise_error(struct outlets *o, const struct conf_outlet *of, const char *why)
{
	cleanup(err_clear) struct err ignored = ERR_INIT;
	const struct log_field fields[] = {
		{ "err", why }, { "outlet_type", outlet_type_name(of->type) }
	};
	struct log_entry e = {
		.level = LOG_ERROR,
		.msg = "outlet error",
		.fields = fields,
		.n_fields = ARRAY_LEN(fields),
	};

	clock_gettime(CLOCK_REALTIME, &e.time);
	for (size_t i = 0; i < o->n; i++) {
		if (o->v[i].conf->level > LOG_ERROR)
			continue;
		(void)!write_to(o, &o->v[i], &e, &ignored);
		return;
	}
}

static void lost(struct outlets *o, struct channel *c, struct err *e)
{
	err_move(&c->why, e);
	if (c->n_lost++ == 0)
		raise_error(o, c->conf, err_msg(&c->why));
}

static void works_again(struct outlets *o, struct channel *c)
{
	cleanup(str_freep) char *text =
		xasprintf("lost %zu %s: %s", c->n_lost,
			  c->n_lost == 1 ? "entry" : "entries", err_msg(&c->why));

	c->n_lost = 0;
	raise_error(o, c->conf, text);
}

static void write_entry(void *arg, const struct log_entry *e)
{
	struct outlets *o = arg;

	metric_add(o->entries,
		   METRIC_LABELS(e->job ? e->job : "_nojobid", log_level_name(e->level)),
		   1);
	pthread_mutex_lock(&o->lock);
	for (size_t i = 0; i < o->n; i++) {
		cleanup(err_clear) struct err err = ERR_INIT;
		struct channel *c = &o->v[i];

		if (e->level < c->conf->level)
			continue;
		if (write_to(o, c, e, &err) < 0)
			lost(o, c, &err);
		else if (c->n_lost > 0)
			works_again(o, c);
	}
	pthread_mutex_unlock(&o->lock);
}

/* ---- in a thread of an outlet ---- */

static void on_tcp_error(void *arg, const struct conf_outlet *conf, const struct err *e)
{
	struct outlets *o = arg;

	pthread_mutex_lock(&o->lock);
	if (!o->is_closing)
		raise_error(o, conf, err_msg(e));
	pthread_mutex_unlock(&o->lock);
}

/* ---- life ---- */

static bool terminal_has_color(void)
{
	const char *no_color = getenv("NO_COLOR");
	const char *term = getenv("TERM");

	return !(no_color && *no_color) && !(term && strcmp(term, "dumb") == 0);
}

static void open_channel(struct outlets *o, struct channel *c,
			 const struct outlets_opts *opts)
{
	const struct conf_outlet *conf = c->conf;
	bool is_tty;

	c->style.format = conf->format;
	switch (conf->type) {
	case OUTLET_STDOUT:
		is_tty = isatty(opts->stdout_fd);
		c->style.time = !conf->bare && (conf->time || is_tty);
		c->style.level = !conf->bare;
		c->style.color = conf->color && is_tty && terminal_has_color();
		c->outlet = outlet_stdout_new(opts->stdout_fd);
		break;
	case OUTLET_SYSLOG: /* which has a time and a level of its own */
		c->outlet =
			outlet_syslog_new(conf, opts->syslog_paths ? opts->syslog_paths
								   : host_syslog_paths);
		break;
	case OUTLET_TCP:
		c->style.time = c->style.level = true;
		c->outlet = outlet_tcp_new(conf, on_tcp_error, o);
		break;
	}
}

struct outlets *outlets_new(const struct conf_global *conf,
			    const struct outlets_opts *opts, struct err *err)
{
	struct outlets *o;

	if (outlets_check(conf, err) < 0)
		return NULL;
	o = xcalloc(1, sizeof(*o));
	o->entries = metric_of(opts->metrics, &entries_desc);
	pthread_mutex_init(&o->lock, NULL);
	o->n = conf->n_outlets;
	o->v = xcalloc(o->n, sizeof(*o->v));
	for (size_t i = 0; i < o->n; i++) {
		o->v[i].conf = &conf->outlets[i];
		open_channel(o, &o->v[i], opts);
	}
	return o;
}

struct log outlets_log(struct outlets *o)
{
	return (struct log){ .write = write_entry, .arg = o };
}

void outlets_free(struct outlets *o)
{
	if (!o)
		return;
	/* From here on no thread of an outlet writes to another one. */
	pthread_mutex_lock(&o->lock);
	o->is_closing = true;
	pthread_mutex_unlock(&o->lock);
	for (size_t i = 0; i < o->n; i++)
		if (o->v[i].outlet->ops->end)
			o->v[i].outlet->ops->end(o->v[i].outlet);
	for (size_t i = 0; i < o->n; i++) {
		o->v[i].outlet->ops->close(o->v[i].outlet);
		err_clear(&o->v[i].why);
	}
	free(o->v);
	buf_free(&o->line);
	pthread_mutex_destroy(&o->lock);
	free(o);
}

int outlets_check(const struct conf_global *conf, struct err *err)
{
	for (size_t i = 0; i < conf->n_outlets; i++) {
		const struct conf_outlet *o = &conf->outlets[i];

		if (o->type == OUTLET_TCP && outlet_tcp_check(o, err) < 0)
			return err_wrap(err,
					"cannot build logging from config: "
					"%s:%u:%u: %s.tls",
					o->file, o->line, o->column, o->path);
	}
	return 0;
}
