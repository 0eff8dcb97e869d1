/* SPDX-License-Identifier: BSD-3-Clause */
/* What a simulation predicts, and what then happens: random changes are first simulated and then made. The primaries,
 * the routes that are shown and the counts must be those that the core arrives at. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/mem.h"
#include "netmap/access.h"
#include "shared/core_rig.h"
#include "whatif/trial.h"

#define NODES 10 /* at first */
#define SPARE 4  /* to be added */
#define ALL   (NODES + SPARE)
#define RUNS  16
#define STEPS 60
#define TRIES 4 /* to find a change that is possible */

static const char *const texts[] = {"10.0.0.0/16", "10.0.1.0/24", "10.1.0.0/16", "0.0.0.0/0"};
#define PREFIXES ARRAY_LEN(texts)

static const char *const policies[] = {
    "",
    "{\"tagOwners\":{\"tag:ra\":[\"alice@\"],\"tag:rb\":[\"alice@\"]},"
    "\"autoApprovers\":{\"routes\":{\"10.0.0.0/8\":[\"tag:ra\"]},\"exitNode\":[\"tag:rb\"]},"
    "\"grants\":[{\"src\":[\"alice@\"],\"dst\":[\"10.0.0.0/16\"],\"ip\":[\"*\"]},"
    "{\"src\":[\"bob@\"],\"dst\":[\"10.1.0.0/16\",\"10.0.1.7/32\"],\"ip\":[\"443\"]},"
    "{\"src\":[\"alice@\",\"tag:ra\"],\"dst\":[\"autogroup:internet\"],\"ip\":[\"*\"]}]}",
    "{\"tagOwners\":{\"tag:ra\":[\"alice@\"],\"tag:rb\":[\"alice@\"]},"
    "\"autoApprovers\":{\"routes\":{\"10.0.0.0/16\":[\"tag:rb\"]}},"
    "\"grants\":[{\"src\":[\"alice@\"],\"dst\":[\"10.0.0.0/16\"],\"via\":[\"tag:ra\"],\"ip\":[\"*\"]},"
    "{\"src\":[\"bob@\"],\"dst\":[\"10.0.0.0/8\"],\"via\":[\"tag:rb\"],\"ip\":[\"*\"]},"
    "{\"src\":[\"bob@\"],\"dst\":[\"autogroup:internet\"],\"via\":[\"tag:ra\"],\"ip\":[\"*\"]},"
    "{\"src\":[\"tag:rb\"],\"dst\":[\"10.1.0.0/16\"],\"ip\":[\"*\"]}]}",
    ("{\"tagOwners\":{\"tag:ra\":[\"alice@\"],\"tag:rb\":[\"alice@\"]},"
     "\"grants\":[{\"src\":[\"*\"],\"dst\":[\"*\"],\"ip\":[\"*\"]}]}"),
};

/* Rules that move prefixes back without a wait: the waits are the elections' own matter. */
static const char *const rules[] = {
    "",
    "node:\n  routes:\n    ha:\n      failback: oldest\n      hold_down: 0s\n      failback_delay: 0s\n",
    ("node:\n  routes:\n    ha:\n      failback: priority\n      hold_down: 0s\n      failback_delay: 0s\n"
     "      keep: true\n"),
    "node:\n  routes:\n    ha:\n      nearest: true\n",
};

/* What devices measured to relays: nothing, near the first, near the second, between them. */
static const char *const measured[] = {"", "{\"DERPLatency\":{\"1-v4\":0.005,\"2-v4\":0.200}}",
                                       "{\"DERPLatency\":{\"1-v4\":0.200,\"2-v4\":0.005}}",
                                       "{\"DERPLatency\":{\"1-v4\":0.050,\"2-v4\":0.055}}"};

struct device {
    struct join join;
    char name[16];
    bool exists, online, silent;
    uint64_t id, session;
    unsigned advertised;
    const char *tag, *net_info;
};

static struct core_rig r;
static struct device devices[ALL];
static char *keys[2];
static unsigned policy_now;
static uint64_t random_state;

