/*
 * certs.h - are the certificates and keys that jobs name there, and of any use?
 */
#ifndef CLI_CERTS_H
#define CLI_CERTS_H

#include "conf/config.h"

#include <stdio.h>

/* A line to `to` for each job whose files are not; returns how many there were. */
size_t certs_check(const struct config *c, FILE *to);

#endif
