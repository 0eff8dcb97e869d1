/* SPDX-License-Identifier: BSD-3-Clause */
/* Sockets that listen, opened or inherited. Private to this room. */
#ifndef SERVER_FRONT_SOCKETS_H
#define SERVER_FRONT_SOCKETS_H

#include "base/err.h"
#include "net/sockaddr.h"

/* A socket that listens at "0.0.0.0:8080", "[::]:8080" or ":8080" (both families): the one the daemon was started with,
 * or a new one. Negative: an error. */
int listen_open(const char *text, struct err *e) WARN_UNUSED;
unsigned listen_port(int fd);
/* Closes it, here. */
void listen_close(int fd);

#endif
