/* SPDX-License-Identifier: BSD-3-Clause */
/* POST /machine/register. What a user must read is sent as 200 with Error: a client shows nothing else. */
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/random.h"
#include "base/str.h"
#include "control/handlers.h"
#include "control/min_version.h"
#include "control/request.h"
#include "control/state.h"

#define QUEUE_MAX 20000 /* waiting calls of the core: beyond that, clients are asked to retry */

struct register_call {
    struct core_register call;
    struct control *control;
    struct loop *loop;
    struct rpc *rpc;  /* NULL: the client is gone; for the loop's thread only */
    uint64_t number;  /* of the call */
    atomic_bool done; /* the core has answered */
    bool followup;
    unsigned version;
};

static void put_user(struct json_out *o, const struct user *u)
{
    json_key(o, "User");
    json_open(o, '{');
    json_put_u64(o, "ID", u ? u->r.id : TAGGED_USER_ID);
    json_put_str(o, "DisplayName", u ? user_display(u) : "Tagged Devices");
    if (u && *u->picture_url)
        json_put_str(o, "ProfilePicURL", u->picture_url);
    if (u && u->created_ns)
        json_put_time(o, "Created", u->created_ns);
    json_close(o, '}');
    json_key(o, "Login");
    json_open(o, '{');
    json_put_u64(o, "ID", u ? u->r.id : TAGGED_USER_ID);
    json_put_str(o, "Provider", u ? u->provider : "");
    json_put_str(o, "LoginName", u ? user_login(u) : "tagged-devices");
    json_put_str(o, "DisplayName", u ? user_display(u) : "Tagged Devices");
    json_close(o, '}');
}

struct register_response {
    bool logged_in, key_expired;
    const struct user *user; /* for logged_in; NULL: tagged */
    const char *auth_url, *error;
};

static void reply(struct rpc *rpc, const struct register_response *r)
{
    static const char nobody[] = "{\"ID\":0,\"DisplayName\":\"\"}";
    static const char no_login[] = "{\"ID\":0,\"Provider\":\"\",\"LoginName\":\"\",\"DisplayName\":\"\"}";
    struct buf text = BUF_INIT(0);
    struct json_out o = JSON_OUT(&text);

    json_open(&o, '{');
    if (r->logged_in) {
        put_user(&o, r->user);
    } else {
        json_key(&o, "User"), json_raw(&o, nobody, sizeof(nobody) - 1);
        json_key(&o, "Login"), json_raw(&o, no_login, sizeof(no_login) - 1);
    }
    json_put_bool(&o, "NodeKeyExpired", r->key_expired);
    json_put_bool(&o, "MachineAuthorized", r->logged_in);
    json_put_str(&o, "AuthURL", r->auth_url ? r->auth_url : "");
    json_key(&o, "NodeKeySignature"), json_nil(&o);
    json_put_str(&o, "Error", r->error ? r->error : "");
    json_close(&o, '}');
    rpc_reply(rpc, 200, "application/json", text.data, text.len);
    buf_release(&text);
}

static void reply_url(struct register_call *r)
{
    const struct tailnet_snapshot *s = tailnet_pin(r->control->options.tailnet);
    char *url = mem_format("%s/register/%s", s->settings->server_url, r->call.auth_id);

    tailnet_unpin(s);
    reply(r->rpc, &(struct register_response){.auth_url = url});
    free(url);
}

static void ask_to_come_again(struct rpc *rpc)
{
    rpc_retry_after(rpc, 1 + (unsigned)random_below(10));
    rpc_reply_text(rpc, 429, "the server is busy\n");
}

static void answer(struct register_call *r)
{
    struct rpc *rpc = r->rpc;

    if (r->call.call.code == ERR_BUSY || r->call.call.code == ERR_UNAVAILABLE) {
        /* A retry helps, and the user can do nothing about it; but a client that cannot retry must show the reason. */
        if (r->version >= 137) {
            ask_to_come_again(rpc);
            return;
        }
    }
    if (r->call.call.code < 0) {
        reply(rpc, &(struct register_response){.error = r->call.call.err.message});
        return;
    }
    switch (r->call.result) {
    case REGISTER_DONE:
        rpc_conn_set_standing(rpc->conn, RPC_KNOWN);
        reply(rpc, &(struct register_response){.logged_in = true, .user = r->call.user});
        break;
    case REGISTER_EXPIRED:
        reply(rpc, &(struct register_response){.key_expired = true});
        break;
    case REGISTER_URL:
        reply_url(r);
        break;
    case REGISTER_REFUSED:
        reply(rpc, &(struct register_response){.error = r->call.call.err.message});
        break;
    }
}

