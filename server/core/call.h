/* SPDX-License-Identifier: BSD-3-Clause */
/* What every call of the core begins with. The sender fills a call and keeps it until done is called. The core works on
 * a copy that owns all that it points to, and writes nothing but the answer back: what the request points to need not
 * outlive the sending, and a call can as well come from another daemon. */
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
    void (*done)(struct core_call *call); /* on the core's thread: post to your own loop from there */
    void *owner;                          /* the sender's */
    int code;                             /* 0 or an err_code */
    struct err err;
    /* the core's, of its copy */
    void (*run)(struct core_state *state, struct core_call *call);
    const struct call_kind *kind;
    struct core_call *sender; /* whom it answers; NULL: nobody */
    struct core_call *next, *before;
    uint64_t number;                   /* names it until it is answered */
    struct pending_request *waits_for; /* its decision is waited for */
    bool again;                        /* it is decided once more: its group was refused */
    bool alone; /* in a group of its own: the one that was refused was not decided upon another */
};

#endif
