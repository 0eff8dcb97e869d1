/* SPDX-License-Identifier: BSD-3-Clause */
/* A prefix with a target has a path for each of its routers. So has each via group whose router serves nobody else, and
 * each router that is the nearest to some: nodes that go through it see no other. A path is tested in rounds: each
 * helper pings the target twice at once; from the first bad round on the helper is also asked for an echo, so that a
 * helper that has gone is not mistaken for a router that does not forward. A round is bad if all helpers that can tell
 * report so. */
#include "health/forwarding.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/mem.h"
#include "base/str.h"
#include "base/vec.h"
#include "control/control.h"
#include "core/core.h"
#include "health/helpers.h"
#include "health/probed.h"
#include "loop/loop.h"
#include "metrics/metrics.h"
#include "json/json.h"

#define LOST_FALL  2     /* bad rounds until a router without a control connection loses the prefix */
#define AGAIN      5     /* part of the interval after a bad round */
#define STANDBY_IN 6     /* intervals between tests of a standby that does not forward */
#define SHOWN_MS   1000  /* until a helper has adopted the route through a standby */
#define STANDBY_AT 2     /* bad rounds of the primary before its standbys are tested */
#define STANDBY_MS 8000  /* per test */
#define VERDICT_MS 12000 /* a verdict waits this long for tests of standbys, from the start of the first bad round */
#define NOBODY_MS  1000  /* before looking for helpers again */
#define NOTICED_MS 1000  /* until every snapshot shows that a router lost its control connection */
#define ANSWER_MAX (16u << 10)

enum ping_kind { PING_FIRST, PING_SECOND, PING_ECHO, PING_KINDS };

struct forwarding {
    struct forwarding_options options;
    struct loop *loop;
    int64_t interval_ms, timeout_ms;
    unsigned rise, fall; /* consecutive rounds until a verdict */
    uint64_t rounds;
    struct probed_set set;
    VEC(const struct tailnet_node *) routers; /* from the snapshot of this tick */
    atomic_uint_fast64_t pings, bad_rounds, verdicts;
};

struct ping_call {
    struct forwarding *forwarding;
    uint64_t number, router, round;
    size_t helper;
    enum ping_kind kind;
    bool passed, unusable;
};

/* ---- verdicts ---- */

static const char *name_of(const struct tailnet_snapshot *s, uint64_t id)
{
    const struct tailnet_node *n = snapshot_node_by_id(s, id);

    return n ? n->record->given_name : "a deleted node";
}

static char *evidence_of(struct forwarding *f, const struct probed_prefix *p, const struct probed_path *path)
{
    const struct tailnet_snapshot *s = tailnet_pin(f->options.tailnet);
    struct buf b = BUF_INIT(0);

    for (size_t i = 0; i < HELPERS; i++)
        if (path->results[i].asked)
            buf_addf(&b, "%s%s", b.len ? " and " : "", name_of(s, p->helpers.items[i].id));
    buf_addf(&b, " pinged it in %u rounds within %lld s, without an answer", path->bad,
             (long long)((loop_now(f->loop) - path->bad_ms + 999) / 1000));
    tailnet_unpin(s);
    return buf_take(&b);
}

static void tell(struct forwarding *f, const struct probed_prefix *p, struct probed_path *path, bool reached)
{
    struct core_reach reach = {.router = path->router,
                               .prefix = p->prefix,
                               .target = p->target,
                               .reached = reached,
                               .began_ms = reached ? 0 : path->bad_ms};
    char *evidence = evidence_of(f, p, path);

    reach.evidence = evidence;
    path->unreachable = !reached;
    atomic_fetch_add(&f->verdicts, 1);
    core_reach(f->options.core, &reach);
    free(evidence);
}

static bool is_untested(const struct probed_path *standby, const struct probed_path *primary)
{
    return standby != primary && !standby->unreachable && standby->tested_ms < primary->bad_ms;
}

