/* SPDX-License-Identifier: BSD-3-Clause */
/* The three texts are walked through in parallel. Members of an object are matched by name; a member that only one text
 * has goes after the member that it follows there. Elements of a section are compared like lines: common ones divide
 * them into runs. An item that all three have is split into its value and what follows, so that a comma needed by one
 * of them is no change of the value. */
#include "console/text/merge_sections.h"

#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/map.h"
#include "base/str.h"
#include "policy/policy.h"

#define MEMORY_MAX ((size_t)256 << 20)

enum { BASE, THEIRS, MINE, SIDES };

struct section_merge {
    struct merge *m;
    struct merge_text text[SIDES];
    size_t containers;
    size_t counted, line; /* position up to which lines of mine were counted */
};

/* The same item, or container, in the three texts; NULL if missing there. */
struct triple {
    const struct policy_item *at[SIDES];
};

struct stretch {
    size_t from, to;
};

static struct merge_text text_in(const struct section_merge *s, int side, struct stretch at)
{
    return (struct merge_text){s->text[side].text + at.from, at.to - at.from};
}

static struct merge_piece piece_of(const struct section_merge *s, const struct stretch at[SIDES], size_t container)
{
    return (struct merge_piece){.base = text_in(s, BASE, at[BASE]),
                                .theirs = text_in(s, THEIRS, at[THEIRS]),
                                .mine = text_in(s, MINE, at[MINE]),
                                .container = container,
                                .their_comma = MERGE_NO_COMMA,
                                .my_comma = MERGE_NO_COMMA};
}

/* at is in mine; if mine has nothing there, the line is that of what precedes it. */
static void add(struct section_merge *s, struct merge_piece piece, struct stretch at)
{
    for (; at.from < at.to && s->counted < at.from; s->counted++)
        s->line += s->text[MINE].text[s->counted] == '\n';
    piece.line = s->line;
    merge_add(s->m, piece);
}

static void add_plain(struct section_merge *s, const struct stretch at[SIDES])
{
    add(s, piece_of(s, at, 0), at[MINE]);
}

/* Matches the members of the three objects by name. */
struct merge_members {
    struct map map[SIDES];
};

static struct merge_members index_members(const struct triple *objects)
{
    struct merge_members m = {0};

    for (int side = 0; side < SIDES; side++)
        for (const struct policy_item *i = objects->at[side]->first; i; i = i->next)
            map_puts(&m.map[side], i->name, (void *)(uintptr_t)i);
    return m;
}

static struct triple find(const struct merge_members *m, const char *name)
{
    struct triple t;

    for (int side = 0; side < SIDES; side++)
        t.at[side] = map_gets(&m->map[side], name);
    return t;
}

static bool in_all(const struct triple *t)
{
    return t->at[BASE] && t->at[THEIRS] && t->at[MINE];
}

/* ---- runs of items that not all have ---- */

/* The text from the first to before the last one; an empty range if there is none. */
struct merge_run {
    const struct policy_item *first, *end;
};

static struct stretch stretch_of(struct merge_run r, size_t *comma)
{
    const struct policy_item *last = r.first;

    *comma = MERGE_NO_COMMA;
    if (r.first == r.end)
        return (struct stretch){0, 0};
    while (last->next != r.end)
        last = last->next;
    if (!last->comma)
        *comma = last->end - r.first->from;
    return (struct stretch){r.first->from, last->to};
}

/* Differences in blanks, comments and commas do not count. */
static bool same_values(struct merge_run a, struct merge_run b)
{
    const struct policy_item *i = a.first, *k = b.first;

    for (; i != a.end && k != b.end; i = i->next, k = k->next)
        if (!str_eq(i->plain, k->plain))
            return false;
    return i == a.end && k == b.end;
}

/* What follows the value, without the comma and line ends: a comment. */
static struct merge_text note_of(const struct section_merge *s, int side, const struct policy_item *item)
{
    const char *text = s->text[side].text;
    size_t from = item->end, to = item->to;

    while (from < to && strchr(", \t\r\n", text[from]))
        from++;
    while (to > from && strchr(", \t\r\n", text[to - 1]))
        to--;
    return (struct merge_text){text + from, to - from};
}

