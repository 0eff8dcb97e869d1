/* SPDX-License-Identifier: BSD-3-Clause */
#include "core/decide/warnings.h"

#include "base/clock.h"
#include "core/state/journal.h"
#include "core/state/slots.h"
#include "core/state/state.h"
#include "json/json.h"

/* What does not forward matters only for what the node is: {"code":...,"subnet":true,"exit":true}. */
static char *detail_of(const struct node *n, const struct node_warning *w)
{
    struct buf b = BUF_INIT(0);
    struct json_out o = JSON_OUT(&b);
    bool exit = prefixes_has_exit(&n->available), subnet = false;

    for (size_t i = 0; i < n->available.len; i++)
        subnet |= !prefix_is_exit(&n->available.items[i]);
    json_open(&o, '{');
    json_put_str(&o, "code", w->code);
    json_put_bool(&o, "subnet", subnet);
    json_put_bool(&o, "exit", exit);
    json_close(&o, '}');
    return buf_take(&b);
}

static void note(struct core_state *s, struct slot *slot, enum event_id id, const struct node_warning *w)
{
    const char *name = slot->work->given_name;

    journal(s,
            &(struct event_note){.id = id,
                                 .actor = "server",
                                 .object = "node",
                                 .object_id = slot->id,
                                 .object_name = name,
                                 .caused_by = slot,
                                 .detail = detail_of(slot->work, w)},
            id == EVENT_NODE_WARNING ? "%s warns of %s: %s" : "%s does not warn of %s any more: %s", name, w->code,
            w->text);
}

void slot_set_warnings(struct core_state *s, struct slot *slot, enum warning_source source,
                       const struct node_warnings *now)
{
    struct node_warnings *have = &slot->live.warnings;
    bool changed = false;

    if (!slot->work)
        return;
    for (size_t i = have->len; i-- > 0;) {
        if (have->items[i].source != source || node_warnings_has(now, have->items[i].code))
            continue;
        note(s, slot, EVENT_NODE_WARNING_OVER, &have->items[i]);
        node_warnings_remove(have, i);
        changed = true;
    }
    for (size_t i = 0; i < now->len; i++) {
        const struct node_warning *w = &now->items[i];
        if (!node_warnings_add(have, source, w->code, w->text, w->since_ns ? w->since_ns : clock_wall_ns()))
            continue;
        note(s, slot, EVENT_NODE_WARNING, w);
        changed = true;
    }
    if (changed)
        slot_mark(s, slot, 0);
}

void slot_take_flags(struct core_state *s, struct slot *slot, const struct strs *flags)
{
    struct node_warnings now = {0};
    const char *code, *text;

    if (!flags->len && !slot->live.warnings.len)
        return;
    for (size_t i = 0; i < flags->len; i++)
        if (warning_of_flag(flags->items[i], &code, &text))
            node_warnings_add(&now, WARNING_FLAGS, code, text, 0);
    slot_set_warnings(s, slot, WARNING_FLAGS, &now);
    node_warnings_release(&now);
}

void node_warnings_run(struct core_state *s, uint64_t node_id, const struct node_warnings *now)
{
    struct slot *slot = slot_by_id(s, node_id);

    if (slot)
        slot_set_warnings(s, slot, WARNING_CLIENT, now);
}
