/* SPDX-License-Identifier: BSD-3-Clause */
/* The section sshTests: logins that must or must not be possible. */
#include "policy/answers/check.h"

/* The devices that a destination names; autogroup:self means those of the only user among the sources. */
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
            check_problem(c, t->offset, false, "test(s) failed: %s: dst alias \"%s\" resolved to no nodes", t->src,
                          t->dst.items[i]);
            return false;
        }
    }
    return true;
}

enum ssh_expectation { WANT_ACCEPT, WANT_DENY, WANT_CHECK };

/* Records the outcome for a login such as "root on tag:db, tag:web". */
static void tell_login(struct policy_check *c, size_t errors, const struct policy_ssh_test *t,
                       enum ssh_expectation want, const char *login)
{
    static const char *const wanted[] = {"accept", "deny", "check"};
    struct buf target = BUF_INIT(1000);

    if (!c->outcomes)
        return;
    buf_adds(&target, login);
    for (size_t i = 0; i < t->dst.len; i++)
        buf_addf(&target, "%s%s", i ? ", " : *login ? " on " : "", t->dst.items[i]);
    struct policy_outcome outcome = {.ssh = true,
                                     .want = wanted[want],
                                     .source = (char *)(uintptr_t)t->src,
                                     .target = (char *)(uintptr_t)buf_text(&target)};
    check_tell(c, errors, &outcome, t->offset);
    buf_release(&target);
}

static void run_ssh_login(struct policy_check *c, const struct policy_ssh_test *t, enum ssh_expectation want,
                          const char *login, const struct id_list *from, const struct id_list *to)
{
    static const char *const wanted[] = {"ALLOWED", "DENIED", "ALLOWED via check"};

    for (size_t i = 0; i < to->len; i++) {
        bool bad = want != WANT_DENY && !from->len;
        enum policy_ssh_verdict got = POLICY_SSH_DENY;

        for (size_t k = 0; k < from->len && !bad; k++) {
            if (!check_spend(c, 1 + c->v->p->ssh.len, t->offset))
                return;
            got = policy_ssh_decide(c->v, from->items[k], to->items[i], login, NULL);
            bad = want == WANT_ACCEPT ? got == POLICY_SSH_DENY
                  : want == WANT_DENY ? got != POLICY_SSH_DENY
                                      : got != POLICY_SSH_CHECK;
        }
        if (!bad)
            continue;
        check_problem(c, t->offset, false, "test(s) failed: %s/%s -> %s: expected %s, got %s", t->src, login,
                      c->v->nodes[to->items[i]].name, wanted[want],
                      got == POLICY_SSH_DENY ? "DENIED"
                      : want == WANT_CHECK   ? "ALLOWED via accept"
                                             : "ALLOWED");
        return;
    }
}

static void run_logins(struct policy_check *c, const struct policy_ssh_test *t, const struct id_list *from,
                       const struct id_list *to)
{
    const struct {
        const char *const *items;
        size_t len;
    } logins[] = {{t->accept.items, t->accept.len}, {t->deny.items, t->deny.len}, {t->check.items, t->check.len}};

    for (int want = WANT_ACCEPT; want <= WANT_CHECK; want++)
        for (size_t i = 0; i < logins[want].len; i++) {
            size_t errors = c->errors;
            run_ssh_login(c, t, (enum ssh_expectation)want, logins[want].items[i], from, to);
            tell_login(c, errors, t, (enum ssh_expectation)want, logins[want].items[i]);
        }
}

static enum ssh_expectation first_wish(const struct policy_ssh_test *t)
{
    return t->accept.len ? WANT_ACCEPT : t->deny.len || !t->check.len ? WANT_DENY : WANT_CHECK;
}

static void run_ssh_test(struct policy_check *c, const struct policy_ssh_test *t)
{
    size_t errors = c->errors;
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
        check_problem(c, t->offset, false, "test(s) failed: sshTest %zu: %s", t->index, shape);
        tell_login(c, errors, t, first_wish(t), "");
        return;
    }
    if (!check_spend(c, c->v->slots * (1 + t->dst.len), t->offset))
        return;
    if (kind >= 0 && kind != PRINCIPAL_SELF && kind != PRINCIPAL_NONROOT)
        selector_resolve(c->v, &what, &from, NULL);
    if (!from.len && kind != PRINCIPAL_PREFIX) {
        check_problem(c, t->offset, false, "test(s) failed: %s: source \"%s\" resolved to no nodes", t->src, t->src);
    } else if (ssh_targets(c, t, &from, &to)) {
        run_logins(c, t, &from, &to);
        errors = c->errors;
    }
    if (c->errors > errors)
        tell_login(c, errors, t, first_wish(t), "");
    vec_release(&from);
    vec_release(&to);
}

void check_run_ssh_tests(struct policy_check *c)
{
    for (size_t i = 0; i < c->v->p->ssh_tests.len && !c->exhausted; i++)
        run_ssh_test(c, &c->v->p->ssh_tests.items[i]);
}
