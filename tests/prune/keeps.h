/*
 * keeps.h - for tests: keep rules from short texts, snapshots from tables.
 *
 * Rules: "grid GRID [REGEX]", "last_n N [REGEX]", "regex REGEX", "!regex REGEX",
 * "not_replicated".
 */
#ifndef TEST_KEEPS_H
#define TEST_KEEPS_H

#include "prune/rules.h"

#include "base/buf.h"
#include "base/parse.h"
#include "tap.h"

enum { MAX_KEEPS = 6 };

struct keeps {
	struct conf_keep v[MAX_KEEPS];
	struct conf_keeps conf;
	struct strs texts;
};

static inline struct regex *keeps_regex(const char *pattern)
{
	struct err e = ERR_INIT;
	struct regex *r = regex_new(pattern, &e);

	if (!r) {
		printf("# %s\n", err_msg(&e));
		exit(1);
	}
	return r;
}

/* The part before the next blank, or all; *rest behind it. */
static inline char *keeps_word(struct view *rest)
{
	return view_dup(parse_field(rest, ' '));
}

static inline void keeps_add(struct keeps *k, const char *text)
{
	struct conf_keep *c = &k->v[k->conf.n++];
	struct view rest = view_of(text);
	cleanup(str_freep) char *type = keeps_word(&rest);
	cleanup(str_freep) char *arg = rest.p ? keeps_word(&rest) : NULL;
	cleanup(str_freep) char *pattern = rest.p ? view_dup(rest) : NULL;
	struct err e = ERR_INIT;

	*c = (struct conf_keep){ .type = KEEP_NOT_REPLICATED,
				 .keep_snapshot_at_cursor = true };
	if (strcmp(type, "last_n") == 0) {
		c->type = KEEP_LAST_N;
		if (parse_i64(view_of(arg), &c->count, &e) < 0)
			exit(1);
	} else if (strcmp(type, "grid") == 0) {
		c->type = KEEP_GRID;
		if (grid_parse(arg, &c->grid, &e) < 0) {
			printf("# %s: %s\n", arg, err_msg(&e));
			exit(1);
		}
	} else if (strcmp(type, "regex") == 0 || strcmp(type, "!regex") == 0) {
		c->type = KEEP_REGEX;
		c->negate = type[0] == '!';
		c->regex = keeps_regex(arg);
	}
	if (pattern)
		c->regex = keeps_regex(pattern);
	strs_add(&k->texts, text);
	c->text = k->texts.v[k->texts.n - 1];
	k->conf.v = k->v;
}

static inline void keeps_free(struct keeps *k)
{
	for (size_t i = 0; i < k->conf.n; i++) {
		regex_free(k->v[i].regex);
		grid_free(&k->v[i].grid);
	}
	strs_free(&k->texts);
	*k = (struct keeps){ 0 };
}

/* The names of what is destroyed, in the order of the list, joined by blanks. */
static inline char *destroyed(const struct prune_snap *s, size_t n)
{
	struct strs names = { 0 };
	char *r;

	for (size_t i = 0; i < n; i++)
		if (s[i].destroy)
			strs_add(&names, s[i].name);
	r = names.n ? strs_join(&names, " ") : xstrdup("");
	strs_free(&names);
	return r;
}

#endif
