/* SPDX-License-Identifier: BSD-3-Clause */
/* What saving would change, as lines: access and routes as the server sees them, and the text. */
#include <stdarg.h>
#include <stdio.h>

#include "console/policy/policy_review.h"

#include "base/array.h"
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

static const char *plural(uint64_t count)
{
    return count == 1 ? "" : "s";
}

static void join(struct buf *out, const struct strs *texts)
{
    for (size_t k = 0; k < texts->len; k++)
        buf_addf(out, "%s%s", k ? "; " : "", texts->items[k]);
}

static void add_row(struct review *r, const struct api_access *row)
{
    bool gain = str_eq(row->kind, "gained");
    char *from = names_text(&row->sources), *to = names_text(&row->destinations);
    struct buf what = BUF_INIT(0), kept = BUF_INIT(0);

    join(&what, &row->what);
    join(&kept, &row->kept);
    review_add(r, gain ? ROLE_ADDED : ROLE_TAKEN, gain ? '+' : '-', "%s  %s -> %s   %s", gain ? "gained" : "LOST  ",
               from, to, buf_text(&what));
    if (!gain)
        review_add(r, ROLE_FAINT, ' ', "        kept: %s", kept.len ? buf_text(&kept) : "nothing");
    if (row->pairs > 1 || row->online_pairs)
        review_add(r, ROLE_FAINT, ' ', "        %llu pair%s, %llu online now", (unsigned long long)row->pairs,
                   plural(row->pairs), (unsigned long long)row->online_pairs);
    free(from);
    free(to);
    buf_release(&what);
    buf_release(&kept);
}

static void add_access(struct review *r, const struct api_preview *p)
{
    uint64_t lost = p->totals.pairs_lost, gained = p->totals.pairs_gained;

    review_add(r, ROLE_SECTION, '#', "access: %llu pair%s of devices lose%s it, %llu gain%s it",
               (unsigned long long)lost, plural(lost), lost == 1 ? "s" : "", (unsigned long long)gained,
               gained == 1 ? "s" : "");
    for (size_t i = 0; i < p->rows.len; i++)
        add_row(r, api_at(&p->rows, struct api_access, i));
    if (!p->rows.len)
        review_add(r, ROLE_FAINT, ' ', "%s", "nobody gains or loses access");
    if (p->totals.incomplete)
        review_add(r, ROLE_WARN, '!', "%s", "there was no time to compare everything: more may change");
}

/* What the other panes hold, so that nothing is overlooked in the one that is shown first. */
static void add_summary(struct review *r, const struct api_preview *p)
{
    review_add(r, ROLE_TEXT, ' ', "%s", "");
    review_add(r, ROLE_SECTION, '#', "%s", "in the other panes: tests, routes, cost");
    if (p->tests_failed)
        review_add(r, ROLE_BAD, 'E', "tests: %llu FAILED, %llu passed", (unsigned long long)p->tests_failed,
                   (unsigned long long)p->tests_passed);
    else
        review_add(r, ROLE_TEXT, ' ', "tests: %llu passed", (unsigned long long)p->tests_passed);
    review_add(r, p->cut_off.len ? ROLE_BAD : ROLE_TEXT, p->cut_off.len ? '!' : ' ',
               "routes: %llu approved, %llu shown, %llu hidden, %zu lead%s elsewhere",
               (unsigned long long)p->totals.routes_approved, (unsigned long long)p->totals.routes_shown,
               (unsigned long long)p->totals.routes_hidden, p->ways.len, p->ways.len == 1 ? "s" : "");
    review_add(r, ROLE_TEXT, ' ', "cost: %llu of %llu nodes are told something else",
               (unsigned long long)p->cost.changed, (unsigned long long)p->cost.nodes);
}

/* ---- tests ---- */

static void add_tests(struct review *r, const struct api_preview *p)
{
    review_add(r, ROLE_SECTION, '#', "tests: %llu passed, %llu failed", (unsigned long long)p->tests_passed,
               (unsigned long long)p->tests_failed);
    for (size_t i = 0; i < p->tests.len; i++) {
        const struct api_preview_test *t = api_at(&p->tests, struct api_preview_test, i);

        review_add(r, t->passed ? ROLE_OK : ROLE_BAD, t->passed ? ' ' : 'E', "%s  line %llu: %s%s %s %s",
                   t->passed ? "ok    " : "FAILED", (unsigned long long)t->line,
                   str_eq(t->kind, "sshTest") ? "ssh " : "", t->source, t->want, t->target);
    }
    if (p->tests_passed + p->tests_failed > p->tests.len)
        review_add(r, ROLE_FAINT, ' ', "and %llu more",
                   (unsigned long long)(p->tests_passed + p->tests_failed - p->tests.len));
    if (!p->tests.len)
        review_add(r, ROLE_FAINT, ' ', "%s", "the policy has no tests: sections tests and sshTests");
}

/* ---- routes ---- */

static void add_approvals(struct review *r, const struct api_preview *p)
{
    review_add(r, ROLE_SECTION, '#', "approved by autoApprovers: %zu", p->approvals.len);
    for (size_t i = 0; i < p->approvals.len; i++) {
        const struct api_approval *row = api_at(&p->approvals, struct api_approval, i);

        review_add(r, ROLE_ADDED, '+', "approved  %s on %s, for %llu device%s", row->route, row->router,
                   (unsigned long long)row->viewers, plural(row->viewers));
    }
    if (!p->approvals.len)
        review_add(r, ROLE_FAINT, ' ', "%s", "none; what is approved stays approved");
}

