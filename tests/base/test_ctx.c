#include "base/ctx.h"
#include "base/proc.h"
#include "tap.h"

#include <pthread.h>
#include <unistd.h>

static void *cancel_soon(void *arg)
{
	usleep(30000);
	ctx_cancel(arg);
	return NULL;
}

static void *run_many(void *arg)
{
	const char *argv[] = { "sh", "-c", "echo $$; sleep 30", NULL };
	cleanup(err_clear) struct err e = ERR_INIT;
	cleanup(buf_free) struct buf out = { 0 };
	cleanup(ctx_freep) struct ctx *ctx = ctx_new(arg);

	CHECK_INT(proc_output(ctx, argv, &out, &e), -1);
	CHECK_INT(e.kind, ERR_CANCELLED);
	return NULL;
}

TEST(cancelling_the_root_stops_every_child_job)
{
	cleanup(ctx_freep) struct ctx *root = ctx_new(NULL);
	pthread_t t[16], c;

	for (size_t i = 0; i < ARRAY_LEN(t); i++)
		REQUIRE(pthread_create(&t[i], NULL, run_many, root) == 0);
	REQUIRE(pthread_create(&c, NULL, cancel_soon, root) == 0);
	for (size_t i = 0; i < ARRAY_LEN(t); i++)
		pthread_join(t[i], NULL);
	pthread_join(c, NULL);
}

TEST_MAIN()
