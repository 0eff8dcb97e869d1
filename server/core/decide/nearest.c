/* SPDX-License-Identifier: BSD-3-Clause */
#include "core/decide/nearest.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/str.h"
#include "core/state/journal.h"
#include "core/state/past.h"
#include "core/state/state.h"
#include "core/state/timers.h"
#include "json/json.h"

#define NOTE_EACH_MS 10000 /* viewers that move within this time share an entry */
#define NOTES_MAX    16    /* pairs of routers reported at once, for one prefix */

void nearest_measured(struct core_state *s, struct slot *slot)
{
    slot->measured = false;
    if (!s->nearest.len)
        return;
    vec_push(&s->nearest_viewers, slot);
    s->nearest_all = s->nearest_all || (slot->published && node_has_subnet_route(slot->published));
}

static const struct relay_latencies *latencies_of(struct slot *slot)
{
    if (!slot->measured) {
        relay_latencies_read(slot->live.net_info, &slot->latencies);
        slot->measured = true;
    }
    return &slot->latencies;
}

/* ---- prefixes and their routers ---- */

static struct nearest_state *state_of(struct core_state *s, const struct prefix *p)
{
    size_t at = 0;

    while (at < s->nearest.len && prefix_cmp(&s->nearest.items[at].prefix, p) < 0)
        at++;
    if (at == s->nearest.len || prefix_cmp(&s->nearest.items[at].prefix, p) != 0)
        *vec_insert(&s->nearest, at) =
            (struct nearest_state){.prefix = *p, .primary = TAILNET_SLOT_NONE, .unkept_all = true};
    return &s->nearest.items[at];
}

static uint32_t slot_of(struct core_state *s, uint64_t id)
{
    const struct slot *slot = map_getu(&s->by_id, id);

    return slot ? slot->index : TAILNET_SLOT_NONE;
}

static bool has_router(const struct nearest_state *n, uint32_t router)
{
    for (size_t i = 0; i < n->routers.len; i++)
        if (n->routers.items[i] == router)
            return true;
    return false;
}

static void see_prefix(void *arg, const struct prefix *p, uint64_t primary, const uint64_t *routers, size_t count)
{
    struct core_state *s = arg;
    struct nearest_state *n = state_of(s, p);
    bool same = n->routers.len == count && n->primary == slot_of(s, primary);

    for (size_t i = 0; i < count && same; i++)
        same = n->routers.items[i] == slot_of(s, routers[i]);
    n->seen = true;
    if (same)
        return;
    for (size_t i = 0; i < count; i++)
        n->grown = n->grown || !has_router(n, slot_of(s, routers[i]));
    n->changed = true;
    n->primary = slot_of(s, primary);
    n->routers.len = 0;
    for (size_t i = 0; i < count; i++)
        vec_push(&n->routers, slot_of(s, routers[i]));
}

static void state_release(struct nearest_state *n)
{
    for (size_t i = 0; i < n->notes.len; i++)
        free(n->notes.items[i].actor);
    vec_release(&n->routers);
    vec_release(&n->viewers);
    vec_release(&n->notes);
    vec_release(&n->kept_moves);
    vec_release(&n->unkept);
    free(n->actor);
}

/* ---- journal entries ---- */

static const struct slot *slot_at(const struct core_state *s, uint32_t index)
{
    return index < s->slots.len ? s->slots.items[index] : NULL;
}

static bool is_router_of(const struct nearest_state *n, uint32_t router)
{
    return has_router(n, router) || router == n->primary;
}

/* Why a viewer left the router. */
static const char *cause_of(const struct nearest_state *n, const struct slot *from)
{
    if (!from || !from->published)
        return "was deleted";
    if (!n->seen)
        return "serves nobody by nearness any more";
    if (is_router_of(n, from->index))
        return "is no longer the nearest";
    if (from->published->draining)
        return "was drained";
    if (!from->live.online)
        return "went offline";
    if (!from->live.healthy)
        return "answers no probe";
    return prefixes_has(&from->live.unreachable, &n->prefix) ? "does not forward" : "is no router of it any more";
}

