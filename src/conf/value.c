#include "conf/value.h"

#include "codec/dsname.h"
#include "codec/size.h"
#include "conf/config.h"

#include <string.h>
#include <sys/un.h>

/* ---- names ---- */

typedef int check_fn(const char *text, struct err *err);

/* A text that check accepts. */
static int decode_checked(struct schema *s, const struct schema_type *t,
			  const struct yaml_node *n, check_fn *check, void *out)
{
	cleanup(err_clear) struct err why = ERR_INIT;
	const char *text;

	if (schema_text(s, n, t->want, &text) < 0)
		return -1;
	if (check(text, &why) < 0)
		return schema_fail_want(s, n, &why, t->want);
	return schema_string.decode(s, t, n, out);
}

static int decode_job_name(struct schema *s, const struct schema_type *t,
			   const struct yaml_node *n, void *out)
{
	return decode_checked(s, t, n, dsname_check_job, out);
}

const struct schema_type value_job_name = {
	.decode = decode_job_name,
	.see = "Names",
	.want = "a name such as prod_to_backup1, of at most 203 letters, digits, - _ . : "
		"and spaces, that does not begin with _",
	.size = sizeof(const char *),
};

static int decode_identity(struct schema *s, const struct schema_type *t,
			   const struct yaml_node *n, void *out)
{
	return decode_checked(s, t, n, dsname_check_component, out);
}

const struct schema_type value_identity = {
	.decode = decode_identity,
	.see = "Names",
	.want = "the name of a client such as db1, which becomes a dataset below the "
		"sink's root_fs",
	.size = sizeof(const char *),
};

static int check_root_fs(const char *text, struct err *err)
{
	if (!*text)
		return err_set(err, ERR_INVALID, "the path is empty");
	return dsname_check_lenient(text, err);
}

static int decode_root_fs(struct schema *s, const struct schema_type *t,
			  const struct yaml_node *n, void *out)
{
	return decode_checked(s, t, n, check_root_fs, out);
}

const struct schema_type value_root_fs = {
	.decode = decode_root_fs,
	.want = "a dataset such as tank/backups",
	.size = sizeof(const char *),
};

static int check_socket(const char *text, struct err *err)
{
	if (!*text)
		return err_set(err, ERR_INVALID, "the path is empty");
	if (strlen(text) >= sizeof(((struct sockaddr_un *)NULL)->sun_path))
		return err_set(err, ERR_INVALID, "the path has %zu bytes", strlen(text));
	return 0;
}

static int decode_socket(struct schema *s, const struct schema_type *t,
			 const struct yaml_node *n, void *out)
{
	return decode_checked(s, t, n, check_socket, out);
}

const struct schema_type value_socket = {
	.decode = decode_socket,
	.want = "the path of a unix socket, of 1 to 107 bytes",
	.size = sizeof(const char *),
};

const struct schema_type value_listener = {
	.decode = schema_decode_string,
	.want = "the name by which two jobs of this daemon find each other",
	.size = sizeof(const char *),
};

const struct schema_type value_prefix = {
	.decode = schema_decode_string,
	.want = "what snapshot names begin with, such as zrepl_",
	.size = sizeof(const char *),
};

/* ---- filter, regex, grid ---- */

static void free_filter(void *p)
{
	dsfilter_free(p);
}

static int decode_pattern(struct schema *s, const struct yaml_item *item, bool skip_key,
			  struct dsfilter *out)
{
	cleanup(err_clear) struct err why = ERR_INIT;
	bool accept = false;
	int r = 0;

	if (!yaml_bool(item->value, &accept))
		r = schema_fail_type(s, item->value, schema_bool.want);
	if (!skip_key && dsfilter_add(out, item->key->text, accept, &why) < 0)
		r = schema_fail_want(s, item->key, &why,
				     "a dataset such as tank/data, with a '<' behind it "
				     "for what is below, too");
	return r;
}

static int decode_filesystems(struct schema *s, const struct schema_type *t,
			      const struct yaml_node *n, void *out)
{
	bool *skip;
	int r;

	if (n->kind != YAML_MAP)
		return schema_fail_type(s, n, t->want);
	r = schema_check_free_keys(s, n, &skip);
	arena_defer(s->arena, free_filter, out);
	for (size_t i = 0; i < n->n_items; i++) {
		size_t mark = schema_enter(s, "[\"%.60s\"]", n->items[i].key->text);

		if (decode_pattern(s, &n->items[i], skip[i], out) < 0)
			r = -1;
		schema_leave(s, mark);
	}
	return r;
}

