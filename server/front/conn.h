/* SPDX-License-Identifier: BSD-3-Clause */
/* Connections whose request head is not whole yet. */
#ifndef SERVER_FRONT_CONN_H
#define SERVER_FRONT_CONN_H

#include "front/state.h"

struct front_conn {
    struct loop_task task; /* first: starts it on its loop */
    struct loop_watch watch;
    struct loop_timer timer;
    struct front *front;
    struct loop *loop;
    struct front_conn *next, *prev; /* of the same loop */
    struct addr_port peer;
    int fd;                /* plain; -1 otherwise */
    struct stream *stream; /* TLS */
    struct buf head;       /* TLS: what was read */
    bool watched, instead;
};

/* Takes fd; on any thread. Its place was entered; with instead, the oldest connection of that loop goes. */
void conn_open(struct front *f, struct loop *l, int fd, const struct addr_port *peer, bool instead);
void conn_close(struct front_conn *c);

#endif
