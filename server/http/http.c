/* SPDX-License-Identifier: BSD-3-Clause */
#include "http/http.h"

#include <stdlib.h>
#include <unistd.h>

#include "http/private.h"

const struct config *http_config(struct http *h)
{
    pthread_mutex_lock(&h->lock);
    const struct config *c = config_ref(h->config);
    pthread_mutex_unlock(&h->lock);
    return c;
}

void http_reload(struct http *h, const struct config *config)
{
    pthread_mutex_lock(&h->lock);
    const struct config *old = h->config;
    h->config = config_ref(config);
    pthread_mutex_unlock(&h->lock);
    config_unref(old);
}

int http_start(const struct http_options *options, struct http **out, struct err *e)
{
    struct http *h = mem_alloc(sizeof(*h));
    int code;

    h->with = *options;
    h->config = config_ref(options->config);
    h->started_ns = clock_wall_ns();
    h->auth = auth_new();
    pthread_mutex_init(&h->lock, NULL);
    pthread_cond_init(&h->idle, NULL);
    if ((code = workers_start(&h->fast, "http", 2, e)) < 0 || (code = workers_start(&h->disk, "http-disk", 2, e)) < 0 ||
        (code = workers_start(&h->health, "http-health", 1, e)) < 0 || (code = hub_start(h, &h->hub, e)) < 0 ||
        (code = server_start(h, &h->server, e)) < 0) {
        http_stop(h);
        return code;
    }
    log_info("http", "administration at %s%s%s", h->config->unix_socket,
             *h->config->metrics_listen_addr ? ", metrics and health at " : "", h->config->metrics_listen_addr);
    *out = h;
    return 0;
}

void http_stop(struct http *h)
{
    if (!h)
        return;
    if (h->server)
        server_refuse(h->server);
    if (h->hub)
        hub_end_streams(h->hub);
    pthread_mutex_lock(&h->lock);
    while (h->active)
        pthread_cond_wait(&h->idle, &h->lock);
    pthread_mutex_unlock(&h->lock);
    server_stop(h->server);
    workers_stop(&h->disk);
    workers_stop(&h->health);
    workers_stop(&h->fast);
    hub_stop(h->hub);
    relays_unref(h->relays);
    counted_free(h);
    auth_free(h->auth);
    config_unref(h->config);
    pthread_cond_destroy(&h->idle);
    pthread_mutex_destroy(&h->lock);
    free(h);
}

void http_take_socket(struct http *h, int fd, const struct addr_port *peer)
{
    server_take(h->server, fd, peer);
}
