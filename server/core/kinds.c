/* SPDX-License-Identifier: BSD-3-Clause */
/* The kinds of calls that are answered, and their functions. Notices are in notices.c. */
#include "core/admin/login.h"
#include "core/admin/operations.h"
#include "core/decide/map_request.h"
#include "core/decide/register.h"
#include "core/decide/ssh.h"
#include "core/state/message.h"
#include "core/state/queue.h"
#include "core/state/state.h"
#include "core/state/transaction.h"
#include "core/thread.h"

/* A refused call has no effects, but its problems are reported. */
static void settle_admin(struct core_call *call)
{
    struct core_admin *a = (struct core_admin *)call;
    struct policy_problems problems = a->problems;

    if (call->code >= 0)
        return;
    a->problems = (struct policy_problems){0};
    members_release(&call_messages[CALL_ADMIN].answer, a);
    a->problems = problems;
}

static void settle_login(struct core_call *call)
{
    if (call->code < 0)
        members_release(&call_messages[CALL_LOGIN].answer, call);
}

static void run_elections(struct core_state *s, struct core_call *call)
{
    ((struct core_elections *)call)->routes = routes_copy(s->routes);
    tx_answer_soon(s, call, 0);
}

static void hand_over_elections(struct core_call *to, struct core_call *from)
{
    ((struct core_elections *)to)->routes = ((struct core_elections *)from)->routes;
}

static uint64_t send_call(struct core *core, const struct call_kind *kind, struct core_call *sender)
{
    return queue_send(&core->state.queue, call_copy(kind, sender));
}

uint64_t core_register(struct core *core, struct core_register *call)
{
    static const struct call_kind kind = {
        &call_messages[CALL_REGISTER], sizeof(*call), register_run, NULL, NULL, false};

    return send_call(core, &kind, &call->call);
}

void core_map(struct core *core, struct core_map *call)
{
    static const struct call_kind kind = {&call_messages[CALL_MAP], sizeof(*call), map_request_run, NULL, NULL, true};

    (void)send_call(core, &kind, &call->call);
}

void core_admin(struct core *core, struct core_admin *call)
{
    static const struct call_kind kind = {
        &call_messages[CALL_ADMIN], sizeof(*call), admin_run, settle_admin, NULL, false};

    (void)send_call(core, &kind, &call->call);
}

void core_elections(struct core *core, struct core_elections *call)
{
    static const struct call_kind kind = {NULL, sizeof(*call), run_elections, NULL, hand_over_elections, false};

    (void)send_call(core, &kind, &call->call);
}

uint64_t core_ssh(struct core *core, struct core_ssh *call)
{
    static const struct call_kind kind = {&call_messages[CALL_SSH], sizeof(*call), ssh_run, NULL, NULL, false};

    return send_call(core, &kind, &call->call);
}

void core_login(struct core *core, struct core_login *call)
{
    static const struct call_kind kind = {
        &call_messages[CALL_LOGIN], sizeof(*call), login_run, settle_login, NULL, false};

    (void)send_call(core, &kind, &call->call);
}