static bool same_text(struct merge_text a, struct merge_text b)
{
    return a.len == b.len && memcmp(a.text, b.text, a.len) == 0;
}

/* Commas, and a line end after the last item, do not count. */
static bool is_untouched(const struct section_merge *s, const struct merge_run runs[SIDES], int side)
{
    const struct policy_item *i = runs[BASE].first, *k = runs[side].first;

    for (; i != runs[BASE].end && k != runs[side].end; i = i->next, k = k->next)
        if (!same_text(text_in(s, BASE, (struct stretch){i->from, i->end}),
                       text_in(s, side, (struct stretch){k->from, k->end})) ||
            !same_text(note_of(s, BASE, i), note_of(s, side, k)))
            return false;
    return i == runs[BASE].end && k == runs[side].end;
}

/* Turns the last piece from a conflict into this kind. */
static void settle(struct section_merge *s, enum merge_kind kind)
{
    s->m->items[s->m->len - 1].kind = kind;
    s->m->conflicts--;
    s->m->theirs += kind == MERGE_THEIRS;
    s->m->mine += kind == MERGE_MINE;
}

static bool is_conflict(const struct section_merge *s, size_t before)
{
    return s->m->len > before && s->m->items[s->m->len - 1].kind == MERGE_CONFLICT;
}

static void add_run(struct section_merge *s, const struct merge_run runs[SIDES], size_t container)
{
    size_t before = s->m->len;
    struct stretch at[SIDES];
    size_t commas[SIDES];

    for (int i = 0; i < SIDES; i++)
        at[i] = stretch_of(runs[i], &commas[i]);
    struct merge_piece piece = piece_of(s, at, container);
    piece.their_comma = commas[THEIRS];
    piece.my_comma = commas[MINE];
    add(s, piece, at[MINE]);
    if (!is_conflict(s, before))
        return;
    if (same_values(runs[THEIRS], runs[MINE]))
        settle(s, MERGE_ALIKE);
    else if (is_untouched(s, runs, THEIRS))
        settle(s, MERGE_MINE);
    else if (is_untouched(s, runs, MINE))
        settle(s, MERGE_THEIRS);
}

static struct merge_run one(const struct policy_item *item)
{
    return (struct merge_run){item, item ? item->next : NULL};
}

static void add_some(struct section_merge *s, const struct triple *t, size_t container)
{
    add_run(s, (struct merge_run[]){one(t->at[BASE]), one(t->at[THEIRS]), one(t->at[MINE])}, container);
}

/* ---- an item that all have ---- */

static void add_container(struct section_merge *s, const struct triple *t, const char *section, unsigned depth);

static bool goes_in(const struct triple *t, unsigned depth)
{
    enum policy_item_kind kind = t->at[MINE]->kind;

    return t->at[BASE]->kind == kind && t->at[THEIRS]->kind == kind &&
           (kind == POLICY_ITEM_OBJECT ? depth < 3 : kind == POLICY_ITEM_ARRAY && depth == 1);
}

static void add_tail(struct section_merge *s, const struct triple *t, size_t container)
{
    struct stretch at[SIDES];

    for (int i = 0; i < SIDES; i++)
        at[i] = (struct stretch){t->at[i]->end, t->at[i]->to};
    size_t before = s->m->len;
    struct merge_piece piece = piece_of(s, at, container);
    piece.their_comma = t->at[THEIRS]->comma ? MERGE_NO_COMMA : 0;
    piece.my_comma = t->at[MINE]->comma ? MERGE_NO_COMMA : 0;
    add(s, piece, at[MINE]);
    if (is_conflict(s, before)) /* a comma and a comment: not worth a question */
        settle(s, MERGE_MINE);
}

static void add_comments(struct section_merge *s, const struct triple *t)
{
    struct stretch at[SIDES];

    for (int i = 0; i < SIDES; i++)
        at[i] = (struct stretch){t->at[i]->from, t->at[i]->line};
    add_plain(s, at);
}

static void add_value(struct section_merge *s, const struct triple *t, size_t container, bool whole)
{
    struct stretch at[SIDES];

    for (int i = 0; i < SIDES; i++)
        at[i] = (struct stretch){t->at[i]->line, whole ? t->at[i]->end : t->at[i]->value};
    struct merge_piece piece = piece_of(s, at, container);
    piece.value = whole;
    piece.their_comma = whole ? at[THEIRS].to - at[THEIRS].from : MERGE_NO_COMMA;
    add(s, piece, at[MINE]);
}

