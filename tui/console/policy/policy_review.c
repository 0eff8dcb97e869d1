/* SPDX-License-Identifier: BSD-3-Clause */
/* What saving would change, as lines: access and routes as the server sees them, and the text. */
#include <stdarg.h>
#include <stdio.h>

#include "console/policy/policy_review.h"

#include "base/mem.h"
#include "base/str.h"
#include "console/text/text_diff.h"

void review_clear(struct review *r)
{
    for (size_t i = 0; i < r->len; i++)
        free(r->items[i].text);
    vec_release(r);
    r->top = 0;
}

void review_add(struct review *r, enum role role, char sign, const char *format, ...)
{
    char text[2048];
    va_list args;

    va_start(args, format);
    vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    vec_push(r, ((struct review_line){.role = role, .sign = {sign}, .text = mem_strdup(text)}));
}

static uint64_t number(const json_t *object, const char *key)
{
    const json_t *value = json_object_get(object, key);

    return json_is_integer(value) && json_integer_value(value) > 0 ? (uint64_t)json_integer_value(value) : 0;
}

static void add_text(struct buf *b, const json_t *text)
{
    if (json_is_string(text))
        str_safe(b, json_string_value(text), json_string_length(text));
}

static char *member_text(const json_t *object, const char *key)
{
    struct buf b = BUF_INIT(4096);

    add_text(&b, json_object_get(object, key));
    return buf_take(&b);
}

/* {"count": 12, "names": ["a", "b"]} as "a, b and 10 more". */
static char *names_text(const json_t *set)
{
    const json_t *names = json_object_get(set, "names"), *name;
    struct buf b = BUF_INIT(1024);
    uint64_t count = number(set, "count");
    size_t i, shown = json_array_size(names);

    json_array_foreach(names, i, name)
    {
        buf_adds(&b, i ? ", " : "");
        add_text(&b, name);
    }
    if (count > shown)
        buf_addf(&b, " and %llu more", (unsigned long long)(count - shown));
    return buf_take(&b);
}

static char *list_text(const json_t *list)
{
    struct buf b = BUF_INIT(1024);
    const json_t *item;
    size_t i;

    json_array_foreach(list, i, item)
    {
        buf_adds(&b, i ? "; " : "");
        add_text(&b, item);
    }
    return buf_take(&b);
}

static void add_findings(struct review *r, const json_t *answer, bool accepted)
{
    const json_t *findings = json_object_get(answer, "findings"), *item;
    size_t i;

    if (json_array_size(findings))
        review_add(r, ROLE_SECTION, '#', "%s", accepted ? "warnings" : "the server would refuse it");
    json_array_foreach(findings, i, item)
    {
        bool warning = str_eq(json_text(item, "severity", ""), "warning");
        char *text = member_text(item, "message");
        uint64_t line = number(item, "line");

        for (char *at = text, *end; at; at = end) {
            end = strchr(at, '\n');
            if (end)
                *end++ = '\0';
            if (at == text && line)
                review_add(r, warning ? ROLE_WARN : ROLE_BAD, warning ? 'W' : 'E', "line %llu: %s",
                           (unsigned long long)line, at);
            else
                review_add(r, warning ? ROLE_WARN : ROLE_BAD, at == text ? (warning ? 'W' : 'E') : ' ', "%s", at);
        }
        free(text);
    }
    if (json_array_size(findings))
        review_add(r, ROLE_TEXT, ' ', "%s", "");
}

void review_findings(const json_t *answer, struct policy_problems *problems)
{
    const json_t *item;
    size_t i;

    json_array_foreach(json_object_get(answer, "findings"), i, item)
    {
        struct policy_problem p = {.line = (unsigned)number(item, "line"),
                                   .column = (unsigned)number(item, "column"),
                                   .warning = str_eq(json_text(item, "severity", ""), "warning")};
        bool known = false;

        for (size_t k = 0; k < problems->len && !known; k++)
            known = problems->items[k].line == p.line && problems->items[k].column == p.column;
        if (known || problems->len > 1000)
            continue;
        p.text = member_text(item, "message");
        vec_push(problems, p);
    }
}

