/* SPDX-License-Identifier: BSD-3-Clause */
/* Checks that need a tailnet: names of users, mail domains, and the sections tests and sshTests. */
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/mem.h"
#include "policy/answers/check.h"

/* ---- users and domains ---- */

#define HINTS_MAX 50 /* unknown users that are compared with all others */

/* The users as policies name them: by mail address, or by name. */
static void list_names(const struct policy_check *c, struct strs *out)
{
    for (uint32_t u = 0; u < c->v->user_count; u++) {
        const struct vuser *user = &c->v->users[u];
        char *name = mem_format("%s%s", user->name, strchr(user->name, '@') ? "" : "@");

        if (!user->gone && *user->email)
            strs_push(out, user->email);
        if (!user->gone && *user->name)
            strs_push(out, name);
        free(name);
    }
}

static void warn_unknown(struct policy_check *c, const struct policy_principal *q, const struct strs *names)
{
    const char *near =
        names->len ? str_nearest(q->text, (const char *const *)names->items, names->len, sizeof(*names->items)) : NULL;

    if (str_starts(q->text, "oidc:")) {
        check_problem(c, q->offset, true, "nobody who logged in is in the provider's group \"%s\"", q->text);
        return;
    }
    if (!near) {
        check_problem(c, q->offset, true, "no user is called \"%s\"", q->text);
        return;
    }
    check_problem(c, q->offset, true, "no user is called \"%s\" (did you mean \"%.100s\"?)", q->text, near);
    problem_meant(c->problems, q->text, near);
}

/* groups: the provider's groups are known too. */
static void check_names(struct policy_check *c, bool groups)
{
    const struct policy *p = c->v->p;
    struct strs names = {0};
    size_t unknown = 0;

    for (size_t i = 0; i < p->principals.len; i++) {
        const struct policy_principal *q = &p->principals.items[i];
        struct buf found = BUF_INIT(400);

        if (q->kind != PRINCIPAL_USER)
            continue;
        for (uint32_t u = 0; u < c->v->user_count && c->v->principals[i].ambiguous; u++)
            if (user_in(c->v, q, u))
                buf_addf(&found, "%llu: %s, ", (unsigned long long)c->v->users[u].id, c->v->users[u].name);
        if (c->v->principals[i].ambiguous)
            check_problem(c, q->offset, false,
                          "validating policy user references: multiple users found: token \"%s\" found: [ %s ]",
                          q->text, buf_text(&found));
        buf_release(&found);
        if (c->v->principals[i].ambiguous || c->v->principals[i].users.len || (!groups && str_starts(q->text, "oidc:")))
            continue;
        if (!unknown++)
            list_names(c, &names);
        if (unknown > HINTS_MAX)
            strs_release(&names);
        warn_unknown(c, q, &names);
    }
    strs_release(&names);
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
            check_problem(c, d->offset, false,
                          "%s%s is not associated with this Tailnet and cannot be used in user:*@<domain> expressions",
                          d->ssh_source ? "[ssh] " : "", d->domain);
    }
}

static void warn_exit(struct policy_check *c, const struct policy_rule *r)
{
    const char *section = r->is_grant ? "grant" : "acl";

    if (c->v->p->names_exit)
        check_problem(c, r->offset, true,
                      "%s %zu names an exit node by its address: this opens the device only, not the internet, because "
                      "the policy uses autogroup:internet or via",
                      section, r->index + 1);
    else
        check_problem(c, r->offset, true,
                      "%s %zu gives an exit node by its address; a grant with autogroup:internet and via is clearer",
                      section, r->index + 1);
}

static void warn_exits(struct policy_check *c)
{
    const struct policy_view *v = c->v;

    for (size_t i = 0; i < v->literal_units.len; i++) {
        const struct policy_unit *u = &v->p->units.items[v->literal_units.items[i]];
        for (size_t k = 0; k < v->classes.len; k++)
            if (v->classes.items[k].serial && unit_names_exit(v, u, &v->classes.items[k])) {
                warn_exit(c, u->rule);
                break;
            }
    }
}

/* The parts of a check. */
struct check_parts {
    bool users, names, tests; /* names: of users, domains and exit nodes */
    struct policy_outcomes *outcomes;
};

static int check_parts(const struct policy_view *v, const struct check_parts *parts, struct policy_problems *problems)
{
    struct policy_check c = {.v = v, .problems = problems, .left = CHECK_BUDGET, .outcomes = parts->outcomes};
    size_t before = problems->len;
    bool bad = false;

    c.lists = mem_alloc((v->p->lists.len + 1) * sizeof(*c.lists));
    c.targets = mem_alloc((v->p->principals.len + 1) * sizeof(*c.targets));
    for (size_t i = 0; i < TAILNET_RANGES; i++)
        ranges_push(&c.tailnet, &v->tailnet[i]);
    ranges_normalise(&c.tailnet);
    if (parts->names) {
        check_domains(&c);
        check_names(&c, true);
        warn_exits(&c);
    } else if (parts->users) {
        check_names(&c, false);
    }
    if (parts->tests) {
        check_run_tests(&c);
        check_run_ssh_tests(&c);
    }
    for (size_t i = 0; i < v->p->lists.len; i++)
        ranges_release(&c.lists[i]);
    for (size_t i = 0; i < v->p->principals.len; i++)
        ranges_release(&c.targets[i]);
    for (struct map_entry *e = map_first(&c.sources); e; e = map_next(&c.sources, e)) {
        ranges_release(e->value);
        free(e->value);
    }
    map_release(&c.sources);
    ranges_release(&c.tailnet);
    free(c.lists);
    free(c.targets);
    for (size_t i = before; i < problems->len; i++)
        bad |= !problems->items[i].warning;
    return bad ? ERR_INVALID : 0;
}

int policy_view_check(const struct policy_view *v, bool run_tests, struct policy_problems *problems)
{
    return check_parts(v, &(struct check_parts){.names = true, .tests = run_tests}, problems);
}

void policy_check_users(const struct policy *p, const struct policy_user *users, size_t count,
                        struct policy_problems *problems)
{
    size_t before = problems->len;

    if (!p)
        return;
    struct policy_view *v =
        policy_view_bounded(p, &(struct policy_tailnet){.users = users, .user_count = count}, NULL, problems);
    if (v)
        (void)check_parts(v, &(struct check_parts){.users = true}, problems);
    policy_view_free(v);
    problems_sort(problems, before);
}

int policy_view_test(const struct policy_view *v, struct policy_problems *problems)
{
    return check_parts(v, &(struct check_parts){.tests = true}, problems);
}

size_t policy_test_count(const struct policy *p)
{
    return p->tests.len + p->ssh_tests.len;
}

int policy_view_check_telling(const struct policy_view *v, struct policy_outcomes *outcomes,
                              struct policy_problems *problems)
{
    return check_parts(v, &(struct check_parts){.names = true, .tests = true, .outcomes = outcomes}, problems);
}
