/* SPDX-License-Identifier: BSD-3-Clause */
/* What would happen to routes if: routers go away, come, are drained, approved, added, or the policy becomes another
 * one. Nothing is changed: the elections are a copy, and the policy's views are made for the question. Whoever serves
 * is elected by routes/, what each node is shown comes from policy/: the answer is what the daemon itself would do. */
#ifndef SERVER_WHATIF_WHATIF_H
#define SERVER_WHATIF_WHATIF_H

#include "base/arena.h"
#include "model/api.h"
#include "policy/policy.h"
#include "routes/routes.h"
#include "tailnet/policy_input.h"

enum whatif_kind {
    WHATIF_DOWN,   /* goes offline */
    WHATIF_UP,     /* comes online, and answers */
    WHATIF_SILENT, /* stays connected but answers no probe */
    WHATIF_DRAIN,
    WHATIF_UNDRAIN,
    WHATIF_PRIORITY, /* an administrator sets it */
    WHATIF_APPROVE,
    WHATIF_REVOKE,
    WHATIF_ADVERTISE,
    WHATIF_WITHDRAW,
    WHATIF_PRIMARY, /* an administrator makes it serve the prefixes */
    WHATIF_EXPIRE,
    WHATIF_AUTHORIZE,   /* an administrator approves the machine */
    WHATIF_UNAUTHORIZE, /* and takes that back */
    WHATIF_DELETE,
    WHATIF_SET, /* how prefixes are served, instead of as now; names no node */
    WHATIF_ADD, /* a node that does not exist yet: online, and it advertises the prefixes */
    WHATIF_KINDS
};
const char *whatif_kind_name(int kind); /* "down", ... as in the API */

struct whatif_change {
    int kind;         /* enum whatif_kind */
    const char *node; /* id, name or address; for WHATIF_ADD its name; NULL for WHATIF_SET */
    struct prefixes prefixes;
    struct strs tags;  /* WHATIF_ADD: what it is tagged with, or else ... */
    const char *user;  /* ... whose it is */
    const char *via;   /* WHATIF_PRIMARY: within the group of these tags; NULL: for everybody */
    uint64_t priority; /* WHATIF_PRIORITY */
    struct prefix_rule rule;
    unsigned given, reset; /* WHATIF_SET: members of rule (enum rule_member), and those that are as configured again */
};

struct whatif_question {
    const struct tailnet_snapshot *s;
    const struct tailnet_policy_input *input; /* of s */
    struct routes *elections;                 /* a copy of about the same time, which is used up */
    const struct policy_view *before;         /* of s */
    const struct policy *policy;              /* what before is a view of, or the other one; NULL: none */
    bool other_policy;
    const struct whatif_change *changes; /* in this order; all come true together */
    size_t count;
};

#define WHATIF_ROWS    1000 /* of each list that is answered */
#define WHATIF_CHANGES 1000 /* in one question, and prefixes in one of them */

/* Fills *out with memory of the arena; at most WHATIF_ROWS rows each, the weightiest first. An error says which change
 * is impossible, as the daemon would refuse it. */
int whatif_answer(const struct whatif_question *q, struct arena *a, struct api_simulation *out,
                  struct err *e) WARN_UNUSED;

#endif
