/* SPDX-License-Identifier: BSD-3-Clause */
/* Any bytes as HuJSON. What is taken has a plain form, which the JSON library takes too and which reads back as the
 * same. */
#include <stdint.h>
#include <stdlib.h>

#include "base/str.h"
#include "policy/lang/hujson.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena a = {.max = 4U << 20};
    struct hujson_error why;
    struct hujson *v;

    if (hujson_read((const char *)data, size, &a, &v, &why) == 0) {
        struct buf plain = BUF_INIT(0), again = BUF_INIT(0);
        hujson_plain(v, (const char *)data, &plain);
        if (hujson_read(buf_text(&plain), plain.len, &a, &v, &why) == ERR_INVALID)
            abort();
        if (v) {
            hujson_plain(v, buf_text(&plain), &again);
            if (!str_eq(buf_text(&plain), buf_text(&again)))
                abort();
        }
        buf_release(&plain);
        buf_release(&again);
    } else if (why.offset > size || !why.message[0]) {
        abort();
    }
    arena_release(&a);
    return 0;
}