/* A viewer's move to another router; NONE: the primary. */
struct viewer_step {
    const struct slot *viewer;
    uint32_t before, now;
    int64_t now_ms;
};

/* Later moves, caused by measurements, are attributed to no one. */
static const char *actor_at(const struct nearest_state *n, int64_t now_ms)
{
    return n->actor && n->acted_ms == now_ms ? n->actor : "";
}

static struct nearest_note *note_between(struct nearest_state *n, const struct nearest_note *wanted, const char *actor)
{
    for (size_t i = 0; i < n->notes.len; i++) {
        struct nearest_note *note = &n->notes.items[i];
        if (note->from == wanted->from && note->to == wanted->to && str_eq(note->cause, wanted->cause) &&
            str_eq(note->actor ? note->actor : "", actor))
            return note;
    }
    if (n->notes.len == NOTES_MAX)
        return NULL;
    vec_push(&n->notes, *wanted);
    n->notes.items[n->notes.len - 1].actor = *actor ? mem_strdup(actor) : NULL;
    return &n->notes.items[n->notes.len - 1];
}

static void note_viewer(struct core_state *s, struct nearest_state *n, const struct viewer_step *step)
{
    const struct slot *viewer = step->viewer;
    uint32_t before = step->before, now = step->now;

    core_past_viewer(n, viewer->id);

    const struct slot *from = slot_at(s, before == TAILNET_SLOT_NONE ? n->primary : before),
                      *to = slot_at(s, now == TAILNET_SLOT_NONE ? n->primary : now);

    if (!viewer->published || !viewer->live.online || !from || !to || from == to)
        return;
    struct nearest_note *note =
        note_between(n, &(struct nearest_note){.from = from->id, .to = to->id, .cause = cause_of(n, from)},
                     actor_at(n, step->now_ms));
    if (!note)
        return;
    size_t len = strlen(note->names), more = strlen(viewer->published->given_name);
    if (len + more + sizeof(", , ...") < sizeof(note->names))
        snprintf(note->names + len, sizeof(note->names) - len, "%s%s", len ? ", " : "", viewer->published->given_name);
    else if (!strstr(note->names, ", ..."))
        snprintf(note->names + len, sizeof(note->names) - len, ", ...");
    note->viewers++;
}

static const char *name_of(const struct core_state *s, uint64_t id)
{
    const struct slot *slot = map_getu(&s->by_id, id);
    const struct node *n = slot ? (slot->published ? slot->published : slot->work) : NULL;

    return n ? n->given_name : "a deleted node";
}

static char *detail_of(const struct core_state *s, const struct nearest_state *n, const struct nearest_note *note)
{
    struct buf b = BUF_INIT(0);
    struct json_out o = JSON_OUT(&b);
    char text[PREFIX_TEXT_MAX], *cause;

    cause =
        mem_format("%s, for %zu node%s (%s)", note->cause, note->viewers, note->viewers == 1 ? "" : "s", note->names);
    json_open(&o, '{');
    json_key(&o, "prefixes");
    json_open(&o, '[');
    json_str(&o, prefix_format(&n->prefix, text));
    json_close(&o, ']');
    json_put_id(&o, "from", note->from);
    json_put_str(&o, "fromName", name_of(s, note->from));
    json_put_id(&o, "to", note->to);
    json_put_str(&o, "toName", name_of(s, note->to));
    json_put_str(&o, "cause", cause);
    json_close(&o, '}');
    free(cause);
    return buf_take(&b);
}

static void tell_of(struct core_state *s, struct nearest_state *n)
{
    char text[PREFIX_TEXT_MAX];

    prefix_format(&n->prefix, text);
    for (size_t i = 0; i < n->notes.len; i++) {
        struct nearest_note *note = &n->notes.items[i];
        journal(s,
                &(struct event_note){.id = EVENT_ROUTE_NEAREST,
                                     .actor = note->actor ? note->actor : "server",
                                     .by_admin = note->actor != NULL,
                                     .object = "prefix",
                                     .object_name = text,
                                     .detail = detail_of(s, n, note)},
                "%s moved from %s to %s for %zu node%s (%s): %s %s", text, name_of(s, note->from), name_of(s, note->to),
                note->viewers, note->viewers == 1 ? "" : "s", note->names, name_of(s, note->from), note->cause);
        free(note->actor);
    }
    n->notes.len = 0;
    n->noted_ms = clock_mono_ms();
}

