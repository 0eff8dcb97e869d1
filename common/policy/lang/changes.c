/* SPDX-License-Identifier: BSD-3-Clause */
/* Compares the sections one by one: what was added, removed and changed. Rules have no names, so an edited rule counts
 * as one removed and one added. */
#include <stdlib.h>

#include "base/array.h"
#include "base/mem.h"
#include "base/vec.h"
#include "policy/policy.h"

#define NAME_MAX_TOLD 40 /* bytes */
#define MEMORY_MAX    ((size_t)64 << 20)

static const struct {
    const char *section, *one, *many;
} words[] = {
    {"acls", "rule", "rules"},
    {"grants", "grant", "grants"},
    {"ssh", "SSH rule", "SSH rules"},
    {"groups", "group", "groups"},
    {"tagOwners", "tag", "tags"},
    {"hosts", "host", "hosts"},
    {"nodeAttrs", "entry of nodeAttrs", "entries of nodeAttrs"},
    {"tests", "test", "tests"},
    {"sshTests", "SSH test", "SSH tests"},
};

struct change_count {
    size_t came, went, changed;
    const char *name; /* the name of one of them */
};

struct policy_item_list {
    const struct policy_item **items;
    size_t len, cap;
};

static int by_plain(const void *a, const void *b)
{
    return strcmp((*(const struct policy_item *const *)a)->plain, (*(const struct policy_item *const *)b)->plain);
}

static int by_name(const void *a, const void *b)
{
    return strcmp((*(const struct policy_item *const *)a)->name, (*(const struct policy_item *const *)b)->name);
}

static struct policy_item_list sorted(const struct policy_item *container, bool names)
{
    struct policy_item_list list = {0};

    for (const struct policy_item *i = container ? container->first : NULL; i; i = i->next)
        vec_push(&list, i);
    if (list.len)
        qsort(list.items, list.len, sizeof(*list.items), names ? by_name : by_plain);
    return list;
}

static struct change_count compare(const struct policy_item *before, const struct policy_item *after, bool names)
{
    struct policy_item_list old = sorted(before, names), fresh = sorted(after, names);
    struct change_count c = {0};
    size_t i = 0, k = 0;

    while (i < old.len || k < fresh.len) {
        int order = i == old.len     ? 1
                    : k == fresh.len ? -1
                    : names          ? by_name(&old.items[i], &fresh.items[k])
                                     : by_plain(&old.items[i], &fresh.items[k]);
        bool differs = order != 0 || strcmp(old.items[i]->plain, fresh.items[k]->plain) != 0;

        c.went += order < 0;
        c.came += order > 0;
        c.changed += order == 0 && differs;
        if (differs)
            c.name = order > 0 ? fresh.items[k]->name : old.items[i]->name;
        i += order <= 0;
        k += order >= 0;
    }
    vec_release(&old);
    vec_release(&fresh);
    return c;
}

static const struct policy_item *find(const struct policy_item *whole, const char *name)
{
    for (const struct policy_item *i = whole ? whole->first : NULL; i; i = i->next)
        if (str_eq(i->name, name))
            return i;
    return NULL;
}

static const char *comma(const struct buf *out, size_t begun)
{
    return out->len > begun ? ", " : "";
}

static void tell(const struct change_count *c, const char *one, const char *many, size_t begun, struct buf *out)
{
    size_t all = c->came + c->went + c->changed;

    if (all == 1 && c->name && strlen(c->name) <= NAME_MAX_TOLD) {
        buf_addf(out, "%s%s%s%s", comma(out, begun),
                 c->came   ? "+"
                 : c->went ? "-"
                           : "",
                 c->name, c->changed ? " changed" : "");
        return;
    }
    if (c->came + c->went)
        buf_adds(out, comma(out, begun));
    if (c->came)
        buf_addf(out, "+%zu ", c->came);
    if (c->went)
        buf_addf(out, "-%zu ", c->went);
    if (c->came + c->went)
        buf_adds(out, c->came + c->went == 1 ? one : many);
    if (c->changed)
        buf_addf(out, "%s%zu %s changed", comma(out, begun), c->changed, c->changed == 1 ? one : many);
}

static void tell_section(const struct policy_item *before, const struct policy_item *after, size_t begun,
                         struct buf *out)
{
    const char *name = after ? after->name : before->name, *one = NULL, *many = NULL;
    bool same_kind = !before || !after || before->kind == after->kind;

    if (before && after && str_eq(before->plain, after->plain))
        return;
    for (size_t i = 0; i < ARRAY_LEN(words); i++)
        if (str_eq(words[i].section, name)) {
            one = words[i].one;
            many = words[i].many;
        }
    if (one && same_kind) {
        struct change_count c = compare(before, after, (after ? after : before)->kind == POLICY_ITEM_OBJECT);
        tell(&c, one, many, begun, out);
        if (!c.came && !c.went && !c.changed && before && after)
            buf_addf(out, "%s%s in another order", comma(out, begun), many);
    } else if (strlen(name) <= NAME_MAX_TOLD) {
        buf_addf(out, "%s%s%s%s", comma(out, begun), before ? "" : "+", after ? "" : "-", name);
        buf_adds(out, before && after ? " changed" : "");
    }
}

void policy_changes_text(const char *before, const char *after, struct buf *out)
{
    struct arena a = ARENA_INIT(MEMORY_MAX);
    const struct policy_item *old = policy_items(before, strlen(before), &a),
                             *fresh = policy_items(after, strlen(after), &a);
    size_t begun = out->len;

    if ((old || !*before) && fresh) {
        for (const struct policy_item *i = fresh->first; i; i = i->next)
            tell_section(find(old, i->name), i, begun, out);
        for (const struct policy_item *i = old ? old->first : NULL; i; i = i->next)
            if (!find(fresh, i->name))
                tell_section(i, NULL, begun, out);
        if (out->len == begun && *before)
            buf_adds(out, "comments only");
    }
    arena_release(&a);
}
