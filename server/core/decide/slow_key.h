/* SPDX-License-Identifier: BSD-3-Clause */
/* Pre-auth keys imported from headscale have slow hashes (bcrypt): a thread of its own computes them, one after
 * another, and the core decides the registration again when the result is there. */
#ifndef SERVER_CORE_DECIDE_SLOW_KEY_H
#define SERVER_CORE_DECIDE_SLOW_KEY_H

#include "core/core.h"
#include "core/state/state.h"

enum slow_verdict {
    SLOW_FITS,
    SLOW_WRONG,
    SLOW_BUSY,  /* cannot be computed now; err has the reason */
    SLOW_LATER, /* being computed: the call is run again; do nothing else for it */
};
/* Whether the secret that came with the call fits the key. After each wrong secret for a key, further tries wait for a
 * multiple of the time that it took; so do others who use the key for the first time. */
enum slow_verdict slow_key_fits(struct core_state *s, struct core_register *r, const struct preauth_key *k,
                                const char *secret, struct err *e);

#endif
