/*
 * tap.h - the whole test framework.
 *
 *	TEST(err_wrap_puts_context_first) { ... CHECK_STR(err_msg(&e), "a: b"); }
 *	TEST_MAIN()
 *
 * A failed CHECK is reported with both values and the test goes on; REQUIRE
 * ends the test function, and so does SKIP("why") where the machine lacks what
 * the test needs.  A test that checks nothing fails.  Output is TAP, closed by a
 * comment that counts.  CHECK works from any thread.  With an argument, only the
 * tests whose name contains it are run.
 */
#ifndef TAP_H
#define TAP_H

#include <inttypes.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct tap_test {
	const char *name;
	void (*fn)(void);
	struct tap_test *next;
};
static struct tap_test *tap_first, **tap_last = &tap_first;
static atomic_int tap_checks, tap_failures;
static const char *tap_skipped; /* why */

#define TEST(id)                                                     \
	static void test_##id(void);                                 \
	__attribute__((constructor)) static void tap_add_##id(void)  \
	{                                                            \
		static struct tap_test t = { #id, test_##id, NULL }; \
		*tap_last = &t;                                      \
		tap_last = &t.next;                                  \
	}                                                            \
	static void test_##id(void)

static inline bool tap_fail(const char *file, int line, const char *what)
{
	atomic_fetch_add(&tap_failures, 1);
	printf("# %s:%d: %s\n", file, line, what);
	return false;
}

static inline void tap_count(void)
{
	atomic_fetch_add(&tap_checks, 1);
}

#define CHECK(cond) (tap_count(), (cond) ? true : tap_fail(__FILE__, __LINE__, #cond))
#define REQUIRE(cond)             \
	do {                      \
		if (!CHECK(cond)) \
			return;   \
	} while (0)

#define SKIP(why)                  \
	do {                       \
		tap_skipped = why; \
		return;            \
	} while (0)

static inline bool tap_int(const char *f, int l, const char *e, intmax_t a, intmax_t b)
{
	tap_count();
	if (a == b)
		return true;
	printf("# got %" PRIdMAX ", want %" PRIdMAX "\n", a, b);
	return tap_fail(f, l, e);
}
#define CHECK_INT(got, want) \
	tap_int(__FILE__, __LINE__, #got " == " #want, (intmax_t)(got), (intmax_t)(want))

static inline bool tap_str(const char *f, int l, const char *e, const char *a,
			   const char *b)
{
	tap_count();
	if (a && b && strcmp(a, b) == 0)
		return true;
	printf("# got  \"%s\"\n# want \"%s\"\n", a ? a : "(null)", b ? b : "(null)");
	return tap_fail(f, l, e);
}
#define CHECK_STR(got, want) tap_str(__FILE__, __LINE__, #got " == " #want, (got), (want))

enum tap_result { TAP_PASSED, TAP_FAILED, TAP_SKIPPED, TAP_RESULTS };

static inline enum tap_result tap_one(const struct tap_test *t, int n)
{
	atomic_store(&tap_checks, 0);
	atomic_store(&tap_failures, 0);
	tap_skipped = NULL;
	t->fn();
	if (!tap_skipped && atomic_load(&tap_checks) == 0)
		tap_fail(t->name, 0, "nothing was checked");
	if (atomic_load(&tap_failures) > 0) {
		printf("not ok %d - %s\n", n, t->name);
		return TAP_FAILED;
	}
	printf("ok %d - %s%s%s\n", n, t->name, tap_skipped ? " # SKIP " : "",
	       tap_skipped ? tap_skipped : "");
	return tap_skipped ? TAP_SKIPPED : TAP_PASSED;
}

static inline int tap_run(const char *only)
{
	int n = 0, of[TAP_RESULTS] = { 0 };

	setvbuf(stdout, NULL, _IOLBF, 0);
	for (struct tap_test *t = tap_first; t; t = t->next) {
		if (!only || strstr(t->name, only))
			of[tap_one(t, ++n)]++;
	}
	printf("1..%d\n# %d passed, %d failed, %d skipped\n", n, of[TAP_PASSED],
	       of[TAP_FAILED], of[TAP_SKIPPED]);
	return n == 0 || of[TAP_FAILED] > 0 ? 1 : 0;
}
#define TEST_MAIN()                                        \
	int main(int argc, char **argv)                    \
	{                                                  \
		return tap_run(argc > 1 ? argv[1] : NULL); \
	}

#endif
