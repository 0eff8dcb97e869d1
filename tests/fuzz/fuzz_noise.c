/* SPDX-License-Identifier: BSD-3-Clause */
/* Noise: initiations and records. The first byte chooses; sealed records made of the rest must open again. */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "rpc/noise.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void read_records(uint8_t *bytes, size_t len)
{
    static const uint8_t key[NOISE_KEY_LEN];
    struct noise_reader r;
    uint8_t *plain;
    size_t plain_len;
    long n;

    noise_reader_init(&r, key);
    while ((n = noise_reader_open(&r, bytes, len, &plain, &plain_len, NULL)) > 0) {
        bytes += n;
        len -= (size_t)n;
    }
    noise_reader_release(&r);
}

static void round_trip(const uint8_t *data, size_t size)
{
    static const uint8_t key[NOISE_KEY_LEN] = {1};
    size_t cap = size * 3 + 100, at = 0, len; /* a record of 18 bytes takes 37 */
    uint8_t *out = mem_alloc(cap), *plain;
    struct noise_writer w;
    struct noise_reader r;

    noise_writer_init(&w, key);
    noise_reader_init(&r, key);
    noise_writer_begin(&w, out, cap);
    for (size_t i = 0; i < size;) {
        size_t n = 1 + data[i] * 17U, room = noise_writer_room(&w);
        n = n < size - i ? n : size - i;
        if (n > room)
            __builtin_trap();
        noise_writer_add(&w, data + i, n);
        i += n;
        if (n % 3 == 0)
            noise_writer_end(&w);
    }
    size_t end = noise_writer_end(&w);
    for (size_t i = 0; i < end;) {
        long n = noise_reader_open(&r, out + i, end - i, &plain, &len, NULL);
        if (n <= 0 || len > size - at || memcmp(plain, data + at, len) != 0)
            __builtin_trap();
        at += len;
        i += (size_t)n;
    }
    if (at != size)
        __builtin_trap();
    noise_writer_release(&w);
    noise_reader_release(&r);
    free(out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct noise_server server;
    struct noise_handshake hs;

    if (!server.dh)
        noise_server_init(&server, (const uint8_t[NOISE_KEY_LEN]){8, [31] = 64});
    if (!size)
        return 0;
    uint8_t *copy = mem_dup(data + 1, size - 1);
    if (data[0] % 3 == 0)
        (void)!noise_read_initiation(&server, copy, size - 1, &hs, NULL);
    else if (data[0] % 3 == 1)
        read_records(copy, size - 1);
    else if (size < 3000)
        round_trip(copy, size - 1);
    free(copy);
    return 0;
}
