#include "conf/suggest.h"

#include <string.h>

enum { MAX_WORD = 48 }; /* longer ones get no suggestion */

static size_t min(size_t a, size_t b)
{
	return a < b ? a : b;
}

/* '-' and '_' are as good as equal, and so are upper and lower case. */
static char fold(char c)
{
	if (c >= 'A' && c <= 'Z')
		return (char)(c - 'A' + 'a');
	return c == '-' ? '_' : c;
}

/* Insertions, deletions and changes of one byte, and swaps of two. */
static size_t distance(const char *a, const char *b)
{
	size_t rows[3][MAX_WORD + 1]; /* of i, i - 1 and i - 2 */
	size_t n_a = strlen(a), n_b = strlen(b);

	for (size_t i = 0; i <= n_a; i++) {
		size_t *row = rows[i % 3];
		const size_t *above = rows[(i + 2) % 3], *higher = rows[(i + 1) % 3];

		row[0] = i;
		for (size_t j = 1; j <= n_b; j++) {
			if (i == 0) {
				row[j] = j;
				continue;
			}
			char x = fold(a[i - 1]), y = fold(b[j - 1]);

			row[j] = min(above[j], row[j - 1]) + 1;
			row[j] = min(row[j], above[j - 1] + (x != y));
			if (i > 1 && j > 1 && x == fold(b[j - 2]) && y == fold(a[i - 2]))
				row[j] = min(row[j], higher[j - 2] + 1);
		}
	}
	return rows[n_a % 3][n_b];
}

struct suggest suggest_start(const char *word)
{
	return (struct suggest){ .word = word };
}

void suggest_try(struct suggest *s, const char *known)
{
	if (strlen(s->word) > MAX_WORD || strlen(known) > MAX_WORD)
		return;
	size_t d = distance(s->word, known), n = strlen(known);

	if (d > 1 && n > 2 && strncmp(s->word, known, n) == 0)
		d = 1; /* "warning" for "warn" */

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
