/* SPDX-License-Identifier: BSD-3-Clause */
/* Messages between daemons: the first byte says which one the rest is. What is read can be written, and is read as the
 * same again; a publication that fits an empty tailnet makes a snapshot. */
#include <stdlib.h>

#include "core/message/calls.h"
#include "core/message/publication.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(int holds)
{
    if (!holds)
        abort();
}

static void check_members(const struct members *m, const uint8_t *data, size_t size, void *object)
{
    struct buf bytes = BUF_INIT(0), again = BUF_INIT(0);
    void *other = mem_alloc(m->size);
    struct err e;

    if (members_decode(m, data, size, object, &e) == 0) {
        members_encode(m, object, &bytes);
        check(members_decode(m, buf_text(&bytes), bytes.len, other, &e) == 0);
        members_encode(m, other, &again);
        check(again.len == bytes.len && memcmp(buf_text(&again), buf_text(&bytes), bytes.len) == 0);
    }
    members_release(m, other);
    free(other);
    buf_release(&bytes);
    buf_release(&again);
}

static uint32_t slot_of(void *arg, uint64_t id)
{
    (void)arg;
    return id < 200 ? (uint32_t)id : TAILNET_SLOT_NONE;
}

static void check_publication(const uint8_t *data, size_t size)
{
    struct tailnet_snapshot *base = snapshot_edit(NULL), *next;
    struct publication p = {0};
    struct change *changes;
    size_t count;
    struct err e;

    check_members(&publication_table, data, size, &p);
    if (publication_apply(&p, base, slot_of, NULL, &next, &changes, &count, &e) == 0) {
        check(next->seq == count);
        free(changes);
        tailnet_unpin(next);
    }
    members_release(&publication_table, &p);
    tailnet_unpin(base);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const void *record;

    if (!size)
        return 0;
    unsigned which = *data++;
    size--;
    if (which < 2 * CALL_MESSAGES) {
        const struct call_message *c = &call_messages[which % CALL_MESSAGES];
        const struct members *m = which < CALL_MESSAGES ? &c->request : &c->answer;
        void *object = mem_alloc(c->request.size);
        if (m->count)
            check_members(m, data, size, object);
        members_release(m, object);
        free(object);
    } else if (which == 2 * CALL_MESSAGES) {
        if (record_decode(data, size, &record, NULL) == 0)
            record_unref(record);
    } else {
        check_publication(data, size);
    }
    return 0;
}
