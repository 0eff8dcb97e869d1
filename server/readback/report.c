/* SPDX-License-Identifier: BSD-3-Clause */
/* Reports what is known of moves, as text and as metrics. */
#include "base/array.h"
#include "base/clock.h"
#include "base/str.h"
#include "metrics/metrics.h"
#include "readback/moves.h"

#define BEHIND_SHOWN 20
#define NAMES_SHOWN  5
#define NEW_NS       (2 * NS_PER_SECOND) /* before a move is examined */
#define TOGETHER_MS  2000                /* between moves that are reported together, although one of them has ended */

void move_counts(const struct readback_move *m, size_t *followed, size_t *unsupported, size_t *gone)
{
    *followed = *unsupported = *gone = 0;
    for (size_t i = 0; i < m->followers.len; i++) {
        *followed += m->followers.items[i].state == FOLLOWER_FOLLOWS;
        *unsupported += m->followers.items[i].state == FOLLOWER_UNSUPPORTED;
        *gone += m->followers.items[i].state == FOLLOWER_GONE;
    }
}

static const char *name_of(const struct tailnet_snapshot *s, uint64_t id)
{
    const struct tailnet_node *n = id ? snapshot_node_by_id(s, id) : NULL;

    return n ? n->record->given_name : "a deleted node";
}

static bool is_behind(const struct route_follower *f)
{
    return f->state == FOLLOWER_WAITING || f->state == FOLLOWER_ASKED;
}

static void say_prefixes(const struct readback_move *m, struct buf *out)
{
    char text[PREFIX_TEXT_MAX];

    if (m->prefixes.len == 1)
        buf_adds(out, prefix_format(&m->prefixes.items[0], text));
    else
        buf_addf(out, "%zu prefixes", m->prefixes.len);
    if (m->via)
        buf_addf(out, " via %s", m->via);
}

/* "; 2 still use r1 (a, b, since 12 s)" */
static void say_behind(const struct readback_move *m, const struct tailnet_snapshot *s, bool silent, struct buf *out)
{
    size_t count = 0, shown = 0;

    for (size_t i = 0; i < m->followers.len; i++)
        count += is_behind(&m->followers.items[i]) && m->followers.items[i].silent == silent;
    if (!count)
        return;
    buf_addf(out, "; %zu %s", count,
             !silent      ? (count == 1 ? "still uses " : "still use ")
             : count == 1 ? "has not answered"
                          : "have not answered");
    if (!silent)
        buf_adds(out, m->from ? name_of(s, m->from) : "none");
    buf_adds(out, " (");
    for (size_t i = 0; i < m->followers.len && shown < NAMES_SHOWN; i++)
        if (is_behind(&m->followers.items[i]) && m->followers.items[i].silent == silent)
            buf_addf(out, "%s%s", shown++ ? ", " : "", name_of(s, m->followers.items[i].node));
    buf_addf(out, "%s, since %lld s)", count > shown ? ", ..." : "",
             (long long)((clock_wall_ns() - m->moved_ns) / NS_PER_SECOND));
}

static size_t users_of(const struct readback_move *m, uint64_t exit)
{
    size_t count = 0;

    for (size_t i = 0; i < m->followers.len; i++)
        count += m->followers.items[i].state == FOLLOWER_FOLLOWS && m->followers.items[i].uses == exit;
    return count;
}

/* ": 2 use x2, 1 uses none" */
static void say_users(const struct readback_move *m, const struct tailnet_snapshot *s, struct buf *out)
{
    size_t shown = 0;

    for (size_t i = 0; i < m->followers.len && shown < NAMES_SHOWN; i++) {
        const struct route_follower *f = &m->followers.items[i];
        bool first = f->state == FOLLOWER_FOLLOWS;
        for (size_t k = 0; k < i && first; k++)
            first = m->followers.items[k].state != FOLLOWER_FOLLOWS || m->followers.items[k].uses != f->uses;
        if (!first)
            continue;
        size_t count = users_of(m, f->uses);
        buf_addf(out, "%s%zu %s %s", shown++ ? ", " : ": ", count, count == 1 ? "uses" : "use",
                 f->uses ? name_of(s, f->uses) : "none");
    }
}

static void say_exit(const struct readback_move *m, const struct tailnet_snapshot *s, size_t followed, size_t able,
                     struct buf *out)
{
    if (able)
        buf_addf(out, "%zu of %zu node%s %s left the exit node %s, which %s", followed, able, able == 1 ? "" : "s",
                 followed == 1 ? "has" : "have", name_of(s, m->from), m->exit_end);
    else
        buf_addf(out, "nobody who used the exit node %s, which %s, is there any more", name_of(s, m->from),
                 m->exit_end);
    say_users(m, s, out);
}

