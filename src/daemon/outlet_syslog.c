/*
 * The protocol of RFC 3164 as syslog daemons take it from processes of their host: no
 * hostname.  Not syslog(3): it is one for the whole process, and may block.
 *
 *	<PRI>Mmm dd hh:mm:ss zrepl[PID]: LINE
 *
 * On a stream socket a newline ends it.
 */
#include "base/ctx.h"
#include "daemon/outlet.h"

#include <errno.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

/* Daemons cut what is longer, at 2 to 64 KiB. */
enum { MESSAGE_MAX = 32 * 1024 };

struct outlet_syslog {
	struct outlet outlet;
	const struct conf_outlet *conf;
	const char *const *paths;
	int fd;   /* -1: not connected */
	int type; /* of the socket */
	bool is_stuck;
	int64_t not_before_ms; /* no attempt to connect until then */
	struct buf message;
};

/* ---- the connection ---- */

static int connect_to(const char *path, int type)
{
	cleanup(fd_closep) int fd =
		socket(AF_UNIX, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	struct sockaddr_un a = { .sun_family = AF_UNIX };

	if (fd < 0)
		return -1;
	if (strlen(path) >= sizeof(a.sun_path)) {
		errno = ENAMETOOLONG;
		return -1;
	}
	memcpy(a.sun_path, path, strlen(path) + 1);
	return connect(fd, (struct sockaddr *)&a, sizeof(a)) < 0 ? -1 : take_fd(&fd);
}

/* compat: zrepl 0.7: after a failure not again before retry_interval is over. */
static int connect_any(struct outlet_syslog *o, struct err *err)
{
	static const int types[] = { SOCK_DGRAM, SOCK_STREAM };
	int64_t now = now_ms();
	int why = ENOENT;

	if (now < o->not_before_ms)
		return err_set(err, ERR_NETWORK, "not connected to the syslog daemon");
	for (size_t t = 0; t < ARRAY_LEN(types); t++) {
		for (const char *const *path = o->paths; *path; path++) {
			o->fd = connect_to(*path, o->type = types[t]);
			if (o->fd >= 0)
				return 0;
			if (errno != ENOENT && errno != EPROTOTYPE)
				why = errno;
		}
	}
	o->not_before_ms = now + o->conf->retry_interval_ms;
	return err_sys(err, why, "connect to the syslog daemon at %s", o->paths[0]);
}

/* ---- messages ---- */

static void put_time(struct buf *out)
{
	static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
	time_t t = time(NULL);
	struct tm tm;

	localtime_r(&t, &tm);
	buf_printf(out, "%.3s %2d %02d:%02d:%02d", months + 3 * tm.tm_mon, tm.tm_mday,
		   tm.tm_hour, tm.tm_min, tm.tm_sec);
}

static void compose(struct outlet_syslog *o, enum log_level level, struct view line)
{
	static const unsigned severities[] = {
		[LOG_DEBUG] = 7,
		[LOG_INFO] = 6,
		[LOG_WARN] = 4,
		[LOG_ERROR] = 3,
	};

	o->message.len = 0;
	buf_printf(&o->message, "<%u>", o->conf->facility * 8 + severities[level]);
	put_time(&o->message);
	buf_printf(&o->message, " zrepl[%d]: ", (int)getpid());
	buf_put(&o->message, line.p, line.len < MESSAGE_MAX ? line.len : MESSAGE_MAX);
}

static int send_datagram(struct outlet_syslog *o, struct err *err)
{
	struct pollfd p = { .fd = o->fd, .events = POLLOUT };

	for (;;) {
		int ready;

		if (send(o->fd, o->message.p, o->message.len,
			 MSG_NOSIGNAL | MSG_DONTWAIT) >= 0) {
			o->is_stuck = false;
			return 0;
		}
		if (errno == EINTR)
			continue;
		if (errno != EAGAIN)
			return err_sys(err, errno, "send to the syslog daemon");
		ready = poll(&p, 1, o->is_stuck ? 0 : OUTLET_STUCK_MS);
		if (ready < 0 && errno == EINTR)
			continue;
		o->is_stuck = ready <= 0;
		if (o->is_stuck)
			return err_set(err, ERR_TIMEOUT,
				       "the syslog daemon does not read");
	}
}

static int send_line(struct outlet_syslog *o, struct err *err)
{
	size_t put;

	if (o->message.p[o->message.len - 1] != '\n')
		buf_put(&o->message, "\n", 1);
	if (outlet_write_all(o->fd, buf_view(&o->message), &o->is_stuck, &put, err) == 0)
		return 0;
	if (put > 0) /* half a line: what follows must not be its other half */
		fd_closep(&o->fd);
	return err_wrap(err, "syslog daemon");
}

static int send_message(struct outlet_syslog *o, struct err *err)
{
	return o->type == SOCK_DGRAM ? send_datagram(o, err) : send_line(o, err);
}

/* A daemon that was started again has another socket of the same name. */
static int write_line(struct outlet *outlet, enum log_level level, struct view line,
		      struct err *err)
{
	struct outlet_syslog *o = CONTAINER_OF(outlet, struct outlet_syslog, outlet);

	compose(o, level, line);
	if (o->fd >= 0) {
		if (send_message(o, err) == 0)
			return 0;
		if (err_is(err, ERR_TIMEOUT))
			return -1;
		err_clear(err);
		fd_closep(&o->fd);
	}
	o->is_stuck = false;
	return connect_any(o, err) < 0 ? -1 : send_message(o, err);
}

static void close_syslog(struct outlet *outlet)
{
	struct outlet_syslog *o = CONTAINER_OF(outlet, struct outlet_syslog, outlet);

	fd_closep(&o->fd);
	buf_free(&o->message);
	free(o);
}

struct outlet *outlet_syslog_new(const struct conf_outlet *conf, const char *const *paths)
{
	static const struct outlet_ops ops = { write_line, NULL, close_syslog };
	struct outlet_syslog *o = xcalloc(1, sizeof(*o));

	*o = (struct outlet_syslog){
		.outlet.ops = &ops, .conf = conf, .paths = paths, .fd = -1
	};
	return &o->outlet;
}