/* If the primary does not forward either, those that another router serves gain nothing by a move. */
static bool waits_for_primary(struct forwarding *f, const struct probed_prefix *p)
{
    struct probed_prefix *all = p->nearest ? probed_of_all(&f->set, &p->prefix) : NULL;
    const struct probed_path *primary = all ? probed_path_of(all, all->primary) : NULL;

    return primary && (primary->bad || primary->unreachable);
}

static bool waits_for_standby(const struct probed_prefix *p, const struct probed_path *path, int64_t now)
{
    if (now - path->bad_ms >= VERDICT_MS)
        return false;
    for (size_t i = 0; i < p->path_count; i++)
        if (is_untested(&p->paths[i], path))
            return true;
    return false;
}

/* Other failed ones come first: it is all one election. */
static void decide_against(struct forwarding *f, struct probed_prefix *p, struct probed_path *path)
{
    for (size_t i = 0; i < p->path_count && path->serving; i++) {
        struct probed_path *other = &p->paths[i];
        if (other != path && !other->unreachable && other->bad && !other->good)
            tell(f, p, other, false);
    }
    tell(f, p, path, false);
}

static void decide(struct forwarding *f, struct probed_prefix *p, struct probed_path *path)
{
    int64_t now = loop_now(f->loop);

    if (!path->unreachable && path->bad >= f->fall && !waits_for_primary(f, p) &&
        !(path->serving && waits_for_standby(p, path, now)))
        decide_against(f, p, path);
    else if (path->unreachable && path->good >= f->rise)
        tell(f, p, path, true);
}

/* ---- rounds ---- */

static void send_round(struct forwarding *f, const struct probed_prefix *p, struct probed_path *path, bool good,
                       const char *evidence)
{
    struct core_reach reach = {.router = path->router,
                               .prefix = p->prefix,
                               .target = p->target,
                               .reached = good,
                               .is_round = true,
                               .began_ms = path->began_ms,
                               .evidence = evidence};

    path->proven = good;
    core_reach(f->options.core, &reach);
}

static void doubt(struct forwarding *f, const struct probed_prefix *p, struct probed_path *path)
{
    if (path->proven)
        send_round(f, p, path, false, NULL);
}

/* The core waits for it. */
static void tell_carried(struct forwarding *f, const struct probed_prefix *p, struct probed_path *path, uint64_t helper)
{
    const struct tailnet_snapshot *s = tailnet_pin(f->options.tailnet);
    struct buf evidence = BUF_INIT(0);

    buf_addf(&evidence, "as %s found", name_of(s, helper));
    tailnet_unpin(s);
    send_round(f, p, path, true, buf_text(&evidence));
    buf_release(&evidence);
}

/* When the control connection is lost, it counts that the last round was good; without one, that no two in a row were
 * not. A round that nobody could vote in proves nothing either. */
static void tell_round(struct forwarding *f, const struct probed_prefix *p, struct probed_path *path, bool good)
{
    path->unheard = good ? 0 : path->unheard + 1;
    if (good && !path->proven)
        send_round(f, p, path, true, NULL);
    else if (!good && path->unheard >= (path->lost_ms ? LOST_FALL : 1))
        doubt(f, p, path);
}

static void end_round(struct forwarding *f, struct probed_prefix *p, struct probed_path *path)
{
    int64_t now = loop_now(f->loop);
    bool with_echo = path->bad > 0;
    unsigned yes = 0, no = 0;

    for (size_t i = 0; i < HELPERS; i++) {
        int v = helpers_vote(&p->helpers, i, &path->results[i], with_echo, now);
        yes += v > 0;
        no += v < 0;
    }
    path->due_ms = now + f->interval_ms;
    tell_round(f, p, path, yes > 0);
    if (path->lost_ms && !yes)
        path->due_ms = now + f->interval_ms / AGAIN;
    if (yes) {
        path->bad = 0;
        path->good++;
        if (path->unreachable && path->good < f->rise)
            path->due_ms = now + f->interval_ms / AGAIN;
    } else if (no) {
        if (!path->bad)
            path->bad_ms = now - f->timeout_ms;
        path->bad++;
        path->good = 0;
        atomic_fetch_add(&f->bad_rounds, 1);
        if (!path->unreachable || !path->serving)
            path->due_ms = now + f->interval_ms / AGAIN;
    }
    decide(f, p, path);
}

