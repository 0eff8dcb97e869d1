/* SPDX-License-Identifier: BSD-3-Clause */
/* The journal, and undoing changes. */
#include <stdlib.h>

#include "base/array.h"
#include "base/clock.h"
#include "base/mem.h"
#include "cli/command.h"

#define LIST_LIMIT "1000"

static void event_row(struct text_table *t, const void *object)
{
    const struct api_event *e = object;
    char id[API_EVENT_ID_MAX];

    table_time(t, e->time_ns, "", false);
    table_text(t, api_event_id_format(&e->id, id), COLOR_PLAIN);
    table_text(t, e->actor, COLOR_PLAIN);
    table_text(t, e->text, e->weight == WEIGHT_ALARM ? COLOR_BAD : e->weight == WEIGHT_WARN ? COLOR_WARN : COLOR_PLAIN);
}

static const char *const event_heads[] = {"Time", "Event", "Actor", "What"};
static const struct listing event_listing = {"events",    &api_event_shape,       sizeof(struct api_event),
                                             event_heads, ARRAY_LEN(event_heads), event_row};

/* Prints one event of a stream on a line. */
static void print_event(const struct output *o, const json_t *json)
{
    struct buf line = BUF_INIT(0);
    struct api_event e;
    char time[OUTPUT_TIME_MAX];

    if (o->form != OUTPUT_HUMAN) {
        output_write(&line, o->form, false, json, NULL);
        fputs(buf_text(&line), o->out);
    } else if (api_read(&api_event_shape, json, &e, API_FOR_TERMINAL, NULL) == 0) {
        fprintf(o->out, "%s  %s  %s\n", output_time(e.time_ns, "", time), e.actor, e.text);
        api_release(&api_event_shape, &e);
    }
    fflush(o->out);
    buf_release(&line);
}

/* A stream being followed. */
struct watch {
    struct cli *c;
    char *last; /* id of the newest event printed */
};

static int on_event(void *arg, const char *name, const char *id, const char *data, size_t len)
{
    struct watch *w = arg;
    json_t *event = NULL;

    if (!str_eq(name, "journal") || json_read_large(data, len, len, "an event", &event, NULL) < 0)
        return 0;
    print_event(&w->c->out, event);
    json_decref(event);
    mem_replace(&w->last, id);
    return ferror(w->c->out.out) ? ERR_IO : 0;
}

static void on_state(void *arg, const struct err *why, int64_t delay_ms)
{
    const struct watch *w = arg;

    (void)delay_ms;
    if (why)
        cli_note(w->c, "Trying again", why->message);
}

/* The time given to --since, absolute or relative; 0 for an event id, -1 with an error printed. */
static int64_t since_time(struct cli *c, const char *since)
{
    struct err e = {0};
    int64_t ns = 0;

    if (!*since || strspn(since, "0123456789.") == strlen(since))
        return 0;
    if (time_parse_past(since, TIME_UTC_ZONE, clock_wall_ns(), &ns, "since", &e) == 0)
        return ns;
    cli_fail(c, &e);
    return -1;
}

/* A page of the journal: raw and decoded. */
struct event_page {
    json_t *json; /* an array */
    struct api_list events;
};

static void page_release(struct event_page *p)
{
    json_decref(p->json);
    api_release_list(&api_event_shape, &p->events);
    *p = (struct event_page){0};
}

static const struct api_event *page_event(const struct event_page *p, size_t i)
{
    return api_at(&p->events, struct api_event, i);
}

static void replace_id(char **text, const struct api_event_id *id)
{
    char formatted[API_EVENT_ID_MAX];

    mem_replace(text, api_event_id_format(id, formatted));
}

/* bound: "", or "&since=" or "&before=" with an id. The caller frees *newest (may be NULL). False, with an error
 * printed, on failure. */
static bool fetch(struct cli *c, const char *bound, const char *id, const char *limit, struct event_page *out,
                  char **newest)
{
    char *segment = cli_segment(id);
    json_t *answer = cli_call(c, "GET", NULL, "/api/headway/events?limit=%s%s%s", limit, bound, segment);

    *out = (struct event_page){0};
    free(segment);
    if (answer && cli_read_list(c, answer, &event_listing, true, &out->events)) {
        out->json = json_incref(json_object_get(answer, "events"));
        if (newest)
            mem_replace(newest, json_text(answer, "event", ""));
    }
    json_decref(answer);
    return out->json != NULL;
}

