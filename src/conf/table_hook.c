#include "conf/tables.h"

#include "conf/value.h"

#include <ctype.h>
#include <string.h>

#if HAVE_LIBPQ
#include <libpq-fe.h>
#endif

#define AT(member) offsetof(struct conf_hook, member)

/* ---- command ---- */

/* compat: zrepl 0.7 resolves it through PATH, or from the working directory. */
static int decode_path(struct schema *s, const struct schema_type *t,
		       const struct yaml_node *n, void *out)
{
	const char *path;

	if (schema_decode_string(s, t, n, &path) < 0)
		return -1;
	if (*path != '/')
		schema_warn(
			s, n,
			"\"%.100s\" is not an absolute path, and what it means depends "
			"on how the daemon is started; write the whole path",
			path);
	memcpy(out, &path, sizeof(path));
	return 0;
}

static const struct schema_type path_type = {
	.decode = decode_path,
	.want = "the path of a program",
	.size = sizeof(const char *),
};

static const char everything[] = "{\"<\": true}";

static void free_filter(void *p)
{
	dsfilter_free(p);
}

static int decode_filesystems(struct schema *s, const struct schema_type *t,
			      const struct yaml_node *n, void *out)
{
	cleanup(err_clear) struct err why = ERR_INIT;

	if (n->kind == YAML_SCALAR && n->is_plain && strcmp(n->text, everything) == 0) {
		arena_defer(s->arena, free_filter, out);
		return dsfilter_add(out, "<", true, &why) < 0
			       ? schema_fail_err(s, n, &why)
			       : 0;
	}
	if (n->kind == YAML_NULL || (n->kind == YAML_MAP && n->n_items == 0)) {
		schema_warn(s, n,
			    "is %s: the hook matches no filesystem and never runs; "
			    "remove the key for all filesystems",
			    n->kind == YAML_NULL ? "null" : "empty");
		return 0;
	}
	return value_filesystems.decode(s, t, n, out);
}

/* As value_filesystems, but may be absent, and empty. */
static const struct schema_type filesystems_type = {
	.decode = decode_filesystems,
	.see = "Filters",
	.want = "a map of patterns to true or false, such as {\"tank/data<\": true}",
	.size = sizeof(struct dsfilter),
};

/* ---- databases ---- */

#if HAVE_LIBPQ
/* What libpq says may quote a password, above all if this is a connection string for
 * MySQL; only which option it does not know is passed on. */
static const char *showable(const char *dsn, const char *why)
{
	if (strstr(why, "missing \"=\""))
		return "a word in it has no '='";
	if (!strstr(why, "invalid connection option") || strcasestr(dsn, "pass") ||
	    strchr(dsn, '@') || strstr(dsn, "://"))
		return "";
	return why;
}

static int decode_postgres_dsn(struct schema *s, const struct schema_type *t,
			       const struct yaml_node *n, void *out)
{
	PQconninfoOption *options;
	char *why = NULL;
	const char *text;
	int r = 0;

	if (schema_text(s, n, t->want, &text) < 0)
		return -1;
	options = PQconninfoParse(text, &why);
	if (!options) {
		const char *shown = why ? showable(text, why) : "";
		size_t len = strlen(shown);

		while (len > 0 && isspace((unsigned char)shown[len - 1]))
			len--;
		r = schema_fail(s, n, "libpq does not understand it%s%.*s; want %s",
				len ? ": " : "", (int)len, shown, t->want);
	}
	PQfreemem(why);
	PQconninfoFree(options);
	return r < 0 ? -1 : schema_decode_string(s, t, n, out);
}
#else
#define decode_postgres_dsn schema_decode_string
#endif

static const struct schema_type postgres_dsn_type = {
	.decode = decode_postgres_dsn,
	.want = "a connection string such as \"host=/run/postgresql user=postgres "
		"dbname=postgres\" (quote values with spaces), or a postgresql:// URL",
	.size = sizeof(const char *),
};

static void free_mysql_dsn(void *p)
{
	mysql_dsn_free(p);
}

/* out: the whole struct conf_hook. */
static int decode_mysql_dsn(struct schema *s, const struct schema_type *t,
			    const struct yaml_node *n, void *out)
{
	cleanup(err_clear) struct err why = ERR_INIT;
	struct conf_hook *h = out;

	if (schema_decode_string(s, t, n, &h->dsn) < 0)
		return -1;
	if (mysql_dsn_parse(h->dsn, &h->mysql, &why) < 0)
		return schema_fail_err(s, n, &why);
	arena_defer(s->arena, free_mysql_dsn, &h->mysql);
	return 0;
}

static const struct schema_type mysql_dsn_type = {
	.decode = decode_mysql_dsn,
	.want = "USER:PASSWORD@NET(ADDRESS)/DBNAME, such as "
		"root@unix(/run/mysqld/mysqld.sock)/",
};

/* ---- tables ---- */

