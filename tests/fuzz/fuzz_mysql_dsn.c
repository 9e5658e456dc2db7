/* Names of MySQL data sources: what is accepted is whole, and errors show none of it. */
#include "base/parse.h"
#include "codec/mysql_dsn.h"

#include <assert.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(const struct mysql_dsn *d)
{
	uint64_t port;

	assert(d->user && d->password && d->database);
	assert(!strchr(d->user, ':') && !strchr(d->database, '/'));
	assert(!d->socket == !!d->host && !d->host == !d->port);
	if (d->socket)
		assert(*d->socket);
	if (d->host) {
		assert(*d->host && parse_digits(view_of(d->port), 10, &port));
		assert(port >= 1 && port <= 65535);
	}
	for (size_t i = 0; i < d->params.n; i++)
		assert(d->params.v[i].name && d->params.v[i].value);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	cleanup(str_freep) char *text =
		view_dup((struct view){ (const char *)data, size });
	cleanup(err_clear) struct err e = ERR_INIT;
	struct mysql_dsn d = { 0 };

	if (mysql_dsn_parse(text, &d, &e) < 0) {
		assert(e.kind == ERR_INVALID && !d.user && !d.params.v);
		for (const char *p = err_msg(&e); *p; p++)
			assert((unsigned char)*p >= ' ' && (unsigned char)*p < 0x7f);
		return 0;
	}
	check(&d);
	mysql_dsn_free(&d);
	assert(!d.user && !d.params.v);
	return 0;
}
