/* SPDX-License-Identifier: BSD-3-Clause */
/* How many connections there may be whose request is not whole, in all and of one IPv4 address or IPv6 /64. Any thread.
 */
#ifndef SERVER_FRONT_LIMITS_H
#define SERVER_FRONT_LIMITS_H

#include "front/state.h"

enum head_place {
    HEAD_PLACE,    /* there is one */
    HEAD_PLACE_OF, /* there is one if another connection goes: the one that has waited the longest */
    HEAD_NO_PLACE, /* its source has too many; those of proxies and of this machine are bounded by the whole only */
};
enum head_place limits_enter_head(struct front *f, const struct addr *from, bool known);
void limits_leave_head(struct front *f, const struct addr *from, bool known);

/* Not while many who must go have not gone yet. */
bool limits_may_accept(struct front *f);

/* How many files may still be opened, by the number of a new one: the kernel gives the lowest that is free. */
enum files_left {
    FILES_MANY,
    FILES_FEW,  /* what is left is for known clients and reserved requests */
    FILES_LAST, /* and for the daemon's own: one must go for this one */
    FILES_NONE, /* this one is not for clients */
};
enum files_left limits_files_left(const struct front *f, int fd);

#endif
