#include "base/vec.h"
#include "tap.h"

struct pair {
	size_t at;
	int value;
};

struct pairs {
	struct pair *v;
	size_t n, cap;
};

TEST(a_pushed_item_may_depend_on_the_list)
{
	struct pairs l = { 0 };
	const struct pair *p;
	size_t i = 0;

	VEC_PUSH(&l, ((struct pair){ l.n, 1 }));
	while (l.n < 1000)
		VEC_PUSH(&l, ((struct pair){ l.n, l.v[l.n - 1].value + 1 }));
	VEC_FOREACH (p, &l) {
		CHECK_INT(p->at, i);
		CHECK_INT(p->value, ++i);
	}
	CHECK_INT(i, 1000);
	free(l.v);
}

TEST_MAIN()
