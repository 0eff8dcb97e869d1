/* SPDX-License-Identifier: BSD-3-Clause */
/* A load generator: N nodes against a daemon, driven by lines on its input, one line of JSON on its output for each.
 *
 *   bench_load ADDRESS:PORT NODES [DECODE_EVERY]     every 50th node decodes its maps unless told otherwise
 *
 *   register KEY              all nodes register, 32 at a time
 *   connect SECONDS           all connect at once, until each holds its first map
 *   quiet MS SECONDS          until no message came for MS: how many there were
 *   mark                      forgets what came
 *   arrived COUNT SECONDS     until COUNT nodes got something since: when, by the monotonic clock in us
 *   updates RATE SECONDS      endpoint updates; how long until nodes that decode were told
 *   close                     all leave
 *
 * With ROUTES=1 each node advertises a /24 of its own, otherwise only the first one does. */
#include <inttypes.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/array.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/random.h"
#include "base/str.h"
#include "front/front.h"
#include "shared/client/ts_node.h"

#define REGISTER_AT_ONCE 32
#define KEEPALIVE_MAX    34 /* bytes; {"KeepAlive":true} in zstd */
#define SEQUENCES        65536

struct client {
    struct ts_node node;
    char routes[32];
    bool mapped;
    unsigned peers;
    int64_t first_us; /* first message since the mark */
};

static struct ts_fleet fleet;
static struct client *clients;
static unsigned count, decode_every = 50;

/* What the loop's thread counts and the main thread reads. */
static atomic_uint registered, failed, mapped, marked, lost;
static atomic_uint_fast64_t messages, bytes;
static _Atomic int64_t last_us;
static char first_error[256]; /* written once, before failed or lost grows */
static unsigned next_to_register;
static const char *auth_key;

static int64_t sent_us[SEQUENCES];
static int64_t *latencies;
static size_t latency_count, latency_max;

static void note_error(const char *text)
{
    if (!first_error[0])
        str_copy(first_error, sizeof(first_error), text);
}

/* ---- On the loop's thread ---- */

static void register_next(void)
{
    struct err e;

    if (next_to_register == count)
        return;
    struct client *c = &clients[next_to_register++];
    if (ts_node_register(&c->node, auth_key, &e) < 0) {
        note_error(e.message);
        failed++;
    }
}

static void on_registered(struct ts_node *n, const char *error)
{
    (void)n;
    if (*error) {
        note_error(error);
        failed++;
    } else {
        registered++;
    }
    register_next();
}

static unsigned occurrences(const char *text, const char *word)
{
    unsigned n = 0;

    for (size_t len = strlen(word); (text = strstr(text, word)); text += len)
        n++;
    return n;
}

/* Endpoint 198.18.A.B is update A*256+B. */
static void take_latencies(const char *text, int64_t now)
{
    static const char start[] = "\"198.18.";

    while ((text = strstr(text, start)) && latency_count < latency_max) {
        char *rest;
        text += sizeof(start) - 1;
        unsigned long a = strtoul(text, &rest, 10), b = *rest == '.' ? strtoul(rest + 1, &rest, 10) : 256;
        if (a < 256 && b < 256 && sent_us[a << 8 | b])
            latencies[latency_count++] = now - sent_us[a << 8 | b];
    }
}

static void on_message(struct ts_node *n, const char *text, size_t size)
{
    struct client *c = &clients[n->index];
    int64_t now = clock_mono_us();

    bytes += size + 4;
    if (size <= KEEPALIVE_MAX)
        return;
    messages++;
    last_us = now;
    if (!c->first_us) {
        c->first_us = now;
        marked++;
    }
    if (!c->mapped) {
        c->mapped = true;
        if (text)
            c->peers = occurrences(text, "\"Key\":\"nodekey:");
        mapped++;
    } else if (text) {
        take_latencies(text, now);
    }
}

static void on_lost(struct ts_node *n, const char *why)
{
    (void)n;
    note_error(why);
    lost++;
}

static void start_registering(void *arg)
{
    (void)arg;
    for (unsigned i = 0; i < REGISTER_AT_ONCE; i++)
        register_next();
}

static void connect_all(void *arg)
{
    struct err e;

    (void)arg;
    for (unsigned i = 0; i < count; i++) {
        clients[i].mapped = false;
        if (ts_node_connect(&clients[i].node, &e) < 0) {
            note_error(e.message);
            lost++;
        }
    }
}

static void mark_all(void *arg)
{
    (void)arg;
    for (unsigned i = 0; i < count; i++)
        clients[i].first_us = 0;
    marked = 0;
    messages = bytes = 0;
    latency_count = 0;
    atomic_store(&lost, 0);
    first_error[0] = '\0';
}

