/* SPDX-License-Identifier: BSD-3-Clause */
#include "core/admin/repeated.h"
#include "base/clock.h"
#include "base/random.h"
#include "core/message/members.h"
#include "core/state/state.h"
#include "core/state/transaction.h"
#include "crypto/crypto.h"
#include "model/api.h"

#define CALLS_MAX  1024
#define CALLS_NS   (24 * 3600 * NS_PER_SECOND)
#define NONCE_LEN  12
#define SECRET_MAX 65536

struct call_done {
    uint8_t token[KEY_LEN];
    const struct admin_call *record; /* NULL: being decided */
    const void *object;              /* as it was returned; NULL: none was */
    bool durable;
};

static struct call_done *find(struct core_state *s, const uint8_t token[KEY_LEN])
{
    return map_get(&s->calls_done, token, KEY_LEN);
}

static struct call_done *add(struct core_state *s, const uint8_t token[KEY_LEN])
{
    struct call_done *c = mem_alloc(sizeof(*c));

    memcpy(c->token, token, KEY_LEN);
    map_put(&s->calls_done, token, KEY_LEN, c);
    return c;
}

static void drop(struct core_state *s, struct call_done *c)
{
    map_del(&s->calls_done, c->token, KEY_LEN);
    record_unref(c->record);
    record_unref(c->object);
    free(c);
}

/* ---- secrets ---- */

/* Nonce, text and tag as base64. The database alone does not reveal the secret. */
static void seal(const char *text, const uint8_t key[KEY_LEN], char **out)
{
    size_t len = strlen(text);
    uint8_t *bytes = mem_alloc(NONCE_LEN + len + CRYPTO_TAG_LEN);
    struct crypto_aead *aead = crypto_aead_new(key, true);
    struct buf b = BUF_INIT(0);

    random_bytes(bytes, NONCE_LEN);
    crypto_aead_begin(aead, bytes, NULL, 0);
    crypto_aead_update(aead, (const uint8_t *)text, len, bytes + NONCE_LEN);
    crypto_aead_seal_end(aead, bytes + NONCE_LEN + len);
    crypto_aead_free(aead);
    crypto_base64(&b, bytes, NONCE_LEN + len + CRYPTO_TAG_LEN);
    mem_replace(out, buf_text(&b));
    buf_release(&b);
    free(bytes);
}

/* NULL: it cannot be opened. */
static char *unseal(const char *sealed, const uint8_t key[KEY_LEN])
{
    size_t room = strlen(sealed);
    uint8_t *bytes = mem_alloc(room + 1);
    long all = crypto_unbase64(sealed, room, bytes, room), len = all - NONCE_LEN - CRYPTO_TAG_LEN;
    char *text = NULL;

    if (len >= 0 && len <= SECRET_MAX) {
        struct crypto_aead *aead = crypto_aead_new(key, false);
        text = mem_alloc((size_t)len + 1);
        crypto_aead_begin(aead, bytes, NULL, 0);
        crypto_aead_update(aead, bytes + NONCE_LEN, (size_t)len, (uint8_t *)text);
        if (!crypto_aead_open_end(aead, bytes + NONCE_LEN + len)) {
            free(text);
            text = NULL;
        }
        crypto_aead_free(aead);
    }
    free(bytes);
    return text;
}

/* ---- repeated calls ---- */

/* The object as it was returned: by now it may have changed or be gone. */
static char *object_text(const void *object)
{
    struct buf bytes = BUF_INIT(0), text = BUF_INIT(0);

    if (object) {
        record_encode(object, &bytes);
        crypto_base64(&text, (const uint8_t *)bytes.data, bytes.len);
    }
    buf_release(&bytes);
    return buf_take(&text);
}

/* NULL: there was none, or an earlier version did not store it. */
static const void *object_of(const struct admin_call *call)
{
    size_t room = strlen(call->object);
    uint8_t *bytes = mem_alloc(room + 1);
    long len = crypto_unbase64(call->object, room, bytes, room);
    const void *object = NULL;

    if (len > 0 && record_decode(bytes, (size_t)len, &object, NULL) < 0)
        object = NULL;
    free(bytes);
    return object;
}

