#include "codec/yaml.h"
#include "tap.h"

/* The tree on one line: null ~, plain text as is, quoted "text", [lists], {maps}. */
static void dump(struct buf *out, const struct yaml_node *n)
{
	switch (n->kind) {
	case YAML_NULL:
		buf_printf(out, "~");
		return;
	case YAML_SCALAR:
		buf_printf(out, n->is_plain ? "%s" : "\"%s\"", n->text);
		return;
	case YAML_LIST:
	case YAML_MAP:
		break;
	}
	buf_printf(out, n->kind == YAML_LIST ? "[" : "{");
	for (size_t i = 0; i < n->n_items; i++) {
		if (i)
			buf_printf(out, " ");
		if (n->items[i].key)
			buf_printf(out, "%s:", n->items[i].key->text);
		dump(out, n->items[i].value);
	}
	buf_printf(out, n->kind == YAML_LIST ? "]" : "}");
}

/* The dump, or the error's text; the caller frees. */
static char *parsed_view(struct view text)
{
	cleanup(err_clear) struct err err = ERR_INIT;
	cleanup(yaml_deletep) struct yaml *y = yaml_parse(text, &err);
	struct buf out = { 0 };

	if (y) {
		CHECK_INT(err.kind, ERR_NONE);
		dump(&out, yaml_root(y));
	} else {
		CHECK_INT(err.kind, ERR_INVALID);
		buf_printf(&out, "%s", err_msg(&err));
	}
	return buf_take(&out);
}

static char *parsed(const char *text)
{
	return parsed_view(view_of(text));
}

#define CHECK_YAML(text, want)                               \
	do {                                                 \
		cleanup(str_freep) char *got = parsed(text); \
		CHECK_STR(got, want);                        \
	} while (0)

TEST(lists_maps_and_scalars_become_a_tree)
{
	CHECK_YAML("a: 1\nb:\n  - x\n  - 'y z'\nc: {d: \"\", e: ~}\n",
		   "{a:1 b:[x \"y z\"] c:{d:\"\" e:~}}");
	CHECK_YAML("- []\n- {}\n-\n- |\n  text\n", "[[] {} ~ \"text\n\"]");
}

TEST(an_empty_text_is_null)
{
	CHECK_YAML("", "~");
	CHECK_YAML("# nothing\n\n  # here\n", "~");
	CHECK_YAML("---\n", "~");
	CHECK_YAML("---\n...\n", "~");
}

TEST(only_the_first_document_is_read)
{
	CHECK_YAML("a: 1\n---\n{{{ not: yaml ]\n", "{a:1}");
	CHECK_YAML("--- x\n...\nrubbish: [\n", "x");
	CHECK_YAML("--- x\n...\n%RUBBISH\n--- @\n", "x");
	CHECK_YAML("%YAML 1.1\n---\na: 1\n--- |\n\t*x", "{a:1}");
	CHECK_YAML("a: 1\n---\n\xff\x01\n", "{a:1}");
	CHECK_YAML("a: 1\n...\n\x01\n", "{a:1}");
}

TEST(null_is_recognised_in_its_five_spellings_unless_quoted)
{
	CHECK_YAML("[~, null, Null, NULL, nULL, '~', \"null\", '']",
		   "[~ ~ ~ ~ nULL \"~\" \"null\" \"\"]");
}

TEST(duplicate_keys_are_kept)
{
	CHECK_YAML("{a: 1, a: 2}", "{a:1 a:2}");
}

TEST(tags_decide_whether_a_scalar_is_plain)
{
	CHECK_YAML("[!!str 1, !!int '2', !!null '', !!bool \"true\", ! x]",
		   "[\"1\" 2 ~ true \"x\"]");
	CHECK_YAML("[!!binary aGk=]",
		   "1:2: tag \"tag:yaml.org,2002:binary\" is not known here");
	CHECK_YAML("!thing {}", "1:1: tag \"!thing\" is not known here");
	CHECK_YAML("!!map {a: !!seq [1]}", "{a:[1]}");
}

TEST(aliases_repeat_what_they_name)
{
	CHECK_YAML("a: &x [1, 2]\nb: *x\nc: {*y : 1}\n",
		   "3:5: alias \"*y\" has no anchor before it; quote a text that begins "
		   "with '*'");
	CHECK_YAML("a: &x k\nb: {*x : *x}\n", "{a:k b:{k:k}}");
	CHECK_YAML("[&x 1, *x, &x 2, *x]", "[1 1 2 2]");
	CHECK_YAML("&x [1, [*x]]", "1:9: anchor \"&x\" contains itself");
}

