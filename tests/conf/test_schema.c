#include "conf/schema.h"
#include "conf/suggest.h"
#include "tap.h"

/* A struct and its tables that use each kind of type once. */

enum colour { RED, GREEN, BLUE };

struct part {
	enum colour tag;
	int64_t size;
	const char *label;
};

struct thing {
	bool flag;
	int64_t number, wait_s, timeout_ms;
	const char *name, *note;
	enum colour colour;
	struct part part, section;
	struct part *parts;
	size_t n_parts;
	bool is_finished;
};

static const struct schema_word colour_words[] = {
	{ "red", RED },
	{ "green", GREEN },
	{ "blue", BLUE },
};
static const struct schema_type colour_type = {
	.decode = schema_decode_enum,
	.words = { colour_words, ARRAY_LEN(colour_words) },
};
static const struct schema_type number_type = {
	.decode = schema_decode_int,
	.want = "a number from 1 to 9",
	.min = 1,
	.max = 9,
};

static const struct schema_key sized_keys[] = {
	{ "size", &number_type, SCHEMA_REQUIRED, offsetof(struct part, size), NULL, "d" },
};
static const struct schema_key labelled_keys[] = {
	{ "label", &schema_string, SCHEMA_DEFAULT, offsetof(struct part, label), "none",
	  "d" },
};
static const struct schema_table sized_table =
	SCHEMA_TABLE("a sized part", sized_keys, NULL);
static const struct schema_table labelled_table =
	SCHEMA_TABLE("a labelled part", labelled_keys, NULL);
static const struct schema_variant part_variants[] = {
	{ "sized", GREEN, &sized_table, NULL, "d" },
	{ "labelled", BLUE, &labelled_table, NULL, "d" },
	{ "banned", 0, NULL, "banned parts are banned; want others", "d" },
};
static const struct schema_union part_union = {
	.what = "part type",
	.v = part_variants,
	.n = ARRAY_LEN(part_variants),
	.tag = offsetof(struct part, tag),
};
static const struct schema_type part_type = {
	.decode = schema_decode_union,
	.want = "a part",
	.size = sizeof(struct part),
	.variants = &part_union,
};
static const struct schema_type parts_type = {
	.decode = schema_decode_list,
	.want = "a list of parts",
	.element = &part_type,
};
static const struct schema_type section_type = {
	.decode = schema_decode_table,
	.want = "a map with label",
	.table = &labelled_table,
};

#define AT(member) offsetof(struct thing, member)

static const struct schema_key thing_keys[] = {
	{ "name", &schema_string, SCHEMA_REQUIRED, AT(name), NULL, "d" },
	{ "flag", &schema_bool, SCHEMA_DEFAULT, AT(flag), "true", "d" },
	{ "number", &number_type, SCHEMA_DEFAULT, AT(number), "7", "d" },
	{ "wait", &schema_zdur, SCHEMA_OPTIONAL, AT(wait_s), NULL, "d" },
	{ "timeout", &schema_gdur, SCHEMA_DEFAULT, AT(timeout_ms), "10s", "d" },
	{ "note", &schema_string, SCHEMA_OPTIONAL, AT(note), NULL, "d" },
	{ "colour", &colour_type, SCHEMA_DEFAULT, AT(colour), "green", "d" },
	{ "part", &part_type, SCHEMA_OPTIONAL, AT(part), NULL, "d" },
	{ "parts", &parts_type, SCHEMA_OPTIONAL, AT(parts), NULL, "d" },
	{ "section", &section_type, SCHEMA_SECTION, AT(section), NULL, "d" },
};

static int finish_thing(struct schema *s, const struct yaml_node *n, void *out)
{
	struct thing *t = out;

	if (t->number == 5)
		return schema_fail(s, n, "five is right out; want another number");
	t->is_finished = true;
	return 0;
}

static const struct schema_table thing_table =
	SCHEMA_TABLE("a thing", thing_keys, finish_thing);

/* ---- decoding ---- */

struct decoded {
	struct arena arena;
	struct problems problems, warnings;
	struct thing thing;
	struct err err;
};

static int decode(const char *text, struct decoded *d)
{
	cleanup(yaml_deletep) struct yaml *y = yaml_parse(view_of(text), &d->err);
	struct schema s = {
		.file = "f.yml",
		.arena = &d->arena,
		.problems = &d->problems,
		.warnings = &d->warnings,
	};

	if (!y)
		return -1;
	int r = schema_decode(&s, &thing_table, yaml_root(y), &d->thing);

	buf_free(&s.path);
	problems_sort(&d->problems);
	return r < 0 ? problems_to_err(&d->problems, 100, &d->err) : 0;
}

