/* SPDX-License-Identifier: BSD-3-Clause */
/* The part that all calls of the core begin with. The sender fills in a call and keeps it until done is called. The
 * core works on a copy that owns all that it points to, and writes back only the answer: what the request points to
 * need not outlive the sending, and a call may just as well come from another daemon. */
#ifndef SERVER_CORE_CALL_H
#define SERVER_CORE_CALL_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"

struct core;
struct core_state;
struct call_kind;
struct pending_request;

struct core_call {
    void (*done)(struct core_call *call); /* on the core's thread: post to your own loop from it */
    void *owner;                          /* the sender's */
    int code;                             /* 0 or an err_code */
    struct err err;
    /* below: the core's, in its copy */
    void (*run)(struct core_state *state, struct core_call *call);
    const struct call_kind *kind;
    struct core_call *sender; /* the call to answer; NULL: none */
    struct core_call *next, *before;
    uint64_t number;                   /* identifies it until it is answered */
    struct pending_request *waits_for; /* the request whose decision it waits for */
    bool again;                        /* being decided a second time: its group was refused */
    bool alone; /* in a group of its own: its own group was refused, not one that it depended on */
};

#endif
