#include "replicate/step.h"

#include <string.h>

bool err_is_temporary(enum err_kind kind)
{
	return kind == ERR_NETWORK || kind == ERR_TIMEOUT || kind == ERR_BUSY;
}

char *step_text(const struct step *s)
{
	const char *resumed = s->token ? " (resumed)" : "";

	if (!s->has_from)
		return xasprintf("full @%s%s", s->to.name, resumed);
	return xasprintf("%c%s => @%s%s", version_sigil(&s->from), s->from.name,
			 s->to.name, resumed);
}

struct ep_send_req step_send_req(const struct step_job *j)
{
	return (struct ep_send_req){
		.fs = j->fs,
		.from = j->step->has_from ? &j->step->from : NULL,
		.to = &j->step->to,
		.token = j->step->token,
		.protection = j->protection,
	};
}

/* Both errors are there; of the sender's, only one that it did not owe to us. */
static int both_failed(struct err *s, struct err *r, struct err *err)
{
	enum err_kind kind = err_is_temporary(r->kind) ? r->kind : s->kind;

	/* Who looked at the stream first has heard from its sender what became of it. */
	if (err_is(s, ERR_CANCELLED) || strstr(err_msg(r), err_msg(s))) {
		err_move(err, r);
		return err_wrap(err, "receive");
	}
	return err_set(err, kind, "send: %s; receive: %s", err_msg(s), err_msg(r));
}

/*
 * What the receiver has may have grown since we read its token: the rest of what a lost
 * connection had brought went on being written.  Then zfs receive refuses the stream, and
 * planned anew, with another token, the step will do.
 */
static void forgive_stale_token(const struct step_job *j, struct err *err)
{
	if (j->step->token && (err_is(err, ERR_CHILD) || err_is(err, ERR_REMOTE)))
		err->kind = ERR_BUSY;
}

static int transfer(struct ctx *ctx, const struct step_job *j, struct ep_stream *stream,
		    struct err *err)
{
	cleanup(err_clear) struct err s = ERR_INIT, r = ERR_INIT;
	struct ep_recv_req req = {
		.fs = j->fs,
		.to = &j->step->to,
		.clear_token = !j->step->token,
		.protection = j->protection,
		.moved = j->moved,
	};
	int received = j->receiver->ops->receive(ctx, j->receiver, &req, stream, &r);
	int sent = stream_finish(stream, &s);

	if (received < 0)
		forgive_stale_token(j, &r);
	if (received < 0 && sent < 0)
		return both_failed(&s, &r, err);
	if (received < 0) {
		err_move(err, &r);
		return err_wrap(err, "receive");
	}
	if (sent < 0 && !err_is(&s, ERR_CANCELLED))
		log_at(j->log, LOG_WARN,
		       LOG_FIELDS({ "filesystem", j->fs }, { "err", err_msg(&s) }),
		       "received @%s, although sending it ended with an error",
		       j->step->to.name);
	return 0;
}

int step_run(struct ctx *ctx, const struct step_job *j, struct err *err)
{
	struct ep_send_req req = step_send_req(j);
	struct ep_stream *stream;

	if (j->sender->ops->send(ctx, j->sender, &req, &stream, err) < 0)
		return err_wrap(err, "send");
	if (transfer(ctx, j, stream, err) < 0)
		return -1;
	if (j->sender->ops->send_completed(ctx, j->sender, &req, err) < 0)
		return err_wrap(err, "confirm to the sender");
	return 0;
}
