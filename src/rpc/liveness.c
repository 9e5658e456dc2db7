#include "rpc/liveness.h"

void liveness_start(struct liveness *l, int64_t now)
{
	*l = (struct liveness){ .sent = now, .read_since = -1, .write_since = -1 };
}

void liveness_sent_frame(struct liveness *l, int64_t now)
{
	l->sent = now;
}

static void turn(int64_t *since, bool on, int64_t now)
{
	if (!on)
		*since = -1;
	else if (*since < 0)
		*since = now;
}

static void renew(int64_t *since, int64_t now)
{
	if (*since >= 0)
		*since = now;
}

void liveness_reading(struct liveness *l, bool reading, int64_t now)
{
	turn(&l->read_since, reading, now);
}

void liveness_writing(struct liveness *l, bool writing, int64_t now)
{
	turn(&l->write_since, writing, now);
}

void liveness_read_bytes(struct liveness *l, int64_t now)
{
	renew(&l->read_since, now);
}

void liveness_wrote_bytes(struct liveness *l, int64_t now)
{
	renew(&l->write_since, now);
}

void liveness_got_heartbeat(struct liveness *l, int64_t now)
{
	renew(&l->write_since, now);
}

enum liveness_due liveness_due(const struct liveness *l, int64_t now)
{
	if (l->read_since >= 0 && now - l->read_since >= LIVENESS_IDLE_MS)
		return LIVENESS_READ_TIMEOUT;
	if (l->write_since >= 0 && now - l->write_since >= LIVENESS_IDLE_MS)
		return LIVENESS_WRITE_TIMEOUT;
	if (l->write_since < 0 && now - l->sent >= LIVENESS_HEARTBEAT_MS)
		return LIVENESS_SEND_HEARTBEAT;
	return LIVENESS_NOTHING;
}

int64_t liveness_next(const struct liveness *l)
{
	int64_t next = INT64_MAX;

	if (l->write_since < 0)
		next = l->sent + LIVENESS_HEARTBEAT_MS;
	if (l->write_since >= 0)
		next = l->write_since + LIVENESS_IDLE_MS;
	if (l->read_since >= 0 && l->read_since + LIVENESS_IDLE_MS < next)
		next = l->read_since + LIVENESS_IDLE_MS;
	return next;
}
