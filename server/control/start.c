/* SPDX-License-Identifier: BSD-3-Clause */
#include "base/array.h"
#include "control/control.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/str.h"
#include "control/ask.h"
#include "control/paths.h"
#include "control/sessions.h"
#include "control/takeover.h"
#include "metrics/metrics.h"

#define MEDIAN_NS (120 * NS_PER_SECOND)

void control_reload(struct control *c, const struct config *config)
{
    pthread_mutex_lock(&c->lock);
    const struct config *old = c->config;
    c->config = config_ref(config);
    pthread_mutex_unlock(&c->lock);
    config_unref(old);
    sessions_watch(c);
}

static bool knows(void *arg, const uint8_t machine_key[KEY_LEN])
{
    struct control *c = arg;

    return tailnet_knows_machine(c->options.tailnet, machine_key);
}

static void measured(void *arg, uint64_t owner, int64_t us)
{
    struct control *c = arg;

    round_trips_note(&c->round_trips, c->options.tailnet, owner,
                     us < 0 || us >= CONTROL_LOST ? CONTROL_LOST : (uint32_t)us);
}

static void release(struct control *c)
{
    takeover_release_all(c);
    questions_release(&c->questions);
    round_trips_release(&c->round_trips);
    config_unref(c->config);
    free(c->groups);
    pthread_cond_destroy(&c->changed);
    pthread_mutex_destroy(&c->lock);
    free(c);
}

/* The clients' own rule (control/ts2021): http:// to a private or loopback address, or to localhost. */
static bool never_https(const char *url)
{
    static const char *const private[] = {"10.0.0.0/8",  "172.16.0.0/12", "192.168.0.0/16",
                                          "127.0.0.0/8", "fc00::/7",      "::1/128"};
    struct addr a;
    bool found = false;

    if (!str_starts(url, "http://"))
        return false;
    const char *host = url + strlen("http://");
    bool bracket = *host == '[';
    char *name = mem_strndup(host + bracket, strcspn(host + bracket, bracket ? "]/" : ":/"));
    if (addr_parse(name, &a, NULL) == 0) {
        for (size_t i = 0; i < ARRAY_LEN(private) && !found; i++) {
            struct prefix p;
            found = prefix_parse(private[i], &p, NULL, NULL) == 0 &&
                    prefix_covers(&p, &(struct prefix){.addr = a, .bits = a.bits});
        }
    } else {
        found = str_eq(name, "localhost");
    }
    free(name);
    return found;
}

struct control *control_new(const struct control_options *options, struct err *e)
{
    struct control *c = mem_alloc(sizeof(*c));

    c->options = *options;
    c->config = config_ref(options->config);
    c->redial = never_https(options->config->server_url);
    pthread_mutex_init(&c->lock, NULL);
    pthread_cond_init(&c->changed, NULL);
    questions_init(&c->questions);
    round_trips_init(&c->round_trips);
    struct rpc_server_options server = {.loops = options->loops,
                                        .routes = control_paths,
                                        .route_count = control_path_count,
                                        .arg = c,
                                        .knows = knows,
                                        .measured = measured,
                                        .body_max = ask_body_max};
    memcpy(server.private_key, options->private_key, CRYPTO_KEY_LEN);
    c->server = rpc_server_new(&server, e);
    crypto_wipe(server.private_key, sizeof(server.private_key));
    crypto_wipe(c->options.private_key, sizeof(c->options.private_key));
    if (!c->server) {
        release(c);
        return NULL;
    }
    sessions_start(c);
    return c;
}

void control_accept(struct control *c, struct stream *stream, const struct head *head)
{
    rpc_server_accept(c->server, stream, head);
}

bool control_knows(struct control *c, const struct addr *from)
{
    return rpc_server_is_proved(c->server, from);
}

size_t control_round_trips(struct control *c, uint64_t node, struct control_round_trip out[CONTROL_ROUND_TRIPS])
{
    return round_trips_read(&c->round_trips, node, out);
}

void control_figures(struct control *c, struct control_figures *out)
{
    struct rpc_counts n;

    rpc_server_counts(c->server, &n);
    *out = (struct control_figures){
        .pushes = atomic_load(&c->messages[MAP_FULL]) + atomic_load(&c->messages[MAP_CHANGE]),
        .sent_bytes = n.bytes_out,
        .median_us = round_trips_median(&c->round_trips, clock_wall_ns() - MEDIAN_NS),
    };
}

