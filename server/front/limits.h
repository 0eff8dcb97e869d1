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
enum head_place limits_enter_head(struct front *f, const struct addr *from);
void limits_leave_head(struct front *f, const struct addr *from);

#endif
