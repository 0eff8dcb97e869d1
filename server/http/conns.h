/* SPDX-License-Identifier: BSD-3-Clause */
/* The connections of the public listener: how many there may be, of whom, and how long each may take to say what it
 * wants. Where there is no place, the one goes that has not brought a whole request for the longest. Any thread. */
#ifndef SERVER_HTTP_CONNS_H
#define SERVER_HTTP_CONNS_H

#include <stdbool.h>

#include "base/err.h"
#include "net/prefixes.h"

struct http_conns;
struct http_conn;

/* max: connections at a time, and an eighth of that more for reserved requests. proxies: who brings many clients; kept,
 * not copied. Fails with a thread that cannot be started; out is
 * to be freed then, too. */
int http_conns_new(unsigned max, const struct prefixes *proxies, struct http_conns **out, struct err *e) WARN_UNUSED;
void http_conns_free(struct http_conns *all);

/* Before libmicrohttpd gets a connection: closes those whose time is over, and another one if there is no place. false:
 * its IPv4 address or IPv6 /64 has as many as one may have, or there is no place and none that waits. Until its first
 * answer is given a reserved one has a place of its own. */
bool http_conns_enter(struct http_conns *all, int fd, const struct addr *from, bool reserved);
struct http_conn *http_conns_started(struct http_conns *all, int fd); /* it has it; NULL: it did not come by enter */
void http_conns_failed(struct http_conns *all, int fd);               /* it did not take it */
void http_conns_remove(struct http_conns *all, struct http_conn *c);

void http_conns_wait(struct http_conns *all, struct http_conn *c); /* from now on for a whole request */
void http_conns_work(struct http_conns *all, struct http_conn *c); /* its request is whole */
void http_conns_answered(struct http_conns *all, struct http_conn *c);

#endif
