/* SPDX-License-Identifier: BSD-3-Clause */
/* The configuration file and YAML as JSON: whatever stands in a file, it is read or refused. */
#include "config/config.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct buf json = BUF_INIT(0);
    struct config *c = NULL;
    struct strs problems = {0}, live = {0}, restart = {0};

    if (config_parse((const char *)data, size, "dir/config.yaml", &c, &problems, NULL) == 0) {
        config_diff(c, c, &live, &restart);
        if (live.len || restart.len)
            __builtin_trap();
        config_unref(c);
    } else if (problems.len == 0) {
        __builtin_trap();
    }
    if (config_yaml_json((const char *)data, size, &json, NULL) < 0 && json.len)
        __builtin_trap();
    buf_release(&json);
    strs_release(&problems);
    return 0;
}
