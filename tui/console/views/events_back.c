/* SPDX-License-Identifier: BSD-3-Clause */
/* The server applies only part of the filter and may return more: the filter itself decides here. */
#include "console/views/events_back.h"

#include <stdio.h>

#include "base/array.h"
#include "base/clock.h"
#include "base/mem.h"
#include "client/client.h"
#include "console/net/request.h"

#define PAGE        500
#define WORD_MAX    200
#define RETRY_MS    5000
#define NEVER_WIDER "|~!" /* words containing one of these are not sent to the server, which does not know them */

void events_back_release(struct events_back *b)
{
    free(b->next);
    free(b->filter);
    *b = (struct events_back){0};
}

static void restart(struct list *l, const struct model *m)
{
    struct row *cursor = l->cursor;

    /* A cursor on a remaining row stays on it. */
    for (size_t i = 0; cursor && i < model_table(m, ROW_EVENT)->rows.len; i++)
        if (model_table(m, ROW_EVENT)->rows.items[i] == cursor) {
            list_start_again(l, cursor);
            return;
        }
    list_start_again(l, NULL);
}

void events_back_stop(struct app *app, struct events_back *b, struct list *list, struct list *newest)
{
    free(b->next);
    b->next = NULL;
    b->to_ns = 0;
    b->request = 0;
    if (!app->model.read_back)
        return;
    model_forget_read_back(&app->model);
    restart(list, &app->model);
    restart(newest, &app->model);
}

/* ---- asking ---- */

static const char *next_of(const struct app *app, const struct events_back *b)
{
    return b->next ? b->next : app->model.journal_next;
}

/* The terms that the server understands, each once: "kind:x" and the like; a plain word; age>3d. */
static void add_word(struct app *app, const char *word, struct buf *path, unsigned *given)
{
    static const char *const names[] = {"kind", "actor", "object"};
    char when[TIME_TEXT_MAX];
    int64_t age_ns;

    for (unsigned i = 0; i < ARRAY_LEN(names); i++) {
        size_t len = strlen(names[i]);

        if (strncmp(word, names[i], len) != 0 || (word[len] != ':' && word[len] != '=') || !word[len + 1] ||
            *given & 1U << i)
            continue;
        *given |= 1U << i;
        buf_addf(path, "&%s=", names[i]);
        client_escape(path, word + len + 1);
        return;
    }
    if (str_starts(word, "age>") && duration_parse(word + 4, &age_ns, "age", NULL) == 0) {
        buf_addf(path, "&until=%s", time_format(app->at.now_ns - age_ns, when));
    } else if (!strpbrk(word, ":=<>") && strspn(word, "0123456789.") < strlen(word) && !(*given & 8)) {
        *given |= 8;
        buf_adds(path, "&text=");
        client_escape(path, word);
    }
}

static void add_criteria(struct app *app, const char *filter, struct buf *path)
{
    char word[WORD_MAX];
    unsigned given = 0;

    for (size_t len; *(filter += strspn(filter, " ")); filter += len) {
        len = strcspn(filter, " ");
        if (len >= sizeof(word))
            continue;
        memcpy(word, filter, len);
        word[len] = '\0';
        if (!strpbrk(word, NEVER_WIDER))
            add_word(app, word, path, &given);
    }
}

static void ask(struct app *app, struct events_back *b)
{
    struct buf path = BUF_INIT(0);

    buf_addf(&path, "/api/headway/events?limit=%d&before=", PAGE);
    client_escape(&path, next_of(app, b));
    add_criteria(app, b->filter, &path);
    struct app_request request = {.id = app->next_request++,
                                  .method = "GET",
                                  .path = buf_text(&path),
                                  .body = "",
                                  .background = true,
                                  .result = ROW_KINDS,
                                  .decode = decode_events};
    b->request = request.id;
    app->net.send(app->net.context, &request);
    buf_release(&path);
}

void events_back_tick(struct app *app, struct events_back *b, struct list *list, struct list *newest, bool near)
{
    if (!b->filter || !str_eq(b->filter, list->filter_text)) {
        events_back_stop(app, b, list, newest);
        mem_replace(&b->filter, list->filter_text);
    }
    if (model_table(&app->model, ROW_EVENT)->rows.len > EVENTS_MOST)
        events_back_stop(app, b, list, newest);
    const char *next = next_of(app, b);
    if (near && next && *next && !b->request && app->net.send && app->conn.state == CONN_LIVE &&
        app->at.now_ms >= b->retry_ms && model_table(&app->model, ROW_EVENT)->rows.len + PAGE < EVENTS_MOST)
        ask(app, b);
}

/* ---- what comes ---- */

/* Entries that the filter rejects are not kept: there can be very many. */
static void keep_wanted(const struct app *app, const struct list *l, struct model_delta *d)
{
    size_t kept = 0;

    for (size_t i = 0; i < d->rows.len; i++)
        if (filter_match(&l->filter, &l->def->fields, d->rows.items[i], app->at.now_ns))
            d->rows.items[kept++] = d->rows.items[i];
        else
            row_free(d->rows.items[i]);
    d->rows.len = kept;
}

bool events_back_reply(struct app *app, struct events_back *b, struct list *list, uint64_t id, struct reply *reply)
{
    if (!id || id != b->request)
        return false;
    b->request = 0;
    if (reply->e.code < 0 || !reply->read.page) {
        b->retry_ms = app->at.now_ms + RETRY_MS;
        return true;
    }
    mem_replace(&b->next, reply->read.next ? reply->read.next : "");
    b->to_ns = reply->read.read_to_ns ? reply->read.read_to_ns : b->to_ns;
    keep_wanted(app, list, &reply->read);
    if (model_read_back(&app->model, &reply->read))
        list->forced = true;
    return true;
}

bool events_back_text(const struct app *app, const struct events_back *b, char *text, size_t size)
{
    const char *next = next_of(app, b);
    int64_t to_ns = b->to_ns ? b->to_ns : app->model.journal_to_ns;
    char when[AGO_MAX];

    if (!next || (*next && !to_ns))
        return false;
    if (!*next)
        snprintf(text, size, "all that is kept");
    else
        snprintf(text, size, "back to %s", timestamp_text(to_ns, app->wall_ns, when));
    return true;
}
