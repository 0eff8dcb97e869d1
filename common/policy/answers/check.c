/* SPDX-License-Identifier: BSD-3-Clause */
/* What can only be checked against a tailnet: names of users, mail domains, and the sections tests and sshTests. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/mem.h"
#include "policy/view/view.h"

struct policy_check {
    const struct policy_view *v;
    struct policy_problems *problems;
    struct addr_ranges *lists;   /* by list, filled when asked for; an unfilled one has cap 0 */
    struct addr_ranges *targets; /* by principal */
};

static int problem(struct policy_check *c, size_t offset, bool warning, const char *format, ...) PRINTF_LIKE(4, 5);
static int problem(struct policy_check *c, size_t offset, bool warning, const char *format, ...)
{
    char line[1024];
    va_list args;

    va_start(args, format);
    vsnprintf(line, sizeof(line), format, args);
    va_end(args);
    return problem_at(c->problems, c->v->p->text, c->v->p->len, offset, warning, "%s", line);
}

/* ---- users and domains ---- */

static void check_names(struct policy_check *c)
{
    const struct policy *p = c->v->p;

    for (size_t i = 0; i < p->principals.len; i++) {
        const struct policy_principal *q = &p->principals.items[i];
        struct buf found = BUF_INIT(400);

        if (q->kind != PRINCIPAL_USER)
            continue;
        for (uint32_t u = 0; u < c->v->user_count && c->v->principals[i].ambiguous; u++)
            if (user_in(c->v, q, u))
                buf_addf(&found, "%llu: %s, ", (unsigned long long)c->v->users[u].id, c->v->users[u].name);
        if (c->v->principals[i].ambiguous)
            problem(c, SIZE_MAX, false,
                    "validating policy user references: multiple users found: token \"%s\" found: [ %s ]", q->text,
                    buf_text(&found));
        else if (!c->v->principals[i].users.len)
            problem(c, SIZE_MAX, true, "no user is called \"%s\"", q->text);
        buf_release(&found);
    }
}

static void check_domains(struct policy_check *c)
{
    const struct policy *p = c->v->p;

    for (size_t i = 0; i < p->domain_uses.len; i++) {
        const struct policy_domain_use *d = &p->domain_uses.items[i];
        bool known = false;

        for (size_t k = 0; k < c->v->domain_count; k++)
            known |= strcasecmp(c->v->domains[k], d->domain) == 0;
        if (!known)
            problem(c, d->offset, false,
                    "%s%s is not associated with this Tailnet and cannot be used in user:*@<domain> expressions",
                    d->ssh_source ? "[ssh] " : "", d->domain);
    }
}

static void warn_exits(struct policy_check *c)
{
    const struct policy_view *v = c->v;

    for (size_t i = 0; i < v->literal_units.len; i++) {
        const struct policy_unit *u = &v->p->units.items[v->literal_units.items[i]];
        for (size_t k = 0; k < v->classes.len; k++)
            if (v->classes.items[k].serial && unit_grants_exit(v, u, &v->classes.items[k])) {
                problem(c, u->rule->offset, true,
                        "%s %zu gives an exit node by its address; a grant with autogroup:internet and via says it "
                        "plainly",
                        u->rule->is_grant ? "grant" : "acl", u->rule->index);
                break;
            }
    }
}

/* ---- tests ---- */

static const struct addr_ranges *list_of(struct policy_check *c, uint32_t list)
{
    if (!c->lists[list].cap) {
        list_ranges(c->v, list, &c->lists[list]);
        if (!c->lists[list].cap)
            c->lists[list].items = mem_resize(NULL, c->lists[list].cap = 1, sizeof(struct addr_range));
    }
    return &c->lists[list];
}

static const struct addr_ranges *target_of(struct policy_check *c, uint32_t principal)
{
    struct addr_ranges *r = &c->targets[principal];
    const struct policy_principal *q = &c->v->p->principals.items[principal];

    if (!r->cap) {
        if (q->kind == PRINCIPAL_ANY)
            ranges_push_text(r, "*");
        else
            selector_resolve(c->v, q, NULL, r);
        if (!r->cap)
            r->items = mem_resize(NULL, r->cap = 1, sizeof(struct addr_range));
    }
    return r;
}

