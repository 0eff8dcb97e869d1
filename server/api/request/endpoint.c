/* SPDX-License-Identifier: BSD-3-Clause */
/* The rows of all tables, in sequence. */
#include "api/request/endpoint.h"

size_t endpoint_count(const struct api *api)
{
    size_t count = 0;

    for (size_t i = 0; i < api->table_count; i++)
        count += api->tables[i]->count;
    return count;
}

const struct api_endpoint *endpoint_at(const struct api *api, size_t i)
{
    size_t t = 0;

    while (i >= api->tables[t]->count)
        i -= api->tables[t++]->count;
    return (const struct api_endpoint *)http_table_at(api->tables[t], i);
}
