#include "codec/size.h"
#include "tap.h"

TEST(sizes_become_whole_bytes)
{
	static const struct {
		const char *text;
		int64_t want;
	} cases[] = {
		{ "23 bit", 2 },
		{ "1 B", 1 },
		{ "1 Kb", 125 },
		{ "1 Kib", 128 },
		{ "10MiB", 10485760 },
		{ "10 MiB", 10485760 },
		{ "10.5 Kib", 1344 },
		{ "128 KiB", 131072 },
		{ "-1 B", -1 },
		{ "8388607 TiB", INT64_C(8388607) << 40 },
		{ "-1.5 B", -1 },
		{ "7 b", 0 },
		{ "23.5 MiB", 24641536 },
		{ ".5 KB", 500 },
		{ "2. TiB", 2199023255552 },
		{ "0\t\tB", 0 },
		{ "1 GB", 1000000000 },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		cleanup(err_clear) struct err err = ERR_INIT;
		int64_t bytes = -99;

		CHECK_INT(size_parse(cases[i].text, &bytes, &err), 0);
		CHECK_INT(bytes, cases[i].want);
	}
}

TEST(a_size_that_is_malformed_says_how)
{
	static const struct {
		const char *text, *want;
	} cases[] = {
		{ "-1", "lacks a unit; write -1 B for no limit" },
		{ "10", "lacks a unit; write e.g. 10 MiB" },
		{ "10kB", "has an unknown unit; write e.g. 10 MiB, 10 KB or 1.5 Gb" },
		{ "1.2.3 B",
		  "does not begin with a number of up to 15 digits; write e.g. "
		  "10 MiB" },
		{ "1.5 bit", "has a fraction of a bit; write e.g. 23 bit" },
		{ "", "does not begin with a number of up to 15 digits; write e.g. 10 "
		      "MiB" },
		{ "B", "does not begin with a number of up to 15 digits; write e.g. 10 "
		       "MiB" },
		{ "--1 B", "does not begin with a number of up to 15 digits; write e.g. "
			   "10 MiB" },
		{ " 1 B", "does not begin with a number of up to 15 digits; write e.g. "
			  "10 MiB" },
		{ "1 B ", "has an unknown unit; write e.g. 10 MiB, 10 KB or 1.5 Gb" },
		{ "1 Kibit", "has an unknown unit; write e.g. 10 MiB, 10 KB or 1.5 Gb" },
		{ "8388608 TiB", "is too large; the largest is 8388607 TiB" },
		{ "1111111111111111 B", "does not begin with a number of up to 15 "
					"digits; write e.g. 10 MiB" },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		cleanup(err_clear) struct err err = ERR_INIT;
		cleanup(str_freep) char *want =
			xasprintf("\"%s\" %s", cases[i].text, cases[i].want);
		int64_t bytes;

		CHECK_INT(size_parse(cases[i].text, &bytes, &err), -1);
		CHECK_INT(err.kind, ERR_INVALID);
		CHECK_STR(err_msg(&err), want);
	}
}

TEST_MAIN()
