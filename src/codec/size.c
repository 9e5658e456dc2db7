#include "codec/size.h"

#include "codec/quote.h"

#include <string.h>

enum { MAX_DIGITS = 15 }; /* a double holds so many exactly */

static const struct {
	char name[4];
	double bits;
} units[] = {
	{ "b", 1 },        { "B", 8 },        { "Kb", 1e3 },     { "KB", 8e3 },
	{ "Mb", 1e6 },     { "MB", 8e6 },     { "Gb", 1e9 },     { "GB", 8e9 },
	{ "Tb", 1e12 },    { "TB", 8e12 },    { "Kib", 0x1p10 }, { "KiB", 0x1p13 },
	{ "Mib", 0x1p20 }, { "MiB", 0x1p23 }, { "Gib", 0x1p30 }, { "GiB", 0x1p33 },
	{ "Tib", 0x1p40 }, { "TiB", 0x1p43 }, { "bit", 1 },
};

static int refuse(const char *text, const char *why, struct err *err)
{
	cleanup(str_freep) char *shown = quote_str(text);

	return err_set(err, ERR_INVALID, "%s %s", shown, why);
}

static const char *parse_number(const char *s, double *out, bool *has_point)
{
	double scale = 1, n = 0;
	int n_digits = 0;
	bool is_negative = *s == '-';

	*has_point = false;
	for (s += is_negative; (*s >= '0' && *s <= '9') || *s == '.'; s++) {
		if (*s == '.' && *has_point)
			return NULL;
		if (*s == '.') {
			*has_point = true;
			continue;
		}
		if (++n_digits > MAX_DIGITS)
			return NULL;
		n = n * 10 + (*s - '0');
		scale *= *has_point ? 10 : 1;
	}
	*out = (is_negative ? -n : n) / scale;
	return n_digits ? s : NULL;
}

int size_parse(const char *text, int64_t *bytes, struct err *err)
{
	double n, unit = 0;
	bool has_point;
	const char *s = parse_number(text, &n, &has_point);

	if (!s)
		return refuse(text,
			      "does not begin with a number of up to 15 digits; write "
			      "e.g. 10 MiB",
			      err);
	s += strspn(s, " \t");
	if (!*s)
		return refuse(text,
			      n < 0 ? "lacks a unit; write -1 B for no limit"
				    : "lacks a unit; write e.g. 10 MiB",
			      err);
	for (size_t i = 0; i < ARRAY_LEN(units); i++)
		if (strcmp(s, units[i].name) == 0)
			unit = units[i].bits;
	if (unit == 0)
		return refuse(text,
			      "has an unknown unit; write e.g. 10 MiB, 10 KB or 1.5 Gb",
			      err);
	if (has_point && strcmp(s, "bit") == 0)
		return refuse(text, "has a fraction of a bit; write e.g. 23 bit", err);
	double exact = n * unit / 8;

	if (exact >= 0x1p63 || exact <= -0x1p63)
		return refuse(text, "is too large; the largest is 8388607 TiB", err);
	*bytes = (int64_t)exact;
	return 0;
}
