#include "codec/mysql_dsn.h"

#include "base/parse.h"
#include "base/vec.h"

static const char want[] = "want USER:PASSWORD@tcp(HOST:PORT)/ or "
			   "USER:PASSWORD@unix(PATH)/";

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* NULL: a '%' without two digits, or one that makes a NUL. */
static char *url_decode(struct view v)
{
	cleanup(buf_free) struct buf b = { 0 };

	for (size_t i = 0; i < v.len; i++) {
		char c = v.p[i] == '+' ? ' ' : v.p[i];
		int high, low;

		if (c == '%') {
			if (v.len - i < 3)
				return NULL;
			high = hex_digit(v.p[i + 1]);
			low = hex_digit(v.p[i + 2]);
			c = (char)(high * 16 + low);
			if (high < 0 || low < 0 || c == '\0')
				return NULL;
			i += 2;
		}
		buf_put(&b, &c, 1);
	}
	return buf_take(&b);
}

static void free_param(struct mysql_dsn_param *p)
{
	free(p->name);
	free(p->value);
}

static int parse_params(struct view text, struct mysql_dsn_params *to, struct err *err)
{
	while (text.p) {
		struct view value = parse_field(&text, '&');
		struct view name = parse_field(&value, '=');
		struct mysql_dsn_param p;

		if (!value.p)
			continue; /* compat: zrepl 0.7 ignores it */
		p = (struct mysql_dsn_param){ url_decode(name), url_decode(value) };
		if (!p.name || !p.value) {
			free_param(&p);
			return err_set(err, ERR_INVALID,
				       "a '%%' in the parameters is not followed by two "
				       "hexadecimal digits; write %%25 for it");
		}
		VEC_PUSH(to, p);
	}
	return 0;
}

/* HOST, HOST:PORT, [IPV6], [IPV6]:PORT; each part may be empty. */
static int parse_tcp(struct view address, struct mysql_dsn *d, struct err *err)
{
	struct view host, port = { 0 };
	uint64_t n;

	if (view_skip(&address, "[")) {
		host = parse_field(&address, ']');
		if (!address.p || (address.len > 0 && address.p[0] != ':'))
			return err_set(err, ERR_INVALID,
				       "the address is malformed; write e.g. "
				       "tcp([::1]:3306)");
		view_skip(&address, ":");
		port = address;
	} else {
		host = parse_field(&address, ':');
		if (address.p)
			port = address;
		if (port.len > 0 && memchr(port.p, ':', port.len))
			return err_set(err, ERR_INVALID,
				       "the address has more than one ':'; write an IPv6 "
				       "address as in tcp([::1]:3306)");
	}
	if (port.len > 0 && (!parse_digits(port, 10, &n) || n == 0 || n > 65535))
		return err_set(err, ERR_INVALID,
			       "the port is not a number from 1 to 65535; write e.g. "
			       "tcp(localhost:3306)");
	d->host = host.len > 0 ? view_dup(host) : xstrdup("127.0.0.1");
	d->port = port.len > 0 ? view_dup(port) : xstrdup("3306");
	return 0;
}

static int parse_address(struct view text, struct mysql_dsn *d, struct err *err)
{
	struct view address = text, net = parse_field(&address, '(');

	if (address.p) {
		if (address.len == 0 || address.p[address.len - 1] != ')')
			return err_set(err, ERR_INVALID,
				       "the address does not end in ')'; %s", want);
		address.len--;
	}
	if (net.len == 0 || view_eq(net, VIEW("tcp")))
		return parse_tcp(address, d, err);
	/* What stands there may be a part of the password: it is not shown. */
	if (!view_eq(net, VIEW("unix")))
		return err_set(err, ERR_INVALID,
			       "the network is neither tcp nor unix; %s", want);
	d->socket = address.len > 0 ? view_dup(address) : xstrdup("/tmp/mysql.sock");
	return 0;
}

static struct view before(struct view v, const char *end)
{
	return (struct view){ v.p, (size_t)(end - v.p) };
}

static struct view after(struct view v, const char *end)
{
	return (struct view){ end + 1, v.len - (size_t)(end + 1 - v.p) };
}

static int parse(struct view text, struct mysql_dsn *d, struct err *err)
{
	const char *slash = memrchr(text.p, '/', text.len), *at;
	struct view head, database, user = { 0 }, password;

	if (!slash)
		return err_set(err, ERR_INVALID,
			       "there is no '/' before the name of the database; %s",
			       want);
	head = before(text, slash);
	at = memrchr(head.p, '@', head.len);
	if (at) {
		user = before(head, at);
		head = after(head, at);
	}
	text = after(text, slash);
	database = parse_field(&text, '?');
	password = user;
	user = parse_field(&password, ':');
	d->user = view_dup(user);
	d->password = view_dup(password);
	d->database = view_dup(database);
	return parse_address(head, d, err) < 0 || parse_params(text, &d->params, err) < 0
		       ? -1
		       : 0;
}

int mysql_dsn_parse(const char *text, struct mysql_dsn *out, struct err *err)
{
	struct mysql_dsn d = { 0 };

	if (parse(view_of(text), &d, err) < 0) {
		mysql_dsn_free(&d);
		return -1;
	}
	*out = d;
	return 0;
}

void mysql_dsn_free(struct mysql_dsn *d)
{
	struct mysql_dsn_param *p;

	VEC_FOREACH (p, &d->params)
		free_param(p);
	free(d->params.v);
	free(d->user);
	free(d->password);
	free(d->host);
	free(d->port);
	free(d->socket);
	free(d->database);
	*d = (struct mysql_dsn){ 0 };
}
