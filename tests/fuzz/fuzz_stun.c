/* SPDX-License-Identifier: BSD-3-Clause */
/* STUN: whatever arrives gets no answer or one that holds the question's transaction id and the address it came from.
 */
#include <stdint.h>
#include <string.h>

#include "relay/reach/stun.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct addr_port from = {.addr = {.bits = size & 1 ? 32 : 128, .bytes = {192, 0, 2, 1}}, .port = 41641};
    uint8_t out[STUN_ANSWER_MAX];
    size_t n = stun_answer(data, size, &from, out);

    if (n && (n != (size & 1 ? 32U : 44U) || memcmp(out + 4, data + 4, 16) != 0 || (out[28] ^ data[4]) != 192))
        __builtin_trap();
    return 0;
}
