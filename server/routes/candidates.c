/* SPDX-License-Identifier: BSD-3-Clause */
/* Keeps the two indexes in step with the state of nodes, rules and groups. */
#include "routes/routes.h"

#include <stdlib.h>

#include "base/clock.h"
#include "base/mem.h"
#include "policy/policy.h"
#include "routes/candidates.h"

void route_moves_release(struct route_moves *moves)
{
    for (size_t i = 0; i < moves->len; i++)
        free(moves->items[i].actor);
    vec_release(moves);
}

struct routes *routes_new(const struct prefix_rule *defaults)
{
    struct routes *r = mem_alloc(sizeof(*r));

    r->defaults = *defaults;
    r->round = 1;
    r->due_ms = INT64_MAX;
    return r;
}

static void router_free(struct routes_router *router)
{
    record_unref(router->record);
    prefixes_release(&router->entitled);
    vec_release(&router->places);
    prefixes_release(&router->unreachable);
    prefixes_release(&router->carried);
    free(router);
}

void entry_free(struct routed_prefix *entry)
{
    vec_release(&entry->contenders);
    free(entry->actor);
    free(entry);
}

static void groups_release(struct election_group *groups, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        free(groups[i].name);
        strs_release(&groups[i].tags);
    }
}

void routes_free(struct routes *r)
{
    if (!r)
        return;
    for (struct map_entry *m = map_first(&r->routers); m; m = map_next(&r->routers, m))
        router_free(m->value);
    for (struct map_entry *m = map_first(&r->entries); m; m = map_next(&r->entries, m))
        entry_free(m->value);
    for (struct map_entry *m = map_first(&r->rules); m; m = map_next(&r->rules, m))
        free(m->value);
    map_release(&r->routers);
    map_release(&r->entries);
    map_release(&r->rules);
    vec_release(&r->dirty);
    vec_release(&r->waiting);
    groups_release(r->groups.items, r->groups.len);
    groups_release(r->gone.items, r->gone.len);
    vec_release(&r->groups);
    vec_release(&r->gone);
    free(r->actor);
    free(r);
}

void routes_set_actor(struct routes *r, const char *actor)
{
    free(r->actor);
    r->actor = actor ? mem_strdup(actor) : NULL;
}

/* ---- entries and contenders ---- */

static struct election_key key_of(uint64_t group, const struct prefix *p)
{
    struct election_key key;

    memset(&key, 0, sizeof(key)); /* compared as bytes */
    key.prefix = *p;
    key.group = group;
    return key;
}

static struct routed_prefix *find_in(const struct routes *r, const struct election_key *key)
{
    return map_get(&r->entries, key, sizeof(*key));
}

struct routed_prefix *entry_find(const struct routes *r, const struct prefix *p)
{
    struct election_key key = key_of(0, p);

    return find_in(r, &key);
}

static const char *group_name(const struct routes *r, uint64_t number)
{
    for (size_t i = 0; number && i < r->groups.len; i++)
        if (r->groups.items[i].number == number)
            return r->groups.items[i].name;
    return NULL;
}

static struct routed_prefix *make_entry(struct routes *r, const struct election_key *key)
{
    struct routed_prefix *entry = find_in(r, key);

    if (!entry) {
        entry = mem_alloc(sizeof(*entry));
        entry->key = *key;
        entry->via = group_name(r, key->group);
        map_put(&r->entries, key, sizeof(*key), entry);
    }
    return entry;
}

void entry_touch(struct routes *r, struct routed_prefix *entry)
{
    if (r->actor)
        mem_replace(&entry->actor, r->actor);
    if (entry->dirty)
        return;
    entry->dirty = true;
    vec_push(&r->dirty, entry);
}

static bool is_before(const struct node *a, const struct node *b)
{
    return a->created_ns != b->created_ns ? a->created_ns < b->created_ns : a->r.id < b->r.id;
}

static struct routed_prefix *add_contender(struct routes *r, struct routes_router *router,
                                           const struct election_key *key, const char *joined, bool approved)
{
    struct routed_prefix *entry = make_entry(r, key);
    struct contender contender = {.unreachable = prefixes_has(&router->unreachable, &key->prefix),
                                  .carried = prefixes_has(&router->carried, &key->prefix),
                                  .router = router,
                                  .joined = joined,
                                  .round = r->round,
                                  .approved = approved,
                                  .well_ms = NOT_WELL};
    size_t at;

    vec_push(&entry->contenders, contender);
    for (at = entry->contenders.len - 1; at > 0; at--) {
        if (!is_before(router->record, entry->contenders.items[at - 1].router->record))
            break;
        entry->contenders.items[at] = entry->contenders.items[at - 1];
    }
    entry->contenders.items[at] = contender;
    entry_touch(r, entry);
    return entry;
}