static unsigned pick(unsigned below)
{
    random_state ^= random_state << 13;
    random_state ^= random_state >> 7;
    random_state ^= random_state << 17;
    return (unsigned)(random_state % below);
}

/* ---- what happens ---- */

static struct client_info info_of(const struct device *d)
{
    struct client_info info = {.hostname = d->name,
                               .os = "linux",
                               .os_version = "6",
                               .client_version = "1.98.0",
                               .hostinfo = "{}",
                               .peer_hostinfo = "{}",
                               .net_info = d->net_info,
                               .cap_version = 130,
                               .source = "192.0.2.1:4711"};

    if (d->tag)
        strs_push(&info.request_tags, d->tag);
    for (unsigned i = 0; i < PREFIXES; i++)
        if (d->advertised & 1u << i) {
            struct prefix p = sample_prefix(texts[i]);
            prefixes_add(&info.routes, &p);
        }
    prefixes_pair_exit(&info.routes);
    return info;
}

static void info_release(struct client_info *info)
{
    strs_release(&info->request_tags);
    prefixes_release(&info->routes);
}

static void report(struct device *d, bool stream)
{
    struct core_map map = {.stream = stream, .info = info_of(d)};

    memset(map.machine_key, d->join.machine, KEY_LEN);
    memset(map.node_key, d->join.node, KEY_LEN);
    memset(map.disco_key, d->join.node, KEY_LEN);
    assert_int_equal(core_rig_map(r.core, &map), 0);
    info_release(&map.info);
    if (stream) {
        d->session = map.session;
        d->online = true;
        d->silent = false;
    }
}

static void join(struct device *d)
{
    struct core_register call = {.auth_key = d->join.key, .info = info_of(d)};

    memset(call.machine_key, d->join.machine, KEY_LEN);
    memset(call.node_key, d->join.node, KEY_LEN);
    core_rig_register(r.core, &call);
    if (call.result != REGISTER_DONE || call.call.code < 0)
        fail_msg("%s cannot register: %s", d->name, call.call.err.message);
    info_release(&call.info);
    record_unref(call.user);
    d->id = call.node_id;
    d->exists = true;
}

/* Returns when all that was sent before is published; the elections as they are then. */
static struct routes *elections(void)
{
    struct core_elections call = {0};
    struct core_rig_answer a;

    core_rig_expect(&a, &call.call);
    core_elections(r.core, &call);
    assert_int_equal(core_rig_await(&a, &call.call), 0);
    return call.routes;
}

static void settle(void)
{
    routes_free(elections());
}

static void admin(struct core_admin a)
{
    core_rig_admin_ok(&r, a);
}

static void begin(unsigned run)
{
    random_state = 88172645463325252u + run * 7919u;
    core_rig_prepare(&r, rules[run % ARRAY_LEN(rules)]);
    core_rig_start(&r);
    uint64_t users[2] = {core_rig_user(&r, "alice"), core_rig_user(&r, "bob")};
    policy_now = 1;
    admin((struct core_admin){.op = ADMIN_POLICY_SET, .text = policies[1]});
    for (size_t i = 0; i < 2; i++)
        keys[i] = core_rig_key(&r, (struct core_admin){.user_id = users[i], .reusable = true});
    memset(devices, 0, sizeof(devices));
    for (unsigned i = 0; i < ALL; i++) {
        struct device *d = &devices[i];
        snprintf(d->name, sizeof(d->name), "n%u", i);
        d->tag = i < 2 ? "tag:ra" : i < 4 ? "tag:rb" : NULL;
        d->join = (struct join){.key = keys[!d->tag && i % 2], .name = d->name};
        d->join.machine = d->join.node = (uint8_t)(i + 1);
        d->advertised = i < 6 ? pick(1u << PREFIXES) : 0;
        d->net_info = measured[i % ARRAY_LEN(measured)];
        if (i >= NODES)
            continue;
        join(d);
        if (pick(4))
            report(d, true);
    }
    settle();
}

