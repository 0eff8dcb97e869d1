/* SPDX-License-Identifier: BSD-3-Clause */
/* Calls as messages: a request is copied in with all that it points to, the answer is moved out, both by the tables of
 * message/calls.h. Built with CORE_ENCODES, which tests are, both are written as bytes and read from these. */
#ifndef SERVER_CORE_STATE_MESSAGE_H
#define SERVER_CORE_STATE_MESSAGE_H

#include "core/message/calls.h"

struct call_kind {
    const struct call_message *message; /* NULL: what is asked for lies in this process and cannot leave it */
    size_t size;
    void (*run)(struct core_state *s, struct core_call *call);
    void (*settle)(struct core_call *call);                          /* before the answer; or NULL */
    void (*hand_over)(struct core_call *to, struct core_call *from); /* of one without a message */
    bool keeps; /* when it is run again it goes on from its answer: it has opened a session */
};

/* The core's copy of a call, which owns everything that it points to. */
struct core_call *call_copy(const struct call_kind *kind, struct core_call *sender);
/* Moves the answer into the sender's call, frees the copy and tells the sender. */
void call_answer(struct core_call *call);
/* As it was when it came: the answer, which was not given, is let go. */
void call_reset(struct core_call *call);
void call_free(struct core_call *call); /* without an answer */

#endif
