/* SPDX-License-Identifier: BSD-3-Clause */
/* Request heads: whatever arrives is read, refused, or waited for; what was read does not depend on what follows it. */
#include <stdint.h>
#include <string.h>

#include "base/mem.h"
#include "net/head.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct head h, again;
    struct err e = {0};
    long n = head_parse(data, size, &h, &e);

    if (n < 0 && !e.message[0])
        __builtin_trap();
    if (n <= 0)
        return 0;
    if ((size_t)n > size || n > HEAD_MAX || head_parse(data, (size_t)n, &again, NULL) != n)
        __builtin_trap();
    if (strcmp(h.path, again.path) != 0 || h.field_count != again.field_count)
        __builtin_trap();
    for (size_t i = 0; i < h.field_count; i++)
        if (!head_get(&h, h.fields[i].name) || (!*h.fields[i].name))
            __builtin_trap();
    head_has_word(&h, "connection", "upgrade");
    head_release(&h);
    head_release(&again);
    return 0;
}