static void end(void)
{
    core_rig_end(&r);
    free(keys[0]);
    free(keys[1]);
}

/* ---- changes, in both worlds ---- */

struct random_change {
    struct whatif_change asked;
    struct device *device;
    unsigned policy; /* NONE: it stays */
};
#define SAME_POLICY ARRAY_LEN(policies)

static const struct tailnet_node *node_of(const struct tailnet_snapshot *s, const struct device *d)
{
    return d->exists ? snapshot_node_by_id(s, d->id) : NULL;
}

/* What a node that is added advertises, beside what was chosen already. */
static void choose_advertised(struct random_change *c)
{
    struct device *d = c->device;

    for (unsigned i = 0; i < PREFIXES; i++)
        if (d->advertised & 1u << i) {
            struct prefix more = sample_prefix(texts[i]);
            prefixes_add(&c->asked.prefixes, &more);
        }
    d->advertised = 0;
    for (unsigned i = 0; i < PREFIXES; i++) {
        struct prefix known = sample_prefix(texts[i]);
        d->advertised |= prefixes_has(&c->asked.prefixes, &known) ? 1u << i : 0;
    }
    prefixes_pair_exit(&c->asked.prefixes);
}

static void choose_rule(struct whatif_change *c)
{
    c->node = NULL;
    c->given = 1u << pick(2) | (pick(2) ? RULE_NEAREST : 0);
    c->rule.failback = (enum route_failback)pick(FAILBACKS);
    c->rule.keep = pick(2) ? PREFIX_KEEP : PREFIX_WITHDRAW;
    c->rule.nearest = pick(3) ? PREFIX_NEAREST : PREFIX_ONE_FOR_ALL;
    c->reset = pick(3) ? 0 : RULE_HOLD_DOWN | (RULE_NEAREST & ~c->given);
}

/* false: it is not possible now. */
static bool choose_kind(const struct tailnet_snapshot *s, struct random_change *c)
{
    struct device *d = c->device;
    const struct tailnet_node *n = node_of(s, d);
    struct prefix p = sample_prefix(texts[pick(PREFIXES)]);

    c->asked.node = d->name;
    prefixes_add(&c->asked.prefixes, &p);
    switch (c->asked.kind) {
    case WHATIF_ADD:
        if (n || policy_now == 0)
            return false;
        choose_advertised(c);
        c->asked.user = (d - devices) % 2 ? "bob@" : "alice";
        return true;
    case WHATIF_DOWN:
        return n && d->online;
    case WHATIF_UP:
        return n && !d->online && !n->expired;
    case WHATIF_SILENT:
        return n && d->online && !d->silent;
    case WHATIF_DRAIN:
        return n && !n->record->draining;
    case WHATIF_UNDRAIN:
        return n && n->record->draining;
    case WHATIF_PRIORITY:
        c->asked.priority = pick(3) * 100;
        return n && n->record->priority != c->asked.priority;
    case WHATIF_APPROVE:
        return n && !prefixes_has(&n->record->approved, &p);
    case WHATIF_REVOKE:
        return n && prefixes_has(&n->record->approved, &p);
    case WHATIF_ADVERTISE:
        return n && !n->expired && !prefix_is_exit(&p) && !prefixes_has(&n->record->available, &p);
    case WHATIF_WITHDRAW:
        return n && !n->expired && !prefix_is_exit(&p) && prefixes_has(&n->record->available, &p);
    case WHATIF_EXPIRE:
        return n && !n->expired && pick(3) == 0;
    case WHATIF_AUTHORIZE:
        return n && !n->record->authorized;
    case WHATIF_UNAUTHORIZE:
        return n && n->record->authorized && pick(2) == 0;
    case WHATIF_DELETE:
        return n && pick(4) == 0;
    case WHATIF_SET:
        choose_rule(&c->asked);
        return !prefix_is_exit(&p);
    case WHATIF_PRIMARY:
        return n && prefixes_has(&n->record->available, &p) && prefixes_has(&n->record->approved, &p) &&
               !prefix_is_exit(&p) && n->live.online && n->live.healthy && !n->expired && n->record->authorized &&
               !n->record->draining;
    default:
        return false;
    }
}

