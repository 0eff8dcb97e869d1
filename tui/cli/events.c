/* SPDX-License-Identifier: BSD-3-Clause */
/* The journal: who did what, what happened to routes, and how to take it back. */
#include <stdlib.h>

#include "base/clock.h"
#include "base/mem.h"
#include "cli/command.h"

#define LIST_LIMIT "1000"

static enum cell_color weight_color(const char *weight)
{
    return str_eq(weight, "alarm") ? CELL_BAD : str_eq(weight, "warn") ? CELL_WARN : CELL_PLAIN;
}

static void event_row(struct table *t, const json_t *event)
{
    table_time(t, json_text(event, "time", NULL), "", false);
    table_cell(t, json_text(event, "id", ""), CELL_PLAIN);
    table_cell(t, json_text(event, "actor", ""), CELL_PLAIN);
    table_cell(t, json_text(event, "text", ""), weight_color(json_text(event, "weight", "")));
}

/* One event of a stream: a line, as they come. */
static void print_event(const struct output *o, const json_t *event)
{
    struct buf line = BUF_INIT(0);
    const char *text = json_text(event, "text", "");
    char time[OUTPUT_TIME_MAX];

    if (o->form != OUTPUT_HUMAN) {
        output_write(&line, o->form, false, event, SHAPE_PLAIN);
        fputs(buf_text(&line), o->out);
    } else {
        output_time(json_text(event, "time", NULL), "", time);
        buf_addf(&line, "%s  ", time);
        str_safe(&line, json_text(event, "actor", ""), strlen(json_text(event, "actor", "")));
        buf_adds(&line, "  ");
        str_safe(&line, text, strlen(text));
        fprintf(o->out, "%s\n", buf_text(&line));
    }
    fflush(o->out);
    buf_release(&line);
}

/* A stream that is being followed. */
struct watch {
    struct cli *c;
    char *last; /* the id of the newest event that was printed */
};

static int on_event(void *arg, const char *name, const char *id, const char *data, size_t len)
{
    struct watch *w = arg;
    json_t *event = NULL;

    if (!str_eq(name, "journal") || json_read(data, len, len, "an event", &event, NULL) < 0)
        return 0;
    print_event(&w->c->out, event);
    json_decref(event);
    mem_replace(&w->last, id);
    return ferror(w->c->out.out) ? ERR_IO : 0;
}

static void on_state(void *arg, const struct err *why, int64_t delay_ms)
{
    (void)arg;
    (void)delay_ms;
    if (why)
        fprintf(stderr, "%s; trying again\n", why->message);
}

/* A time that --since means, by itself or so long ago; 0 when it is an event's id, -1 with the error printed. */
static int64_t since_time(struct cli *c, const char *since)
{
    int64_t ns = 0;

    if (!*since || strspn(since, "0123456789.") == strlen(since))
        return 0;
    if (duration_parse(since, &ns, "since", NULL) == 0)
        return clock_wall_ns() - ns;
    if (time_parse(since, &ns, "since", NULL) == 0)
        return ns;
    cli_failf(c,
              "since: '%s' is neither an event's id, nor a duration such as 2h, nor a time such as "
              "2026-01-02T15:04:05Z",
              since);
    return -1;
}

static bool is_after(const json_t *event, int64_t after)
{
    int64_t ns = 0;

    return time_parse(json_text(event, "time", ""), &ns, "time", NULL) == 0 && ns >= after;
}

/* One page of the journal, as an array; NULL with the error printed. *newest (may be NULL) becomes the caller's. */
static json_t *fetch(struct cli *c, const char *bound, const char *id, const char *limit, char **newest)
{
    char *segment = cli_segment(id);
    json_t *answer = cli_call(c, "GET", NULL, "/api/headway/events?limit=%s%s%s", limit, bound, segment);
    json_t *list = answer ? json_incref(json_object_get(answer, "events")) : NULL;

    free(segment);
    if (answer && !json_is_array(list)) {
        cli_failf(c, "the server's answer holds no events");
        json_decref(list);
        list = NULL;
    }
    if (list && newest)
        mem_replace(newest, json_text(answer, "event", ""));
    json_decref(answer);
    return list;
}

/* All events after id, page by page; *last becomes the id of the newest one. NULL with the error printed. */
static json_t *fetch_since(struct cli *c, const char *id, char **last)
{
    json_t *all = json_array(), *page;
    size_t count;

    mem_replace(last, id);
    do {
        page = fetch(c, "&since=", *last, LIST_LIMIT, NULL);
        if (!page) {
            json_decref(all);
            return NULL;
        }
        count = json_array_size(page);
        if (count)
            mem_replace(last, json_text(json_array_get(page, count - 1), "id", ""));
        json_array_extend(all, page);
        json_decref(page);
    } while (count);
    return all;
}

/* All events from a time on, by pages backwards from the newest. */
static json_t *fetch_after(struct cli *c, int64_t after, char **last)
{
    json_t *all = json_array(), *page = fetch(c, "", "", LIST_LIMIT, last), *event;
    size_t i, size;

    while (page) {
        json_t *kept = json_array();
        json_array_foreach(page, i, event)
        {
            if (is_after(event, after))
                json_array_append(kept, event);
        }
        size = json_array_size(page);
        bool more = size && json_array_size(kept) == size;
        json_array_extend(kept, all);
        json_decref(all);
        all = kept;
        char *first = mem_strdup(json_text(json_array_get(page, 0), "id", ""));
        json_decref(page);
        page = more ? fetch(c, "&before=", first, LIST_LIMIT, NULL) : NULL;
        free(first);
        if (!more)
            return all;
    }
    json_decref(all);
    return NULL;
}

