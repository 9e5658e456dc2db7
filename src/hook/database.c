#include "hook/database.h"

#include "base/buf.h"

#include <assert.h>

int database_connect(struct ctx *ctx, size_t n, int64_t end_ms, database_connect_fn *fn,
		     void *arg, struct err *err)
{
	cleanup(buf_free) struct buf said = { 0 };
	cleanup(err_clear) struct err e = ERR_INIT;
	bool is_final = false;

	assert(n > 0);
	for (size_t i = 0; i < n && !is_final; i++) {
		cleanup(ctx_freep) struct ctx *share = ctx_new(ctx);

		ctx_set_timeout(share, (end_ms - now_ms()) / (int64_t)(n - i));
		if (fn(share, arg, i, &is_final, &e) == 0)
			return 0;
		buf_printf(&said, "%s%s", i ? "; " : "", err_msg(&e));
		is_final |= ctx_done(ctx);
	}
	return err_set(err, e.kind, "%s", buf_str(&said));
}

char *database_said(const char *text, const char *password)
{
	size_t secret = password ? strlen(password) : 0;
	struct buf out = { 0 };
	bool blank = false;

	while (*text) {
		if ((unsigned char)*text <= ' ' || *text == 0x7f) {
			blank = true;
			text++;
			continue;
		}
		if (blank && out.len)
			buf_put(&out, " ", 1);
		blank = false;
		if (secret && strncmp(text, password, secret) == 0) {
			buf_put(&out, "***", 3);
			text += secret;
		} else {
			buf_put(&out, text++, 1);
		}
	}
	buf_put(&out, "", 0);
	return out.p ? buf_take(&out) : xstrdup("");
}