static bool service_fits(const struct policy_service *s, int proto)
{
    if (s->proto == PROTO_DEFAULT || s->proto == proto)
        return true;
    return proto == PROTO_DEFAULT && (s->proto == 6 || s->proto == 17 || s->proto == 1 || s->proto == 58);
}

static bool port_in(const struct port_range *ports, size_t count, uint16_t port)
{
    for (size_t i = 0; i < count; i++)
        if (ports[i].first <= port && port <= ports[i].last)
            return true;
    return false;
}

/* Some rule of the whole tailnet lets this source reach any of the destinations. */
static bool allowed(struct policy_check *c, const struct addr_ranges *from, const struct addr_ranges *to, int proto,
                    uint16_t port)
{
    const struct policy *p = c->v->p;

    for (size_t i = 0; i < p->units.len; i++) {
        const struct policy_unit *u = &p->units.items[i];
        bool fits = false;

        if (u->kind != UNIT_PLAIN || u->companion || !u->ip)
            continue;
        for (size_t k = 0; k < u->rule->services.len && !fits; k++) {
            const struct policy_service *s = &u->rule->services.items[k];
            for (size_t d = 0; service_fits(s, proto) && d < u->dst.len && !fits; d++)
                fits = port_in(u->rule->is_grant ? s->ports : u->dst.items[d].ports,
                               u->rule->is_grant ? s->port_count : u->dst.items[d].port_count, port) &&
                       ranges_overlap(target_of(c, u->dst.items[d].alias.principal), to);
        }
        if (fits && ranges_overlap(list_of(c, u->sources), from))
            return true;
    }
    return false;
}

/* A destination of a test: one host and one port. Fills to; false with why when it is not that. */
static bool read_target(struct policy_check *c, const char *text, struct addr_ranges *to, uint16_t *port, char *why,
                        size_t size)
{
    struct arena a = ARENA_INIT(1 << 20);
    const char *host, *port_text;
    struct port_range *ports;
    struct policy_principal what;
    size_t count;
    bool ok = false;

    if (hostport_split(text, &a, &host, &port_text, why, size) < 0 ||
        ports_parse(port_text, &a, &ports, &count, why, size) < 0) {
        arena_release(&a);
        return false;
    }
    int kind = selector_read(c->v->p, host, &what);
    if (count != 1 || ports[0].first != ports[0].last)
        str_copy(why, size, "test destination port must be a single port");
    else if (kind == PRINCIPAL_PREFIX && (what.prefix.bits != what.prefix.addr.bits || strchr(host, '/')))
        str_copy(why, size, "test destination must be a single host, not a CIDR range");
    else if (kind == PRINCIPAL_INTERNET)
        str_copy(why, size, "autogroup:internet not valid as a test destination");
    else if (kind < 0 || kind == PRINCIPAL_SELF || kind == PRINCIPAL_NONROOT)
        str_copy(why, size, "no such destination");
    else
        ok = true;
    if (ok) {
        *port = ports[0].first;
        if (kind == PRINCIPAL_ANY)
            ranges_push_text(to, "*");
        else
            selector_resolve(c->v, &what, NULL, to);
        ok = to->len > 0;
        if (!ok)
            str_copy(why, size, "resolves to no addresses");
    }
    arena_release(&a);
    return ok;
}

static void run_target(struct policy_check *c, const struct policy_test *t, const char *text, bool accept, int proto,
                       const struct addr_ranges *from)
{
    struct addr_ranges to = {0};
    char why[256] = "", proto_text[40] = "";
    uint16_t port = 0;
    bool all = true;

    if (*t->proto)
        snprintf(proto_text, sizeof(proto_text), " (%.30s)", t->proto);
    if (!read_target(c, text, &to, &port, why, sizeof(why))) {
        problem(c, t->offset, false, "test(s) failed: test %zu, %s \"%s\": %s", t->index, accept ? "accept" : "deny",
                text, why);
    } else {
        for (size_t i = 0; i < from->len && all; i++) {
            struct addr_ranges one = {&from->items[i], 1, 1};
            all = allowed(c, &one, &to, proto, port);
        }
        if (all != accept)
            problem(c, t->offset, false, "test(s) failed: %s -> %s%s: expected %s, got %s", t->src, text, proto_text,
                    accept ? "ALLOWED" : "DENIED", accept ? "DENIED" : "ALLOWED");
    }
    ranges_release(&to);
}

