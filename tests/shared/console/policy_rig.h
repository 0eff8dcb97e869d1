/* SPDX-License-Identifier: BSD-3-Clause */
/* The console's policy view for tests, without a daemon: opened, edited, reviewed, in conflict. */
#ifndef TESTS_SHARED_POLICY_RIG_H
#define TESTS_SHARED_POLICY_RIG_H

#include "console/policy/policy_page.h"
#include "shared/console_rig.h"

#define RIG_POLICY                                                                                                     \
    "{\n"                                                                                                              \
    "  // who may do what\n"                                                                                           \
    "  \"groups\": {\"group:ops\": [\"alice@\"]},\n"                                                                   \
    "  \"tagOwners\": {\"tag:db\": [\"group:ops\"]},\n"                                                                \
    "  \"acls\": [\n"                                                                                                  \
    "    {\"action\": \"accept\", \"src\": [\"group:ops\"], \"dst\": [\"tag:db:5432\"]},\n"                            \
    "    {\"action\": \"accept\", \"src\": [\"10.20.0.0/16\"], \"dst\": [\"*:443\"]},\n"                               \
    "  ],\n"                                                                                                           \
    "}\n"

/* The answer for a review in which nobody loses access. */
extern const char policy_no_losses[];

char *policy_answer(const char *policy, int version, const char *mode); /* of GET policy; caller frees */
void policy_arrives(struct rig *r, const char *policy, int version, const char *mode);
void policy_settle(struct rig *r);   /* fires the timer of the checks and draws the screen */
void policy_rig_open(struct rig *r); /* with RIG_POLICY as version 41 */
char *policy_typed(struct rig *r);   /* caller frees */
void policy_text_is(struct rig *r, const char *expected);
void policy_review(struct rig *r, const char *answer); /* from the text, after typing a line, to the review */
/* The same, then saves while the server has another text as version 42. */
void policy_conflict(struct rig *r, const char *theirs);

#endif