static void bit_of(struct device *d, const struct prefix *p, bool set)
{
    for (unsigned i = 0; i < PREFIXES; i++) {
        struct prefix known = sample_prefix(texts[i]);
        if (prefix_cmp(&known, p) == 0)
            d->advertised = set ? d->advertised | 1u << i : d->advertised & ~(1u << i);
    }
}

/* What its client does; false: it is an administrator's change. */
static bool client_does(struct random_change *c)
{
    struct device *d = c->device;

    switch (c->asked.kind) {
    case WHATIF_DOWN:
        core_session_end(r.core, d->session, SESSION_SILENT);
        d->online = d->silent = false;
        return true;
    case WHATIF_UP:
        report(d, true);
        return true;
    case WHATIF_SILENT:
        core_session_health(r.core, d->session, false, 0);
        d->silent = true;
        return true;
    case WHATIF_ADD:
        join(d);
        report(d, true);
        return true;
    case WHATIF_ADVERTISE:
    case WHATIF_WITHDRAW:
        bit_of(d, &c->asked.prefixes.items[0], c->asked.kind == WHATIF_ADVERTISE);
        report(d, false);
        return true;
    default:
        return false;
    }
}

static void forget(struct device *d)
{
    *d = (struct device){.join = d->join, .net_info = d->net_info};
    snprintf(d->name, sizeof(d->name), "n%u", (unsigned)(d - devices));
    d->join.key = keys[(d - devices) % 2];
}

static void make(struct random_change *c)
{
    static const struct {
        int kind;
        enum admin_op op;
        bool flag;
    } operations[] = {
        {WHATIF_DRAIN, ADMIN_NODE_DRAIN, true},
        {WHATIF_UNDRAIN, ADMIN_NODE_DRAIN, false},
        {WHATIF_PRIORITY, ADMIN_NODE_PRIORITY, false},
        {WHATIF_APPROVE, ADMIN_ROUTES_EDIT, false},
        {WHATIF_REVOKE, ADMIN_ROUTES_EDIT, false},
        {WHATIF_PRIMARY, ADMIN_PRIMARY, false},
        {WHATIF_EXPIRE, ADMIN_NODE_EXPIRE, false},
        {WHATIF_AUTHORIZE, ADMIN_NODE_AUTHORIZE, true},
        {WHATIF_UNAUTHORIZE, ADMIN_NODE_AUTHORIZE, false},
        {WHATIF_DELETE, ADMIN_NODE_DELETE, false},
        {WHATIF_SET, ADMIN_PREFIX_SET, false},
    };
    struct device *d = c->device;
    struct core_admin a = {.id = d->id, .number = c->asked.priority};
    size_t i = 0;

    if (client_does(c))
        return;
    while (i < ARRAY_LEN(operations) && operations[i].kind != c->asked.kind)
        i++;
    assert_true(i < ARRAY_LEN(operations));
    a.op = operations[i].op;
    a.flag = operations[i].flag;
    a.rule = c->asked.rule;
    a.given = c->asked.given;
    a.reset = c->asked.reset;
    if (a.op == ADMIN_PREFIX_SET)
        a.id = 0;
    if (a.op == ADMIN_ROUTES_EDIT || a.op == ADMIN_PRIMARY || a.op == ADMIN_PREFIX_SET)
        prefixes_copy(c->asked.kind == WHATIF_REVOKE ? &a.revoke : &a.prefixes, &c->asked.prefixes);
    admin(a);
    if (a.op == ADMIN_NODE_EXPIRE)
        d->online = false;
    if (a.op == ADMIN_NODE_DELETE)
        forget(d);
}

/* ---- the tailnet as a test looks at it ---- */