static void add_whole(struct section_merge *s, const struct triple *t, size_t container, unsigned depth)
{
    bool in = goes_in(t, depth);

    add_comments(s, t);
    add_value(s, t, container, !in);
    if (in)
        add_container(s, t, t->at[MINE]->name ? t->at[MINE]->name : "", depth);
    add_tail(s, t, container);
}

/* ---- members ---- */

/* Items that follow one of theirs and are missing from mine. */
static void add_behind(struct section_merge *s, const struct merge_members *m, const struct policy_item *after,
                       size_t container)
{
    for (const struct policy_item *i = after; i && !map_gets(&m->map[MINE], i->name); i = i->next) {
        struct triple t = find(m, i->name);
        add_some(s, &t, container);
    }
}

static void add_members(struct section_merge *s, const struct triple *objects, size_t container, unsigned depth)
{
    struct merge_members m = index_members(objects);

    add_behind(s, &m, objects->at[THEIRS]->first, container);
    for (const struct policy_item *i = objects->at[MINE]->first; i; i = i->next) {
        struct triple t = find(&m, i->name);

        if (in_all(&t))
            add_whole(s, &t, container, depth + 1);
        else
            add_some(s, &t, container);
        if (t.at[THEIRS])
            add_behind(s, &m, t.at[THEIRS]->next, container);
    }
    for (const struct policy_item *i = objects->at[BASE]->first; i; i = i->next) {
        struct triple t = find(&m, i->name);

        if (!t.at[THEIRS] && !t.at[MINE])
            add_some(s, &t, container);
    }
    for (int side = 0; side < SIDES; side++)
        map_release(&m.map[side]);
}

/* ---- elements ---- */

static const struct policy_item *alike(struct merge_run r, const char *plain)
{
    for (const struct policy_item *i = r.first; i != r.end; i = i->next)
        if (str_eq(i->plain, plain))
            return i;
    return NULL;
}

/* Both added at the same place, and order is insignificant: take everything, once what both added. */
static void add_both(struct section_merge *s, struct merge_run theirs, struct merge_run mine, size_t container)
{
    for (const struct policy_item *i = theirs.first; i != theirs.end; i = i->next)
        if (!alike(mine, i->plain))
            add_some(s, &(struct triple){{NULL, i, NULL}}, container);
    for (const struct policy_item *i = mine.first; i != mine.end; i = i->next)
        if (!alike((struct merge_run){mine.first, i}, i->plain))
            add_some(s, &(struct triple){{NULL, alike(theirs, i->plain), i}}, container);
        else
            add_some(s, &(struct triple){{NULL, NULL, i}}, container);
}

static void add_between(struct section_merge *s, const struct merge_run runs[SIDES], const char *section,
                        size_t container)
{
    bool ordered = str_eq(section, "ssh"); /* the first matching rule decides */
    bool both = runs[BASE].first == runs[BASE].end && runs[THEIRS].first != runs[THEIRS].end &&
                runs[MINE].first != runs[MINE].end;

    if (both && !ordered)
        add_both(s, runs[THEIRS], runs[MINE], container);
    else
        add_run(s, runs, container);
}

/* Writes one item per line, to compare them like lines. */
static struct buf as_lines(const struct policy_item *array)
{
    struct buf b = BUF_INIT(0);

    for (const struct policy_item *i = array->first; i; i = i->next) {
        size_t at = b.len;

        buf_addf(&b, "%s\n", i->plain);
        for (; at + 1 < b.len; at++)
            b.data[at] = b.data[at] == '\n' ? ' ' : b.data[at];
    }
    return b;
}

static struct merge_text borrowed(const struct buf *b)
{
    return (struct merge_text){b->len ? b->data : "", b->len};
}

static const struct policy_item *skip(const struct policy_item *item, size_t count)
{
    while (count--)
        item = item->next;
    return item;
}