static void remove_contender(struct routes *r, const struct routes_router *router, struct routed_prefix *entry)
{
    for (size_t i = 0; i < entry->contenders.len; i++) {
        if (entry->contenders.items[i].router == router) {
            vec_remove(&entry->contenders, i);
            break;
        }
    }
    entry_touch(r, entry);
}

static void touch_for_rule(struct routes *r, struct routed_prefix *entry)
{
    entry->rule_round = r->round;
    entry_touch(r, entry);
}

/* An administrator's last word counts: changing the failback ends a choice. */
static void follow_rule(struct routes *r, struct routed_prefix *entry, bool other_failback)
{
    if (other_failback)
        entry_choose(r, entry, 0);
    touch_for_rule(r, entry);
}

void routes_set_rule(struct routes *r, const struct prefix *p, const struct prefix_rule *rule)
{
    struct prefix_rule *old = map_del(&r->rules, p, sizeof(*p));
    bool other = (old ? old : &r->defaults)->failback != (rule ? rule : &r->defaults)->failback;
    struct routed_prefix *entry = entry_find(r, p);

    r->nearest_rules -= old && old->nearest == PREFIX_NEAREST;
    r->nearest_rules += rule && rule->nearest == PREFIX_NEAREST;
    free(old);
    if (rule)
        map_put(&r->rules, p, sizeof(*p), mem_dup(rule, sizeof(*rule)));
    if (entry)
        follow_rule(r, entry, other);
    for (size_t i = 0; i < r->groups.len; i++) {
        struct election_key key = key_of(r->groups.items[i].number, p);
        if ((entry = find_in(r, &key)))
            follow_rule(r, entry, other);
    }
}

void routes_set_defaults(struct routes *r, const struct prefix_rule *defaults)
{
    r->defaults = *defaults;
    for (struct map_entry *m = map_first(&r->entries); m; m = map_next(&r->entries, m)) {
        struct routed_prefix *entry = m->value;
        if (!map_get(&r->rules, &entry->key.prefix, sizeof(entry->key.prefix)))
            touch_for_rule(r, entry);
    }
}

static void restore(struct routes *r, uint64_t group, const struct prefix *p, const struct route_served *served)
{
    struct election_key key = key_of(group, p);
    struct routed_prefix *entry = make_entry(r, &key);

    entry->primary = entry->last = served->node;
    entry->chosen = served->chosen ? served->node : 0;
    entry->since_ns = served->since_ns;
    entry->settling = true;
    entry_touch(r, entry);
}

void routes_restore(struct routes *r, const struct prefix *p, const struct route_served *served)
{
    restore(r, 0, p, served);
}

bool routes_restore_in(struct routes *r, const char *group, const struct prefix *p, const struct route_served *served)
{
    for (size_t i = 0; i < r->groups.len; i++)
        if (str_eq(r->groups.items[i].name, group)) {
            restore(r, r->groups.items[i].number, p, served);
            return true;
        }
    return false;
}

void routes_settled(struct routes *r)
{
    for (struct map_entry *m = map_first(&r->entries); m; m = map_next(&r->entries, m)) {
        struct routed_prefix *entry = m->value;
        if (!entry->settling)
            continue;
        entry->settling = false;
        entry->settled_round = r->round;
        entry_touch(r, entry);
    }
}

/* ---- nodes ---- */

static void entitled_prefixes(const struct node *n, struct prefixes *out)
{
    size_t kept = 0;

    node_effective(n, out);
    for (size_t i = 0; i < out->len; i++)
        if (!prefix_is_exit(&out->items[i]))
            out->items[kept++] = out->items[i];
    out->len = kept;
}

/* What made a router a better candidate. */
static struct move_cause rise(const struct routes_flags *before, const struct routes_flags *now)
{
    if (now->online && !before->online)
        return (struct move_cause){"came online", true};
    if (!now->expired && before->expired)
        return (struct move_cause){"has a valid key again", false};
    if (now->healthy && !before->healthy)
        return (struct move_cause){"answers probes again", true};
    return (struct move_cause){before->draining && !now->draining ? "is no longer drained" : NULL, false};
}

