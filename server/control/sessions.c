/* SPDX-License-Identifier: BSD-3-Clause */
/* First maps, rounds of deltas, keepalives, and their ends. */
#include "control/sessions.h"

#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/mem.h"
#include "base/random.h"
#include "control/takeover.h"

/* The client gives up after 120 s of silence; a spread keeps a thousand sessions from sending at the same moment. */
#define KEEPALIVE_MS        50000
#define KEEPALIVE_SPREAD_MS 9000
/* The stream of a deleted node ends with that news. The client calls again at once, and if its first map were answered
 * and ended, it would call a hundred times a second: so the next call is kept open, and is sent nothing new. */
#define GOODBYE_MS        (15 * 60 * 1000)
#define ROUTER_TIMEOUT_MS 20000 /* TCP_USER_TIMEOUT */
#define OTHER_TIMEOUT_MS  90000
/* While more streams than this await their first map, or began within the last second or two, rounds are longer: every
 * client that connects reports changes, which are then sent together. */
#define FILLING_BUSY 100
/* First maps during this time show the peers of one moment, so that they share their bytes and the rounds that
 * follow. */
#define FILL_MS 1000

struct map_session {
    struct map_session *next, **place;
    struct session_group *group;
    struct rpc *rpc;
    uint64_t number, node_id, seq;
    struct netmap_session *netmap;
    struct loop_timer keepalive, hold;
    int64_t spoke_ms; /* mono, when the last message was sent */
    struct probe probe;
    struct outgoing_question *questions, **questions_end; /* not sent yet */
    bool due;                                             /* may send: a round, or its first map */
    bool keepalive_due;
    bool filling;  /* its first map is not written yet */
    bool replaced; /* a newer stream took over */
    bool zstd;
    /* for a removed node */
    bool goodbye;
    uint8_t node_key[KEY_LEN];
    char *hostname;
};

static struct map_session *of_timer(struct loop_timer *t, size_t offset)
{
    return (struct map_session *)(void *)((char *)t - offset);
}

static struct netmap *netmap_of(const struct map_session *s)
{
    return s->group->control->options.netmap;
}

static void on_keepalive(struct loop_timer *t);

/* silent: ms since the last message. */
static void wait_keepalive(struct map_session *s, int64_t silent)
{
    loop_timer_set(s->group->loop, &s->keepalive, KEEPALIVE_MS + (int64_t)random_below(KEEPALIVE_SPREAD_MS) - silent,
                   on_keepalive);
}

static void on_keepalive(struct loop_timer *t)
{
    struct map_session *s = of_timer(t, offsetof(struct map_session, keepalive));
    int64_t silent = loop_now(s->group->loop) - s->spoke_ms;

    if (silent < KEEPALIVE_MS) {
        wait_keepalive(s, silent);
        return;
    }
    s->keepalive_due = true;
    rpc_stream_ready(s->rpc);
}

/* A message was added. The timer checks the time of the last one: setting it again for each would cost more. */
static void note_message(struct map_session *s)
{
    s->keepalive_due = false;
    s->spoke_ms = loop_now(s->group->loop);
    if (!loop_timer_is_set(&s->keepalive))
        wait_keepalive(s, 0);
}

/* The kind of node determines how closely its connection is watched. */
static void watch(struct map_session *s, const struct tailnet_snapshot *snapshot)
{
    const struct tailnet_node *n = snapshot_node_by_id(snapshot, s->node_id);
    int64_t interval, timeout;

    if (!n)
        return;
    const struct config *config = control_config(s->group->control);
    core_ping_times(config, n, &interval, &timeout);
    rpc_conn_set_owner(s->rpc->conn, s->node_id);
    rpc_conn_set_ping(s->rpc->conn, (unsigned)interval, (unsigned)timeout);
    bool router = node_has_subnet_route(n->record) || node_is_exit(n->record);
    rpc_conn_set_user_timeout(s->rpc->conn, router ? ROUTER_TIMEOUT_MS : OTHER_TIMEOUT_MS);
    probe_set(&s->probe, router ? config->node.ha.probe_interval / 1000000 : 0,
              config->node.ha.probe_timeout / 1000000);
    config_unref(config);
}

struct probe *session_probe(struct session_group *group, uint64_t number)
{
    struct map_session *s = map_getu(&group->by_number, number);

    return s ? &s->probe : NULL;
}

static void count_message(const struct map_session *s, enum map_message kind)
{
    atomic_fetch_add(&s->group->control->messages[kind], 1);
}

