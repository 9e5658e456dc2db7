/*
 * mysql_dsn.h - the data source name of a mysql-lock-tables hook.
 *
 *	[USER[:PASSWORD]@][NET[(ADDRESS)]]/DBNAME[?NAME=VALUE&...]
 *
 * The grammar of Go's MySQL driver (compat: zrepl 0.7): the last `/` begins the name of
 * the database, the last `@` before it ends user and password, the first `:` of those
 * separates them.  NET is tcp (the default, 127.0.0.1:3306) or unix (/tmp/mysql.sock);
 * others are refused.
 */
#ifndef CODEC_MYSQL_DSN_H
#define CODEC_MYSQL_DSN_H

#include "base/err.h"

struct mysql_dsn_param {
	char *name, *value; /* URL-decoded */
};

struct mysql_dsn_params {
	struct mysql_dsn_param *v; /* as written; a name may be there twice */
	size_t n, cap;
};

struct mysql_dsn {
	char *user, *password; /* "": none */
	char *host;            /* tcp; an IPv6 address without brackets; NULL: unix */
	char *port;            /* tcp: digits */
	char *socket;          /* unix: path; NULL: tcp */
	char *database;        /* "": none */
	struct mysql_dsn_params params;
};

/* ERR_INVALID says what is wrong, and never repeats the password. */
int mysql_dsn_parse(const char *text, struct mysql_dsn *out, struct err *err) must_check;
void mysql_dsn_free(struct mysql_dsn *d); /* leaves it empty */

#endif
