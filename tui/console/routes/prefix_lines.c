/* SPDX-License-Identifier: BSD-3-Clause */
#include "console/routes/prefix_lines.h"

#include "base/array.h"
#include "base/clock.h"
#include "base/mem.h"
#include "console/dialogs/plan.h"
#include "console/model/findings.h"
#include "console/routes/answers.h"
#include "net/via6.h"

#define FOLLOWED_SHOWN_NS (10 * 60 * NS_PER_SECOND) /* that all follow is news for so long */
#define NAMES_SHOWN       6

static const struct prefix_answers *answers_of(const struct app *app, const char *prefix)
{
    const struct prefix_answers *a = prefix_answers(app);

    return !app->then.on && a->prefix && str_eq(a->prefix, prefix) ? a : NULL; /* it speaks of now */
}

/* So does what is found wrong with routes. */
static size_t find(const struct app *app, uint64_t node, const char *prefix, struct buf *out)
{
    return app->then.on ? 0 : findings_of(&app->model, node, prefix, out);
}

/* ---- how far clients follow ---- */

/* Of the last move: not of one before, to a router that does not serve it any more. */
static void follow_line(const struct app *app, const struct prefix_answers *a, const struct m_prefix *p,
                        struct buf *out)
{
    const struct api_followers *f = &a->follow;

    if (a->follow_known && p && !p->api.nearest && f->to && p->api.primary && f->to != p->api.primary)
        return;

    if (!a->follow_known || (f->complete && f->moved_ns + FOLLOWED_SHOWN_NS < app->at.now_ns))
        return;
    buf_addf(out, f->complete ? "clients\t%s\n" : "!clients: %s\n", f->text);
}

/* ---- the probe ---- */

static const struct m_event *last_verdict(const struct app *app, const char *prefix)
{
    const struct row_table *t = model_table(&app->model, ROW_EVENT);

    for (size_t i = t->rows.len; i-- > 0;) {
        const struct m_event *e = (const struct m_event *)t->rows.items[i];

        if (str_eq(e->api.object_name, prefix) &&
            (str_eq(e->api.kind, "route.unreached") || str_eq(e->api.kind, "route.reached")))
            return e;
    }
    return NULL;
}

static void probe_line(const struct app *app, const struct m_prefix *p, struct buf *out)
{
    const struct m_event *e = last_verdict(app, p->row.key);
    char when[AGO_MAX];

    if (!*p->api.probe)
        return;
    buf_addf(out, "probe\t%s, ", p->api.probe);
    if (e)
        buf_addf(out, "%s: %s\n", timestamp_text(e->api.time_ns, app->at.now_ns, when), e->api.text);
    else
        buf_adds(out, "no verdict against a router in the events loaded\n");
}

/* ---- who takes over ---- */

/* An answer about a router that does not serve any more is not shown: the next one is on its way. */
static void next_line(const struct prefix_answers *a, uint64_t primary, struct buf *out)
{
    for (size_t i = 0; a->next_known && i < a->next.prefixes.len; i++) {
        const struct api_simulated_prefix *p = api_at(&a->next.prefixes, struct api_simulated_prefix, i);
        char text[PREFIX_TEXT_MAX];
        struct buf line = BUF_INIT(0);

        if (!*p->via && (!p->from || p->from == primary) && str_eq(prefix_format(&p->prefix, text), a->prefix)) {
            bool lost = simulated_prefix_text(p, &line);
            buf_addf(out, lost ? "!if %s fails: %s\n" : "if it fails\t%s%s\n", lost ? p->from_name : "",
                     buf_text(&line));
        }
        buf_release(&line);
    }
}

/* ---- who may use it ---- */

static void add_users(const struct api_simulation *s, const struct prefix *p, struct buf *out)
{
    size_t named = 0, all = 0;
    struct buf names = BUF_INIT(0);

    for (size_t i = 0; i < s->cut_off.len; i++) {
        const struct api_simulated_cut_off *x = api_at(&s->cut_off, struct api_simulated_cut_off, i);

        if (x->exit || prefix_cmp(&x->prefix, p) != 0)
            continue;
        if (all++ < NAMES_SHOWN)
            buf_addf(&names, "%s%s", named++ ? ", " : "", x->user);
    }
    if (all)
        buf_addf(out, "; user%s %s", all == 1 ? "" : "s", buf_text(&names));
    if (all > named)
        buf_addf(out, " and %zu more", all - named);
    buf_release(&names);
}