struct look {
    const struct tailnet_snapshot *s;
    struct tailnet_policy_input input;
    const struct policy_view *view; /* the one in use, or made */
    struct policy_view *made;
};

static void look_begin(struct look *l)
{
    struct prefix none = {0};

    l->s = tailnet_pin(r.tailnet);
    tailnet_policy_input_init(&l->input, l->s, &none, &none);
    l->view = tailnet_policy_read(r.tailnet);
    l->made = l->view ? NULL : policy_view_new(NULL, &l->input.tailnet, NULL);
    l->view = l->view ? l->view : l->made;
}

static void look_end(struct look *l)
{
    tailnet_policy_done(r.tailnet);
    policy_view_free(l->made);
    tailnet_policy_input_release(&l->input);
    tailnet_unpin(l->s);
}

/* What the viewer is sent of the other node's routes. */
static void sent_routes(const struct look *l, const struct tailnet_node *viewer, const struct tailnet_node *n,
                        struct prefixes *out)
{
    struct netmap_access a = {l->s, l->made ? NULL : l->view};
    struct peer_view view = {0};

    access_peer(&a, viewer, n, &view);
    if (view.hash)
        prefixes_copy(out, &view.routes);
    else
        access_all_routes(n, out);
    prefixes_release(&view.routes);
}

/* Who of the devices leads viewer to p, by what it is shown and who is online; -1: nobody. exits: a bit for each that
 * leads out. */
static int way(const struct look *l, const struct device *viewer, const struct prefix *p, unsigned *exits)
{
    const struct tailnet_node *from = node_of(l->s, viewer);
    struct prefixes routes = {0};
    uint64_t best = UINT64_MAX;
    int found = -1;

    *exits = 0;
    for (int i = 0; from && i < ALL; i++) {
        const struct tailnet_node *n = node_of(l->s, &devices[i]);
        if (!n || n == from || !n->live.online || !policy_sees(l->view, from->slot, n->slot))
            continue;
        sent_routes(l, from, n, &routes);
        if (!prefixes_has(&routes, p))
            continue;
        *exits |= 1u << i;
        if (n->record->r.id < best) {
            best = n->record->r.id;
            found = i;
        }
    }
    prefixes_release(&routes);
    return found;
}

static bool has_itself(const struct look *l, const struct device *d, const struct prefix *p)
{
    const struct tailnet_node *n = node_of(l->s, d);

    return n && prefixes_has(&n->record->available, p) && prefixes_has(&n->record->approved, p);
}

struct ways_of_all {
    int to[ALL][PREFIXES];
    unsigned exits[ALL][PREFIXES];
    bool itself[ALL][PREFIXES], there[ALL];
};

static void all_ways(const struct look *l, struct ways_of_all *out)
{
    for (unsigned d = 0; d < ALL; d++)
        for (unsigned p = 0; p < PREFIXES; p++) {
            struct prefix prefix = sample_prefix(texts[p]);
            out->to[d][p] = way(l, &devices[d], &prefix, &out->exits[d][p]);
            out->itself[d][p] = has_itself(l, &devices[d], &prefix);
            const struct tailnet_node *n = node_of(l->s, &devices[d]);
            out->there[d] = n && n->record->authorized;
        }
}

/* ---- comparing ---- */

static const struct trial_node *tried(const struct trial *t, const char *name, uint32_t *slot)
{
    for (*slot = 0; *slot < t->nodes.len; ++*slot) {
        const struct trial_node *n = &t->nodes.items[*slot];
        if (n->record && !n->gone && str_eq(n->record->given_name, name))
            return n;
    }
    return NULL;
}

