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
    const char *actor; /* NULL: that of the present call, or "server" */
    bool by_admin; /* follows from an earlier change by the administrator actor; for the present call this is known */
    const char *object; /* "node", ... */
    uint64_t object_id;
    const char *object_name;
    struct slot *caused_by; /* the node whose client causes it, charged to that node's budget of entries; NULL: none */
    char *detail;           /* taken over; NULL: none */
    char *inverse; /* for an entry that is a change of its own: core_operation_write, taken over; NULL: the call's */
};
/* Adds an entry to the open group, with the formatted text. The returned pointer is borrowed; NULL in a dry run, and if
 * the budget of the node that causes it is used up. */
const struct event *journal(struct core_state *s, const struct event_note *note, const char *format, ...)
    PRINTF_LIKE(3, 4);
/* Gives the entries that a call made the call's inverse, which they share and which names them all. */
void journal_set_inverse(struct core_state *s, struct core_admin *a);
char *text_of_prefixes(const struct prefixes *p);   /* for a sentence: at most five of them; the caller frees */
char *detail_of_prefixes(const struct prefixes *p); /* {"prefixes":[...]}; the caller frees */

#endif
