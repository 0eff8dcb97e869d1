/* SPDX-License-Identifier: BSD-3-Clause */
/* Does the client behind an open connection still work? A PING is answered by its HTTP/2 library even where the rest
 * hangs. So a router is now and then asked, in its map stream, to call back (tailcfg.PingRequest without Types: a HEAD
 * of the URL, inside Noise). Who does not is unhealthy, and another router serves; its stream stays open, and it is
 * asked on. */
#include "base/array.h"
#include "base/random.h"
#include "control/upper.h"
#include "crypto/crypto.h"

#define RISE          3    /* answers in a row that make an unhealthy client healthy again */
#define RISE_EVERY_MS 1000 /* between their questions */

/* What the URL carries, in hexadecimal digits. */
struct probe_id {
    uint64_t group, session, secret;
};

static void on_timer(struct loop_timer *t);

static void wait_for(struct probe *p, int64_t ms)
{
    p->state = PROBE_IDLE;
    p->secret = 0;
    loop_timer_set(p->group->loop, &p->timer, ms, on_timer);
}

static void wait_interval(struct probe *p)
{
    wait_for(p, p->sick ? RISE_EVERY_MS : p->interval_ms - (int64_t)random_below((uint64_t)p->interval_ms / 10 + 1));
}

static void judge(struct probe *p, bool sick)
{
    if (p->sick == sick)
        return;
    p->sick = sick;
    core_session_health(p->group->control->options.core, p->session, !sick);
}

/* One miss of a stream that never answered is forgiven: a client that has just connected has a lot to do. */
static void missed(struct probe *p)
{
    bool forgiven = !p->answered && !p->missed;

    p->missed = true;
    p->row = 0;
    if (!forgiven)
        judge(p, true);
    wait_interval(p);
}

static void on_timer(struct loop_timer *t)
{
    struct probe *p = CONTAINER_OF(t, struct probe, timer);

    if (p->state == PROBE_OUT) {
        missed(p);
    } else {
        p->state = PROBE_DUE;
        rpc_stream_ready(p->rpc);
    }
}

void probe_init(struct probe *p, struct group *group, struct rpc *rpc, uint64_t session)
{
    *p = (struct probe){.group = group, .rpc = rpc, .session = session};
}

void probe_set(struct probe *p, int64_t interval_ms, int64_t timeout_ms)
{
    bool was_on = p->interval_ms != 0;

    p->interval_ms = interval_ms;
    p->timeout_ms = timeout_ms;
    if (interval_ms && !was_on) {
        wait_for(p, interval_ms / 2 + (int64_t)random_below((uint64_t)interval_ms / 2 + 1));
    } else if (!interval_ms && was_on) {
        judge(p, false);
        probe_stop(p);
    }
}

void probe_stop(struct probe *p)
{
    loop_timer_stop(p->group->loop, &p->timer);
    p->state = PROBE_IDLE;
    p->secret = 0;
}

void probe_ask(struct probe *p, struct rpc_bytes *out, bool zstd)
{
    struct group *g = p->group;
    struct buf url = BUF_INIT(0);
    struct netmap_message m = {0};
    struct probe_id id;

    if (p->state != PROBE_DUE || p->secret)
        return;
    while (!p->secret)
        random_bytes(&p->secret, sizeof(p->secret));
    id = (struct probe_id){loop_index(g->loop), p->session, p->secret};
    buf_adds(&url, "https://unused/machine/ping-response?id=");
    crypto_hex(&url, &id, sizeof(id));
    netmap_ping(g->control->options.netmap, buf_text(&url), zstd, &m);
    buf_release(&url);
    message_to_rpc(out, &m);
}

void probe_written(struct probe *p)
{
    if (p->state != PROBE_DUE || !p->secret)
        return;
    p->state = PROBE_OUT;
    loop_timer_set(p->group->loop, &p->timer, p->timeout_ms, on_timer);
}

/* ---- answers ---- */

struct answer {
    struct group *group;
    struct probe_id id;
};

static void run_answer(void *arg)
{
    struct answer *a = arg;
    struct probe *p = session_probe(a->group, a->id.session);

    if (p && p->secret && p->secret == a->id.secret) {
        log_debug("control", "%s answers the probe", rpc_conn_peer_text(p->rpc->conn));
        p->answered = true;
        p->missed = false;
        if (p->sick && ++p->row >= RISE)
            judge(p, false);
        wait_interval(p);
    }
    control_end(a->group->control);
    free(a);
}

/* The id is the credential: nobody else knows it, and it counts once. The client may use a connection of its own for
 * this, on another loop. */
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
    struct answer *a = mem_alloc(sizeof(*a));
    *a = (struct answer){&c->groups[id.group], id};
    control_begin(c);
    loop_post(a->group->loop, run_answer, a);
}
