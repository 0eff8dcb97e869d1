/* SPDX-License-Identifier: BSD-3-Clause */
#include "login/state.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"

void once_init(struct once_table *t, size_t max, size_t per_source)
{
    *t = (struct once_table){.max = max, .per_source = per_source};
    t->youngest = &t->oldest;
}

static void drop_oldest(struct once_table *t)
{
    struct once *o = t->oldest;

    t->oldest = o->next;
    if (!t->oldest)
        t->youngest = &t->oldest;
    if (map_gets(&t->by_token, o->token) == o)
        map_dels(&t->by_token, o->token);
    crypto_wipe(o, sizeof(*o));
    free(o);
}

/* All have the same time, so those that ended are the oldest. */
static void drop_ended(struct once_table *t)
{
    int64_t now = clock_mono_ms();

    while (t->oldest && t->oldest->ends_ms <= now)
        drop_oldest(t);
}

void once_release(struct once_table *t)
{
    while (t->oldest)
        drop_oldest(t);
    map_release(&t->by_token);
}

struct once *once_add(struct once_table *t, const char *source, char cookie[LOGIN_TOKEN_LEN + 1], struct err *e)
{
    size_t of_source = 0;

    drop_ended(t);
    for (const struct once *o = t->oldest; o; o = o->next)
        of_source += str_eq(o->source, source);
    if (of_source >= t->per_source || t->by_token.len >= t->max) {
        err_set(e, ERR_BUSY, "too many logins are under way%s: try again in some minutes",
                of_source >= t->per_source ? " from your network" : "");
        return NULL;
    }
    struct once *o = mem_alloc(sizeof(*o));
    crypto_random_hex(o->token, LOGIN_TOKEN_LEN / 2);
    crypto_random_hex(cookie, LOGIN_TOKEN_LEN / 2);
    crypto_sha256(cookie, LOGIN_TOKEN_LEN, o->cookie);
    str_copy(o->source, sizeof(o->source), source);
    o->ends_ms = clock_mono_ms() + LOGIN_TIME_MS;
    *t->youngest = o;
    t->youngest = &o->next;
    map_puts(&t->by_token, o->token, o);
    return o;
}

static void unlink_entry(struct once_table *t, struct once *o)
{
    struct once **at = &t->oldest;

    while (*at != o)
        at = &(*at)->next;
    *at = o->next;
    if (t->youngest == &o->next)
        t->youngest = at;
    o->next = NULL;
}

struct once *once_take(struct once_table *t, const char *token, const char *cookie, struct err *e)
{
    uint8_t hash[CRYPTO_HASH_LEN];

    drop_ended(t);
    struct once *o = map_gets(&t->by_token, token);
    if (!o) {
        err_set(e, ERR_GONE, "this login was finished before, or took too long: open the link of the client again");
        return NULL;
    }
    crypto_sha256(cookie, strlen(cookie), hash);
    if (!crypto_equal(hash, o->cookie, sizeof(hash))) {
        err_set(e, ERR_DENIED,
                "this login was begun in another browser: open the link of the client again, in this one");
        return NULL;
    }
    map_dels(&t->by_token, token);
    unlink_entry(t, o);
    return o;
}
