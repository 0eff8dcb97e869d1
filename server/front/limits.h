/* SPDX-License-Identifier: BSD-3-Clause */
/* Bounds the connections without a complete request head, in all and per IPv4 address or IPv6 /64. Any thread. */
#ifndef SERVER_FRONT_LIMITS_H
#define SERVER_FRONT_LIMITS_H

#include "front/state.h"

enum head_place {
    HEAD_PLACE,    /* there is a place */
    HEAD_PLACE_OF, /* there is one if the connection that has waited longest is closed */
    HEAD_NO_PLACE, /* its source has too many; proxies and this machine have only the bound in all */
};
enum head_place limits_enter_head(struct front *f, const struct addr *from, bool known);
void limits_leave_head(struct front *f, const struct addr *from, bool known);

/* False while many connections are still being closed. */
bool limits_may_accept(struct front *f);

/* How many files may still be opened, judged by a new one's number: the kernel gives the lowest free one. */
enum files_left {
    FILES_MANY,
    FILES_FEW,  /* the rest is for known clients and reserved requests */
    FILES_LAST, /* likewise for the daemon itself: close one for this one */
    FILES_NONE, /* this one is not for clients */
};
enum files_left limits_files_left(const struct front *f, int fd);

#endif
