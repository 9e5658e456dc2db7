#include "daemon/outlets.h"

#include "daemon/log_format.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <unistd.h>

struct outlets {
	const struct conf_global *conf;
	int fd;
	bool is_tty, may_color;
	pthread_mutex_t lock;
	struct buf line; /* guarded by lock */
};

static bool terminal_has_color(void)
{
	const char *no_color = getenv("NO_COLOR");
	const char *term = getenv("TERM");

	return !(no_color && *no_color) && !(term && strcmp(term, "dumb") == 0);
}

static void write_all(int fd, const char *p, size_t n)
{
	while (n > 0) {
		ssize_t r = write(fd, p, n);

		if (r < 0 && errno == EAGAIN) {
			struct pollfd pfd = { .fd = fd, .events = POLLOUT };

			if (poll(&pfd, 1, -1) < 0 && errno != EINTR)
				return;
			continue;
		}
		if (r < 0 && errno != EINTR)
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
		write_all(o->fd, o->line.p, o->line.len);
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