/* When the next entry may be written. */
static void tell_of_due(struct core_state *s, int64_t now_ms, int64_t *due_ms)
{
    for (size_t i = 0; i < s->nearest.len; i++) {
        struct nearest_state *n = &s->nearest.items[i];
        if (n->notes.len && (!n->noted_ms || now_ms >= n->noted_ms + NOTE_EACH_MS))
            tell_of(s, n);
        else if (n->notes.len && n->noted_ms + NOTE_EACH_MS < *due_ms)
            *due_ms = n->noted_ms + NOTE_EACH_MS;
    }
}

/* The administrator whose change is about to be published, if any. */
static void take_actor(const struct core_state *s, struct nearest_state *n, int64_t now_ms)
{
    const char *actor = s->rule_actor;

    for (size_t i = 0; i < s->dirty_slots.len && !actor; i++)
        actor = s->dirty_slots.items[i]->actor;
    free(n->actor);
    n->actor = actor ? mem_strdup(actor) : NULL;
    n->acted_ms = now_ms;
}

/* Returns all viewers to the primary. */
static void end_nearest(struct core_state *s, struct nearest_state *n, int64_t now_ms)
{
    take_actor(s, n, now_ms);
    free(s->nearest_ended_by);
    s->nearest_ended_by = n->actor ? mem_strdup(n->actor) : NULL;
    for (uint32_t i = 0; i < n->viewers.len; i++) {
        const struct slot *viewer = slot_at(s, i);
        if (viewer && viewer->id == n->viewers.items[i].id && n->viewers.items[i].router != TAILNET_SLOT_NONE)
            note_viewer(s, n, &(struct viewer_step){viewer, n->viewers.items[i].router, TAILNET_SLOT_NONE, now_ms});
    }
    tell_of(s, n);
    core_past_nearest_ended(s, &n->prefix);
    state_release(n);
}

static void follow_elections(struct core_state *s, int64_t now_ms)
{
    size_t kept = 0;

    for (size_t i = 0; i < s->nearest.len; i++)
        s->nearest.items[i].seen = false;
    routes_nearest(s->routes, see_prefix, s);
    for (size_t i = 0; i < s->nearest.len; i++) {
        if (s->nearest.items[i].seen)
            s->nearest.items[kept++] = s->nearest.items[i];
        else
            end_nearest(s, &s->nearest.items[i], now_ms);
    }
    s->nearest_dirty = s->nearest_dirty || kept != s->nearest.len;
    s->nearest.len = kept;
}

/* ---- choosing a viewer's router ---- */

static struct nearest_viewer *viewer_of(struct nearest_state *n, const struct slot *slot)
{
    static const struct nearest_viewer nobody = {0, TAILNET_SLOT_NONE, INT64_MIN};

    while (n->viewers.len <= slot->index)
        vec_push(&n->viewers, nobody);
    struct nearest_viewer *v = &n->viewers.items[slot->index];
    if (v->id != slot->id) {
        *v = nobody;
        v->id = slot->id;
    }
    return v;
}

static size_t router_index(const struct nearest_state *n, uint32_t router)
{
    size_t i = 0;

    while (i < n->routers.len && n->routers.items[i] != router)
        i++;
    return i;
}

/* The distances of the routers from the viewer; false: the measurements do not tell. */
static bool measure(struct core_state *s, const struct nearest_state *n, struct slot *viewer, uint32_t *distances)
{
    const struct relay_latencies **to = mem_alloc((n->routers.len + 1) * sizeof(void *));

    for (size_t i = 0; i < n->routers.len; i++)
        to[i] = latencies_of(s->slots.items[n->routers.items[i]]);
    bool tells = relay_distances(latencies_of(viewer), to, n->routers.len, distances);
    free((void *)to);
    return tells;
}