static void run_answer(void *arg)
{
    struct ping_call *c = arg;
    struct probed_prefix *p = probed_by_number(&c->forwarding->set, c->number);
    struct probed_path *path = p ? probed_path_of(p, c->router) : NULL;

    if (path && path->round == c->round && path->open) {
        struct helper_result *r = &path->results[c->helper];
        if (c->kind == PING_ECHO)
            r->alive |= c->passed;
        else
            r->passed |= c->passed;
        r->unusable |= c->unusable;
        if (r->passed && path->lost_ms)
            tell_carried(c->forwarding, p, path, r->helper);
        if (--path->open == 0)
            end_round(c->forwarding, p, path);
    }
    free(c);
}

/* tailcfg.PingResponse: Err is set if the client could not even try. */
static void on_answer(void *arg, const struct control_answer *answer)
{
    struct ping_call *c = arg;
    json_t *root = NULL;

    if (c->kind == PING_ECHO) {
        c->passed = answer->code == 0;
    } else if (answer->code == 0 && json_read(answer->body, answer->len, ANSWER_MAX, "ping", &root, NULL) == 0) {
        c->unusable = *json_text(root, "Err", "") != '\0';
        c->passed = !c->unusable;
    }
    c->unusable |= answer->code == ERR_GONE || answer->code == ERR_UNSUPPORTED;
    json_decref(root);
    loop_post(c->forwarding->loop, run_answer, c);
}

static bool send_ping(struct forwarding *f, const struct probed_prefix *p, struct probed_path *path, size_t helper,
                      enum ping_kind kind)
{
    struct ping_call *c = mem_alloc(sizeof(*c));
    struct control_question q = {.node_id = p->helpers.items[helper].id,
                                 .timeout_ms = (unsigned)f->timeout_ms,
                                 .max = ANSWER_MAX,
                                 .done = on_answer,
                                 .arg = c};

    *c = (struct ping_call){f, p->number, path->router, path->round, helper, kind, false, false};
    if (kind == PING_ECHO) {
        q.path = "/echo";
    } else {
        q.ping = "ICMP";
        q.target = p->target;
    }
    if (control_ask(f->options.control, &q, NULL) < 0) {
        free(c);
        return false;
    }
    atomic_fetch_add(&f->pings, 1);
    return true;
}

static void begin_round(struct forwarding *f, struct probed_prefix *p, struct probed_path *path)
{
    path->round = ++f->rounds;
    path->began_ms = loop_now(f->loop);
    path->due_ms = path->began_ms + f->interval_ms;
    path->open = 0;
    for (size_t i = 0; i < HELPERS; i++) {
        path->results[i] = (struct helper_result){.helper = p->helpers.items[i].id};
        if (!p->helpers.items[i].id || (p->helpers.items[i].id == p->led) == path->serving)
            continue;
        for (int kind = PING_FIRST; kind < (path->bad ? PING_KINDS : PING_ECHO); kind++)
            if (send_ping(f, p, path, i, (enum ping_kind)kind)) {
                path->results[i].asked = true;
                path->open++;
            }
    }
    if (!path->open) /* there is no node that could */
        path->due_ms = path->began_ms + NOBODY_MS;
}

/* ---- who is tested ---- */

/* Of two, one whose silence counts. */
static uint64_t tester(const struct probe_helpers *h)
{
    for (size_t i = 0; i < HELPERS; i++)
        if (h->items[i].proven)
            return h->items[i].id;
    return 0;
}

