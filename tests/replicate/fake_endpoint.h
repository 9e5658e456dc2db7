/*
 * fake_endpoint.h - a sender and a receiver in memory, which fail, block and count as
 * they are told.
 *
 * Versions are written "@a1 #b2": sigil, name, and a number that is guid, createtxg and
 * creation date.  A resume token is written "FROM:TO", guids, FROM 0 for a full stream.
 *
 * The receiver checks the order of what it gets: parents first, and increments only on
 * top of what it has.  Violations are counted, and so are streams that are still open.
 */
#ifndef TESTS_REPLICATE_FAKE_ENDPOINT_H
#define TESTS_REPLICATE_FAKE_ENDPOINT_H

#include "base/wake.h"
#include "replicate/driver.h"

#include <semaphore.h>

enum fake_op {
	OP_SENDER_LIST,
	OP_RECEIVER_LIST,
	OP_SENDER_VERSIONS,
	OP_RECEIVER_VERSIONS,
	OP_DECODE,
	OP_DRY,
	OP_SEND,
	OP_RECEIVE,
	OP_FINISH, /* of the stream */
	OP_COMPLETED,
	OP_SENDER_PING,
	OP_RECEIVER_PING,
	FAKE_OPS,
};

struct fake_rule {
	enum fake_op op;
	const char *fs; /* NULL: any */
	size_t skip;    /* so many calls, first */
	int times;      /* then it holds for so many; -1: for ever */
	enum err_kind kind;
	const char *text;
	bool blocks; /* until fake_open() or the ctx is done, instead of failing */
};

struct fake_side {
	struct endpoint ep;
	struct fake *world;
	struct ep_filesystems fs;
	struct ep_version_lists versions; /* parallel to fs */
};

struct fake {
	struct fake_side sender, receiver;
	struct conf_replication conf;
	struct env env;

	pthread_mutex_t lock;
	struct fake_rule rules[8];
	size_t n_rules;
	struct wake gate; /* what blocks waits for it */
	sem_t blocked;    /* posted by each call that blocks */
	sem_t moved;      /* posted by each receive that got bytes */
	bool endless;     /* streams do not end by themselves */
	size_t payload;   /* bytes of a stream */

	size_t fail_from, fail_to; /* of all calls, counted from 1; 0: none */
	enum err_kind fail_kind;
	size_t n_calls;

	struct strs calls; /* "send a @a1 @b2": those of steps, in order */
	size_t n_ops[FAKE_OPS];
	size_t running[FAKE_OPS], max_running[FAKE_OPS];
	size_t open_streams, violations;
	struct strs logged; /* "error: message filesystem=a err=..." */
};

void fake_init(struct fake *w);
void fake_fini(struct fake *w);

void fake_sender(struct fake *w, const char *fs, const char *versions);
void fake_receiver(struct fake *w, const char *fs, const char *versions);
void fake_placeholder(struct fake_side *s, const char *fs);
void fake_token(struct fake *w, const char *fs, const char *token);
void fake_add_version(struct fake_side *s, const char *fs, const char *version);

void fake_rule(struct fake *w, struct fake_rule rule);
void fake_fail(struct fake *w, enum fake_op op, const char *fs, enum err_kind kind,
	       const char *text);                                 /* for ever */
void fake_block(struct fake *w, enum fake_op op, const char *fs); /* once */
void fake_open(struct fake *w); /* all that block go on, and none will block again */

/* A replication from the one side to the other; the caller frees. */
struct replication *fake_replication(struct fake *w) must_check;

/* What a side has of fs, "@a1 @b2"; the caller frees. */
char *fake_has(struct fake_side *s, const char *fs) must_check;
/* A log_write_fn: to `logged`. */
void fake_log(void *fake, const struct log_entry *e);
/* Lines of `logged` that contain text. */
size_t fake_logged(struct fake *w, const char *text);

struct versions fake_versions(const char *text);
char *fake_versions_text(const struct versions *l) must_check;

#endif
