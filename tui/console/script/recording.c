/* SPDX-License-Identifier: BSD-3-Clause */
#include "console/script/recording.h"

#include "base/clock.h"
#include "base/file.h"
#include "base/mem.h"

#define RECORDING_MAX (256U << 20)

enum line_kind { LINE_EVENT, LINE_EVENTS, LINE_SNAPSHOT, LINE_IDENTITY, LINE_ANSWER };

static enum line_kind kind_of(const json_t *line)
{
    if (json_is_string(json_object_get(line, "path")) && json_object_get(line, "answer"))
        return LINE_ANSWER;
    if (json_object_get(line, "nodes"))
        return LINE_SNAPSHOT;
    if (json_object_get(line, "events"))
        return LINE_EVENTS;
    /* An event also has an actor, but with a kind. */
    return json_object_get(line, "actor") && !json_object_get(line, "kind") ? LINE_IDENTITY : LINE_EVENT;
}

static int read_line(const char *text, size_t len, unsigned number, struct recording *out, struct err *e)
{
    json_t *line = NULL;
    char *what = mem_format("line %u of the recording", number);
    int r = json_read_large(text, len, RECORDING_MAX, what, &line, e);

    if (r == 0 && !json_is_object(line)) {
        json_decref(line);
        r = err_set(e, ERR_INVALID, "%s is no object", what);
    }
    if (r == 0)
        vec_push(&out->lines, line);
    free(what);
    return r;
}

int recording_read(const char *path, struct recording *out, struct err *e)
{
    struct buf text = BUF_INIT(RECORDING_MAX);
    int r = str_eq(path, "-") ? file_read_fd(0, "standard input", &text, e) : file_read(path, FILE_ANY, &text, e);
    unsigned number = 0;

    for (const char *at = buf_text(&text); r == 0 && *at;) {
        size_t len = strcspn(at, "\n"), blank = strspn(at, " \t\r");

        number++;
        if (blank < len && at[blank] != '#')
            r = read_line(at, len, number, out, e);
        at += len + (at[len] == '\n');
    }
    buf_release(&text);
    return r;
}

void recording_release(struct recording *r)
{
    for (size_t i = 0; i < r->lines.len; i++)
        json_decref(r->lines.items[i]);
    vec_release(&r->lines);
}

static const json_t *next_of(struct recording *r)
{
    while (r->next < r->lines.len && kind_of(r->lines.items[r->next]) == LINE_ANSWER)
        r->next++;
    return r->next < r->lines.len ? r->lines.items[r->next] : NULL;
}

bool recording_has_event(struct recording *r)
{
    const json_t *line = next_of(r);

    return line && kind_of(line) == LINE_EVENT;
}

int recording_play(struct recording *r, struct recording_step *out, struct err *e)
{
    const json_t *line = next_of(r);

    *out = (struct recording_step){0};
    if (!line)
        return 0;
    r->next++;
    out->kind = PLAYED_DELTA;
    /* Without a usable time it happened at the time of the previous line. */
    if (time_parse(json_text(line, "time", ""), &out->time_ns, "time", NULL) < 0)
        out->time_ns = 0;
    switch (kind_of(line)) {
    case LINE_IDENTITY:
        out->kind = PLAYED_IDENTITY;
        return decode_whoami(line, &out->actor, &out->read_only, e);
    case LINE_SNAPSHOT:
        return decode_snapshot(line, &out->delta, e);
    case LINE_EVENTS:
        return decode_events(line, &out->delta, e);
    case LINE_EVENT:
    case LINE_ANSWER:
        break;
    }
    return decode_message(line, &out->delta, e);
}

const json_t *recording_answer(const struct recording *r, const char *method, const char *path, int *status)
{
    for (size_t i = 0; i < r->lines.len; i++) {
        const json_t *line = r->lines.items[i], *number = json_object_get(line, "status");

        if (kind_of(line) != LINE_ANSWER || !str_eq(json_text(line, "method", "GET"), method) ||
            !str_eq(json_text(line, "path", ""), path))
            continue;
        *status = json_is_integer(number) ? (int)json_integer_value(number) : 200;
        return json_object_get(line, "answer");
    }
    return NULL;
}
