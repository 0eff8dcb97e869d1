/* SPDX-License-Identifier: BSD-3-Clause */
/* An administrator's choice of a primary: whether it is possible, and how long it holds. */
#include "routes/routes.h"

#include "routes/candidates.h"

uint64_t routes_primary_at(const struct routes *r, const struct route_place *at)
{
    const struct routed_prefix *entry = entry_at(r, at);

    return entry ? entry->primary : 0;
}

static const char *why_no_contender(const struct routes_router *router, const struct route_place *at)
{
    if (!prefixes_has(&router->record->available, at->prefix))
        return "does not advertise";
    if (!prefixes_has(&router->record->approved, at->prefix))
        return "is not approved for";
    if (!router->record->authorized)
        return "waits for approval as a device and cannot serve";
    return "has none of the tags of the grant and cannot serve";
}

int routes_can_serve(const struct routes *r, const struct route_place *at, uint64_t node, struct err *e)
{
    const struct prefix *p = at->prefix;
    const struct routed_prefix *entry = entry_at(r, at);
    const struct routes_router *router = map_getu(&r->routers, node);
    const struct contender *contender = entry ? entry_contender(entry, node) : NULL;
    char text[PREFIX_TEXT_MAX];
    const char *name, *why = NULL;

    prefix_format(p, text);
    if (prefix_is_exit(p))
        return err_field(e, ERR_INVALID, "prefix", "%s is an exit route: every approved exit node offers it", text);
    if (at->via && !group_called(r, at->via))
        return err_field(e, ERR_MISSING, "via", "no grant of the policy has the via %.200s", at->via);
    if (!entry || entry->contenders.len == 0)
        return err_field(e, ERR_MISSING, "prefix", "%s: no node%s%.200s has this route advertised and approved", text,
                         at->via ? " with " : "", at->via ? at->via : "");
    if (!router)
        return err_field(e, ERR_MISSING, "node", "node %llu does not exist", (unsigned long long)node);
    name = router->record->given_name;
    if (!contender)
        why = why_no_contender(router, at);
    else if (contender->router->flags.expired)
        why = "has an expired key and cannot serve";
    else if (!contender->router->flags.online)
        why = "is offline and cannot serve";
    else if (!contender->router->flags.healthy)
        why = "answers no probe and cannot serve";
    else if (contender->unreachable)
        why = "does not reach the probe target and cannot serve";
    else if (contender->router->flags.draining)
        why = "is being drained and does not take";
    return why ? err_field(e, ERR_PRECONDITION, "node", "%s %s %s", name, why, text) : 0;
}

int routes_prefer(struct routes *r, const struct route_place *at, uint64_t node, enum primary_choice choice,
                  struct err *e)
{
    int code = routes_can_serve(r, at, node, e);

    if (code < 0)
        return code;
    struct routed_prefix *entry = entry_at(r, at);
    entry_choose(r, entry, node);
    entry->once = choice == PRIMARY_ONCE;
    entry->chosen_round = r->round;
    entry->settling = false;
    entry_touch(r, entry);
    return 0;
}

int64_t routes_since(const struct routes *r, const struct route_place *at)
{
    const struct routed_prefix *entry = entry_at(r, at);

    return entry && entry->primary ? entry->since_ns : 0;
}

bool routes_is_chosen(const struct routes *r, const struct route_place *at)
{
    const struct routed_prefix *entry = entry_at(r, at);

    return entry && entry->chosen && entry->chosen == entry->primary;
}

bool routes_choices_changed(struct routes *r)
{
    bool changed = r->choices_changed;

    r->choices_changed = false;
    return changed;
}
