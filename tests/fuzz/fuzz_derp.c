/* SPDX-License-Identifier: BSD-3-Clause */
/* What a client sends the relay: frames are read, skipped or refused within their bounds; so is a login. */
#include <sodium.h>
#include <stdint.h>
#include <string.h>

#include "relay/derp/frame.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void try_login(const uint8_t *data, size_t size)
{
    static struct relay_keys keys = {.private_key = {8}};
    struct derp_login login;
    struct buf b = BUF_INIT(0);
    uint8_t sealed[32 + 24 + 16 + 4096 + 1], client[32] = {16}, public[32];
    struct err e = {0};

    /* As it comes, and sealed rightly, so that what is inside is read. */
    if (size >= 72 && login_open(&keys, data, size, &login, &e) == 0)
        frame_put_server_info(&b, &keys, login.key, data[0] & 1 ? 1000 : 0, 70000, &e) == 0 ? buf_clear(&b) : (void)0;
    crypto_scalarmult_base(keys.public_key, keys.private_key);
    crypto_scalarmult_base(public, client);
    if (size <= 4096) {
        memcpy(sealed, public, 32);
        memset(sealed + 32, 1, 24);
        if (crypto_box_easy(sealed + 56, data, size, sealed + 32, keys.public_key, client) != 0)
            __builtin_trap();
        if (login_open(&keys, sealed, 72 + size, &login, &e) < 0 && !e.message[0])
            __builtin_trap();
    }
    buf_release(&b);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct derp_frame f;
    struct err e = {0};
    size_t at = 0;

    if (sodium_init() < 0)
        return 0;
    for (int rc; at < size && (rc = frame_read(data + at, size - at, &f, &e)) != 0;) {
        if (rc < 0) {
            if (!e.message[0])
                __builtin_trap();
            break;
        }
        if (f.len > 1U << 20)
            __builtin_trap();
        if (size - at - FRAME_HEADER < f.len)
            break;
        if (f.type == FRAME_SEND && !f.discard)
            frame_is_disco(data + at + FRAME_HEADER + 32, f.len - 32);
        at += FRAME_HEADER + f.len;
    }
    try_login(data, size);
    return 0;
}