static void add_access(struct review *r, const json_t *answer)
{
    const json_t *rows = json_object_get(answer, "rows"), *totals = json_object_get(answer, "totals"), *row;
    uint64_t lost = number(totals, "pairs_lost"), gained = number(totals, "pairs_gained");
    size_t i;

    review_add(r, ROLE_SECTION, '#', "access: %llu pair%s of devices lose%s it, %llu gain%s it",
               (unsigned long long)lost, lost == 1 ? "" : "s", lost == 1 ? "s" : "", (unsigned long long)gained,
               gained == 1 ? "s" : "");
    json_array_foreach(rows, i, row)
    {
        bool gain = str_eq(json_text(row, "kind", ""), "gained");
        char *from = names_text(json_object_get(row, "sources")),
             *to = names_text(json_object_get(row, "destinations"));
        char *what = list_text(json_object_get(row, "what"));
        uint64_t pairs = number(row, "pairs"), online = number(row, "online_pairs");

        review_add(r, gain ? ROLE_ADDED : ROLE_TAKEN, gain ? '+' : '-', "%s  %s -> %s   %s", gain ? "gained" : "LOST  ",
                   from, to, what);
        if (pairs > 1 || online)
            review_add(r, ROLE_FAINT, ' ', "        %llu pair%s%s", (unsigned long long)pairs, pairs == 1 ? "" : "s",
                       online ? ", online now" : "");
        free(from);
        free(to);
        free(what);
    }
    if (!json_array_size(rows))
        review_add(r, ROLE_FAINT, ' ', "%s", "nobody gains or loses access");
}

static void add_routes(struct review *r, const json_t *answer)
{
    const json_t *routes = json_object_get(answer, "routes"), *approvals = json_object_get(answer, "approvals"), *row;
    size_t i;

    if (!json_array_size(routes) && !json_array_size(approvals))
        return;
    review_add(r, ROLE_TEXT, ' ', "%s", "");
    review_add(r, ROLE_SECTION, '#', "%s", "routes");
    json_array_foreach(approvals, i, row)
    {
        char *route = member_text(row, "route"), *router = member_text(row, "router");
        uint64_t viewers = number(row, "viewers");

        review_add(r, ROLE_ADDED, '+', "approved  %s on %s, for %llu device%s", route, router,
                   (unsigned long long)viewers, viewers == 1 ? "" : "s");
        free(route);
        free(router);
    }
    json_array_foreach(routes, i, row)
    {
        bool shown = str_eq(json_text(row, "kind", ""), "shown");
        char *route = member_text(row, "route"), *router = member_text(row, "router");
        char *viewers = names_text(json_object_get(row, "viewers"));

        review_add(r, shown ? ROLE_ADDED : ROLE_TAKEN, shown ? '+' : '-', "%s  %s on %s  %s %s",
                   shown ? "shown   " : "HIDDEN  ", route, router, shown ? "to" : "from", viewers);
        free(route);
        free(router);
        free(viewers);
    }
}

bool review_preview(struct review *r, const json_t *answer, uint64_t *losses)
{
    const json_t *ok = json_object_get(answer, "ok");
    bool accepted = !json_is_false(ok);

    review_clear(r);
    *losses = number(json_object_get(answer, "totals"), "pairs_lost");
    add_findings(r, answer, accepted);
    add_access(r, answer);
    add_routes(r, answer);
    return accepted;
}

void review_difference(struct review *r, const char *old, size_t old_len, const char *fresh, size_t fresh_len)
{
    struct diff d;

    review_clear(r);
    textdiff(old, old_len, fresh, fresh_len, &d);
    review_add(r, ROLE_SECTION, '#', "text: %zu line%s gone, %zu new", d.gone, d.gone == 1 ? "" : "s", d.came);
    for (size_t i = 0; i < d.len; i++) {
        const struct diff_line *l = &d.items[i];
        enum role role = l->sign == '+' ? ROLE_ADDED : l->sign == '-' ? ROLE_TAKEN : ROLE_TEXT;
        struct buf b = BUF_INIT(0);

        if (l->sign == '@') {
            review_add(r, ROLE_FAINT, ' ', "%s", "...");
            continue;
        }
        for (size_t k = 0; k < l->len && b.len < 1000; k++)
            if (l->text[k] == '\t')
                buf_adds(&b, "    ");
            else
                buf_addc(&b, l->text[k]);
        struct buf safe = BUF_INIT(0);
        str_safe(&safe, buf_text(&b), b.len);
        review_add(r, role, l->sign, "%5zu  %s", l->fresh ? l->fresh : l->old, buf_text(&safe));
        buf_release(&safe);
        buf_release(&b);
    }
    vec_release(&d);
}

char *review_explanation(const json_t *answer)
{
    bool allowed = json_is_true(json_object_get(answer, "allowed"));
    char *src = member_text(answer, "src"), *dst = member_text(answer, "dst");
    const json_t *steps = json_object_get(answer, "steps"), *step;
    struct buf out = BUF_INIT(0);
    size_t i;

    buf_addf(&out, "#%s: %s %s %s\n", allowed ? "Yes" : "No", src, allowed ? "reaches" : "does not reach", dst);
    json_array_foreach(steps, i, step)
    {
        char *text = member_text(step, "text");

        buf_addf(&out, "%s\t%s\n", json_is_true(json_object_get(step, "ok")) ? "yes" : "no", text);
        free(text);
    }
    free(src);
    free(dst);
    return buf_take(&out);
}
