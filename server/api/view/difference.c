/* SPDX-License-Identifier: BSD-3-Clause */
/* The difference between two snapshots, as "changed" and "removed" of a message: it takes a console from one to the
 * other, whatever the events in between were. Blocks and records that the snapshots share are skipped. */
#include <stdlib.h>

#include "api/view/difference.h"
#include "api/view/objects.h"
#include "base/vec.h"

struct api_difference {
    struct api_view *was, *is;
    VEC(const struct tailnet_node *) nodes; /* in their current state */
    VEC(uint64_t) gone;
    struct map users;         /* id -> 1: the number of nodes or the record differs */
    struct prefixes prefixes; /* whose routers may differ */
};

static void add_prefixes(struct api_difference *d, const struct tailnet_node *n)
{
    for (size_t i = 0; n && i < n->record->available.len; i++)
        prefixes_add(&d->prefixes, &n->record->available.items[i]);
    for (size_t i = 0; n && i < n->record->approved.len; i++)
        prefixes_add(&d->prefixes, &n->record->approved.items[i]);
}

static void add_node(struct api_difference *d, const struct tailnet_node *was, const struct tailnet_node *is)
{
    if (was && is && was->record->r.id != is->record->r.id) { /* the slot has another owner */
        add_node(d, was, NULL);
        was = NULL;
    }
    if (is)
        vec_push(&d->nodes, is);
    else
        vec_push(&d->gone, was->record->r.id);
    uint64_t before = was ? was->record->user_id : 0, after = is ? is->record->user_id : 0;
    if (before != after && before)
        map_putu(&d->users, before, d);
    if (before != after && after)
        map_putu(&d->users, after, d);
    add_prefixes(d, was);
    add_prefixes(d, is);
}

static const struct tailnet_node *node_at(const struct tailnet_snapshot *s, size_t block, size_t i)
{
    return block < s->block_count && s->blocks[block] ? s->blocks[block]->nodes[i] : NULL;
}

static void compare_nodes(struct api_difference *d)
{
    const struct tailnet_snapshot *was = d->was->s, *is = d->is->s;
    size_t blocks = was->block_count > is->block_count ? was->block_count : is->block_count;

    for (size_t b = 0; b < blocks; b++) {
        if (b < was->block_count && b < is->block_count && was->blocks[b] == is->blocks[b])
            continue;
        for (size_t i = 0; i < TAILNET_BLOCK; i++) {
            const struct tailnet_node *x = node_at(was, b, i), *y = node_at(is, b, i);
            if (x != y)
                add_node(d, x, y);
        }
    }
}

static bool shares_prefix(const struct prefixes *changed, const struct prefixes *has)
{
    for (size_t i = 0; i < has->len; i++)
        if (!prefix_is_exit(&has->items[i]) && prefixes_has(changed, &has->items[i]))
            return true;
    return false;
}

/* A router's view of a prefix depends on who serves it: the other routers of these prefixes are included. */
static void add_neighbours(struct api_difference *d)
{
    struct map there = {0};
    const struct tailnet_snapshot *s = d->is->s;

    if (!d->prefixes.len)
        return;
    for (size_t i = 0; i < d->nodes.len; i++)
        map_putu(&there, d->nodes.items[i]->record->r.id, d);
    for (size_t b = 0; b < s->block_count; b++)
        for (size_t i = 0; i < TAILNET_BLOCK; i++) {
            const struct tailnet_node *n = node_at(s, b, i);
            if (n && !map_getu(&there, n->record->r.id) &&
                (shares_prefix(&d->prefixes, &n->record->available) ||
                 shares_prefix(&d->prefixes, &n->record->approved)))
                vec_push(&d->nodes, n);
        }
    map_release(&there);
}

/* ---- lists of records, by id ---- */

struct record_list {
    const struct record *const *items;
    size_t len;
};

typedef void write_record(struct json_out *o, struct api_difference *d, const struct record *record);

static void write_user_record(struct json_out *o, struct api_difference *d, const struct record *record)
{
    write_user(o, d->is, (const struct user *)record, API_HEADWAY);
}

static void write_preauth_record(struct json_out *o, struct api_difference *d, const struct record *record)
{
    write_preauth_key(o, d->is, (const struct preauth_key *)record, NULL, API_HEADWAY);
}

static void write_api_record(struct json_out *o, struct api_difference *d, const struct record *record)
{
    (void)d;
    write_api_key(o, (const struct api_key *)record, NULL, API_HEADWAY);
}

/* Writes the current records that are new or changed, or listed in also; adds the ids of deleted ones to gone. */
static void compare_records(struct api_difference *d, struct record_list was, struct record_list is,
                            const struct map *also, write_record *write, struct json_out *changed,
                            struct json_out *gone)
{
    size_t i = 0, k = 0;

    while (i < was.len || k < is.len) {
        if (k == is.len || (i < was.len && was.items[i]->id < is.items[k]->id)) {
            struct buf id = BUF_INIT(0);
            buf_addu(&id, was.items[i++]->id);
            json_strn(gone, id.data, id.len);
            buf_release(&id);
        } else if (i < was.len && was.items[i] == is.items[k] && !(also && map_getu(also, is.items[k]->id))) {
            i++;
            k++;
        } else {
            i += i < was.len && was.items[i]->id == is.items[k]->id;
            write(changed, d, is.items[k++]);
        }
    }
}

