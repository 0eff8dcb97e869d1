/* SPDX-License-Identifier: BSD-3-Clause */
/* Approvals and manual elections. What an administrator revokes stays revoked: autoApprovers do not approve it
 * again. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "core/admin/operations.h"
#include "core/state/journal.h"
#include "core/state/slots.h"
#include "core/state/state.h"
#include "core/state/transaction.h"

static int find(struct core_state *s, const struct core_admin *a, struct slot **out, struct err *e)
{
    *out = slot_by_id(s, a->id);
    if (!*out)
        return err_field(e, ERR_MISSING, "id", "node not found: %llu", (unsigned long long)a->id);
    return admin_matches(a, (*out)->work->r.version, e);
}

static void note_approvals(struct core_state *s, const struct node *n, const struct prefixes *changed, bool approved)
{
    size_t advertised = 0;

    if (!changed->len)
        return;
    for (size_t i = 0; i < changed->len; i++)
        advertised += prefixes_has(&n->available, &changed->items[i]);
    struct prefixes named = {0};
    prefixes_copy(&named, changed);
    prefixes_pair_exit(&named); /* either of a pair stands for both */
    bool one = named.len == 1;
    const char *effect = !approved || advertised == changed->len ? ""
                         : advertised                            ? " (not all are advertised yet)"
                                                                 : " (not advertised yet)";
    char *names = text_of_prefixes(&named);
    prefixes_release(&named);
    journal(s,
            &(struct event_note){.id = approved ? EVENT_ROUTE_APPROVED : EVENT_ROUTE_REVOKED,
                                 .object = "node",
                                 .object_id = n->r.id,
                                 .object_name = n->given_name,
                                 .detail = detail_of_prefixes(changed)},
            "%s %s approved on %s%s", names,
            approved ? (one ? "was" : "were") : (one ? "is no longer" : "are no longer"), n->given_name, effect);
    free(names);
}

/* Either prefix of an exit pair stands for both. */
static bool second_exit(const struct prefixes *set, const struct prefix *p)
{
    return prefix_is_exit(p) && p->addr.bits == 128 && prefixes_has_exit(set);
}

/* Makes out the node's approved routes; back becomes the inverse. Returns the node to be put; NULL: no change. */
static struct node *approve_only(struct core_state *s, const struct core_admin *a, const struct node *old,
                                 const struct prefixes *approved, struct core_admin *back)
{
    if (prefixes_eq(&old->approved, approved))
        return NULL;
    struct node *n = node_edit(old);
    for (size_t i = 0; i < approved->len; i++) {
        const struct prefix *p = &approved->items[i];
        node_approve(n, p, a->actor ? a->actor : "server");
        prefixes_del(&n->removed, p);
        if (!prefixes_has(&old->approved, p) && !second_exit(approved, p))
            prefixes_add(&back->revoke, p);
    }
    for (size_t i = 0; i < old->approved.len; i++) {
        const struct prefix *p = &old->approved.items[i];
        if (prefixes_has(approved, p))
            continue;
        node_disapprove(n, p);
        if (!a->undoes.len)
            prefixes_add(&n->removed, p);
        if (!second_exit(&old->approved, p))
            prefixes_add(&back->prefixes, p);
    }
    note_approvals(s, n, &back->revoke, true);
    note_approvals(s, n, &back->prefixes, false);
    return n;
}

static int set_approved(struct core_state *s, struct core_admin *a, struct slot *slot, const struct prefixes *approved)
{
    struct core_admin back = {.op = ADMIN_ROUTES_EDIT, .id = slot->id};
    const struct node *old = slot->work;
    struct node *n = approve_only(s, a, old, approved, &back);

    admin_result(a, n ? n : old);
    if (n) {
        admin_inverse(a, &back);
        tx_put(s, n);
    }
    core_admin_release(&back);
    return 0;
}

int admin_node_routes(struct core_state *s, struct core_admin *a, struct err *e)
{
    struct slot *slot;
    int rc = find(s, a, &slot, e);

    if (rc < 0)
        return rc;
    prefixes_pair_exit(&a->prefixes);
    return set_approved(s, a, slot, &a->prefixes);
}

/* The approved routes after both edits; completes exit pairs in approve and revoke. lenient: revoking what is not
 * approved is no error. */
static int edited(const struct node *n, struct prefixes *approve, struct prefixes *revoke, bool lenient,
                  struct prefixes *out, struct err *e)
{
    char text[PREFIX_TEXT_MAX];

