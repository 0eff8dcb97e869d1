/* SPDX-License-Identifier: BSD-3-Clause */
/* Watches whether the tests of the policy in force pass: nodes, users and routes change after it was accepted. A thread
 * of its own compiles the policy over a snapshot, within the budget of a check: soon after the policy changes,
 * otherwise once what a policy depends on has not changed for some seconds, and only for a small part of the time. */
#ifndef SERVER_API_REQUEST_POLICY_WATCH_H
#define SERVER_API_REQUEST_POLICY_WATCH_H

#include "api/api.h"

struct policy_watch;

struct policy_tests {
    size_t tests, failing; /* of the sections tests and sshTests; failing counts expectations, not entries */
    char first[300];       /* a sentence about the first failure */
    int64_t since_ns;      /* when the first of these failures began */
};

int policy_watch_start(struct api *api, struct policy_watch **out, struct err *e) WARN_UNUSED;
void policy_watch_stop(struct policy_watch *w); /* NULL is allowed */

/* The last result; zeroed before the first one. */
void policy_watch_read(struct policy_watch *w, struct policy_tests *out);

#endif
