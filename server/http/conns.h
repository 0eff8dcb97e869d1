/* SPDX-License-Identifier: BSD-3-Clause */
/* The connections of one listener: bounds how many there are in all and per source, and how long each may take to send
 * its request and to read the answer. If there is no place, the connection that has gone longest without a whole
 * request is closed, then the one that has been reading the longest. Any thread. */
#ifndef SERVER_HTTP_CONNS_H
#define SERVER_HTTP_CONNS_H

#include <stdbool.h>

#include "net/prefixes.h"

struct http_conns;
struct http_conn;

/* max: connections at a time, plus an eighth of that for reserved requests. proxies: addresses that carry many clients;
 * kept, not copied. */
struct http_conns *http_conns_new(unsigned max, const struct prefixes *proxies);
void http_conns_free(struct http_conns *all);
/* Closes overdue connections; call it regularly. */
void http_conns_end_overdue(struct http_conns *all);

/* Call before libmicrohttpd gets a connection: closes overdue connections, and one more if there is no place. false:
 * its IPv4 address or IPv6 /64 has as many as it may, or there is no place and none that can be closed. A reserved
 * connection has a place of its own until its first answer is made. */
bool http_conns_enter(struct http_conns *all, int fd, const struct addr *from, bool reserved);
struct http_conn *http_conns_started(struct http_conns *all,
                                     int fd);           /* libmicrohttpd has it; NULL: it was not entered */
void http_conns_failed(struct http_conns *all, int fd); /* libmicrohttpd refused it */
/* A connection that libmicrohttpd accepted itself. Where http_conns_enter would return false, it is shut down and
 * counts until it is gone. */
struct http_conn *http_conns_accepted(struct http_conns *all, int fd, const struct addr *from);
void http_conns_remove(struct http_conns *all, struct http_conn *c);

void http_conns_wait(struct http_conns *all, struct http_conn *c);   /* from now on it waits for a whole request */
void http_conns_work(struct http_conns *all, struct http_conn *c);   /* its request is complete */
void http_conns_answer(struct http_conns *all, struct http_conn *c); /* its answer, of known length, is being sent */
void http_conns_answered(struct http_conns *all, struct http_conn *c);

#endif
