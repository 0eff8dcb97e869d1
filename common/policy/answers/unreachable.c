/* SPDX-License-Identifier: BSD-3-Clause */
/* Finds rules that open nothing: for nobody, or nothing that earlier rules in the text have not already opened. Each
 * source is examined with each destination and range of ports; different rules may open them. Decided by the text
 * alone: a rule that has no effect on the present tailnet may have one later. */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "policy/lang/rules.h"

#define STEPS_MAX 50000000U /* comparisons, less than a second's worth */

struct opening {
    const struct policy_rule *rule;
    uint32_t dst; /* index */
};
struct openings {
    struct opening *items;
    size_t len, cap;
};
struct wider {
    uint32_t *items; /* principals that include the whole of one */
    size_t len, cap;
    bool known;
};

struct unreachable {
    const struct policy *p;
    struct policy_problems *problems;
    struct openings *by_dst;       /* by the rules so far, by principal */
    struct wider *as_src, *as_dst; /* by principal */
    uint32_t *marks, mark;         /* principals that include the current source have the current mark */
    size_t left;                   /* of STEPS_MAX */
    const struct policy_rule *by;  /* the first rule that opens part of the current one */
    bool several;
};

static bool spend(struct unreachable *x, size_t steps)
{
    x->left = x->left < steps ? 0 : x->left - steps;
    return x->left > 0;
}

/* ---- selectors ---- */

static bool group_has(const struct policy *p, uint32_t group, uint32_t user)
{
    const struct policy_selectors *members = &p->groups.items[group].members;

    for (size_t i = 0; i < members->len; i++)
        if (members->items[i].principal == user)
            return true;
    return false;
}

static bool group_holds(const struct policy *p, uint32_t group, uint32_t other)
{
    const struct policy_selectors *members = &p->groups.items[other].members;

    for (size_t i = 0; i < members->len; i++)
        if (!group_has(p, group, members->items[i].principal))
            return false;
    return true;
}

static bool is_devices(enum policy_principal_kind kind)
{
    return kind == PRINCIPAL_USER || kind == PRINCIPAL_GROUP || kind == PRINCIPAL_TAG || kind == PRINCIPAL_MEMBER ||
           kind == PRINCIPAL_TAGGED || kind == PRINCIPAL_DOMAIN || kind == PRINCIPAL_ADMIN || kind == PRINCIPAL_OWNER;
}

/* As a source, "*" means the tailnet's own addresses and routes; as a destination, everything. */
static bool holds(const struct policy *p, uint32_t wide, uint32_t narrow, bool src)
{
    const struct policy_principal *w = &p->principals.items[wide], *n = &p->principals.items[narrow];

    if (wide == narrow)
        return true;
    switch (w->kind) {
    case PRINCIPAL_ANY:
        return is_devices(n->kind) || (!src && n->kind == PRINCIPAL_PREFIX);
    case PRINCIPAL_DANGER:
        return src;
    case PRINCIPAL_MEMBER:
        return is_devices(n->kind) && n->kind != PRINCIPAL_TAG && n->kind != PRINCIPAL_TAGGED;
    case PRINCIPAL_TAGGED:
        return n->kind == PRINCIPAL_TAG;
    case PRINCIPAL_GROUP:
        return (n->kind == PRINCIPAL_USER && group_has(p, w->group, narrow)) ||
               (n->kind == PRINCIPAL_GROUP && group_holds(p, w->group, n->group));
    case PRINCIPAL_PREFIX:
        return n->kind == PRINCIPAL_PREFIX && prefix_covers(&w->prefix, &n->prefix);
    default:
        return false;
    }
}

static const struct wider *wider_of(struct unreachable *x, uint32_t principal, bool src)
{
    struct wider *w = src ? &x->as_src[principal] : &x->as_dst[principal];

    if (w->known)
        return w;
    w->known = true;
    for (uint32_t i = 0; i < x->p->principals.len && spend(x, 1); i++)
        if (holds(x->p, i, principal, src))
            vec_push(w, i);
    return w;
}

static void mark_sources(struct unreachable *x, uint32_t principal)
{
    const struct wider *w = wider_of(x, principal, true);

    x->mark++;
    for (size_t i = 0; i < w->len; i++)
        x->marks[w->items[i]] = x->mark;
}

static bool any_marked(struct unreachable *x, const struct policy_selectors *src)
{
    for (size_t i = 0; i < src->len && spend(x, 1); i++)
        if (x->marks[src->items[i].principal] == x->mark)
            return true;
    return false;
}

/* ---- acls and grants ---- */

