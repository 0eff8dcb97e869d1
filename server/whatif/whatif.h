/* SPDX-License-Identifier: BSD-3-Clause */
/* What would happen to routes if routers go offline, come online, or are drained, approved or added, or if the policy
 * is replaced. Nothing is changed: the elections are a copy, and the policy's views are made for the question. routes/
 * elects and policy/ decides what each node sees, so the answer is what the daemon itself would do. */
#ifndef SERVER_WHATIF_WHATIF_H
#define SERVER_WHATIF_WHATIF_H

#include "base/arena.h"
#include "model/api.h"
#include "policy/policy.h"
#include "routes/routes.h"
#include "tailnet/policy_input.h"

enum whatif_kind {
    WHATIF_DOWN,   /* goes offline */
    WHATIF_UP,     /* comes online and answers */
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
    WHATIF_UNAUTHORIZE, /* an administrator revokes that */
    WHATIF_DELETE,
    WHATIF_SET, /* sets how prefixes are served; names no node */
    WHATIF_ADD, /* a node that does not exist yet: online and advertising the prefixes */
    WHATIF_KINDS
};
const char *whatif_kind_name(int kind); /* "down", ... as in the API */

struct whatif_change {
    int kind;         /* enum whatif_kind */
    const char *node; /* id, name or address; for WHATIF_ADD its name; NULL for WHATIF_SET */
    struct prefixes prefixes;
    struct strs tags;  /* WHATIF_ADD: its tags, or else ... */
    const char *user;  /* ... its owner */
    const char *via;   /* WHATIF_PRIMARY: within the group of these tags; NULL: for everyone */
    uint64_t priority; /* WHATIF_PRIORITY */
    struct prefix_rule rule;
    unsigned given, reset; /* WHATIF_SET: members of rule (enum rule_member) to set, and those that follow the
                              configuration again */
};

struct whatif_question {
    const struct tailnet_snapshot *s;
    const struct tailnet_policy_input *input; /* of s */
    struct routes *elections;                 /* a copy from about the same time, which is used up */
    const struct policy_view *before;         /* of s */
    const struct policy *policy;              /* the policy of before, or another one; NULL: none */
    bool other_policy;
    const struct whatif_change *changes; /* in this order; all take effect together */
    size_t count;
};

#define WHATIF_ROWS    1000 /* in each list of the answer */
#define WHATIF_CHANGES 1000 /* in one question, and prefixes in one change */

/* Fills *out with memory of the arena; at most WHATIF_ROWS rows per list, the most important first. An error names the
 * impossible change in the daemon's words. */
int whatif_answer(const struct whatif_question *q, struct arena *a, struct api_simulation *out,
                  struct err *e) WARN_UNUSED;

#endif
