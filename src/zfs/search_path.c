#include "base/parse.h"
#include "zfs/zfs.h"

#include <stdlib.h>

static bool has_entry(const char *path, const char *dir)
{
	struct view rest = view_of(path);

	while (rest.p)
		if (view_eq(parse_field(&rest, ':'), view_of(dir)))
			return true;
	return false;
}

void zfs_complete_path(void)
{
	static const char *const dirs[] = { "/usr/local/sbin", "/usr/sbin", "/sbin" };
	cleanup(buf_free) struct buf b = { 0 };
	const char *path = getenv("PATH");

	buf_printf(&b, "%s", path && *path ? path : "/usr/local/bin:/usr/bin:/bin");
	for (size_t i = 0; i < ARRAY_LEN(dirs); i++)
		if (!has_entry(b.p, dirs[i]))
			buf_printf(&b, ":%s", dirs[i]);
	setenv("PATH", b.p, 1);
}
