/* SPDX-License-Identifier: BSD-3-Clause */
/* Asks the nodes that see a prefix which moved. */
#include "readback/readback.h"

#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/clock.h"
#include "config/config.h"
#include "control/control.h"
#include "core/core.h"
#include "policy/policy.h"
#include "readback/client_netmap.h"
#include "readback/moves.h"
#include "readback/preferences.h"

#define TICK_MS    200
#define CAP_NETMAP 127 /* capability version of the first client that can answer */

/* A client panics, and tailscaled with it, if it is asked before it has a network map: up to 1.103 with omitFields
 * (tailscale ipn/ipnlocal/c2n.go), earlier ones always. So it is asked for the whole map, and not right after it came
 * online. */
#define NEW_NS (10 * NS_PER_SECOND)

struct readback_question {
    struct readback *r;
    uint64_t move, node;
};

/* ---- answers ---- */

/* Which of the moved prefixes the node should use now, and the router for them. */
static uint64_t expected_of(struct readback *r, const struct readback_move *m, uint64_t viewer, struct prefixes *out)
{
    const struct tailnet_snapshot *s = tailnet_pin(r->options.tailnet);
    const struct tailnet_node *n = snapshot_node_by_id(s, viewer);
    const struct policy_view *v = tailnet_policy_read(r->options.tailnet);
    uint64_t router = 0;

    prefixes_release(out);
    if (n)
        router = move_expects(m, s, v, n, out);
    tailnet_policy_done(r->options.tailnet);
    tailnet_unpin(s);
    return router;
}

/* The router that the client uses for all of wanted; 0: none, or several. */
static uint64_t used_router(const struct client_netmap *map, const struct prefixes *wanted)
{
    struct prefixes allowed = {0}, found = {0};
    uint64_t used = 0;
    struct err e;

    for (size_t i = 0; i < map->count; i++) {
        if (client_node_allowed(&map->peers[i], &allowed, &e) < 0)
            continue;
        prefixes_and(&found, &allowed, wanted);
        if (!found.len)
            continue;
        used = !used && found.len == wanted->len ? client_node_id(&map->peers[i]) : 0;
        if (!used)
            break;
    }
    prefixes_release(&allowed);
    prefixes_release(&found);
    return used;
}

static void count_follower(struct readback *r, const struct readback_move *m)
{
    metrics_time(&r->follow_times, &metrics_seconds, (double)(clock_wall_ns() - m->moved_ns) / 1e9);
}

static void judge(struct readback *r, struct readback_move *m, struct route_follower *f,
                  const struct control_answer *answer)
{
    struct client_netmap map;
    struct prefixes wanted = {0};
    struct err e;

    f->state = FOLLOWER_WAITING;
    f->due_ms = clock_mono_ms() + AGAIN_MS;
    f->silent = answer->code != 0;
    if (answer->code == ERR_UNSUPPORTED || (answer->code == 0 && answer->status != 200)) {
        f->state = FOLLOWER_UNSUPPORTED;
    } else if (answer->code != 0 || client_netmap_read(answer->body, answer->len, &map, &e) < 0) {
        f->silent = true;
        r->failed++;
    } else {
        uint64_t router = expected_of(r, m, f->node, &wanted);
        f->uses = wanted.len ? used_router(&map, &wanted) : 0;
        if (!wanted.len) {
            f->state = FOLLOWER_GONE; /* it has moved on, or the policy no longer shows it */
        } else if (f->uses == router) {
            f->state = FOLLOWER_FOLLOWS;
            count_follower(r, m);
        }
        client_netmap_release(&map);
    }
    prefixes_release(&wanted);
}

static void on_netmap(void *arg, const struct control_answer *answer)
{
    struct readback_question *q = arg;
    struct readback *r = q->r;

    pthread_mutex_lock(&r->lock);
    r->asking--;
    struct readback_move *m = moves_find(r, q->move);
    for (size_t i = 0; m && i < m->followers.len; i++)
        if (m->followers.items[i].node == q->node)
            judge(r, m, &m->followers.items[i], answer);
    pthread_mutex_unlock(&r->lock);
    free(q);
}

/* ---- questions ---- */

struct client_facts {
    unsigned cap_version;
    bool online, fresh; /* fresh: it may have no network map yet */
};

static struct client_facts facts_of(struct readback *r, uint64_t node)
{
    const struct tailnet_snapshot *s = tailnet_pin(r->options.tailnet);
    const struct tailnet_node *n = snapshot_node_by_id(s, node);
    struct client_facts facts = {0};

    if (n)
        facts = (struct client_facts){.cap_version = n->record->cap_version,
                                      .online = n->live.online,
                                      .fresh = clock_wall_ns() - n->live.since_ns < NEW_NS};
    tailnet_unpin(s);
    return facts;
}

