/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdarg.h>
#include <stdio.h>

#include "base/clock.h"
#include "core/private.h"
#include "json/json.h"

/* The server saw it, or did it without a disk: no refused call takes it back. */
static bool is_fact(enum event_id id)
{
    static const bool facts[EVENT_ID_COUNT] = {
        [EVENT_NODE_ONLINE] = true,     [EVENT_NODE_OFFLINE] = true,         [EVENT_NODE_HEALTHY] = true,
        [EVENT_NODE_UNHEALTHY] = true,  [EVENT_NODE_EXPIRED] = true,         [EVENT_ROUTE_SERVED] = true,
        [EVENT_ROUTE_UNSERVED] = true,  [EVENT_ROUTE_FAILOVER] = true,       [EVENT_SERVER_STARTED] = true,
        [EVENT_CONFIG_RELOADED] = true, [EVENT_REGISTRATION_PENDING] = true, [EVENT_NODE_CLONED] = true,
    };
    return facts[id];
}

const struct event *journal(struct core_state *s, const struct event_note *note, const char *format, ...)
{
    char text[512];
    va_list args;

    va_start(args, format);
    vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    struct event *e = event_new();
    e->run = s->run;
    e->time_ns = clock_wall_ns();
    mem_replace(&e->kind, event_kind(note->id));
    mem_replace(&e->actor, note->actor ? note->actor : s->admin && s->admin->actor ? s->admin->actor : "server");
    e->by_admin = s->admin != NULL;
    mem_replace(&e->object, note->object);
    e->object_id = note->object_id;
    mem_replace(&e->object_name, note->object_name);
    mem_replace(&e->text, text);
    mem_replace(&e->detail, note->detail);
    mem_replace(&e->inverse, note->inverse);
    free(note->detail);
    free(note->inverse);
    if (s->admin && !s->admin->event)
        s->admin->event = record_ref(e);
    if (s->dry) {
        record_unref(e);
        return NULL;
    }
    e->r.id = ++s->event_seq;
    tx_put(s, e);
    vec_push(&s->open->events, e);
    vec_push(&s->open->facts, is_fact(note->id));
    return e;
}

char *inverse(const char *method, char *body, const char *path, ...)
{
    struct buf b = BUF_INIT(0);
    struct json_out o = JSON_OUT(&b);
    char where[512];
    va_list args;

    va_start(args, path);
    vsnprintf(where, sizeof(where), path, args);
    va_end(args);
    json_open(&o, '{');
    json_put_str(&o, "method", method);
    json_put_str(&o, "path", where);
    json_key(&o, "body");
    if (body)
        json_raw(&o, body, strlen(body));
    else
        json_nil(&o);
    json_close(&o, '}');
    free(body);
    return buf_take(&b);
}

char *json_prefix_list(const struct prefixes *p)
{
    struct buf b = BUF_INIT(0);
    struct json_out o = JSON_OUT(&b);
    char text[PREFIX_TEXT_MAX];

    json_open(&o, '[');
    for (size_t i = 0; i < p->len; i++)
        json_str(&o, prefix_format(&p->items[i], text));
    json_close(&o, ']');
    return buf_take(&b);
}

char *json_tag_list(const struct strs *tags)
{
    struct buf b = BUF_INIT(0);
    struct json_out o = JSON_OUT(&b);

    json_open(&o, '[');
    for (size_t i = 0; i < tags->len; i++)
        json_str(&o, tags->items[i]);
    json_close(&o, ']');
    return buf_take(&b);
}