/* headscale's names for what clients are sent, and for what they report about themselves. */
static void map_metrics(struct control *c, struct buf *out)
{
    static const char *const kinds[MAP_MESSAGES] = {[MAP_FULL] = "full",
                                                    [MAP_CHANGE] = "change",
                                                    [MAP_KEEPALIVE] = "keepalive",
                                                    [MAP_PING] = "ping",
                                                    [MAP_QUESTION] = "question"};

    metrics_head(out, "headscale_mapresponse_sent_total", "counter", "Messages on the streams of map requests");
    for (int i = 0; i < MAP_MESSAGES; i++)
        buf_addf(out, "headscale_mapresponse_sent_total{status=\"ok\",type=\"%s\"} %llu\n", kinds[i],
                 atomic_load(&c->messages[i]));
    metrics_head(out, "headscale_mapresponse_endpoint_updates_total", "counter",
                 "Map requests that only say what their client is, such as its endpoints");
    buf_addf(out,
             "headscale_mapresponse_endpoint_updates_total{status=\"ok\"} %llu\n"
             "headscale_mapresponse_endpoint_updates_total{status=\"error\"} %llu\n",
             atomic_load(&c->updates_taken), atomic_load(&c->updates_refused));
    metrics_head(out, "headscale_mapresponse_ended_total", "counter", "Streams of map requests that ended");
    buf_addf(out,
             "headscale_mapresponse_ended_total{reason=\"cancelled\"} %llu\n"
             "headscale_mapresponse_ended_total{reason=\"done\"} %llu\n",
             atomic_load(&c->streams_left), atomic_load(&c->streams_ended));
}

void control_metrics(struct control *c, struct buf *out)
{
    struct question_counts questions;
    struct rpc_counts n;

    rpc_server_counts(c->server, &n);
    questions_count(&c->questions, &questions);
    const struct {
        const char *name, *kind, *help;
        uint64_t value;
    } figures[] = {
        {"headway_control_connections", "gauge", "Connections of clients", n.connections},
        {"headway_control_strangers", "gauge", "Connections of machines that own no node", n.strangers},
        {"headway_control_waiting", "gauge", "Connections that wait for an approval", n.waiting},
        {"headway_control_queued", "gauge", "Connections that wait for a place", n.queued},
        {"headway_control_handshakes_total", "counter", "Noise handshakes that were answered", n.handshakes},
        {"headway_control_handshakes_failed_total", "counter", "Noise handshakes that failed", n.handshakes_failed},
        {"headway_control_calls_total", "counter", "Calls of clients", n.calls},
        {"headway_control_received_bytes_total", "counter", "Bytes that clients sent", n.bytes_in},
        {"headway_control_sent_bytes_total", "counter", "Bytes that clients were sent", n.bytes_out},
        {"headway_control_pings_total", "counter", "Liveness PINGs that were sent", n.pings},
        {"headway_control_dead_total", "counter", "Connections closed because their client was silent", n.dead},
        {"headway_control_questions", "gauge", "Questions to clients that wait for an answer", questions.open},
        {"headway_control_questions_total", "counter", "Questions to clients", questions.asked},
        {"headway_control_questions_answered_total", "counter", "Questions that clients answered", questions.answered},
        {"headway_control_questions_silent_total", "counter", "Questions that were not answered in time",
         questions.silent},
        {"headway_control_questions_unsupported_total", "counter", "Questions that a client is too old for",
         questions.unsupported},
        {"headway_control_questions_failed_total", "counter", "Questions that came to nothing otherwise",
         questions.failed},
    };
    for (size_t i = 0; i < ARRAY_LEN(figures); i++)
        metrics_put(out, figures[i].name, figures[i].kind, figures[i].help, figures[i].value);
    map_metrics(c, out);
}

void control_free(struct control *c)
{
    if (!c)
        return;
    atomic_store(&c->stopping, true);
    rpc_server_free(c->server);
    ask_stop(c);
    sessions_stop(c);
    pthread_mutex_lock(&c->lock);
    while (c->outstanding)
        pthread_cond_wait(&c->changed, &c->lock);
    pthread_mutex_unlock(&c->lock);
    release(c);
}
