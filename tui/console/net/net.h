/* SPDX-License-Identifier: BSD-3-Clause */
/* The two threads that talk to the daemon: one keeps the snapshot current by following events, one sends requests. Both
 * post messages to a bounded queue, signalled on a descriptor. */
#ifndef TUI_CONSOLE_NET_NET_H
#define TUI_CONSOLE_NET_NET_H

#include "client/client.h"
#include "console/model/decode.h"
#include "console/net/request.h"

struct net;

enum message_kind { MESSAGE_DELTA, MESSAGE_CONN, MESSAGE_REPLY, MESSAGE_WHOAMI };

struct net_message {
    enum message_kind kind;
    struct model_delta delta;
    struct reply reply;
    uint64_t id; /* MESSAGE_REPLY: of the request */
    enum connection_state state;
    int64_t delay_ms;
    char *text; /* MESSAGE_CONN: why; MESSAGE_WHOAMI: the actor */
    bool read_only;
};

struct net_messages {
    struct net_message *items;
    size_t len, cap;
};

/* ERR_INVALID if the options name no server. The caller owns *out. */
int net_start(const struct client_options *options, struct net **out, struct err *e) WARN_UNUSED;
void net_stop(struct net *n); /* waits for the threads, which abandon their requests */

int64_t net_heard_ms(const struct net *n);              /* when the server was last heard, clock_mono_ms; 0: never */
int net_fd(const struct net *n);                        /* readable when there are messages */
void net_take(struct net *n, struct net_messages *out); /* takes all messages; the caller releases each */
void message_release(struct net_message *m);            /* frees what was not taken from it */
void net_send(void *net, const struct app_request *request); /* copies what it needs */
void net_retry(void *net);

#endif
