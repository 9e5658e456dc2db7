/*
 * send_policy.h - what a sender may let out.  Pure.
 *
 *	send.encrypted  send.raw   the filesystem is encrypted
 *	true            any        yes: ok        no: refused
 *	false           true       yes: refused   no: ok
 *	false           false      ok
 *
 * (compat: zrepl 0.7).  `encrypted` promises that nothing leaves this host in the clear;
 * without it, that encrypted filesystems do not end up where nobody has their key.  A
 * resumed stream is raw or not as its token says, whatever the flags.
 *
 * A token alone decides what zfs send sends, so a peer that made one up could have any
 * dataset of this host: it must mean exactly what the request says.
 *
 * All errors are ERR_DENIED.
 */
#ifndef ENDPOINT_SEND_POLICY_H
#define ENDPOINT_SEND_POLICY_H

#include "codec/resume_token.h"
#include "endpoint/endpoint.h"

int send_policy_token(const struct ep_send_req *req, const struct resume_token *t,
		      struct err *err) must_check;

/* Does the answer of send_policy_check() depend on is_encrypted?  t NULL: no token. */
bool send_policy_asks(const struct conf_send *flags, const struct resume_token *t);

int send_policy_check(const struct conf_send *flags, const struct resume_token *t,
		      const char *fs, bool is_encrypted, struct err *err) must_check;

#endif
