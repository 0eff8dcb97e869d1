/* SPDX-License-Identifier: BSD-3-Clause */
/* Counted without a lock: a row for each call, and one for what nobody has. */
#include "api/request/counts.h"

#include <stdatomic.h>
#include <stdlib.h>

static const int counted_statuses[] = {200, 400, 401, 403, 404, 405, 409, 410, 412, 413, 429, 500, 501, 503, 504, 0};
#define STATUSES (ARRAY_LEN(counted_statuses))

/* By route (the last row: no route) and status (the last column: another one). */
struct answer_counts {
    atomic_ullong (*answers)[STATUSES];
    atomic_ullong microseconds;
};

void counts_init(struct api *api)
{
    api->counts = mem_alloc(sizeof(*api->counts));
    api->counts->answers = mem_alloc((endpoint_count(api) + 1) * sizeof(*api->counts->answers));
}

void counts_free(struct api *api)
{
    free(api->counts->answers);
    free(api->counts);
}

static size_t row_of(const struct api *api, const struct api_endpoint *endpoint)
{
    size_t row = 0;

    while (row < endpoint_count(api) && endpoint_at(api, row) != endpoint)
        row++;
    return row;
}

void counts_add(struct api *api, const struct rest_request *r)
{
    size_t column = 0;

    if (!r->http.status) /* nobody waited for an answer */
        return;
    while (column + 1 < STATUSES && counted_statuses[column] != r->http.status)
        column++;
    atomic_fetch_add(&api->counts->answers[row_of(api, r->endpoint)][column], 1);
    atomic_fetch_add(&api->counts->microseconds, (unsigned long long)(clock_mono_us() - r->http.began_us));
}

void counts_write(struct api *api, struct buf *out)
{
    buf_adds(out, "# HELP http_requests_total Answers by endpoint and status\n# TYPE http_requests_total counter\n");
    for (size_t row = 0; row <= endpoint_count(api); row++)
        for (size_t column = 0; column < STATUSES; column++) {
            unsigned long long n = atomic_load(&api->counts->answers[row][column]);
            bool known = row < endpoint_count(api);
            if (n)
                buf_addf(out, "http_requests_total{method=\"%s\",endpoint=\"%s\",status=\"%d\"} %llu\n",
                         known ? endpoint_at(api, row)->http.method : "", known ? endpoint_at(api, row)->http.path : "",
                         counted_statuses[column], n);
        }
    buf_addf(out,
             "# HELP headway_http_seconds_total Time between the heads of requests and their answers\n"
             "# TYPE headway_http_seconds_total counter\nheadway_http_seconds_total %.6f\n",
             (double)atomic_load(&api->counts->microseconds) / 1e6);
}
