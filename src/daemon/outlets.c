#include "daemon/outlets.h"

#include "daemon/log_format.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <pthread.h>
#include <unistd.h>

enum { STUCK_MS = 1000 };

struct outlets {
	const struct conf_global *conf;
	int fd;
	bool is_tty, may_color;
	pthread_mutex_t lock;
	struct buf line; /* guarded by lock, as the next */
	bool is_stuck;   /* the last entry could not be written in time */
};

static bool terminal_has_color(void)
{
	const char *no_color = getenv("NO_COLOR");
	const char *term = getenv("TERM");

	return !(no_color && *no_color) && !(term && strcmp(term, "dumb") == 0);
}

/*
 * Whoever reads our output may have stopped to.  The jobs must not stop with him, so
 * after a second of waiting the rest of an entry is dropped, and until he reads again so
 * is every entry that does not fit at once.  poll(2) promises room for PIPE_BUF bytes.
 */
static void write_all(struct outlets *o, const char *p, size_t n)
{
	while (n > 0) {
		struct pollfd pfd = { .fd = o->fd, .events = POLLOUT };
		int ready = poll(&pfd, 1, o->is_stuck ? 0 : STUCK_MS);
		ssize_t r;

		if (ready < 0 && errno == EINTR)
			continue;
		o->is_stuck = ready == 0;
		if (ready <= 0)
			return;
		r = write(o->fd, p, n < PIPE_BUF ? n : PIPE_BUF);
		if (r < 0 && errno != EINTR && errno != EAGAIN)
			return;
		if (r > 0) {
			p += r;
			n -= (size_t)r;
		}
	}
}

static void write_entry(void *arg, const struct log_entry *e)
{
	struct outlets *o = arg;

	pthread_mutex_lock(&o->lock);
	for (size_t i = 0; i < o->conf->n_outlets; i++) {
		const struct conf_outlet *c = &o->conf->outlets[i];
		struct log_style style = {
			.format = c->format,
			.time = !c->bare && (c->time || o->is_tty),
			.level = !c->bare,
			.color = c->color && o->may_color,
		};

		if (e->level < c->level)
			continue;
		buf_free(&o->line);
		log_format(&o->line, &style, e);
		buf_put(&o->line, "\n", 1);
		write_all(o, o->line.p, o->line.len);
	}
	pthread_mutex_unlock(&o->lock);
}

struct outlets *outlets_new(const struct conf_global *conf, int fd)
{
	struct outlets *o = xcalloc(1, sizeof(*o));

	o->conf = conf;
	o->fd = fd;
	o->is_tty = isatty(fd);
	o->may_color = o->is_tty && terminal_has_color();
	pthread_mutex_init(&o->lock, NULL);
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
	buf_free(&o->line);
	pthread_mutex_destroy(&o->lock);
	free(o);
}
