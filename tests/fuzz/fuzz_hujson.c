/* SPDX-License-Identifier: BSD-3-Clause */
/* Any bytes as HuJSON; what is taken can be edited, and the result is taken again. */
#include <stdint.h>
#include <stdlib.h>

#include "base/array.h"
#include "policy/lang/hujson.h"
#include "policy/policy.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char *const pointers[] = {"/acls/-", "/groups", "/acls/0", "/-", "/0"};
    struct arena a = {.max = 4U << 20};
    struct hujson_error why;
    struct hujson *v;

    if (hujson_read((const char *)data, size, &a, &v, &why) == 0) {
        for (size_t i = 0; i < 2 * ARRAY_LEN(pointers); i++) {
            struct buf out = BUF_INIT(0);
            struct err e;
            if (policy_text_edit((const char *)data, size, pointers[i / 2], i % 2 ? NULL : "[1]", &out, &e) == 0 &&
                out.len && hujson_read(out.data, out.len, &a, &v, &why) == ERR_INVALID)
                abort();
            buf_release(&out);
        }
    }
    arena_release(&a);
    return 0;
}
