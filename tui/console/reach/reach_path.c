/* SPDX-License-Identifier: BSD-3-Clause */
/* The path between two ends: the facts in order, each with its line of the policy. */
#include <stdio.h>
#include <stdlib.h>

#include "base/array.h"
#include "base/mem.h"
#include "client/client.h"
#include "console/app/app.h"
#include "console/app/dispatch.h"
#include "console/reach/reach.h"

#define WORD_COL 6

void reach_path_init(struct reach_path *p)
{
    *p = (struct reach_path){
        .src = mem_strdup(""), .dst = mem_strdup(""), .target = mem_strdup(""), .route = mem_strdup("")};
}

void reach_path_release(struct reach_path *p)
{
    reach_rows_clear(&p->steps);
    free(p->src);
    free(p->dst);
    free(p->target);
    free(p->route);
    free(p->trouble);
    free(p->back);
}

/* ---- asking ---- */

/* A number followed by nothing but blanks. */
static bool read_port(const char *text, uint64_t *port)
{
    char *digits = mem_strndup(text, strcspn(text, " "));
    bool is = !text[strlen(digits) + strspn(text + strlen(digits), " ")] &&
              str_u64(digits, 1, UINT16_MAX, port, "port", NULL) == 0;

    free(digits);
    return is;
}

bool reach_path_read(struct reach_path *p, const char *text)
{
    text += strspn(text, " ");
    size_t len = strcspn(text, " ");
    const char *to = text + len + strspn(text + len, " ");
    size_t to_len = strcspn(to, " ");
    const char *colon = memrchr(to, ':', to_len);
    uint64_t port = 0;

    const char *third = to + to_len + strspn(to + to_len, " ");
    if (!len || !to_len || (*third && !read_port(third, &port)))
        return false;
    char *end = mem_strndup(to, to_len);
    bool has_port = port || (colon && memchr(to, ':', to_len) == colon && read_port(end + (colon - to) + 1, &port));
    if (has_port && !*third)
        end[colon - to] = '\0';
    free(p->src);
    free(p->dst);
    p->src = mem_strndup(text, len);
    p->dst = end;
    p->port = has_port ? (uint16_t)port : 0;
    return true;
}

/* back: the request for the part below the path, which nobody waits for. */
static uint64_t send_question(struct app *app, const char *src, const char *dst, uint16_t port, bool back)
{
    struct buf path = BUF_INIT(0);

    buf_adds(&path, "/api/headway/explain?src=");
    client_escape(&path, src);
    buf_adds(&path, "&dst=");
    client_escape(&path, dst);
    if (port)
        buf_addf(&path, "&port=%u", port);
    struct app_request request = {.id = app->next_request++,
                                  .method = "GET",
                                  .path = buf_text(&path),
                                  .body = "",
                                  .result = ROW_KINDS,
                                  .background = back,
                                  .whole = true};
    app->net.send(app->net.context, &request);
    buf_release(&path);
    return request.id;
}

void reach_path_ask(struct app *app)
{
    struct reach_path *p = &reach_of(app)->path;

    if (!*p->src || !*p->dst || !app->net.send)
        return;
    free(p->back);
    p->back = NULL;
    p->call = send_question(app, p->src, p->dst, p->port, false);
    p->back_call = send_question(app, p->dst, p->src, 0, true);
}

void reach_path_back_reply(struct app *app, const struct reply *reply)
{
    struct reach_path *p = &reach_of(app)->path;
    struct api_explanation e;

    p->back_call = 0;
    if (reply->status < 200 || reply->status >= 300 ||
        api_read(&api_explanation_shape, reply->json, &e, API_FOR_TERMINAL, NULL) < 0)
        return;
    const struct api_step *last = e.steps.len ? api_at(&e.steps, struct api_step, e.steps.len - 1) : NULL;
    p->back_allowed = e.allowed;
    p->back_line = last && last->line <= UINT32_MAX ? (unsigned)last->line : 0;
    mem_replace(&p->back, last ? last->text : "");
    api_release(&api_explanation_shape, &e);
}

