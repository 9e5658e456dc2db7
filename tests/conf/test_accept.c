/*
 * What is accepted, as what, and what is refused, with which words: the rows of
 * accept.txt, which says how it is to be read.
 */
#include "base/parse.h"
#include "outcome.h"
#include "show.h"

enum { MAX_TABLE = 1 << 20, ROWS_WANTED = 280 };

struct table {
	unsigned line;
	struct buf file, key;
	struct buf row, want;
	unsigned row_line;
	bool is_skipped;
	size_t n_rows, n_accepted, n_refused, n_skipped;
};

/* How zrepl was built. */
static const char *const libraries[] = {
	"nothing",
#if HAVE_LIBPQ
	"libpq",
#endif
#if HAVE_LIBMARIADB
	"libmariadb",
#endif
};

/* ---- a row ---- */

/* "\n", "\t", "\xHH" and "\\" as in C, "\*N" for 203 times N */
static void put_unescaped(struct buf *out, const char *s)
{
	for (; *s; s++) {
		char hex[3] = "";

		if (*s != '\\' || !s[1]) {
			buf_put(out, s, 1);
			continue;
		}
		s++;
		if (*s == 'n' || *s == 't') {
			buf_put(out, *s == 'n' ? "\n" : "\t", 1);
		} else if (*s == 'x' && s[1] && s[2]) {
			memcpy(hex, s + 1, 2);
			char c = (char)strtoul(hex, NULL, 16);

			buf_put(out, &c, 1);
			s += 2;
		} else if (*s == '*' && s[1]) {
			for (int i = 0; i < 203; i++)
				buf_put(out, s + 1, 1);
			s++;
		} else {
			buf_put(out, s, 1);
		}
	}
}

/* The file with the row in place of its '@'. */
static char *substituted(const char *file, const char *row)
{
	cleanup(buf_free) struct buf text = { 0 };
	struct buf b = { 0 };
	const char *at = strchr(file, '@');

	put_unescaped(&text, row);
	if (!at)
		return buf_take(&text);
	buf_printf(&b, "%.*s%s%s", (int)(at - file), file, buf_str(&text), at + 1);
	return buf_take(&b);
}

/* Each line with what it is: "  accepted: ", "  warning: ", "  refused: ". */
static void put_lines(struct buf *out, const char *what, const char *lines)
{
	while (*lines) {
		size_t n = strcspn(lines, "\n");

		if (strncmp(lines, "t.yml:", 6) == 0) {
			lines += 6;
			n -= 6;
		}
		buf_printf(out, "  %s: %.*s\n", what, (int)n, lines);
		lines += n + (lines[n] == '\n');
	}
}

static void put_comes_to(struct table *t, const char *text, struct buf *out)
{
	cleanup(err_clear) struct err err = ERR_INIT;
	cleanup(config_freep) struct config *c =
		config_parse("t.yml", view_of(text), &err);
	cleanup(buf_free) struct buf value = { 0 };

	if (!c) {
		put_lines(out, "refused", err_msg(&err));
		t->n_refused++;
		return;
	}
	CHECK(show(c, buf_str(&t->key), &value));
	buf_printf(out, "  accepted: %s\n", buf_str(&value));
	for (size_t i = 0; i < c->n_warnings; i++)
		put_lines(out, "warning", c->warnings[i]);
	t->n_accepted++;
}

static void check_row(struct table *t)
{
	cleanup(buf_free) struct buf got = { 0 };
	cleanup(str_freep) char *text = NULL;
	unsigned line = t->row_line;

	if (line == 0)
		return;
	t->n_rows++;
	t->row_line = 0;
	if (t->is_skipped) {
		t->n_skipped++;
		return;
	}
	text = substituted(buf_str(&t->file), buf_str(&t->row));
	put_comes_to(t, text, &got);
	if (!CHECK(strcmp(buf_str(&got), buf_str(&t->want)) == 0))
		printf("# accept.txt:%u: %s\n# got\n%s# want\n%s# end\n", line,
		       buf_str(&t->row), buf_str(&got), buf_str(&t->want));
}

/* ---- the table ---- */

static void set(struct buf *b, const char *text)
{
	buf_free(b);
	buf_printf(b, "%s", text);
}

static void read_line(struct table *t, const char *line)
{
	t->line++;
	if (line[0] == ' ') {
		CHECK(t->row_line > 0);
		buf_printf(&t->want, "%s\n", line);
		return;
	}
	check_row(t);
	if (strncmp(line, "file ", 5) == 0) {
		buf_free(&t->file);
		put_unescaped(&t->file, line + 5);
	} else if (strncmp(line, "show ", 5) == 0) {
		set(&t->key, line + 5);
	} else if (strncmp(line, "needs ", 6) == 0) {
		t->is_skipped = true;
		for (size_t i = 0; i < ARRAY_LEN(libraries); i++)
			if (strcmp(line + 6, libraries[i]) == 0)
				t->is_skipped = false;
	} else if (line[0] == '-') {
		set(&t->row, line[1] ? line + 2 : "");
		buf_free(&t->want);
		t->row_line = t->line;
	} else {
		CHECK(line[0] == '\0' || line[0] == '#');
	}
}

static bool read_all(const char *path, struct buf *out)
{
	FILE *f = fopen(path, "rb");
	size_t n;

	if (!f)
		return false;
	n = fread(buf_reserve(out, MAX_TABLE), 1, MAX_TABLE, f);
	buf_added(out, n);
	return fclose(f) == 0 && n < MAX_TABLE;
}

TEST(each_row_of_the_table_comes_to_what_it_says)
{
	cleanup(buf_free) struct buf text = { 0 };
	struct table t = { 0 };
	const char *line;

	REQUIRE(read_all(ACCEPT_TXT, &text));
	for (line = buf_str(&text); *line;) {
		size_t n = strcspn(line, "\n");
		cleanup(str_freep) char *copy = xasprintf("%.*s", (int)n, line);

		read_line(&t, copy);
		line += n + (line[n] == '\n');
	}
	check_row(&t);
	printf("# %zu rows, %zu accepted, %zu refused, %zu not built\n", t.n_rows,
	       t.n_accepted, t.n_refused, t.n_skipped);
	CHECK(t.n_rows >= ROWS_WANTED);
	CHECK(t.n_accepted > 0 && t.n_refused > 0);
	buf_free(&t.file);
	buf_free(&t.key);
	buf_free(&t.row);
	buf_free(&t.want);
}

TEST_MAIN()
