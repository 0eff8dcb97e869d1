/* SPDX-License-Identifier: BSD-3-Clause */
#include "model/events.h"

#include "base/array.h"
#include "base/str.h"

static const struct {
    const char *kind;
    enum event_weight weight;
} events[EVENT_ID_COUNT] = {
#define X(id, kind, weight, undo) [id] = {kind, weight},
    EVENT_KINDS(X)
#undef X
};

const char *event_kind(enum event_id id)
{
    return events[id].kind;
}

const char *event_weight_name(int weight)
{
    static const char *const names[] = {
        [WEIGHT_INFO] = "info", [WEIGHT_CHANGE] = "change", [WEIGHT_WARN] = "warn", [WEIGHT_ALARM] = "alarm"};

    return names[weight];
}

enum event_weight event_weight(const char *kind)
{
    for (size_t i = 0; i < EVENT_ID_COUNT; i++)
        if (str_eq(events[i].kind, kind))
            return events[i].weight;
    return WEIGHT_INFO;
}
