/* SPDX-License-Identifier: BSD-3-Clause */
/* The file of DNS records: read or refused, and what was read is read again. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "core/extra_records.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *json = NULL, *again = NULL;
    struct err e;

    if (extra_records_parse((const char *)data, size, &json, NULL, &e) == 0) {
        if (extra_records_parse(json, strlen(json), &again, NULL, &e) < 0 || strcmp(json, again) != 0)
            abort();
        free(again);
    }
    free(json);
    return 0;
}