struct share {
    const char *router;
    uint64_t nodes;
};
typedef VEC(struct share) share_list;

static void add_share(share_list *list, const char *router, uint64_t nodes)
{
    for (size_t i = 0; i < list->len; i++)
        if (str_eq(list->items[i].router, router)) {
            list->items[i].nodes += nodes;
            return;
        }
    vec_push(list, ((struct share){router, nodes}));
}

/* How many each router serves: of a prefix that each node reaches by the nearest. */
static void nearest_line(const share_list *shares, struct buf *out)
{
    for (size_t i = 0; i < shares->len; i++)
        buf_addf(out, "%s%s %llu node%s", i ? ", " : "nearest\t", shares->items[i].router,
                 (unsigned long long)shares->items[i].nodes, shares->items[i].nodes == 1 ? "" : "s");
    buf_adds(out, shares->len ? "\n" : "");
}

void use_lines(const struct app *app, const char *prefix, struct buf *out)
{
    const struct prefix_answers *a = answers_of(app, prefix);
    const struct m_prefix *row = model_find(&app->model, ROW_PREFIX, prefix);
    uint64_t count = 0, online = 0;
    size_t named = 0;
    struct buf names = BUF_INIT(0);
    share_list shares = {0};

    for (size_t i = 0; a && row && a->use_known && i < a->use.viewers.len; i++) {
        const struct api_simulated_viewers *v = api_at(&a->use.viewers, struct api_simulated_viewers, i);

        for (size_t k = 0; k < v->changes.len; k++) {
            const struct api_simulated_way *w = api_at(&v->changes, struct api_simulated_way, k);

            if (w->exit || !str_eq(w->kind, "loses") || prefix_cmp(&w->prefix, &row->api.prefix) != 0)
                continue;
            count += v->viewers.count;
            online += v->online;
            add_share(&shares, w->from_name, v->viewers.count);
            for (size_t n = 0; n < v->viewers.names.len && named < NAMES_SHOWN; n++)
                buf_addf(&names, "%s%s", named++ ? ", " : "", v->viewers.names.items[n]);
            break;
        }
    }
    if (a && a->use_known) {
        buf_addf(out, "used by\t%llu node%s%s", (unsigned long long)count, count == 1 ? "" : "s",
                 count ? "" : ": the policy lets nobody use it, or nobody serves it");
        if (count)
            buf_addf(out, " (%llu online): %s", (unsigned long long)online, buf_text(&names));
        if (count > named && named)
            buf_addf(out, " and %llu more", (unsigned long long)(count - named));
        if (row)
            add_users(&a->use, &row->api.prefix, out);
        buf_addc(out, '\n');
        if (row && row->api.nearest)
            nearest_line(&shares, out);
    }
    vec_release(&shares);
    buf_release(&names);
}

void allowed_line(const struct app *app, const struct m_route *exit, struct buf *out)
{
    const struct prefix_answers *a = prefix_answers(app);
    uint64_t count = 0;
    size_t named = 0;
    struct buf names = BUF_INIT(0);

    if (app->then.on || !a->prefix || !str_starts(a->prefix, "exit ") || !str_eq(a->prefix + 5, exit->node->row.key) ||
        !a->use_known)
        return;
    for (size_t i = 0; i < a->use.viewers.len; i++) {
        const struct api_simulated_viewers *v = api_at(&a->use.viewers, struct api_simulated_viewers, i);

        count += v->viewers.count;
        for (size_t n = 0; n < v->viewers.names.len && named < NAMES_SHOWN; n++)
            buf_addf(&names, "%s%s", named++ ? ", " : "", v->viewers.names.items[n]);
    }
    buf_addf(out, "allowed for\t%llu node%s%s%s", (unsigned long long)count, count == 1 ? "" : "s", named ? ": " : "",
             buf_text(&names));
    if (count > named && named)
        buf_addf(out, " and %llu more", (unsigned long long)(count - named));
    buf_addc(out, '\n');
    buf_release(&names);
}