static bool same_flags(const struct routes_flags *a, const struct routes_flags *b)
{
    return a->online == b->online && a->healthy == b->healthy && a->expired == b->expired &&
           a->draining == b->draining && a->flapping == b->flapping && a->priority == b->priority;
}

/* ---- places ---- */

static bool has_tag(const struct node *n, const struct election_group *g)
{
    for (size_t i = 0; i < g->tags.len; i++)
        if (strs_has(&n->tags, g->tags.items[i]))
            return true;
    return false;
}

typedef VEC(struct election_key) key_list;

/* Where a router stands for election, in key order: by group, by prefix. */
static void wanted_places(const struct routes *r, const struct routes_router *router, key_list *out)
{
    const struct prefixes *entitled = &router->entitled;

    for (size_t i = 0; i < entitled->len; i++)
        vec_push(out, key_of(0, &entitled->items[i]));
    for (size_t g = 0; g < r->groups.len; g++) {
        const struct election_group *group = &r->groups.items[g];
        for (size_t i = 0; has_tag(router->record, group) && i < entitled->len; i++)
            if (policy_via_concerns(r->policy, group->index, &entitled->items[i]))
                vec_push(out, key_of(group->number, &entitled->items[i]));
    }
}

static int compare_keys(const struct election_key *a, const struct election_key *b)
{
    if (a->group != b->group)
        return a->group < b->group ? -1 : 1;
    return prefix_cmp(&a->prefix, &b->prefix);
}

/* How a router became a contender for a prefix, judged by its earlier state; NULL: it is new to the elections. */
static const char *way_in(const struct node *before, const struct prefixes *were_entitled, const struct prefix *p,
                          bool *approved)
{
    *approved = false;
    if (!before)
        return NULL;
    if (prefixes_has(were_entitled, p))
        return "has the tag now";
    *approved = !before->authorized || !prefixes_has(&before->approved, p);
    return *approved ? "approved" : "advertised";
}

/* Both lists are sorted: one walk finds where the router is added and removed. */
static void change_places(struct routes *r, struct routes_router *router, const struct node *before,
                          const struct prefixes *were_entitled)
{
    VEC(struct routed_prefix *) old = {router->places.items, router->places.len, router->places.cap};
    key_list wanted = {0};
    size_t i = 0, j = 0;

    wanted_places(r, router, &wanted);
    router->places.items = NULL;
    router->places.len = router->places.cap = 0;
    while (i < old.len || j < wanted.len) {
        int order = i == old.len ? 1 : j == wanted.len ? -1 : compare_keys(&old.items[i]->key, &wanted.items[j]);
        if (order < 0) {
            remove_contender(r, router, old.items[i++]);
        } else if (order > 0) {
            bool approved;
            const char *joined = way_in(before, were_entitled, &wanted.items[j].prefix, &approved);
            vec_push(&router->places, add_contender(r, router, &wanted.items[j], joined, approved));
            j++;
        } else {
            vec_push(&router->places, old.items[i]);
            i++;
            j++;
        }
    }
    vec_release(&old);
    vec_release(&wanted);
}

/* ---- groups ---- */

static uint64_t number_of(const struct election_group *groups, size_t count, const char *name)
{
    for (size_t i = 0; i < count; i++)
        if (str_eq(groups[i].name, name))
            return groups[i].number;
    return 0;
}

/* Attributes moves caused by new or removed groups to the policy alone. */
static void note_regrouping(struct routes *r)
{
    for (struct map_entry *m = map_first(&r->entries); m; m = map_next(&r->entries, m)) {
        struct routed_prefix *entry = m->value;
        if (!entry->key.group)
            continue;
        if (group_name(r, entry->key.group))
            entry->via = group_name(r, entry->key.group);
        entry->regroup_round = r->round;
    }
}

static void add_group(struct routes *r, const struct policy_view *v, size_t index)
{
    struct election_group g = {.index = index};
    const char *name = policy_via_group(v, index, &g.tags);
    uint64_t known = number_of(r->gone.items, r->gone.len, name);
    size_t at = r->groups.len;

    g.number = known ? known : ++r->next_group;
    g.name = mem_strdup(name);
    (void)vec_add(&r->groups);
    for (; at > 0 && r->groups.items[at - 1].number > g.number; at--)
        r->groups.items[at] = r->groups.items[at - 1];
    r->groups.items[at] = g;
}

