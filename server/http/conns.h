/* SPDX-License-Identifier: BSD-3-Clause */
/* The connections of one listener: how many there may be, of whom, and how long each may take to say what it wants and
 * to read the answer. Where there is no place, the one goes that has not brought a whole request for the longest, then
 * the one that has been reading for the longest. Any thread. */
#ifndef SERVER_HTTP_CONNS_H
#define SERVER_HTTP_CONNS_H

#include <stdbool.h>

#include "net/prefixes.h"

struct http_conns;
struct http_conn;

/* max: connections at a time, and an eighth of that more for reserved requests. proxies: who brings many clients; kept,
 * not copied. */
struct http_conns *http_conns_new(unsigned max, const struct prefixes *proxies);
void http_conns_free(struct http_conns *all);
/* Closes those whose time is over; to be called now and then. */
void http_conns_end_overdue(struct http_conns *all);

/* Before libmicrohttpd gets a connection: closes those whose time is over, and another one if there is no place. false:
 * its IPv4 address or IPv6 /64 has as many as one may have, or there is no place and none that waits. Until its first
 * answer is given a reserved one has a place of its own. */
bool http_conns_enter(struct http_conns *all, int fd, const struct addr *from, bool reserved);
struct http_conn *http_conns_started(struct http_conns *all, int fd); /* it has it; NULL: it did not come by enter */
void http_conns_failed(struct http_conns *all, int fd);               /* it did not take it */
/* What libmicrohttpd accepted itself. Where http_conns_enter would say false it is shut down, and counts until it is
 * gone. */
struct http_conn *http_conns_accepted(struct http_conns *all, int fd, const struct addr *from);
void http_conns_remove(struct http_conns *all, struct http_conn *c);

void http_conns_wait(struct http_conns *all, struct http_conn *c);   /* from now on for a whole request */
void http_conns_work(struct http_conns *all, struct http_conn *c);   /* its request is whole */
void http_conns_answer(struct http_conns *all, struct http_conn *c); /* its answer, of known length, goes out */
void http_conns_answered(struct http_conns *all, struct http_conn *c);

#endif
