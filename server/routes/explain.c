/* SPDX-License-Identifier: BSD-3-Clause */
/* The state of one prefix on one node, in a word and a sentence. */
#include "routes/routes.h"

static enum route_state say(enum route_state state, struct buf *reason, const char *sentence)
{
    if (reason)
        buf_adds(reason, sentence);
    return state;
}

static enum route_state not_entitled(const struct route_facts *f, bool available, bool approved, struct buf *reason)
{
    if (available)
        return say(ROUTE_AVAILABLE, reason,
                   prefixes_has(&f->node->removed, f->prefix)
                       ? "advertised; an administrator took the approval away"
                       : "advertised, and waits for an administrator's approval");
    if (approved)
        return say(ROUTE_APPROVED, reason, "approved, but the node does not advertise it");
    return say(ROUTE_NONE, reason, "neither advertised nor approved");
}

/* Why an entitled node cannot carry traffic, no matter who serves. */
static const char *hindrance(const struct route_facts *f)
{
    if (f->node->logged_out)
        return "the node is logged out";
    if (f->flags.expired)
        return "the node's key has expired";
    return f->flags.online ? NULL : "the node is offline";
}

static enum route_state exit_state(const struct route_facts *f, struct buf *reason)
{
    const char *why = hindrance(f);

    if (!node_is_exit(f->node))
        return say(ROUTE_APPROVED, reason,
                   "clients need both 0.0.0.0/0 and ::/0 of an exit node; one of them is missing");
    if (why)
        return say(ROUTE_OFFLINE, reason, why);
    if (!f->flags.healthy)
        return say(ROUTE_UNHEALTHY, reason, "the node answers no probe; clients that chose it lose their way out");
    return say(ROUTE_SERVING, reason, "offered as an exit node to everybody whom the policy lets");
}

static enum route_state serving_state(const struct route_facts *f, struct buf *reason)
{
    const char *why = hindrance(f);

    if (f->carried && !f->flags.expired && (!f->flags.online || !f->flags.healthy))
        return say(ROUTE_SERVING, reason,
                   "its control connection is lost, but other nodes reach the probe target through it");
    if (why) {
        say(ROUTE_SERVING, reason, why);
        return say(ROUTE_SERVING, reason, ", but keeps the prefix until a router is there");
    }
    if (!f->flags.healthy)
        return say(ROUTE_SERVING, reason, "the node answers no probe, and no other router can serve");
    if (f->unreachable)
        return say(ROUTE_SERVING, reason,
                   "it does not forward, the probe target does not answer; and no other router can serve");
    if (f->flags.draining)
        return say(ROUTE_SERVING, reason, "the node is being drained, but no other router can serve");
    return say(ROUTE_SERVING, reason,
               f->chosen ? "chosen by an administrator: traffic for the prefix goes through this node"
                         : "elected: traffic for the prefix goes through this node");
}

static enum route_state standby_state(const struct route_facts *f, struct buf *reason)
{
    const char *why = hindrance(f);
    enum route_state state = ROUTE_STANDBY;

    if (why)
        state = say(ROUTE_OFFLINE, reason, why);
    else if (!f->flags.healthy)
        state = say(ROUTE_UNHEALTHY, reason, "the node answers no probe");
    else if (f->unreachable)
        state = say(ROUTE_UNHEALTHY, reason, "it does not forward: the probe target does not answer through it");
    else
        say(state, reason,
            f->flags.draining   ? "the node is being drained"
            : f->flags.flapping ? "ready to take over, but after others: it comes and goes"
                                : "ready to take over");
    if (!reason)
        return state;
    if (f->primary)
        buf_addf(reason, "; %s serves", f->primary->given_name);
    else
        buf_adds(reason, "; nobody serves the prefix");
    return state;
}

enum route_state route_explain(const struct route_facts *f, struct buf *reason)
{
    bool available = prefixes_has(&f->node->available, f->prefix);
    bool approved = prefixes_has(&f->node->approved, f->prefix);

    if (!available || !approved)
        return not_entitled(f, available, approved, reason);
    if (!f->node->authorized)
        return say(ROUTE_APPROVED, reason, "approved, but the node itself is not");
    if (prefix_is_exit(f->prefix))
        return exit_state(f, reason);
    if (f->primary && f->primary->r.id == f->node->r.id)
        return serving_state(f, reason);
    return standby_state(f, reason);
}
