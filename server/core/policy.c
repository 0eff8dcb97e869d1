/* SPDX-License-Identifier: BSD-3-Clause */
/* What the core asks the policy. Without a policy nobody owns a tag, nothing is approved by itself and every tag may be
 * set by an administrator. */
#include "base/clock.h"
#include "core/private.h"

bool core_policy_may_tag(struct core_state *s, const struct user *user, const char *tag)
{
    (void)s;
    (void)user;
    (void)tag;
    return false;
}

bool core_policy_knows_tag(struct core_state *s, const char *tag)
{
    (void)tag;
    return s->policy_work == NULL || !*s->policy_work->text;
}

bool core_policy_approves_route(struct core_state *s, const struct node *n, const struct prefix *p)
{
    (void)s;
    (void)n;
    (void)p;
    return false;
}

bool core_policy_ssh_check(struct core_state *s, const struct node *source, const struct node *target, const char *user,
                           int64_t *period_ms)
{
    (void)s;
    (void)source;
    (void)target;
    (void)user;
    *period_ms = 0;
    return false;
}

int admin_policy_set(struct core_state *s, struct core_admin *a, struct err *e)
{
    (void)s;
    (void)a;
    return err_set(e, ERR_UNSUPPORTED, "this build enforces no policy, so none is accepted: everything is allowed");
}
