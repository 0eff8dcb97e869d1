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
    const char *time = json_text(event, "time", ""), *text = json_text(event, "text", "");

    if (o->form != OUTPUT_HUMAN) {
        output_write(&line, o->form, false, event, SHAPE_PLAIN);
        fputs(buf_text(&line), o->out);
    } else {
        str_safe(&line, time, strlen(time));
        buf_adds(&line, "  ");
        str_safe(&line, json_text(event, "actor", ""), strlen(json_text(event, "actor", "")));
        buf_adds(&line, "  ");
        str_safe(&line, text, strlen(text));
        fprintf(o->out, "%s\n", buf_text(&line));
    }
    fflush(o->out);
    buf_release(&line);
}

static int on_event(void *arg, const char *name, const char *id, const char *data, size_t len)
{
    struct cli *c = arg;
    json_t *event = NULL;

    (void)id;
    if (!str_eq(name, "journal") || json_read(data, len, len, "an event", &event, NULL) < 0)
        return 0;
    print_event(&c->out, event);
    json_decref(event);
    return ferror(c->out.out) ? ERR_IO : 0;
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

/* The events from since on; NULL with the error printed. The caller owns the answer. */
static json_t *fetch(struct cli *c, const char *since, int64_t after)
{
    char *id = cli_segment(since);
    json_t *answer;

    if (*since && after == 0)
        answer = cli_call(c, "GET", NULL, "/api/headway/events?since=%s", id);
    else
        answer = cli_call(c, "GET", NULL, "/api/headway/events?limit=%s",
                          after ? LIST_LIMIT : flags_text(&c->flags, "limit"));
    free(id);
    return answer;
}

static int events(struct cli *c)
{
    static const char *const heads[] = {"Time", "Event", "Actor", "What"};
    const char *since = flags_text(&c->flags, "since");
    bool follow = flags_switch(&c->flags, "follow");
    int64_t after = since_time(c, since);
    json_t *answer = NULL, *shown, *event;
    char *newest;
    struct table t;
    size_t i;
    int status = 0;

    if (after < 0 || !(answer = fetch(c, since, after)))
        return 1;
    shown = json_array();
    json_array_foreach(json_object_get(answer, "events"), i, event) if (!after || is_after(event, after))
        json_array_append(shown, event);
    if (follow) {
        json_array_foreach(shown, i, event) print_event(&c->out, event);
    } else if (c->out.form != OUTPUT_HUMAN) {
        output_value(&c->out, shown, SHAPE_PLAIN);
    } else {
        table_init(&t, heads, 4);
        json_array_foreach(shown, i, event) event_row(&t, event);
        table_print(&t, &c->out);
        table_release(&t);
    }
    newest = mem_strdup(json_text(answer, "event", ""));
    json_decref(shown);
    json_decref(answer);
    if (follow) {
        struct client_stream stream = {on_event, on_state, c};
        struct err e = {0};
        if (client_follow(c->client, "/api/headway/events", newest, &stream, &e) < 0 && e.code)
            status = cli_fail(c, &e);
    }
    free(newest);
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
