/*
 * tables.h - the schema of a configuration file: which keys there are, and where
 * their values go.  A table_*.c each for a subject; to add a key, add a row.
 */
#ifndef CONF_TABLES_H
#define CONF_TABLES_H

#include "conf/config.h"
#include "conf/schema.h"

struct conf_include {
	const char *path;
	unsigned line, column;
};

/* One file, the main one or an included one. */
struct conf_file {
	struct conf_global global;
	struct conf_job *jobs;
	size_t n_jobs;
	struct conf_include *includes;
	size_t n_includes;
};

extern const struct schema_table table_file;

/* Its parts, and what they decode into. */
extern const struct schema_type table_global;       /* struct conf_global */
extern const struct schema_type table_jobs;         /* a list of struct conf_job */
extern const struct schema_type table_snapshotting; /* struct conf_snapshotting */
extern const struct schema_type table_hooks;        /* a list of struct conf_hook */
extern const struct schema_type table_keeps;        /* struct conf_keeps */
extern const struct schema_type table_snap_keeps;   /* the same, without not_replicated */
extern const struct schema_type table_connect;      /* struct conf_connect */
extern const struct schema_type table_serve;        /* struct conf_serve */
extern const struct schema_type table_send;         /* struct conf_send */
extern const struct schema_type table_recv;         /* struct conf_recv */
extern const struct schema_type table_replication;  /* struct conf_replication */
extern const struct schema_type table_conflict_resolution; /* the same */

/* Rows of a table: name, type, offset, what it is for. */
#define REQUIRED(name_, type_, at_, doc_)                      \
	{                                                      \
		name_, type_, SCHEMA_REQUIRED, at_, NULL, doc_ \
	}
#define OPTIONAL(name_, type_, at_, doc_)                      \
	{                                                      \
		name_, type_, SCHEMA_OPTIONAL, at_, NULL, doc_ \
	}
#define DEFAULT(name_, type_, at_, def_, doc_)                \
	{                                                     \
		name_, type_, SCHEMA_DEFAULT, at_, def_, doc_ \
	}
#define SECTION(name_, type_, at_, doc_)                      \
	{                                                     \
		name_, type_, SCHEMA_SECTION, at_, NULL, doc_ \
	}

#define WORDS(v_)                 \
	{                         \
		v_, ARRAY_LEN(v_) \
	}
#define ENUM_TYPE(words_)                                            \
	{                                                            \
		.decode = schema_decode_enum, .words = WORDS(words_) \
	}
#define TABLE_TYPE(table_, want_)                                                  \
	{                                                                          \
		.decode = schema_decode_table, .table = &(table_), .want = (want_) \
	}
#define LIST_TYPE(element_, want_)                                                    \
	{                                                                             \
		.decode = schema_decode_list, .element = &(element_), .want = (want_) \
	}

#endif
