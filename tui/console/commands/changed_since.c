/* SPDX-License-Identifier: BSD-3-Clause */
/* Two entries change the same thing if their inverses are calls of the same path whose bodies set a member in common;
 * those of routes, if they name a prefix in common. */
#include "console/commands/changed_since.h"

#include <stdlib.h>
#include <string.h>

#include "json/json.h"

static json_t *parsed(const struct m_event *e)
{
    json_t *call = NULL;

    if (e->api.inverse && json_read(e->api.inverse, strlen(e->api.inverse), SIZE_MAX, "the inverse", &call, NULL) < 0)
        return NULL;
    return call;
}

static bool is_later(const struct m_event *a, const struct m_event *b)
{
    return a->api.id.run != b->api.id.run ? a->api.id.run > b->api.id.run : a->api.id.seq > b->api.id.seq;
}

/* ---- what an inverse sets ---- */

static bool names(const json_t *body, const char *member, const char *prefix)
{
    const json_t *list = json_object_get(body, member), *item;
    size_t i;

    json_array_foreach(list, i, item) if (json_is_string(item) && str_eq(json_string_value(item), prefix)) return true;
    return false;
}

static bool share_prefix(const json_t *a, const json_t *b)
{
    static const char *const members[] = {"approve", "revoke"};

    for (size_t m = 0; m < 2; m++) {
        const json_t *list = json_object_get(a, members[m]), *item;
        size_t i;
        json_array_foreach(list, i,
                           item) if (json_is_string(item) && (names(b, "approve", json_string_value(item)) ||
                                                              names(b, "revoke", json_string_value(item)))) return true;
    }
    return false;
}

static bool same_thing(const json_t *a, const json_t *b)
{
    const char *path = json_string_value(json_object_get(a, "path"));
    const char *other = json_string_value(json_object_get(b, "path"));
    json_t *mine = json_object_get(a, "body"), *yours = json_object_get(b, "body"), *value;
    const char *key;

    if (!path || !other || !str_eq(path, other))
        return false;
    if (share_prefix(mine, yours) || !json_object_size(mine) || !json_object_size(yours))
        return true;
    json_object_foreach(mine, key, value) if (!str_eq(key, "approve") && !str_eq(key, "revoke") &&
                                              json_object_get(yours, key)) return true;
    return false;
}

/* ---- what is still in force ---- */

static const struct m_event *undoer(const struct model *m, const struct m_event *e)
{
    char id[API_EVENT_ID_MAX];

    return e->api.undone_by.run ? model_find(m, ROW_EVENT, api_event_id_format(&e->api.undone_by, id)) : NULL;
}

/* An undo can be undone too. */
static bool in_force(const struct model *m, const struct m_event *e)
{
    bool force = true;

    for (; e && e->api.undone_by.run; e = undoer(m, e))
        force = !force;
    return force;
}

/* Whether it undid an entry later than e: that one tells already what is in force. */
static bool undid_later(const struct model *m, const struct m_event *u, const struct m_event *e)
{
    const struct row_table *events = model_table(m, ROW_EVENT);

    for (size_t i = 0; i < events->rows.len; i++) {
        const struct m_event *other = (const struct m_event *)events->rows.items[i];
        if (other->api.undone_by.run == u->api.id.run && other->api.undone_by.seq == u->api.id.seq)
            return is_later(other, e);
    }
    return false;
}

static const struct m_event *changed_after(const struct model *m, const struct m_event *e)
{
    const struct row_table *events = model_table(m, ROW_EVENT);
    const struct m_event *newest = NULL;
    json_t *mine = parsed(e);

    for (size_t i = 0; mine && i < events->rows.len; i++) {
        const struct m_event *other = (const struct m_event *)events->rows.items[i];

        /* The entries of one change have one inverse. */
        if (!other->api.inverse || !is_later(other, e) || (newest && !is_later(other, newest)) ||
            str_eq(other->api.inverse, e->api.inverse) || !in_force(m, other))
            continue;
        json_t *theirs = parsed(other);
        if (theirs && same_thing(mine, theirs) && !undid_later(m, other, e))
            newest = other;
        json_decref(theirs);
    }
    json_decref(mine);
    return newest;
}

const struct m_event *changed_since(const struct model *m, const struct strs *events)
{
    const struct m_event *newest = NULL;

    for (size_t i = 0; i < events->len; i++) {
        const struct m_event *e = model_find(m, ROW_EVENT, events->items[i]);
        const struct m_event *later = e ? changed_after(m, e) : NULL;

        if (later && (!newest || is_later(later, newest)))
            newest = later;
    }
    return newest;
}