    prefixes_pair_exit(approve);
    prefixes_pair_exit(revoke);
    for (size_t i = 0; i < revoke->len; i++) {
        prefix_format(&revoke->items[i], text);
        if (prefixes_has(approve, &revoke->items[i]))
            return err_field(e, ERR_INVALID, "revoke", "%s cannot be approved and revoked at once", text);
        if (!lenient && !prefixes_has(&n->approved, &revoke->items[i]) && !second_exit(revoke, &revoke->items[i]))
            return err_field(e, ERR_MISSING, "revoke", "%s is not approved on %s", text, n->given_name);
    }
    prefixes_copy(out, &n->approved);
    for (size_t i = 0; i < approve->len; i++)
        prefixes_add(out, &approve->items[i]);
    for (size_t i = 0; i < revoke->len; i++)
        prefixes_del(out, &revoke->items[i]);
    return 0;
}

int admin_routes_edit(struct core_state *s, struct core_admin *a, struct err *e)
{
    struct slot *slot;
    struct prefixes approved = {0};
    int rc = find(s, a, &slot, e);

    if (rc < 0)
        return rc;
    if (!a->prefixes.len && !a->revoke.len)
        return err_field(e, ERR_INVALID, "approve", "name at least one prefix to approve or to revoke");
    if ((rc = edited(slot->work, &a->prefixes, &a->revoke, false, &approved, e)) == 0)
        rc = set_approved(s, a, slot, &approved);
    prefixes_release(&approved);
    return rc;
}

/* ---- of several nodes ---- */

#define MANY_MAX 10000 /* prefixes in one call */

struct node_approvals {
    struct slot *slot;
    struct prefixes approve, revoke, approved; /* approved: the result */
};
struct many_approvals {
    struct map places; /* node id -> its index in nodes + 1 */
    VEC(struct node_approvals) nodes;
    size_t count;
};

static void many_release(struct many_approvals *m)
{
    for (size_t i = 0; i < m->nodes.len; i++) {
        prefixes_release(&m->nodes.items[i].approve);
        prefixes_release(&m->nodes.items[i].revoke);
        prefixes_release(&m->nodes.items[i].approved);
    }
    vec_release(&m->nodes);
    map_release(&m->places);
}

static struct node_approvals *of_node(struct many_approvals *m, struct slot *slot)
{
    uintptr_t place = (uintptr_t)map_getu(&m->places, slot->id);

    if (!place) {
        vec_push(&m->nodes, ((struct node_approvals){.slot = slot}));
        place = m->nodes.len;
        map_putu(&m->places, slot->id, (void *)place);
    }
    return &m->nodes.items[place - 1];
}

/* "5 10.0.0.0/8". lenient: a node that is no more is passed over. */
static int read_approval(struct core_state *s, const char *text, const char *field, bool lenient,
                         struct many_approvals *m, struct err *e)
{
    const char *blank = strchr(text, ' ');
    char id_text[24];
    struct prefix p;
    uint64_t id;

    if (!blank || (size_t)(blank - text) >= sizeof(id_text))
        return err_field(e, ERR_INVALID, field, "'%.60s' is no id of a node and a prefix, such as '5 10.0.0.0/8'",
                         text);
    snprintf(id_text, sizeof(id_text), "%.*s", (int)(blank - text), text);
    if (str_u64(id_text, 1, INT64_MAX, &id, field, e) < 0 || prefix_parse_route(blank + 1, &p, e) < 0)
        return ERR_INVALID;
    struct slot *slot = slot_by_id(s, id);
    if (!slot)
        return lenient ? 0 : err_field(e, ERR_MISSING, field, "node not found: %llu", (unsigned long long)id);
    struct node_approvals *of = of_node(m, slot);
    prefixes_add(str_eq(field, "approve") ? &of->approve : &of->revoke, &p);
    return ++m->count > MANY_MAX ? err_field(e, ERR_INVALID, field, "more than %d prefixes at once", MANY_MAX) : 0;
}

/* Approves advertised routes that no administrator ever approved or revoked. */
static int take_pending(struct core_state *s, struct many_approvals *m, struct err *e)
{
    for (size_t i = 0; i < s->slots.len; i++) {
        struct slot *slot = s->slots.items[i];
        const struct node *n = slot->id ? slot->work : NULL;
        for (size_t k = 0; n && k < n->available.len; k++) {
            const struct prefix *p = &n->available.items[k];
            if (prefixes_has(&n->approved, p) || prefixes_has(&n->removed, p))
                continue;
            prefixes_add(&of_node(m, slot)->approve, p);
            if (++m->count > MANY_MAX)
                return err_field(e, ERR_INVALID, "pending", "more than %d prefixes wait: name those to approve",
                                 MANY_MAX);
        }
    }
    return 0;
}