static void decoded_fini(struct decoded *d)
{
	arena_free(&d->arena);
	problems_free(&d->problems);
	problems_free(&d->warnings);
	err_clear(&d->err);
}

static void check_accepted(const char *text)
{
	cleanup(decoded_fini) struct decoded d = { 0 };

	if (!CHECK_INT(decode(text, &d), 0))
		printf("# %s\n# %s\n", text, err_msg(&d.err));
}

static void check_refused(const char *text, const char *want)
{
	cleanup(decoded_fini) struct decoded d = { 0 };

	CHECK_INT(decode(text, &d), -1);
	CHECK_INT(d.err.kind, ERR_INVALID);
	CHECK_STR(err_msg(&d.err), want);
}

TEST(absent_keys_get_their_defaults)
{
	cleanup(decoded_fini) struct decoded d = { 0 };

	CHECK_INT(decode("name: x\n", &d), 0);
	CHECK_STR(d.thing.name, "x");
	CHECK(d.thing.flag);
	CHECK_INT(d.thing.number, 7);
	CHECK_INT(d.thing.wait_s, 0);
	CHECK_INT(d.thing.timeout_ms, 10000);
	CHECK(!d.thing.note);
	CHECK_INT(d.thing.colour, GREEN);
	CHECK_INT(d.thing.n_parts, 0);
	CHECK_STR(d.thing.section.label, "none");
	CHECK(d.thing.is_finished);
}

TEST(all_kinds_of_values_arrive)
{
	cleanup(decoded_fini) struct decoded d = { 0 };

	CHECK_INT(decode("name: 123\nflag: no\nnumber: 0x3\nwait: 2d\ntimeout: 1m0.5s\n"
			 "note: yes\ncolour: blue\npart: {type: sized, size: 4}\n"
			 "parts: [{type: labelled}, {label: l, type: labelled}]\n"
			 "section: {label: s}\n",
			 &d),
		  0);
	CHECK_STR(d.thing.name, "123");
	CHECK(!d.thing.flag);
	CHECK_INT(d.thing.number, 3);
	CHECK_INT(d.thing.wait_s, 2 * 86400);
	CHECK_INT(d.thing.timeout_ms, 60500);
	CHECK_STR(d.thing.note, "yes");
	CHECK_INT(d.thing.colour, BLUE);
	CHECK_INT(d.thing.part.tag, GREEN);
	CHECK_INT(d.thing.part.size, 4);
	REQUIRE(d.thing.n_parts == 2);
	CHECK_INT(d.thing.parts[1].tag, BLUE);
	CHECK_STR(d.thing.parts[0].label, "none");
	CHECK_STR(d.thing.parts[1].label, "l");
	CHECK_STR(d.thing.section.label, "s");
	CHECK_INT(d.warnings.n, 0);
}

TEST(null_is_the_zero_value_and_not_the_default)
{
	cleanup(decoded_fini) struct decoded d = { 0 };

	CHECK_INT(decode("{name: x, flag: ~, timeout: ~, note: ~, parts: ~, section: ~}",
			 &d),
		  0);
	CHECK(!d.thing.flag);
	CHECK_INT(d.thing.timeout_ms, 0);
	CHECK_STR(d.thing.note, "");
	CHECK_INT(d.thing.n_parts, 0);
	CHECK_STR(d.thing.section.label, "none");
	check_accepted("{name: x, section: {}, parts: []}");
	check_refused("{name: x, number: ~}",
		      "f.yml:1:19: number: is null; want a number from 1 to 9");
	check_refused("{name: x, colour: ~}",
		      "f.yml:1:19: colour: is null; want one of red, green, blue");
}

TEST(required_keys_must_be_there_and_not_empty)
{
	check_refused("", "f.yml:1:1: name: is required, but missing; want a text");
	check_refused("\n\nflag: y\n",
		      "f.yml:3:1: name: is required, but missing; want a text");
	check_refused("name: ~\n", "f.yml:1:7: name: is required, but null; want a text");
	check_refused("name: ''\n",
		      "f.yml:1:7: name: is required, but empty; want a text");
	check_refused("name: []\n",
		      "f.yml:1:7: name: is required, but empty; want a text");
	check_refused(
		"{name: x, parts: [{type: sized}]}",
		"f.yml:1:19: parts[0].size: is required, but missing; want a number "
		"from 1 to 9");
}

