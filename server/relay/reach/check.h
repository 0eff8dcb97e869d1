/* SPDX-License-Identifier: BSD-3-Clause */
/* Tests from this machine what clients are told to use. Success does not prove that it works from everywhere; failure
 * is worth a warning. */
#ifndef SERVER_RELAY_REACH_CHECK_H
#define SERVER_RELAY_REACH_CHECK_H

#include "base/err.h"
#include "relay/reach/advertised.h"

struct relay_check {
    bool done, derp, stun;             /* done: the other members are valid */
    char derp_why[200], stun_why[200]; /* why it did not work */
};

/* Blocks for some seconds at most; ends early without a result if stop returns true. stun_port 0: no STUN. */
void relay_check_run(const struct relay_advertised *a, unsigned stun_port, bool (*stop)(void *arg), void *arg,
                     struct relay_check *out);

#endif
