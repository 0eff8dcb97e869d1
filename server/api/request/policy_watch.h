/* SPDX-License-Identifier: BSD-3-Clause */
/* Whether the tests of the policy in force hold: nodes, users and routes change after it was accepted. A thread of its
 * own compiles the policy over a snapshot, within the budget of a check: soon after the policy changed, else when what
 * a policy looks at has been still for some seconds, and for a small part of the time only. */
#ifndef SERVER_API_REQUEST_POLICY_WATCH_H
#define SERVER_API_REQUEST_POLICY_WATCH_H

#include "api/api.h"

struct policy_watch;

struct policy_tests {
    size_t tests, failing; /* of the sections tests and sshTests; failing counts expectations, not entries */
    char first[300];       /* a sentence about the first of them */
    int64_t since_ns;      /* since when some fail */
};

int policy_watch_start(struct api *api, struct policy_watch **out, struct err *e) WARN_UNUSED;
void policy_watch_stop(struct policy_watch *w); /* NULL is allowed */

/* As last found; zeroed before. */
void policy_watch_read(struct policy_watch *w, struct policy_tests *out);

#endif