void routes_set_policy(struct routes *r, const struct policy_view *v)
{
    groups_release(r->gone.items, r->gone.len);
    vec_release(&r->gone);
    r->gone.items = r->groups.items;
    r->gone.len = r->groups.len;
    r->gone.cap = r->groups.cap;
    r->groups.items = NULL;
    r->groups.len = r->groups.cap = 0;
    r->policy = v;
    for (size_t i = 0; v && i < policy_via_groups(v); i++)
        add_group(r, v, i);
    for (struct map_entry *m = map_first(&r->routers); m; m = map_next(&r->routers, m)) {
        struct routes_router *router = m->value;
        change_places(r, router, NULL, NULL);
    }
    note_regrouping(r);
}

void routes_set_node(struct routes *r, const struct node *record, const struct routes_flags *flags)
{
    struct routes_router *router = map_getu(&r->routers, record->r.id);
    const struct node *before = router ? router->record : NULL;
    struct routes_flags old = {0};
    bool changed;

    if (!router) {
        router = mem_alloc(sizeof(*router));
        map_putu(&r->routers, record->r.id, router);
    } else {
        old = router->flags;
    }
    router->flags = *flags;
    changed = !same_flags(&old, flags);
    struct move_cause better = rise(&old, flags);
    if (better.text &&
        !(router->rise.text && router->round == r->round)) { /* the first cause brought the others about */
        router->rise = better;
        router->round = r->round;
    }
    if (before != record) {
        struct prefixes were = router->entitled;
        router->record = record_ref(record);
        router->entitled = (struct prefixes){0};
        entitled_prefixes(record, &router->entitled);
        change_places(r, router, before, &were);
        prefixes_release(&were);
        record_unref(before);
    }
    for (size_t i = 0; changed && i < router->places.len; i++)
        entry_touch(r, router->places.items[i]);
}

void routes_set_evidence(struct routes *r, uint64_t node, const struct prefixes *unreachable,
                         const struct prefixes *carried)
{
    struct routes_router *router = map_getu(&r->routers, node);

    if (!router || (prefixes_eq(&router->unreachable, unreachable) && prefixes_eq(&router->carried, carried)))
        return;
    prefixes_copy(&router->unreachable, unreachable);
    prefixes_copy(&router->carried, carried);
    for (size_t i = 0; i < router->places.len; i++) {
        struct routed_prefix *entry = router->places.items[i];
        bool bad = prefixes_has(unreachable, &entry->key.prefix), good = prefixes_has(carried, &entry->key.prefix);
        for (size_t k = 0; k < entry->contenders.len; k++) {
            struct contender *c = &entry->contenders.items[k];
            if (c->router != router || (c->unreachable == bad && c->carried == good))
                continue;
            c->unreachable = bad;
            c->carried = good;
            entry_touch(r, entry);
        }
    }
}

void routes_remove_node(struct routes *r, uint64_t id)
{
    struct routes_router *router = map_delu(&r->routers, id);

    if (!router)
        return;
    for (size_t i = 0; i < router->places.len; i++)
        remove_contender(r, router, router->places.items[i]);
    router_free(router);
}

char *route_group_name(const char *tags)
{
    struct buf name = BUF_INIT(0);
    struct strs list = {0};

    for (size_t len; *tags; tags += len + strspn(tags + len, ", ")) {
        len = strcspn(tags, ", ");
        char *tag = mem_strndup(tags, len);
        if (*tag && !strs_has(&list, tag))
            strs_push(&list, tag);
        free(tag);
    }
    strs_sort(&list);
    for (size_t i = 0; i < list.len; i++)
        buf_addf(&name, "%s%s", i ? ", " : "", list.items[i]);
    strs_release(&list);
    return buf_take(&name);
}
const struct election_group *group_called(const struct routes *r, const char *name)
{
    for (size_t i = 0; name && i < r->groups.len; i++)
        if (str_eq(r->groups.items[i].name, name))
            return &r->groups.items[i];
    return NULL;
}

struct routed_prefix *entry_at(const struct routes *r, const struct route_place *at)
{
    const struct election_group *g = group_called(r, at->via);
    struct election_key key = key_of(g ? g->number : 0, at->prefix);

    return at->via && !g ? NULL : find_in(r, &key);
}
