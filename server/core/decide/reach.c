/* SPDX-License-Identifier: BSD-3-Clause */
#include "core/decide/reach.h"

#include "core/state/journal.h"
#include "core/state/slots.h"
#include "core/state/state.h"

static void note(struct core_state *s, const struct core_reach *reach, const char *router)
{
    char text[PREFIX_TEXT_MAX], target[ADDR_TEXT_MAX];
    struct event_note event = {.id = reach->reached ? EVENT_ROUTE_REACHED : EVENT_ROUTE_UNREACHED,
                               .actor = "server",
                               .object = "prefix",
                               .object_name = prefix_format(&reach->prefix, text)};

    addr_format(&reach->target, target);
    if (reach->reached)
        journal(s, &event, "%s behind %s answers through %s again", target, text, router);
    else
        journal(s, &event, "%s behind %s does not answer through %s, which is online: %s", target, text, router,
                reach->evidence);
}

void reach_run(struct core_state *s, const struct core_reach *reach)
{
    struct slot *slot = slot_by_id(s, reach->router);

    if (!slot || !slot->published || (!reach->reached && !slot->live.online))
        return;
    bool changed = reach->reached ? prefixes_del(&slot->live.unreachable, &reach->prefix)
                                  : prefixes_add(&slot->live.unreachable, &reach->prefix);
    if (!changed)
        return;
    slot_mark(s, slot, 0);
    if (reach->evidence)
        note(s, reach, slot->published->given_name);
    routes_follow(s, slot);
}

void probe_path_run(struct core_state *s, uint64_t router, uint64_t helper, const struct addr *target)
{
    struct slot *slot = slot_by_id(s, router);

    if (!slot || !slot->published || (helper && !slot->live.online))
        return;
    slot->live.probe_helper = helper;
    slot->live.probe_target = *target;
    slot_mark(s, slot, 0);
}
