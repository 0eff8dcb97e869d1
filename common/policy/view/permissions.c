/* SPDX-License-Identifier: BSD-3-Clause */
/* Who may approve routes, and who may assign tags. */
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
    return connector_approves(v, slot, route);
}

struct tag_owner { /* one of the two */
    const struct policy_view *v;
    uint32_t user;
    const struct strs *held;
};

static bool is_owner(const struct tag_owner *who, const struct policy_principal *q)
{
    if (q->kind == PRINCIPAL_TAG)
        return who->held && strs_has(who->held, q->text);
    return who->v && user_in(who->v, q, who->user);
}

/* Does the owner own the tag, or a tag that owns it, and so on? Cycles end where they close. */
static bool owns_tag(const struct policy *p, const char *tag, const struct tag_owner *who)
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

        for (size_t i = 0; i < t->owners.len && !found; i++) {
            const struct policy_principal *q = &p->principals.items[t->owners.items[i].principal];
            uintptr_t next = q->kind == PRINCIPAL_TAG ? (uintptr_t)map_gets(&p->tag_index, q->text) : 0;
            found = is_owner(who, q);
            if (!found && next && !bit_has(seen, (uint32_t)(next - 1))) {
                bit_set(seen, (uint32_t)(next - 1));
                vec_push(&open, (uint32_t)(next - 1));
            }
        }
    }
    vec_release(&open);
    free(seen);
    return found;
}

bool policy_may_tag(const struct policy_view *v, uint64_t user_id, const char *tag)
{
    uint32_t user = user_index(v, user_id);

    return user != NONE && owns_tag(v->p, tag, &(struct tag_owner){.v = v, .user = user});
}

bool policy_tags_own(const struct policy *p, const struct strs *held, const char *tag)
{
    return owns_tag(p, tag, &(struct tag_owner){.held = held});
}
