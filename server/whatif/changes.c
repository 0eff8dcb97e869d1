/* SPDX-License-Identifier: BSD-3-Clause */
/* The effect of each change on a node, as in the core. */
#include <limits.h>
#include <string.h>

#include "base/array.h"
#include "whatif/trial.h"

static int refuse_missing(struct err *e, const char *name)
{
    return err_field(e, ERR_MISSING, "node", "node not found: %.100s", name);
}

static struct trial_node *by_address(const struct trial *t, const struct addr *addr)
{
    for (size_t i = 0; i < t->nodes.len; i++) {
        const struct node *n = t->nodes.items[i].record;
        if (n && (addr_eq(&n->ipv4, addr) || addr_eq(&n->ipv6, addr)))
            return &t->nodes.items[i];
    }
    return NULL;
}

static int find(const struct trial *t, const char *text, struct trial_node **out, struct err *e)
{
    struct addr addr;
    uint64_t id;

    *out = NULL;
    if (str_u64(text, 1, UINT64_MAX, &id, "node", NULL) == 0)
        *out = trial_by_id(t, id);
    if (!*out)
        *out = trial_by_name(t, text);
    if (!*out && addr_parse(text, &addr, NULL) == 0)
        *out = by_address(t, &addr);
    return *out && !(*out)->gone ? 0 : refuse_missing(e, text);
}

static int need_prefixes(const struct whatif_change *c, struct err *e)
{
    return c->prefixes.len ? 0
                           : err_field(e, ERR_INVALID, "prefixes", "%s%s%.100s: name at least one prefix",
                                       whatif_kind_name(c->kind), c->node ? " " : "", c->node ? c->node : "");
}

static void set_online(struct trial_node *n, bool online)
{
    n->live.online = online && !n->expired;
    n->live.healthy = true;
}

static int down(struct trial *t, struct trial_node *n, const struct whatif_change *c, struct err *e)
{
    (void)t;
    (void)c;
    (void)e;
    set_online(n, false);
    return 0;
}

static int up(struct trial *t, struct trial_node *n, const struct whatif_change *c, struct err *e)
{
    (void)t;
    (void)c;
    if (n->expired)
        return err_field(e, ERR_PRECONDITION, "node", "%s has an expired key and cannot come online",
                         n->record->given_name);
    set_online(n, true);
    return 0;
}

static int silent(struct trial *t, struct trial_node *n, const struct whatif_change *c, struct err *e)
{
    (void)t;
    (void)c;
    if (!n->live.online)
        return err_field(e, ERR_PRECONDITION, "node", "%s is offline", n->record->given_name);
    n->live.healthy = false;
    return 0;
}

static int drain(struct trial *t, struct trial_node *n, const struct whatif_change *c, struct err *e)
{
    (void)t;
    (void)e;
    trial_edit(n)->draining = c->kind == WHATIF_DRAIN;
    return 0;
}

static int priority(struct trial *t, struct trial_node *n, const struct whatif_change *c, struct err *e)
{
    (void)t;
    if (c->priority > NODE_PRIORITY_MAX)
        return err_field(e, ERR_INVALID, "priority", "%llu is not between 0 and %d", (unsigned long long)c->priority,
                         NODE_PRIORITY_MAX);
    trial_edit(n)->priority = (unsigned)c->priority;
    return 0;
}

static int approve(struct trial *t, struct trial_node *n, const struct whatif_change *c, struct err *e)
{
    struct prefixes wanted = {0};
    struct node *record;
    int rc = need_prefixes(c, e);

    (void)t;
    if (rc < 0)
        return rc;
    record = trial_edit(n);
    prefixes_copy(&wanted, &c->prefixes);
    prefixes_pair_exit(&wanted);
    for (size_t i = 0; i < wanted.len; i++) {
        (void)node_approve(record, &wanted.items[i], "");
        prefixes_del(&record->removed, &wanted.items[i]);
    }
    prefixes_release(&wanted);
    return 0;
}

