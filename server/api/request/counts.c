/* SPDX-License-Identifier: BSD-3-Clause */
/* Counts without a lock, except for the times: a row per call, and one for unknown paths. */
#include "api/request/counts.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "metrics/metrics.h"

static const int counted_statuses[] = {200, 400, 401, 403, 404, 405, 409, 410, 412, 413, 429, 500, 501, 503, 504, 0};
#define STATUSES (ARRAY_LEN(counted_statuses))

/* By route (the last row: none) and status (the last column: any other). */
struct answer_counts {
    atomic_ullong (*answers)[STATUSES];
    atomic_ullong microseconds;
    pthread_mutex_t lock;                     /* guards times */
    struct metrics_times *(*times)[STATUSES]; /* likewise; NULL: none yet */
};

void counts_init(struct api *api)
{
    api->counts = mem_alloc(sizeof(*api->counts));
    api->counts->answers = mem_alloc((endpoint_count(api) + 1) * sizeof(*api->counts->answers));
    api->counts->times = mem_alloc((endpoint_count(api) + 1) * sizeof(*api->counts->times));
    pthread_mutex_init(&api->counts->lock, NULL);
}

void counts_free(struct api *api)
{
    for (size_t row = 0; row <= endpoint_count(api); row++)
        for (size_t column = 0; column < STATUSES; column++)
            free(api->counts->times[row][column]);
    pthread_mutex_destroy(&api->counts->lock);
    free(api->counts->times);
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

    if (!r->http.status) /* the client was gone */
        return;
    while (column + 1 < STATUSES && counted_statuses[column] != r->http.status)
        column++;
    size_t row = row_of(api, r->endpoint);
    int64_t us = clock_mono_us() - r->http.began_us;
    atomic_fetch_add(&api->counts->answers[row][column], 1);
    atomic_fetch_add(&api->counts->microseconds, (unsigned long long)us);
    pthread_mutex_lock(&api->counts->lock);
    struct metrics_times **times = &api->counts->times[row][column];
    if (!*times)
        *times = mem_alloc(sizeof(**times));
    metrics_time(*times, &metrics_fractions, (double)us / 1e6);
    pthread_mutex_unlock(&api->counts->lock);
}

static void write_times(struct api *api, struct buf *out)
{
    static const char name[] = "http_request_duration_seconds";
    char labels[256];

    metrics_head(out, name, "histogram", "Time between the heads of requests and their answers");
    pthread_mutex_lock(&api->counts->lock);
    for (size_t row = 0; row <= endpoint_count(api); row++)
        for (size_t column = 0; column < STATUSES; column++) {
            const struct metrics_times *times = api->counts->times[row][column];
            bool known = row < endpoint_count(api);
            snprintf(labels, sizeof(labels), "method=\"%s\",endpoint=\"%s\",status=\"%d\"",
                     known ? endpoint_at(api, row)->http.method : "", known ? endpoint_at(api, row)->http.path : "",
                     counted_statuses[column]);
            if (times)
                metrics_put_series(out, name, labels, &metrics_fractions, times);
        }
    pthread_mutex_unlock(&api->counts->lock);
}

void counts_write(struct api *api, struct buf *out)
{
    write_times(api, out);
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
