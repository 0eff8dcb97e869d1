/* SPDX-License-Identifier: BSD-3-Clause */
/* Starts and stops the room; secrets. */
#include <stdlib.h>
#include <string.h>

#include "control/control.h"
#include "webhook/state.h"

#define SECRET_START  "tskey-webhook-"
#define SECRET_PREFIX 6  /* random bytes that name the secret */
#define SECRET_BYTES  32 /* and the secret ones */

/* On the core's thread, after the entry is durable and published. */
static void on_event(void *arg, const struct event *e)
{
    struct webhooks *w = arg;

    if (compose_is_news(e->kind) || str_eq(e->object, "webhook"))
        schedule_wake(w);
}

/* Kept beside the noise key, not in the database. */
static int load_key(struct webhooks *w, struct err *e)
{
    const char *noise = w->with.config->noise.private_key_path, *slash = strrchr(noise, '/');
    char *path = mem_format("%.*swebhooks_private.key", slash ? (int)(slash + 1 - noise) : 0, noise);
    uint8_t public_key[CRYPTO_KEY_LEN];
    int rc = control_key_load(path, w->key, public_key, e);

    free(path);
    return rc;
}

int webhooks_start(const struct webhooks_options *options, struct webhooks **out, struct err *e)
{
    struct webhooks *w = mem_alloc(sizeof(*w));
    int rc;

    w->with = *options;
    w->with.config = config_ref(options->config);
    w->news = true;
    pthread_mutex_init(&w->lock, NULL);
    thread_cond_init(&w->wake);
    if ((rc = load_key(w, e)) < 0 || (rc = thread_start(&w->scheduler, "webhooks", schedule_run, w, e)) < 0) {
        webhooks_stop(w);
        return rc;
    }
    core_listen(w->with.core, &(struct core_listener){.event = on_event, .arg = w});
    *out = w;
    return 0;
}

void webhooks_stop(struct webhooks *w)
{
    if (!w)
        return;
    atomic_store(&w->stopping, true);
    if (w->scheduler.runs)
        core_unlisten(w->with.core, w);
    schedule_wake(w);
    thread_join(&w->scheduler);
    workers_stop(&w->well);
    workers_stop(&w->failing);
    for (size_t i = 0; i < w->targets.len; i++)
        target_free(w->targets.items[i]);
    vec_release(&w->targets);
    crypto_wipe(w->key, sizeof(w->key));
    config_unref(w->with.config);
    pthread_cond_destroy(&w->wake);
    pthread_mutex_destroy(&w->lock);
    free(w);
}

void webhooks_reload(struct webhooks *w, const struct config *config)
{
    if (!w)
        return;
    pthread_mutex_lock(&w->lock);
    const struct config *old = w->with.config;
    w->with.config = config_ref(config);
    pthread_mutex_unlock(&w->lock);
    config_unref(old);
    schedule_wake(w);
}

char *webhooks_new_secret(struct webhooks *w)
{
    char prefix[2 * SECRET_PREFIX + 1], secret[2 * SECRET_BYTES + 1];

    crypto_random_hex(prefix, SECRET_PREFIX);
    crypto_random_hex(secret, SECRET_BYTES);
    char *text = mem_format(SECRET_START "%s-%s", prefix, secret), *sealed = crypto_text_seal(w->key, text);
    crypto_wipe(secret, sizeof(secret));
    crypto_wipe(text, strlen(text));
    free(text);
    return sealed;
}

char *webhooks_secret(struct webhooks *w, const struct webhook *record)
{
    return crypto_text_open(w->key, record->secret);
}

void webhooks_counters(struct webhooks *w, struct webhooks_counters *out)
{
    *out = (struct webhooks_counters){atomic_load(&w->deliveries), atomic_load(&w->failures), atomic_load(&w->events)};
}
