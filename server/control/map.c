/* SPDX-License-Identifier: BSD-3-Clause */
/* POST /machine/map in its three kinds: the endless stream, the update of the client's data, and a single map on
 * request. */
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/mem.h"
#include "base/str.h"
#include "control/handlers.h"
#include "control/min_version.h"
#include "control/request.h"
#include "control/sessions.h"

struct map_call {
    struct core_map call;
    struct control *control;
    struct loop *loop;
    struct rpc *rpc; /* NULL: the client is gone; for the loop's thread only */
    char source[64]; /* outlives the connection */
    struct map_request request;
};

static void on_close(struct rpc *rpc, enum rpc_end why)
{
    struct map_call *m = rpc->user;

    (void)why;
    m->rpc = NULL;
}

static void answer_once(struct map_call *m, bool gone)
{
    struct netmap *nm = m->control->options.netmap;
    struct netmap_message message = {0};
    struct buf all = BUF_INIT(0);

    if (gone) {
        netmap_goodbye(nm, m->call.node_id ? m->call.node_id : 1, m->request.node_key,
                       m->request.client.info.hostname ? m->request.client.info.hostname : "deleted", m->request.zstd,
                       &message);
    } else {
        const struct tailnet_snapshot *snapshot = tailnet_pin(m->control->options.tailnet);
        struct netmap_session *s = netmap_session_new(nm, &(struct netmap_client){.node_id = m->call.node_id,
                                                                                  .slot = m->call.slot,
                                                                                  .cap_version = m->request.version,
                                                                                  .zstd = m->request.zstd,
                                                                                  .omit_peers = m->request.omit_peers});
        netmap_session_next(s, snapshot, &message);
        netmap_session_free(s);
        tailnet_unpin(snapshot);
    }
    for (size_t i = 0; i < message.len; i++)
        buf_add(&all, message.items[i]->data, message.items[i]->len);
    netmap_message_release(&message);
    rpc_reply(m->rpc, 200, "application/json", all.data, all.len);
    buf_release(&all);
}

static void start_stream(struct map_call *m, bool gone)
{
    const char *hostname = m->request.client.info.hostname;
    struct session_start start = {
        .rpc = m->rpc,
        .client = {.node_id = gone && !m->call.node_id ? 1 : m->call.node_id,
                   .slot = m->call.slot,
                   .cap_version = m->request.version,
                   .zstd = m->request.zstd,
                   .omit_peers = m->request.omit_peers,
                   .redial = m->control->redial},
        .number = gone ? 0 : m->call.session,
        .seq = m->call.seq,
        .hostname = hostname && *hostname ? hostname : "deleted",
    };

    memcpy(start.node_key, m->request.node_key, KEY_LEN);
    session_begin(m->control, &start);
}

static void count_update(struct map_call *m)
{
    struct control *c = m->control;

    atomic_fetch_add(m->call.call.code < 0 ? &c->updates_refused : &c->updates_taken, 1);
}

static void answer(struct map_call *m)
{
    bool gone = m->call.call.code == ERR_GONE;

    if (!m->request.stream && m->request.omit_peers)
        count_update(m);
    if (m->call.call.code < 0 && !(gone && (m->request.stream || !m->request.omit_peers))) {
        rpc_reply_text(m->rpc, err_http(gone ? ERR_MISSING : m->call.call.code), "%s\n", m->call.call.err.message);
        return;
    }
    if (!gone)
        rpc_conn_set_standing(m->rpc->conn, RPC_KNOWN);
    if (m->request.stream)
        start_stream(m, gone);
    else if (m->request.omit_peers)
        rpc_reply(m->rpc, 200, NULL, "", 0);
    else
        answer_once(m, gone);
}

static void finish(void *arg)
{
    struct map_call *m = arg;
    bool refused = m->call.call.code < 0;

    if (m->rpc) {
        m->rpc->user = NULL;
        m->rpc->on_close = NULL;
        answer(m);
    } else {
        refused = true;
    }
    /* no stream will end it */
    if (refused && m->call.session)
        core_session_end(m->control->options.core, m->call.session, closed_why(m->control));
    map_request_release(&m->request);
    control_end(m->control);
    free(m);
}

/* Called on the core's thread. */
static void on_done(struct core_call *call)
{
    struct map_call *m = call->owner;

    loop_post(m->loop, finish, m);
}

static void say_what_was_cut(const struct rpc *rpc, const char *cut)
{
    static struct log_limit limit;

    if (cut)
        log_limited(&limit, 5, LOG_LEVEL_WARN, "control", "%s says more %s than are taken: the rest is left out",
                    rpc_conn_peer_text(rpc->conn), cut);
}

static void fill_call(struct map_call *m, struct rpc *rpc)
{
    const struct map_request *r = &m->request;

    str_copy(m->source, sizeof(m->source), rpc_conn_peer_text(rpc->conn));
    m->call.call.done = on_done;
    m->call.call.owner = m;
    memcpy(m->call.machine_key, rpc_conn_machine_key(rpc->conn), KEY_LEN);
    memcpy(m->call.node_key, r->node_key, KEY_LEN);
    memcpy(m->call.disco_key, r->disco_key, KEY_LEN);
    m->call.stream = r->stream;
    m->call.read_only = r->read_only;
    m->call.has_endpoints = r->has_endpoints;
    m->call.endpoints = r->endpoints;
    m->call.endpoint_count = r->endpoint_count;
    m->call.flags = r->flags;
    m->call.info = r->client.info;
    m->call.info.cap_version = r->version;
    m->call.info.source = m->source;
}

void handle_map(struct rpc *rpc, void *arg)
{
    struct control *c = arg;
    struct map_call *m = mem_alloc(sizeof(*m));
    char text[TOO_OLD_TEXT_MAX];
    struct err e;

    int code = map_request_read(rpc->body, rpc->body_len, &m->request, &e);
    rpc_drop_body(rpc);
    const char *old = too_old(rpc, m->request.version, text);
    if (old || code < 0) {
        rpc_reply_text(rpc, old ? 400 : err_http(code), "%s\n", old ? old : e.message);
        map_request_release(&m->request);
        free(m);
        return;
    }
    say_what_was_cut(rpc, m->request.client.cut);
    m->control = c;
    m->loop = rpc->loop;
    m->rpc = rpc;
    rpc->user = m;
    rpc->on_close = on_close;
    fill_call(m, rpc);
    control_begin(c);
    core_map(c->options.core, &m->call);
}
