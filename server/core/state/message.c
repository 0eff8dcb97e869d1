/* SPDX-License-Identifier: BSD-3-Clause */
/* Copies requests into the core, and answers out of it. */
#include "core/state/message.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/mem.h"
#include "base/vec.h"

/* Built with CORE_ENCODES, passes members through bytes, as between two daemons. The program must be able to read what
 * it wrote. */
static void carry(const struct members *m, void *object)
{
#ifdef CORE_ENCODES
    struct buf bytes = BUF_INIT(0);
    struct err e = {0};

    members_encode(m, object, &bytes);
    members_release(m, object);
    if (members_decode(m, buf_text(&bytes), bytes.len, object, &e) < 0) {
        fprintf(stderr, "a call cannot be read again: %s\n", e.message);
        abort();
    }
    buf_release(&bytes);
#else
    (void)m;
    (void)object;
#endif
}

struct core_call *call_copy(const struct call_kind *kind, struct core_call *sender)
{
    struct core_call *call = mem_alloc(kind->size);

    if (kind->message) {
        members_copy(&kind->message->request, call, sender);
        carry(&kind->message->request, call);
    }
    call->done = sender->done;
    call->owner = sender->owner;
    call->kind = kind;
    call->sender = sender;
    call->run = kind->run;
    return call;
}

void call_free(struct core_call *call)
{
    if (call->kind->message) {
        members_release(&call->kind->message->request, call);
        members_release(&call->kind->message->own, call);
    }
    free(call);
}

void call_reset(struct core_call *call)
{
    if (call->kind->message && !call->kind->keeps)
        members_release(&call->kind->message->answer, call);
    call->code = 0;
    call->err = (struct err){0};
}

void call_answer(struct core_call *call)
{
    struct core_call *sender = call->sender;

    if (!sender) { /* the core's own call */
        call->done(call);
        return;
    }
    if (call->kind->settle)
        call->kind->settle(call);
    sender->code = call->code;
    sender->err = call->err;
    if (call->kind->message) {
        members_move(&call->kind->message->answer, sender, call);
        carry(&call->kind->message->answer, sender);
        carry(&call_result, sender);
    } else {
        call->kind->hand_over(sender, call);
    }
    call_free(call);
    sender->done(sender);
}

void core_events_release(struct core_events *events)
{
    for (size_t i = 0; i < events->len; i++)
        record_unref(events->items[i]);
    vec_release(events);
}