static void add_elements(struct section_merge *s, const struct triple *arrays, const char *section, size_t container)
{
    struct buf lines[SIDES];
    const struct policy_item *const *at = arrays->at;
    const struct policy_item *from[SIDES] = {at[BASE]->first, at[THEIRS]->first, at[MINE]->first}, *here = from[BASE];
    size_t gone[SIDES] = {0}; /* elements passed, of theirs and mine */

    for (int i = 0; i < SIDES; i++)
        lines[i] = as_lines(at[i]);
    size_t *matches[SIDES] = {NULL};
    for (int i = THEIRS; i < SIDES; i++)
        matches[i] = merge_matches(borrowed(&lines[BASE]), borrowed(&lines[i]), at[BASE]->count, at[i]->count);
    for (size_t n = 0; n <= at[BASE]->count; n++, here = here ? here->next : NULL) {
        bool end = n == at[BASE]->count;
        size_t to[SIDES] = {n, end ? at[THEIRS]->count : matches[THEIRS][n], end ? at[MINE]->count : matches[MINE][n]};

        if (to[THEIRS] == SIZE_MAX || to[MINE] == SIZE_MAX)
            continue;
        struct triple all = {
            {here, skip(from[THEIRS], to[THEIRS] - gone[THEIRS]), skip(from[MINE], to[MINE] - gone[MINE])}};
        add_between(s,
                    (struct merge_run[]){
                        {from[BASE], all.at[BASE]}, {from[THEIRS], all.at[THEIRS]}, {from[MINE], all.at[MINE]}},
                    section, container);
        if (!in_all(&all)) /* the end */
            break;
        add_whole(s, &all, container, 2);
        for (int i = 0; i < SIDES; i++) {
            from[i] = all.at[i]->next;
            gone[i] = to[i] + 1;
        }
    }
    for (int i = 0; i < SIDES; i++) {
        buf_release(&lines[i]);
        free(matches[i]);
    }
}

/* ---- containers ---- */

static void add_container(struct section_merge *s, const struct triple *t, const char *section, unsigned depth)
{
    size_t container = ++s->containers;
    struct stretch head[SIDES], foot[SIDES];

    for (int i = 0; i < SIDES; i++) {
        head[i] = (struct stretch){t->at[i]->value, t->at[i]->head};
        foot[i] = (struct stretch){t->at[i]->foot, t->at[i]->end};
    }
    add_plain(s, head);
    if (t->at[MINE]->kind == POLICY_ITEM_OBJECT)
        add_members(s, t, container, depth);
    else
        add_elements(s, t, section, container);
    add_plain(s, foot);
}

static bool is_blank(struct merge_text t)
{
    for (size_t i = 0; i < t.len; i++)
        if (!strchr(" \t\r\n", t.text[i]) || !t.text[i])
            return false;
    return true;
}

/* The number of line ends after the policy is insignificant. */
static void add_end(struct section_merge *s, const struct stretch at[SIDES])
{
    size_t before = s->m->len;

    add_plain(s, at);
    struct merge_piece *last = s->m->len > before ? &s->m->items[s->m->len - 1] : NULL;
    if (!last || last->kind == MERGE_SAME || !is_blank(last->base) || !is_blank(last->theirs) || !is_blank(last->mine))
        return;
    s->m->theirs -= last->kind == MERGE_THEIRS;
    s->m->mine -= last->kind == MERGE_MINE;
    s->m->conflicts -= last->kind == MERGE_CONFLICT;
    last->kind = MERGE_ALIKE;
}

bool merge_sections(struct merge *m, struct merge_text base, struct merge_text theirs, struct merge_text mine)
{
    struct arena a = ARENA_INIT(MEMORY_MAX);
    struct section_merge s = {.m = m, .text = {base, theirs, mine}, .line = 1};
    struct triple whole = {{NULL}};
    struct stretch head[SIDES], foot[SIDES];

    for (int i = 0; i < SIDES; i++)
        whole.at[i] = policy_items(s.text[i].text, s.text[i].len, &a);
    bool good = in_all(&whole);
    for (int i = 0; i < SIDES && good; i++) {
        head[i] = (struct stretch){0, whole.at[i]->value};
        foot[i] = (struct stretch){whole.at[i]->end, s.text[i].len};
    }
    if (good) {
        add_plain(&s, head);
        add_container(&s, &whole, "", 0);
        add_end(&s, foot);
    }
    arena_release(&a);
    return good;
}
