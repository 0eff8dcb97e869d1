/* SPDX-License-Identifier: BSD-3-Clause */
#include "login/state.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"

#define PER_AUTH_ID 8
#define PER_SITE    4 /* a site may have one in this many of all */

void once_init(struct once_table *t, size_t max, size_t per_source, size_t site_len)
{
    *t = (struct once_table){.max = max, .per_source = per_source, .site_len = site_len};
    t->youngest = &t->oldest;
}

static void unlink_entry(struct once_table *t, struct once *o)
{
    struct once **at = &t->oldest;

    while (*at && *at != o)
        at = &(*at)->next;
    assert(*at);
    *at = o->next;
    if (t->youngest == &o->next)
        t->youngest = at;
    o->next = NULL;
    map_dels(&t->by_token, o->token);
}

static void drop(struct once_table *t, struct once *o)
{
    unlink_entry(t, o);
    crypto_wipe(o, sizeof(*o));
    free(o);
}

/* All entries live equally long, so those that have ended are the oldest. */
static void drop_ended(struct once_table *t)
{
    int64_t now = clock_mono_ms();

    while (t->oldest && t->oldest->ends_ms <= now)
        drop(t, t->oldest);
}

void once_release(struct once_table *t)
{
    while (t->oldest)
        drop(t, t->oldest);
    map_release(&t->by_token);
}

static bool same_source(const struct once_table *t, const struct once *o, const char *text)
{
    (void)t;
    return str_eq(o->source, text);
}

static bool same_site(const struct once_table *t, const struct once *o, const char *text)
{
    return t->site_len && strlen(text) > t->site_len && strlen(o->source) > t->site_len &&
           memcmp(o->source, text, t->site_len) == 0;
}

static bool same_auth_id(const struct once_table *t, const struct once *o, const char *text)
{
    (void)t;
    return str_eq(o->auth_id, text);
}

/* Beginning again and again costs only one's own entries: the oldest of max is dropped. */
static void make_room(struct once_table *t, bool (*same)(const struct once_table *, const struct once *, const char *),
                      const char *text, size_t max)
{
    struct once *first = NULL;
    size_t count = 0;

    for (struct once *o = t->oldest; o; o = o->next)
        if (same(t, o, text)) {
            first = first ? first : o;
            count++;
        }
    if (count >= max && first)
        drop(t, first);
}

struct once *once_add(struct once_table *t, const char *source, const char *auth_id, char cookie[LOGIN_TOKEN_LEN + 1],
                      struct err *e)
{
    size_t of_site = t->max / PER_SITE;

    drop_ended(t);
    make_room(t, same_auth_id, auth_id, PER_AUTH_ID);
    make_room(t, same_source, source, t->per_source);
    make_room(t, same_site, source, of_site > t->per_source ? of_site : t->per_source);
    if (t->by_token.len >= t->max)
        make_room(t, same_source, source, 1);
    if (t->by_token.len >= t->max) {
        err_set(e, ERR_BUSY, "too many logins are under way: try again in some minutes");
        return NULL;
    }
    struct once *o = mem_alloc(sizeof(*o));
    crypto_random_hex(o->token, LOGIN_TOKEN_LEN / 2);
    crypto_random_hex(cookie, LOGIN_TOKEN_LEN / 2);
    crypto_sha256(cookie, LOGIN_TOKEN_LEN, o->cookie);
    str_copy(o->source, sizeof(o->source), source);
    str_copy(o->auth_id, sizeof(o->auth_id), auth_id);
    o->ends_ms = clock_mono_ms() + LOGIN_TIME_MS;
    *t->youngest = o;
    t->youngest = &o->next;
    map_puts(&t->by_token, o->token, o);
    return o;
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
    unlink_entry(t, o);
    return o;
}

static void add_progresses(const struct once_table *t, struct map *out)
{
    int64_t now_ms = clock_mono_ms(), now_ns = clock_wall_ns();

    for (const struct once *o = t->oldest; o; o = o->next) {
        if (o->ends_ms <= now_ms)
            continue;
        struct login_progress *p = map_gets(out, o->auth_id);
        if (!p) {
            p = mem_alloc(sizeof(*p));
            map_puts(out, o->auth_id, p);
        }
        *p = (struct login_progress){.user_id = o->user_id,
                                     .since_ns = now_ns - (LOGIN_TIME_MS - (o->ends_ms - now_ms)) * NS_PER_MS};
        str_copy(p->provider, sizeof(p->provider), o->provider->c->name);
    }
}

/* What is asked comes after what was begun. */
void login_progresses(struct login *l, struct map *out)
{
    if (!l)
        return;
    pthread_mutex_lock(&l->lock);
    add_progresses(&l->begun, out);
    add_progresses(&l->asked, out);
    pthread_mutex_unlock(&l->lock);
}

void login_progresses_release(struct map *progresses)
{
    for (struct map_entry *at = map_first(progresses); at; at = map_next(progresses, at))
        free(at->value);
    map_release(progresses);
}
