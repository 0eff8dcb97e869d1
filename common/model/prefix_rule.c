/* SPDX-License-Identifier: BSD-3-Clause */
/* How a prefix is served: its own settings over the configuration for all. */
#include "model/record.h"

unsigned prefix_rule_difference(const struct prefix_rule *a, const struct prefix_rule *b)
{
    return (a->failback != b->failback ? RULE_FAILBACK : 0u) | (a->keep != b->keep ? RULE_KEEP : 0u) |
           (a->hold_down_ns != b->hold_down_ns ? RULE_HOLD_DOWN : 0u) |
           (a->failback_delay_ns != b->failback_delay_ns ? RULE_FAILBACK_DELAY : 0u) |
           (!addr_eq(&a->probe, &b->probe) ? RULE_PROBE : 0u) | (a->nearest != b->nearest ? RULE_NEAREST : 0u);
}

unsigned prefix_rule_own(const struct prefix_rule *rule)
{
    return prefix_rule_difference(rule, &(struct prefix_rule){FAILBACKS, PREFIX_KEEPS, -1, -1, {0}, PREFIX_NEARESTS});
}

static void copy_members(struct prefix_rule *to, const struct prefix_rule *from, unsigned which)
{
    if (which & RULE_FAILBACK)
        to->failback = from->failback;
    if (which & RULE_KEEP)
        to->keep = from->keep;
    if (which & RULE_HOLD_DOWN)
        to->hold_down_ns = from->hold_down_ns;
    if (which & RULE_FAILBACK_DELAY)
        to->failback_delay_ns = from->failback_delay_ns;
    if (which & RULE_PROBE)
        to->probe = from->probe;
    if (which & RULE_NEAREST)
        to->nearest = from->nearest;
}

void prefix_rule_apply(struct prefix_rule *to, const struct prefix_rule *from, unsigned given, unsigned reset)
{
    copy_members(to, from, given);
    copy_members(to, &(struct prefix_rule){FAILBACKS, PREFIX_KEEPS, -1, -1, {0}, PREFIX_NEARESTS}, reset);
}

int prefix_rule_check(const struct prefix *p, const struct prefix_rule *rule, unsigned given, struct err *e)
{
    if (prefix_is_exit(p))
        return err_field(e, ERR_INVALID, "prefix", "exit routes are not elected: every approved exit node offers them");
    if (given & RULE_PROBE && !prefix_covers(p, &(struct prefix){rule->probe, rule->probe.bits}))
        return err_field(e, ERR_INVALID, "probe", "the host to probe must have an address within the prefix");
    return 0;
}

struct prefix_rule prefix_rule_of(const struct prefix_settings *settings, const struct prefix_rule *configured)
{
    struct prefix_rule rule = settings ? settings->rule : *configured;

    if (rule.failback == FAILBACKS)
        rule.failback = configured->failback;
    if (rule.keep == PREFIX_KEEPS)
        rule.keep = configured->keep;
    if (rule.hold_down_ns < 0)
        rule.hold_down_ns = configured->hold_down_ns;
    if (rule.failback_delay_ns < 0)
        rule.failback_delay_ns = configured->failback_delay_ns;
    if (rule.nearest == PREFIX_NEARESTS)
        rule.nearest = configured->nearest;
    return rule;
}

const char *route_failback_name(int failback)
{
    static const char *const names[FAILBACKS] = {
        [FAILBACK_STICKY] = "sticky", [FAILBACK_OLDEST] = "oldest", [FAILBACK_PRIORITY] = "priority"};

    return failback >= FAILBACK_STICKY && failback < FAILBACKS ? names[failback] : "";
}