static void compare_pendings(struct api_difference *d, struct json_out *changed, struct json_out *gone)
{
    const struct tailnet_snapshot *was = d->was->s, *is = d->is->s;

    for (size_t i = 0; i < is->pending_count; i++)
        if (snapshot_pending(was, is->pendings[i]->auth_id) != is->pendings[i])
            write_pending(changed, d->is, is->pendings[i]);
    for (size_t i = 0; i < was->pending_count; i++)
        if (!snapshot_pending(is, was->pendings[i]->auth_id))
            json_str(gone, was->pendings[i]->auth_id);
}

/* Adds prefixes whose settings changed; all of them if the setting for all prefixes did. */
static void add_settled_otherwise(struct api_difference *d)
{
    const struct tailnet_snapshot *was = d->was->s, *is = d->is->s;

    for (size_t i = 0; was->prefix_settings != is->prefix_settings && i < was->prefix_settings_count; i++)
        if (snapshot_prefix_settings(is, &was->prefix_settings[i]->prefix) != was->prefix_settings[i])
            prefixes_add(&d->prefixes, &was->prefix_settings[i]->prefix);
    for (size_t i = 0; was->prefix_settings != is->prefix_settings && i < is->prefix_settings_count; i++)
        if (!snapshot_prefix_settings(was, &is->prefix_settings[i]->prefix))
            prefixes_add(&d->prefixes, &is->prefix_settings[i]->prefix);
    if (prefix_rule_difference(&was->settings->routing, &is->settings->routing))
        for (size_t b = 0; b < is->block_count; b++)
            for (size_t i = 0; is->blocks[b] && i < TAILNET_BLOCK; i++)
                add_prefixes(d, is->blocks[b]->nodes[i]);
}

static void compare_prefixes(struct api_difference *d, struct json_out *changed, struct json_out *gone)
{
    struct arena a = ARENA_INIT(0);
    struct api_list list = {0};
    char text[PREFIX_TEXT_MAX];

    if (!d->prefixes.len)
        return;
    show_prefixes(d->is, &d->prefixes, &a, &list);
    for (size_t i = 0; i < list.len; i++) {
        const struct api_prefix *p = api_at(&list, struct api_prefix, i);
        api_write(changed, &api_prefix_shape, p, API_HEADWAY);
        prefixes_del(&d->prefixes, &p->prefix);
    }
    for (size_t i = 0; i < d->prefixes.len; i++)
        json_str(gone, prefix_format(&d->prefixes.items[i], text));
    arena_release(&a);
}

/* ---- the message's members ---- */

enum part { NODES, USERS, PREAUTH_KEYS, API_KEYS, PENDING, PREFIXES, PARTS };
static const char *const names[PARTS] = {"nodes", "users", "preAuthKeys", "apiKeys", "pending", "prefixes"};

static void put_parts(struct json_out *o, const char *key, struct buf parts[PARTS])
{
    json_key(o, key);
    json_open(o, '{');
    for (int i = 0; i < PARTS; i++) {
        json_key(o, names[i]);
        json_open(o, '[');
        if (parts[i].len)
            json_raw(o, parts[i].data, parts[i].len);
        json_close(o, ']');
        buf_release(&parts[i]);
    }
    json_close(o, '}');
}

#define RECORDS(snapshot, list, count)                                                                                 \
    ((struct record_list){(const struct record *const *)(const void *)(snapshot)->list, (snapshot)->count})

static void compare(struct api_difference *d, struct json_out changed[PARTS], struct json_out gone[PARTS])
{
    const struct tailnet_snapshot *was = d->was->s, *is = d->is->s;

    compare_nodes(d);
    add_neighbours(d);
    add_settled_otherwise(d);
    for (size_t i = 0; i < d->nodes.len; i++)
        write_node(&changed[NODES], d->is, d->nodes.items[i], API_HEADWAY);
    for (size_t i = 0; i < d->gone.len; i++) {
        struct buf id = BUF_INIT(0);
        buf_addu(&id, d->gone.items[i]);
        json_strn(&gone[NODES], id.data, id.len);
        buf_release(&id);
    }
    compare_records(d, RECORDS(was, users, user_count), RECORDS(is, users, user_count), &d->users, write_user_record,
                    &changed[USERS], &gone[USERS]);
    compare_records(d, RECORDS(was, preauth_keys, preauth_key_count), RECORDS(is, preauth_keys, preauth_key_count),
                    NULL, write_preauth_record, &changed[PREAUTH_KEYS], &gone[PREAUTH_KEYS]);
    compare_records(d, RECORDS(was, api_keys, api_key_count), RECORDS(is, api_keys, api_key_count), NULL,
                    write_api_record, &changed[API_KEYS], &gone[API_KEYS]);
    compare_pendings(d, &changed[PENDING], &gone[PENDING]);
    compare_prefixes(d, &changed[PREFIXES], &gone[PREFIXES]);
}

void write_difference(struct json_out *o, struct api *api, const struct tailnet_snapshot *was,
                      const struct tailnet_snapshot *is)
{
    struct api_view old, now;
    struct api_difference d = {.was = &old, .is = &now};
    struct buf changed_text[PARTS] = {0}, gone_text[PARTS] = {0};
    struct json_out changed[PARTS], gone[PARTS];

    for (int i = 0; i < PARTS; i++) {
        changed[i] = (struct json_out)JSON_OUT(&changed_text[i]);
        gone[i] = (struct json_out)JSON_OUT(&gone_text[i]);
    }
    show_init(&old, api, was);
    show_init(&now, api, is);
    if (was != is)
        compare(&d, changed, gone);
    put_parts(o, "changed", changed_text);
    put_parts(o, "removed", gone_text);
    vec_release(&d.nodes);
    vec_release(&d.gone);
    map_release(&d.users);
    prefixes_release(&d.prefixes);
    show_release(&old);
    show_release(&now);
}
