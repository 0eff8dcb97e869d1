/* SPDX-License-Identifier: BSD-3-Clause */
/* The client's side of the Noise handshake, for tests and the load generator. */
#ifndef TESTS_SHARED_CLIENT_TS_NOISE_H
#define TESTS_SHARED_CLIENT_TS_NOISE_H

#include "rpc/noise.h"

struct ts_noise {
    struct noise_state state;
    struct crypto_dh *machine, *ephemeral;
    uint8_t server_public[NOISE_KEY_LEN];
};

/* Writes the initiation. ephemeral_private NULL: a fresh key, as required except in tests of vectors. */
void ts_noise_begin(struct ts_noise *n, unsigned version, const uint8_t machine_private[NOISE_KEY_LEN],
                    const uint8_t server_public[NOISE_KEY_LEN], const uint8_t *ephemeral_private,
                    uint8_t message[NOISE_INITIATION_LEN]);
/* Reads the response; 0, or ERR_INVALID. n is released in any case. */
int ts_noise_finish(struct ts_noise *n, const uint8_t message[NOISE_RESPONSE_LEN], struct noise_keys *keys);
void ts_noise_release(struct ts_noise *n);

#endif
