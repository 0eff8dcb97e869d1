/* SPDX-License-Identifier: BSD-3-Clause */
/* What saving would change, as lines: access and routes as the server sees them, and the text. */
#include <stdarg.h>
#include <stdio.h>

#include "console/policy/policy_review.h"

#include "base/mem.h"
#include "base/str.h"
#include "base/text_diff.h"
#include "model/api.h"

#define FINDINGS_MAX 1000 /* that are marked in the text */

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

/* "a, b and 10 more" */
static char *names_text(const struct api_names *names)
{
    struct buf b = BUF_INIT(0);

    for (size_t i = 0; i < names->names.len; i++)
        buf_addf(&b, "%s%s", i ? ", " : "", names->names.items[i]);
    if (names->count > names->names.len)
        buf_addf(&b, " and %llu more", (unsigned long long)(names->count - names->names.len));
    return buf_take(&b);
}

static void add_findings(struct review *r, const struct api_preview *p)
{
    if (p->findings.len)
        review_add(r, ROLE_SECTION, '#', "%s", p->ok ? "warnings" : "the server would refuse it");
    for (size_t i = 0; i < p->findings.len; i++) {
        const struct api_finding *f = api_at(&p->findings, struct api_finding, i);
        bool warning = str_eq(f->severity, "warning");

        if (f->line)
            review_add(r, warning ? ROLE_WARN : ROLE_BAD, warning ? 'W' : 'E', "line %llu: %s",
                       (unsigned long long)f->line, f->message);
        else
            review_add(r, warning ? ROLE_WARN : ROLE_BAD, warning ? 'W' : 'E', "%s", f->message);
    }
    if (p->findings.len)
        review_add(r, ROLE_TEXT, ' ', "%s", "");
}

void review_findings(const json_t *answer, struct policy_problems *problems)
{
    struct api_check check;

    if (api_read(&api_check_shape, answer, &check, API_FOR_TERMINAL, NULL) < 0)
        return;
    for (size_t i = 0; i < check.findings.len && problems->len <= FINDINGS_MAX; i++) {
        const struct api_finding *f = api_at(&check.findings, struct api_finding, i);
        struct policy_problem p = {
            .line = (unsigned)f->line, .column = (unsigned)f->column, .warning = str_eq(f->severity, "warning")};
        bool known = false;

        for (size_t k = 0; k < problems->len && !known; k++)
            known = problems->items[k].line == p.line && problems->items[k].column == p.column;
        if (known)
            continue;
        p.text = mem_strdup(f->message);
        vec_push(problems, p);
    }
    api_release(&api_check_shape, &check);
}

static void add_access(struct review *r, const struct api_preview *p)
{
    uint64_t lost = p->totals.pairs_lost, gained = p->totals.pairs_gained;

    review_add(r, ROLE_SECTION, '#', "access: %llu pair%s of devices lose%s it, %llu gain%s it",
               (unsigned long long)lost, lost == 1 ? "" : "s", lost == 1 ? "s" : "", (unsigned long long)gained,
               gained == 1 ? "s" : "");
    for (size_t i = 0; i < p->rows.len; i++) {
        const struct api_access *row = api_at(&p->rows, struct api_access, i);
        bool gain = str_eq(row->kind, "gained");
        char *from = names_text(&row->sources), *to = names_text(&row->destinations);
        struct buf what = BUF_INIT(0);

        for (size_t k = 0; k < row->what.len; k++)
            buf_addf(&what, "%s%s", k ? "; " : "", row->what.items[k]);
        review_add(r, gain ? ROLE_ADDED : ROLE_TAKEN, gain ? '+' : '-', "%s  %s -> %s   %s", gain ? "gained" : "LOST  ",
                   from, to, buf_text(&what));
        if (row->pairs > 1 || row->online_pairs)
            review_add(r, ROLE_FAINT, ' ', "        %llu pair%s, %llu online now", (unsigned long long)row->pairs,
                       row->pairs == 1 ? "" : "s", (unsigned long long)row->online_pairs);
        free(from);
        free(to);
        buf_release(&what);
    }
    if (!p->rows.len)
        review_add(r, ROLE_FAINT, ' ', "%s", "nobody gains or loses access");
}

static void add_routes(struct review *r, const struct api_preview *p)
{
    if (!p->routes.len && !p->approvals.len)
        return;
    review_add(r, ROLE_TEXT, ' ', "%s", "");
    review_add(r, ROLE_SECTION, '#', "%s", "routes");
    for (size_t i = 0; i < p->approvals.len; i++) {
        const struct api_approval *row = api_at(&p->approvals, struct api_approval, i);

        review_add(r, ROLE_ADDED, '+', "approved  %s on %s, for %llu device%s", row->route, row->router,
                   (unsigned long long)row->viewers, row->viewers == 1 ? "" : "s");
    }
    for (size_t i = 0; i < p->routes.len; i++) {
        const struct api_route_shown *row = api_at(&p->routes, struct api_route_shown, i);
        bool shown = str_eq(row->kind, "shown");
        char *viewers = names_text(&row->viewers);

        review_add(r, shown ? ROLE_ADDED : ROLE_TAKEN, shown ? '+' : '-', "%s  %s on %s  %s %s",
                   shown ? "shown   " : "HIDDEN  ", row->route, row->router, shown ? "to" : "from", viewers);
        free(viewers);
    }
}

bool review_preview(struct review *r, const json_t *answer, struct review_pairs *pairs)
{
    struct api_preview p;

    review_clear(r);
    *pairs = (struct review_pairs){0};
    if (api_read(&api_preview_shape, answer, &p, API_FOR_TERMINAL, NULL) < 0)
        return false;
    bool accepted = p.ok;
    *pairs = (struct review_pairs){.lost = p.totals.pairs_lost, .gained = p.totals.pairs_gained};
    add_findings(r, &p);
    add_access(r, &p);
    add_routes(r, &p);
    api_release(&api_preview_shape, &p);
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
