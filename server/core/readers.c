/* SPDX-License-Identifier: BSD-3-Clause */
#include "core/readers.h"

#include <stdio.h>
#include <stdlib.h>

#include "core/message/publication.h"
#include "core/state/state.h"

static void deliver(struct core_state *s, const struct event *e)
{
    for (size_t k = 0; k < s->listeners.len; k++)
        if (s->listeners.items[k].event)
            s->listeners.items[k].event(s->listeners.items[k].arg, e);
}

#ifdef CORE_ENCODES
/* The program must be able to read what it wrote. */
static void check(bool good, const char *what, const struct err *e)
{
    if (good)
        return;
    fprintf(stderr, "%s cannot be read again: %s\n", what, e->message);
    abort();
}

/* Also finds nodes being removed: their slots are freed after publication. */
static uint32_t slot_of_node(void *arg, uint64_t id)
{
    struct core_state *s = arg;
    const struct slot *slot = map_getu(&s->by_id, id);

    for (size_t i = 0; !slot && i < s->dirty_slots.len; i++)
        if (s->dirty_slots.items[i]->id == id)
            slot = s->dirty_slots.items[i];
    return slot ? slot->index : TAILNET_SLOT_NONE;
}

/* A follower numbers its changes itself; here both numberings must agree, because answers refer to changes. */
static void check_changes(const struct change *a, const struct change *b, size_t count)
{
    const struct err e = {.message = "it numbers the changes otherwise"};

    for (size_t i = 0; i < count; i++)
        check(a[i].seq == b[i].seq && a[i].slot == b[i].slot && a[i].mask == b[i].mask, "a publication", &e);
}

static void publish_by_message(struct core_state *s, struct tailnet_snapshot *next, const struct change *changes,
                               size_t count)
{
    const struct tailnet_snapshot *before = readers_last(s), *theirs = tailnet_pin(s->tailnet);
    struct publication sent, came = {0};
    struct buf bytes = BUF_INIT(0);
    struct tailnet_snapshot *read = NULL;
    struct change *list = NULL;
    size_t list_count = 0;
    struct err e = {0};

    publication_between(before, next, changes, count, &sent);
    members_encode(&publication_table, &sent, &bytes);
    check(members_decode(&publication_table, buf_text(&bytes), bytes.len, &came, &e) == 0, "a publication", &e);
    check(publication_apply(&came, theirs, slot_of_node, s, &read, &list, &list_count, &e) == 0, "a publication", &e);
    check(list_count == count, "a publication", &(struct err){.message = "it has another number of changes"});
    check_changes(changes, list, count);
    tailnet_publish(s->tailnet, read, list, list_count);
    tailnet_unpin(s->own);
    s->own = next;
    members_release(&publication_table, &sent);
    members_release(&publication_table, &came);
    buf_release(&bytes);
    free(list);
    tailnet_unpin(before);
    tailnet_unpin(theirs);
}

static void hear_by_message(struct core_state *s, const struct event *e)
{
    struct buf bytes = BUF_INIT(0);
    const void *came = NULL;
    struct err why = {0};

    record_encode(e, &bytes);
    check(record_decode(buf_text(&bytes), bytes.len, &came, &why) == 0, "an event", &why);
    deliver(s, came);
    record_unref(came);
    buf_release(&bytes);
}
#endif

const struct tailnet_snapshot *readers_last(struct core_state *s)
{
    return s->own ? tailnet_ref(s->own) : tailnet_pin(s->tailnet);
}

void readers_publish(struct core_state *s, struct tailnet_snapshot *next, const struct change *changes, size_t count)
{
#ifdef CORE_ENCODES
    publish_by_message(s, next, changes, count);
#else
    tailnet_publish(s->tailnet, next, changes, count);
#endif
}

void readers_hear(struct core_state *s, const struct event *e)
{
#ifdef CORE_ENCODES
    hear_by_message(s, e);
#else
    deliver(s, e);
#endif
}