static void message_to_rpc(struct rpc_bytes *out, struct netmap_message *m)
{
    for (size_t i = 0; i < m->len; i++)
        rpc_bytes_add(out, chunk_ref(m->items[i]));
    netmap_message_release(m);
}

static void on_hold_over(struct loop_timer *t)
{
    struct map_session *s = of_timer(t, offsetof(struct map_session, hold));

    if (s->goodbye) {
        rpc_stream_end(s->rpc);
    } else {
        s->due = true;
        rpc_stream_ready(s->rpc);
    }
}

static void say_goodbye(struct map_session *s)
{
    s->goodbye = true;
    loop_timer_set(s->group->loop, &s->hold, GOODBYE_MS, on_hold_over);
}

/* The snapshot of the group, or for a first map one that includes what the request itself sent. */
static const struct tailnet_snapshot *snapshot_for(struct map_session *s)
{
    if (s->group->snapshot && s->group->snapshot->seq >= s->seq)
        return tailnet_ref(s->group->snapshot);
    return tailnet_pin(s->group->control->options.tailnet);
}

static bool is_busy(const struct session_group *g)
{
    int64_t age = loop_now(g->loop) - g->second_ms;
    unsigned lately = age < 1000 ? g->began + g->began_before : age < 2000 ? g->began : 0;

    return atomic_load(&g->control->filling) > FILLING_BUSY || lately * g->control->group_count > FILLING_BUSY;
}

static void set_fill(struct session_group *g, const struct tailnet_snapshot *snapshot)
{
    tailnet_unpin(g->fill);
    g->fill = snapshot ? tailnet_ref(snapshot) : NULL;
    g->fill_ms = loop_now(g->loop);
}

/* The peers that a first map shows: while many are filled, those of a moment ago, unless there was a change since that
 * must not be delayed. */
static const struct tailnet_snapshot *peers_for(struct session_group *g, const struct tailnet_snapshot *snapshot)
{
    if (!is_busy(g))
        return snapshot;
    if (!g->fill || g->fill->seq < g->rounds.urgent || loop_now(g->loop) - g->fill_ms >= FILL_MS) {
        set_fill(g, snapshot);
        return snapshot;
    }
    return g->fill->seq < snapshot->seq ? g->fill : snapshot;
}

static void tell(struct map_session *s, struct rpc_bytes *out)
{
    const struct tailnet_snapshot *snapshot = snapshot_for(s);
    struct netmap_message m = {0};
    enum netmap_next next = s->filling ? netmap_session_first(s->netmap, snapshot, peers_for(s->group, snapshot), &m)
                                       : netmap_session_next(s->netmap, snapshot, &m);

    if (next == NETMAP_DELETED)
        rpc_stream_end(s->rpc);
    if (next != NETMAP_NOTHING) {
        message_to_rpc(out, &m);
        note_message(s);
        count_message(s, s->filling ? MAP_FULL : MAP_CHANGE);
    }
    if (netmap_session_self_changed(s->netmap))
        watch(s, snapshot);
    tailnet_unpin(snapshot);
}

static void send_questions(struct map_session *s, struct rpc_bytes *out)
{
    while (s->questions && !s->filling) {
        struct outgoing_question *q = s->questions;
        struct netmap_message m = {0};
        outgoing_write(netmap_of(s), q, s->zstd, &m);
        message_to_rpc(out, &m);
        count_message(s, MAP_QUESTION);
        s->questions = q->next;
        outgoing_free(q);
    }
    if (!s->questions)
        s->questions_end = &s->questions;
}

bool session_ask(struct session_group *group, uint64_t number, struct outgoing_question *q)
{
    struct map_session *s = map_getu(&group->by_number, number);

    if (!s || s->goodbye)
        return false;
    q->next = NULL;
    *s->questions_end = q;
    s->questions_end = &q->next;
    rpc_stream_ready(s->rpc);
    return true;
}

static void on_pull(struct rpc *rpc, struct rpc_bytes *out)
{
    struct map_session *s = rpc->user;

    if (s->due) {
        s->due = false;
        if (s->netmap) {
            tell(s, out);
        } else {
            struct netmap_message m = {0};
            netmap_goodbye(netmap_of(s), s->node_id, s->node_key, s->hostname, s->zstd, &m);
            message_to_rpc(out, &m);
            note_message(s);
            count_message(s, MAP_FULL);
        }
    }
    if (probe_ask(&s->probe, out, s->zstd))
        count_message(s, MAP_PING);
    send_questions(s, out);
    if (s->keepalive_due) {
        rpc_bytes_add(out, netmap_keepalive(netmap_of(s), s->zstd));
        note_message(s);
        count_message(s, MAP_KEEPALIVE);
    }
}

