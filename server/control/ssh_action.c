/* SPDX-License-Identifier: BSD-3-Clause */
/* GET /machine/ssh/action/SRC/to/DST?local_user=USER[&auth_id=ID]: Tailscale SSH in check mode. The destination node
 * asks whether the session may continue; the answer is a tailcfg.SSHAction. */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/str.h"
#include "control/handlers.h"
#include "control/request.h"
#include "control/state.h"

#define PREFIX "/machine/ssh/action/"

struct ssh_call {
    struct core_ssh call;
    struct control *control;
    struct loop *loop;
    struct rpc *rpc; /* NULL: the client is gone; for the loop's thread only */
    uint64_t number; /* of the call */
    char user[REQUEST_TEXT_MAX + 1], auth_id[AUTH_ID_LEN + 1];
};

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c = (char)(c | 0x20);
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* The decoded value of a query parameter; false if it is absent, too long or not text. */
static bool query_value(const char *query, const char *name, char *out, size_t size)
{
    size_t len = strlen(name), n = 0;

    while (query && *query && (strncmp(query, name, len) != 0 || query[len] != '=')) {
        query = strchr(query, '&');
        query = query ? query + 1 : NULL;
    }
    if (!query || !*query)
        return false;
    for (const char *p = query + len + 1; *p && *p != '&'; p++) {
        int high = *p == '%' ? hex_digit(p[1]) : -1, low = high >= 0 ? hex_digit(p[2]) : -1;
        char c = *p == '+' ? ' ' : *p;
        if (*p == '%') {
            if (low < 0)
                return false;
            c = (char)(high << 4 | low);
            p += 2;
        }
        if (n + 1 >= size || !c)
            return false;
        out[n++] = c;
    }
    out[n] = '\0';
    return str_check(out, size, true, name, NULL) == 0;
}

/* "12/to/34" */
static int read_ids(const char *path, uint64_t *source, uint64_t *target, struct err *e)
{
    char first[24];
    const char *to = strstr(path, "/to/");

    if (!to || (size_t)(to - path) >= sizeof(first))
        return err_set(e, ERR_INVALID, "the path must be %sID/to/ID", PREFIX);
    memcpy(first, path, (size_t)(to - path));
    first[to - path] = '\0';
    if (str_u64(first, 1, INT64_MAX, source, "source", e) < 0 || str_u64(to + 4, 1, INT64_MAX, target, "target", e) < 0)
        return ERR_INVALID;
    return 0;
}

static void put_message(struct json_out *o, const char *text)
{
    json_put_str(o, "message", text);
}

/* Held: the client prints the message and asks again at the URL, which answers once someone has decided. */
static void put_hold(struct json_out *o, const struct ssh_call *q)
{
    const struct tailnet_snapshot *s = tailnet_pin(q->control->options.tailnet);
    const char *server = s->settings->server_url;
    struct buf user = BUF_INIT(0);

    for (const char *p = q->user; *p; p++) {
        bool plain = (*p >= 'a' && *p <= 'z') || (*p >= 'A' && *p <= 'Z') || (*p >= '0' && *p <= '9') ||
                     strchr("-_.~", *p) != NULL;
        if (plain)
            buf_addc(&user, *p);
        else
            buf_addf(&user, "%%%02X", (unsigned char)*p);
    }
    char *next =
        mem_format("%s" PREFIX "%llu/to/%llu?local_user=%s&auth_id=%s", server, (unsigned long long)q->call.source_id,
                   (unsigned long long)q->call.target_id, buf_text(&user), q->call.new_auth_id);
    char *message = mem_format("# This session needs to be approved.\n# To approve it, visit: %s/auth/%s\n", server,
                               q->call.new_auth_id);
    put_message(o, message);
    json_put_str(o, "holdAndDelegate", next);
    free(next);
    free(message);
    buf_release(&user);
    tailnet_unpin(s);
}

static void answer(struct ssh_call *q)
{
    struct buf text = BUF_INIT(0);
    struct json_out o = JSON_OUT(&text);

    if (q->call.call.code < 0 && q->call.call.code != ERR_DENIED) {
        rpc_reply_text(q->rpc, err_http(q->call.call.code), "%s\n", q->call.call.err.message);
        return;
    }
    json_open(&o, '{');
    if (q->call.call.code == 0 && q->call.accepted) {
        json_put_bool(&o, "accept", true);
        json_put_bool(&o, "allowAgentForwarding", true);
        json_put_bool(&o, "allowLocalPortForwarding", true);
        json_put_bool(&o, "allowRemotePortForwarding", true);
    } else if (q->call.call.code == 0 && q->call.undecided) {
        put_hold(&o, q);
    } else {
        put_message(&o, "# This session was refused.\n");
        json_put_bool(&o, "reject", true);
    }
    json_close(&o, '}');
    rpc_reply(q->rpc, 200, "application/json", text.data, text.len);
    buf_release(&text);
}

static void finish(void *arg)
{
    struct ssh_call *q = arg;

    if (q->rpc) {
        q->rpc->user = NULL;
        q->rpc->on_close = NULL;
        answer(q);
    }
    control_end(q->control);
    free(q);
}

/* Called on the core's thread. */
static void on_done(struct core_call *call)
{
    struct ssh_call *q = call->owner;

    loop_post(q->loop, finish, q);
}

static void on_close(struct rpc *rpc, enum rpc_end why)
{
    struct ssh_call *q = rpc->user;

    (void)why;
    q->rpc = NULL;
    core_cancel(q->control->options.core, q->number);
}

/* Only the destination node may ask. Other callers cannot find out which nodes exist. */
static int check_caller(struct control *c, const struct rpc *rpc, uint64_t target, struct err *e)
{
    const struct tailnet_snapshot *s = tailnet_pin(c->options.tailnet);
    const struct tailnet_node *n = snapshot_node_by_id(s, target);
    int code = 0;

    if (!n || memcmp(n->record->machine_key, rpc_conn_machine_key(rpc->conn), KEY_LEN) != 0)
        code = err_set(e, ERR_UNAUTHENTICATED, "node %llu is not yours", (unsigned long long)target);
    tailnet_unpin(s);
    return code;
}

static int read_call(struct control *c, const struct rpc *rpc, struct ssh_call *q, struct err *e)
{
    int code = read_ids(rpc->path + strlen(PREFIX), &q->call.source_id, &q->call.target_id, e);

    if (code == 0)
        code = check_caller(c, rpc, q->call.target_id, e);
    if (code < 0)
        return code;
    if (!query_value(rpc->query, "local_user", q->user, sizeof(q->user)))
        q->user[0] = '\0';
    q->call.user = q->user;
    if (strstr(rpc->query, "auth_id=")) {
        if (!query_value(rpc->query, "auth_id", q->auth_id, sizeof(q->auth_id)))
            return err_field(e, ERR_INVALID, "auth_id", "auth_id is not one of this server");
        q->call.auth_id = q->auth_id;
    }
    return 0;
}

void handle_ssh_action(struct rpc *rpc, void *arg)
{
    struct control *c = arg;
    struct ssh_call *q = mem_alloc(sizeof(*q));
    struct err e;

    int code = read_call(c, rpc, q, &e);
    if (code < 0) {
        rpc_reply_text(rpc, err_http(code), "%s\n", e.message);
        free(q);
        return;
    }
    q->call.call.done = on_done;
    q->call.call.owner = q;
    q->control = c;
    q->loop = rpc->loop;
    q->rpc = rpc;
    rpc->user = q;
    rpc->on_close = on_close;
    control_begin(c);
    q->number = core_ssh(c->options.core, &q->call);
}
