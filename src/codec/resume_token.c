#include "codec/resume_token.h"

#include "base/parse.h"
#include "codec/dsname.h"

/* With C's prefixes, as zfs prints them: 0x1f, 017, 15. */
static bool parse_number(struct view v, uint64_t *out)
{
	unsigned base = 10;

	if (v.len > 2 && v.p[0] == '0' && (v.p[1] == 'x' || v.p[1] == 'X'))
		base = 16;
	else if (v.len > 1 && v.p[0] == '0')
		base = 8;
	if (base == 16) {
		v.p += 2;
		v.len -= 2;
	}
	return parse_digits(v, base, out);
}

struct parsed {
	struct resume_token token;
	bool has_to_guid;
	size_t n_attributes;
};

static bool parse_name(struct view value, char **out)
{
	cleanup(err_clear) struct err ignored = ERR_INIT;
	char *at;

	if (value.len > ZFS_MAX_NAME || memchr(value.p, '\0', value.len))
		return false;
	free(*out);
	*out = view_dup(value);
	at = strchr(*out, '@');
	if (!at || at == *out)
		return false;
	*at = '\0';
	if (dsname_check_lenient(*out, &ignored) < 0)
		return false;
	*at = '@';
	return true;
}

/* One attribute that we know; false: the value does not parse. */
static bool take_attribute(struct parsed *p, struct view name, struct view value)
{
	struct resume_token *t = &p->token;
	const struct {
		const char *name;
		bool *has, *value;
	} flags[] = {
		{ "compressok", &t->has_compress_ok, &t->compress_ok },
		{ "rawok", &t->has_raw_ok, &t->raw_ok },
		{ "largeblockok", &t->has_large_block_ok, &t->large_block_ok },
		{ "embedok", &t->has_embed_ok, &t->embed_ok },
		{ "savedok", &t->has_saved_ok, &t->saved_ok },
	};

	if (view_eq(name, VIEW("toguid"))) {
		p->has_to_guid = true;
		return parse_number(value, &t->to_guid);
	}
	if (view_eq(name, VIEW("fromguid"))) {
		t->has_from_guid = true;
		return parse_number(value, &t->from_guid);
	}
	if (view_eq(name, VIEW("toname")))
		return parse_name(value, &t->to_name);
	for (size_t i = 0; i < ARRAY_LEN(flags); i++) {
		if (!view_eq(name, view_of(flags[i].name)))
			continue;
		*flags[i].has = true;
		return parse_bool(value, flags[i].value);
	}
	return true;
}

/* TAB NAME " = " VALUE; anything else is zfs talking about something else. */
static int take_line(struct parsed *p, struct view line, struct err *err)
{
	struct view name, value;

	if (line.len == 0 || line.p[0] != '\t')
		return 0;
	name = (struct view){ line.p + 1, 0 };
	while (name.len < line.len - 1 && name.p[name.len] != ' ' &&
	       name.p[name.len] != '\t')
		name.len++;
	value = (struct view){ name.p + name.len, line.len - 1 - name.len };
	if (name.len == 0 || !view_starts(value, " = "))
		return 0;
	value.p += strlen(" = ");
	value.len -= strlen(" = ");
	p->n_attributes++;
	if (!take_attribute(p, name, value))
		return err_set(err, ERR_INVALID, "resume token: %.*s does not parse",
			       (int)(name.len < 80 ? name.len : 80), name.p);
	return 0;
}

/* Moves *rest behind the two lines that begin the list of attributes. */
static bool skip_head(struct view *rest)
{
	bool after_title = false;

	while (rest->p) {
		struct view line = parse_field(rest, '\n');

		if (after_title && view_eq(line, VIEW("nvlist version: 0")))
			return true;
		after_title = view_eq(line, VIEW("resume token contents:"));
	}
	return false;
}

int resume_token_parse(struct view output, struct resume_token *out, struct err *err)
{
	static const char corrupt[] = "resume token is corrupt";
	struct parsed p = { 0 };
	struct view rest = output;

	if (!skip_head(&rest)) {
		if (output.len > 0 &&
		    memmem(output.p, output.len, corrupt, strlen(corrupt)))
			return err_set(err, ERR_INVALID, "%s", corrupt);
		return err_set(err, ERR_NOT_FOUND,
			       "this zfs does not show what a resume token contains");
	}
	while (rest.p) {
		if (take_line(&p, parse_field(&rest, '\n'), err) < 0) {
			resume_token_free(&p.token);
			return -1;
		}
	}
	if (p.has_to_guid && p.token.to_name) {
		*out = p.token;
		return 0;
	}
	resume_token_free(&p.token);
	if (p.n_attributes == 0)
		return err_set(err, ERR_NOT_FOUND,
			       "this zfs does not show what a resume token contains");
	return err_set(err, ERR_INVALID, "resume token: %s is missing",
		       p.has_to_guid ? "toname" : "toguid");
}

void resume_token_free(struct resume_token *t)
{
	free(t->to_name);
	*t = (struct resume_token){ 0 };
}

char *resume_token_dataset(const struct resume_token *t)
{
	return view_dup((struct view){ t->to_name, strcspn(t->to_name, "@") });
}
