/* SPDX-License-Identifier: BSD-3-Clause */
/* Listening sockets, opened or inherited. Private to this room. */
#ifndef SERVER_FRONT_SOCKETS_H
#define SERVER_FRONT_SOCKETS_H

#include "base/err.h"
#include "net/sockaddr.h"

/* A listening socket for "0.0.0.0:8080", "[::]:8080" or ":8080" (both families): inherited, or new. Negative: an
 * error. */
int listen_open(const char *text, struct err *e) WARN_UNUSED;
unsigned listen_port(int fd);
/* Closes it in this process. */
void listen_close(int fd);

#endif
