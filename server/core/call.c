/* SPDX-License-Identifier: BSD-3-Clause */
/* What the kinds of calls are made of: enough to copy a request into the core and its answer back out. */
#include "core/call.h"

#include <stddef.h>
#include <stdlib.h>

#include "base/vec.h"
#include "core/kinds.h"
#include "core/liveness.h"
#include "core/map_request.h"
#include "core/operations.h"
#include "core/pending.h"
#include "core/register.h"

enum part_type { PART_TEXT, PART_TEXTS, PART_PREFIXES, PART_ARRAY, PART_EVENTS };

struct call_part { /* what a request points to */
    enum part_type type;
    size_t offset;
    size_t count, item; /* of an array: where its length is, and the size of an item */
};

struct call_kind {
    size_t size;
    void (*run)(struct core_state *s, struct core_call *call);
    void (*answer)(struct core_call *to, struct core_call *from); /* moves the members that answer */
    const struct call_part *parts;
    size_t part_count;
};

#define TEXT(type, member)                                                                                             \
    {                                                                                                                  \
        PART_TEXT, offsetof(struct type, member), 0, 0                                                                 \
    }
#define TEXTS(type, member)                                                                                            \
    {                                                                                                                  \
        PART_TEXTS, offsetof(struct type, member), 0, 0                                                                \
    }
#define PREFIXES(type, member)                                                                                         \
    {                                                                                                                  \
        PART_PREFIXES, offsetof(struct type, member), 0, 0                                                             \
    }
#define EVENTS(type, member)                                                                                           \
    {                                                                                                                  \
        PART_EVENTS, offsetof(struct type, member), 0, 0                                                               \
    }
#define ARRAY(type, member, n)                                                                                         \
    {                                                                                                                  \
        PART_ARRAY, offsetof(struct type, member), offsetof(struct type, n), sizeof(*((struct type *)0)->member)       \
    }
#define CLIENT_INFO(type)                                                                                              \
    TEXT(type, info.hostname), TEXT(type, info.os), TEXT(type, info.os_version), TEXT(type, info.client_version),      \
        TEXT(type, info.hostinfo), TEXT(type, info.peer_hostinfo), TEXT(type, info.net_info), TEXT(type, info.source), \
        PREFIXES(type, info.routes), TEXTS(type, info.request_tags)

static const struct call_part register_parts[] = {CLIENT_INFO(core_register), TEXT(core_register, auth_key),
                                                  TEXT(core_register, followup)};
static const struct call_part map_parts[] = {CLIENT_INFO(core_map), ARRAY(core_map, endpoints, endpoint_count)};
static const struct call_part ssh_parts[] = {TEXT(core_ssh, user), TEXT(core_ssh, auth_id)};
static const struct call_part admin_parts[] = {
    TEXT(core_admin, actor),      TEXT(core_admin, name),        TEXT(core_admin, display_name),
    TEXT(core_admin, email),      TEXT(core_admin, picture_url), TEXT(core_admin, text),
    TEXT(core_admin, prefix),     TEXTS(core_admin, tags),       PREFIXES(core_admin, prefixes),
    PREFIXES(core_admin, revoke), EVENTS(core_admin, undoes)};

static void answer_register(struct core_call *to, struct core_call *from)
{
    struct core_register *r = (struct core_register *)to;
    const struct core_register *m = (const struct core_register *)from;

    r->result = m->result;
    memcpy(r->auth_id, m->auth_id, sizeof(r->auth_id));
    r->node_id = m->node_id;
    r->user = m->user;
}

static void answer_map(struct core_call *to, struct core_call *from)
{
    struct core_map *r = (struct core_map *)to;
    const struct core_map *m = (const struct core_map *)from;

    r->node_id = m->node_id;
    r->session = m->session;
    r->slot = m->slot;
    r->seq = m->seq;
}

static void answer_ssh(struct core_call *to, struct core_call *from)
{
    struct core_ssh *r = (struct core_ssh *)to;
    const struct core_ssh *m = (const struct core_ssh *)from;

    r->accepted = m->accepted;
    r->undecided = m->undecided;
    memcpy(r->new_auth_id, m->new_auth_id, sizeof(r->new_auth_id));
}

static void answer_admin(struct core_call *to, struct core_call *from)
{
    struct core_admin *r = (struct core_admin *)to, *m = (struct core_admin *)from;

    r->record = m->record;
    r->events = m->events;
    r->inverse = m->inverse;
    r->secret = m->secret;
    r->version = m->version;
    r->problems = m->problems;
}

#define KIND(type, run, answer, parts)                                                                                 \
    {                                                                                                                  \
        sizeof(struct type), run, answer, parts, sizeof(parts) / sizeof(*(parts))                                      \
    }
static const struct call_kind kinds[] = {
    [CALL_REGISTER] = KIND(core_register, register_run, answer_register, register_parts),
    [CALL_MAP] = KIND(core_map, map_request_run, answer_map, map_parts),
    [CALL_SSH] = KIND(core_ssh, ssh_run, answer_ssh, ssh_parts),
    [CALL_ADMIN] = KIND(core_admin, admin_run, answer_admin, admin_parts),
};

static void own_events(struct core_events *events)
{
    struct core_events copy = {0};

    for (size_t i = 0; i < events->len; i++)
        vec_push(&copy, record_ref(events->items[i]));
    *events = copy;
}

static void own_part(char *message, const struct call_part *p)
{
    void *at = message + p->offset;
    struct strs texts = {0};
    struct prefixes prefixes = {0};

    switch (p->type) {
    case PART_TEXT:
        if (*(char **)at)
            *(char **)at = mem_strdup(*(char **)at);
        break;
    case PART_TEXTS:
        strs_copy(&texts, at);
        *(struct strs *)at = texts;
        break;
    case PART_PREFIXES:
        prefixes_copy(&prefixes, at);
        *(struct prefixes *)at = prefixes;
        break;
    case PART_ARRAY:
        if (*(size_t *)(void *)(message + p->count))
            *(void **)at = mem_dup(*(void **)at, *(size_t *)(void *)(message + p->count) * p->item);
        else
            *(void **)at = NULL;
        break;
    case PART_EVENTS:
        own_events(at);
        break;
    }
}

struct core_call *call_copy(enum call_kind_id id, struct core_call *sender)
{
    const struct call_kind *kind = &kinds[id];
    struct core_call *call = mem_dup(sender, kind->size);

    call->kind = kind;
    call->sender = sender;
    call->run = kind->run;
    for (size_t i = 0; i < kind->part_count; i++)
        own_part((char *)call, &kind->parts[i]);
    return call;
}

static void release_part(char *message, const struct call_part *p)
{
    void *at = message + p->offset;

    switch (p->type) {
    case PART_TEXT:
    case PART_ARRAY:
        free(*(void **)at);
        break;
    case PART_TEXTS:
        strs_release(at);
        break;
    case PART_PREFIXES:
        prefixes_release(at);
        break;
    case PART_EVENTS:
        core_events_release(at);
        break;
    }
}

void call_free(struct core_call *call)
{
    for (size_t i = 0; i < call->kind->part_count; i++)
        release_part((char *)call, &call->kind->parts[i]);
    free(call);
}

void call_answer(struct core_call *call)
{
    struct core_call *sender = call->sender;

    if (!sender) { /* the core's own */
        call->done(call);
        return;
    }
    sender->code = call->code;
    sender->err = call->err;
    call->kind->answer(sender, call);
    call_free(call);
    sender->done(sender);
}

void core_events_release(struct core_events *events)
{
    for (size_t i = 0; i < events->len; i++)
        record_unref(events->items[i]);
    vec_release(events);
}
