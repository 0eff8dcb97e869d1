/* SPDX-License-Identifier: BSD-3-Clause */
/* The stream of events: whatever the pieces, the events are the same. The first byte says how the rest is cut. */
#include "base/str.h"
#include "client/client.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int on_event(void *arg, const char *name, const char *id, const char *data, size_t len)
{
    struct buf *seen = arg;

    if (strlen(name) > 1024 || strlen(id) > 1024)
        __builtin_trap();
    buf_addf(seen, "%s|%s|%zu|", name, id, len);
    buf_add(seen, data, len);
    return 0;
}

static void feed(const char *text, size_t len, size_t piece, struct buf *seen)
{
    struct sse s;

    sse_init(&s, on_event, seen);
    for (size_t i = 0; i < len; i += piece)
        if (sse_feed(&s, text + i, len - i < piece ? len - i : piece) != 0)
            break;
    sse_release(&s);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct buf whole = BUF_INIT(0), cut = BUF_INIT(0);

    if (size < 2)
        return 0;
    feed((const char *)data + 1, size - 1, size, &whole);
    feed((const char *)data + 1, size - 1, (size_t)(data[0] % 7) + 1, &cut);
    if (whole.len != cut.len || (whole.len && memcmp(whole.data, cut.data, whole.len) != 0))
        __builtin_trap();
    buf_release(&whole);
    buf_release(&cut);
    return 0;
}
