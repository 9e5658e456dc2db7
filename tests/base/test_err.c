#include "base/err.h"
#include "tap.h"

#include <errno.h>

static int inner(struct err *err)
{
	return err_sys(err, ENOENT, "open %s", "/x");
}

static int outer(struct err *err)
{
	if (inner(err) < 0)
		return err_wrap(err, "load config");
	return 0;
}

TEST(err_wrap_puts_the_outermost_context_first)
{
	cleanup(err_clear) struct err e = ERR_INIT;

	CHECK_INT(outer(&e), -1);
	CHECK_STR(err_msg(&e), "load config: open /x: No such file or directory");
	CHECK_INT(e.kind, ERR_SYSTEM);
	CHECK_INT(e.sys, ENOENT);
}

TEST(err_may_be_set_from_its_own_message)
{
	cleanup(err_clear) struct err e = ERR_INIT;

	err_set(&e, ERR_REMOTE, "first");
	err_set(&e, ERR_REMOTE, "again: %s", e.msg);
	CHECK_STR(err_msg(&e), "again: first");
}

TEST_MAIN()