TEST(an_unknown_key_is_refused_with_the_nearest_known_one)
{
	check_refused(
		"name: x\ncolor: red\n",
		"f.yml:2:1: color: unknown key, perhaps \"colour\" is meant; a thing has "
		"name, flag, number, wait, timeout, note, colour, part, parts, section");
	check_refused(
		"{name: x, parts: [{type: sized, size: 1}, {type: sized, size: 1, label: "
		"y}]}",
		"f.yml:1:66: parts[1].label: unknown key; a sized part has type, size");
	check_refused(
		"{name: x, section: {lable: y}}",
		"f.yml:1:21: section.lable: unknown key, perhaps \"label\" is meant; a "
		"labelled part has label");
	check_refused("{name: x, section: {type: y}}",
		      "f.yml:1:21: section.type: unknown key; a labelled part has label");
}

TEST(a_repeated_key_is_refused_with_both_lines)
{
	check_refused(
		"name: x\nflag: y\nname: z\n",
		"f.yml:3:1: name: the key is there twice, first in line 1; remove one of "
		"them");
	check_refused(
		"name: x\npart:\n  type: sized\n  size: 1\n  type: sized\n",
		"f.yml:5:3: part.type: the key is there twice, first in line 3; remove "
		"one of them");
}

TEST(values_of_the_wrong_type_are_refused)
{
	check_refused(
		"{name: x, flag: 'true'}",
		"f.yml:1:17: flag: is the quoted text \"true\"; want true or false, "
		"without quotes");
	check_refused("{name: x, flag: 1}",
		      "f.yml:1:17: flag: is \"1\"; want true or false, without quotes");
	check_refused("{name: [x]}", "f.yml:1:8: name: is a list; want a text");
	check_refused("{name: x, number: '3'}", "f.yml:1:19: number: is the quoted text "
						"\"3\"; want a number from 1 to 9");
	check_refused("{name: x, number: 10}",
		      "f.yml:1:19: number: is 10; want at most 9");
	check_refused("{name: x, parts: {}}",
		      "f.yml:1:18: parts: is a map; want a list of parts");
	check_refused("{name: x, parts: [x]}",
		      "f.yml:1:19: parts[0]: is \"x\"; want a part");
	check_refused("{name: x, section: [x]}",
		      "f.yml:1:20: section: is a list; want a map with label");
	check_refused("[1]", "f.yml:1:1: is a list; want a map with name, flag, number, "
			     "wait, timeout, note, colour, part, parts, section");
	check_refused("{name: x, number: 5}",
		      "f.yml:1:1: five is right out; want another number");
}

TEST(all_problems_are_found_in_one_run)
{
	check_refused(
		"flag: 1\nnumber: 12\nparts:\n- {type: sized}\n- ~\n"
		"- {type: labelled, lable: x}\n- {typ: sized, size: 1}\n"
		"section: x\n",
		"f.yml:1:1: name: is required, but missing; want a text\n"
		"f.yml:1:7: flag: is \"1\"; want true or false, without quotes\n"
		"f.yml:2:9: number: is 12; want at most 9\n"
		"f.yml:4:3: parts[0].size: is required, but missing; want a "
		"number from 1 to 9\n"
		"f.yml:5:3: parts[1]: is null; remove the element, or give a part\n"
		"f.yml:6:20: parts[2].lable: unknown key, perhaps \"label\" is "
		"meant; a labelled part has type, label\n"
		"f.yml:7:4: parts[3].type: is required, but missing, perhaps \"typ\" "
		"is meant to be it; want one of sized, labelled\n"
		"f.yml:8:10: section: is \"x\"; want a map with label");
}

TEST(a_problem_is_not_told_twice)
{
	/* a misspelt key is not missing */
	check_refused(
		"nane: x\n",
		"f.yml:1:1: nane: unknown key, perhaps \"name\" is meant; a thing has "
		"name, flag, number, wait, timeout, note, colour, part, parts, "
		"section");
	/* what all keys together mean is not asked when one of them is wrong */
	check_refused("{name: x, number: 5, flag: 1}",
		      "f.yml:1:28: flag: is \"1\"; want true or false, without quotes");
	/* an alias is what its anchor is */
	check_refused("{name: x, part: &p {type: sized, size: 0}, parts: [*p, *p]}",
		      "f.yml:1:40: part.size: is 0; want at least 1\n"
		      "f.yml:1:40: parts[0].size: is 0; want at least 1\n"
		      "f.yml:1:40: parts[1].size: is 0; want at least 1");
}

TEST(an_element_of_a_list_is_never_null)
{
	check_refused(
		"{name: x, parts: [{type: labelled}, ~]}",
		"f.yml:1:37: parts[1]: is null; remove the element, or give a part");
}