static int revoke(struct trial *t, struct trial_node *n, const struct whatif_change *c, struct err *e)
{
    struct prefixes wanted = {0};
    char text[PREFIX_TEXT_MAX];
    int rc = need_prefixes(c, e);

    (void)t;
    for (size_t i = 0; rc == 0 && i < c->prefixes.len; i++)
        if (!prefixes_has(&n->record->approved, &c->prefixes.items[i]))
            rc = err_field(e, ERR_MISSING, "prefixes", "%s is not approved on %s",
                           prefix_format(&c->prefixes.items[i], text), n->record->given_name);
    if (rc < 0)
        return rc;
    prefixes_copy(&wanted, &c->prefixes);
    prefixes_pair_exit(&wanted);
    for (size_t i = 0; i < wanted.len; i++) {
        (void)node_disapprove(trial_edit(n), &wanted.items[i]);
        prefixes_add(&trial_edit(n)->removed, &wanted.items[i]);
    }
    prefixes_release(&wanted);
    return 0;
}

static int advertise(struct trial *t, struct trial_node *n, const struct whatif_change *c, struct err *e)
{
    int rc = need_prefixes(c, e);

    (void)t;
    for (size_t i = 0; rc == 0 && i < c->prefixes.len; i++)
        prefixes_add(&trial_edit(n)->available, &c->prefixes.items[i]);
    n->announces = rc == 0;
    return rc;
}

static int withdraw(struct trial *t, struct trial_node *n, const struct whatif_change *c, struct err *e)
{
    char text[PREFIX_TEXT_MAX];
    int rc = need_prefixes(c, e);

    (void)t;
    for (size_t i = 0; rc == 0 && i < c->prefixes.len; i++)
        if (!prefixes_del(&trial_edit(n)->available, &c->prefixes.items[i]))
            rc = err_field(e, ERR_MISSING, "prefixes", "%s does not advertise %s", n->record->given_name,
                           prefix_format(&c->prefixes.items[i], text));
    return rc;
}

/* Whether the node can serve is decided after all changes are made. */
static int primary(struct trial *t, struct trial_node *n, const struct whatif_change *c, struct err *e)
{
    int rc = need_prefixes(c, e);
    char *group = c->via && *c->via ? route_group_name(c->via) : NULL;
    const char *via = group ? arena_strdup(t->arena, group) : NULL;

    for (size_t i = 0; rc == 0 && i < c->prefixes.len; i++)
        vec_push(&t->choices, ((struct trial_choice){(uint32_t)(n - t->nodes.items), c->prefixes.items[i], via}));
    free(group);
    return rc;
}

static int expire(struct trial *t, struct trial_node *n, const struct whatif_change *c, struct err *e)
{
    (void)c;
    (void)e;
    trial_edit(n)->expiry_ns = t->q->s->wall_ns;
    n->expired = true;
    set_online(n, false);
    return 0;
}

static int authorize(struct trial *t, struct trial_node *n, const struct whatif_change *c, struct err *e)
{
    (void)t;
    (void)e;
    trial_edit(n)->authorized = c->kind == WHATIF_AUTHORIZE;
    n->announces |= n->record->authorized;
    return 0;
}

static int delete_node(struct trial *t, struct trial_node *n, const struct whatif_change *c, struct err *e)
{
    (void)t;
    (void)c;
    (void)e;
    n->gone = true;
    return 0;
}

static uint64_t user_named(const struct tailnet_snapshot *s, const char *name)
{
    size_t len = strlen(name);

    len -= len && name[len - 1] == '@';
    for (size_t i = 0; i < s->user_count; i++) {
        const struct user *u = s->users[i];
        if ((strlen(u->name) == len && memcmp(u->name, name, len) == 0) || str_eq(u->email, name))
            return u->r.id;
    }
    return 0;
}

/* After all addresses in use: which one the next node gets is not known in advance. */
static void next_address(const struct trial *t, const struct prefix *pool, bool v6, struct addr *out)
{
    *out = pool->addr;
    for (size_t i = 0; out->bits && i < t->nodes.len; i++) {
        const struct node *n = t->nodes.items[i].record;
        const struct addr *a = n ? (v6 ? &n->ipv6 : &n->ipv4) : NULL;
        struct prefix self = {.addr = a ? *a : (struct addr){0}, .bits = a ? a->bits : 0};
        if (a && a->bits && prefix_covers(pool, &self) && addr_cmp(a, out) > 0)
            *out = *a;
    }
    if (out->bits)
        (void)addr_next(out);
}

