#include "conf/value.h"

#include "base/parse.h"
#include "conf/config.h"

#include <string.h>

/* ---- host:port ---- */

/*
 * compat: zrepl 0.7: exactly one colon outside of brackets, and brackets only around the
 * whole host; host and port may be empty.  Returns the port, or NULL and *why.
 */
static const char *split(const char *text, struct view *host, const char **why)
{
	const char *colon = strrchr(text, ':');
	bool in_brackets = *text == '[';

	if (!colon) {
		*why = "has no port";
		return NULL;
	}
	*host = (struct view){ text, (size_t)(colon - text) };
	if (in_brackets && text[host->len - 1] != ']') {
		*why = text[strlen(text) - 1] == ']' ? "has no port behind its ']'"
						     : "has no ']' before its port";
		return NULL;
	}
	if (in_brackets)
		*host = (struct view){ text + 1, host->len - 2 };
	else if (memchr(host->p, ':', host->len)) {
		*why = "has several colons; an IPv6 address belongs into brackets";
		return NULL;
	}
	if (memchr(host->p, '[', host->len) || memchr(host->p, ']', host->len) ||
	    strpbrk(colon, "[]")) {
		*why = "has a bracket at an odd place";
		return NULL;
	}
	return colon + 1;
}

/* compat: zrepl 0.7 accepts any; nothing will ever be there.  A name may be known to
 * services(5). */
static void warn_of_port(struct schema *s, const struct yaml_node *n, const char *text,
			 const char *port)
{
	cleanup(err_clear) struct err unused = ERR_INIT;
	bool is_number = strspn(port, "0123456789+- ") == strlen(port);
	uint64_t v;

	if (!*port)
		schema_warn(s, n, "\"%.100s\" has an empty port", text);
	else if (is_number &&
		 (parse_u64(view_of(port), &v, &unused) < 0 || v > UINT16_MAX))
		schema_warn(s, n, "\"%.100s\": the port is not in 0 to %d", text,
			    UINT16_MAX);
}

static int decode_hostport(struct schema *s, const struct schema_type *t,
			   const struct yaml_node *n, void *out)
{
	struct conf_hostport *hp = out;
	const char *text, *port, *why;
	struct view host;

	if (schema_text(s, n, t->want, &text) < 0)
		return -1;
	if (!(port = split(text, &host, &why)))
		return schema_fail(s, n, "\"%.100s\" %s; want %s", text, why, t->want);
	warn_of_port(s, n, text, port);
	hp->host = arena_printf(s->arena, "%.*s", (int)host.len, host.p);
	hp->port = arena_strdup(s->arena, port);
	return 0;
}

const struct schema_type value_hostport = {
	.decode = decode_hostport,
	.see = "Addresses",
	.want = "HOST:PORT, such as backup1:8888, [2001:db8::1]:8888 or :8888",
	.size = sizeof(struct conf_hostport),
};

/* ---- clients ---- */

static void free_ipmap(void *p)
{
	ipmap_free(p);
}

static const struct schema_type client_identity = {
	.decode = schema_decode_string,
	.want = "the client's identity, such as db1, or for a network db-*",
};

/* map: NULL: the key is not to be used. */
static int decode_client(struct schema *s, const struct yaml_item *item,
			 struct ipmap *map, struct conf_client *out)
{
	cleanup(err_clear) struct err why = ERR_INIT;

	if (item->value->kind == YAML_NULL)
		return schema_fail_type(s, item->value, client_identity.want);
	if (schema_decode_string(s, &client_identity, item->value, &out->identity) < 0)
		return -1;
	out->address = arena_strdup(s->arena, item->key->text);
	if (map && ipmap_add(map, out->address, out->identity, &why) < 0)
		return schema_fail_err(s, item->key, &why);
	return 0;
}

static int decode_clients(struct schema *s, const struct schema_type *t,
			  const struct yaml_node *n, void *out)
{
	struct conf_serve *c = out;
	struct conf_client *v;
	struct ipmap *map;
	bool *skip;
	int r;

	if (n->kind != YAML_MAP)
		return schema_fail_type(s, n, t->want);
	r = schema_check_free_keys(s, n, &skip);
	map = ipmap_new();
	arena_defer(s->arena, free_ipmap, map);
	v = arena_alloc(s->arena, n->n_items, sizeof(*v));
	for (size_t i = 0; i < n->n_items; i++) {
		size_t mark = schema_enter(s, "[\"%.60s\"]", n->items[i].key->text);

		if (decode_client(s, &n->items[i], skip[i] ? NULL : map, &v[i]) < 0)
			r = -1;
		schema_leave(s, mark);
	}
	c->clients = map;
	c->client_texts = v;
	c->n_client_texts = n->n_items;
	return r;
}

const struct schema_type value_clients = {
	.decode = decode_clients,
	.want = "a map of addresses to identities, such as {192.0.2.7: db1, "
		"10.0.0.0/8: \"lan-*\"}",
};

const struct schema_type value_identities = {
	.decode = schema_decode_list,
	.want = "a list of identities of clients, such as [db1, db2]",
	.size = sizeof(struct schema_list),
	.element = &value_identity,
};

/* ---- TLS ---- */

const struct schema_type value_pem_file = {
	.decode = schema_decode_string,
	.want = "the path of a PEM file",
	.size = sizeof(const char *),
};

/* ---- ssh ---- */

const struct schema_type value_ssh_options = {
	.decode = schema_decode_list,
	.want = "a list of options for ssh -o, such as [Compression=yes]",
	.size = sizeof(struct schema_list),
	.element = &schema_string,
};

static int decode_ignored(struct schema *s, const struct schema_type *t,
			  const struct yaml_node *n, void *out)
{
	struct schema_list ignored;

	(void)out;
	return schema_decode_list(s, t, n, &ignored);
}

const struct schema_type value_ignored_texts = {
	.decode = decode_ignored,
	.want = "a list of texts",
	.size = sizeof(struct schema_list),
	.element = &schema_string,
};
