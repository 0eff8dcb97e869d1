/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdarg.h>
#include <stdio.h>

#include "base/clock.h"
#include "core/state/journal.h"
#include "core/state/state.h"
#include "core/state/transaction.h"
#include "json/json.h"

/* The server observed it, or did it without a disk: a refused call does not revert it. */
static bool is_observation(enum event_id id)
{
    static const bool observed[EVENT_ID_COUNT] = {
        [EVENT_NODE_ONLINE] = true,     [EVENT_NODE_OFFLINE] = true,   [EVENT_NODE_HEALTHY] = true,
        [EVENT_NODE_UNHEALTHY] = true,  [EVENT_NODE_EXPIRED] = true,   [EVENT_ROUTE_SERVED] = true,
        [EVENT_ROUTE_UNSERVED] = true,  [EVENT_ROUTE_FAILOVER] = true, [EVENT_SERVER_STARTED] = true,
        [EVENT_CONFIG_RELOADED] = true, [EVENT_NODE_CLONED] = true,
    };
    return observed[id];
}

/* What one client can cause: this many entries at once, and one more every ENTRY_MS. */
#define ENTRIES_MAX 60.0
#define ENTRY_MS    10000.0

static bool is_within_budget(struct slot *slot)
{
    int64_t now = clock_mono_ms();
    double entries = slot->entries_ms ? slot->entries + (double)(now - slot->entries_ms) / ENTRY_MS : ENTRIES_MAX;

    slot->entries = entries < ENTRIES_MAX ? entries : ENTRIES_MAX;
    slot->entries_ms = now;
    if (slot->entries < 1.0) {
        slot->left_out++;
        return false;
    }
    slot->entries -= 1.0;
    return true;
}

const struct event *journal(struct core_state *s, const struct event_note *note, const char *format, ...)
{
    char text[512];
    va_list args;

    if (note->caused_by && !s->admin && !is_within_budget(note->caused_by)) {
        free(note->detail);
        free(note->inverse);
        return NULL;
    }
    va_start(args, format);
    int len = vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    if (note->caused_by && note->caused_by->left_out) {
        size_t at = len > 0 && (size_t)len < sizeof(text) ? (size_t)len : sizeof(text) - 1;
        snprintf(text + at, sizeof(text) - at, " (%u entries of this node were left out before)",
                 note->caused_by->left_out);
        note->caused_by->left_out = 0;
    }
    text_end_whole(text);
    struct event *e = event_new();
    e->run = s->run;
    e->time_ns = clock_wall_ns();
    mem_replace(&e->kind, event_kind(note->id));
    mem_replace(&e->actor, note->actor ? note->actor : s->admin && s->admin->actor ? s->admin->actor : "server");
    e->by_admin = s->admin != NULL || note->by_admin;
    mem_replace(&e->object, note->object);
    e->object_id = note->object_id;
    mem_replace(&e->object_name, note->object_name);
    mem_replace(&e->text, text);
    mem_replace(&e->detail, note->detail);
    mem_replace(&e->inverse, note->inverse);
    free(note->detail);
    free(note->inverse);
    if (s->admin)
        vec_push(&s->admin->events, record_ref(e));
    if (s->dry) {
        record_unref(e);
        return NULL;
    }
    e->r.id = ++s->event_seq;
    tx_put(s, e);
    vec_push(&s->open->events, e);
    vec_push(&s->open->observed, is_observation(note->id));
    return e;
}

/* Only entries of the administrator's own changes: what a policy did automatically has its own inverse. */
static bool is_part(const struct core_admin *a, const struct event *e)
{
    return !*e->inverse && str_eq(e->actor, a->actor ? a->actor : "server");
}

void journal_set_inverse(struct core_state *s, struct core_admin *a)
{
    struct buf b = BUF_INIT(0);
    size_t parts = 0;

    if (!a->inverse || !a->events.len)
        return;
    for (size_t i = 0; i < a->events.len; i++)
        parts += is_part(a, a->events.items[i]);
    buf_add(&b, a->inverse, strlen(a->inverse) - 1);
    for (size_t i = 0, n = 0; parts > 1 && !s->dry && i < a->events.len; i++)
        if (is_part(a, a->events.items[i]))
            buf_addf(&b, "%s\"%llu.%llu\"", n++ ? "," : ",\"events\":[", (unsigned long long)s->run,
                     (unsigned long long)a->events.items[i]->r.id);
    buf_adds(&b, parts > 1 && !s->dry ? "]}" : "}");
    free(a->inverse);
    a->inverse = buf_take(&b);
    /* No one else has seen these entries yet: they are submitted at the end of the turn. */
    for (size_t i = 0; i < a->events.len; i++)
        if (is_part(a, a->events.items[i]))
            mem_replace(&((struct event *)(uintptr_t)a->events.items[i])->inverse, a->inverse);
}

#define NAMED_MAX 4 /* prefixes named in a sentence; the detail names all */

char *text_of_prefixes(const struct prefixes *p)
{
    struct buf b = BUF_INIT(0);
    char text[PREFIX_TEXT_MAX];
    size_t named = p->len > NAMED_MAX + 1 ? NAMED_MAX : p->len;

    for (size_t i = 0; i < named; i++)
        buf_addf(&b, "%s%s", i == 0 ? "" : i + 1 == p->len ? " and " : ", ", prefix_format(&p->items[i], text));
    if (named < p->len)
        buf_addf(&b, " and %zu more", p->len - named);
    return buf_take(&b);
}

char *detail_of_prefixes(const struct prefixes *p)
{
    struct buf b = BUF_INIT(0);
    struct json_out o = JSON_OUT(&b);
    char text[PREFIX_TEXT_MAX];

    json_open(&o, '{');
    json_key(&o, "prefixes");
    json_open(&o, '[');
    for (size_t i = 0; i < p->len; i++)
        json_str(&o, prefix_format(&p->items[i], text));
    json_close(&o, ']');
    json_close(&o, '}');
    return buf_take(&b);
}
