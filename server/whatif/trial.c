/* SPDX-License-Identifier: BSD-3-Clause */
/* From the present to the hypothetical tailnet, in the same steps and order as in the core: decide records, elect, then
 * update the policy's view. */
#include "whatif/trial.h"

#include <stdlib.h>

#include "base/clock.h"

static void set_in_elections(const struct trial *t, const struct trial_node *n)
{
    struct routes_flags flags = routes_flags_of(n->record, &n->live, n->expired);

    routes_set_node(t->q->elections, n->record, &flags);
}

/* Brings the elections to the state of the snapshot: moves since they were copied are not part of the answer. */
static void settle_elections(struct trial *t)
{
    struct route_moves ignored = {0};

    routes_set_policy(t->q->elections, t->q->before);
    for (size_t i = 0; i < t->nodes.len; i++)
        if (t->nodes.items[i].record)
            set_in_elections(t, &t->nodes.items[i]);
    routes_elect(t->q->elections, &t->now, &ignored);
    route_moves_release(&ignored);
    trial_nearest_list(t, 0);
}

void trial_init(struct trial *t, const struct whatif_question *q, struct arena *a)
{
    *t = (struct trial){.q = q, .arena = a, .next_id = 1, .now = {clock_wall_ns(), clock_mono_ms()}};
    for (uint32_t slot = 0; slot < q->s->block_count * TAILNET_BLOCK; slot++) {
        const struct tailnet_node *from = snapshot_node(q->s, slot);
        struct trial_node n = {0};
        if (from) {
            n.record = record_ref(from->record);
            n.live = (struct node_live){
                .online = from->live.online, .healthy = from->live.healthy, .flapping = from->live.flapping};
            n.was_online = n.live.online;
            n.expired = from->expired;
            prefixes_copy(&n.serving, &from->serving);
        }
        trial_add(t, &n);
    }
    settle_elections(t);
}

void trial_release(struct trial *t)
{
    trial_nearest_release(t);
    for (size_t i = 0; i < t->nodes.len; i++) {
        record_unref(t->nodes.items[i].record);
        prefixes_release(&t->nodes.items[i].serving);
    }
    vec_release(&t->nodes);
    vec_release(&t->choices);
    vec_release(&t->rules);
    map_release(&t->by_id);
    map_release(&t->by_name);
    policy_ways_release(&t->ways);
    policy_view_free(t->after);
    vec_release(&t->approvals);
    route_moves_release(&t->moves);
}

static void put_in_view(struct trial *t, uint32_t slot)
{
    const struct trial_node *n = &t->nodes.items[slot];
    struct prefixes effective = {0};

    if (n->gone || !n->record->authorized) { /* no rule applies to it */
        policy_view_remove(t->after, slot);
        return;
    }
    node_effective(n->record, &effective);
    struct policy_node x = tailnet_policy_node(slot, n->record, &effective, &n->serving, &n->live);
    policy_view_put(t->after, &x);
    prefixes_release(&effective);
}

/* ---- the steps ---- */

/* What autoApprovers approves: for all nodes under another policy, else for those that advertise something new. The
 * view has the nodes in their previous state. */
static void auto_approve(struct trial *t)
{
    struct prefixes fresh = {0};

    for (uint32_t slot = 0; slot < t->nodes.len; slot++) {
        struct trial_node *n = &t->nodes.items[slot];
        if (!n->record || n->gone || !n->record->authorized || !(t->q->other_policy || n->announces))
            continue;
        put_in_view(t, slot); /* it may be missing, or have other tags */
        tailnet_auto_approved(t->after, slot, n->record, &fresh);
        for (size_t i = 0; i < fresh.len; i++) {
            (void)node_approve(trial_edit(n), &fresh.items[i], "policy");
            vec_push(&t->approvals, ((struct policy_approval){slot, fresh.items[i]}));
        }
        n->different |= fresh.len > 0;
    }
    prefixes_release(&fresh);
}

