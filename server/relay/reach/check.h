/* SPDX-License-Identifier: BSD-3-Clause */
/* Tries, from this machine, what clients are told to use. That it works from here does not prove that it works from
 * everywhere; that it does not is worth a warning. */
#ifndef SERVER_RELAY_REACH_CHECK_H
#define SERVER_RELAY_REACH_CHECK_H

#include "base/err.h"
#include "relay/reach/advertised.h"

struct relay_check {
    bool done, derp, stun;             /* done: the others hold */
    char derp_why[200], stun_why[200]; /* where it did not work */
};

/* Blocks for some seconds at most; stop: true ends it early, without a result. stun_port 0: there is no STUN. */
void relay_check_run(const struct relay_advertised *a, unsigned stun_port, bool (*stop)(void *arg), void *arg,
                     struct relay_check *out);

#endif
