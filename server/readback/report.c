/* SPDX-License-Identifier: BSD-3-Clause */
/* What is known of moves, in words and figures. */
#include "base/array.h"
#include "base/clock.h"
#include "metrics/metrics.h"
#include "readback/moves.h"

#define BEHIND_SHOWN 20
#define NAMES_SHOWN  5

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

void move_say(const struct readback *r, const struct readback_move *m, struct buf *out)
{
    const struct tailnet_snapshot *s = tailnet_pin(r->options.tailnet);
    size_t followed, unsupported, gone;

    move_counts(m, &followed, &unsupported, &gone);
    size_t able = m->followers.len - unsupported - gone;
    if (!able) {
        buf_adds(out, "no node that is online can say which router of ");
        say_prefixes(m, out);
        buf_adds(out, " it uses");
    } else {
        buf_addf(out, "%zu of %zu node%s %s switched ", followed, able, able == 1 ? "" : "s",
                 followed == 1 ? "has" : "have");
        say_prefixes(m, out);
        buf_addf(out, " to %s", name_of(s, m->to));
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
    struct api_behind *list = arena_alloc(a, BEHIND_SHOWN * sizeof(*list));
    size_t count = 0;

    for (size_t i = 0; i < m->followers.len && count < BEHIND_SHOWN; i++) {
        const struct route_follower *f = &m->followers.items[i];
        if (is_behind(f))
            list[count++] = (struct api_behind){.node = f->node,
                                                .name = name_kept(a, s, f->node),
                                                .uses = name_kept(a, s, f->uses),
                                                .silent = f->silent,
                                                .seconds = (uint64_t)((clock_wall_ns() - m->moved_ns) / NS_PER_SECOND)};
    }
    *out = (struct api_list){list, count};
}

/* It has moved again, which is looked at in a moment. */
static bool moved_on(const struct tailnet_snapshot *s, const struct readback_move *m, const struct prefix *p)
{
    for (size_t i = 0; i < s->primary_count; i++)
        if (prefix_cmp(&s->primaries[i]->prefix, p) == 0)
            return s->primaries[i]->r.id != m->to;
    return false;
}

bool readback_followers(struct readback *r, const struct prefix *p, struct arena *a, struct api_followers *out)
{
    const struct readback_move *m = NULL;
    size_t followed, unsupported, gone;
    struct buf text = BUF_INIT(0);

    pthread_mutex_lock(&r->lock);
    for (size_t i = r->moves.len; i-- > 0 && !m;)
        if (prefixes_has(&r->moves.items[i]->prefixes, p))
            m = r->moves.items[i];
    if (m) {
        const struct tailnet_snapshot *s = tailnet_pin(r->options.tailnet);
        move_counts(m, &followed, &unsupported, &gone);
        move_say(r, m, &text);
        *out = (struct api_followers){.prefix = *p,
                                      .from = m->from,
                                      .from_name = name_kept(a, s, m->from),
                                      .to = m->to,
                                      .to_name = name_kept(a, s, m->to),
                                      .moved_ns = m->moved_ns,
                                      .viewers = m->viewers,
                                      .asked = m->followers.len,
                                      .followed = followed,
                                      .unsupported = unsupported,
                                      .complete = followed + unsupported + gone == m->followers.len,
                                      .ended = m->ended,
                                      .text = arena_strdup(a, buf_text(&text))};
        if (moved_on(s, m, p))
            out->complete = out->ended = false;
        list_behind(m, s, a, &out->behind);
        tailnet_unpin(s);
    }
    pthread_mutex_unlock(&r->lock);
    buf_release(&text);
    return m != NULL;
}

bool readback_confirmed(struct readback *r, uint64_t node)
{
    bool moved = false, all = true;

    pthread_mutex_lock(&r->lock);
    for (size_t i = 0; i < r->moves.len; i++) {
        const struct readback_move *m = r->moves.items[i];
        size_t followed, unsupported, gone;
        if (m->to == node)
            moved = false; /* it served again */
        if (m->from != node)
            continue;
        move_counts(m, &followed, &unsupported, &gone);
        moved = true;
        all = m->ended && unsupported == 0 && followed + gone == m->followers.len;
    }
    pthread_mutex_unlock(&r->lock);
    return moved && all;
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
    pthread_mutex_unlock(&r->lock);
}