TEST(the_type_of_a_union_decides)
{
	check_refused(
		"{name: x, part: {size: 1}}",
		"f.yml:1:17: part.type: is required, but missing; want one of sized, "
		"labelled");
	check_refused("{name: x, part: {type: '', size: 1}}",
		      "f.yml:1:24: part.type: is required, but empty; want one of sized, "
		      "labelled");
	check_refused("{name: x, part: {type: Sized, size: 1}}",
		      "f.yml:1:24: part.type: part type \"Sized\" is unknown, perhaps "
		      "\"sized\" is meant; there are sized, labelled");
	check_refused(
		"{name: x, part: {type: q}}",
		"f.yml:1:24: part.type: part type \"q\" is unknown; there are sized, "
		"labelled");
	check_refused("{name: x, part: {type: [sized]}}",
		      "f.yml:1:24: part.type: is a list; want the name of a type");
	check_refused("{name: x, part: {type: banned}}",
		      "f.yml:1:24: part.type: banned parts are banned; want others");
}

TEST(words_and_durations_say_what_would_be_right)
{
	check_refused("{name: x, colour: blu}", "f.yml:1:19: colour: \"blu\" is unknown, "
						"perhaps \"blue\" is meant; want one "
						"of red, green, blue");
	check_refused(
		"{name: x, colour: Q}",
		"f.yml:1:19: colour: \"Q\" is unknown; want one of red, green, blue");
	check_refused(
		"{name: x, wait: -1s}",
		"f.yml:1:17: wait: is not above zero; want a duration above zero: one "
		"number and one unit, such as 10m or 1d");
	check_refused("{name: x, timeout: -1s}",
		      "f.yml:1:20: timeout: \"-1s\" is below zero; want a duration "
		      "such as 10s or 1m30s, or 0");
}

TEST(a_duration_without_unit_is_nanoseconds_and_warned_of)
{
	cleanup(decoded_fini) struct decoded d = { 0 };

	CHECK_INT(decode("name: x\ntimeout: 30\n", &d), 0);
	CHECK_INT(d.thing.timeout_ms, 1);
	REQUIRE(d.warnings.n == 1);
	CHECK_STR(d.warnings.v[0].text,
		  "f.yml:2:10: timeout: 30 has no unit and is taken as "
		  "nanoseconds; a duration "
		  "is written as 30s or 1m30s");

	cleanup(decoded_fini) struct decoded zero = { 0 };

	CHECK_INT(decode("name: x\ntimeout: 0\n", &zero), 0);
	CHECK_INT(zero.thing.timeout_ms, 0);
	CHECK_INT(zero.warnings.n, 0);
}

TEST(messages_stay_one_printable_line)
{
	check_refused(
		"{name: x, \"a\\nb\\x01\": 1}",
		"f.yml:1:11: a\\nb\\x01: unknown key; a thing has name, flag, number, "
		"wait, timeout, note, colour, part, parts, section");
	check_refused(
		"{name: x, colour: \"\\t\"}",
		"f.yml:1:19: colour: \"\\t\" is unknown; want one of red, green, blue");
}

TEST(free_keys_are_checked_for_repetition)
{
	cleanup(err_clear) struct err err = ERR_INIT;
	cleanup(arena_free) struct arena arena = { 0 };
	cleanup(problems_free) struct problems problems = { 0 };
	cleanup(yaml_deletep) struct yaml *y =
		yaml_parse(VIEW("{b: 1, a: 1, c: 1,\n b: 1}"), &err);
	struct schema s = { .file = "f", .arena = &arena, .problems = &problems };
	bool *skip;

	REQUIRE(y);
	CHECK_INT(schema_check_free_keys(&s, yaml_root(y), &skip), -1);
	CHECK(!skip[0] && !skip[1] && !skip[2] && skip[3]);
	REQUIRE(problems.n == 1);
	CHECK_STR(problems.v[0].text,
		  "f:2:2: [\"b\"]: the key is there twice, first in line 1; "
		  "remove one of them");
	buf_free(&s.path);
}

TEST(a_suggestion_is_near_or_not_made)
{
	static const struct {
		const char *word, *want;
	} cases[] = {
		{ "conect", "connect" },
		{ "conncet", "connect" },
		{ "CONNECT", "connect" },
		{ "ocnnetc", "connect" },
		{ "keep-sender", "keep_sender" },
		{ "keep_senders", "keep_sender" },
		{ "x", NULL },
		{ "", NULL },
		{ "completely different", NULL },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct suggest s = suggest_start(cases[i].word);

		suggest_try(&s, "keep_sender");
		suggest_try(&s, "connect");
		if (cases[i].want)
			CHECK_STR(suggest_result(&s), cases[i].want);
		else
			CHECK(!suggest_result(&s));
	}
}

TEST_MAIN()
