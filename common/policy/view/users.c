/* SPDX-License-Identifier: BSD-3-Clause */
/* Updates the users of a view. */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "policy/view/view.h"

/* Without a configured list the domains are those of the users. */
static void follow_domains(struct policy_view *v)
{
    struct strs domains = {.items = v->domains, .len = v->domain_count, .cap = v->domain_count};

    if (v->domains_given)
        return;
    strs_release(&domains);
    for (size_t i = 0; i < v->user_count; i++)
        if (strrchr(v->users[i].email, '@'))
            strs_push(&domains, mail_domain(v->users[i].email));
    strs_sort(&domains);
    v->domains = domains.items;
    v->domain_count = domains.len;
}

static bool same_groups(const struct strs *a, const struct policy_user *b)
{
    bool same = a->len == b->group_count;

    for (size_t i = 0; same && i < a->len; i++)
        same = str_eq(a->items[i], b->groups[i]);
    return same;
}

static bool user_write(struct vuser *u, const struct policy_user *from, bool gone)
{
    if (u->name && u->gone == gone && str_eq(u->name, from->name) && str_eq(u->email, from->email) &&
        str_eq(u->provider_id, from->provider_id) && u->role == from->role && same_groups(&u->groups, from))
        return false;
    mem_replace(&u->name, from->name);
    mem_replace(&u->email, from->email);
    mem_replace(&u->provider_id, from->provider_id);
    u->role = from->role;
    strs_release(&u->groups);
    for (size_t i = 0; i < from->group_count; i++)
        strs_push(&u->groups, from->groups[i]);
    u->gone = gone;
    return true;
}

static int by_user_id(const void *a, const void *b)
{
    const struct policy_user *x = a, *y = b;
    return (x->id > y->id) - (x->id < y->id);
}

/* Stores the differences; deleted users remain as users without a name, so that indices stay valid. Returns a bit for
 * each changed user (caller frees), or NULL if nothing differs. */
static uint64_t *users_write(struct policy_view *v, const struct policy_user *users, size_t count)
{
    size_t words = (v->user_count + count) / 64 + 1;
    uint64_t *changed = bits_new(words), *there = bits_new(words);
    static const struct policy_user nobody = {.name = "", .email = "", .provider_id = ""};
    struct policy_user *sorted = mem_alloc((count + 1) * sizeof(*sorted));
    bool any = false;

    for (size_t i = 0; i < count; i++)
        sorted[i] = users[i];
    qsort(sorted, count, sizeof(*sorted), by_user_id);
    v->users = mem_resize(v->users, v->user_count + count + 1, sizeof(*v->users));
    for (size_t i = 0; i < count; i++) {
        uintptr_t known = (uintptr_t)map_getu(&v->user_index, sorted[i].id);
        if (!known) {
            v->users[v->user_count] = (struct vuser){.id = sorted[i].id};
            known = ++v->user_count;
            map_putu(&v->user_index, sorted[i].id, (void *)known);
        }
        bit_set(there, (uint32_t)(known - 1));
        if (user_write(&v->users[known - 1], &sorted[i], false)) {
            bit_set(changed, (uint32_t)(known - 1));
            any = true;
        }
    }
    for (uint32_t i = 0; i < v->user_count; i++)
        if (!bit_has(there, i) && user_write(&v->users[i], &nobody, true)) {
            bit_set(changed, i);
            any = true;
        }
    free(there);
    free(sorted);
    if (!any) {
        free(changed);
        return NULL;
    }
    return changed;
}

bool policy_view_set_users(struct policy_view *v, const struct policy_user *users, size_t count)
{
    uint64_t *changed = users_write(v, users, count);
    struct id_list *old, slots = {0};

    if (!changed && v->users_known)
        return false;
    v->users_known = true;
    old = mem_alloc((v->user_count + 1) * sizeof(*old));
    for (size_t i = 0; i < v->user_count; i++) {
        old[i] = v->users[i].principals;
        v->users[i].principals = (struct id_list){0};
    }
    follow_domains(v);
    names_resolve(v);
    for (uint32_t i = 0; i < v->user_count; i++) {
        struct vuser *u = &v->users[i];
        if ((changed && bit_has(changed, i)) || !ids_eq(&old[i], &u->principals))
            for (size_t k = 0; k < u->devices.len; k++)
                vec_push(&slots, u->devices.items[k]);
        vec_release(&old[i]);
    }
    for (uint32_t i = 0; i < v->slots; i++) /* of a user that was unknown before */
        if (v->nodes[i].used && !v->nodes[i].tagged && v->nodes[i].user == NONE &&
            user_index(v, v->nodes[i].user_id) != NONE)
            vec_push(&slots, i);
    for (size_t i = 0; i < slots.len; i++)
        view_refresh(v, slots.items[i]);
    bool any_node = slots.len > 0;
    vec_release(&slots);
    free(old);
    free(changed);
    return any_node;
}
