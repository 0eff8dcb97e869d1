/* SPDX-License-Identifier: BSD-3-Clause */
#include "console/model/decode.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/array.h"
#include "base/clock.h"
#include "base/map.h"
#include "base/mem.h"

#define MESSAGE_MAX 2048

static char *safe(const char *text)
{
    struct buf b = BUF_INIT(0);

    str_safe(&b, text, strnlen(text, MESSAGE_MAX));
    return buf_take(&b);
}

/* The id of an event as text; NULL if there is none. */
static char *event_text(const struct api_event_id *id)
{
    char text[API_EVENT_ID_MAX];

    return id->run ? mem_strdup(api_event_id_format(id, text)) : NULL;
}

static void add(struct model_delta *out, struct row *row)
{
    if (row)
        vec_push(&out->rows, row);
}

/* Turns the list's objects into rows; size: of one object. */
static void add_list(struct model_delta *out, enum row_kind kind, struct api_list *list, size_t size)
{
    for (size_t i = 0; i < list->len; i++)
        add(out, row_take(kind, (char *)list->items + i * size));
    free(list->items);
    *list = (struct api_list){0};
}

static void add_gone(struct model_delta *out, enum row_kind kind, const struct strs *keys)
{
    for (size_t i = 0; i < keys->len; i++)
        vec_push(&out->gone, ((struct gone){.kind = kind, .key = mem_strdup(keys->items[i])}));
}

static const struct {
    const char *member;
    enum row_kind kind;
} snapshot_lists[] = {
    {"nodes", ROW_NODE}, {"prefixes", ROW_PREFIX},         {"pending", ROW_PENDING},
    {"users", ROW_USER}, {"preAuthKeys", ROW_PREAUTH_KEY}, {"apiKeys", ROW_API_KEY},
};

/* Anything but a list is small: it is decoded like a snapshot with nothing else. */
static int add_head(struct model_delta *out, const char *member, const json_t *value, struct err *e)
{
    json_t *alone = json_object();
    struct api_snapshot s;

    json_object_set(alone, member, (json_t *)(uintptr_t)value);
    int r = api_read(&api_snapshot_shape, alone, &s, API_FOR_TERMINAL, e);
    json_decref(alone);
    if (r < 0)
        return ERR_INVALID;
    if (s.time_ns)
        out->time_ns = s.time_ns;
    if (s.counts.nodes)
        out->expected = s.counts.nodes;
    if (s.event.run) {
        free(out->event);
        out->event = event_text(&s.event);
    }
    if (str_eq(member, "server")) {
        api_release(&api_server_shape, &out->server);
        out->server = s.server;
        s.server = (struct api_server){0};
    }
    api_release(&api_snapshot_shape, &s);
    return 0;
}

int decode_snapshot_piece(const char *member, const json_t *value, struct model_delta *out, struct err *e)
{
    for (size_t i = 0; i < ARRAY_LEN(snapshot_lists); i++)
        if (str_eq(member, snapshot_lists[i].member)) {
            add(out, row_read(snapshot_lists[i].kind, value));
            return 0;
        }
    return str_eq(member, "relays") ? 0 : add_head(out, member, value, e);
}

int decode_snapshot(const json_t *root, struct model_delta *out, struct err *e)
{
    const char *member;
    json_t *value, *item;
    size_t i;
    int r = 0;

    *out = (struct model_delta){.begins = true, .ends = true};
    if (!json_is_object(root))
        return err_set(e, ERR_INVALID, "the snapshot is no object");
    json_object_foreach((json_t *)(uintptr_t)root, member, value)
    {
        if (!json_is_array(value) && r == 0)
            r = decode_snapshot_piece(member, value, out, e);
        json_array_foreach(value, i, item) if (r == 0) r = decode_snapshot_piece(member, item, out, e);
    }
    if (r < 0)
        delta_release(out);
    return r;
}