static void take_explanation(struct reach_path *p, const struct api_explanation *e)
{
    p->allowed = e->allowed;
    p->pairs_allowed = e->pairs_allowed;
    p->pairs_denied = e->pairs_denied;
    mem_replace(&p->target, e->router ? e->router : e->node ? e->node : "");
    mem_replace(&p->route, e->route ? e->route : "");
    for (size_t i = 0; i < e->steps.len; i++) {
        const struct api_step *step = api_at(&e->steps, struct api_step, i);
        struct reach_row *row = reach_rows_add(&p->steps);

        row->ok = step->ok;
        row->line = step->line <= UINT32_MAX ? (unsigned)step->line : 0;
        row->text = mem_strdup(step->text);
    }
}

void reach_path_reply(struct app *app, const struct reply *reply)
{
    struct reach_path *p = &reach_of(app)->path;
    struct list *l = view_list(app, &reach_view, 0);
    struct api_explanation e;

    p->call = 0;
    p->at_ns = app->at.now_ns;
    /* The list refers to rows by address. */
    l->order.len = 0;
    l->cursor = l->anchor = NULL;
    l->forced = true;
    reach_rows_clear(&p->steps);
    free(p->trouble);
    p->trouble = NULL;
    if (reply->status < 200 || reply->status >= 300)
        p->trouble = mem_strdup(reply->e.message);
    else if (api_read(&api_explanation_shape, reply->json, &e, API_FOR_TERMINAL, NULL) < 0)
        p->trouble = mem_strdup("the server's answer cannot be read");
    else {
        take_explanation(p, &e);
        api_release(&api_explanation_shape, &e);
    }
}

/* ---- the list of steps ---- */

static void fill_step(const struct row *row, const struct clock_reading *at, struct list_field *out)
{
    (void)at;
    str_copy(out->text, sizeof(out->text), ((const struct reach_row *)row)->text);
}

static void step_words(const struct row *row, struct buf *out)
{
    buf_adds(out, ((const struct reach_row *)row)->text);
}

static void collect_steps(const struct model *m, struct list *l)
{
    const struct reach_rows *rows = (const struct reach_rows *)l->scope;

    (void)m;
    for (size_t i = 0; rows && i < rows->items.len; i++)
        list_add(l, &rows->items.items[i]->row);
}

static const struct list_column step_columns[] = {{.title = "", .key = "step", .fill = fill_step}};

const struct list_def reach_steps_def = {
    .noun = "steps",
    .one = "step",
    .empty = "",
    .columns = step_columns,
    .column_count = ARRAY_LEN(step_columns),
    .fields = {.words = step_words},
    .sort = -1,
    .fixed_columns = true,
    .collect = collect_steps,
};

/* ---- drawing ---- */

static void draw_ends(const struct reach_path *p, struct canvas *c, struct rect at)
{
    int third = at.cols / 3;

    canvas_text(c, at.row, at.col + 2, 7, ROLE_LABEL, "source");
    canvas_name(c, at.row, at.col + 9, third - 8, ROLE_STRONG, *p->src ? p->src : "-");
    canvas_text(c, at.row, at.col + third + 3, 5, ROLE_LABEL, "dest");
    canvas_name(c, at.row, at.col + third + 8, third + 2, ROLE_STRONG, *p->dst ? p->dst : "-");
    if (p->port)
        canvas_textf(c, at.row, at.col + at.cols - 15, 14, ROLE_STRONG, "port tcp %u", p->port);
    else
        canvas_text(c, at.row, at.col + at.cols - 15, 14, ROLE_FAINT, "some tcp port");
}

static void draw_verdict(const struct reach_path *p, struct canvas *c, struct rect at)
{
    struct buf b = BUF_INIT(0);
    char pairs[80] = "";
    int used = 0;

    buf_addf(&b, "%s %s %s", p->src, glyph_text(GLYPH_ARROW, c->ascii), p->dst);
    if (p->port)
        buf_addf(&b, " tcp %u", p->port);
    if (*p->route)
        buf_addf(&b, ", through %s", p->target);
    if (p->pairs_allowed && p->pairs_denied) {
        snprintf(pairs, sizeof(pairs), "%llu of %llu pairs", (unsigned long long)p->pairs_allowed,
                 (unsigned long long)p->pairs_allowed + p->pairs_denied);
        used = canvas_width(c, pairs) + 2;
        canvas_right(c, at.row, at.col, at.cols - 1, ROLE_WAIT, pairs);
    }
    canvas_text(c, at.row, at.col + 2, 5, p->allowed ? ROLE_OK : ROLE_BAD, p->allowed ? "YES" : "NO");
    canvas_text(c, at.row, at.col + 7, at.cols - 8 - used, ROLE_STRONG, buf_text(&b));
    buf_release(&b);
}

