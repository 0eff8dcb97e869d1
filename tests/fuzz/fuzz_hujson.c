/* SPDX-License-Identifier: BSD-3-Clause */
/* Any bytes as HuJSON. What is taken has a plain form, which the JSON library takes too and which reads back as the
 * same. What is refused has errors, of which the first is the one that it was refused for. */
#include <stdint.h>
#include <stdlib.h>

#include "base/str.h"
#include "policy/lang/hujson.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena a = {.max = 4U << 20};
    struct hujson_error why, errors[8];
    struct hujson *v;

    size_t found = hujson_errors((const char *)data, size, &a, errors, 8);
    arena_release(&a);
    a = (struct arena){.max = 4U << 20};
    for (size_t i = 0; i < found; i++)
        if (errors[i].offset > size || !errors[i].message[0])
            abort();
    if (hujson_read((const char *)data, size, &a, &v, &why) == 0) {
        if (found)
            abort();
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
    } else if (!found || why.offset != errors[0].offset || !str_eq(why.message, errors[0].message)) {
        abort();
    }
    arena_release(&a);
    return 0;
}