/* A router of the prefix needs no other router to reach it. */
static bool is_at_home(const struct node *n, const struct prefix *p)
{
    return prefixes_has(&n->available, p) && prefixes_has(&n->approved, p);
}

/* ---- after a start ---- */

struct nearest_restoring {
    struct core_state *s;
    struct nearest_state *n;
    bool moves;
    int64_t now_ms;
};

static void restore_viewer(void *arg, uint64_t viewer, uint64_t router)
{
    struct nearest_restoring *r = arg;
    const struct slot *slot = map_getu(&r->s->by_id, viewer);

    if (r->moves)
        vec_push(&r->n->kept_moves, ((struct past_viewer){viewer, router}));
    if (!slot)
        return;
    struct nearest_viewer *v = viewer_of(r->n, slot);
    v->router = slot_of(r->s, router);
    v->moved_ms = r->now_ms;
}

void nearest_restore(struct core_state *s, struct history *const *images, size_t count)
{
    for (enum history_kind kind = HISTORY_NEAREST; kind <= HISTORY_NEAREST_MOVES; kind++)
        for (size_t i = 0; i < count; i++) {
            struct nearest_restoring r = {.s = s, .moves = kind == HISTORY_NEAREST_MOVES, .now_ms = clock_mono_ms()};
            struct prefix p;
            struct err e;
            if (images[i]->kind != kind || prefix_parse(images[i]->key, &p, NULL, NULL) < 0)
                continue;
            r.n = state_of(s, &p);
            r.n->unkept_all = past_nearest_read(images[i]->image, restore_viewer, &r, &e) < 0;
            s->nearest_settling = true;
        }
    if (s->nearest_settling)
        timer_set(s, clock_mono_ms() + s->config->node.ha.settle_time / NS_PER_MS, TIMER_SETTLE, NULL);
}

void nearest_settled(struct core_state *s)
{
    s->nearest_settling = false;
    s->nearest_all = true;
}

/* It served before the start and has not been heard of since. */
static bool is_expected_back(const struct core_state *s, const struct nearest_state *n, const struct slot *router)
{
    return s->nearest_settling && router && router->published && !router->live.online && !router->live.since_ns &&
           !router->expired && !router->published->draining && router->published->authorized &&
           is_at_home(router->published, &n->prefix);
}

/* True: the viewer now has another router. */
static bool choose(struct core_state *s, struct nearest_state *n, struct slot *slot, uint32_t *distances,
                   int64_t now_ms, int64_t *due_ms)
{
    struct nearest_viewer *v = viewer_of(n, slot);
    uint32_t before = v->router;

    if (!slot->published || is_at_home(slot->published, &n->prefix)) {
        v->router = TAILNET_SLOT_NONE;
        if (before != v->router)
            note_viewer(s, n, &(struct viewer_step){slot, before, v->router, now_ms});
        return before != v->router;
    }
    if (before != TAILNET_SLOT_NONE && router_index(n, before) == n->routers.len &&
        is_expected_back(s, n, slot_at(s, before)))
        return false;
    struct nearest_viewing viewing = {.distances = measure(s, n, slot, distances) ? distances : NULL,
                                      .count = n->routers.len,
                                      .present = router_index(n, before),
                                      .primary = router_index(n, n->primary),
                                      .had = before != TAILNET_SLOT_NONE};
    size_t to = nearest_serve(&viewing, &v->moved_ms, now_ms, due_ms);
    v->router = to < n->routers.len ? n->routers.items[to] : TAILNET_SLOT_NONE;
    if (before != v->router)
        note_viewer(s, n, &(struct viewer_step){slot, before, v->router, now_ms});
    return before != v->router;
}