/* Call with the lock held; done is only ever called later, on another thread, when the lock is free again. */
static bool ask(struct readback *r, const struct readback_move *m, struct route_follower *f, int64_t now_ms)
{
    struct client_facts facts = facts_of(r, f->node);
    struct readback_question *q;

    if (facts.cap_version < CAP_NETMAP || !facts.online) {
        f->state = facts.online ? FOLLOWER_UNSUPPORTED : FOLLOWER_GONE;
        return false;
    }
    if (facts.fresh) {
        f->due_ms = now_ms + AGAIN_MS;
        return false;
    }
    q = mem_alloc(sizeof(*q));
    *q = (struct readback_question){r, m->number, f->node};
    const struct control_question question = {.node_id = f->node,
                                              .path = "/debug/netmap",
                                              .timeout_ms = ASK_MS,
                                              .max = CLIENT_NETMAP_MAX,
                                              .done = on_netmap,
                                              .arg = q};
    if (control_ask(r->options.control, &question, NULL) < 0) {
        free(q);
        f->silent = true;
        f->due_ms = now_ms + AGAIN_MS;
        return false;
    }
    f->state = FOLLOWER_ASKED;
    r->asking++;
    r->questions++;
    return true;
}

int readback_ask(struct readback *r, uint64_t node, const char *actor,
                 void (*done)(void *arg, const struct control_answer *answer), void *arg, struct err *e)
{
    struct client_facts facts = facts_of(r, node);

    if (facts.cap_version < CAP_NETMAP && facts.online)
        return err_set(e, ERR_UNSUPPORTED, "its client cannot be asked: that takes 1.90 or newer");
    if (facts.online && facts.fresh)
        return err_set(e, ERR_UNAVAILABLE, "it has just come online: ask again in ten seconds");
    const struct control_question question = {.node_id = node,
                                              .path = "/debug/netmap",
                                              .timeout_ms = READBACK_DIFF_MS,
                                              .max = CLIENT_NETMAP_MAX,
                                              .actor = actor,
                                              .done = done,
                                              .arg = arg};
    return control_ask(r->options.control, &question, e);
}

static void ask_due(struct readback *r, const struct tailnet_snapshot *s, int64_t now_ms)
{
    for (size_t i = r->moves.len; i-- > 0;) {
        struct readback_move *m = r->moves.items[i];
        if (m->exit_end && now_ms < m->moved_ms + ENDS_MS)
            exit_follow(r, s, m);
        for (size_t k = 0; !m->ended && !m->exit_end && k < m->followers.len && r->asking < ASKING_MAX; k++) {
            struct route_follower *f = &m->followers.items[k];
            if (f->state == FOLLOWER_WAITING && f->due_ms <= now_ms)
                (void)ask(r, m, f, now_ms);
        }
        move_settle(r, m, now_ms);
    }
}

static void on_tick(struct loop_timer *t)
{
    struct readback *r = CONTAINER_OF(t, struct readback, timer);
    const struct tailnet_snapshot *s = tailnet_pin(r->options.tailnet);

    if (r->options.config->node.probe.read_back) {
        if (s->seq != r->seen || !r->looked)
            moves_look(r, s);
        pthread_mutex_lock(&r->lock);
        r->seen = s->seq;
        ask_due(r, s, clock_mono_ms());
        preferences_ask(r, s, clock_mono_ms());
        pthread_mutex_unlock(&r->lock);
    } else {
        r->looked = false;
    }
    tailnet_unpin(s);
    loop_timer_set(r->loop, &r->timer, TICK_MS, on_tick);
}

/* ---- start and end ---- */

static void begin(struct loop *l, void *arg)
{
    struct readback *r = arg;
    const struct tailnet_snapshot *s = tailnet_pin(r->options.tailnet);

    moves_look(r, s); /* the current router did not move */
    tailnet_unpin(s);
    loop_timer_set(l, &r->timer, TICK_MS, on_tick);
}

static void end(struct loop *l, void *arg)
{
    struct readback *r = arg;

    loop_timer_stop(l, &r->timer);
}

struct readback *readback_start(const struct readback_options *options)
{
    struct readback *r = mem_alloc(sizeof(*r));

    r->options = *options;
    r->options.config = config_ref(options->config);
    r->on = options->config->node.probe.read_back;
    pthread_mutex_init(&r->lock, NULL);
    r->loop = loops_at(options->loops, 0);
    loop_run(r->loop, begin, r);
    core_listen(options->core, &(struct core_listener){.exit_changed = exits_changed, .arg = r});
    return r;
}

struct readback_reloading {
    struct readback *r;
    const struct config *config;
};

static void run_reload(struct loop *l, void *arg)
{
    const struct readback_reloading *call = arg;

    (void)l;
    config_unref(call->r->options.config);
    call->r->options.config = config_ref(call->config);
    pthread_mutex_lock(&call->r->lock);
    call->r->on = call->config->node.probe.read_back;
    pthread_mutex_unlock(&call->r->lock);
}

void readback_reload(struct readback *r, const struct config *config)
{
    struct readback_reloading call = {r, config};

    loop_run(r->loop, run_reload, &call);
}

void readback_stop(struct readback *r)
{
    if (!r)
        return;
    core_unlisten(r->options.core, r);
    loop_run(r->loop, end, r);
}

void readback_free(struct readback *r)
{
    if (!r)
        return;
    moves_release(r);
    vec_release(&r->preferences);
    pthread_mutex_destroy(&r->lock);
    config_unref(r->options.config);
    free(r);
}
