/* SPDX-License-Identifier: BSD-3-Clause */
#include "console/routes/fact_columns.h"

#include <stdio.h>

void fill_finding(const struct row *row, const struct clock_reading *at, struct list_field *out)
{
    const struct row_facts *f = row->facts;
    unsigned more = f ? f->warnings + f->notes : 0;

    (void)at;
    if (!f || !f->finding)
        return;
    out->glyph = f->warnings ? (int)GLYPH_FINDING : -1;
    out->role = f->warnings ? ROLE_BAD : ROLE_FAINT;
    if (more > 1)
        snprintf(out->text, sizeof(out->text), "%s +%u", f->finding, more - 1);
    else
        str_copy(out->text, sizeof(out->text), f->finding);
}

void fill_used_by(const struct row *row, const struct clock_reading *at, struct list_field *out)
{
    const struct row_facts *f = row->facts;

    (void)at;
    out->role = f && f->users_known && f->users ? ROLE_TEXT : ROLE_FAINT;
    if (f && f->users_known)
        snprintf(out->text, sizeof(out->text), "%llu", (unsigned long long)f->users);
    else
        str_copy(out->text, sizeof(out->text), "-");
}

static unsigned gravity(const struct row *row)
{
    return row->facts ? row->facts->warnings * 1000 + row->facts->notes : 0;
}

int by_finding(const struct row *a, const struct row *b)
{
    return (gravity(a) < gravity(b)) - (gravity(a) > gravity(b));
}

int by_used(const struct row *a, const struct row *b)
{
    uint64_t p = a->facts && a->facts->users_known ? a->facts->users : 0;
    uint64_t q = b->facts && b->facts->users_known ? b->facts->users : 0;

    return (p < q) - (p > q);
}

void state_words(int state, struct buf *out)
{
    static const char *const words[ROUTE_STATES] = {
        [ROUTE_AVAILABLE] = " not-approved waiting", [ROUTE_APPROVED] = " approved not-advertised",
        [ROUTE_STANDBY] = " approved standby",       [ROUTE_SERVING] = " approved serving",
        [ROUTE_OFFLINE] = " approved offline",       [ROUTE_UNHEALTHY] = " approved unhealthy",
    };

    buf_adds(out, state > ROUTE_NONE && state < ROUTE_STATES ? words[state] : "");
}

void finding_states(const struct row *row, struct buf *out)
{
    if (row->facts && row->facts->finding)
        buf_adds(out, row->facts->warnings ? " finding warning" : " finding note");
}

void finding_words(const struct row *row, struct buf *out)
{
    const struct row_facts *f = row->facts;

    if (f && f->finding)
        buf_addf(out, " finding %s %s", f->warnings ? "warning" : "note", f->finding);
}
