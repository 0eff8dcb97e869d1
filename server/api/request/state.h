/* SPDX-License-Identifier: BSD-3-Clause */
/* What the room keeps. */
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
    const struct config *config;            /* changes by reload, read through api_config */
    const struct http_table *const *tables; /* of all calls, in the order of the documentation */
    size_t table_count;
    struct auth *auth;
    struct login *login; /* NULL: people do not log in by themselves */
    struct webhooks *webhooks;
    struct http *http;
    struct event_hub *hub;
    struct sampler *sampler;
    struct policy_watch *policy_watch;
    int64_t started_ns;

    pthread_mutex_t lock; /* of what follows, and of config */
    struct {
        bool asking, ok;
        int64_t asked_ms, known_ms;
        struct rest_request *waiting; /* linked by next */
        struct work work;
    } ping;
    struct heavy_use *heavy; /* who has something computed: heavy.h */
    struct relay_names *relays;
    struct answer_counts *counts; /* of answers by call and status: counts.h */
    struct buf openapi[2]
                      [2]; /* of v1 and of v2, JSON and YAML, from the first time that somebody asks: pages/openapi.c */
    struct {               /* what the name of this server was last found to mean */
        char *host;        /* NULL: not looked up yet */
        struct server_addresses addresses;
        int64_t at_ms;
    } resolved;
};

const struct config *api_config(struct api *api); /* with a reference: config_unref */

#endif
