/* SPDX-License-Identifier: BSD-3-Clause */
/* The map of relays that clients are sent: derp.urls, then derp.paths, then this server's own region, each overriding
 * the earlier ones. A thread of its own fetches, so that nothing waits for other servers; fetched maps are kept on disk
 * for starts without a network. */
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/thread.h"
#include "client/client.h"
#include "crypto/crypto.h"
#include "relay/map.h"
#include "relay/map_source.h"
#include "relay/renew.h"

#define FETCH_MS 30000
#define AGAIN_S  60   /* after a failed fetch, or while clients are sent something unreachable */
#define CHECK_S  3600 /* between checks of what clients are sent, and of the certificate */

struct relay_map {
    struct relay *relay;
    struct thread thread;
    atomic_bool stop;
    pthread_mutex_t lock; /* protects the members below */
    pthread_cond_t changed;
    const struct config *config;
    bool again; /* the configuration has changed */
};

/* ---- Fetched maps ---- */

static char *kept_at(const struct config *c, const char *url)
{
    uint8_t hash[CRYPTO_HASH_LEN];
    struct buf path = BUF_INIT(0);

    crypto_sha256(url, strlen(url), hash);
    buf_addf(&path, "%s/derp-", c->state_dir);
    crypto_hex(&path, hash, 8);
    buf_adds(&path, ".json");
    return buf_take(&path);
}

static void keep(const char *path, const struct buf *text)
{
    struct err e;

    if (file_replace(path, text->data, text->len, 0600, &e) < 0)
        log_warn("relay", "a fetched DERP map is not kept: %s", e.message);
}

static bool is_over(void *arg)
{
    return atomic_load(&((struct relay_map *)arg)->stop);
}

/* True: all are as fresh as requested. */
static bool merge_url(struct relay_map *m, const struct config *c, json_t *regions, const char *url, bool fetch)
{
    struct buf text = BUF_INIT(SOURCE_MAX);
    char *path = kept_at(c, url);
    struct err e = {0};
    bool good = false;

    if (fetch) {
        good = client_fetch(url, FETCH_MS, is_over, m, &text, &e) == 0 &&
               source_merge(regions, buf_text(&text), text.len, url, &e) == 0;
        if (good)
            keep(path, &text);
        else if (!is_over(m))
            log_warn("relay", "derp.urls: %s; what was fetched before is used", e.message);
    }
    if (!good) {
        buf_release(&text);
        if (file_read(path, FILE_ANY, &text, &e) == 0 && source_merge(regions, buf_text(&text), text.len, url, &e) < 0)
            log_warn("relay", "%s: %s", path, e.message);
    }
    buf_release(&text);
    free(path);
    return good || !fetch;
}

static int merge_path(json_t *regions, const char *path, struct err *e)
{
    struct buf text = BUF_INIT(SOURCE_MAX);
    int rc = file_read(path, FILE_ANY, &text, e);

    if (rc == 0 && (rc = source_merge(regions, buf_text(&text), text.len, path, e)) < 0)
        err_prefix(e, "%.120s", path);
    buf_release(&text);
    return rc;
}

void relay_check_files(const struct config *c, struct strs *notes)
{
    json_t *regions = json_object();

    for (size_t i = 0; i < c->derp.paths.len; i++) {
        struct err e;
        if (merge_path(regions, c->derp.paths.items[i], &e) == 0)
            continue;
        err_prefix(&e, "derp.paths");
        char *note = config_place(c, "derp.paths", e.message);
        strs_push(notes, note);
        free(note);
    }
    json_decref(regions);
}

/* ---- The whole map ---- */

static bool tell(struct relay_map *m, const struct config *c, bool fetch)
{
    json_t *regions = json_object(), *own = NULL;
    struct buf text = BUF_INIT(0);
    bool fresh = true;

    for (size_t i = 0; i < c->derp.urls.len; i++)
        fresh &= merge_url(m, c, regions, c->derp.urls.items[i], fetch);
    for (size_t i = 0; i < c->derp.paths.len; i++) {
        struct err e;
        if (merge_path(regions, c->derp.paths.items[i], &e) < 0)
            log_error("relay", "derp.paths: %s", e.message);
    }
    buf_addc(&text, '{');
    relay_region(m->relay, c, &text);
    buf_addc(&text, '}');
    if (json_read(text.data, text.len, SOURCE_MAX, "own region", &own, NULL) == 0)
        json_object_update(regions, own);
    json_decref(own);
    if (!json_object_size(regions))
        log_warn("relay", "the DERP map is empty: clients that cannot reach each other directly will not be connected");
    char *compact = json_compact(regions);
    json_decref(regions);
    buf_clear(&text);
    buf_addf(&text, "{\"Regions\":%s,\"omitDefaultRegions\":true}", compact);
    free(compact);
    if (!is_over(m))
        core_set_derp(m->relay->options.core, buf_text(&text));
    buf_release(&text);
    return fresh;
}

