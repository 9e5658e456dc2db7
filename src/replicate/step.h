/*
 * step.h - one transfer: send, receive, and tell the sender that it arrived.
 *
 * Whatever fails, the stream is ended and freed, and nothing is left running.
 */
#ifndef REPLICATE_STEP_H
#define REPLICATE_STEP_H

#include "base/log.h"
#include "endpoint/endpoint.h"
#include "replicate/plan.h"

struct step_job { /* all borrowed */
	struct endpoint *sender, *receiver;
	const struct log *log;
	const char *fs;
	const struct step *step;
	struct ep_protection protection;
	atomic_uint_fast64_t *moved;
};

struct ep_send_req step_send_req(const struct step_job *j); /* borrows like j */
/* "@a => @b", or "full @b"; the caller frees. */
char *step_text(const struct step *s) must_check;

/*
 * -1: when both sides failed the message has both, the sender's first; the kind is that
 * of a connection that failed (ERR_NETWORK, ERR_TIMEOUT), else the sender's.  A receiver
 * that fails to resume is ERR_BUSY: what it has may be more than its token said.
 *
 * An error of the sender after the receiver has got everything is only logged: the
 * receiver has checked what it has (compat: zrepl 0.7).
 */
int step_run(struct ctx *ctx, const struct step_job *j, struct err *err) must_check;

/* An error that may be gone when all is planned anew, once both sides can be reached. */
bool err_is_temporary(enum err_kind kind);

#endif
