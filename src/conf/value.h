/*
 * value.h - the types of value that are particular to this configuration.
 *
 * Each is a schema type; what it decodes into is said beside it.
 */
#ifndef CONF_VALUE_H
#define CONF_VALUE_H

#include "conf/schema.h"

extern const struct schema_type value_job_name;    /* const char *; a valid job ID */
extern const struct schema_type value_identity;    /* const char *; strict component */
extern const struct schema_type value_listener;    /* const char *; not empty */
extern const struct schema_type value_root_fs;     /* const char *; path, not empty */
extern const struct schema_type value_socket;      /* const char *; fits sockaddr_un */
extern const struct schema_type value_prefix;      /* const char * */
extern const struct schema_type value_filesystems; /* struct dsfilter */
extern const struct schema_type value_regex;       /* struct regex *; "" is NULL */
extern const struct schema_type value_grid;        /* struct grid */
extern const struct schema_type value_properties;  /* a list of const char * */
extern const struct schema_type value_overrides;   /* a list of struct conf_property */
extern const struct schema_type value_size;        /* int64_t, bytes */

/* value_network.c */
extern const struct schema_type value_hostport;    /* struct conf_hostport */
extern const struct schema_type value_clients;     /* of a struct conf_serve, at 0 */
extern const struct schema_type value_identities;  /* a list of const char * */
extern const struct schema_type value_pem_file;    /* const char *; a path */
extern const struct schema_type value_ssh_options; /* a list of const char * */

/* value_time.c */
extern const struct schema_type value_interval; /* int64_t s; manual is 0 */
extern const struct schema_type value_cron;     /* struct cron * */

/* Keys of zrepl 0.7 that have no effect there, either. */
extern const struct schema_type value_ignored_texts;

#endif
