/* SPDX-License-Identifier: BSD-3-Clause */
/* Calls as messages: a request is copied in with all that it points to, and the answer is moved out, both by the tables
 * of message/calls.h. Built with CORE_ENCODES, as tests are, both are encoded to bytes and decoded from them. */
#ifndef SERVER_CORE_STATE_MESSAGE_H
#define SERVER_CORE_STATE_MESSAGE_H

#include "core/message/calls.h"

struct call_kind {
    const struct call_message *message; /* NULL: it refers to objects in this process and cannot leave it */
    size_t size;
    void (*run)(struct core_state *s, struct core_call *call);
    void (*settle)(struct core_call *call);                          /* before the answer; or NULL */
    void (*hand_over)(struct core_call *to, struct core_call *from); /* for a kind without a message */
    bool keeps; /* when run again it continues from its answer: it has opened a session */
};

/* The core's copy of a call, which owns everything that it points to. */
struct core_call *call_copy(const struct call_kind *kind, struct core_call *sender);
/* Moves the answer into the sender's call, frees the copy and notifies the sender. */
void call_answer(struct core_call *call);
/* Restores the call as it arrived: frees the answer, which was not given. */
void call_reset(struct core_call *call);
void call_free(struct core_call *call); /* without an answer */

#endif
