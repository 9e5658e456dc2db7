#include "cli/local_zfs.h"

int local_zfs_init(struct local_zfs *l, struct err *err)
{
	static const struct log nobody;

	*l = (struct local_zfs){ 0 };
	if (env_load(&l->env, err) < 0)
		return -1;
	zfs_complete_path();
	l->ctx = ctx_new(NULL);
	l->zfs = zfs_new(&l->env, &nobody);
	return 0;
}

void local_zfs_fini(struct local_zfs *l)
{
	zfs_free(l->zfs);
	ctx_free(l->ctx);
}

int local_zfs_list(struct local_zfs *l, const char *dataset, struct zfs_datasets *out,
		   struct err *err)
{
	cleanup(strs_free) struct strs which = { 0 };

	strs_add(&which, dataset ? dataset : "");
	return zfs_list_datasets(l->ctx, l->zfs, dataset ? NULL : &which,
				 dataset ? &which : NULL, out, err);
}