static void say_switched(const struct readback_move *m, const struct tailnet_snapshot *s, size_t followed, size_t able,
                         struct buf *out)
{
    buf_addf(out, "%zu of %zu node%s %s switched ", followed, able, able == 1 ? "" : "s",
             followed == 1 ? "has" : "have");
    say_prefixes(m, out);
    buf_addf(out, " to %s%s", name_of(s, m->to), m->nearest ? ", by nearness" : "");
}

void move_say(const struct readback *r, const struct readback_move *m, struct buf *out)
{
    const struct tailnet_snapshot *s = tailnet_pin(r->options.tailnet);
    size_t followed, unsupported, gone;

    move_counts(m, &followed, &unsupported, &gone);
    size_t able = m->followers.len - unsupported - gone;
    if (m->exit_end) {
        say_exit(m, s, followed, able, out);
    } else if (!able) {
        buf_adds(out, "no node that is online can say which router of ");
        say_prefixes(m, out);
        buf_adds(out, " it uses");
    } else {
        say_switched(m, s, followed, able, out);
    }
    say_behind(m, s, false, out);
    say_behind(m, s, true, out);
    if (unsupported)
        buf_addf(out, "; %zu cannot be asked (clients before 1.90)", unsupported);
    if (m->viewers > m->followers.len)
        buf_addf(out, "; a sample of %zu nodes", m->viewers);
    tailnet_unpin(s);
}

static const char *name_kept(struct arena *a, const struct tailnet_snapshot *s, uint64_t id)
{
    return id ? arena_strdup(a, name_of(s, id)) : NULL;
}

static void list_behind(const struct readback_move *m, const struct tailnet_snapshot *s, struct arena *a,
                        struct api_list *out)
{
    struct api_behind *list = (struct api_behind *)(uintptr_t)out->items;

    for (size_t i = 0; i < m->followers.len && out->len < BEHIND_SHOWN; i++) {
        const struct route_follower *f = &m->followers.items[i];
        if (is_behind(f))
            list[out->len++] =
                (struct api_behind){.node = f->node,
                                    .name = name_kept(a, s, f->node),
                                    .uses = name_kept(a, s, f->uses),
                                    .silent = f->silent,
                                    .seconds = (uint64_t)((clock_wall_ns() - m->moved_ns) / NS_PER_SECOND)};
    }
}

/* The router of the prefix now, and since when. */
static uint64_t server_now(const struct tailnet_snapshot *s, const struct prefix *p, const char *via, int64_t *since_ns)
{
    for (size_t i = 0; i < s->primary_count && !via; i++)
        if (prefix_cmp(&s->primaries[i]->prefix, p) == 0) {
            *since_ns = s->primaries[i]->since_ns;
            return s->primaries[i]->r.id;
        }
    for (size_t i = 0; i < s->via_primary_count && via; i++)
        if (prefix_cmp(&s->via_primaries[i]->prefix, p) == 0 && str_eq(s->via_primaries[i]->tags, via)) {
            *since_ns = s->via_primaries[i]->since_ns;
            return s->via_primaries[i]->r.id;
        }
    return 0;
}

/* The router it has moved on to, a move that will be examined in a moment; 0: it has not moved. */
static uint64_t moved_on(const struct tailnet_snapshot *s, const struct readback_move *m, const struct prefix *p,
                         int64_t *since_ns)
{
    uint64_t now = m->exit_end || m->nearest ? 0 : server_now(s, p, m->via, since_ns);

    return now == m->to ? 0 : now;
}

/* A move that nobody was asked about: not yet, or because questions are off. */
static void add_unseen(const struct tailnet_snapshot *s, const struct readback_move *m, uint64_t to, int64_t since_ns,
                       struct api_followers *out, struct buf *text)
{
    bool fresh = clock_wall_ns() - since_ns < NEW_NS;

    say_prefixes(m, text);
    buf_addf(text, " moved from %s to %s%s: nobody was asked%s", name_of(s, m->to), name_of(s, to),
             fresh ? " just now" : "", fresh ? " yet" : "");
    out->complete = false;
    out->ended = out->ended && !fresh;
}

/* Another move of the prefix: within another group, or of another exit node. */
static void add_move(struct readback *r, const struct tailnet_snapshot *s, const struct readback_move *m,
                     const struct prefix *p, struct arena *a, struct api_followers *out, struct buf *text)
{
    size_t followed, unsupported, gone;
    int64_t since_ns = 0;
    uint64_t later = moved_on(s, m, p, &since_ns);

    buf_adds(text, text->len ? ". " : "");
    if (later) {
        add_unseen(s, m, later, since_ns, out, text);
        return;
    }
    move_counts(m, &followed, &unsupported, &gone);
    move_say(r, m, text);
    out->viewers += m->viewers;
    out->asked += m->followers.len;
    out->followed += followed;
    out->unsupported += unsupported;
    out->complete = out->complete && followed + unsupported + gone == m->followers.len;
    out->ended = out->ended && m->ended;
    list_behind(m, s, a, &out->behind);
}