/* Ranges of a source one by one: every one of them has to get through. */
static void source_ranges(const struct policy_view *v, const struct policy_principal *what, struct addr_ranges *out)
{
    struct id_list slots = {0};

    if (what->kind == PRINCIPAL_PREFIX || what->kind == PRINCIPAL_ANY || what->kind == PRINCIPAL_INTERNET ||
        what->kind == PRINCIPAL_DANGER) {
        selector_resolve(v, what, NULL, out);
        return;
    }
    selector_resolve(v, what, &slots, NULL);
    for (size_t i = 0; i < slots.len; i++) {
        ranges_push_addr(out, &v->nodes[slots.items[i]].ipv4);
        ranges_push_addr(out, &v->nodes[slots.items[i]].ipv6);
    }
    vec_release(&slots);
}

static void run_test(struct policy_check *c, const struct policy_test *t)
{
    struct policy_principal what = {0};
    struct addr_ranges from = {0};
    char why[256];
    int proto = PROTO_DEFAULT, kind = selector_read(c->v->p, t->src, &what);

    if (!t->accept.len && !t->deny.len) {
        problem(c, t->offset, false,
                "test(s) failed: test %zu: test entry must have at least one of \"accept\" or \"deny\"", t->index);
        return;
    }
    if (proto_parse(t->proto, true, &proto, why, sizeof(why)) < 0 || !proto_has_ports(proto)) {
        problem(c, t->offset, false, "test(s) failed: test %zu: test protocol must be tcp, udp, sctp, or empty: \"%s\"",
                t->index, t->proto);
        return;
    }
    if (kind >= 0 && kind != PRINCIPAL_SELF && kind != PRINCIPAL_NONROOT)
        source_ranges(c->v, &what, &from);
    if (!from.len)
        problem(c, t->offset, false, "test(s) failed: %s: source \"%s\" resolved to no IP addresses", t->src, t->src);
    for (size_t i = 0; from.len && i < t->accept.len; i++)
        run_target(c, t, t->accept.items[i], true, proto, &from);
    for (size_t i = 0; from.len && i < t->deny.len; i++)
        run_target(c, t, t->deny.items[i], false, proto, &from);
    ranges_release(&from);
}

/* ---- sshTests ---- */

/* The devices that a destination names; autogroup:self are those of the single user behind the sources. */
static bool ssh_targets(struct policy_check *c, const struct policy_ssh_test *t, const struct id_list *from,
                        struct id_list *to)
{
    for (size_t i = 0; i < t->dst.len; i++) {
        struct policy_principal what = {0};
        int kind = selector_read(c->v->p, t->dst.items[i], &what);
        size_t before = to->len;

        if (kind == PRINCIPAL_SELF) {
            uint32_t user = from->len ? c->v->nodes[from->items[0]].user : NONE;
            for (size_t k = 0; k < from->len; k++)
                if (c->v->nodes[from->items[k]].user != user)
                    user = NONE;
            for (size_t k = 0; user != NONE && k < c->v->users[user].devices.len; k++)
                vec_push(to, c->v->users[user].devices.items[k]);
        } else if (kind >= 0 && kind != PRINCIPAL_NONROOT) {
            selector_resolve(c->v, &what, to, NULL);
        }
        if (to->len == before) {
            problem(c, t->offset, false, "test(s) failed: %s: dst alias \"%s\" resolved to no nodes", t->src,
                    t->dst.items[i]);
            return false;
        }
    }
    return true;
}

enum ssh_expectation { WANT_ACCEPT, WANT_DENY, WANT_CHECK };