static void repeat(struct core_state *s, struct core_admin *a, const struct call_done *c)
{
    const struct admin_call *was = c->record;

    for (size_t i = 0; i < was->events.len; i++) {
        struct api_event_id id;
        if (api_event_id_parse(was->events.items[i], &id, NULL) < 0)
            continue;
        struct event *e = event_new();
        e->run = id.run;
        e->r.id = id.seq;
        mem_replace(&e->text, was->text);
        vec_push(&a->events, e);
    }
    a->record = record_ref(c->object);
    a->version = was->object_version;
    a->inverse = *was->inverse ? mem_strdup(was->inverse) : NULL;
    a->secret = *was->secret ? unseal(was->secret, a->token.seal) : NULL;
    tx_answer(s, &a->call, 0); /* not before the first call is durable */
}

static int check(const struct core_admin *a, const struct call_done *c, struct err *e)
{
    if (!c->record)
        return err_field(e, ERR_BUSY, "Idempotency-Key", "this call is being decided: ask again");
    if (!crypto_equal(c->record->request, a->token.request, KEY_LEN))
        return err_field(e, ERR_CONFLICT, "Idempotency-Key",
                         "this key came with another call: each call needs a new one");
    return 0;
}

bool repeated_answer(struct core_state *s, struct core_admin *a)
{
    const struct call_done *c = a->has_token && !a->dry_run ? find(s, a->token.id) : NULL;

    if (!c)
        return false;
    int code = check(a, c, &a->call.err);
    if (code < 0)
        tx_answer_soon(s, &a->call, code);
    else
        repeat(s, a, c);
    return true;
}

/* ---- completed calls ---- */

static void make_room(struct core_state *s, int64_t now)
{
    while (s->calls_kept.len) {
        struct call_done *oldest = s->calls_kept.items[0];
        if (s->calls_kept.len < CALLS_MAX && now - oldest->record->time_ns < CALLS_NS)
            break;
        vec_remove(&s->calls_kept, 0);
        tx_remove(s, oldest->record);
        drop(s, oldest);
    }
}

static struct admin_call *call_of(const struct core_admin *a, int64_t now)
{
    struct admin_call *call = admin_call_new();
    const struct record *object = a->record;

    memcpy(call->token, a->token.id, KEY_LEN);
    memcpy(call->request, a->token.request, KEY_LEN);
    call->time_ns = now;
    call->object_id = object ? object->id : 0;
    call->object_version = a->version;
    for (size_t i = 0; i < a->events.len; i++) {
        const struct event *e = a->events.items[i];
        char text[API_EVENT_ID_MAX];
        strs_push(&call->events, api_event_id_format(&(struct api_event_id){e->run, e->r.id}, text));
    }
    mem_replace(&call->text, a->events.len ? a->events.items[0]->text : "");
    mem_replace(&call->inverse, a->inverse ? a->inverse : "");
    free(call->object);
    call->object = object_text(object);
    if (a->secret && strlen(a->secret) <= SECRET_MAX)
        seal(a->secret, a->token.seal, &call->secret);
    return call;
}

void repeated_note(struct core_state *s, const struct core_admin *a, int code)
{
    int64_t now = clock_wall_ns();

    if (!a->has_token || a->dry_run)
        return;
    struct call_done *c = find(s, a->token.id);
    if (code < 0) {
        if (c && !c->record)
            drop(s, c);
        return;
    }
    if (!c)
        c = add(s, a->token.id);
    if (code > 0)
        return;
    make_room(s, now);
    struct admin_call *call = call_of(a, now);
    c->record = record_ref(call);
    c->object = record_ref(a->record);
    vec_push(&s->calls_kept, c);
    tx_put(s, call);
}

void repeated_load(struct core_state *s, struct admin_call *const *items, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        struct call_done *c = add(s, items[i]->token);
        c->record = record_ref(items[i]);
        c->object = object_of(items[i]);
        c->durable = true;
        vec_push(&s->calls_kept, c);
    }
    make_room(s, clock_wall_ns());
}

void repeated_follow(struct core_state *s, const struct admin_call *call)
{
    struct call_done *c = find(s, call->token);

    if (c && c->record == call)
        c->durable = true;
}

/* What was not stored was not done. */
void repeated_reset(struct core_state *s)
{
    size_t kept = 0;

    for (size_t i = 0; i < s->calls_kept.len; i++) {
        struct call_done *c = s->calls_kept.items[i];
        if (c->durable)
            s->calls_kept.items[kept++] = c;
        else
            drop(s, c);
    }
    s->calls_kept.len = kept;
}

void repeated_release(struct core_state *s)
{
    for (struct map_entry *e = map_first(&s->calls_done); e; e = map_next(&s->calls_done, e)) {
        struct call_done *c = e->value;
        record_unref(c->record);
        record_unref(c->object);
        free(c);
    }
    map_release(&s->calls_done);
    vec_release(&s->calls_kept);
}
