/*
 * Names and filters.  The first line is a name; the others are patterns, which accept
 * unless they start with '!'.  The strict checks imply the lenient ones, and whatever a
 * filter accepts lies in its roots.
 */
#include "base/parse.h"
#include "codec/dsfilter.h"
#include "codec/dsname.h"

#include <assert.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_names(const char *name)
{
	cleanup(err_clear) struct err e = ERR_INIT;
	cleanup(strs_free) struct strs ancestors = { 0 };
	size_t n_slashes = 0;

	if (dsname_check_job(name, &e) == 0)
		assert(dsname_check_component(name, &e) == 0);
	if (dsname_check_component(name, &e) == 0)
		assert(dsname_check_dataset(name, &e) == 0);
	if (dsname_check_dataset(name, &e) == 0) {
		assert(dsname_check_lenient(name, &e) == 0);
		assert(dsname_check_version(name, '@', &e) < 0);
	}
	if (dsname_check_version(name, '#', &e) == 0)
		assert(strchr(name, '#') && !strchr(name, '@'));
	if (dsname_check_property(name, &e) == 0)
		assert(name[0] != '-');
	dsname_ancestors(name, &ancestors);
	for (const char *p = name; *p; p++)
		n_slashes += *p == '/';
	assert(ancestors.n == n_slashes);
	for (size_t i = 0; i < ancestors.n; i++)
		assert(dsname_is_below(name, ancestors.v[i]));
}

static void check_filter(const struct dsfilter *f, const char *name)
{
	cleanup(err_clear) struct err e = ERR_INIT;
	cleanup(strs_free) struct strs subtrees = { 0 }, exact = { 0 };
	bool is_found;

	dsfilter_roots(f, &subtrees, &exact);
	if (dsname_check_dataset(name, &e) < 0 || !dsfilter_accepts(f, name))
		return;
	is_found = strs_has(&exact, name);
	for (size_t i = 0; i < subtrees.n; i++)
		is_found = is_found || dsname_is_at_or_below(name, subtrees.v[i]);
	assert(is_found);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct view rest = { (const char *)data, size };
	cleanup(str_freep) char *name = view_dup(parse_field(&rest, '\n'));
	cleanup(dsfilter_free) struct dsfilter f = { 0 };

	check_names(name);
	while (rest.p) {
		cleanup(err_clear) struct err e = ERR_INIT;
		cleanup(str_freep) char *line = view_dup(parse_field(&rest, '\n'));
		bool accept = line[0] != '!';

		if (dsfilter_add(&f, line + !accept, accept, &e) < 0)
			assert(e.kind == ERR_INVALID);
	}
	check_filter(&f, name);
	return 0;
}
