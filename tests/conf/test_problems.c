#include "conf/config.h"
#include "conf/problems.h"
#include "tap.h"

TEST(one_problem_is_one_line)
{
	cleanup(err_clear) struct err err = ERR_INIT;

	CHECK(!config_parse("t.yml", VIEW("jobs: 1"), &err));
	CHECK_STR(err_msg(&err), "t.yml:1:7: jobs: is \"1\"; want a list of jobs");
	CHECK_INT(config_wrap(&err), -1);
	CHECK_STR(err_msg(&err),
		  "could not parse config: t.yml:1:7: jobs: is \"1\"; want "
		  "a list of jobs");
}

TEST(many_problems_are_counted)
{
	cleanup(err_clear) struct err err = ERR_INIT;
	cleanup(buf_free) struct buf text = { 0 };
	size_t n_lines = 1;

	for (int i = 0; i < 5000; i++)
		buf_printf(&text, "x%d: 1\n", i);
	CHECK(!config_parse("t.yml", buf_view(&text), &err));
	for (const char *c = err_msg(&err); *c; c++)
		n_lines += *c == '\n';
	CHECK_INT(n_lines, CONFIG_MAX_PROBLEMS + 1);
	CHECK(strstr(err_msg(&err),
		     "\nt.yml:100:1: x99: unknown key; a configuration file has "));
	CHECK(strstr(err_msg(&err), "\nand 4900 more problems"));
	CHECK_INT(config_wrap(&err), -1);
	CHECK(strncmp(err_msg(&err),
		      "could not parse config: 5000 problems\nt.yml:1:1: ", 49) == 0);
}

TEST(problems_are_sorted_by_place_and_told_once)
{
	cleanup(err_clear) struct err err = ERR_INIT;
	cleanup(problems_free) struct problems p = { 0 };

	problems_add(&p, (struct problem){ 1, 1, 1, 0, xstrdup("f") });
	problems_add(&p, (struct problem){ 0, 2, 1, 0, xstrdup("d") });
	problems_add(&p, (struct problem){ 0, 2, 1, 0, xstrdup("e") });
	problems_add(&p, (struct problem){ 0, 1, 9, 0, xstrdup("c") });
	problems_add(&p, (struct problem){ 0, 1, 2, 0, xstrdup("b") });
	problems_add(&p, (struct problem){ 0, 0, 0, 0, xstrdup("a") });
	problems_add(&p, (struct problem){ 0, 1, 9, 0, xstrdup("c") });
	problems_sort(&p);
	CHECK_INT(problems_to_err(&p, 9, &err), -1);
	CHECK_STR(err_msg(&err), "a\nb\nc\nd\ne\nf");
	CHECK_INT(problems_to_err(&p, 5, &err), -1);
	CHECK_STR(err_msg(&err), "a\nb\nc\nd\ne\nand 1 more problem");
}

TEST_MAIN()
