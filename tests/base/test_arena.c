#include "base/arena.h"
#include "tap.h"

TEST(arena_blocks_are_zeroed_aligned_and_apart)
{
	cleanup(arena_free) struct arena a = { 0 };
	char *blocks[1500];

	for (size_t i = 0; i < ARRAY_LEN(blocks); i++) {
		blocks[i] = arena_alloc(&a, i % 50 + 1, 1);
		CHECK_INT((uintptr_t)blocks[i] % _Alignof(max_align_t), 0);
		CHECK_INT(blocks[i][i % 50], 0);
		memset(blocks[i], (int)(i % 251), i % 50 + 1);
	}
	for (size_t i = 0; i < ARRAY_LEN(blocks); i++) {
		CHECK_INT((unsigned char)blocks[i][0], i % 251);
		CHECK_INT((unsigned char)blocks[i][i % 50], i % 251);
	}
}

TEST(arena_gives_blocks_larger_than_its_chunks)
{
	cleanup(arena_free) struct arena a = { 0 };
	char *small = arena_strdup(&a, "before");
	char *large = arena_alloc(&a, 1 << 20, 1);
	char *next = arena_strdup(&a, "after");

	memset(large, 'x', 1 << 20);
	CHECK_STR(small, "before");
	CHECK_STR(next, "after");
	CHECK(next < large || next >= large + (1 << 20));
}

TEST(arena_copies_and_formats_text)
{
	cleanup(arena_free) struct arena a = { 0 };

	CHECK_STR(arena_strdup(&a, ""), "");
	CHECK_STR(arena_dup(&a, (struct view){ "abcdef", 3 }), "abc");
	CHECK_STR(arena_dup(&a, (struct view){ NULL, 0 }), "");
	CHECK_STR(arena_printf(&a, "%s-%d", "x", 7), "x-7");
}

static char order[8];

static void note(void *p)
{
	order[strlen(order)] = *(char *)p;
}

TEST(arena_frees_what_was_deferred_last_in_first_out)
{
	struct arena a = { 0 };

	memset(order, 0, sizeof(order));
	arena_defer(&a, note, arena_strdup(&a, "1"));
	arena_defer(&a, note, arena_strdup(&a, "2"));
	arena_defer(&a, note, arena_strdup(&a, "3"));
	arena_free(&a);
	CHECK_STR(order, "321");
	CHECK(!a.chunks && !a.deferred);
	arena_free(&a);
	CHECK_STR(order, "321");
}

TEST_MAIN()
