/*
 * check_text.h - is a configuration accepted, or why not?
 */
#ifndef CONF_CHECK_TEXT_H
#define CONF_CHECK_TEXT_H

#include "conf/config.h"
#include "tap.h"

/* want: NULL accepted, else what the error's text contains. */
static inline void check_text(const char *text, const char *want)
{
	cleanup(err_clear) struct err err = ERR_INIT;
	cleanup(config_freep) struct config *c =
		config_parse("t.yml", view_of(text), &err);

	if (!want) {
		if (!CHECK(c))
			printf("# %s\n%s\n", err_msg(&err), text);
		return;
	}
	if (!CHECK(!c)) {
		printf("# accepted, want \"%s\":\n%s\n", want, text);
		return;
	}
	CHECK_INT(err.kind, ERR_INVALID);
	if (!CHECK(!strchr(err_msg(&err), '\n')))
		printf("# got  \"%s\"\n# want \"%s\"\n", err_msg(&err), want);
	if (!CHECK(strstr(err_msg(&err), want)))
		printf("# got  \"%s\"\n# want \"%s\"\n", err_msg(&err), want);
}

#endif
