/* SPDX-License-Identifier: BSD-3-Clause */
/* Who may approve routes, and who may take or give tags. */
#include <stdlib.h>

#include "policy/view/view.h"

static bool approver_fits(const struct policy_view *v, const struct vnode *n, const struct policy_selectors *who)
{
    const struct vclass *c = &v->classes.items[n->class_id];

    for (size_t i = 0; i < who->len; i++)
        if (bit_has(c->addr, who->items[i].principal))
            return true;
    return false;
}

bool policy_approves(const struct policy_view *v, uint32_t slot, const struct prefix *route)
{
    const struct vnode *n = view_node(v, slot);

    if (!n)
        return false;
    if (prefix_is_exit(route))
        return approver_fits(v, n, &v->p->exit_approvers);
    for (size_t i = 0; i < v->p->approvers.len; i++)
        if (prefix_covers(&v->p->approvers.items[i].prefix, route) &&
            approver_fits(v, n, &v->p->approvers.items[i].who))
            return true;
    return false;
}

/* Calls fn for each owner of a tag that is no tag, and for each tag on the way (the tag itself first). Cycles end where
 * they close. */
static bool walk_owners(const struct policy *p, const char *tag,
                        bool (*fn)(void *arg, const struct policy_principal *q), void *arg)
{
    uint64_t *seen = bits_new(p->tags.len / 64 + 1);
    struct id_list open = {0};
    uintptr_t at = (uintptr_t)map_gets(&p->tag_index, tag);
    bool found = false;

    if (at) {
        vec_push(&open, (uint32_t)(at - 1));
        bit_set(seen, (uint32_t)(at - 1));
    }
    while (open.len && !found) {
        const struct policy_tag_owner *t = &p->tags.items[open.items[--open.len]];
        struct policy_principal self = {.kind = PRINCIPAL_TAG, .text = t->tag, .group = NONE};

        found = fn(arg, &self);
        for (size_t i = 0; i < t->owners.len && !found; i++) {
            const struct policy_principal *q = &p->principals.items[t->owners.items[i].principal];
            uintptr_t next = q->kind == PRINCIPAL_TAG ? (uintptr_t)map_gets(&p->tag_index, q->text) : 0;
            if (q->kind != PRINCIPAL_TAG) {
                found = fn(arg, q);
            } else if (next && !bit_has(seen, (uint32_t)(next - 1))) {
                bit_set(seen, (uint32_t)(next - 1));
                vec_push(&open, (uint32_t)(next - 1));
            }
        }
    }
    vec_release(&open);
    free(seen);
    return found;
}

struct permission_asker {
    const struct policy_view *v;
    uint32_t user;
    const char *const *tags;
    size_t count;
};

static bool is_user(void *arg, const struct policy_principal *q)
{
    const struct permission_asker *w = arg;
    return q->kind != PRINCIPAL_TAG && user_in(w->v, q, w->user);
}

static bool is_tag(void *arg, const struct policy_principal *q)
{
    const struct permission_asker *w = arg;

    for (size_t i = 0; q->kind == PRINCIPAL_TAG && i < w->count; i++)
        if (str_eq(q->text, w->tags[i]))
            return true;
    return false;
}

bool policy_may_tag(const struct policy_view *v, uint64_t user_id, const char *tag)
{
    struct permission_asker w = {.v = v, .user = user_index(v, user_id)};

    return w.user != NONE && walk_owners(v->p, tag, is_user, &w);
}

bool policy_tags_may_tag(const struct policy *p, const char *const *tags, size_t count, const char *tag)
{
    struct permission_asker w = {.tags = tags, .count = count};
    return p && walk_owners(p, tag, is_tag, &w);
}
