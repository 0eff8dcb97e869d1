/* SPDX-License-Identifier: BSD-3-Clause */
/* Entries of the journal. */
#ifndef SERVER_CORE_STATE_JOURNAL_H
#define SERVER_CORE_STATE_JOURNAL_H

#include "base/err.h"
#include "model/events.h"
#include "model/record.h"

struct core_admin;
struct core_state;
struct slot;

struct event_note {
    enum event_id id;
    const char *actor;  /* NULL: of the present call, or "server" */
    bool by_admin;      /* it follows what the administrator actor changed before; of the present call it is known */
    const char *object; /* "node", ... */
    uint64_t object_id;
    const char *object_name;
    struct slot *caused_by; /* the node whose client causes it, out of the node's budget of entries; NULL: nobody's */
    char *detail;           /* taken over; NULL: none */
    char *inverse; /* of an entry that is a change by itself: core_operation_write, taken over; NULL: the call's */
};
/* Adds an entry to the open group, with the text by format. The returned pointer is borrowed, NULL in a dry
 * run and where the budget of the node that causes it is used up. */
const struct event *journal(struct core_state *s, const struct event_note *note, const char *format, ...)
    PRINTF_LIKE(3, 4);
/* The entries that a call made share the inverse of the call, which then names them all. */
void journal_set_inverse(struct core_state *s, struct core_admin *a);
char *text_of_prefixes(const struct prefixes *p);   /* for a sentence: at most five of them; the caller's */
char *detail_of_prefixes(const struct prefixes *p); /* {"prefixes":[...]}; the caller's */

#endif