const struct schema_type value_filesystems = {
	.decode = decode_filesystems,
	.see = "Filters",
	.want = "a map of patterns to true or false, such as {\"tank/data<\": true}",
	.size = sizeof(struct dsfilter),
};

static void free_regex(void *p)
{
	regex_free(p);
}

static int decode_regex(struct schema *s, const struct schema_type *t,
			const struct yaml_node *n, void *out)
{
	cleanup(err_clear) struct err why = ERR_INIT;
	struct regex *regex;
	const char *text;

	if (schema_text(s, n, t->want, &text) < 0)
		return -1;
	if (!*text)
		return 0;
	if (!(regex = regex_new(text, &why)))
		return schema_fail_want(s, n, &why, t->want);
	arena_defer(s->arena, free_regex, regex);
	memcpy(out, &regex, sizeof(regex));
	return 0;
}

const struct schema_type value_regex = {
	.decode = decode_regex,
	.see = "Regular expressions",
	.want = "a regular expression in RE2's syntax, such as ^zrepl_",
	.size = sizeof(struct regex *),
};

static void free_grid(void *p)
{
	grid_free(p);
}

static int decode_grid(struct schema *s, const struct schema_type *t,
		       const struct yaml_node *n, void *out)
{
	cleanup(err_clear) struct err why = ERR_INIT;
	const char *text;

	if (schema_text(s, n, t->want, &text) < 0)
		return -1;
	if (grid_parse(text, out, &why) < 0)
		return schema_fail_err(s, n, &why);
	arena_defer(s->arena, free_grid, out);
	return 0;
}

const struct schema_type value_grid = {
	.decode = decode_grid,
	.see = "Grids",
	.want = "a grid such as '1x1h(keep=all) | 24x1h | 30x1d'",
	.size = sizeof(struct grid),
};

/* ---- properties ---- */

static int decode_property(struct schema *s, const struct schema_type *t,
			   const struct yaml_node *n, void *out)
{
	return decode_checked(s, t, n, dsname_check_property, out);
}

static const struct schema_type property_name = {
	.decode = decode_property,
	.want = "the name of a property, such as mountpoint",
	.size = sizeof(const char *),
};

const struct schema_type value_properties = {
	.decode = schema_decode_list,
	.want = "a list of names of properties, such as [mountpoint]",
	.size = sizeof(struct schema_list),
	.element = &property_name,
};

static int decode_override(struct schema *s, const struct yaml_item *item, bool skip_key,
			   struct conf_property *out)
{
	static const struct schema_type value = {
		.want = "a text, the value of the property",
	};
	int r = 0;

	if (!skip_key &&
	    property_name.decode(s, &property_name, item->key, &out->name) < 0)
		r = -1;
	if (item->value->kind == YAML_NULL)
		return schema_fail_type(s, item->value, value.want);
	return schema_decode_string(s, &value, item->value, &out->value) < 0 ? -1 : r;
}

static int decode_overrides(struct schema *s, const struct schema_type *t,
			    const struct yaml_node *n, void *out)
{
	struct schema_list *list = out;
	struct conf_property *v;
	bool *skip;
	int r;

	if (n->kind == YAML_NULL)
		return 0;
	if (n->kind != YAML_MAP)
		return schema_fail_type(s, n, t->want);
	r = schema_check_free_keys(s, n, &skip);
	v = arena_alloc(s->arena, n->n_items, sizeof(*v));
	for (size_t i = 0; i < n->n_items; i++) {
		size_t mark = schema_enter(s, "[\"%.60s\"]", n->items[i].key->text);

		if (decode_override(s, &n->items[i], skip[i], &v[i]) < 0)
			r = -1;
		schema_leave(s, mark);
	}
	*list = (struct schema_list){ v, n->n_items };
	return r;
}

const struct schema_type value_overrides = {
	.decode = decode_overrides,
	.want = "a map of properties to values, such as {canmount: \"off\"}",
	.size = sizeof(struct schema_list),
};

/* ---- sizes ---- */

static int decode_size(struct schema *s, const struct schema_type *t,
		       const struct yaml_node *n, void *out)
{
	cleanup(err_clear) struct err why = ERR_INIT;
	int64_t bytes = 0;
	const char *text;

	if (schema_text(s, n, t->want, &text) < 0)
		return -1;
	if (n->kind != YAML_NULL && size_parse(text, &bytes, &why) < 0)
		return schema_fail_err(s, n, &why);
	memcpy(out, &bytes, sizeof(bytes));
	return 0;
}

const struct schema_type value_size = {
	.decode = decode_size,
	.see = "Sizes",
	.want = "a size such as 10 MiB, or -1 B for no limit",
	.size = sizeof(int64_t),
};