static void begin_standby_test(struct forwarding *f, struct probed_prefix *p, struct probed_path *path)
{
    int64_t now = loop_now(f->loop);

    p->standby = path->router;
    p->led = tester(&p->helpers);
    p->standby_ms = now;
    path->bad = 0;
    if (!path->unreachable) /* otherwise it might need more rounds to recover than one test has */
        path->good = 0;
    path->due_ms = now + SHOWN_MS;
    core_probe_path(f->options.core, path->router, p->led, &p->target);
}

static void end_standby_test(struct forwarding *f, struct probed_prefix *p, struct probed_path *path)
{
    core_probe_path(f->options.core, p->standby, 0, &p->target);
    p->standby = 0;
    p->standby_ms = loop_now(f->loop);
    if (path)
        path->tested_ms = p->standby_ms;
}

/* Bad rounds of the primary before its standbys are tested. */
static unsigned standby_at(const struct forwarding *f)
{
    return f->fall < STANDBY_AT ? f->fall : STANDBY_AT;
}

static bool is_decided(const struct forwarding *f, const struct probed_path *path)
{
    return path->unreachable ? path->good >= f->rise || path->bad : path->good || path->bad >= standby_at(f);
}

/* A standby is tested while its state is needed: before the prefix moves to it, and repeatedly until it forwards
 * again. */
static struct probed_path *next_standby(const struct forwarding *f, struct probed_prefix *p,
                                        const struct probed_path *primary, int64_t now)
{
    struct probed_path *next = NULL;

    for (size_t i = 0; i < p->path_count; i++) {
        struct probed_path *path = &p->paths[i];
        if (primary->bad >= standby_at(f) && is_untested(path, primary))
            return path;
        if (!path->serving && path->unreachable && now - path->tested_ms >= f->interval_ms * STANDBY_IN &&
            (!next || path->tested_ms < next->tested_ms))
            next = path;
    }
    return next;
}

static void follow_standby_test(struct forwarding *f, struct probed_prefix *p, const struct probed_path *primary)
{
    struct probed_path *path = p->standby ? probed_path_of(p, p->standby) : NULL;
    int64_t now = loop_now(f->loop);

    if (p->standby &&
        (!path || path->serving || (!path->open && is_decided(f, path)) || now - p->standby_ms >= STANDBY_MS))
        end_standby_test(f, p, path);
    if (p->standby || (p->led && now - p->standby_ms < SHOWN_MS))
        return;
    p->led = 0;
    path = next_standby(f, p, primary, now);
    if (path && !primary->open && tester(&p->helpers))
        begin_standby_test(f, p, path);
}

static void follow_contact(const struct tailnet_node *n, struct probed_path *path, int64_t now)
{
    if (path->lost_ms && n->live.online && n->live.healthy && now - path->lost_ms > NOTICED_MS)
        path->lost_ms = 0;
    else if (!path->lost_ms && !n->live.online) /* since before the server started */
        path->lost_ms = now;
}

static const struct tailnet_node *look_at_routers(struct forwarding *f, struct probed_prefix *p)
{
    const struct tailnet_node *primary = NULL;

    for (size_t i = 0; i < f->routers.len; i++) {
        const struct tailnet_node *n = f->routers.items[i];
        struct probed_path *path = probed_is_path(&f->set, p, n) ? probed_path_make(p, n) : NULL;
        if (!path)
            continue;
        bool serving = n->record->r.id == p->primary;
        if (serving && !path->serving)
            path->bad = path->good = 0;
        path->serving = serving;
        path->seen = f->set.tick;
        follow_contact(n, path, loop_now(f->loop));
        if (!serving)
            doubt(f, p, path);
        primary = serving ? n : primary;
    }
    for (size_t i = p->path_count; i-- > 0;) {
        if (p->paths[i].seen == f->set.tick)
            continue;
        doubt(f, p, &p->paths[i]);
        p->paths[i] = p->paths[--p->path_count];
    }
    return primary;
}