static int read_many(struct core_state *s, const struct core_admin *a, struct many_approvals *m, struct err *e)
{
    int rc = a->flag ? take_pending(s, m, e) : 0;
    bool lenient = a->undoes.len > 0; /* what others took away since keeps nobody from taking back the rest */

    for (size_t i = 0; i < a->approvals.len && rc == 0; i++)
        rc = read_approval(s, a->approvals.items[i], "approve", lenient, m, e);
    for (size_t i = 0; i < a->revocations.len && rc == 0; i++)
        rc = read_approval(s, a->revocations.items[i], "revoke", lenient, m, e);
    for (size_t i = 0; i < m->nodes.len && rc == 0; i++) {
        struct node_approvals *of = &m->nodes.items[i];
        rc = edited(of->slot->work, &of->approve, &of->revoke, lenient, &of->approved, e);
    }
    return rc;
}

static void add_approvals(struct strs *out, uint64_t id, const struct prefixes *prefixes)
{
    char text[PREFIX_TEXT_MAX];

    for (size_t i = 0; i < prefixes->len; i++) {
        char *line = mem_format("%llu %s", (unsigned long long)id, prefix_format(&prefixes->items[i], text));
        strs_push(out, line);
        free(line);
    }
}

/* All or nothing: every node is checked before any is changed. */
int admin_routes_many(struct core_state *s, struct core_admin *a, struct err *e)
{
    struct core_admin back = {.op = ADMIN_ROUTES_MANY};
    struct many_approvals m = {0};
    int rc = a->flag || a->approvals.len || a->revocations.len
                 ? read_many(s, a, &m, e)
                 : err_field(e, ERR_INVALID, "approve", "name at least one prefix to approve or to revoke");

    for (size_t i = 0; i < m.nodes.len && rc == 0; i++) {
        struct core_admin part = {0};
        struct node *n = approve_only(s, a, m.nodes.items[i].slot->work, &m.nodes.items[i].approved, &part);
        if (n)
            tx_put(s, n);
        add_approvals(&back.approvals, m.nodes.items[i].slot->id, &part.prefixes);
        add_approvals(&back.revocations, m.nodes.items[i].slot->id, &part.revoke);
        core_admin_release(&part);
    }
    if (back.approvals.len || back.revocations.len)
        admin_inverse(a, &back);
    core_admin_release(&back);
    many_release(&m);
    return rc;
}

static void put_choice(struct core_state *s, const struct prefix *p, const struct primary *wanted)
{
    struct primary *choice = primary_new();

    choice->r.id = wanted->r.id;
    choice->prefix = *p;
    choice->since_ns = wanted->since_ns;
    choice->choice = wanted->choice;
    choice->chosen = wanted->choice == PRIMARY_HOLDS;
    tx_put(s, choice);
}

static void put_choice_within(struct core_state *s, const struct route_place *at, const struct primary *wanted)
{
    struct via_primary *choice = via_primary_new();

    choice->r.id = wanted->r.id;
    choice->prefix = *at->prefix;
    choice->since_ns = wanted->since_ns;
    choice->choice = wanted->choice;
    choice->chosen = wanted->choice == PRIMARY_HOLDS;
    mem_replace(&choice->tags, at->via);
    tx_put(s, choice);
}

static int choose(struct core_state *s, struct core_admin *a, const struct slot *slot, const struct route_place *at,
                  struct err *e)
{
    uint64_t before = routes_primary_at(s->routes, at);
    bool chosen = routes_is_chosen(s->routes, at);
    struct primary wanted = {.r.id = slot->id, .choice = a->flag ? PRIMARY_ONCE : PRIMARY_HOLDS};
    char text[PREFIX_TEXT_MAX];
    int rc;