static bool proto_holds(int wide, int narrow)
{
    return wide == narrow || (wide == PROTO_DEFAULT && (narrow == 6 || narrow == 17 || narrow == 1 || narrow == 58));
}

static bool opens_range(const struct opening *o, int proto, const struct port_range *range)
{
    const struct policy_rule *r = o->rule;

    for (size_t i = 0; i < r->services.len; i++) {
        const struct policy_service *s = &r->services.items[i];
        const struct port_range *ports = r->is_grant ? s->ports : r->dst.items[o->dst].ports;
        size_t count = r->is_grant ? s->port_count : r->dst.items[o->dst].port_count;
        for (size_t k = 0; k < count && proto_holds(s->proto, proto); k++)
            if (ports[k].first <= range->first && range->last <= ports[k].last)
                return true;
    }
    return false;
}

/* From the marked source. */
static bool is_open(struct unreachable *x, uint32_t dst, int proto, const struct port_range *range)
{
    const struct wider *w = wider_of(x, dst, false);

    for (size_t i = 0; i < w->len; i++) {
        const struct openings *all = &x->by_dst[w->items[i]];
        for (size_t k = 0; k < all->len && spend(x, 1); k++)
            if (opens_range(&all->items[k], proto, range) && any_marked(x, &all->items[k].rule->src)) {
                x->several |= x->by && x->by != all->items[k].rule;
                x->by = x->by ? x->by : all->items[k].rule;
                return true;
            }
    }
    return false;
}

static bool destination_is_open(struct unreachable *x, const struct policy_rule *r, const struct policy_destination *d)
{
    for (size_t i = 0; i < r->services.len; i++) {
        const struct policy_service *s = &r->services.items[i];
        const struct port_range *ports = r->is_grant ? s->ports : d->ports;
        size_t count = r->is_grant ? s->port_count : d->port_count;
        for (size_t k = 0; k < count; k++)
            if (!is_open(x, d->alias.principal, s->proto, &ports[k]))
                return false;
    }
    return true;
}

static bool all_is_open(struct unreachable *x, const struct policy_rule *r)
{
    for (size_t s = 0; s < r->src.len; s++) {
        mark_sources(x, r->src.items[s].principal);
        for (size_t d = 0; d < r->dst.len; d++)
            if (!destination_is_open(x, r, &r->dst.items[d]) || !x->left)
                return false;
    }
    return x->left > 0;
}

/* Is the only effect of the rule to let packets through to devices and networks? */
static bool is_plain(const struct policy *p, const struct policy_rule *r)
{
    if (r->connector || r->offset == SIZE_MAX || r->via.len || !r->services.len)
        return false;
    for (size_t i = 0; i < r->dst.len; i++) {
        enum policy_principal_kind kind = p->principals.items[r->dst.items[i].alias.principal].kind;
        if (kind == PRINCIPAL_SELF || kind == PRINCIPAL_INTERNET)
            return false;
    }
    return true;
}

static bool is_nobody(const struct policy *p, uint32_t principal)
{
    const struct policy_principal *q = &p->principals.items[principal];

    return q->kind == PRINCIPAL_GROUP && !p->groups.items[q->group].members.len;
}

/* "sources", "destinations", or NULL. */
static const char *empty_side(const struct policy *p, const struct policy_rule *r)
{
    size_t sources = 0, destinations = 0;

    for (size_t i = 0; i < r->src.len; i++)
        sources += !is_nobody(p, r->src.items[i].principal);
    for (size_t i = 0; i < r->dst.len; i++)
        destinations += !is_nobody(p, r->dst.items[i].alias.principal);
    return !sources ? "sources" : !destinations ? "destinations" : NULL;
}

static void warn(struct unreachable *x, const char *section, size_t index, size_t offset, size_t by)
{
    unsigned line, column;

    str_place(x->p->text, x->p->len, by, &line, &column);
    problem_at(x->problems, x->p->text, x->p->len, offset, true,
               "%s %zu opens nothing more: line %u%s all of it already", section, index + 1, line,
               x->several ? " and other rules above open" : " opens");
    problem_caused(x->problems, line);
}

static void look_at(struct unreachable *x, const struct policy_rule *r)
{
    const char *empty = r->offset == SIZE_MAX || r->connector ? NULL : empty_side(x->p, r);

    x->by = NULL;
    x->several = false;
    if (empty)
        problem_at(x->problems, x->p->text, x->p->len, r->offset, true, "%s %zu opens nothing: it has no %s",
                   r->is_grant ? "grant" : "acl", r->index + 1, empty);
    if (empty || !is_plain(x->p, r))
        return;
    if (!r->apps.len && all_is_open(x, r) && x->by)
        warn(x, r->is_grant ? "grant" : "acl", r->index, r->offset, x->by->offset);
    for (uint32_t i = 0; i < r->dst.len; i++)
        vec_push(&x->by_dst[r->dst.items[i].alias.principal], ((struct opening){r, i}));
}