TEST(merge_keys_add_what_is_not_there)
{
	CHECK_YAML("- &a {x: 1, y: 2}\n- {<<: *a, y: 3}\n- {y: 4, <<: *a}\n",
		   "[{x:1 y:2} {y:3 x:1} {y:4 x:1}]");
	CHECK_YAML("- &a {x: 1}\n- &b {x: 2, z: 3}\n- {<<: [*a, *b], w: 0}\n",
		   "[{x:1} {x:2 z:3} {w:0 x:1 z:3}]");
	CHECK_YAML("{'<<': 1}", "{<<:1}");
	CHECK_YAML("{<<: 1}", "1:6: the value of '<<' must be a map or a list of maps");
	CHECK_YAML("{<<: [1]}", "1:7: the value of '<<' must be a map or a list of maps");
}

TEST(syntax_errors_have_a_position)
{
	CHECK_YAML("a: [1, 2\nb: 3\n",
		   "2:2: did not find expected ',' or ']', while parsing "
		   "a flow sequence that began in line 1; close the bracket, or look for "
		   "a missing comma");
	CHECK_YAML("a: *\n",
		   "1:5: did not find expected alphabetic or numeric character, "
		   "while scanning an alias that began in line 1; quote a text that "
		   "begins with '*'");
	CHECK_YAML("a: b: c\n",
		   "1:5: mapping values are not allowed in this context; quote a text "
		   "that contains ': ', or look at the indentation");
	CHECK_YAML("\tx: 1\n", "1:1: found character that cannot start any token, while "
			       "scanning for the next token that began in line 1; indent "
			       "with spaces, and quote a text that begins with @ ` or %");
	CHECK_YAML("? [1]\n: 2\n", "1:3: a list or map cannot be a key");
}

TEST(bytes_that_are_not_text_have_a_position)
{
	CHECK_YAML("a: 1\nb: \x01\n", "2:4: control characters are not allowed (byte "
				      "0x01); save the file as UTF-8 text");
	CHECK_YAML("a: \xff\n", "1:4: invalid leading UTF-8 octet (byte 0xff); save the "
				"file as UTF-8 text");
	CHECK_YAML("a: \xc3(\n", "1:5: invalid trailing UTF-8 octet (byte 0x28); save "
				 "the file as UTF-8 text");
	CHECK_YAML("a: \"x\\0y\"\n", "1:4: the text contains a NUL byte");

	cleanup(str_freep) char *got = parsed_view(VIEW("a: 1\0b: 2\n"));
	CHECK_STR(got, "1:5: control characters are not allowed (byte 0x00); save the "
		       "file as UTF-8 text");
}

/* A text of n times `part`, between `before` and `after`. */
static char *repeated(const char *before, const char *part, size_t n, const char *after)
{
	struct buf b = { 0 };

	buf_printf(&b, "%s", before);
	for (size_t i = 0; i < n; i++)
		buf_printf(&b, "%s", part);
	buf_printf(&b, "%s", after);
	return buf_take(&b);
}

TEST(a_text_that_is_too_long_is_refused)
{
	cleanup(str_freep) char *longest = repeated("#", "x", YAML_MAX_BYTES - 1, "");
	cleanup(str_freep) char *longer = repeated("#", "x", YAML_MAX_BYTES, "");

	CHECK_YAML(longest, "~");
	CHECK_YAML(longer, "1:1: the text is longer than 8388608 bytes");
}

TEST(nesting_has_a_limit)
{
	cleanup(str_freep) char *deepest = repeated("", "[", YAML_MAX_DEPTH, "");
	cleanup(str_freep) char *deep = repeated(deepest, "]", YAML_MAX_DEPTH, "");
	cleanup(str_freep) char *deeper = repeated("", "[", 100000, "");

	CHECK_YAML(deep, deep);
	CHECK_YAML(deeper, "1:65: nested more than 64 levels deep");
}

TEST(nesting_through_aliases_counts)
{
	struct buf b = { 0 };

	buf_printf(&b, "- &a0 []\n");
	for (int i = 1; i < YAML_MAX_DEPTH; i++)
		buf_printf(&b, "- &a%d [*a%d]\n", i, i - 1);
	cleanup(str_freep) char *text = buf_take(&b);

	CHECK_YAML(text, "64:9: nested more than 64 levels deep");
}

TEST(aliases_of_aliases_cannot_explode)
{
	CHECK_YAML("a: &a [x,x,x,x,x,x,x,x,x,x]\n"
		   "b: &b [*a,*a,*a,*a,*a,*a,*a,*a,*a,*a]\n"
		   "c: &c [*b,*b,*b,*b,*b,*b,*b,*b,*b,*b]\n"
		   "d: &d [*c,*c,*c,*c,*c,*c,*c,*c,*c,*c]\n"
		   "e: &e [*d,*d,*d,*d,*d,*d,*d,*d,*d,*d]\n"
		   "f: &f [*e,*e,*e,*e,*e,*e,*e,*e,*e,*e]\n",

		   "6:29: more than 1000000 values, counting those that aliases repeat");
}

TEST(values_have_a_limit)
{
	cleanup(str_freep) char *text = repeated("[", "a,", YAML_MAX_NODES, "]");

	CHECK_YAML(text,
		   "1:2000000: more than 1000000 values, counting those that aliases "
		   "repeat");
}

