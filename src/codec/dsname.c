#include "codec/dsname.h"

#include "base/buf.h"
#include "codec/quote.h"

enum {
	/* compat: zrepl 0.7; it leaves 52 bytes for what is around it */
	MAX_JOB_NAME = 203,
};

static int bad(const char *what, const char *name, const char *why, struct err *err)
{
	cleanup(str_freep) char *shown = quote_str(name);

	return err_set(err, ERR_INVALID, "%s %s %s", what, shown, why);
}

/* ASCII only, whatever the locale says. */
static bool is_alnum(char c)
{
	return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static bool is_name_char(char c)
{
	return is_alnum(c) || c == '-' || c == '_' || c == '.' || c == ':';
}

int dsname_check_lenient(const char *path, struct err *err)
{
	size_t len = strlen(path);

	if (path[strcspn(path, "@#|\t<>*")] != '\0')
		return bad("path", path, "contains one of @ # | tab < > *", err);
	if (len > 0 && path[len - 1] == '/')
		return bad("path", path, "ends in '/'", err);
	return 0;
}

/* What is wrong with the component, or NULL. */
static const char *component_fault(struct view c)
{
	if (c.len == 0)
		return "is empty";
	if (c.len > ZFS_MAX_NAME)
		return "is longer than 255 bytes";
	if (view_eq(c, VIEW(".")) || view_eq(c, VIEW("..")))
		return "is not a name";
	for (size_t i = 0; i < c.len; i++)
		if (!is_name_char(c.p[i]) && c.p[i] != ' ')
			return "contains other characters than letters, digits, "
			       "- _ . : and space";
	return NULL;
}

/* The same for components joined by '/'. */
static const char *path_fault(struct view path)
{
	size_t start = 0;

	if (path.len == 0)
		return "is empty";
	if (path.len > ZFS_MAX_NAME)
		return "is longer than 255 bytes";
	for (size_t i = 0; i <= path.len; i++) {
		struct view c = { path.p + start, i - start };
		const char *fault;

		if (i < path.len && path.p[i] != '/')
			continue;
		if (c.len == 0)
			return "has an empty component";
		fault = component_fault(c);
		if (fault)
			return fault;
		start = i + 1;
	}
	return NULL;
}

int dsname_check_component(const char *name, struct err *err)
{
	const char *fault = component_fault(view_of(name));

	return fault ? bad("name", name, fault, err) : 0;
}

int dsname_check_dataset(const char *path, struct err *err)
{
	const char *fault = path_fault(view_of(path));

	return fault ? bad("dataset", path, fault, err) : 0;
}

int dsname_check_version(const char *full, char kind, struct err *err)
{
	const char *what = kind == '@' ? "snapshot" : "bookmark";
	const char *at = strpbrk(full, "@#");
	const char *fault;

	if (strlen(full) > ZFS_MAX_NAME)
		return bad(what, full, "is longer than 255 bytes", err);
	if (!at || *at != kind)
		return bad(what, full,
			   kind == '@' ? "has no '@' where it should"
				       : "has no '#' where it should",
			   err);
	fault = path_fault((struct view){ full, (size_t)(at - full) });
	if (!fault)
		fault = component_fault(view_of(at + 1));
	return fault ? bad(what, full, fault, err) : 0;
}

int dsname_check_job(const char *name, struct err *err)
{
	const char *fault = component_fault(view_of(name));

	if (fault)
		return bad("job name", name, fault, err);
	if (strlen(name) > MAX_JOB_NAME)
		return bad("job name", name, "is longer than 203 bytes", err);
	if (name[0] == '_')
		return bad("job name", name, "starts with '_', which is reserved", err);
	return 0;
}

int dsname_check_property(const char *name, struct err *err)
{
	size_t len = strlen(name);

	if (len == 0)
		return bad("property", name, "is empty", err);
	if (len > ZFS_MAX_PROPERTY_NAME)
		return bad("property", name, "is longer than 256 bytes", err);
	if (name[0] == '-')
		return bad("property", name, "starts with '-'", err);
	for (size_t i = 0; i < len; i++)
		if (!is_name_char(name[i]))
			return bad("property", name,
				   "contains other characters than letters, digits and "
				   "- _ . :",
				   err);
	return 0;
}

bool dsname_is_below(const char *path, const char *root)
{
	size_t len = strlen(root);

	if (len == 0)
		return path[0] != '\0';
	return strncmp(path, root, len) == 0 && path[len] == '/';
}

bool dsname_is_at_or_below(const char *path, const char *root)
{
	return strcmp(path, root) == 0 || dsname_is_below(path, root);
}

void dsname_ancestors(const char *path, struct strs *out)
{
	for (const char *p = strchr(path, '/'); p; p = strchr(p + 1, '/'))
		strs_addf(out, "%.*s", (int)(p - path), path);
}
