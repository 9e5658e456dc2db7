#include "conf/tables.h"

static int decode_include(struct schema *s, const struct schema_type *t,
			  const struct yaml_node *n, void *out)
{
	struct conf_include *i = out;

	if (schema_decode_string(s, t, n, &i->path) < 0)
		return -1;
	if (!*i->path)
		return schema_fail(s, n, "is empty; want %s", t->want);
	i->line = n->line;
	i->column = n->column;
	return 0;
}

static const struct schema_type include_type = {
	.decode = decode_include,
	.want = "the path of a .yml file, or of a directory of such files",
	.size = sizeof(struct conf_include),
};
static const struct schema_type includes_type =
	LIST_TYPE(include_type, "a list of paths of .yml files or directories");

#define AT(member) offsetof(struct conf_file, member)

static const struct schema_key file_keys[] = {
	SECTION("global", &table_global, AT(global),
		"What concerns the daemon as a whole. Only in the main file; an included "
		"file's is ignored."),
	OPTIONAL("jobs", &table_jobs, AT(jobs),
		 "What the daemon does: replicate, receive, snapshot, prune."),
	OPTIONAL("include", &includes_type, AT(includes),
		 "Further files; only their `jobs` are used, after those of this file. "
		 "See [Includes](#includes)."),
};
const struct schema_table table_file =
	SCHEMA_TABLE("a configuration file", file_keys, NULL);

#undef AT
