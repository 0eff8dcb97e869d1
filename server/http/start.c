/* SPDX-License-Identifier: BSD-3-Clause */
/* Starts and stops the room. */
#include <stdlib.h>

#include "http/server.h"

static const struct {
    const char *name;
    size_t threads;
} kinds[HTTP_WORKERS] = {[HTTP_FAST] = {"http", 2},
                         [HTTP_DISK] = {"http-disk", 2},
                         [HTTP_HEAVY] = {"http-heavy", 1},
                         [HTTP_HEALTH] = {"http-health", 1}};

static void release(struct http *h)
{
    server_stop(h->server);
    for (size_t i = HTTP_WORKERS; i-- > 0;) /* the fast ones last: the others hand their results to them */
        workers_stop(&h->workers[i]);
    pthread_cond_destroy(&h->idle);
    pthread_mutex_destroy(&h->lock);
    prefixes_release(&h->with.trusted_proxies);
    strs_release(&h->with.cors_origins);
    free(h);
}

int http_start(const struct http_options *options, struct http **out, struct err *e)
{
    struct http *h = mem_alloc(sizeof(*h));
    int code = 0;

    h->with = *options;
    h->with.trusted_proxies = (struct prefixes){0};
    prefixes_copy(&h->with.trusted_proxies, &options->trusted_proxies);
    h->with.cors_origins = (struct strs){0};
    for (size_t i = 0; i < options->cors_origins.len; i++)
        strs_push(&h->with.cors_origins, options->cors_origins.items[i]);
    pthread_mutex_init(&h->lock, NULL);
    pthread_cond_init(&h->idle, NULL);
    for (size_t i = 0; i < HTTP_WORKERS && code == 0; i++)
        code = workers_start(&h->workers[i], kinds[i].name, kinds[i].threads, e);
    *out = h; /* requests are served before the rest is started */
    if (code == 0)
        code = server_start(h, &h->server, e);
    if (code < 0) {
        *out = NULL;
        release(h);
    }
    return code;
}

void http_stop(struct http *h)
{
    server_refuse(h->server);
    pthread_mutex_lock(&h->lock);
    while (h->active)
        pthread_cond_wait(&h->idle, &h->lock);
    pthread_mutex_unlock(&h->lock);
    release(h);
}

void http_run(struct http *h, enum http_workers which, struct work *work)
{
    workers_add(&h->workers[which], work);
}
