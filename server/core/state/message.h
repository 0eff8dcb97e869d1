/* SPDX-License-Identifier: BSD-3-Clause */
/* Calls as messages: a request is copied in with all that it points to, the answer is moved out. */
#ifndef SERVER_CORE_STATE_MESSAGE_H
#define SERVER_CORE_STATE_MESSAGE_H

#include <stddef.h>

#include "core/core.h"

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
    void (*reset)(struct core_call *call);                        /* lets go of them, to be run again; or NULL */
    const struct call_part *parts;
    size_t part_count;
};

/* The core's copy of a call, which owns everything that it points to. */
struct core_call *call_copy(const struct call_kind *kind, struct core_call *sender);
/* Moves the answer into the sender's call, frees the copy and tells the sender. */
void call_answer(struct core_call *call);
/* As it was when it came: the answer, which was not given, is let go. */
void call_reset(struct core_call *call);
void call_free(struct core_call *call); /* without an answer */

#endif
