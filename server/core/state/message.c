/* SPDX-License-Identifier: BSD-3-Clause */
/* Requests are copied into the core, answers out of it. */

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/vec.h"
#include "core/core.h"
#include "core/state/message.h"

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

struct core_call *call_copy(const struct call_kind *kind, struct core_call *sender)
{
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

void call_reset(struct core_call *call)
{
    if (call->kind->reset)
        call->kind->reset(call);
    call->code = 0;
    call->err = (struct err){0};
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
