/* SPDX-License-Identifier: BSD-3-Clause */
/* The contents of calls to the core and of their answers, member by member. A member without a row does not arrive. */
#ifndef SERVER_CORE_MESSAGE_CALLS_H
#define SERVER_CORE_MESSAGE_CALLS_H

#include "core/core.h"
#include "core/message/members.h"

enum call_message_id {
    CALL_REGISTER,
    CALL_MAP,
    CALL_SSH,
    CALL_ADMIN,
    CALL_LOGIN,
    /* Without an answer: struct core_notice. */
    CALL_CANCEL,
    CALL_SESSION_END,
    CALL_SESSION_DEAD,
    CALL_SESSION_HEALTH,
    CALL_NODE_CLONED,
    CALL_NODE_WARNINGS,
    CALL_REACH,
    CALL_PROBE_PATH,
    CALL_NODE_ASKED,
    CALL_FOLLOWERS,
    CALL_APIKEY_SEEN,
    CALL_WEBHOOK_PROGRESS,
    CALL_MESSAGES
};

struct call_message {
    const char *name;
    struct members request, answer;
    struct members own; /* in neither request nor answer: what the core keeps with its copy */
};
extern const struct call_message call_messages[CALL_MESSAGES];
/* Also used by publications. */
extern const struct members addr_port_table, warning_table;
extern const struct members call_result; /* in each answer besides: code and err */

struct core_notice {
    struct core_call call;
    uint64_t number; /* of a call, session, node or key */
    uint32_t which;
    int64_t ms;
    const char *text, *actor, *detail;
    struct node_warnings warnings;
    struct core_reach reach;     /* its evidence is text */
    struct core_webhook webhook; /* its trouble is text */
};

#endif
