/* SPDX-License-Identifier: BSD-3-Clause */
#include "core/decide/slow_key.h"

#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/clock.h"
#include "base/mem.h"
#include "core/state/queue.h"
#include "crypto/crypto.h"
#include "model/secret.h"

#define PAUSE     20  /* multiple of the time that a wrong secret took */
#define CALLS_MAX 256 /* waiting for one key */
#define KEYS_MAX  16  /* keys being waited for */

/* One check per key at a time: calls that arrive meanwhile with the same key wait for the verdict on the first. */
struct slow_check {
    struct work work; /* first */
    struct core_call call;
    struct slow_check *next;
    struct core_state *s;
    uint64_t key_id;
    char *hash, *secret;
    struct core_call *first, **end; /* calls; the secret is that of the first */
    size_t count;
    int64_t took_ms;
    bool fits;
};

static void check_free(struct slow_check *c)
{
    crypto_wipe(c->secret, strlen(c->secret));
    free(c->secret);
    free(c->hash);
    free(c);
}

static void run_computed(struct core_state *s, struct core_call *call)
{
    struct slow_check *c = CONTAINER_OF(call, struct slow_check, call), **at = &s->slow_checks;
    struct record_pair *pair = map_getu(&s->preauth_keys, c->key_id);
    struct core_register *judged = (struct core_register *)c->first;

    while (*at != c)
        at = &(*at)->next;
    *at = c->next;
    if (pair && !c->fits)
        pair->pause_until_ms = clock_mono_ms() + PAUSE * c->took_ms + 1;
    judged->slow_key = c->key_id;
    judged->slow_fits = c->fits;
    mem_replace(&judged->slow_hash, c->hash);
    for (struct core_call *waits = c->first, *next; waits; waits = next) {
        next = waits->next;
        waits->next = NULL;
        waits->run(s, waits);
    }
    check_free(c);
}

static void compute(struct work *work)
{
    struct slow_check *c = CONTAINER_OF(work, struct slow_check, work);
    int64_t began = clock_mono_ms();

    c->fits = secret_fits(c->hash, c->secret);
    c->took_ms = clock_mono_ms() - began;
    queue_post(&c->s->queue, &c->call, run_computed);
}

static void add_call(struct slow_check *c, struct core_register *r)
{
    r->call.next = NULL;
    *c->end = &r->call;
    c->end = &r->call.next;
    c->count++;
}

static enum slow_verdict busy(struct err *e)
{
    err_set(e, ERR_BUSY, "this key was tried with a wrong secret just now: try again in a few seconds");
    return SLOW_BUSY;
}

enum slow_verdict slow_key_fits(struct core_state *s, struct core_register *r, const struct preauth_key *k,
                                const char *secret, struct err *e)
{
    struct record_pair *pair = map_getu(&s->preauth_keys, k->r.id);
    struct slow_check *c = s->slow_checks;
    size_t keys = 0;

    if (r->slow_key == k->r.id && str_eq(r->slow_hash, k->secret_hash))
        return r->slow_fits ? SLOW_FITS : SLOW_WRONG;
    if (clock_mono_ms() < pair->pause_until_ms)
        return busy(e);
    for (; c && c->key_id != k->r.id; c = c->next)
        keys++;
    if (c ? c->count >= CALLS_MAX : keys >= KEYS_MAX) {
        err_set(e, ERR_BUSY, "too many registrations with imported keys wait: try again in a few seconds");
        return SLOW_BUSY;
    }
    if (!c) {
        c = mem_alloc(sizeof(*c));
        *c = (struct slow_check){.work.run = compute,
                                 .next = s->slow_checks,
                                 .s = s,
                                 .key_id = k->r.id,
                                 .hash = mem_strdup(k->secret_hash),
                                 .secret = mem_strdup(secret)};
        c->end = &c->first;
        s->slow_checks = c;
        add_call(c, r);
        workers_add(&s->hasher, &c->work);
    } else {
        add_call(c, r);
    }
    return SLOW_LATER;
}