/* All events after id, page by page; *last becomes the id of the newest. NULL, with an error printed, on failure. */
static json_t *fetch_since(struct cli *c, const char *id, char **last)
{
    json_t *all = json_array();
    struct event_page page;
    size_t count;

    mem_replace(last, id);
    do {
        if (!fetch(c, "&since=", *last, LIST_LIMIT, &page, NULL)) {
            json_decref(all);
            return NULL;
        }
        count = page.events.len;
        if (count)
            replace_id(last, &page_event(&page, count - 1)->id);
        json_array_extend(all, page.json);
        page_release(&page);
    } while (count);
    return all;
}

/* All events since a time, in pages from the newest backwards. NULL, with an error printed, on failure. */
static json_t *fetch_after(struct cli *c, int64_t after, char **last)
{
    json_t *all = json_array();
    char *first = mem_strdup("");
    struct event_page page;
    bool more = true;

    while (more && fetch(c, *first ? "&before=" : "", first, LIST_LIMIT, &page, *first ? NULL : last)) {
        size_t skip = 0;

        while (skip < page.events.len && page_event(&page, skip)->time_ns < after)
            skip++;
        more = page.events.len && skip == 0;
        for (size_t i = skip; i < page.events.len; i++)
            json_array_insert(all, i - skip, json_array_get(page.json, i));
        if (more)
            replace_id(&first, &page_event(&page, 0)->id);
        page_release(&page);
    }
    free(first);
    if (!more)
        return all;
    json_decref(all);
    return NULL;
}

/* Follows from w->last on. The stream of a restarted daemon does not reach back, but its journal does: missed events
 * are read from there. */
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
        if (r != ERR_GONE || (again && !moved)) /* the stream must accept the journal's newest id */
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

static json_t *fetch_newest(struct cli *c, const char *limit, char **last)
{
    struct event_page page;
    json_t *events = fetch(c, "", "", limit, &page, last) ? json_incref(page.json) : NULL;

    page_release(&page);
    return events;
}

static int events(struct cli *c)
{
    const char *since = flags_text(&c->flags, "since");
    int64_t after = since_time(c, since);
    char *last = NULL;
    json_t *shown, *event;
    size_t i;
    int status = 1;

    if (after < 0)
        return 1;
    shown = after    ? fetch_after(c, after, &last)
            : *since ? fetch_since(c, since, &last)
                     : fetch_newest(c, flags_text(&c->flags, "limit"), &last);
    if (shown && flags_switch(&c->flags, "follow")) {
        struct watch w = {c, mem_strdup(last)};
        json_array_foreach(shown, i, event) print_event(&c->out, event);
        status = follow(&w);
        free(w.last);
        json_decref(shown);
    } else if (shown) {
        status = cli_show_list(c, json_pack("{s:o}", "events", shown), &event_listing);
    }
    free(last);
    return status;
}

/* The newest event that can be undone: its id as a path segment and its text, both freed by the caller. NULL, with an
 * error printed, on failure. */
static char *last_undoable(struct cli *c, char **text)
{
    struct event_page page;
    char *id = NULL;

    if (!fetch(c, "", "", LIST_LIMIT, &page, NULL))
        return NULL;
    for (size_t i = page.events.len; i-- > 0 && !id;) {
        const struct api_event *e = page_event(&page, i);
        if (e->inverse && !e->undone_by.run) {
            replace_id(&id, &e->id);
            *text = mem_strdup(e->text);
        }
    }
    if (!id)
        cli_failf(c, "nothing to undo among the last " LIST_LIMIT " events");
    page_release(&page);
    return id;
}

static bool is_same(const struct api_event_id *a, const struct api_event_id *b)
{
    return a->run == b->run && a->seq == b->seq;
}

static const struct api_event *event_in(const struct event_page *p, const struct api_event_id *id)
{
    for (size_t i = 0; i < p->events.len; i++)
        if (is_same(&page_event(p, i)->id, id))
            return page_event(p, i);
    return NULL;
}