/* ---- around and inside ---- */

static void add_overlap(const struct m_prefix *other, struct buf *out, size_t *count)
{
    if ((*count)++ < NAMES_SHOWN)
        buf_addf(out, "%s%s%s%s", *count > 1 ? ", " : "", other->row.key, *other->api.primary_name ? " of " : "",
                 other->api.primary_name);
}

static void overlap_lines(const struct app *app, const struct m_prefix *p, struct buf *out)
{
    const struct row_table *t = model_table(&app->model, ROW_PREFIX);
    struct buf around = BUF_INIT(0), inside = BUF_INIT(0);
    size_t wider = 0, longer = 0;

    for (size_t i = 0; i < t->rows.len && !p->api.exit; i++) {
        const struct m_prefix *o = (const struct m_prefix *)t->rows.items[i];

        if (o == p || o->row.gone_ms || o->api.exit || prefix_cmp(&o->api.prefix, &p->api.prefix) == 0)
            continue;
        if (prefix_covers(&o->api.prefix, &p->api.prefix))
            add_overlap(o, &around, &wider);
        else if (prefix_covers(&p->api.prefix, &o->api.prefix))
            add_overlap(o, &inside, &longer);
    }
    if (wider)
        buf_addf(out, "lies within\t%s: this one is taken first\n", buf_text(&around));
    if (longer)
        buf_addf(out, "contains\t%s%s\n", buf_text(&inside), longer > NAMES_SHOWN ? ", ..." : ": taken first");
    buf_release(&around);
    buf_release(&inside);
}

static void site_line(const char *prefix, struct buf *out)
{
    struct prefix p, v4;
    char text[PREFIX_TEXT_MAX];
    uint32_t site;

    if (prefix_parse(prefix, &p, NULL, NULL) == 0 && via6_decode(&p, &site, &v4))
        buf_addf(out, "4via6\t%s of site %u\n", prefix_format(&v4, text), site);
}

void prefix_lines(const struct app *app, const struct m_prefix *p, struct buf *out)
{
    const struct prefix_answers *a = answers_of(app, p->row.key);

    site_line(p->row.key, out);
    if (a)
        follow_line(app, a, p, out);
    find(app, 0, p->row.key, out);
    if (a)
        next_line(a, p->api.primary, out);
    use_lines(app, p->row.key, out);
    probe_line(app, p, out);
    overlap_lines(app, p, out);
}

static void drain_line(const struct app *app, const struct m_node *n, struct buf *out)
{
    const struct drain_answer *d = drain_answer(app);

    if (!n->api.draining)
        return;
    if (d->node == n->api.id && d->known && !app->then.on)
        buf_addf(out, d->drain.safe ? "drained\t%s\n" : "!%s\n", d->drain.text);
    else
        buf_adds(out, "drained\tothers serve its prefixes where they can\n");
}

void route_lines(const struct app *app, const struct m_route *r, struct buf *out)
{
    const struct m_prefix *p = r->api.exit ? NULL : model_find(&app->model, ROW_PREFIX, r->row.key);
    const struct prefix_answers *a = answers_of(app, r->row.key);

    site_line(r->row.key, out);
    drain_line(app, r->node, out);
    if (a)
        follow_line(app, a, p, out);
    if (*r->api.reason)
        buf_addf(out, "reason\t%s\n", r->api.reason);
    find(app, r->node->api.id, r->row.key, out);
    if (a && r->api.state == ROUTE_SERVING)
        next_line(a, r->node->api.id, out);
    if (p)
        probe_line(app, p, out);
}

void router_lines(const struct app *app, const struct m_node *n, struct buf *out)
{
    drain_line(app, n, out);
    if (!find(app, n->api.id, NULL, out) && app->model.findings_known && !app->then.on)
        buf_adds(out, route_check_is_due(app) ? "check\troutes have changed: they are checked again\n"
                                              : "check\tnothing is found wrong with its routes\n");
}