static void draw_step(struct canvas *c, struct rect at, size_t number, const struct reach_row *r)
{
    char where[24];

    canvas_textf(c, at.row, at.col + 1, 3, ROLE_FAINT, "%3zu", number);
    canvas_text(c, at.row, at.col + WORD_COL, 2, r->ok ? ROLE_OK : ROLE_BAD, r->ok ? "ok" : "no");
    if (!r->line)
        return;
    snprintf(where, sizeof(where), "line %u", r->line);
    canvas_right(c, at.row, at.col + at.cols - 11, 10, ROLE_KEY, where);
}

/* Draws from the list's top on, each fact in as many lines as it needs. */
static void draw_steps(struct app *app, struct canvas *c, struct rect at)
{
    struct list *l = app_list(app);

    list_scroll(l, at.rows > 2 ? (size_t)at.rows / 2 : 1);
    for (size_t i = l->top, row = 0, used; i < l->order.len && row < (size_t)at.rows; i++, row += used) {
        const struct reach_row *r = (const struct reach_row *)l->order.items[i];
        struct rect line = {at.row + (int)row, at.col, at.rows - (int)row, at.cols};
        struct rect text = {line.row, at.col + WORD_COL + 3, line.rows, at.cols - WORD_COL - 15};

        draw_step(c, line, i + 1, r);
        line.rows = canvas_wrap(c, text, r->ok ? ROLE_TEXT : ROLE_STRONG, r->text);
        line.rows = line.rows > 0 ? line.rows : 1;
        canvas_hit(c, line, HIT_ROW, (int)i);
        if (l->order.items[i] == l->cursor) {
            canvas_glyph(c, line.row, at.col, GLYPH_CURSOR);
            canvas_flag(c, line, CANVAS_SELECTED);
            c->cursor_row = line.row;
            c->cursor_col = at.col;
        }
        used = (size_t)line.rows;
    }
}

#define BACK_ROWS 3

static void draw_back(const struct reach_path *p, struct canvas *c, struct rect at)
{
    char where[24];

    canvas_section(c, at.row, at.col, at.cols, "the other way, some tcp port", "");
    canvas_text(c, at.row + 1, at.col + 2, 5, p->back_allowed ? ROLE_OK : ROLE_BAD, p->back_allowed ? "YES" : "NO");
    canvas_wrap(c, (struct rect){at.row + 1, at.col + 7, at.rows - 1, at.cols - 19}, ROLE_TEXT, p->back);
    if (!p->back_line)
        return;
    snprintf(where, sizeof(where), "line %u", p->back_line);
    canvas_right(c, at.row + 1, at.col + at.cols - 11, 10, ROLE_KEY, where);
}

void reach_path_draw(struct app *app, struct canvas *c, struct rect at)
{
    const struct reach_path *p = &reach_of(app)->path;

    char text[120];

    draw_ends(p, c, at);
    canvas_rule(c, at.row + 1, at.col, at.cols);
    command_text(app, "{explain} asks whether one reaches another: a node, user, tag, group or address each", text,
                 sizeof(text));
    if (!*p->src)
        canvas_text(c, at.row + 3, at.col + 2, at.cols - 4, ROLE_FAINT, text);
    else if (p->call)
        canvas_text(c, at.row + 2, at.col + 2, at.cols - 4, ROLE_FAINT, "asking the server ...");
    else if (p->trouble)
        canvas_wrap(c, (struct rect){at.row + 2, at.col + 2, at.rows - 2, at.cols - 4}, ROLE_BAD, p->trouble);
    else if (p->at_ns) {
        draw_verdict(p, c, (struct rect){at.row + 2, at.col, 1, at.cols});
        canvas_rule(c, at.row + 3, at.col, at.cols);
        int back = p->back && at.rows >= 5 * BACK_ROWS ? BACK_ROWS : 0;
        draw_steps(app, c, (struct rect){at.row + 4, at.col, at.rows - 4 - back, at.cols});
        if (back)
            draw_back(p, c, (struct rect){at.row + at.rows - back, at.col, back, at.cols});
    } else {
        canvas_text(c, at.row + 2, at.col + 2, at.cols - 4, ROLE_FAINT, "not connected: the server is not asked yet");
    }
}
