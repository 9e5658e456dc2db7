/* What zfs prints: whatever it is, it is read or refused. */
#include "base/parse.h"
#include "zfs/output.h"

#include <assert.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void indexes_free(struct out_indexes *l)
{
	free(l->v);
}

static void read_messages(struct view all)
{
	static const char *const names[] = { "1", "2", "2: 3", NULL };
	struct strs sorted = { .v = (char **)names, .n = 3 };
	cleanup(indexes_free) struct out_indexes l = { 0 };

	out_without_usage(all);
	out_failure_kind(all);
	out_recv_failure(all);
	out_is_gone(all, "p/a@1");
	if (out_undestroyable(all, "p/a", &sorted, &l))
		assert(l.n >= 1 && l.n <= 3);
}

static void read_line(struct view line)
{
	cleanup(version_fini) struct version v = { 0 };
	cleanup(err_clear) struct err e = ERR_INIT;
	struct view a, b;

	if (out_version(line, &a, &v, &e) == 0) {
		cleanup(str_freep) char *fs = view_dup(a);
		cleanup(str_freep) char *full = version_fullname(&v, fs);

		assert(view_starts(line, full));
	}
	if (out_hold(line, &a, &b, &e) == 0)
		assert(a.len + b.len + 2 <= line.len);
	out_is_missing(line, &a);
	out_has_no_resume_state(line, "p/a");
	(void)!out_property(line, "p", "guid", &a, &e);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct view all = { (const char *)data, size }, rest = all;
	cleanup(out_datasets_free) struct out_datasets d = { 0 };
	cleanup(err_clear) struct err e = ERR_INIT;
	uint64_t bytes;
	int r = 0;

	read_messages(all);
	(void)!out_estimate(all, &bytes, &e);
	while (rest.p && r == 0) {
		struct view line = parse_field(&rest, '\n');

		read_line(line);
		r = out_dataset_line(&d, line, &e);
	}
	if (r == 0 && out_dataset_end(&d, &e) == 0)
		for (size_t i = 0; i < d.list.n; i++)
			assert(d.list.v[i].name);
	return 0;
}