int decode_message(const json_t *root, struct model_delta *out, struct err *e)
{
    struct api_changes c;

    if (api_read(&api_changes_shape, root, &c, API_FOR_TERMINAL, e) < 0)
        return ERR_INVALID;
    *out = (struct model_delta){0};
    if (json_object_get(root, "kind")) {
        struct row *row = row_read(ROW_EVENT, root);
        add(out, row);
        if (row) {
            out->event = mem_strdup(row->key);
            out->time_ns = ((const struct m_event *)row)->api.time_ns;
        }
    }
    add_list(out, ROW_NODE, &c.changed.nodes, sizeof(struct api_node));
    add_list(out, ROW_PREFIX, &c.changed.prefixes, sizeof(struct api_prefix));
    add_list(out, ROW_PENDING, &c.changed.pending, sizeof(struct api_pending));
    add_list(out, ROW_USER, &c.changed.users, sizeof(struct api_user));
    add_list(out, ROW_PREAUTH_KEY, &c.changed.preauth_keys, sizeof(struct api_preauth_key));
    add_list(out, ROW_API_KEY, &c.changed.api_keys, sizeof(struct api_api_key));
    add_gone(out, ROW_NODE, &c.removed.nodes);
    add_gone(out, ROW_PREFIX, &c.removed.prefixes);
    add_gone(out, ROW_PENDING, &c.removed.pending);
    add_gone(out, ROW_USER, &c.removed.users);
    add_gone(out, ROW_PREAUTH_KEY, &c.removed.preauth_keys);
    add_gone(out, ROW_API_KEY, &c.removed.api_keys);
    add(out, row_read(ROW_NODE, json_object_get(root, "node")));
    api_release(&api_changes_shape, &c);
    return 0;
}

int decode_events(const json_t *root, struct model_delta *out, struct err *e)
{
    struct api_page page;

    if (api_read(&api_page_shape, root, &page, API_FOR_TERMINAL, e) < 0)
        return ERR_INVALID;
    *out = (struct model_delta){.page = true, .next = event_text(&page.next), .read_to_ns = page.read_to_ns};
    add_list(out, ROW_EVENT, &page.events, sizeof(struct api_event));
    api_release(&api_page_shape, &page);
    return 0;
}

/* All rows of a kind: a list of the answer. */
static int decode_whole(const json_t *root, const char *name, enum row_kind kind, struct model_delta *out,
                        struct err *e)
{
    const json_t *list = json_object_get(root, name), *item;
    size_t i;

    *out = (struct model_delta){0};
    if (!json_is_array(list))
        return err_set(e, ERR_INVALID, "the answer has no list %s", name);
    json_array_foreach(list, i, item) add(out, row_read(kind, item));
    out->whole = 1U << kind;
    return 0;
}

int decode_oauth_clients(const json_t *root, struct model_delta *out, struct err *e)
{
    return decode_whole(root, "oauthClients", ROW_OAUTH_CLIENT, out, e);
}

int decode_pending(const json_t *root, struct model_delta *out, struct err *e)
{
    int r = decode_whole(root, "pending", ROW_PENDING, out, e);

    out->whole = 0; /* events add and remove them */
    return r;
}

int decode_logins(const json_t *root, struct model_delta *out, struct err *e)
{
    return decode_whole(root, "identities", ROW_LOGIN, out, e);
}

int decode_webhooks(const json_t *root, struct model_delta *out, struct err *e)
{
    return decode_whole(root, "webhooks", ROW_WEBHOOK, out, e);
}

static int64_t time_in(const json_t *object, const char *name)
{
    int64_t ns = 0;

    return time_parse(json_text(object, name, ""), &ns, name, NULL) == 0 ? ns : 0;
}

/* A list in the answer; anything else reads as empty. */
static void add_named(struct model_delta *out, enum row_kind kind, const json_t *root, const char *name,
                      const struct api_shape *shape, size_t size)
{
    struct api_list list = {0};

    if (api_read_list(shape, json_object_get(root, name), &list, API_FOR_TERMINAL, NULL) == 0)
        add_list(out, kind, &list, size);
}

