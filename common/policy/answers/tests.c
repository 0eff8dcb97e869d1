/* SPDX-License-Identifier: BSD-3-Clause */
/* The section tests: packets that must or must not get through. For "accept" every address of the source must get
 * through to the destination, for "deny" none. */
#include <stdio.h>

#include "policy/answers/check.h"
#include "policy/view/filter_rules.h"

/* An unfilled set has cap 0; a filled one must not, even if it is empty. */
static void mark_filled(struct addr_ranges *r)
{
    if (!r->cap)
        r->items = mem_resize(NULL, r->cap = 1, sizeof(struct addr_range));
}

static const struct addr_ranges *list_of(struct policy_check *c, uint32_t list)
{
    if (!c->lists[list].cap) {
        list_ranges(c->v, list, &c->lists[list]);
        mark_filled(&c->lists[list]);
    }
    return &c->lists[list];
}

static const struct addr_ranges *target_of(struct policy_check *c, const struct policy_unit *u, uint32_t principal)
{
    struct addr_ranges *r = &c->targets[principal];
    const struct policy_principal *q = &c->v->p->principals.items[principal];

    if (q->kind == PRINCIPAL_ANY && u->kind == UNIT_VIA)
        return &c->tailnet;
    if (!r->cap) {
        if (q->kind == PRINCIPAL_ANY)
            ranges_push_text(r, "*");
        else
            selector_resolve(c->v, q, NULL, r);
        mark_filled(r);
    }
    return r;
}

/* ---- what rules let in ---- */

struct test_target {
    const struct policy_test *test;
    const char *text;
    struct addr_ranges to;
    uint16_t port;
    int proto;
};

static bool proto_fits(const struct policy_service *s, int proto)
{
    if (s->proto == PROTO_DEFAULT || s->proto == proto)
        return true;
    return proto == PROTO_DEFAULT && (s->proto == 6 || s->proto == 17 || s->proto == 1 || s->proto == 58);
}

static bool service_fits(const struct policy_unit *u, const struct policy_destination *d, const struct test_target *t)
{
    for (size_t i = 0; i < u->rule->services.len; i++) {
        const struct policy_service *s = &u->rule->services.items[i];
        const struct port_range *ports = u->rule->is_grant ? s->ports : d->ports;
        size_t count = u->rule->is_grant ? s->port_count : d->port_count;
        for (size_t k = 0; k < count && proto_fits(s, t->proto); k++)
            if (ports[k].first <= t->port && t->port <= ports[k].last)
                return true;
    }
    return false;
}

/* Adds the devices that autogroup:self rules let in to devices among the destinations. */
static void add_self_sources(struct policy_check *c, const struct policy_unit *u, const struct test_target *t,
                             struct addr_ranges *out)
{
    struct id_list slots = {0};

    for (uint32_t i = 0; i < c->v->slots && check_spend(c, 1, t->test->offset); i++) {
        const struct vnode *n = view_node(c->v, i);
        if (n && (ranges_has(&t->to, &n->ipv4) || ranges_has(&t->to, &n->ipv6)))
            self_sources(c->v, n, u, &slots);
    }
    for (size_t i = 0; i < slots.len; i++) {
        ranges_push_addr(out, &c->v->nodes[slots.items[i]].ipv4);
        ranges_push_addr(out, &c->v->nodes[slots.items[i]].ipv6);
    }
    vec_release(&slots);
}

static bool unit_fits(struct policy_check *c, const struct policy_unit *u, const struct test_target *t)
{
    for (size_t d = 0; d < u->dst.len; d++)
        if (service_fits(u, &u->dst.items[d], t) &&
            (u->kind == UNIT_SELF || ranges_overlap(target_of(c, u, u->dst.items[d].alias.principal), &t->to)))
            return true;
    return false;
}

