/* SPDX-License-Identifier: BSD-3-Clause */
/* Who reaches what, as a matrix over the request's snapshot. */
#include "api/request/args.h"
#include "api/request/heavy.h"
#include "api/request/reply.h"
#include "api/request/request.h"
#include "api/resources/policy.h"
#include "api/resources/tables.h"

#define ENDS_MAX        1000 /* rows, columns */
#define ROWS_DEFAULT    100
#define COLUMNS_DEFAULT 50
#define CELLS_MAX       50000

static int read_count(struct rest_request *r, const char *name, uint64_t fallback, size_t *out)
{
    const char *text = arg_query(r, name);
    uint64_t count = fallback;

    if (text && str_u64(text, 1, ENDS_MAX, &count, name, &r->err) < 0)
        return r->err.code;
    *out = (size_t)count;
    return 0;
}

static const char *text_or(const char *text, const char *fallback)
{
    return text && *text ? text : fallback;
}

/* The question: a matrix, or the neighbours of one (of: NULL, or its name). */
struct reach_question {
    struct policy_reach_query matrix;
    const char *of;
    size_t limit;
};

/* Writes the answer once it is certain that there is one. */
static int write_reach(struct rest_request *r, const struct policy_view *v, const struct reach_question *q)
{
    struct buf out = BUF_INIT(0);
    struct json_out o = JSON_OUT(&out);

    json_open(&o, '{');
    int code = q->of ? policy_neighbours(v, q->of, q->limit, &o, &r->err) : policy_reach(v, &q->matrix, &o, &r->err);
    json_close(&o, '}');
    if (code == 0) {
        o = reply_json(r);
        json_raw(&o, buf_text(&out), out.len);
    }
    buf_release(&out);
    return code;
}

static enum http_flow reach(struct rest_request *r)
{
    struct policy_problems problems = {0};
    struct tailnet_policy_input w;
    struct policy *p = policy_in_force(r->s);

    policy_input_init(&w, r);
    struct policy_view *v = policy_view_now(r, p, &w, &problems);
    int code = v ? write_reach(r, v, r->state) : err_set(&r->err, ERR_TOOBIG, "%.200s", problems.items[0].text);
    policy_view_free(v);
    tailnet_policy_input_release(&w);
    policy_unref(p);
    policy_problems_release(&problems);
    return code < 0 ? reply_error(r, &r->err) : HTTP_DONE;
}

static enum http_flow reach_call(struct rest_request *r)
{
    struct reach_question *question = arena_alloc(&r->http.arena, sizeof(*question));
    struct policy_reach_query *q = &question->matrix;

    *q = (struct policy_reach_query){.from = text_or(arg_query(r, "from"), "groups,tags,users"),
                                     .to = text_or(arg_query(r, "to"), "groups,tags,users,prefixes,exits"),
                                     .from_in = arg_query(r, "from_in"),
                                     .to_in = arg_query(r, "to_in")};
    if (read_count(r, "rows", ROWS_DEFAULT, &q->rows_max) < 0 ||
        read_count(r, "columns", COLUMNS_DEFAULT, &q->columns_max) < 0)
        return reply_error(r, &r->err);
    if (q->rows_max * q->columns_max > CELLS_MAX)
        return reply_code(r, ERR_TOOBIG, "rows times columns must not be more than %d", CELLS_MAX);
    r->state = question;
    return heavy_later(r, reach);
}

static enum http_flow neighbours_call(struct rest_request *r)
{
    struct reach_question *q = arena_alloc(&r->http.arena, sizeof(*q));

    q->of = arg_query(r, "of");
    if (!q->of || !*q->of) {
        err_field(&r->err, ERR_INVALID, "of", "of is missing: a node, user, tag or group");
        return reply_error(r, &r->err);
    }
    if (read_count(r, "limit", ENDS_MAX, &q->limit) < 0)
        return reply_error(r, &r->err);
    r->state = q;
    return heavy_later(r, reach);
}

static const struct api_endpoint rows[] = {
    {HEADWAY("GET", "/reach"), .run = reach_call, .need = NEED_READ, .scope = SCOPE_ALL,
     .query = "from:text to:text from_in:text to_in:text rows:number columns:number", .answer = "Reach",
     .help = "Who reaches what: kinds (users, groups, tags, nodes, prefixes, exits) or one of them against others"},
    {HEADWAY("GET", "/reach/neighbours"), .run = neighbours_call, .need = NEED_READ, .scope = SCOPE_ALL,
     .query = "of:text limit:number", .answer = "Neighbours",
     .help = "Whom a node, user, tag or group reaches, and by whom it is reached: nodes, networks and exit nodes"},
    {HEADWAY("GET", "/reach/history"), .run = reach_history_get, .need = NEED_READ, .scope = SCOPE_ALL,
     .query = "src:text dst:text port:number", .answer = "ReachHistory",
     .help = "Since when one reaches another or not, and by which entry of the journal that changed, newest first"},
};
const struct http_table reach_table = API_TABLE(rows);