static void add_ways(struct review *r, const struct api_preview *p)
{
    review_add(r, ROLE_SECTION, '#', "%s", "ways through routers and exit nodes");
    for (size_t i = 0; i < p->cut_off.len; i++) {
        const struct api_preview_cut_off *row = api_at(&p->cut_off, struct api_preview_cut_off, i);

        review_add(r, ROLE_BAD, '!', "%s has no way %s any more", row->user,
                   row->exit ? "to the internet" : row->route);
    }
    for (size_t i = 0; i < p->ways.len; i++) {
        const struct api_preview_way *row = api_at(&p->ways, struct api_preview_way, i);
        const char *what = row->exit ? "exit" : row->route;
        char *viewers = names_text(&row->viewers);

        if (str_eq(row->kind, "gains"))
            review_add(r, ROLE_ADDED, '+', "gained    %s by %s  for %s", what, row->to, viewers);
        else if (str_eq(row->kind, "loses"))
            review_add(r, ROLE_TAKEN, '-', "LOST      %s by %s  for %s", what, row->from, viewers);
        else
            review_add(r, ROLE_CHANGED, '~', "moves     %s from %s to %s  for %s", what, row->from, row->to, viewers);
        free(viewers);
    }
    if (!p->ways.len)
        review_add(r, ROLE_FAINT, ' ', "%s", "nobody's packets go another way");
}

static void add_shown(struct review *r, const struct api_preview *p)
{
    review_add(r, ROLE_SECTION, '#', "%s", "routes that devices are shown");
    for (size_t i = 0; i < p->routes.len; i++) {
        const struct api_route_shown *row = api_at(&p->routes, struct api_route_shown, i);
        bool shown = str_eq(row->kind, "shown");
        char *viewers = names_text(&row->viewers);

        review_add(r, shown ? ROLE_ADDED : ROLE_TAKEN, shown ? '+' : '-', "%s  %s on %s  %s %s",
                   shown ? "shown   " : "HIDDEN  ", row->route, row->router, shown ? "to" : "from", viewers);
        free(viewers);
    }
    if (!p->routes.len)
        review_add(r, ROLE_FAINT, ' ', "%s", "as before");
}

/* ---- cost ---- */

static void add_cost(struct review *r, const struct api_preview *p)
{
    const struct api_preview_cost *c = &p->cost;

    review_add(r, ROLE_SECTION, '#', "%s", "cost of saving it");
    review_add(r, ROLE_TEXT, ' ', "%llu of %llu nodes are told something else (%llu are online)",
               (unsigned long long)c->changed, (unsigned long long)c->nodes, (unsigned long long)c->online);
    review_add(r, ROLE_TEXT, ' ', "%llu get another packet filter, %llu see other peers",
               (unsigned long long)c->filters, (unsigned long long)c->peers);
    review_add(r, ROLE_TEXT, ' ', "about %llu kB of packet filters are sent, before compression",
               (unsigned long long)((c->bytes + 1023) / 1024));
    review_add(r, ROLE_TEXT, ' ', "working it out for this tailnet took %llu ms", (unsigned long long)p->compile_ms);
    if (c->incomplete)
        review_add(r, ROLE_WARN, '!', "%s", "there was no time to look at all nodes: it is more");
}

bool review_preview(const struct review_panes *panes, const json_t *answer, struct review_pairs *pairs)
{
    struct review *const all[] = {panes->access, panes->tests, panes->routes, panes->cost};
    struct api_preview p;

    for (size_t i = 0; i < ARRAY_LEN(all); i++)
        review_clear(all[i]);
    *pairs = (struct review_pairs){0};
    if (api_read(&api_preview_shape, answer, &p, API_FOR_TERMINAL, NULL) < 0)
        return false;
    bool accepted = p.ok;
    *pairs = (struct review_pairs){.lost = p.totals.pairs_lost, .gained = p.totals.pairs_gained};
    add_findings(panes->access, &p);
    add_access(panes->access, &p);
    add_summary(panes->access, &p);
    add_tests(panes->tests, &p);
    add_approvals(panes->routes, &p);
    add_ways(panes->routes, &p);
    add_shown(panes->routes, &p);
    add_cost(panes->cost, &p);
    api_release(&api_preview_shape, &p);
    return accepted;
}

void review_code(struct review *r, enum role role, char sign, size_t number, const char *text, size_t len)
{
    struct buf b = BUF_INIT(0), safe = BUF_INIT(0);
    char front[24] = "";

    for (size_t k = 0; k < len && b.len < 1000; k++)
        if (text[k] == '\t')
            buf_adds(&b, "    ");
        else
            buf_addc(&b, text[k]);
    str_safe(&safe, buf_text(&b), b.len);
    if (number)
        snprintf(front, sizeof(front), "%5zu  ", number);
    review_add(r, role, sign, "%s%s", front, buf_text(&safe));
    buf_release(&safe);
    buf_release(&b);
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

        if (l->sign == '@')
            review_add(r, ROLE_FAINT, ' ', "%s", "...");
        else
            review_code(r, role, l->sign, l->fresh ? l->fresh : l->old, l->text, l->len);
    }
    vec_release(&d);
}
