/* SPDX-License-Identifier: BSD-3-Clause */
/* The configuration in TOML and JSON: the first byte says which. */
#include "config/config.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct config *c = NULL;
    struct strs problems = {0};

    if (size == 0)
        return 0;
    if (config_parse((const char *)data + 1, size - 1, data[0] == 'j' ? "dir/config.json" : "dir/config.toml", &c,
                     &problems, NULL) == 0)
        config_unref(c);
    else if (problems.len == 0)
        __builtin_trap();
    strs_release(&problems);
    return 0;
}
