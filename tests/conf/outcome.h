/*
 * outcome.h - what a configuration comes to: nothing to say, warnings, or why not.
 */
#ifndef CONF_OUTCOME_H
#define CONF_OUTCOME_H

#include "conf/config.h"
#include "tap.h"

/* The error, or a line for each warning that begins with "warning: ", or "".  The caller
 * frees. */
static inline char *outcome(const char *text)
{
	cleanup(err_clear) struct err err = ERR_INIT;
	cleanup(config_freep) struct config *c =
		config_parse("t.yml", view_of(text), &err);
	cleanup(buf_free) struct buf b = { 0 };

	if (!c)
		return xstrdup(err_msg(&err));
	for (size_t i = 0; i < c->n_warnings; i++)
		buf_printf(&b, "%swarning: %s", i ? "\n" : "", c->warnings[i]);
	return buf_take(&b);
}

static inline void check_outcome(const char *text, const char *want)
{
	cleanup(str_freep) char *got = outcome(text);

	if (!CHECK_STR(got ? got : "", want))
		printf("# of\n%s\n", text);
}

#endif
