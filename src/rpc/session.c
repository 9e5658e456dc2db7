#include "rpc/session.h"

int session_refuse(const struct session *s, const char *what, struct err *err)
{
	return err_set(err, ERR_INVALID, "a %s cannot be asked %s", s->ep->label, what);
}

void session_log_request(const struct session *s, const char *method)
{
	log_at(s->log, LOG_DEBUG,
	       LOG_FIELDS({ "method", method }, { "client_identity", s->client }),
	       "request");
}

void session_log_failure(const struct session *s, const char *method,
			 const struct err *why)
{
	/* we are being stopped: nobody's failure */
	enum log_level level = err_is(why, ERR_CANCELLED) ? LOG_DEBUG : LOG_WARN;

	log_at(s->log, level,
	       LOG_FIELDS({ "method", method }, { "client_identity", s->client },
			  { "err", err_msg(why) }),
	       "request failed");
}