/* All sources that any rule lets through to any of the destinations. */
static void find_sources(struct policy_check *c, const struct test_target *t, struct addr_ranges *out)
{
    const struct policy *p = c->v->p;
    uint64_t *seen = bits_new(BITS_WORDS(p->lists.len));

    for (size_t i = 0; i < p->units.len; i++) {
        const struct policy_unit *u = &p->units.items[i];
        if (u->companion || !u->ip || !check_spend(c, 1 + u->dst.len * u->rule->services.len, t->test->offset) ||
            (u->kind != UNIT_SELF && bit_has(seen, u->sources)) || !unit_fits(c, u, t))
            continue;
        if (u->kind == UNIT_SELF) {
            add_self_sources(c, u, t, out);
            continue;
        }
        bit_set(seen, u->sources);
        const struct addr_ranges *from = list_of(c, u->sources);
        for (size_t k = 0; k < from->len && check_spend(c, 1, t->test->offset); k++)
            ranges_push(out, &from->items[k]);
    }
    free(seen);
    ranges_normalise(out);
}

/* ---- one test ---- */

/* Why the selector cannot be a destination of a test, or NULL. */
static const char *target_problem(int kind, const struct policy_principal *what, const char *host)
{
    if (kind == PRINCIPAL_PREFIX && (what->prefix.bits != what->prefix.addr.bits || strchr(host, '/')))
        return "test destination must be a single host, not a CIDR range";
    if (kind == PRINCIPAL_INTERNET)
        return "autogroup:internet not valid as a test destination";
    if (kind < 0 || kind == PRINCIPAL_SELF || kind == PRINCIPAL_NONROOT)
        return "no such destination";
    return NULL;
}

/* Reads a destination of a test: one host and one port. Returns false, with why filled, if it is anything else. */
static bool read_target(struct policy_check *c, struct test_target *t, char *why, size_t size)
{
    struct arena a = ARENA_INIT(1 << 20);
    const char *host, *port_text;
    struct port_range *ports;
    struct policy_principal what = {0};
    size_t count;
    bool ok = hostport_split(t->text, &a, &host, &port_text, why, size) == 0 &&
              ports_parse(port_text, &a, &ports, &count, why, size) == 0;

    if (ok) {
        int kind = selector_read(c->v->p, host, &what);
        bool single = count == 1 && ports[0].first == ports[0].last;
        const char *problem =
            single ? target_problem(kind, &what, host) : "test destination port must be a single port";
        if (!problem && check_spend(c, c->v->slots, t->test->offset)) {
            t->port = ports[0].first;
            if (kind == PRINCIPAL_ANY)
                ranges_push_text(&t->to, "*");
            else
                selector_resolve(c->v, &what, NULL, &t->to);
            problem = t->to.len ? NULL : "the destination matches no address";
        }
        ok = !problem;
        if (problem)
            str_copy(why, size, problem);
    }
    arena_release(&a);
    return ok;
}

static void run_target(struct policy_check *c, struct test_target *t, bool accept, const struct addr_ranges *from)
{
    struct policy_outcome outcome = {.want = accept ? "accept" : "deny",
                                     .source = (char *)(uintptr_t)t->test->src,
                                     .target = (char *)(uintptr_t)t->text};
    size_t errors = c->errors;
    struct addr_ranges let = {0};
    char why[256] = "", proto_text[40] = "";

    if (*t->test->proto)
        snprintf(proto_text, sizeof(proto_text), " (%.30s)", t->test->proto);
    if (!read_target(c, t, why, sizeof(why))) {
        check_problem(c, t->test->offset, false, "test(s) failed: test %zu, %s \"%s\": %s", t->test->index,
                      accept ? "accept" : "deny", t->text, why);
    } else {
        find_sources(c, t, &let);
        if (!check_spend(c, from->len + let.len, t->test->offset))
            goto done;
        bool ok = accept ? ranges_covers(&let, from) : !ranges_overlap(&let, from);
        if (!ok && !c->exhausted)
            check_problem(c, t->test->offset, false, "test(s) failed: %s -> %s%s: expected %s, got %s", t->test->src,
                          t->text, proto_text, accept ? "ALLOWED" : "DENIED", accept ? "DENIED" : "ALLOWED");
    }
done:
    check_tell(c, errors, &outcome, t->test->offset);
    ranges_release(&let);
    ranges_release(&t->to);
}

