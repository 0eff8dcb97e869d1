/* SPDX-License-Identifier: BSD-3-Clause */
#include "console/routes/questions.h"

#include "base/clock.h"
#include "base/mem.h"
#include "console/model/findings.h"
#include "model/api_past.h"

#define CHANGES_MAX 1000 /* of one "what if" */

char *question_url(const char *prefix, const char *tail)
{
    struct buf b = BUF_INIT(0);

    buf_adds(&b, "/api/headway/prefixes/");
    for (const char *c = prefix; *c; c++)
        buf_addf(&b, *c == '/' || *c == ':' ? "%%%02X" : "%c", *c);
    buf_adds(&b, tail);
    return buf_take(&b);
}

static bool may_serve(int state)
{
    return state != ROUTE_AVAILABLE && state != ROUTE_APPROVED && state != ROUTE_NONE;
}

static bool is_meant(const struct m_route *r, const char *only)
{
    if (str_starts(only, "exit "))
        return r->api.exit && str_eq(r->node->row.key, only + 5);
    return !r->api.exit && str_eq(r->row.key, only);
}

char *question_of_use(const struct app *app, const char *only)
{
    const struct row_table *t = model_table(&app->model, ROW_NODE);
    struct buf b = BUF_INIT(0);
    struct json_out o = JSON_OUT(&b);
    size_t changes = 0;

    json_open(&o, '{');
    json_key(&o, "changes");
    json_open(&o, '[');
    for (size_t i = 0; i < t->rows.len && changes < CHANGES_MAX; i++) {
        const struct m_node *n = (const struct m_node *)t->rows.items[i];
        size_t listed = 0;

        for (size_t k = 0; k < n->routes.len && !n->row.gone_ms && listed < CHANGES_MAX; k++) {
            const struct m_route *r = n->routes.items[k];

            if (!may_serve(r->api.state) || (only && !is_meant(r, only)))
                continue;
            if (!listed++) {
                json_open(&o, '{');
                json_put_str(&o, "kind", "withdraw");
                json_put_str(&o, "node", n->row.key);
                json_key(&o, "prefixes");
                json_open(&o, '[');
            }
            json_str(&o, r->row.key);
        }
        if (listed) {
            json_close(&o, ']');
            json_close(&o, '}');
            changes++;
        }
    }
    json_close(&o, ']');
    json_close(&o, '}');
    if (changes)
        return buf_take(&b);
    buf_release(&b);
    return NULL;
}

/* ---- facts of rows ---- */

void take_findings(struct app *app, const json_t *json)
{
    struct api_list problems;

    if (!app->then.on && api_read_list(&api_route_problem_shape, json_object_get(json, "problems"), &problems,
                                       API_FOR_TERMINAL, NULL) == 0)
        model_take_findings(&app->model, &problems);
}

static void set_users(struct row *row, uint64_t users, bool add)
{
    if (!row)
        return;
    struct row_facts *f = row_facts(row);
    f->users = (add && f->users_known ? f->users : 0) + users;
    f->users_known = true;
}

static void forget_users(struct app *app)
{
    const struct row_table *t = model_table(&app->model, ROW_PREFIX);

    for (size_t i = 0; i < t->rows.len; i++)
        if (t->rows.items[i]->facts)
            t->rows.items[i]->facts->users_known = false;
}

void take_all_use(struct app *app, const json_t *json)
{
    struct api_simulation s;

    /* The rows of the past are not those that the answer is about. */
    if (app->then.on || api_read(&api_simulation_shape, json, &s, API_FOR_TERMINAL, NULL) < 0)
        return;
    forget_users(app);
    /* A prefix has a row for each group of routers with via, too. */
    for (size_t i = 0; i < s.prefixes.len; i++) {
        const struct api_simulated_prefix *p = api_at(&s.prefixes, struct api_simulated_prefix, i);
        char text[PREFIX_TEXT_MAX];

        set_users(model_find(&app->model, ROW_PREFIX, prefix_format(&p->prefix, text)), p->lose, true);
    }
    for (size_t i = 0; i < s.exits.len; i++) {
        const struct api_simulated_exit *x = api_at(&s.exits, struct api_simulated_exit, i);
        struct m_node *n = model_node(&app->model, x->node);

        for (size_t k = 0; n && k < n->routes.len; k++)
            if (n->routes.items[k]->api.exit)
                set_users(&n->routes.items[k]->row, x->viewers, false);
    }
    api_release(&api_simulation_shape, &s);
    model_facts_changed(&app->model);
}

void count_flips(struct app *app, const char *prefix, const json_t *json)
{
    struct row *row = model_find(&app->model, ROW_PREFIX, prefix);
    struct api_route_history h;

    if (!row || app->then.on) /* it tells of now */
        return;
    struct row_facts *f = row_facts(row);
    f->flips_known = true;
    f->flips = FLIPS_UNKNOWN; /* asked, but not told */
    if (api_read(&api_route_history_shape, json, &h, API_FOR_TERMINAL, NULL) < 0)
        return;
    f->flips = 0;
    for (size_t i = 0; i < h.moves.len; i++) {
        const struct api_move *m = api_at(&h.moves, struct api_move, i);
        f->flips += m->from && m->to && m->time_ns > app->at.now_ns - 24 * 3600 * NS_PER_SECOND;
    }
    api_release(&api_route_history_shape, &h);
}