/* The past does not tell how many nodes each user had. */
static void count_nodes_of_users(struct model_delta *d)
{
    struct map users = {0};

    for (size_t i = 0; i < d->rows.len; i++)
        if (d->rows.items[i]->kind == ROW_USER)
            map_puts(&users, d->rows.items[i]->key, d->rows.items[i]);
    for (size_t i = 0; i < d->rows.len; i++) {
        const struct m_node *n = (const struct m_node *)d->rows.items[i];
        char id[24];

        if (n->row.kind != ROW_NODE || n->tagged || !n->api.user)
            continue;
        snprintf(id, sizeof(id), "%llu", (unsigned long long)n->api.user->id);
        struct m_user *user = map_gets(&users, id);
        if (user)
            user->api.node_count++;
    }
    map_release(&users);
}

int decode_past(const json_t *root, struct model_delta *out, struct err *e)
{
    const char *text = json_text(json_object_get(root, "policy"), "policy", "");

    *out = (struct model_delta){
        .begins = true, .ends = true, .time_ns = time_in(root, "time"), .since_ns = time_in(root, "since")};
    if (!json_is_object(root) || !out->time_ns)
        return err_set(e, ERR_INVALID, "the answer is no state of the past");
    add_named(out, ROW_NODE, root, "nodes", &api_node_shape, sizeof(struct api_node));
    add_named(out, ROW_PREFIX, root, "prefixes", &api_prefix_shape, sizeof(struct api_prefix));
    add_named(out, ROW_USER, root, "users", &api_user_shape, sizeof(struct api_user));
    count_nodes_of_users(out);
    out->policy = *text ? mem_strdup(text) : NULL;
    return 0;
}

int decode_whoami(const json_t *root, char **actor, bool *read_only, struct err *e)
{
    struct api_whoami me;

    if (api_read(&api_whoami_shape, root, &me, API_FOR_TERMINAL, e) < 0)
        return ERR_INVALID;
    *actor = mem_strdup(me.actor);
    *read_only = me.read_only || str_eq(me.scope, "read");
    api_release(&api_whoami_shape, &me);
    return 0;
}

/* The secret of a new key, present only in the answer to its creation; else NULL. */
static char *new_secret(const json_t *object, enum row_kind kind)
{
    static const char *const members[ROW_KINDS] = {
        [ROW_PREAUTH_KEY] = "key", [ROW_API_KEY] = "key", [ROW_OAUTH_CLIENT] = "key", [ROW_WEBHOOK] = "secret"};
    const char *key = members[kind] ? json_text(object, members[kind], "") : "";

    return *key ? safe(key) : NULL;
}

void decode_reply(int status, const json_t *root, const struct err *why, enum row_kind result, struct reply *out)
{
    *out = (struct reply){.status = status};
    if (why && (status < 200 || status >= 300)) {
        char *message = safe(why->message);

        out->e = *why;
        str_copy(out->e.message, sizeof(out->e.message), *message ? message : "the server gave no reason");
        free(message);
    }
    struct api_change change;
    if (!root || api_read(&api_change_shape, root, &change, API_FOR_TERMINAL, NULL) < 0)
        return;
    out->undoable = change.inverse != NULL;
    out->event = event_text(&change.event);
    api_release(&api_change_shape, &change);
    if (result == ROW_KINDS)
        return;
    const json_t *object = json_object_get(root, "result");
    add(&out->delta, row_read(result, json_object_get(root, "current")));
    /* A new key is only shown: its row comes from the journal's entry. */
    out->secret = status < 300 ? new_secret(object, result) : NULL;
    if (!out->secret)
        add(&out->delta, row_read(result, object));
}

void reply_release(struct reply *r)
{
    free(r->event);
    free(r->secret);
    delta_release(&r->delta);
    delta_release(&r->read);
    json_decref(r->json);
    *r = (struct reply){0};
}