static void close_all(void *arg)
{
    (void)arg;
    for (unsigned i = 0; i < count; i++)
        ts_node_close(&clients[i].node);
}

/* Updates are sent each 20 ms, as many as are due by then. */
static struct updates {
    struct loop_timer timer;
    int64_t start_us;
    unsigned rate, total, sent;
} updates;

static void send_updates(struct loop_timer *timer)
{
    int64_t now = clock_mono_us();
    uint64_t should = (uint64_t)(now - updates.start_us) * updates.rate / 1000000;
    char endpoint[ADDR_PORT_TEXT_MAX];

    for (; updates.sent < should && updates.sent < updates.total; updates.sent++) {
        unsigned sequence = updates.sent % SEQUENCES;
        snprintf(endpoint, sizeof(endpoint), "198.18.%u.%u:41641", sequence >> 8, sequence & 255);
        sent_us[sequence] = clock_mono_us();
        ts_node_update(&clients[random_below(count)].node, endpoint);
    }
    if (updates.sent < updates.total)
        loop_timer_set(fleet.loop, timer, 20, send_updates);
}

static void start_updates(void *arg)
{
    (void)arg;
    updates.start_us = clock_mono_us();
    updates.sent = 0;
    loop_timer_set(fleet.loop, &updates.timer, 1, send_updates);
}

/* ---- On the main thread ---- */

static void rendezvous(void *arg)
{
    sem_post(arg);
}

/* Runs on the loop, and waits until it ran. */
static void run_there(void (*run)(void *arg))
{
    sem_t done;

    sem_init(&done, 0, 0);
    loop_post(fleet.loop, run, NULL);
    loop_post(fleet.loop, rendezvous, &done);
    while (sem_wait(&done) < 0)
        ;
    sem_destroy(&done);
}

static void nap(void)
{
    usleep(2000);
}

static int compare(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

    return x < y ? -1 : x > y;
}

static int64_t at_percent(const int64_t *sorted, size_t n, unsigned percent)
{
    return n ? sorted[(n - 1) * percent / 100] : -1;
}

static void do_register(char *argument)
{
    int64_t start = clock_mono_us();

    auth_key = mem_strdup(argument);
    next_to_register = 0;
    registered = failed = 0;
    loop_post(fleet.loop, start_registering, NULL);
    while (registered + failed < count)
        nap();
    printf("{\"registered\":%u,\"failed\":%u,\"seconds\":%.3f,\"error\":\"%s\"}\n", registered, failed,
           (double)(clock_mono_us() - start) / 1e6, first_error);
}

static void do_connect(char *argument)
{
    int64_t start = clock_mono_us(), limit = start + strtoll(argument, NULL, 10) * 1000000;
    unsigned fewest = count, most = 0;

    mapped = 0;
    run_there(mark_all);
    loop_post(fleet.loop, connect_all, NULL);
    while (mapped < count && clock_mono_us() < limit)
        nap();
    int64_t took = clock_mono_us() - start;
    for (unsigned i = 0; i < count; i += decode_every) {
        unsigned peers = clients[i].mapped ? clients[i].peers : 0;
        fewest = peers < fewest ? peers : fewest;
        most = peers > most ? peers : most;
    }
    printf("{\"mapped\":%u,\"seconds\":%.3f,\"nodes_min\":%u,\"nodes_max\":%u,\"bytes\":%" PRIuFAST64
           ",\"lost\":%u,\"error\":\"%s\",\"start_us\":%" PRId64 "}\n",
           mapped, (double)took / 1e6, fewest, most, bytes, lost, first_error, start);
}

static void do_quiet(char *argument)
{
    char *rest;
    int64_t quiet = strtoll(argument, &rest, 10) * 1000, limit = clock_mono_us() + strtoll(rest, NULL, 10) * 1000000;
    uint64_t most = 0;

    while (clock_mono_us() - last_us < quiet && clock_mono_us() < limit)
        nap();
    for (unsigned i = 0; i < count; i++)
        most = clients[i].node.messages > most ? clients[i].node.messages : most;
    printf("{\"messages\":%" PRIuFAST64 ",\"most\":%" PRIu64 ",\"bytes\":%" PRIuFAST64
           ",\"lost\":%u,\"error\":\"%s\",\"last_us\":%" PRId64 "}\n",
           messages, most, bytes, lost, first_error, last_us);
}

static void do_mark(char *argument)
{
    (void)argument;
    run_there(mark_all);
    printf("{\"now_us\":%" PRId64 "}\n", clock_mono_us());
}

