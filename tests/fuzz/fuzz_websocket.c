/* SPDX-License-Identifier: BSD-3-Clause */
/* Frames of a WebSocket: the same is found in whatever pieces they come, and answers are bounded. Input: the size of a
 * piece, then what a client sends. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "loop/websocket.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* A pong and a close. */
#define ANSWER_MAX (2 * (WEBSOCKET_CONTROL_MAX + 4))

static size_t take(struct websocket *w, const uint8_t *bytes, size_t len, struct buf *carried)
{
    uint8_t *copy = mem_dup(bytes, len);
    size_t got = websocket_take(w, copy, len);

    if (got > len || w->out.len > ANSWER_MAX)
        __builtin_trap();
    buf_add(carried, copy, got);
    free(copy);
    return got;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct websocket whole = {0}, parts = {0};
    struct buf a = BUF_INIT(0), b = BUF_INIT(0);

    if (size < 2)
        return 0;
    size_t piece = 1 + data[0] % 16;
    take(&whole, data + 1, size - 1, &a);
    for (size_t at = 1; at < size; at += piece)
        take(&parts, data + at, size - at < piece ? size - at : piece, &b);
    if (a.len != b.len || (a.len && memcmp(a.data, b.data, a.len) != 0) || whole.ended != parts.ended ||
        whole.left != parts.left)
        __builtin_trap();
    buf_release(&a);
    buf_release(&b);
    websocket_release(&whole);
    websocket_release(&parts);
    return 0;
}