/* If routers were lost and none gained, viewers whose router remains keep it. */
static bool is_settled(const struct nearest_state *n, const struct slot *slot)
{
    const struct nearest_viewer *v = slot->index < n->viewers.len ? &n->viewers.items[slot->index] : NULL;

    return v && v->id == slot->id && v->router != TAILNET_SLOT_NONE && has_router(n, v->router);
}

static void choose_for_all(struct core_state *s, struct nearest_state *n, uint32_t *distances, int64_t now_ms,
                           int64_t *due_ms)
{
    bool all = n->grown || s->nearest_all;

    for (size_t i = 0; i < s->slots.len; i++)
        if (s->slots.items[i]->id && (all || !is_settled(n, s->slots.items[i])))
            n->dirty |= choose(s, n, s->slots.items[i], distances, now_ms, due_ms);
}

void nearest_follow(struct core_state *s, bool elected)
{
    int64_t now_ms = clock_mono_ms(), due_ms = INT64_MAX;

    if (elected)
        follow_elections(s, now_ms);
    for (size_t i = 0; i < s->nearest.len; i++) {
        struct nearest_state *n = &s->nearest.items[i];
        if (!n->changed && !s->nearest_all && !s->nearest_viewers.len)
            continue;
        uint32_t *distances = mem_alloc((n->routers.len + 1) * sizeof(*distances));
        if (n->changed)
            take_actor(s, n, now_ms);
        if (n->changed || s->nearest_all)
            choose_for_all(s, n, distances, now_ms, &due_ms);
        for (size_t k = 0; k < s->nearest_viewers.len; k++)
            if (s->nearest_viewers.items[k]->id)
                n->dirty |= choose(s, n, s->nearest_viewers.items[k], distances, now_ms, &due_ms);
        n->dirty |= n->changed;
        s->nearest_dirty |= n->dirty;
        n->changed = n->grown = false;
        free(distances);
    }
    s->nearest_viewers.len = 0;
    s->nearest_all = false;
    tell_of_due(s, now_ms, &due_ms);
    if (due_ms != INT64_MAX)
        timer_set(s, due_ms, TIMER_NEAREST, NULL);
}

static void publish_prefix(const struct nearest_state *n, struct nearest_prefix *out)
{
    *out = (struct nearest_prefix){.prefix = n->prefix,
                                   .primary = n->primary,
                                   .shares = mem_alloc(sizeof(*out->shares)),
                                   .actor = n->actor ? mem_strdup(n->actor) : NULL,
                                   .acted_ms = n->acted_ms,
                                   .routers = mem_alloc((n->viewers.len + 1) * sizeof(uint32_t)),
                                   .moved_ms = mem_alloc((n->viewers.len + 1) * sizeof(int64_t)),
                                   .viewers = n->viewers.len};
    atomic_init(out->shares, 1);
    for (size_t i = 0; i < n->viewers.len; i++) {
        out->routers[i] = n->viewers.items[i].router;
        out->moved_ms[i] = n->viewers.items[i].moved_ms;
    }
}

/* When one viewer measures anew, most prefixes do not change. */
struct tailnet_nearest *nearest_publish(struct core_state *s, const struct tailnet_nearest *before)
{
    if (!s->nearest.len && !s->nearest_ended_by)
        return NULL;
    struct tailnet_nearest *out = tailnet_nearest_new(s->nearest.len);
    out->ended_by = s->nearest_ended_by ? mem_strdup(s->nearest_ended_by) : NULL;
    for (size_t i = 0; i < s->nearest.len; i++) {
        struct nearest_state *n = &s->nearest.items[i];
        const struct nearest_prefix *was = n->dirty ? NULL : tailnet_nearest_find(before, &n->prefix);
        if (was && was->shares)
            tailnet_nearest_share(&out->items[i], was);
        else
            publish_prefix(n, &out->items[i]);
        n->dirty = false;
    }
    return out;
}

void nearest_release(struct core_state *s)
{
    for (size_t i = 0; i < s->nearest.len; i++)
        state_release(&s->nearest.items[i]);
    vec_release(&s->nearest);
    vec_release(&s->nearest_viewers);
    free(s->nearest_ended_by);
}
