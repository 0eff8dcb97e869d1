/* SPDX-License-Identifier: BSD-3-Clause */
#include "core/decide/reach.h"

#include "base/clock.h"
#include "core/state/journal.h"
#include "core/state/prefixes.h"
#include "core/state/slots.h"
#include "core/state/state.h"
#include "core/state/timers.h"

/* Fraction of a probe's time for which a router that lost its control connection keeps prefixes without news. It must
 * be short, because a completely dead router looks the same. */
#define VERIFY_PART 6

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

/* ---- without a control connection ---- */

static const char *prefix_list(const struct prefixes *list, struct buf *out)
{
    char text[PREFIX_TEXT_MAX];

    for (size_t i = 0; i < list->len; i++)
        buf_addf(out, "%s%s", i ? ", " : "", prefix_format(&list->items[i], text));
    return buf_text(out);
}

static void note_end(struct core_state *s, struct slot *slot, const struct prefixes *gone, const char *why)
{
    struct buf text = BUF_INIT(0);

    journal(s,
            &(struct event_note){.id = EVENT_ROUTE_CARRIED,
                                 .actor = "server",
                                 .object = "node",
                                 .object_id = slot->id,
                                 .object_name = slot->published->given_name,
                                 .caused_by = slot},
            "%s no longer keeps %s without a control connection: %s", slot->published->given_name,
            prefix_list(gone, &text), why);
    buf_release(&text);
}

static void follow(struct core_state *s, struct slot *slot)
{
    slot_mark(s, slot, 0);
    routes_follow(s, slot);
}

void reach_lost(struct core_state *s, struct slot *slot)
{
    if (slot->live.carried.len || !slot->proven.len || !s->config->node.probe.enabled ||
        !s->config->node.probe.control_lost)
        return;
    prefixes_copy(&slot->live.carried, &slot->proven);
    prefixes_release(&slot->confirmed);
    slot->carried_ms = clock_mono_ms();
    slot->verify_ms = slot->carried_ms + s->config->node.probe.timeout / VERIFY_PART / NS_PER_MS;
    timer_set(s, slot->verify_ms, TIMER_CARRIED, slot);
    for (size_t i = 0; i < s->listeners.len; i++)
        if (s->listeners.items[i].contact_lost)
            s->listeners.items[i].contact_lost(s->listeners.items[i].arg, slot->id);
}

static bool has_target(struct core_state *s, const struct prefix *p)
{
    const struct prefix_settings *own = prefix_settings_find(s, p);
    bool found = own && own->rule.probe.bits;

    for (size_t i = 0; i < s->settings->probe_count && !found; i++)
        found = prefix_cmp(&s->settings->probes[i].prefix, p) == 0;
    return found;
}

static void restore(struct core_state *s, uint64_t router, const struct prefix *p)
{
    struct slot *slot = slot_by_id(s, router);

    if (!slot || !slot->published || !has_target(s, p))
        return;
    prefixes_add(&slot->live.carried, p);
    slot->carried_ms = clock_mono_ms();
    slot->verify_ms = slot->carried_ms + s->config->node.ha.settle_time / NS_PER_MS - 1;
    timer_set(s, slot->verify_ms, TIMER_CARRIED, slot);
    routes_follow(s, slot);
}

void reach_restore(struct core_state *s)
{
    if (!s->config->node.probe.enabled || !s->config->node.probe.control_lost || !s->config->node.ha.settle_time)
        return;
    for (size_t i = 0; i < s->primaries.len; i++)
        restore(s, s->primaries.items[i]->r.id, &s->primaries.items[i]->prefix);
    for (size_t i = 0; i < s->via_primaries.len; i++)
        restore(s, s->via_primaries.items[i]->r.id, &s->via_primaries.items[i]->prefix);
}

void reach_regained(struct slot *slot)
{
    prefixes_release(&slot->live.carried);
    prefixes_release(&slot->confirmed);
}

void carried_due(struct core_state *s, struct slot *slot)
{
    int64_t now = clock_mono_ms(), limit_ms = s->config->node.probe.control_lost / NS_PER_MS;
    struct prefixes left = {0};

    if (!slot->live.carried.len || !slot->published)
        return;
    if (now >= slot->carried_ms + limit_ms) {
        if (slot->confirmed.len)
            note_end(s, slot, &slot->confirmed, "node.routes.probe.control_lost is over");
        reach_regained(slot);
        follow(s, slot);
        return;
    }
    if (now < slot->verify_ms) {
        timer_set(s, slot->verify_ms, TIMER_CARRIED, slot);
        return;
    }
    prefixes_and(&left, &slot->live.carried, &slot->confirmed);
    if (left.len != slot->live.carried.len) {
        prefixes_copy(&slot->live.carried, &left);
        follow(s, slot);
    }
    if (left.len)
        timer_set(s, slot->carried_ms + limit_ms, TIMER_CARRIED, slot);
    prefixes_release(&left);
}

static void drop_carried(struct core_state *s, struct slot *slot, const struct prefix *p)
{
    struct prefixes gone = {0};

    if (!prefixes_del(&slot->live.carried, p))
        return;
    if (prefixes_del(&slot->confirmed, p)) {
        prefixes_add(&gone, p);
        note_end(s, slot, &gone, "its target does not answer any more");
        prefixes_release(&gone);
    }
    follow(s, slot);
}

static void confirm(struct core_state *s, struct slot *slot, const struct core_reach *reach)
{
    char text[PREFIX_TEXT_MAX], target[ADDR_TEXT_MAX];

    if (!prefixes_has(&slot->live.carried, &reach->prefix) || reach->began_ms < slot->carried_ms ||
        !prefixes_add(&slot->confirmed, &reach->prefix))
        return;
    journal(s,
            &(struct event_note){.id = EVENT_ROUTE_CARRIED,
                                 .actor = "server",
                                 .object = "prefix",
                                 .object_name = prefix_format(&reach->prefix, text),
                                 .caused_by = slot},
            "%s keeps %s without a control connection: %s answers through it%s%s", slot->published->given_name, text,
            addr_format(&reach->target, target), reach->evidence ? ", " : "", reach->evidence ? reach->evidence : "");
}

static void round_run(struct core_state *s, struct slot *slot, const struct core_reach *reach)
{
    if (reach->reached) {
        prefixes_add(&slot->proven, &reach->prefix);
        confirm(s, slot, reach);
    } else {
        prefixes_del(&slot->proven, &reach->prefix);
        drop_carried(s, slot, &reach->prefix);
    }
}

/* ---- verdicts ---- */

void reach_run(struct core_state *s, const struct core_reach *reach)
{
    struct slot *slot = slot_by_id(s, reach->router);

    if (!slot || !slot->published)
        return;
    if (reach->is_round) {
        round_run(s, slot, reach);
        return;
    }
    if (!reach->reached)
        drop_carried(s, slot, &reach->prefix);
    if (!reach->reached && !slot->live.online)
        return;
    bool changed = reach->reached ? prefixes_del(&slot->live.unreachable, &reach->prefix)
                                  : prefixes_add(&slot->live.unreachable, &reach->prefix);
    if (!changed)
        return;
    if (!reach->reached)
        slot->unreached_after_ms = reach->began_ms ? clock_mono_ms() - reach->began_ms : 0;
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