/* The newest undo that can itself be undone, or (id not NULL) the event by which that event was undone. The caller
 * frees the result and *text. NULL, with an error printed, on failure. */
static char *last_redoable(struct cli *c, const struct api_event_id *id, char **text)
{
    const struct api_event *found = NULL;
    struct event_page page;
    char *undo = NULL;

    if (!fetch(c, "", "", LIST_LIMIT, &page, NULL))
        return NULL;
    for (size_t i = 0; i < page.events.len; i++) {
        const struct api_event *e = page_event(&page, i), *by = event_in(&page, &e->undone_by);

        if (id ? is_same(&e->id, id)
               : by && by->inverse && !by->undone_by.run && (!found || found->undone_by.seq < e->undone_by.seq))
            found = e;
    }
    if (!found && id)
        cli_failf(c, "it is not among the last " LIST_LIMIT " events");
    else if (!found)
        cli_failf(c, "nothing to redo among the last " LIST_LIMIT " events");
    else if (!found->undone_by.run)
        cli_failf(c, "it was not undone: %s", found->text);
    if (found && found->undone_by.run) {
        replace_id(&undo, &found->undone_by);
        *text = mem_strdup(found->text);
    }
    page_release(&page);
    return undo;
}

struct taking_back {
    const char *verb, *past, *done; /* "Undo", "undone", "Undone" */
};

/* Frees id and text. */
static int take_back(struct cli *c, char *id, char *text, bool ask, const struct taking_back *words)
{
    bool dry = flags_switch(&c->flags, "dry-run");
    char line[512];

    if (ask && !dry && !cli_confirm(c, "%s \"%s\" (%s)?", words->verb, text, id)) {
        fprintf(stderr, "Nothing %s\n", words->past);
        free(id);
        free(text);
        return 0;
    }
    json_t *answer = cli_call(c, "POST", NULL, "/api/headway/undo/%s%s", id, dry ? "?dry_run=true" : "");
    if (!dry)
        str_copy(line, sizeof(line), words->done);
    else if (text)
        snprintf(line, sizeof(line), "%s can be %s: %s", id, words->past, text);
    else
        snprintf(line, sizeof(line), "%s can be %s", id, words->past);
    free(id);
    free(text);
    return cli_done(c, answer, line, NULL, NULL);
}

static int undo(struct cli *c)
{
    static const struct taking_back words = {"Undo", "undone", "Undone"};
    char *text = NULL, *id = c->args->len ? cli_segment(c->args->items[0]) : last_undoable(c, &text);

    return id ? take_back(c, id, text, !c->args->len, &words) : 1;
}

/* Redo: undoes the undo. */
static int redo(struct cli *c)
{
    static const struct taking_back words = {"Redo", "done again", "Done again"};
    struct api_event_id given;
    struct err e = {0};
    char *text = NULL;

    if (c->args->len && api_event_id_parse(c->args->items[0], &given, &e) < 0)
        return cli_fail(c, &e);
    char *id = last_redoable(c, c->args->len ? &given : NULL, &text);
    return id ? take_back(c, id, text, !c->args->len, &words) : 1;
}

/* clang-format off */
static const struct flag event_flags[] = {
    {"follow", 'f', FLAG_SWITCH, .help = "print new events as they happen"},
    {"since", 's', FLAG_TEXT, .value = "WHEN", .help = "start at an event id, a time, or a duration ago such as 2h"},
    {"limit", 'l', FLAG_NUMBER, .value = "N", .fallback = "50", .help = "print the newest N events"}, FLAGS_END};
static const struct flag undo_flags[] = {
    {"dry-run", 0, FLAG_SWITCH, .help = "report whether the change can be undone, and change nothing"}, FLAGS_END};

static const struct flag redo_flags[] = {
    {"dry-run", 0, FLAG_SWITCH, .help = "report whether the change can be done again, and change nothing"}, FLAGS_END};

const struct command event_commands[] = {
    {"events", "journal", NULL, event_flags, "Print the journal of changes", .run = events},
    {"undo", NULL, "[EVENT]", undo_flags, "Undo a change: the most recent one, or the given event", .run = undo},
    {"redo", NULL, "[EVENT]", redo_flags, "Do a change again that was undone: the most recent one, or the given event", .run = redo},
    {0}};
/* clang-format on */