static void same_pair(const struct trial *t, const struct look *l, const struct device *a, const struct device *b,
                      const char *where)
{
    struct prefixes expected = {0}, said = {0};
    const struct tailnet_node *x = node_of(l->s, a), *y = node_of(l->s, b);
    uint32_t i, k;

    (void)tried(t, a->name, &i);
    (void)tried(t, b->name, &k);
    if (policy_sees(t->after, i, k) != policy_sees(l->view, x->slot, y->slot))
        fail_msg("%s: %s sees %s: %d is said", where, a->name, b->name, policy_sees(t->after, i, k));
    policy_routes(l->view, x->slot, y->slot, &expected);
    policy_routes(t->after, i, k, &said);
    if (!prefixes_eq(&expected, &said))
        fail_msg("%s: %s is shown %zu routes of %s, %zu are said", where, a->name, expected.len, b->name, said.len);
    prefixes_release(&expected);
    prefixes_release(&said);
}

static void same_nodes(const struct trial *t, const struct look *l, const char *where)
{
    uint32_t slot;

    for (unsigned i = 0; i < ALL; i++) {
        const struct tailnet_node *n = node_of(l->s, &devices[i]);
        const struct trial_node *said = tried(t, devices[i].name, &slot);
        if (!n != !said)
            fail_msg("%s: %s is there: %d is said", where, devices[i].name, said != NULL);
        if (!n)
            continue;
        if (!prefixes_eq(&n->serving, &said->serving) || !prefixes_eq(&n->record->approved, &said->record->approved))
            fail_msg("%s: %s serves %zu (said %zu), %zu approved (said %zu)", where, devices[i].name, n->serving.len,
                     said->serving.len, n->record->approved.len, said->record->approved.len);
        assert_int_equal(n->live.online, said->live.online);
        assert_int_equal(n->live.healthy, said->live.healthy);
        for (unsigned k = 0; k < ALL; k++)
            if (k != i && node_of(l->s, &devices[k]))
                same_pair(t, l, &devices[i], &devices[k], where);
    }
}

static void count_changes(const struct ways_of_all *before, const struct ways_of_all *after,
                          struct api_simulated_totals *out)
{
    for (unsigned d = 0; d < ALL; d++) {
        bool gain = false, lose = false, move = false;
        for (unsigned p = 0; p < PREFIXES && after->there[d]; p++) {
            if (p == PREFIXES - 1) { /* the exit route: each exit node counts for itself */
                gain |= (after->exits[d][p] & ~before->exits[d][p]) != 0;
                lose |= (before->exits[d][p] & ~after->exits[d][p]) != 0;
            } else if (!before->itself[d][p] && !after->itself[d][p] && before->to[d][p] != after->to[d][p]) {
                gain |= before->to[d][p] < 0;
                lose |= after->to[d][p] < 0;
                move |= before->to[d][p] >= 0 && after->to[d][p] >= 0;
            }
        }
        out->gain += gain;
        out->lose += lose;
        out->move += move;
    }
}

static unsigned users_cut_off(const struct ways_of_all *before, const struct ways_of_all *after)
{
    unsigned cut = 0;

    for (unsigned u = 0; u < 2; u++)
        for (unsigned p = 0; p < PREFIXES; p++) {
            bool had = false, has = false, lost = false;
            for (unsigned d = u; d < ALL; d += 2) {
                if (devices[d].tag || !after->there[d])
                    continue;
                bool exit = p == PREFIXES - 1;
                bool was = exit ? before->exits[d][p] != 0 : before->to[d][p] >= 0,
                     is = exit ? after->exits[d][p] != 0 : after->to[d][p] >= 0 || after->itself[d][p];
                had |= was;
                has |= is;
                lost |= was && !is && (exit || !before->itself[d][p]);
            }
            cut += had && !has && lost;
        }
    return cut;
}

static struct whatif_question question(const struct look *l, struct routes *copy, const struct policy *p,
                                       const struct random_change *c, struct policy_view **before)
{
    *before = policy_view_new(p, &l->input.tailnet, NULL);
    if (!l->made)
        policy_view_succeed(*before, l->view);
    return (struct whatif_question){.s = l->s,
                                    .input = &l->input,
                                    .elections = copy,
                                    .before = *before,
                                    .policy = p,
                                    .changes = &c->asked,
                                    .count = c->policy == SAME_POLICY};
}

static struct policy *parse(unsigned number)
{
    struct policy_problems problems = {0};
    struct policy *p;