static void do_arrived(char *argument)
{
    char *rest;
    unsigned wanted = (unsigned)strtoul(argument, &rest, 10);
    int64_t limit = clock_mono_us() + strtoll(rest, NULL, 10) * 1000000;
    int64_t *times = mem_alloc(count * sizeof(*times));
    size_t n = 0;

    while (marked < wanted && clock_mono_us() < limit)
        nap();
    for (unsigned i = 0; i < count; i++)
        if (clients[i].first_us)
            times[n++] = clients[i].first_us;
    qsort(times, n, sizeof(*times), compare);
    printf("{\"clients\":%zu,\"p50_us\":%" PRId64 ",\"p99_us\":%" PRId64 ",\"last_us\":%" PRId64
           ",\"bytes\":%" PRIuFAST64 "}\n",
           n, at_percent(times, n, 50), at_percent(times, n, 99), at_percent(times, n, 100), bytes);
    free(times);
}

static void do_updates(char *argument)
{
    char *rest;
    unsigned rate = (unsigned)strtoul(argument, &rest, 10), seconds = (unsigned)strtoul(rest, NULL, 10);

    run_there(mark_all);
    memset(sent_us, 0, sizeof(sent_us));
    latency_max = (size_t)rate * seconds * (count / decode_every + 1);
    latencies = mem_alloc(latency_max * sizeof(*latencies));
    updates.rate = rate;
    updates.total = rate * seconds;
    loop_post(fleet.loop, start_updates, NULL);
    sleep(seconds);
    /* The last ones have a second more, as much as the server may hold an update back. */
    int64_t limit = clock_mono_us() + 3000000;
    while (clock_mono_us() - last_us < 1200000 && clock_mono_us() < limit)
        nap();
    qsort(latencies, latency_count, sizeof(*latencies), compare);
    printf("{\"sent\":%u,\"told\":%zu,\"p50_us\":%" PRId64 ",\"p99_us\":%" PRId64 ",\"messages\":%" PRIuFAST64
           ",\"bytes\":%" PRIuFAST64 ",\"lost\":%u,\"error\":\"%s\"}\n",
           updates.sent, latency_count, at_percent(latencies, latency_count, 50),
           at_percent(latencies, latency_count, 99), messages, bytes, lost, first_error);
    free(latencies);
    latency_max = latency_count = 0;
}

static void do_close(char *argument)
{
    (void)argument;
    run_there(close_all);
    printf("{}\n");
}

static const struct {
    const char *name;
    void (*run)(char *argument);
} commands[] = {
    {"register", do_register}, {"connect", do_connect}, {"quiet", do_quiet}, {"mark", do_mark},
    {"arrived", do_arrived},   {"updates", do_updates}, {"close", do_close},
};

static void set_up(void)
{
    bool routers = getenv("ROUTES") != NULL;

    clients = mem_alloc(count * sizeof(*clients));
    for (unsigned i = 0; i < count; i++) {
        struct client *c = &clients[i];
        ts_node_init(&c->node, &fleet, i);
        c->node.decode = i % decode_every == 0;
        /* A few hundred to an address: ports of connections that ended are not free again for a minute. */
        c->node.source = (struct addr){.bits = 32, .bytes = {127, 0, 1, (uint8_t)(1 + i / 200 % 250)}};
        if (i && !routers)
            continue;
        snprintf(c->routes, sizeof(c->routes), "[\"10.%u.%u.0/24\"]", 64 + i / 256, i % 256);
        c->node.routes = c->routes;
    }
}

int main(int argc, char **argv)
{
    static char line[1024];
    struct err e = {0};

    log_setup(LOG_LEVEL_ERROR, LOG_TEXT);
    if (argc < 3) {
        fprintf(stderr, "usage: bench_load ADDRESS:PORT NODES [DECODE_EVERY]\n");
        return 2;
    }
    count = (unsigned)strtoul(argv[2], NULL, 10);
    if (argc > 3)
        decode_every = (unsigned)strtoul(argv[3], NULL, 10);
    front_raise_files();
    struct loops *loops = loops_new(1, &e);
    fleet = (struct ts_fleet){.registered = on_registered, .message = on_message, .lost = on_lost};
    if (!loops || addr_port_parse(argv[1], &fleet.server, &e) < 0 ||
        ts_fetch_key(&fleet.server, fleet.server_public, &e) < 0 || loops_start(loops, &e) < 0) {
        fprintf(stderr, "bench_load: %s\n", e.message);
        return 1;
    }
    fleet.loop = loops_at(loops, 0);
    set_up();
    while (fgets(line, sizeof(line), stdin)) {
        line[strcspn(line, "\n")] = '\0';
        char *argument = strchr(line, ' ');
        if (argument)
            *argument++ = '\0';
        for (size_t i = 0; i < ARRAY_LEN(commands); i++)
            if (str_eq(commands[i].name, line))
                commands[i].run(argument ? argument : line + strlen(line));
        fflush(stdout);
    }
    _exit(0);
}
