/* SPDX-License-Identifier: BSD-3-Clause */
/* Connections whose request head is not complete yet. */
#ifndef SERVER_FRONT_CONN_H
#define SERVER_FRONT_CONN_H

#include "front/state.h"

struct front_conn {
    struct loop_task task; /* first: starts it on its loop */
    struct loop_watch watch;
    struct loop_timer timer;
    struct front *front;
    struct loop *loop;
    struct front_conn *next, *prev; /* on the same loop */
    struct addr_port peer;
    int fd;                /* plain; -1 otherwise */
    struct stream *stream; /* TLS */
    struct buf head;       /* TLS: what was read */
    bool watched;
    struct conn_terms {
        bool instead;   /* closes the oldest one of that loop for it */
        bool known;     /* its address is known */
        bool few_files; /* it gets less time, and strangers only what is reserved */
    } terms;
};

/* Takes fd; on any thread. Its place must have been entered. */
void conn_open(struct front *f, struct loop *l, int fd, const struct addr_port *peer, const struct conn_terms *terms);
void conn_close(struct front_conn *c);

#endif
