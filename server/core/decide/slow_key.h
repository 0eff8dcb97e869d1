/* SPDX-License-Identifier: BSD-3-Clause */
/* Pre-auth keys that were imported from headscale have slow hashes (bcrypt): a thread of their own computes them, one
 * after another, and the core decides the registration again when the result is there. */
#ifndef SERVER_CORE_DECIDE_SLOW_KEY_H
#define SERVER_CORE_DECIDE_SLOW_KEY_H

#include "core/core.h"
#include "core/state/state.h"

enum slow_verdict {
    SLOW_FITS,
    SLOW_WRONG,
    SLOW_BUSY,  /* not computed now; err says why */
    SLOW_LATER, /* is computed: the call is run again, and nothing else may be done for it */
};
/* Does the secret that came with the call fit the key? Whoever knows a key's prefix and tries secrets waits, from each
 * wrong one, so many times as long as it took: so do others that use the key for the first time. */
enum slow_verdict slow_key_fits(struct core_state *s, struct core_register *r, const struct preauth_key *k,
                                const char *secret, struct err *e);

#endif
