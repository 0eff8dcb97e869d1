/* SPDX-License-Identifier: BSD-3-Clause */
#include "shared/client/ts_noise.h"

#include <string.h>

void ts_noise_begin(struct ts_noise *n, unsigned version, const uint8_t machine_private[NOISE_KEY_LEN],
                    const uint8_t server_public[NOISE_KEY_LEN], const uint8_t *ephemeral_private,
                    uint8_t message[NOISE_INITIATION_LEN])
{
    uint8_t machine_public[NOISE_KEY_LEN], ephemeral_public[NOISE_KEY_LEN];

    n->machine = crypto_dh_new(machine_private);
    crypto_x25519_public(machine_private, machine_public);
    memcpy(n->server_public, server_public, NOISE_KEY_LEN);
    if (ephemeral_private) {
        n->ephemeral = crypto_dh_new(ephemeral_private);
        crypto_x25519_public(ephemeral_private, ephemeral_public);
    } else {
        n->ephemeral = crypto_dh_generate(ephemeral_public);
    }
    memcpy(message, (uint8_t[]){(uint8_t)(version >> 8), (uint8_t)version, NOISE_INITIATION, 0, 96}, 5);
    noise_start(&n->state, version, server_public);
    memcpy(message + 5, ephemeral_public, NOISE_KEY_LEN);
    noise_mix_hash(&n->state, ephemeral_public, NOISE_KEY_LEN);
    /* A server key that forces zeros produces a message that no server can open: the caller sees the refusal. */
    if (noise_mix_dh(&n->state, n->ephemeral, server_public) < 0)
        return;
    noise_seal_field(&n->state, machine_public, NOISE_KEY_LEN, message + 37);
    if (noise_mix_dh(&n->state, n->machine, server_public) < 0)
        return;
    noise_seal_field(&n->state, NULL, 0, message + 85);
}

int ts_noise_finish(struct ts_noise *n, const uint8_t message[NOISE_RESPONSE_LEN], struct noise_keys *keys)
{
    const uint8_t *theirs = message + NOISE_HEAD_LEN;
    int rc = ERR_INVALID;

    if (message[0] == NOISE_RESPONSE && message[1] == 0 && message[2] == 48) {
        noise_mix_hash(&n->state, theirs, NOISE_KEY_LEN);
        if (noise_mix_dh(&n->state, n->ephemeral, theirs) == 0 && noise_mix_dh(&n->state, n->machine, theirs) == 0)
            rc = noise_open_field(&n->state, theirs + NOISE_KEY_LEN, 0, NULL);
    }
    memcpy(keys->hash, n->state.h, sizeof(keys->hash));
    noise_split(&n->state, keys->to_server, keys->to_client);
    ts_noise_release(n);
    return rc;
}

void ts_noise_release(struct ts_noise *n)
{
    crypto_dh_free(n->machine);
    crypto_dh_free(n->ephemeral);
    n->machine = n->ephemeral = NULL;
}