/* Whether a newer move of the same prefix makes this one irrelevant. */
static bool is_superseded(const struct readback *r, size_t at, const struct prefix *p)
{
    const struct readback_move *m = r->moves.items[at];

    for (size_t i = at + 1; i < r->moves.len; i++) {
        const struct readback_move *later = r->moves.items[i];
        if (prefixes_has(&later->prefixes, p) && str_eq(later->via ? later->via : "", m->via ? m->via : "") &&
            later->nearest == m->nearest && (!m->nearest || later->look != m->look) &&
            (!m->exit_end || later->from == m->from))
            return true;
    }
    return false;
}

bool readback_followers(struct readback *r, const struct prefix *p, struct arena *a, struct api_followers *out)
{
    const struct readback_move *newest = NULL;
    struct buf text = BUF_INIT(0);

    pthread_mutex_lock(&r->lock);
    const struct tailnet_snapshot *s = tailnet_pin(r->options.tailnet);
    for (size_t i = r->moves.len; i-- > 0;) {
        const struct readback_move *m = r->moves.items[i];
        if (m->unserved || !prefixes_has(&m->prefixes, p) || is_superseded(r, i, p))
            continue;
        if (newest && m->moved_ms + (m->ended ? TOGETHER_MS : ENDS_MS) < newest->moved_ms)
            continue; /* unrelated */
        if (!newest) {
            int64_t since_ns = m->moved_ns;
            uint64_t later = moved_on(s, m, p, &since_ns);
            newest = m;
            *out = (struct api_followers){.prefix = *p,
                                          .from = later ? m->to : m->from,
                                          .from_name = name_kept(a, s, later ? m->to : m->from),
                                          .to = later ? later : m->to,
                                          .to_name = name_kept(a, s, later ? later : m->to),
                                          .actor = m->actor && !later ? arena_strdup(a, m->actor) : NULL,
                                          .moved_ns = later ? since_ns : m->moved_ns,
                                          .complete = true,
                                          .ended = true,
                                          .behind = {arena_alloc(a, BEHIND_SHOWN * sizeof(struct api_behind)), 0}};
        }
        add_move(r, s, m, p, a, out, &text);
    }
    tailnet_unpin(s);
    pthread_mutex_unlock(&r->lock);
    if (newest)
        out->text = arena_strdup(a, buf_text(&text));
    buf_release(&text);
    return newest != NULL;
}

/* Simultaneous moves have the same viewers: the worst of them counts. */
static void confirm(const struct readback_move *m, struct readback_confirmation *c)
{
    size_t followed, unsupported, gone;

    move_counts(m, &followed, &unsupported, &gone);
    size_t behind = m->followers.len - followed - unsupported - gone;
    c->confirmed = c->confirmed && m->complete;
    c->asking = c->asking || !m->ended;
    c->unsupported = unsupported > c->unsupported ? unsupported : c->unsupported;
    c->behind = behind > c->behind ? behind : c->behind;
}

struct readback_confirmation readback_confirmed(struct readback *r, uint64_t node, uint64_t seq)
{
    static const struct readback_confirmation begin = {.confirmed = true};
    struct readback_confirmation c = begin;
    bool moved = false, serves = false;

    pthread_mutex_lock(&r->lock);
    bool looked = r->on && r->seen >= seq && !r->forgot;
    for (size_t i = 0; i < r->moves.len; i++) {
        const struct readback_move *m = r->moves.items[i];
        if (m->to == node) {
            moved = false; /* it served again */
            serves = true;
            c = begin;
        }
        if (m->from != node || m->exit_end)
            continue;
        moved = true;
        serves = false;
        confirm(m, &c);
    }
    if (!moved)
        c = (struct readback_confirmation){.confirmed = looked && !serves, .asking = r->on && !looked};
    pthread_mutex_unlock(&r->lock);
    return c;
}

void readback_metrics(struct readback *r, struct buf *out)
{
    pthread_mutex_lock(&r->lock);
    metrics_put(out, "headway_readback_questions_total", "counter", "Questions to clients for their network map",
                r->questions);
    metrics_put(out, "headway_readback_questions_failed_total", "counter", "Of these, those without a usable answer",
                r->failed);
    metrics_put_times(out, "headway_route_follow_seconds",
                      "Time from the move of a prefix until a node said that it uses the new router", &metrics_seconds,
                      &r->follow_times);
    metrics_put_times(out, "headway_exit_leave_seconds",
                      "Time from the end of an exit node until a node that used it said that it uses another",
                      &metrics_seconds, &r->leave_times);
    pthread_mutex_unlock(&r->lock);
}
