/* SPDX-License-Identifier: BSD-3-Clause */
/* The state of this room. */
#ifndef SERVER_API_REQUEST_STATE_H
#define SERVER_API_REQUEST_STATE_H

#include <pthread.h>

#include "api/api.h"
#include "auth/auth.h"
#include "base/array.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/str.h"
#include "http/http.h"
#include "login/login.h"
#include "webhook/webhook.h"

struct event_hub;
struct heavy_use;
struct relay_names;
struct answer_counts;
struct sampler;
struct policy_watch;
struct rest_request;

struct server_addresses {
    struct addr items[16];
    size_t len;
};

struct api {
    struct api_options with;
    const struct config *config;            /* changed by a reload; read it through api_config */
    const struct http_table *const *tables; /* all calls, in the order of the documentation */
    size_t table_count;
    struct auth *auth;
    struct login *login; /* NULL: no OpenID login */
    struct webhooks *webhooks;
    struct http *http;
    struct event_hub *hub;
    struct sampler *sampler;
    struct policy_watch *policy_watch;
    int64_t started_ns;

    pthread_mutex_t lock; /* guards what follows, and config */
    struct {
        bool asking, ok;
        int64_t asked_ms, known_ms;
        struct rest_request *waiting; /* linked by next */
        struct work work;
    } ping;
    struct heavy_use *heavy; /* long computations in progress: heavy.h */
    struct relay_names *relays;
    struct answer_counts *counts; /* answers by call and status: counts.h */
    struct buf openapi[2][2];     /* v1 and v2, JSON and YAML, made at the first request: pages/openapi.c */
    struct {                      /* the last lookup of this server's name */
        char *host;               /* NULL: not looked up yet */
        struct server_addresses addresses;
        int64_t at_ms;
    } resolved;
};

const struct config *api_config(struct api *api); /* with a reference: config_unref */

#endif
