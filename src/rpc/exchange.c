#include "rpc/exchange.h"

#include "base/parse.h"
#include "codec/utf8.h"
#include "rpc/frame.h"

static const char ok[] = "HANDLER OK\n", failed[] = "HANDLER ERROR:\n";

void exchange_put_ok(struct buf *head)
{
	buf_put(head, ok, strlen(ok));
}

void exchange_put_error(struct buf *head, const char *why)
{
	buf_put(head, failed, strlen(failed));
	utf8_put(head, view_of(why), FRAME_ERROR_TEXT_MAX);
}

int exchange_get_head(struct view head, struct err *err)
{
	cleanup(buf_free) struct buf why = { 0 };

	if (view_skip(&head, ok)) /* peers look no further either */
		return 0;
	if (!view_skip(&head, failed))
		return err_set(err, ERR_PROTOCOL,
			       "a response begins neither with OK nor with an error");
	utf8_put(&why, head, FRAME_ERROR_TEXT_MAX);
	return err_set(err, ERR_REMOTE, "%s",
		       why.len > 0 ? buf_str(&why) : "the peer does not say why");
}