/* Follows from w->last on. A daemon that started anew has no stream that reaches back, but its journal does: what was
 * missed is read from there. */
static int follow(struct watch *w)
{
    struct client_stream stream = {.event = on_event, .state = on_state, .arg = w};
    json_t *missed, *event;
    size_t i;

    for (bool again = false;;) {
        struct err e = {0};
        char *before = mem_strdup(w->last), *last = NULL;
        int r = client_follow(w->c->client, "/api/headway/events", w->last, &stream, &e);
        bool moved = !str_eq(before, w->last);
        free(before);
        if (r != ERR_GONE || (again && !moved)) /* what the journal gave last must do for the stream */
            return r < 0 && e.code ? cli_fail(w->c, &e) : 0;
        missed = fetch_since(w->c, w->last, &last);
        if (missed) {
            json_array_foreach(missed, i, event) print_event(&w->c->out, event);
            mem_replace(&w->last, last);
        }
        free(last);
        if (!missed)
            return 1;
        json_decref(missed);
        again = true;
    }
}

static void print_events(struct cli *c, const json_t *list)
{
    static const char *const heads[] = {"Time", "Event", "Actor", "What"};
    struct table t;
    json_t *event;
    size_t i;

    if (c->out.form != OUTPUT_HUMAN) {
        output_value(&c->out, list, SHAPE_PLAIN);
        return;
    }
    table_init(&t, heads, 4);
    json_array_foreach(list, i, event) event_row(&t, event);
    table_print(&t, &c->out);
    table_release(&t);
}

static int events(struct cli *c)
{
    const char *since = flags_text(&c->flags, "since");
    int64_t after = since_time(c, since);
    char *last = NULL;
    json_t *shown, *event;
    size_t i;
    int status = 0;

    if (after < 0)
        return 1;
    if (after)
        shown = fetch_after(c, after, &last);
    else if (*since)
        shown = fetch_since(c, since, &last);
    else
        shown = fetch(c, "", "", flags_text(&c->flags, "limit"), &last);
    if (shown && flags_switch(&c->flags, "follow")) {
        struct watch w = {c, mem_strdup(last)};
        json_array_foreach(shown, i, event) print_event(&c->out, event);
        status = follow(&w);
        free(w.last);
    } else if (shown) {
        print_events(c, shown);
    } else {
        status = 1;
    }
    json_decref(shown);
    free(last);
    return status;
}

/* The newest event that can be undone; the caller owns it. */
static json_t *last_undoable(struct cli *c)
{
    json_t *answer = cli_call(c, "GET", NULL, "/api/headway/events?limit=" LIST_LIMIT), *list, *found = NULL;

    if (!answer)
        return NULL;
    list = json_object_get(answer, "events");
    for (size_t i = json_array_size(list); i-- > 0 && !found;) {
        json_t *event = json_array_get(list, i);
        if (json_is_object(json_object_get(event, "inverse")) && !json_is_string(json_object_get(event, "undoneBy")))
            found = json_incref(event);
    }
    if (!found)
        cli_failf(c, "nothing to undo among the last " LIST_LIMIT " events");
    json_decref(answer);
    return found;
}

static int undo(struct cli *c)
{
    json_t *event = NULL, *answer;
    char *id;

    if (c->args->len) {
        id = cli_segment(c->args->items[0]);
    } else {
        event = last_undoable(c);
        if (!event)
            return 1;
        if (!cli_confirm(c, "Undo \"%s\" (%s)?", json_text(event, "text", ""), json_text(event, "id", ""))) {
            json_decref(event);
            fputs("Nothing undone\n", stderr);
            return 0;
        }
        id = cli_segment(json_text(event, "id", ""));
    }
    answer = cli_call(c, "POST", NULL, "/api/headway/undo/%s%s", id,
                      flags_switch(&c->flags, "dry-run") ? "?dry_run=true" : "");
    free(id);
    json_decref(event);
    if (!answer)
        return 1;
    output_result(&c->out, flags_switch(&c->flags, "dry-run") ? "It can be undone" : "Undone", answer, SHAPE_PLAIN);
    json_decref(answer);
    return 0;
}

/* clang-format off */
static const struct flag event_flags[] = {
    {"follow", 'f', FLAG_SWITCH, .help = "go on with events as they happen"},
    {"since", 's', FLAG_TEXT, .value = "WHEN", .help = "from an event's id, a time, or so long ago (2h)"},
    {"limit", 'l', FLAG_NUMBER, .value = "N", .fallback = "50", .help = "the newest N events"}, FLAGS_END};
static const struct flag undo_flags[] = {
    {"dry-run", 0, FLAG_SWITCH, .help = "only say whether it can be undone"}, FLAGS_END};

const struct command event_commands[] = {
    {"events", "journal", NULL, event_flags, "Show the journal", .run = events},
    {"undo", NULL, "[EVENT]", undo_flags, "Undo a change: the newest one, or the one with this id", .run = undo},
    {0}};
/* clang-format on */