/* The addresses that a source means: "*" is every device and every network behind an approved subnet router. */
static void find_from(struct policy_check *c, int kind, const struct policy_principal *what, struct addr_ranges *out)
{
    const struct policy_view *v = c->v;

    if (kind != PRINCIPAL_ANY) {
        selector_resolve(v, what, NULL, out);
        return;
    }
    for (uint32_t i = 0; i < v->slots; i++) {
        const struct vnode *n = view_node(v, i);
        if (!n)
            continue;
        ranges_push_addr(out, &n->ipv4);
        ranges_push_addr(out, &n->ipv6);
    }
    for (size_t i = 0; i < v->subnets.len; i++)
        ranges_push_prefix(out, &v->subnets.items[i]);
    ranges_normalise(out);
}

/* Empty if the selector matches nothing. Cached, because many tests have the same source. */
static const struct addr_ranges *source_of(struct policy_check *c, const struct policy_test *t)
{
    struct policy_principal what = {0};
    struct addr_ranges *from = map_gets(&c->sources, t->src);
    int kind = from ? -1 : selector_read(c->v->p, t->src, &what);

    if (from)
        return from;
    from = mem_alloc(sizeof(*from));
    map_puts(&c->sources, t->src, from);
    if (kind >= 0 && kind != PRINCIPAL_SELF && kind != PRINCIPAL_NONROOT &&
        check_spend(c, c->v->slots + c->v->user_count, t->offset))
        find_from(c, kind, &what, from);
    return from;
}

/* Records a test that cannot be run as failed. */
static void tell_whole(struct policy_check *c, size_t errors, const struct policy_test *t)
{
    struct policy_outcome outcome = {.want = t->accept.len ? "accept" : "deny",
                                     .source = (char *)(uintptr_t)t->src,
                                     .target = (char *)(uintptr_t) ""};

    if (c->errors > errors)
        check_tell(c, errors, &outcome, t->offset);
}

static void run_test(struct policy_check *c, const struct policy_test *t)
{
    size_t errors = c->errors;
    char why[256];
    int proto = PROTO_DEFAULT;

    if (!t->accept.len && !t->deny.len) {
        check_problem(c, t->offset, false,
                      "test(s) failed: test %zu: test entry must have at least one of \"accept\" or \"deny\"",
                      t->index);
        tell_whole(c, errors, t);
        return;
    }
    if (proto_parse(t->proto, true, &proto, why, sizeof(why)) < 0 || !proto_has_ports(proto)) {
        check_problem(c, t->offset, false,
                      "test(s) failed: test %zu: test protocol must be tcp, udp, sctp, or empty: \"%s\"", t->index,
                      t->proto);
        tell_whole(c, errors, t);
        return;
    }
    const struct addr_ranges *from = source_of(c, t);
    if (!from->len && !c->exhausted)
        check_problem(c, t->offset, false, "test(s) failed: %s: source \"%s\" resolved to no IP addresses", t->src,
                      t->src);
    tell_whole(c, errors, t);
    for (size_t i = 0; from->len && i < t->accept.len && !c->exhausted; i++)
        run_target(c, &(struct test_target){.test = t, .text = t->accept.items[i], .proto = proto}, true, from);
    for (size_t i = 0; from->len && i < t->deny.len && !c->exhausted; i++)
        run_target(c, &(struct test_target){.test = t, .text = t->deny.items[i], .proto = proto}, false, from);
}

void check_run_tests(struct policy_check *c)
{
    for (size_t i = 0; i < c->v->p->tests.len && !c->exhausted; i++)
        run_test(c, &c->v->p->tests.items[i]);
}