TEST(anchors_have_a_limit)
{
	cleanup(str_freep) char *text = repeated("[", "&a x,", YAML_MAX_ANCHORS + 1, "]");

	CHECK_YAML(text, "1:5002: more than 1000 anchors");
}

TEST(merging_has_a_limit)
{
	struct buf b = { 0 };

	buf_printf(&b, "- &a {");
	for (int i = 0; i < 5000; i++)
		buf_printf(&b, "k%d: ,", i);
	buf_printf(&b, "}\n- {<<: *a}\n");
	cleanup(str_freep) char *text = buf_take(&b);

	CHECK_YAML(text, "2:10: too many keys are merged by '<<'");
}

TEST(nodes_know_where_they_stand)
{
	cleanup(err_clear) struct err err = ERR_INIT;
	cleanup(yaml_deletep) struct yaml *y =
		yaml_parse(VIEW("# x\na:\n  - 1\n  - b: c\n"), &err);

	REQUIRE(y);
	const struct yaml_node *list = yaml_get(yaml_root(y), "a");

	REQUIRE(list && list->n_items == 2);
	CHECK_INT(yaml_root(y)->line, 2);
	CHECK_INT(yaml_root(y)->column, 1);
	CHECK_INT(list->items[0].value->line, 3);
	CHECK_INT(list->items[0].value->column, 5);
	CHECK_INT(list->items[1].value->items[0].key->column, 5);
	CHECK_INT(list->items[1].value->items[0].value->column, 8);
	CHECK(!yaml_get(yaml_root(y), "b"));
	CHECK(!yaml_get(list, "a"));
}

static bool to_bool(const char *text, bool *out)
{
	cleanup(err_clear) struct err err = ERR_INIT;
	cleanup(yaml_deletep) struct yaml *y = yaml_parse(view_of(text), &err);

	return y && yaml_bool(yaml_root(y), out);
}

TEST(bools_are_those_of_yaml_1_1_and_never_quoted)
{
	static const char *const yes[] = { "y",    "Y",    "yes", "Yes", "YES", "true",
					   "True", "TRUE", "on",  "On",  "ON" };
	static const char *const no[] = { "n",     "N",     "no",  "No",  "NO", "false",
					  "False", "FALSE", "off", "Off", "OFF" };
	static const char *const neither[] = { "'true'", "\"on\"", "1",
					       "tRUE",   "yES",    "~",
					       "[]",     "oN",     "!!str true" };

	for (size_t i = 0; i < ARRAY_LEN(yes); i++) {
		bool b = false;

		CHECK(to_bool(yes[i], &b) && b);
		CHECK(to_bool(no[i], &b) && !b);
	}
	for (size_t i = 0; i < ARRAY_LEN(neither); i++) {
		bool b;

		CHECK(!to_bool(neither[i], &b));
	}
}

static bool to_int(const char *text, int64_t *out)
{
	cleanup(err_clear) struct err err = ERR_INIT;
	cleanup(yaml_deletep) struct yaml *y = yaml_parse(view_of(text), &err);

	return y && yaml_int(yaml_root(y), out);
}

TEST(integers_are_those_of_yaml_1_1_and_floats_are_truncated)
{
	static const struct {
		const char *text;
		int64_t want;
	} cases[] = {
		{ "0", 0 },
		{ "-0", 0 },
		{ "+12", 12 },
		{ "-7", -7 },
		{ "1_000_000", 1000000 },
		{ "0x1F", 31 },
		{ "-0x10", -16 },
		{ "010", 8 },
		{ "0o17", 15 },
		{ "08", 8 },
		{ "0b101", 5 },
		{ "1.5", 1 },
		{ "-1.9", -1 },
		{ ".9", 0 },
		{ "1.", 1 },
		{ "1e3", 1000 },
		{ "1.25E+1", 12 },
		{ "129e-1", 12 },
		{ "1e-400", 0 },
		{ "9223372036854775807", INT64_MAX },
		{ "-9223372036854775808", INT64_MIN },
		{ "!!int '3'", 3 },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		int64_t n = -99;

		CHECK(to_int(cases[i].text, &n));
		CHECK_INT(n, cases[i].want);
	}
}

TEST(what_is_not_an_integer_or_does_not_fit_is_refused)
{
	static const char *const cases[] = {
		"'1'",
		"\"1\"",
		"x",
		"1x",
		"0x",
		"0b2",
		"_1",
		"+",
		"-",
		".",
		"1.2.3",
		"e1",
		"1e",
		"1e+",
		"--1",
		"~",
		"[1]",
		"1 2",
		".inf",
		".nan",
		"1e19",
		"0xg",
		"0x10000000000000000",
		"9223372036854775808",
		"-9223372036854775809",
		"true",
		"11111111111111111111111111111111111111111111111111111111111111111111",
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		int64_t n;

		if (!CHECK(!to_int(cases[i], &n)))
			printf("# %s\n", cases[i]);
	}
}

TEST_MAIN()