static const struct schema_key command_keys[] = {
	REQUIRED("path", &path_type, AT(path),
		 "The program, run without arguments before and after each snapshot. See "
		 "[Command hooks](#command-hooks)."),
	DEFAULT("timeout", &schema_gdur_positive, AT(timeout_ms), "30s",
		"The program and all it has started are killed after so long, and the "
		"hook has failed."),
	DEFAULT("filesystems", &filesystems_type, AT(filesystems), everything,
		"The filesystems at whose snapshots the hook runs."),
	DEFAULT("err_is_fatal", &schema_bool, AT(err_is_fatal), "false",
		"If the hook fails before the snapshot, no snapshot is taken of that "
		"filesystem."),
};
static const struct schema_key postgres_keys[] = {
	REQUIRED("dsn", &postgres_dsn_type, AT(dsn),
		 "Whom to connect to as libpq understands it; the user needs the right "
		 "to `CHECKPOINT`."),
	REQUIRED("filesystems", &value_filesystems, AT(filesystems),
		 "The filesystems with files of this server."),
	DEFAULT("timeout", &schema_gdur_positive, AT(timeout_ms), "30s",
		"Connecting and the checkpoint together are given up after so long."),
	DEFAULT("err_is_fatal", &schema_bool, AT(err_is_fatal), "false",
		"If the checkpoint fails, no snapshot is taken of that filesystem."),
};
static const struct schema_key mysql_keys[] = {
	REQUIRED("dsn", &mysql_dsn_type, 0,
		 "Whom to connect to: user, password, address, database and parameters "
		 "as in `root:secret@tcp(127.0.0.1:3306)/?tls=true`."),
	REQUIRED("filesystems", &value_filesystems, AT(filesystems),
		 "The filesystems with files of this server."),
	DEFAULT("timeout", &schema_gdur_positive, AT(timeout_ms), "30s",
		"Connecting and locking together are given up after so long, and so is "
		"unlocking."),
	DEFAULT("err_is_fatal", &schema_bool, AT(err_is_fatal), "false",
		"If the tables cannot be locked, no snapshot is taken of that "
		"filesystem."),
};
static const struct schema_table command_table =
	SCHEMA_TABLE("a command hook", command_keys, NULL);
static const struct schema_table postgres_table =
	SCHEMA_TABLE("a postgres-checkpoint hook", postgres_keys, NULL);
static const struct schema_table mysql_table =
	SCHEMA_TABLE("a mysql-lock-tables hook", mysql_keys, NULL);

#if HAVE_LIBPQ
#define POSTGRES_REFUSAL NULL
#else
#define POSTGRES_REFUSAL                                                        \
	"this zrepl was built without libpq, which postgres-checkpoint needs; " \
	"install one with it, or use a command hook"
#endif
#if HAVE_LIBMARIADB
#define MYSQL_REFUSAL NULL
#else
#define MYSQL_REFUSAL                                                              \
	"this zrepl was built without libmariadb, which mysql-lock-tables needs; " \
	"install one with it, or use a command hook"
#endif

static const struct schema_variant hook_variants[] = {
	{ "command", HOOK_COMMAND, &command_table, NULL,
	  "Runs a program before and after the snapshot." },
	{ "postgres-checkpoint", HOOK_POSTGRES_CHECKPOINT, &postgres_table,
	  POSTGRES_REFUSAL,
	  "Has a PostgreSQL server write everything to its files before the snapshot. "
	  "Needs a zrepl built with libpq." },
	{ "mysql-lock-tables", HOOK_MYSQL_LOCK_TABLES, &mysql_table, MYSQL_REFUSAL,
	  "Locks all tables of a MySQL or MariaDB server until the snapshot is taken. "
	  "Needs a zrepl built with libmariadb." },
};
static const struct schema_union hook_union =
	SCHEMA_UNION("hook type", hook_variants, AT(type));
static const struct schema_type hook_type = {
	.decode = schema_decode_union,
	.want = "a hook such as {type: command, path: /usr/local/bin/quiesce}",
	.size = sizeof(struct conf_hook),
	.variants = &hook_union,
};
const struct schema_type table_hooks = LIST_TYPE(hook_type, "a list of hooks");

#undef AT

const char *hook_type_name(enum hook_type t)
{
	for (size_t i = 0; i < ARRAY_LEN(hook_variants); i++)
		if (hook_variants[i].value == t)
			return hook_variants[i].name;
	return NULL;
}

/* ---- without passwords ---- */

#if HAVE_LIBPQ
static bool is_secret(const PQconninfoOption *o)
{
	return o->dispchar[0] == '*' || strncmp(o->keyword, "scram_", 6) == 0;
}

static char *postgres_shown(const char *dsn)
{
	PQconninfoOption *options = PQconninfoParse(dsn, NULL);
	struct buf b = { 0 };

	for (PQconninfoOption *o = options; o && o->keyword; o++)
		if (o->val)
			buf_printf(&b, "%s%s=%s", b.len ? " " : "", o->keyword,
				   is_secret(o) ? "***" : o->val);
	PQconninfoFree(options);
	return b.p ? buf_take(&b) : xstrdup("");
}
#else
static char *postgres_shown(const char *dsn)
{
	(void)dsn;
	return xstrdup("***");
}
#endif

static char *mysql_shown(const struct mysql_dsn *d)
{
	const char *password = *d->password ? ":***" : "";
	struct buf b = { 0 };

	if (*d->user || *d->password)
		buf_printf(&b, "%s%s@", d->user, password);
	if (d->socket)
		buf_printf(&b, "unix(%s)/%s", d->socket, d->database);
	else
		buf_printf(&b, strchr(d->host, ':') ? "tcp([%s]:%s)/%s" : "tcp(%s:%s)/%s",
			   d->host, d->port, d->database);
	for (size_t i = 0; i < d->params.n; i++)
		buf_printf(&b, "%c%s=%s", i ? '&' : '?', d->params.v[i].name,
			   d->params.v[i].value);
	return buf_take(&b);
}

char *hook_dsn_shown(const struct conf_hook *h)
{
	switch (h->type) {
	case HOOK_COMMAND:
		break;
	case HOOK_POSTGRES_CHECKPOINT:
		return postgres_shown(h->dsn);
	case HOOK_MYSQL_LOCK_TABLES:
		return mysql_shown(&h->mysql);
	}
	return xstrdup("");
}
