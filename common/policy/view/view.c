/* SPDX-License-Identifier: BSD-3-Clause */
/* Creation and release of a view: it is built with the same steps that keep it up to date. */
#include "policy/view/view.h"

#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/mem.h"

/* Tailscale's own ranges already include such a pool, without the parts that do not belong to the tailnet. */
static bool in_service_space(const struct prefix *pool)
{
    static const char *const spaces[] = {"100.64.0.0/10", "fd7a:115c:a1e0::/48"};
    struct prefix space;

    for (size_t i = 0; i < 2; i++)
        if (prefix_parse(spaces[i], &space, NULL, NULL) == 0 && prefix_covers(&space, pool))
            return true;
    return false;
}

static void copy_tailnet(struct policy_view *v, const struct policy_tailnet *t)
{
    struct strs domains = {0};

    for (size_t i = 0; t->domains && i < t->domain_count; i++)
        strs_push(&domains, t->domains[i]);
    strs_sort(&domains);
    v->cancel = t->cancel;
    v->domains_given = t->domains != NULL;
    v->domains = domains.items;
    v->domain_count = domains.len;
    v->pools = mem_alloc((t->pool_count + 1) * sizeof(*v->pools));
    for (size_t i = 0; i < t->pool_count; i++)
        if (!in_service_space(&t->pools[i]))
            v->pools[v->pool_count++] = t->pools[i];
}

void policy_view_begin(struct policy_view *v)
{
    v->building = true;
}

void policy_view_end(struct policy_view *v)
{
    v->building = false;
    if (v->classes.len)
        class_rows(v);
    via_elect_all(v);
}

/* budget 0: unlimited. */
static struct policy_view *make(const struct policy *p, const struct policy_tailnet *t,
                                const struct policy_view *previous, uint64_t budget)
{
    struct policy_view *v = mem_alloc(sizeof(*v));

    v->absent = !p;
    v->p = p ? policy_ref(p) : policy_open();
    v->seq = previous ? previous->seq + 1 : 1; /* numbers are never reused by successive views */
    v->any_version = v->seq;
    copy_tailnet(v, t);
    view_index_policy(v);
    (void)policy_view_set_users(v, t->users, t->user_count);
    v->budget = budget;
    policy_view_begin(v);
    for (size_t i = 0; i < t->node_count && view_spend(v, 1); i++)
        policy_view_put(v, &t->nodes[i]);
    if (previous)
        via_inherit(v, previous);
    policy_view_end(v);
    return v;
}

struct policy_view *policy_view_new(const struct policy *p, const struct policy_tailnet *t,
                                    const struct policy_view *previous)
{
    return make(p, t, previous, 0);
}

struct policy_view *policy_view_bounded(const struct policy *p, const struct policy_tailnet *t,
                                        const struct policy_view *previous, struct policy_problems *problems)
{
    struct policy_view *v = make(p, t, previous, VIEW_BUDGET);
    size_t kinds = v->classes.len, routes = v->routes.len, groups = v->via_groups.len;

    if (view_spend(v, 0)) {
        v->budget = 0;
        return v;
    }
    policy_view_free(v);
    problem_at(
        problems, p->text, p->len, SIZE_MAX, false,
        "the policy is too much for this tailnet: %zu rules, and %zu names and addresses in them, would be worked "
        "out for more than %zu kinds of nodes, %zu routes and %zu groups of via; nodes that rules name by tag or "
        "group instead of by address are of one kind",
        p->units.len, p->principals.len, kinds, routes, groups);
    return NULL;
}

/* All numbers are raised by the same amount, so that what was equal remains equal. */
void policy_view_continue(struct policy_view *v, uint64_t by)
{
    v->seq += by;
    v->any_version += by;
    for (size_t i = 0; i < v->slots; i++)
        v->nodes[i].version += by;
    for (size_t i = 0; i < v->user_count; i++)
        v->users[i].version += by;
    for (size_t i = 0; i < v->classes.len; i++)
        v->classes.items[i].serial += v->classes.items[i].serial ? by : 0;
    for (size_t i = 0; i < v->p->lists.len; i++) {
        v->lists[i].version += by;
        for (size_t k = 0; k < v->slots / 64; k++)
            v->lists[i].block_versions[k] += by;
    }
}

uint64_t policy_view_counter(const struct policy_view *v)
{
    return v->seq;
}

void policy_view_succeed(struct policy_view *v, const struct policy_view *previous)
{
    policy_view_continue(v, previous->seq);
    via_inherit(v, previous);
    via_elect_all(v);
}

void policy_view_free(struct policy_view *v)
{
    if (!v)
        return;
    for (size_t i = 0; i < v->slots; i++)
        if (v->nodes[i].used)
            vnode_release(&v->nodes[i]);
    free(v->nodes);
    classes_free(v);
    vroutes_free(v);
    for (size_t i = 0; i < v->p->lists.len; i++) {
        free(v->lists[i].members);
        free(v->lists[i].block_versions);
        vec_release(&v->lists[i].literals);
    }
    free(v->lists);
    for (size_t i = 0; i < v->p->principals.len; i++) {
        struct vprincipal *q = &v->principals[i];
        struct id_list *all[] = {&q->src_units, &q->dst_units, &q->filter_units, &q->self_units, &q->lists, &q->users};
        for (size_t k = 0; k < ARRAY_LEN(all); k++)
            vec_release(all[k]);
    }
    free(v->principals);
    for (size_t i = 0; i < v->user_count; i++) {
        struct vuser *u = &v->users[i];
        free(u->name);
        free(u->email);
        free(u->provider_id);
        strs_release(&u->groups);
        vec_release(&u->principals);
        vec_release(&u->devices);
        vec_release(&u->classes);
    }
    free(v->users);
    map_release(&v->user_index);
    for (size_t i = 0; i < v->domain_count; i++)
        free(v->domains[i]);
    free(v->domains);
    free(v->pools);
    via_release(v);
    vec_release(&v->self_units);
    vec_release(&v->literal_units);
    vec_release(&v->any_lists);
    map_release(&v->literal_index);
    map_release(&v->via_group_index);
    free(v->plain_units);
    free(v->plain_ip_units);
    free(v->internet_units);
    free(v->exit_units);
    free(v->via_any_units);
    policy_unref(v->p);
    free(v);
}