/* All nodes that advertise something: found once, not once per prefix. */
static void find_routers(struct forwarding *f, const struct tailnet_snapshot *s)
{
    f->routers.len = 0;
    for (uint32_t slot = 0; f->set.len && slot < s->block_count * TAILNET_BLOCK; slot++) {
        const struct tailnet_node *n = snapshot_node(s, slot);
        if (n && n->record->available.len)
            vec_push(&f->routers, n);
    }
}

static void tick_prefix(struct forwarding *f, struct probed_prefix *p, const struct tailnet_snapshot *s)
{
    int64_t now = loop_now(f->loop);
    const struct tailnet_node *primary = look_at_routers(f, p);

    if (!primary)
        return;
    const struct probed_path *serving = probed_path_of(p, primary->record->r.id);
    helpers_fill(&p->helpers, f->options.tailnet, s, &p->prefix, primary, now);
    if (serving)
        follow_standby_test(f, p, serving);
    for (size_t i = 0; i < p->path_count; i++) {
        struct probed_path *path = &p->paths[i];
        if (!path->open && path->due_ms <= now && (path->serving || path->router == p->standby))
            begin_round(f, p, path);
    }
}

void forwarding_contact_lost(struct forwarding *f, uint64_t router)
{
    for (size_t i = 0; i < f->set.len; i++) {
        struct probed_prefix *p = f->set.items[i];
        struct probed_path *path = probed_path_of(p, router);
        if (!path || !path->serving)
            continue;
        path->lost_ms = loop_now(f->loop);
        path->bad = path->unheard = 0;
        begin_round(f, p, path);
        if (!path->open)
            doubt(f, p, path);
    }
}

static void end_prefix(struct forwarding *f, size_t i)
{
    struct probed_prefix *p = f->set.items[i];
    bool goes_on = probed_goes_on(&f->set, &p->prefix);

    if (p->standby)
        end_standby_test(f, p, NULL);
    for (size_t k = 0; k < p->path_count; k++) {
        doubt(f, p, &p->paths[k]);
        if (p->paths[k].unreachable && !goes_on)
            core_reach(f->options.core,
                       &(struct core_reach){
                           .router = p->paths[k].router, .prefix = p->prefix, .target = p->target, .reached = true});
    }
    free(p->via);
    free(p);
    f->set.items[i] = f->set.items[--f->set.len];
}

void forwarding_tick(struct forwarding *f, const struct config *config, const struct tailnet_snapshot *s)
{
    f->set.tick++;
    f->interval_ms = config->node.probe.interval / 1000000;
    f->timeout_ms = config->node.probe.timeout / 1000000;
    f->rise = (unsigned)config->node.probe.rise;
    f->fall = (unsigned)config->node.probe.fall;
    if (config->node.probe.enabled)
        probed_take_targets(&f->set, s);
    find_routers(f, s);
    for (size_t i = f->set.len; i-- > 0;) {
        if (f->set.items[i]->seen == f->set.tick)
            tick_prefix(f, f->set.items[i], s);
        else
            end_prefix(f, i);
    }
}

struct forwarding *forwarding_new(const struct forwarding_options *options)
{
    struct forwarding *f = mem_alloc(sizeof(*f));

    f->options = *options;
    f->loop = options->loop;
    return f;
}

void forwarding_free(struct forwarding *f)
{
    for (size_t i = 0; i < f->set.len; i++) {
        free(f->set.items[i]->via);
        free(f->set.items[i]);
    }
    vec_release(&f->routers);
    free(f);
}

void forwarding_metrics(struct forwarding *f, struct buf *out)
{
    metrics_put(out, "headway_route_pings_total", "counter", "Pings of targets behind prefixes, by other nodes",
                atomic_load(&f->pings));
    metrics_put(out, "headway_route_bad_rounds_total", "counter", "Rounds of these in which no target answered",
                atomic_load(&f->bad_rounds));
    metrics_put(out, "headway_route_verdicts_total", "counter", "Routers found not to forward, or to forward again",
                atomic_load(&f->verdicts));
}