static int by_offset(const void *a, const void *b)
{
    const struct policy_rule *x = *(const struct policy_rule *const *)a, *y = *(const struct policy_rule *const *)b;

    return (x->offset > y->offset) - (x->offset < y->offset);
}

static void look_at_rules(struct unreachable *x)
{
    const struct policy *p = x->p;
    const struct policy_rule **sorted = mem_alloc((p->rules.len + 1) * sizeof(const struct policy_rule *));

    for (size_t i = 0; i < p->rules.len; i++)
        sorted[i] = p->rules.items[i];
    if (p->rules.len)
        qsort(sorted, p->rules.len, sizeof(*sorted), by_offset);
    for (size_t i = 0; i < p->rules.len && x->left; i++)
        look_at(x, sorted[i]);
    free(sorted);
}

/* ---- ssh ---- */

/* Check rules are evaluated before the others, whatever their order. */
static bool comes_before(const struct policy_ssh_rule *a, const struct policy_ssh_rule *b)
{
    return a->check != b->check ? a->check : a->index < b->index;
}

static bool takes_logins(const struct policy_ssh_rule *wide, const struct policy_ssh_rule *narrow)
{
    for (size_t i = 0; i < narrow->users.len; i++) {
        bool taken = false;
        for (size_t k = 0; k < wide->users.len && !taken; k++)
            taken = str_eq(wide->users.items[k], narrow->users.items[i]) ||
                    (str_eq(wide->users.items[k], "autogroup:nonroot") && !str_eq(narrow->users.items[i], "root"));
        if (!taken)
            return false;
    }
    return !narrow->localparts.len;
}

static bool names_one_that_holds(struct unreachable *x, const struct policy_selectors *wide, uint32_t narrow, bool src)
{
    for (size_t i = 0; i < wide->len && spend(x, 1); i++)
        if (holds(x->p, wide->items[i].principal, narrow, src))
            return true;
    return false;
}

/* One rule must include the whole other one, because the effect of "autogroup:self" and single users depends on the
 * whole rule. */
static bool takes_all(struct unreachable *x, const struct policy_ssh_rule *wide, const struct policy_ssh_rule *narrow)
{
    if (!comes_before(wide, narrow) || !takes_logins(wide, narrow))
        return false;
    for (size_t i = 0; i < narrow->src.len; i++)
        if (!names_one_that_holds(x, &wide->src, narrow->src.items[i].principal, true))
            return false;
    for (size_t i = 0; i < narrow->dst.len; i++)
        if (!names_one_that_holds(x, &wide->dst, narrow->dst.items[i].principal, false))
            return false;
    return x->left > 0;
}

static void look_at_ssh(struct unreachable *x)
{
    for (size_t i = 0; i < x->p->ssh.len; i++)
        for (size_t k = 0; k < x->p->ssh.len && spend(x, 1); k++)
            if (k != i && takes_all(x, &x->p->ssh.items[k], &x->p->ssh.items[i])) {
                unsigned line, column;
                str_place(x->p->text, x->p->len, x->p->ssh.items[k].offset, &line, &column);
                problem_at(x->problems, x->p->text, x->p->len, x->p->ssh.items[i].offset, true,
                           "ssh rule %zu is never asked: line %u takes all of it before", i + 1, line);
                problem_caused(x->problems, line);
                break;
            }
}

void policy_warn_unreachable(const struct policy *p, struct policy_problems *problems)
{
    if (!p)
        return;
    size_t count = p->principals.len + 1;
    struct unreachable x = {.p = p,
                            .problems = problems,
                            .by_dst = mem_alloc(count * sizeof(*x.by_dst)),
                            .as_src = mem_alloc(count * sizeof(*x.as_src)),
                            .as_dst = mem_alloc(count * sizeof(*x.as_dst)),
                            .marks = mem_alloc(count * sizeof(*x.marks)),
                            .left = STEPS_MAX};

    look_at_rules(&x);
    look_at_ssh(&x);
    for (size_t i = 0; i < count; i++) {
        vec_release(&x.by_dst[i]);
        vec_release(&x.as_src[i]);
        vec_release(&x.as_dst[i]);
    }
    free(x.by_dst);
    free(x.as_src);
    free(x.as_dst);
    free(x.marks);
}
