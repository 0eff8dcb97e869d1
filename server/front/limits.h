/* SPDX-License-Identifier: BSD-3-Clause */
/* How many connections there may be whose request is not whole, in all and of one IPv4 address or IPv6 /64. Any thread.
 */
#ifndef SERVER_FRONT_LIMITS_H
#define SERVER_FRONT_LIMITS_H

#include "front/state.h"

/* false: there are too many already. Trusted proxies are bounded by the whole only. */
bool limits_enter_head(struct front *f, const struct addr *from);
void limits_leave_head(struct front *f, const struct addr *from);

#endif
