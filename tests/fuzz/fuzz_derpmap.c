/* SPDX-License-Identifier: BSD-3-Clause */
/* DERP maps from files and from the network: merged whole, or refused with a reason and nothing changed. */
#include <stdint.h>

#include "relay/map_source.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    json_t *regions = json_pack("{s:{s:i}}", "1", "RegionID", 1);
    struct err e = {0};

    if (source_merge(regions, (const char *)data, size, "map", &e) < 0 &&
        (!e.message[0] || json_object_size(regions) != 1))
        __builtin_trap();
    json_decref(regions);
    return 0;
}
