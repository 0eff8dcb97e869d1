/* SPDX-License-Identifier: BSD-3-Clause */
/* Every other call that a client makes, and the table of all. A call for something not offered here is answered with
 * a text that the client shows or logs; no call is left hanging. Sources: tailcfg, control/controlclient,
 * ipn/localapi. */
#include "control/paths.h"

#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/log.h"
#include "control/ask.h"
#include "control/handlers.h"
#include "control/request.h"

static void answer_nothing(struct rpc *rpc, void *arg)
{
    (void)arg;
    rpc_reply(rpc, 204, NULL, "", 0);
}

static void answer_done(struct rpc *rpc, void *arg)
{
    (void)arg;
    rpc_reply(rpc, 200, "application/json", "{}", 2);
}

static void answer_whoami(struct rpc *rpc, void *arg)
{
    char key[KEY_TEXT_MAX];

    (void)arg;
    rpc_reply_text(rpc, 200, "%s from %s\n", key_format("mkey:", rpc_conn_machine_key(rpc->conn), key),
                   rpc_conn_peer_text(rpc->conn));
}

/* tailcfg.QueryFeatureResponse: funnel and serve send a query before they use a capability that the node lacks. */
static void answer_feature(struct rpc *rpc, void *arg)
{
    static const char text[] = "{\"Text\":\"this server does not offer that feature\"}";

    (void)arg;
    rpc_reply(rpc, 200, "application/json", text, sizeof(text) - 1);
}

/* tailcfg.HealthChangeRequest, from clients up to v1.88: their problems are logged for the operator. */
static void note_health(struct rpc *rpc, void *arg)
{
    static struct log_limit limit;
    json_t *root = NULL;

    if (json_read((const char *)rpc->body, rpc->body_len, REQUEST_TEXT_MAX * 16, "health change", &root, NULL) == 0) {
        char *subsystem = str_clean(json_text(root, "Subsys", ""), 64);
        char *error = str_clean(json_text(root, "Error", ""), REQUEST_TEXT_MAX);
        if (*error)
            log_limited(&limit, 10, LOG_LEVEL_INFO, "control", "%s reports trouble with %s: %s",
                        rpc_conn_peer_text(rpc->conn), subsystem, error);
        free(subsystem);
        free(error);
    }
    json_decref(root);
    answer_nothing(rpc, arg);
}

static void not_offered(struct rpc *rpc, void *arg)
{
    (void)arg;
    rpc_reply_text(rpc, 501, "this server does not offer %.100s\n", rpc->path);
}

const struct rpc_route control_paths[] = {
    {"POST", "/machine/map", false, handle_map},
    {"POST", "/machine/register", false, handle_register},
    {"GET", "/machine/ssh/action/", true, handle_ssh_action},
    {"POST", "/machine/update-health", false, note_health},
    {"POST", "/machine/audit-log", false, answer_done},
    {"POST", "/machine/feature/query", false, answer_feature},
    {"GET", "/machine/whoami", false, answer_whoami},
    {"HEAD", "/machine/ping-response", false, handle_ping_response},
    {"POST", QUESTION_URL_PATH, true, handle_answer},
    {"POST", "/machine/set-dns", false, not_offered},
    {"PATCH", "/machine/set-device-attr", false, not_offered},
    {"POST", "/machine/id-token", false, not_offered},
    {NULL, "/machine/webclient/", true, not_offered},
    {NULL, "/machine/tka/", true, not_offered},
};
const size_t control_path_count = ARRAY_LEN(control_paths);
