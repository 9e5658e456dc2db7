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

TEST(err_of_the_system_without_a_reason_has_none_in_its_message)
{
	cleanup(err_clear) struct err e = ERR_INIT;

	err_set(&e, ERR_SYSTEM, "send: %s", "no");
	CHECK_STR(err_msg(&e), "send: no");
}

TEST(err_copy_leaves_two_errors)
{
	cleanup(err_clear) struct err a = ERR_INIT, b = ERR_INIT;

	err_sys(&a, ENOENT, "open");
	err_set(&b, ERR_BUSY, "old");
	err_copy(&b, &a);
	err_clear(&a);
	CHECK_STR(err_msg(&b), "open: No such file or directory");
	CHECK_INT(b.kind, ERR_SYSTEM);
	CHECK_INT(b.sys, ENOENT);
	err_copy(&b, &a);
	CHECK_INT(b.kind, ERR_NONE);
}

TEST(err_detail_adds_at_the_end)
{
	cleanup(err_clear) struct err e = ERR_INIT;

	err_set(&e, ERR_BUSY, "destroy");
	err_detail(&e, "%d holds", 2);
	CHECK_STR(err_msg(&e), "destroy: 2 holds");
}

TEST(err_may_be_set_wrapped_and_detailed_from_its_own_message)
{
	cleanup(err_clear) struct err e = ERR_INIT;

	err_set(&e, ERR_REMOTE, "a");
	err_set(&e, ERR_REMOTE, "b %s", e.msg);
	CHECK_STR(err_msg(&e), "b a");
	err_wrap(&e, "c %s", e.msg);
	CHECK_STR(err_msg(&e), "c b a: b a");
	err_detail(&e, "%s", err_msg(&e));
	CHECK_STR(err_msg(&e), "c b a: b a: c b a: b a");
}

TEST(err_sys_copes_with_an_errno_that_has_no_name)
{
	cleanup(err_clear) struct err e = ERR_INIT;

	err_sys(&e, 99999, "read");
	CHECK_STR(err_msg(&e), "read: error 99999");
}

TEST(err_move_leaves_nothing_behind_and_survives_moving_to_itself)
{
	cleanup(err_clear) struct err a = ERR_INIT;
	cleanup(err_clear) struct err b = ERR_INIT;

	err_set(&a, ERR_DENIED, "no");
	err_set(&b, ERR_BUSY, "old");
	err_move(&b, &a);
	CHECK_INT(a.kind, ERR_NONE);
	CHECK_STR(err_msg(&a), "no error");
	err_move(&b, &b);
	CHECK_STR(err_msg(&b), "no");
	CHECK_INT(b.kind, ERR_DENIED);
}

TEST_MAIN()
