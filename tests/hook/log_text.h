/* A log whose entries become text, to compare: "warn: message key=value ...\n". */
#ifndef TESTS_HOOK_LOG_TEXT_H
#define TESTS_HOOK_LOG_TEXT_H

#include "base/buf.h"
#include "base/log.h"

#include <stdio.h>

struct log_text {
	struct buf text;
	size_t n;
	/* Called when an entry has a field with this value; or NULL. */
	const char *wait_for;
	void (*seen)(void *arg);
	void *arg;
};

static inline void log_text_write(void *arg, const struct log_entry *e)
{
	struct log_text *t = arg;

	t->n++;
	buf_printf(&t->text, "%s: %s", log_level_name(e->level), e->msg);
	for (size_t i = 0; i < e->n_fields; i++) {
		buf_printf(&t->text, " %s=%s", e->fields[i].key, e->fields[i].value);
		if (t->wait_for && strcmp(e->fields[i].value, t->wait_for) == 0)
			t->seen(t->arg);
	}
	buf_printf(&t->text, "\n");
}

static inline struct log log_text_log(struct log_text *t)
{
	return (struct log){ .write = log_text_write, .arg = t, .subsystem = "hook" };
}

static inline void log_text_free(struct log_text *t)
{
	buf_free(&t->text);
}

#endif