static void run_ssh_login(struct policy_check *c, const struct policy_ssh_test *t, enum ssh_expectation want,
                          const char *login, const struct id_list *from, const struct id_list *to)
{
    static const char *const wanted[] = {"ALLOWED", "DENIED", "ALLOWED via check"};

    for (size_t i = 0; i < to->len; i++) {
        bool bad = want != WANT_DENY && !from->len;
        enum policy_ssh_verdict got = POLICY_SSH_DENY;

        for (size_t k = 0; k < from->len && !bad; k++) {
            got = policy_ssh_decide(c->v, from->items[k], to->items[i], login, NULL);
            bad = want == WANT_ACCEPT ? got == POLICY_SSH_DENY
                  : want == WANT_DENY ? got != POLICY_SSH_DENY
                                      : got != POLICY_SSH_CHECK;
        }
        if (!bad)
            continue;
        problem(c, t->offset, false, "test(s) failed: %s/%s -> %s: expected %s, got %s", t->src, login,
                c->v->nodes[to->items[i]].name, wanted[want],
                got == POLICY_SSH_DENY ? "DENIED"
                : want == WANT_CHECK   ? "ALLOWED via accept"
                                       : "ALLOWED");
        return;
    }
}

static void run_ssh_test(struct policy_check *c, const struct policy_ssh_test *t)
{
    struct policy_principal what = {0};
    struct id_list from = {0}, to = {0};
    int kind = selector_read(c->v->p, t->src, &what);
    const char *shape = NULL;

    if (!*t->src)
        shape = "SSH tests entry must have a non-empty src";
    else if (!t->dst.len)
        shape = "SSH tests entry must have at least one dst";
    else if (!t->accept.len && !t->deny.len && !t->check.len)
        shape = "no accept, deny, or check assertions specified";
    if (shape) {
        problem(c, t->offset, false, "test(s) failed: sshTest %zu: %s", t->index, shape);
        return;
    }
    if (kind >= 0 && kind != PRINCIPAL_SELF && kind != PRINCIPAL_NONROOT)
        selector_resolve(c->v, &what, &from, NULL);
    if (!from.len && kind != PRINCIPAL_PREFIX) {
        problem(c, t->offset, false, "test(s) failed: %s: source \"%s\" resolved to no nodes", t->src, t->src);
    } else if (ssh_targets(c, t, &from, &to)) {
        for (size_t i = 0; i < t->accept.len; i++)
            run_ssh_login(c, t, WANT_ACCEPT, t->accept.items[i], &from, &to);
        for (size_t i = 0; i < t->deny.len; i++)
            run_ssh_login(c, t, WANT_DENY, t->deny.items[i], &from, &to);
        for (size_t i = 0; i < t->check.len; i++)
            run_ssh_login(c, t, WANT_CHECK, t->check.items[i], &from, &to);
    }
    vec_release(&from);
    vec_release(&to);
}

int policy_view_check(const struct policy_view *v, bool run_tests, struct policy_problems *problems)
{
    struct policy_check c = {.v = v, .problems = problems};
    size_t before = problems->len;
    bool bad = false;

    c.lists = mem_alloc((v->p->lists.len + 1) * sizeof(*c.lists));
    c.targets = mem_alloc((v->p->principals.len + 1) * sizeof(*c.targets));
    check_domains(&c);
    check_names(&c);
    warn_exits(&c);
    for (size_t i = 0; run_tests && i < v->p->tests.len; i++)
        run_test(&c, &v->p->tests.items[i]);
    for (size_t i = 0; run_tests && i < v->p->ssh_tests.len; i++)
        run_ssh_test(&c, &v->p->ssh_tests.items[i]);
    for (size_t i = 0; i < v->p->lists.len; i++)
        ranges_release(&c.lists[i]);
    for (size_t i = 0; i < v->p->principals.len; i++)
        ranges_release(&c.targets[i]);
    free(c.lists);
    free(c.targets);
    for (size_t i = before; i < problems->len; i++)
        bad |= !problems->items[i].warning;
    return bad ? ERR_INVALID : 0;
}