    assert_int_equal(policy_parse(policies[number], strlen(policies[number]), &p, &problems), 0);
    policy_problems_release(&problems);
    return p;
}

static void run_step(struct random_change *c, const char *where)
{
    struct routes *copy = elections();
    struct policy *now = parse(policy_now), *next = c->policy == SAME_POLICY ? policy_ref(now) : parse(c->policy);
    struct ways_of_all before, after;
    struct policy_view *view;
    struct arena arena = ARENA_INIT(0);
    struct api_simulation said;
    struct api_simulated_totals counted = {0};
    struct trial t;
    struct look l;
    struct err e = {0};

    look_begin(&l);
    all_ways(&l, &before);
    struct whatif_question q = question(&l, copy, now, c, &view);
    q.policy = next;
    q.other_policy = c->policy != SAME_POLICY;
    trial_init(&t, &q, &arena);
    if (trial_run(&t, &e) < 0)
        fail_msg("%s: %s", where, e.message);
    trial_answer(&t, &said);
    look_end(&l);
    if (q.other_policy) {
        admin((struct core_admin){.op = ADMIN_POLICY_SET, .text = policies[c->policy]});
        policy_now = c->policy;
    } else {
        make(c);
    }
    settle();
    look_begin(&l);
    same_nodes(&t, &l, where);
    all_ways(&l, &after);
    count_changes(&before, &after, &counted);
    if (said.totals.gain != counted.gain || said.totals.lose != counted.lose || said.totals.move != counted.move)
        fail_msg("%s: gain %u (said %u), lose %u (said %u), move %u (said %u)", where, (unsigned)counted.gain,
                 (unsigned)said.totals.gain, (unsigned)counted.lose, (unsigned)said.totals.lose, (unsigned)counted.move,
                 (unsigned)said.totals.move);
    if (said.totals.cut_off != users_cut_off(&before, &after))
        fail_msg("%s: %u users are cut off, %u are said", where, users_cut_off(&before, &after),
                 (unsigned)said.totals.cut_off);
    look_end(&l);
    trial_release(&t);
    routes_free(copy);
    policy_view_free(view);
    policy_unref(now);
    policy_unref(next);
    arena_release(&arena);
}

static void what_is_said_happens(void **state)
{
    unsigned made[WHATIF_KINDS + 1] = {0};
    char where[64];

    (void)state;
    for (unsigned run = 0; run < RUNS; run++) {
        begin(run);
        for (unsigned step = 0; step < STEPS; step++) {
            struct random_change c = {.policy = SAME_POLICY, .device = &devices[pick(ALL)]};
            bool possible = true;
            if (pick(12) == 0) {
                c.policy = pick(ARRAY_LEN(policies));
                possible = c.policy != policy_now;
            } else {
                const struct tailnet_snapshot *s = tailnet_pin(r.tailnet);
                for (unsigned i = 0; i < TRIES && (i == 0 || !possible); i++) {
                    prefixes_release(&c.asked.prefixes);
                    c = (struct random_change){.policy = SAME_POLICY, .device = &devices[pick(ALL)]};
                    c.asked.kind = (int)pick(WHATIF_KINDS);
                    possible = choose_kind(s, &c);
                }
                tailnet_unpin(s);
            }
            snprintf(where, sizeof(where), "run %u step %u: %s %s, policy %u", run, step,
                     c.policy == SAME_POLICY ? whatif_kind_name(c.asked.kind) : "policy", c.device->name, policy_now);
            if (possible) {
                run_step(&c, where);
                made[c.policy == SAME_POLICY ? c.asked.kind : WHATIF_KINDS]++;
            }
            prefixes_release(&c.asked.prefixes);
        }
        end();
    }
    for (int i = 0; i <= WHATIF_KINDS; i++)
        if (!made[i])
            fail_msg("%s was never tried", i < WHATIF_KINDS ? whatif_kind_name(i) : "another policy");
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(what_is_said_happens)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
