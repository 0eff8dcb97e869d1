/* SPDX-License-Identifier: BSD-3-Clause */
/* Starts and stops the room. */
#include <stdlib.h>

#include "api/change/events.h"
#include "api/pages/tables.h"
#include "api/request/counts.h"
#include "api/request/heavy.h"
#include "api/request/policy_watch.h"
#include "api/request/request.h"
#include "api/request/samples.h"
#include "api/request/state.h"
#include "api/resources/tables.h"
#include "api/view/view.h"

/* In the order of the documentation. */
static const struct http_table *const tables[] = {
    &users_table,       &preauthkeys_table,     &apikeys_table,       &oauth_clients_table, &oauth_token_table,
    &keys_table,        &v2_devices_table,      &v2_acl_table,        &v2_settings_table,   &v2_dns_table,
    &dns_table,         &v2_users_table,        &webhooks_table,      &nodes_table,         &routes_table,
    &simulate_table,    &readback_table,        &pending_table,       &policy_table,        &explain_table,
    &reach_table,       &policy_versions_table, &journal_pages_table, &journal_table,       &server_table,
    &health_table,      &snapshot_table,        &past_table,          &docs_table,          &pages_table,
    &login_pages_table, &devices_table,         &metrics_table,       &debug_table,
};
void api_reload(struct api *api, const struct config *config)
{
    pthread_mutex_lock(&api->lock);
    const struct config *old = api->config;
    api->config = config_ref(config);
    pthread_mutex_unlock(&api->lock);
    webhooks_reload(api->webhooks, config);
    config_unref(old);
}

static int start_http(struct api *api, struct err *e)
{
    const struct config *c = api->config;
    struct http_options options = {.unix_socket = c->unix_socket,
                                   .unix_mode = (unsigned)c->unix_socket_permission,
                                   .metrics_addr = c->metrics_listen_addr,
                                   .trusted_proxies = c->trusted_proxies,
                                   .cors_origins = c->http.cors_origins,
                                   .tables = api->tables,
                                   .table_count = api->table_count,
                                   .request_size = sizeof(struct rest_request),
                                   .admit = request_admit,
                                   .serve = request_serve,
                                   .over = request_over,
                                   .arg = api};
    int code = http_start(&options, &api->http, e);

    if (code == 0)
        log_info("http", "administration at %s%s%s", c->unix_socket,
                 *c->metrics_listen_addr ? ", metrics and health at " : "", c->metrics_listen_addr);
    return code;
}

static int start_webhooks(struct api *api, struct err *e)
{
    const struct webhooks_options options = {
        .config = api->config, .core = api->with.core, .tailnet = api->with.tailnet, .store = api->with.store};

    return webhooks_start(&options, &api->webhooks, e);
}

int api_start(const struct api_options *options, struct api **out, struct err *e)
{
    struct api *api = mem_alloc(sizeof(*api));
    int code;

    api->with = *options;
    api->tables = tables;
    api->table_count = ARRAY_LEN(tables);
    api->config = config_ref(options->config);
    api->started_ns = clock_wall_ns();
    api->auth = auth_new();
    pthread_mutex_init(&api->lock, NULL);
    counts_init(api);
    heavy_init(api);
    if ((code = login_start(api->config, options->core, options->tailnet, &api->login, e)) < 0 ||
        (code = start_webhooks(api, e)) < 0 || (code = events_start(api, &api->hub, e)) < 0 ||
        (code = samples_start(api, &api->sampler, e)) < 0 ||
        (code = policy_watch_start(api, &api->policy_watch, e)) < 0 || (code = start_http(api, e)) < 0) {
        api_stop(api);
        return code;
    }
    *out = api;
    return 0;
}

void api_stop(struct api *api)
{
    if (!api)
        return;
    if (api->hub)
        events_end_streams(api->hub);
    login_end_visits(api->login);
    if (api->http)
        http_stop(api->http);
    login_stop(api->login);
    webhooks_stop(api->webhooks);
    samples_stop(api->sampler);
    policy_watch_stop(api->policy_watch);
    events_stop(api->hub);
    relays_unref(api->relays);
    free(api->resolved.host);
    counts_free(api);
    for (size_t i = 0; i < 4; i++)
        buf_release(&api->openapi[i / 2][i % 2]);
    heavy_free(api);
    auth_free(api->auth);
    config_unref(api->config);
    pthread_mutex_destroy(&api->lock);
    free(api);
}

void api_take_socket(struct api *api, int fd, const struct addr_port *peer, bool reserved)
{
    http_take_socket(api->http, fd, peer, reserved);
}

bool api_is_reserved(const struct api *api, const char *method, const char *path)
{
    return http_is_reserved(api->http, method, path);
}
