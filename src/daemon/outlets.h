/*
 * outlets.h - where log entries go: the outlets of the configuration.
 *
 * One lock for all outlets, so that entries are totally ordered.  An entry that cannot be
 * written, or not within a second, is dropped: there is nobody to tell.
 */
#ifndef DAEMON_OUTLETS_H
#define DAEMON_OUTLETS_H

#include "conf/config.h"

struct outlets;

/* conf is borrowed.  fd: what a stdout outlet writes to (borrowed). */
struct outlets *outlets_new(const struct conf_global *conf, int fd) must_check;
/* A log without job that writes here; good until outlets_free(). */
struct log outlets_log(struct outlets *o);
void outlets_free(struct outlets *o);
DEFINE_CLEANUP(outlets_free, struct outlets *);

#endif