    admin_result(a, slot->work);
    if (before == slot->id && chosen == !a->flag)
        return 0;
    if ((rc = routes_can_serve(s->routes, at, slot->id, e)) < 0)
        return rc;
    prefix_format(at->prefix, text);
    journal(s, &(struct event_note){.id = EVENT_ROUTE_PRIMARY, .object = "prefix", .object_name = text},
            "%s is to be served by %s%s%s%s", text, slot->work->given_name, at->via ? " via " : "",
            at->via ? at->via : "", a->flag ? ", until its failback moves it" : "");
    if (before)
        admin_inverse(
            a, &(struct core_admin){
                   .op = ADMIN_PRIMARY, .id = before, .prefixes = a->prefixes, .text = at->via, .flag = !chosen});
    wanted.since_ns = before == slot->id ? routes_since(s->routes, at) : clock_wall_ns();
    if (at->via)
        put_choice_within(s, at, &wanted);
    else
        put_choice(s, at->prefix, &wanted);
    return 0;
}

int admin_primary(struct core_state *s, struct core_admin *a, struct err *e)
{
    struct slot *slot;
    int rc = find(s, a, &slot, e);

    if (rc < 0)
        return rc;
    if (a->prefixes.len != 1)
        return err_field(e, ERR_INVALID, "prefix", "one prefix must be given");
    char *via = a->text && *a->text ? route_group_name(a->text) : NULL;
    struct route_place at = {&a->prefixes.items[0], via};
    rc = choose(s, a, slot, &at, e);
    free(via);
    return rc;
}

/* The router went away while the choice was being written: the actual primary is written again. */
static void take_back(struct core_state *s, const struct route_place *at)
{
    for (size_t i = 0; !at->via && i < s->primaries.len; i++)
        if (prefix_cmp(&s->primaries.items[i]->prefix, at->prefix) == 0)
            tx_put(s, record_ref(s->primaries.items[i]));
    for (size_t i = 0; at->via && i < s->via_primaries.len; i++)
        if (prefix_cmp(&s->via_primaries.items[i]->prefix, at->prefix) == 0 &&
            str_eq(s->via_primaries.items[i]->tags, at->via))
            tx_put(s, record_ref(s->via_primaries.items[i]));
}

static void follow_choice(struct core_state *s, const struct route_place *at, uint64_t node, enum primary_choice choice)
{
    struct err e;

    if (routes_prefer(s->routes, at, node, choice, &e) == 0) {
        s->elect = true;
        return;
    }
    log_warn("routes", "a chosen router cannot serve any more: %s", e.message);
    take_back(s, at);
}

void primary_choose(struct core_state *s, const struct primary *choice)
{
    follow_choice(s, &(struct route_place){&choice->prefix, NULL}, choice->r.id, choice->choice);
}

void via_primary_choose(struct core_state *s, const struct via_primary *choice)
{
    follow_choice(s, &(struct route_place){&choice->prefix, choice->tags}, choice->r.id, choice->choice);
}

int admin_node_drain(struct core_state *s, struct core_admin *a, struct err *e)
{
    struct slot *slot;
    int rc = find(s, a, &slot, e);

    if (rc < 0)
        return rc;
    admin_result(a, slot->work);
    if (slot->work->draining == a->flag)
        return 0;
    struct node *n = node_edit(slot->work);
    n->draining = a->flag;
    journal(s,
            &(struct event_note){
                .id = EVENT_ROUTE_PRIMARY, .object = "node", .object_id = slot->id, .object_name = n->given_name},
            a->flag ? "The prefixes of %s move to other routers where others can serve them" : "%s may serve again",
            n->given_name);
    admin_inverse(a, &(struct core_admin){.op = ADMIN_NODE_DRAIN, .id = slot->id, .flag = !a->flag});
    admin_result(a, n);
    tx_put(s, n);
    return 0;
}

int admin_node_priority(struct core_state *s, struct core_admin *a, struct err *e)
{
    struct slot *slot;
    int rc = find(s, a, &slot, e);

    if (rc < 0)
        return rc;
    if (a->number > NODE_PRIORITY_MAX)
        return err_field(e, ERR_INVALID, "priority", "the priority must be at most %d, not %llu", NODE_PRIORITY_MAX,
                         (unsigned long long)a->number);
    admin_result(a, slot->work);
    if (slot->work->priority == a->number)
        return 0;
    struct node *n = node_edit(slot->work);
    n->priority = (uint32_t)a->number;
    journal(s,
            &(struct event_note){
                .id = EVENT_ROUTE_PRIORITY, .object = "node", .object_id = slot->id, .object_name = n->given_name},
            "%s has the priority %u now, not %u", n->given_name, n->priority, slot->work->priority);
    admin_inverse(a, &(struct core_admin){.op = ADMIN_NODE_PRIORITY, .id = slot->id, .number = slot->work->priority});
    admin_result(a, n);
    tx_put(s, n);
    return 0;
}