static int add(struct trial *t, const struct whatif_change *c, struct err *e)
{
    struct trial_node n = {.live = {.online = true, .healthy = true}, .fresh = true, .asked = true, .different = true};
    struct trial_node *twin;

    if (find(t, c->node, &twin, NULL) == 0)
        return err_field(e, ERR_CONFLICT, "node", "a node is called %.100s already", c->node);
    uint64_t owner = c->tags.len ? 0 : user_named(t->q->s, c->user ? c->user : "");
    if (!c->tags.len && !owner && c->user && *c->user)
        return err_field(e, ERR_MISSING, "user", "%.100s: no user is called %.100s", c->node, c->user);
    if (!c->tags.len && !owner)
        return err_field(e, ERR_MISSING, "user", "%.100s: name its tags, or a user whose it is", c->node);
    struct node *record = node_new();
    record->r.id = t->next_id++;
    record->created_ns = INT64_MAX; /* the newest of all nodes */
    mem_replace(&record->given_name, c->node);
    mem_replace(&record->hostname, c->node);
    record->user_id = owner;
    strs_copy(&record->tags, &c->tags);
    strs_sort(&record->tags);
    prefixes_copy(&record->available, &c->prefixes);
    for (size_t i = 0; i < t->q->input->tailnet.pool_count; i++) {
        const struct prefix *pool = &t->q->input->pools[i];
        bool v6 = pool->addr.bits == 128;
        next_address(t, pool, v6, v6 ? &record->ipv6 : &record->ipv4);
    }
    n.record = record;
    n.edited = true;
    n.announces = c->prefixes.len > 0;
    trial_add(t, &n);
    return 0;
}

static struct trial_rule *rule_of(struct trial *t, const struct prefix *p)
{
    const struct prefix_settings *now = snapshot_prefix_settings(t->q->s, p);

    for (size_t i = 0; i < t->rules.len; i++)
        if (prefix_cmp(&t->rules.items[i].prefix, p) == 0)
            return &t->rules.items[i];
    vec_push(&t->rules, (struct trial_rule){.prefix = *p});
    struct trial_rule *fresh = &t->rules.items[t->rules.len - 1];
    if (now)
        fresh->rule = now->rule;
    else
        prefix_rule_apply(&fresh->rule, &fresh->rule, 0, UINT_MAX);
    return fresh;
}

static int set(struct trial *t, const struct whatif_change *c, struct err *e)
{
    int rc = need_prefixes(c, e);

    if (rc == 0 && !c->given && !c->reset)
        rc = err_field(e, ERR_INVALID, "changes", "set: name what to set: failback, keep, nearest, ..., or reset");
    for (size_t i = 0; rc == 0 && i < c->prefixes.len; i++) {
        const struct prefix *p = &c->prefixes.items[i];
        if ((rc = prefix_rule_check(p, &c->rule, c->given, e)) == 0)
            prefix_rule_apply(&rule_of(t, p)->rule, &c->rule, c->given, c->reset);
    }
    return rc;
}

static const struct {
    const char *name;
    int (*apply)(struct trial *t, struct trial_node *n, const struct whatif_change *c, struct err *e);
} kinds[WHATIF_KINDS] = {
    [WHATIF_DOWN] = {"down", down},
    [WHATIF_UP] = {"up", up},
    [WHATIF_SILENT] = {"silent", silent},
    [WHATIF_DRAIN] = {"drain", drain},
    [WHATIF_UNDRAIN] = {"undrain", drain},
    [WHATIF_PRIORITY] = {"priority", priority},
    [WHATIF_APPROVE] = {"approve", approve},
    [WHATIF_REVOKE] = {"revoke", revoke},
    [WHATIF_ADVERTISE] = {"advertise", advertise},
    [WHATIF_WITHDRAW] = {"withdraw", withdraw},
    [WHATIF_PRIMARY] = {"primary", primary},
    [WHATIF_EXPIRE] = {"expire", expire},
    [WHATIF_AUTHORIZE] = {"authorize", authorize},
    [WHATIF_UNAUTHORIZE] = {"unauthorize", authorize},
    [WHATIF_DELETE] = {"delete", delete_node},
    [WHATIF_SET] = {"set", NULL},
    [WHATIF_ADD] = {"add", NULL},
};

const char *whatif_kind_name(int kind)
{
    return kinds[kind].name;
}

int trial_change(struct trial *t, const struct whatif_change *c, struct err *e)
{
    struct trial_node *n;

    if (c->kind == WHATIF_ADD)
        return add(t, c, e);
    if (c->kind == WHATIF_SET)
        return set(t, c, e);
    int rc = find(t, c->node, &n, e);
    if (rc < 0)
        return rc;
    n->asked = n->different = true;
    return kinds[c->kind].apply(t, n, c, e);
}