static void release(struct register_call *r)
{
    record_unref(r->call.user);
    control_end(r->control);
    free(r);
}

static void finish(void *arg)
{
    struct register_call *r = arg;

    if (r->rpc) {
        r->rpc->user = NULL;
        r->rpc->on_close = NULL;
        answer(r);
        /* It no longer waits and is not a known node either: a stranger, who may only stay connected to read this
         * answer. */
        if (r->followup && (r->call.call.code < 0 || r->call.result != REGISTER_DONE))
            rpc_conn_set_standing(r->rpc->conn, RPC_STRANGER);
    }
    release(r);
}

/* Called on the core's thread. */
static void on_done(struct core_call *call)
{
    struct register_call *r = call->owner;

    atomic_store(&r->done, true);
    loop_post(r->loop, finish, r);
}

static void on_close(struct rpc *rpc, enum rpc_end why)
{
    struct register_call *r = rpc->user;

    (void)why;
    r->rpc = NULL;
    if (r->followup && !atomic_load(&r->done))
        core_cancel(r->control->options.core, r->number);
}

static bool is_busy(struct control *c)
{
    struct core_counters counters;

    core_counters(c->options.core, &counters);
    return counters.queue_length > QUEUE_MAX;
}

static void fill_call(struct register_call *r, const struct register_request *q, struct rpc *rpc)
{
    r->call.call.done = on_done;
    r->call.call.owner = r;
    memcpy(r->call.machine_key, rpc_conn_machine_key(rpc->conn), KEY_LEN);
    memcpy(r->call.node_key, q->node_key, KEY_LEN);
    memcpy(r->call.old_node_key, q->old_node_key, KEY_LEN);
    r->call.auth_key = q->auth_key;
    r->call.followup = q->followup;
    r->call.expiry_ns = q->expiry_ns;
    r->call.ephemeral = q->ephemeral;
    r->call.info = q->client.info;
    r->call.info.cap_version = q->version;
    r->call.info.source = rpc_conn_peer_text(rpc->conn);
    /* This may wait for hours: the first request's data is kept with the pending registration. */
    if (q->followup)
        r->call.info.hostinfo = r->call.info.peer_hostinfo = r->call.info.net_info = NULL;
}

/* Answers what needs no core; true if it did. code: from reading the request. */
static bool refuse(struct control *c, struct rpc *rpc, const struct register_request *q, int code, const struct err *e)
{
    char text[TOO_OLD_TEXT_MAX];
    const char *why = too_old(rpc, q->version, text);

    if (why || code < 0) {
        reply(rpc, &(struct register_response){.error = why ? why : e->message});
        return true;
    }
    if (is_busy(c)) {
        ask_to_come_again(rpc);
        return true;
    }
    return false;
}

static void ask_core(struct control *c, struct rpc *rpc, const struct register_request *q)
{
    struct register_call *r = mem_alloc(sizeof(*r));

    r->control = c;
    r->loop = rpc->loop;
    r->rpc = rpc;
    r->followup = q->followup != NULL;
    r->version = q->version;
    rpc->user = r;
    rpc->on_close = on_close;
    fill_call(r, q, rpc);
    if (r->followup)
        rpc_conn_set_standing(rpc->conn, RPC_WAITING);
    control_begin(c);
    r->number = core_register(c->options.core, &r->call); /* copies what it needs */
}

void handle_register(struct rpc *rpc, void *arg)
{
    struct control *c = arg;
    struct register_request q;
    struct err e;
    int code = register_request_read(rpc->body, rpc->body_len, &q, &e);

    rpc_drop_body(rpc);
    if (!refuse(c, rpc, &q, code, &e))
        ask_core(c, rpc, &q);
    register_request_release(&q);
}
