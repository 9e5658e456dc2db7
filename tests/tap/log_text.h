/*
 * log_text.h - a log whose entries become text, to compare: "warn: message key=value
 * ...".
 *
 * Thread safety: a struct log_text collects from any thread; its text and n are read when
 * nobody writes any more.
 */
#ifndef TAP_LOG_TEXT_H
#define TAP_LOG_TEXT_H

#include "base/buf.h"
#include "base/log.h"

#include <pthread.h>

/* Zeroed, but for wait_for and what belongs to it. */
struct log_text {
	struct buf text; /* a line each */
	size_t n;
	pthread_mutex_t lock;
	/* Called when an entry has a field with this value; or NULL. */
	const char *wait_for;
	void (*seen)(void *arg);
	void *arg;
};

/* "": has none of that key. */
static inline const char *log_text_field(const struct log_entry *e, const char *key)
{
	for (size_t i = 0; i < e->n_fields; i++)
		if (strcmp(e->fields[i].key, key) == 0)
			return e->fields[i].value;
	return "";
}

static inline void log_text_put(struct buf *to, const struct log_entry *e)
{
	buf_printf(to, "%s: %s", log_level_name(e->level), e->msg);
	for (size_t i = 0; i < e->n_fields; i++)
		buf_printf(to, " %s=%s", e->fields[i].key, e->fields[i].value);
}

static inline void log_text_write(void *arg, const struct log_entry *e)
{
	struct log_text *t = arg;

	pthread_mutex_lock(&t->lock);
	t->n++;
	log_text_put(&t->text, e);
	buf_printf(&t->text, "\n");
	pthread_mutex_unlock(&t->lock);
	for (size_t i = 0; t->wait_for && i < e->n_fields; i++)
		if (strcmp(e->fields[i].value, t->wait_for) == 0)
			t->seen(t->arg);
}

/* Once; log_text_free() when nobody writes any more. */
static inline struct log log_text_log(struct log_text *t)
{
	pthread_mutex_init(&t->lock, NULL);
	return (struct log){ .write = log_text_write, .arg = t };
}

static inline void log_text_free(struct log_text *t)
{
	buf_free(&t->text);
	pthread_mutex_destroy(&t->lock);
}

#endif
