/* SPDX-License-Identifier: BSD-3-Clause */
/* Whether nodes accept routes: a sample of the nodes that see one is asked for its preferences (c2n /debug/prefs, which
 * all clients support), one after the other; those that refuse are asked again sooner, because their users are advised
 * to change it. */
#include "readback/preferences.h"

#include <stdlib.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/random.h"
#include "control/control.h"
#include "policy/policy.h"
#include "json/json.h"

#define OPEN_MAX      4
#define SCAN_MAX      64 /* nodes examined per question */
#define ROUTERS_MAX   64 /* whose prefixes a node may see */
#define SETTLED_NS    (10 * NS_PER_SECOND)
#define ASKED_MS      (60 * 60 * 1000)
#define AGAIN_SOON_MS (5 * 60 * 1000)
#define PREFS_MAX     (64u << 10)
#define QUESTION_MS   10000

struct preference_question {
    struct readback *r;
    uint64_t node;
};

static struct viewer_preference *find(struct readback *r, uint64_t node)
{
    for (size_t i = 0; i < r->preferences.len; i++)
        if (r->preferences.items[i].node == node)
            return &r->preferences.items[i];
    return NULL;
}

static enum accepts_routes read_answer(const struct control_answer *answer)
{
    json_t *prefs = NULL;
    enum accepts_routes says = ACCEPTS_UNKNOWN;

    if (answer->code == 0 && answer->status == 200 &&
        json_read(answer->body, answer->len, PREFS_MAX, "preferences", &prefs, NULL) == 0) {
        const json_t *all = json_object_get(prefs, "RouteAll");
        says = json_is_true(all) ? ACCEPTS_ROUTES : json_is_false(all) ? REFUSES_ROUTES : ACCEPTS_UNKNOWN;
    }
    json_decref(prefs);
    return says;
}

static void on_preferences(void *arg, const struct control_answer *answer)
{
    struct preference_question *q = arg;
    struct readback *r = q->r;
    enum accepts_routes says = read_answer(answer);

    pthread_mutex_lock(&r->lock);
    struct viewer_preference *p = find(r, q->node);
    r->preferences_asked--;
    if (p) {
        p->accepts = says;
        p->due_ms = clock_mono_ms() + (says == REFUSES_ROUTES || answer->code == ERR_TIMEOUT || answer->code == ERR_GONE
                                           ? AGAIN_SOON_MS
                                           : ASKED_MS);
    }
    pthread_mutex_unlock(&r->lock);
    free(q);
}

static void ask(struct readback *r, struct viewer_preference *p, int64_t now_ms)
{
    struct preference_question *q = mem_alloc(sizeof(*q));

    *q = (struct preference_question){r, p->node};
    p->due_ms = now_ms + AGAIN_SOON_MS;
    const struct control_question question = {.node_id = p->node,
                                              .path = "/debug/prefs",
                                              .timeout_ms = QUESTION_MS,
                                              .max = PREFS_MAX,
                                              .done = on_preferences,
                                              .arg = q};
    if (control_ask(r->options.control, &question, NULL) < 0)
        free(q);
    else
        r->preferences_asked++;
}

static bool may_be_asked(const struct tailnet_node *n)
{
    return n && n->live.online && !n->expired && n->record->authorized &&
           clock_wall_ns() - n->live.since_ns >= SETTLED_NS;
}

static bool sees_a_route(struct readback *r, const struct tailnet_snapshot *s, const struct tailnet_node *n)
{
    const struct policy_view *v = tailnet_policy_read(r->options.tailnet);
    size_t count = s->primary_count < ROUTERS_MAX ? s->primary_count : ROUTERS_MAX;
    bool sees = false;

    for (size_t i = 0; i < count && !sees; i++) {
        const struct tailnet_node *router = snapshot_node_by_id(s, s->primaries[i]->r.id);
        struct prefixes shown = {0};
        if (!router || router == n || (v && !policy_sees(v, n->slot, router->slot)))
            continue;
        if (v)
            policy_routes(v, n->slot, router->slot, &shown);
        sees = !v || shown.len;
        prefixes_release(&shown);
    }
    tailnet_policy_done(r->options.tailnet);
    return sees;
}

/* The next node that is not in the sample yet; NULL: none of those examined. */
static struct viewer_preference *add_one(struct readback *r, const struct tailnet_snapshot *s)
{
    uint32_t slots = (uint32_t)(s->block_count * TAILNET_BLOCK);

    for (unsigned i = 0; slots && i < SCAN_MAX && r->preferences.len < PREFERENCES_MAX; i++) {
        const struct tailnet_node *n = snapshot_node(s, r->next_slot++ % slots);
        if (!may_be_asked(n) || find(r, n->record->r.id) || !sees_a_route(r, s, n))
            continue;
        vec_push(&r->preferences, ((struct viewer_preference){.node = n->record->r.id}));
        return &r->preferences.items[r->preferences.len - 1];
    }
    return NULL;
}

void preferences_ask(struct readback *r, const struct tailnet_snapshot *s, int64_t now_ms)
{
    struct viewer_preference *p = NULL;

    if (!s->primary_count || r->preferences_asked >= OPEN_MAX)
        return;
    for (size_t i = r->preferences.len; i-- > 0 && !p;) {
        if (r->preferences.items[i].due_ms > now_ms)
            continue;
        if (may_be_asked(snapshot_node_by_id(s, r->preferences.items[i].node)))
            p = &r->preferences.items[i];
        else
            vec_remove(&r->preferences, i);
    }
    if (!r->next_slot)
        r->next_slot = 1 + (uint32_t)random_below(UINT16_MAX); /* not always the same nodes */
    if (!p)
        p = add_one(r, s);
    if (p)
        ask(r, p, now_ms);
}

void readback_preferences(struct readback *r, struct map *out)
{
    map_release(out);
    if (!r)
        return;
    pthread_mutex_lock(&r->lock);
    for (size_t i = 0; i < r->preferences.len; i++)
        if (r->preferences.items[i].accepts != ACCEPTS_UNKNOWN)
            map_putu(out, r->preferences.items[i].node, (void *)(uintptr_t)r->preferences.items[i].accepts);
    pthread_mutex_unlock(&r->lock);
}