static void end_filling(struct map_session *s)
{
    if (s->filling)
        atomic_fetch_sub(&s->group->control->filling, 1);
    s->filling = false;
}

static void on_round(struct loop_timer *t);

/* Changes while the first map was being sent. While many are filled they wait for the round, in which all receivers get
 * the same; urgent ones do not. */
static void catch_up(struct map_session *s)
{
    struct session_group *g = s->group;

    if (is_busy(g) && netmap_session_seq(s->netmap) >= g->rounds.urgent) {
        g->rounds.waiting = true;
        if (!loop_timer_is_set(&g->round))
            loop_timer_set(g->loop, &g->round, FILL_MS, on_round);
        return;
    }
    s->due = true;
    rpc_stream_ready(s->rpc);
}

struct session_end_call {
    struct session_group *group;
    uint64_t number;
};

static void run_end(void *arg)
{
    struct session_end_call *o = arg;
    struct map_session *s = map_getu(&o->group->by_number, o->number);

    if (s) {
        s->replaced = true;
        rpc_stream_end(s->rpc);
    }
    control_end(o->group->control);
    free(o);
}

static void end_other(const struct stream_ref *loser)
{
    struct session_group *group = loser->group;
    struct session_end_call *o = mem_alloc(sizeof(*o));

    *o = (struct session_end_call){group, loser->number};
    control_begin(group->control);
    loop_post(group->loop, run_end, o);
}

static void on_written(struct rpc *rpc)
{
    struct map_session *s = rpc->user;

    probe_written(&s->probe);
    if (!s->filling || s->due)
        return;
    end_filling(s);
    struct stream_ref loser = {0};
    if (s->number && !takeover_claim(s->group->control, s->node_id, s->number, s->group, &loser)) {
        s->replaced = true;
        rpc_stream_end(rpc);
        return;
    }
    if (loser.number)
        end_other(&loser);
    if (s->questions)
        rpc_stream_ready(rpc);
    catch_up(s);
}

static void on_close(struct rpc *rpc, enum rpc_end why)
{
    struct map_session *s = rpc->user;
    struct session_group *g = s->group;

    loop_timer_stop(g->loop, &s->keepalive);
    loop_timer_stop(g->loop, &s->hold);
    probe_stop(&s->probe);
    outgoing_drop(&g->control->questions, s->questions);
    end_filling(s);
    *s->place = s->next;
    if (s->next)
        s->next->place = s->place;
    g->count--;
    bool left = (why == RPC_RESET || why == RPC_GONE || why == RPC_DEAD) && !s->replaced;
    atomic_fetch_add(left ? &g->control->streams_left : &g->control->streams_ended, 1);
    map_delu(&g->by_number, s->number);
    if (s->number) {
        takeover_release(g->control, s->node_id, s->number, loop_now(g->loop));
        if (why == RPC_DEAD && !s->replaced)
            core_session_dead(g->control->options.core, s->number, rpc_conn_heard_ms(rpc->conn));
        else
            core_session_end(g->control->options.core, s->number,
                             s->replaced ? SESSION_REPLACED : closed_why(g->control));
    }
    netmap_session_free(s->netmap);
    free(s->hostname);
    free(s);
}

static struct session_group *group_of(struct control *c, const struct loop *l)
{
    return &c->groups[loop_index(l)];
}

static void enlist(struct session_group *g, struct map_session *s)
{
    s->group = g;
    s->next = g->first;
    s->place = &g->first;
    if (s->next)
        s->next->place = &s->next;
    g->first = s;
    g->count++;
    if (s->number)
        map_putu(&g->by_number, s->number, s);
}

static void count_beginning(struct session_group *g)
{
    int64_t now = loop_now(g->loop);

    if (now - g->second_ms >= 1000) {
        g->began_before = now - g->second_ms < 2000 ? g->began : 0;
        g->began = 0;
        g->second_ms = now;
    }
    g->began++;
}

