/* SPDX-License-Identifier: BSD-3-Clause */
/* HEAD /machine/ping-response?id=ID: the answer to a probe. The client may use another connection for it, on another
 * loop than its stream's. */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/str.h"
#include "control/handlers.h"
#include "control/sessions.h"
#include "crypto/crypto.h"

struct ping_answer {
    struct session_group *group;
    struct probe_id id;
};

static void run_answer(void *arg)
{
    struct ping_answer *a = arg;
    struct probe *p = session_probe(a->group, a->id.session);

    if (p)
        probe_answered(p, a->id.secret);
    control_end(a->group->control);
    free(a);
}

void handle_ping_response(struct rpc *rpc, void *arg)
{
    struct control *c = arg;
    struct probe_id id;
    bool has_id = str_starts(rpc->query, "id=");

    if (!has_id || !crypto_unhex(rpc->query + 3, strlen(rpc->query + 3), (uint8_t *)&id, sizeof(id)) ||
        id.group >= c->group_count) {
        rpc_reply(rpc, has_id ? 404 : 400, NULL, "", 0);
        return;
    }
    rpc_reply(rpc, 200, NULL, "", 0);
    struct ping_answer *a = mem_alloc(sizeof(*a));
    *a = (struct ping_answer){&c->groups[id.group], id};
    control_begin(c);
    loop_post(a->group->loop, run_answer, a);
}