static int choose(struct trial *t, struct err *e)
{
    int rc = 0;

    for (size_t i = 0; rc == 0 && i < t->choices.len; i++) {
        const struct trial_choice *c = &t->choices.items[i];
        struct route_place at = {&c->prefix, c->via};
        rc = routes_prefer(t->q->elections, &at, t->nodes.items[c->slot].record->r.id, PRIMARY_HOLDS, e);
    }
    return rc;
}

static void set_rules(struct trial *t)
{
    for (size_t i = 0; i < t->rules.len; i++) {
        const struct prefix *p = &t->rules.items[i].prefix;
        struct prefix_settings settings = {.rule = t->rules.items[i].rule};
        bool own = prefix_rule_own(&settings.rule) != 0;
        struct prefix_rule rule = prefix_rule_of(&settings, &t->q->s->settings->routing);
        routes_set_rule(t->q->elections, p, own ? &rule : NULL);
    }
}

static int elect(struct trial *t, struct err *e)
{
    set_rules(t);
    for (size_t i = 0; i < t->nodes.len; i++) {
        const struct trial_node *n = &t->nodes.items[i];
        if (!n->different)
            continue;
        if (n->gone)
            routes_remove_node(t->q->elections, n->record->r.id);
        else
            set_in_elections(t, n);
    }
    int rc = choose(t, e);
    if (rc < 0)
        return rc;
    routes_elect(t->q->elections, &t->now, &t->moves);
    for (size_t i = 0; i < t->moves.len; i++) {
        const struct route_move *m = &t->moves.items[i];
        struct trial_node *from = trial_by_id(t, m->from), *to = trial_by_id(t, m->to);
        if (from) {
            if (!m->via)
                prefixes_del(&from->serving, &m->prefix);
            from->different = true;
        }
        if (to) {
            if (!m->via)
                prefixes_add(&to->serving, &m->prefix);
            to->different = true;
        }
    }
    return 0;
}

static void serve_via(const struct trial *t, const char *group, const struct prefix *p, uint64_t id)
{
    const struct trial_node *n = id ? trial_by_id(t, id) : NULL;

    policy_via_serve(t->after, group, p, n ? (uint32_t)(n - t->nodes.items) : POLICY_SLOT_NONE);
}

static void follow(struct trial *t)
{
    const struct tailnet_snapshot *s = t->q->s;

    for (uint32_t slot = 0; slot < t->nodes.len; slot++)
        if (t->nodes.items[slot].different)
            put_in_view(t, slot);
    policy_via_direct(t->after);
    for (size_t i = 0; i < s->via_primary_count; i++)
        serve_via(t, s->via_primaries[i]->tags, &s->via_primaries[i]->prefix, s->via_primaries[i]->r.id);
    for (size_t i = 0; i < t->moves.len; i++)
        if (t->moves.items[i].via)
            serve_via(t, t->moves.items[i].via, &t->moves.items[i].prefix, t->moves.items[i].to);
}

int trial_run(struct trial *t, struct err *e)
{
    struct policy_side before, after;
    int rc = 0;

    t->after = policy_view_new(t->q->policy, &t->q->input->tailnet, t->q->before);
    for (size_t i = 0; rc == 0 && i < t->q->count; i++)
        rc = trial_change(t, &t->q->changes[i], e);
    if (rc < 0)
        return rc;
    auto_approve(t);
    if (t->q->other_policy) /* else the groups are the previous ones, whose view lives long enough */
        routes_set_policy(t->q->elections, t->after);
    if ((rc = elect(t, e)) < 0)
        return rc;
    follow(t);
    trial_nearest_follow(t);
    trial_nearest_sides(t, &before, &after);
    policy_compare_ways(&before, &after, &t->ways);
    return 0;
}

int whatif_answer(const struct whatif_question *q, struct arena *a, struct api_simulation *out, struct err *e)
{
    struct trial t;

    trial_init(&t, q, a);
    int rc = trial_run(&t, e);
    if (rc == 0)
        trial_answer(&t, out);
    trial_release(&t);
    return rc;
}