/* Waits for a new configuration, or for so many seconds; true: the configuration is new. */
static bool wait_for_change(struct relay_map *m, int64_t seconds)
{
    int64_t until = clock_mono_ms() + seconds * 1000;

    pthread_mutex_lock(&m->lock);
    while (!m->again && !is_over(m) && thread_cond_wait(&m->changed, &m->lock, until))
        ;
    bool again = m->again;
    m->again = false;
    pthread_mutex_unlock(&m->lock);
    return again;
}

/* Logs what does not work, once for as long as that lasts. False: something does not work. */
static bool check(struct relay_map *m, const struct config *c)
{
    struct relay *r = m->relay;
    struct relay_advertised where;
    struct relay_check found;

    if (!r->front || !c->derp.server.automatically_add_embedded_derp_region)
        return true;
    relay_advertised_read(c, front_port(r->front, 0), &where);
    relay_check_run(&where, r->stun ? stun_port(r->stun) : 0, is_over, m, &found);
    pthread_mutex_lock(&r->lock);
    struct relay_check before = r->check;
    if (found.done)
        r->check = found;
    pthread_mutex_unlock(&r->lock);
    if (found.done && !found.derp && (before.derp || !before.done))
        log_warn("relay", "clients are told that the relay is at %s, TCP port %u, and from here it is not: %s",
                 where.host, where.port, found.derp_why);
    if (found.done && !found.stun && (before.stun || !before.done))
        log_warn("relay", "clients are told to ask STUN at %s, UDP port %u, and from here it does not answer: %s",
                 where.host, stun_port(r->stun), found.stun_why);
    relay_advertised_release(&where);
    return !found.done || (found.derp && found.stun);
}

static void *run(void *arg)
{
    struct relay_map *m = arg;
    int64_t left = 0; /* seconds until the next fetch; negative: never */
    bool again = true;

    while (!is_over(m)) {
        pthread_mutex_lock(&m->lock);
        const struct config *c = config_ref(m->config);
        pthread_mutex_unlock(&m->lock);
        bool renewed = relay_renew(m->relay), fetch = again || left == 0;
        bool fresh = !(fetch || renewed) || tell(m, c, fetch);
        if (fetch)
            left = !fresh ? AGAIN_S : c->derp.auto_update_enabled ? c->derp.update_frequency / NS_PER_SECOND : -1;
        int64_t pause = check(m, c) ? CHECK_S : AGAIN_S;
        config_unref(c);
        pause = left >= 0 && left < pause ? left : pause;
        again = wait_for_change(m, pause);
        if (left > 0)
            left -= pause;
    }
    return NULL;
}

struct relay_map *relay_map_new(struct relay *r, const struct config *c)
{
    struct relay_map *m = mem_alloc(sizeof(*m));
    struct err e;

    m->relay = r;
    m->config = config_ref(c);
    pthread_mutex_init(&m->lock, NULL);
    thread_cond_init(&m->changed);
    /* at once from what is stored, then from the network */
    tell(m, c, false);
    if (thread_start(&m->thread, "derp-map", run, m, &e) < 0)
        log_error("relay", "%s: the DERP map is not refreshed", e.message);
    return m;
}

void relay_map_reload(struct relay_map *m, const struct config *c)
{
    pthread_mutex_lock(&m->lock);
    config_unref(m->config);
    m->config = config_ref(c);
    m->again = true;
    pthread_cond_signal(&m->changed);
    pthread_mutex_unlock(&m->lock);
}

void relay_map_free(struct relay_map *m)
{
    if (!m)
        return;
    pthread_mutex_lock(&m->lock);
    atomic_store(&m->stop, true);
    pthread_cond_signal(&m->changed);
    pthread_mutex_unlock(&m->lock);
    thread_join(&m->thread);
    config_unref(m->config);
    pthread_cond_destroy(&m->changed);
    pthread_mutex_destroy(&m->lock);
    free(m);
}