void session_begin(struct control *c, const struct session_start *start)
{
    struct map_session *s = mem_alloc(sizeof(*s));
    struct rpc *rpc = start->rpc;

    s->rpc = rpc;
    s->number = start->number;
    s->node_id = start->client.node_id;
    s->seq = start->seq;
    s->zstd = start->client.zstd;
    enlist(group_of(c, rpc->loop), s);
    probe_init(&s->probe, c, rpc, s->number);
    s->questions_end = &s->questions;
    rpc->user = s;
    rpc->on_close = on_close;
    rpc->on_written = on_written;
    rpc_stream_start(rpc, 200, "application/json", on_pull);
    if (!s->number) {
        memcpy(s->node_key, start->node_key, KEY_LEN);
        s->hostname = mem_strdup(start->hostname);
        say_goodbye(s);
        s->due = true;
        rpc_stream_ready(rpc);
        return;
    }
    s->netmap = netmap_session_new(c->options.netmap, &start->client);
    s->filling = true;
    count_beginning(s->group);
    atomic_fetch_add(&c->filling, 1);
    int64_t delay = takeover_begin(c, s->node_id, &(struct stream_ref){s->group, s->number}, rpc_conn_peer(rpc->conn),
                                   loop_now(rpc->loop));
    if (delay) {
        loop_timer_set(s->group->loop, &s->hold, delay, on_hold_over);
        return;
    }
    s->due = true;
    rpc_stream_ready(rpc);
}

/* ---- groups ---- */

static void look(struct session_group *g);

static void on_round(struct loop_timer *t)
{
    look(CONTAINER_OF(t, struct session_group, round));
}

static void on_look(struct loop_task *t)
{
    look(CONTAINER_OF(t, struct session_group, look));
}

static void look(struct session_group *g)
{
    struct control *c = g->control;
    const struct tailnet_snapshot *snapshot = tailnet_pin(c->options.tailnet);

    tailnet_unpin(g->snapshot);
    g->snapshot = snapshot;
    int64_t wait =
        netmap_rounds_look(c->options.netmap, &g->rounds, snapshot->seq, g->count, is_busy(g), loop_now(g->loop));
    if (wait > 0 && (!loop_timer_is_set(&g->round) || g->round.due > loop_now(g->loop) + wait))
        loop_timer_set(g->loop, &g->round, wait, on_round);
    if (wait != 0)
        return;
    /* New sessions start where the others are after this round. */
    set_fill(g, is_busy(g) ? snapshot : NULL);
    for (struct map_session *s = g->first, *next; s; s = next) {
        next = s->next;
        if (s->filling || s->goodbye)
            continue; /* it gets what it missed when its first map is written */
        s->due = true;
        rpc_stream_ready(s->rpc);
    }
}

/* Called on the publishing thread. */
static void on_publish(void *arg)
{
    struct session_group *g = arg;

    loop_post_task(g->loop, &g->look);
}

void sessions_start(struct control *c)
{
    c->group_count = loops_count(c->options.loops);
    c->groups = mem_alloc(c->group_count * sizeof(*c->groups));
    for (unsigned i = 0; i < c->group_count; i++) {
        struct session_group *g = &c->groups[i];
        g->control = c;
        g->loop = loops_at(c->options.loops, i);
        g->look.run = on_look;
        tailnet_subscribe(c->options.tailnet, on_publish, g);
    }
}

static void run_watch(void *arg)
{
    struct session_group *g = arg;
    const struct tailnet_snapshot *snapshot = tailnet_pin(g->control->options.tailnet);

    for (struct map_session *s = g->first; s; s = s->next)
        if (s->number)
            watch(s, snapshot);
    tailnet_unpin(snapshot);
    control_end(g->control);
}

void sessions_watch(struct control *c)
{
    for (unsigned i = 0; i < c->group_count; i++) {
        control_begin(c);
        loop_post(c->groups[i].loop, run_watch, &c->groups[i]);
    }
}

static void let_go(void *arg)
{
    struct session_group *g = arg;

    loop_timer_stop(g->loop, &g->round);
    loop_timer_stop(g->loop, &g->overdue);
    tailnet_unpin(g->snapshot);
    tailnet_unpin(g->fill);
    g->snapshot = g->fill = NULL;
    map_release(&g->by_number);
    control_end(g->control);
}

void sessions_stop(struct control *c)
{
    for (unsigned i = 0; i < c->group_count; i++)
        tailnet_unsubscribe(c->options.tailnet, on_publish, &c->groups[i]);
    for (unsigned i = 0; i < c->group_count; i++) {
        control_begin(c);
        loop_post(c->groups[i].loop, let_go, &c->groups[i]);
    }
}
