/* SPDX-License-Identifier: BSD-3-Clause */
#include "console/model/findings.h"

#include "base/array.h"
#include "base/mem.h"

/* The first row is for codes unknown to this release. Advice names commands, not keys, which can be rebound. */
static const struct {
    const char *code, *word, *advice;
} kinds[] = {
    {"", "client warns", "see what its own 'tailscale status' says"},
    {"does-not-forward", "no forwarding", "look at its forwarding, its LAN port and its NAT"},
    {"special-range", "special range", "advertise a range of your own instead"},
    {"covered", "covered", "set 'keep' (:settings) where its traffic must not fall to the wider one"},
    {"covers", "covers others", "nothing to do: clients take the longer prefix"},
    {"own-network", "own network", "renumber one of the two, use 4via6, or let that client not accept routes"},
    {"no-survivor", "no standby", "advertise and approve it on a second router"},
    {"nobody-allowed", "unused by policy", "grant somebody access to it (:policy)"},
    {"not-advertised", "not advertised", "advertise it on the node, or revoke the approval"},
    {"not-accepted", "not accepted", ""}, /* the text says it all */
    {"router-accepts", "router accepts", ""},
    {"covers-server", "covers server",
     "nothing to do, unless programs on those clients must reach the server directly"},
    {"one-family", "one family", "tailscale set --advertise-exit-node offers both"},
};

static size_t kind_of(const char *code)
{
    for (size_t i = 1; i < ARRAY_LEN(kinds); i++)
        if (str_eq(kinds[i].code, code))
            return i;
    return 0;
}

const char *finding_word(const char *code)
{
    return kinds[kind_of(code)].word;
}

const char *finding_advice(const char *code)
{
    return kinds[kind_of(code)].advice;
}

static void add_text(const struct api_route_problem *p, bool with_prefix, bool with_node, struct buf *out)
{
    char prefix[PREFIX_TEXT_MAX];

    const char *advice = finding_advice(p->code);

    buf_addf(out, "%s%s%s%s%s%s%s%s\n", p->warning ? "!" : "", with_prefix ? prefix_format(&p->prefix, prefix) : "",
             with_prefix && with_node ? " on " : "", with_node ? p->name : "", with_prefix || with_node ? ": " : "",
             p->text, *advice ? "; " : "", advice);
}

void finding_text(const struct api_route_problem *p, struct buf *out)
{
    add_text(p, true, true, out);
}

size_t findings_of(const struct model *m, uint64_t node, const char *prefix, struct buf *out)
{
    size_t count = 0;

    /* Warnings first. */
    for (int warning = 1; warning >= 0; warning--)
        for (size_t i = 0; i < m->findings.len; i++) {
            const struct api_route_problem *p = api_at(&m->findings, struct api_route_problem, i);
            char text[PREFIX_TEXT_MAX];

            if (p->warning != (warning == 1) || (node && p->node != node) ||
                (prefix && !str_eq(prefix_format(&p->prefix, text), prefix)))
                continue;
            add_text(p, !prefix, !node, out);
            count++;
        }
    return count;
}

static void reset(struct row *row)
{
    if (row->facts) {
        row->facts->warnings = row->facts->notes = 0;
        row->facts->finding = NULL;
    }
}

static void count_in(struct row *row, const struct api_route_problem *p)
{
    if (!row)
        return;
    struct row_facts *f = row_facts(row);
    if (p->warning ? !f->warnings : !f->finding)
        f->finding = finding_word(p->code);
    f->warnings += p->warning;
    f->notes += !p->warning;
}

static struct row *route_row(struct m_node *n, const char *prefix)
{
    for (size_t i = 0; n && i < n->routes.len; i++)
        if (str_eq(n->routes.items[i]->row.key, prefix))
            return &n->routes.items[i]->row;
    return NULL;
}

void model_take_findings(struct model *m, struct api_list *problems)
{
    const struct row_table *nodes = &m->tables[ROW_NODE], *prefixes = &m->tables[ROW_PREFIX];

    api_release_list(&api_route_problem_shape, &m->findings);
    m->findings = *problems;
    m->findings_known = true;
    *problems = (struct api_list){0};
    for (size_t i = 0; i < nodes->rows.len; i++) {
        struct m_node *n = (struct m_node *)nodes->rows.items[i];

        reset(&n->row);
        for (size_t k = 0; k < n->routes.len; k++)
            reset(&n->routes.items[k]->row);
    }
    for (size_t i = 0; i < prefixes->rows.len; i++)
        reset(prefixes->rows.items[i]);
    for (size_t i = 0; i < m->findings.len; i++) {
        const struct api_route_problem *p = api_at(&m->findings, struct api_route_problem, i);
        struct m_node *n = model_node(m, p->node);
        char text[PREFIX_TEXT_MAX];

        prefix_format(&p->prefix, text);
        count_in(n ? &n->row : NULL, p);
        count_in(route_row(n, text), p);
        count_in(model_find(m, ROW_PREFIX, text), p);
    }
    model_facts_changed(m);
}
