#include "conf/suggest.h"

#include <string.h>

enum { MAX_WORD = 48 }; /* longer ones get no suggestion */

static size_t min3(size_t a, size_t b, size_t c)
{
	size_t m = a < b ? a : b;

	return m < c ? m : c;
}

/* Insertions, deletions and changes of one byte; '-' and '_' are as good as equal. */
static size_t distance(const char *a, const char *b)
{
	size_t row[MAX_WORD + 1];
	size_t n_b = strlen(b);

	for (size_t j = 0; j <= n_b; j++)
		row[j] = j;
	for (size_t i = 1; a[i - 1]; i++) {
		size_t diagonal = row[0];

		row[0] = i;
		for (size_t j = 1; j <= n_b; j++) {
			char x = a[i - 1] == '-' ? '_' : a[i - 1];
			size_t above = row[j];

			row[j] = min3(above + 1, row[j - 1] + 1,
				      diagonal + (x != b[j - 1]));
			diagonal = above;
		}
	}
	return row[n_b];
}

struct suggest suggest_start(const char *word)
{
	return (struct suggest){ .word = word };
}

void suggest_try(struct suggest *s, const char *known)
{
	if (strlen(s->word) > MAX_WORD || strlen(known) > MAX_WORD)
		return;
	size_t d = distance(s->word, known);

	if (!s->best || d < s->distance) {
		s->best = known;
		s->distance = d;
	}
}

const char *suggest_result(const struct suggest *s)
{
	/* of three letters one may be wrong, and never more than three */
	size_t tolerated = strlen(s->word) / 3;

	if (tolerated > 3)
		tolerated = 3;
	return s->best && s->distance <= tolerated ? s->best : NULL;
}
