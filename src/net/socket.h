/*
 * socket.h - UNIX sockets that only their owner may use.
 */
#ifndef NET_SOCKET_H
#define NET_SOCKET_H

#include "base/err.h"

/*
 * Bind and listen at path.  The directory must exist and have no permissions for others;
 * a socket that nobody listens on is replaced; anything else there is an error.  Returns
 * the descriptor (the caller's) or -1.
 */
int socket_listen_private(const char *path, struct err *err) must_check;

/* Connect to it.  ERR_SYSTEM with errno in err->sys. */
int socket_connect(const char *path, struct err *err) must_check;

#endif
