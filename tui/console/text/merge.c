/* SPDX-License-Identifier: BSD-3-Clause */
/* Each text is compared with the one that both are made from. Lines that all three have in common cut the texts into
 * runs; what stands in a run between two cuts was changed by one side, or by both. */
#include "console/text/merge_pieces.h"

#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/mem.h"
#include "base/text_diff.h"

struct lines {
    struct merge_text *items; /* with their ends */
    size_t len, cap;
};

static void split(struct merge_text t, struct lines *out)
{
    for (size_t at = 0, len; at < t.len; at += len) {
        const char *end = memchr(t.text + at, '\n', t.len - at);

        len = end ? (size_t)(end - t.text) + 1 - at : t.len - at;
        vec_push(out, ((struct merge_text){t.text + at, len}));
    }
    vec_push(out, ((struct merge_text){t.text, 0})); /* a run may begin behind the last line */
    out->len--;
}

size_t *merge_matches(struct merge_text base, struct merge_text other, size_t base_lines, size_t other_lines)
{
    size_t *match = mem_resize(NULL, base_lines + 1, sizeof(*match));
    bool *gone = mem_alloc(base_lines + 1), *came = mem_alloc(other_lines + 1);
    struct diff d;

    textdiff(base.text, base.len, other.text, other.len, &d);
    for (size_t i = 0; i < d.len; i++) {
        if (d.items[i].sign == '-')
            gone[d.items[i].old - 1] = true;
        else if (d.items[i].sign == '+')
            came[d.items[i].fresh - 1] = true;
    }
    for (size_t i = 0, k = 0; i < base_lines; i++) {
        while (k < other_lines && came[k])
            k++;
        match[i] = gone[i] || k == other_lines ? SIZE_MAX : k++;
    }
    vec_release(&d);
    free(gone);
    free(came);
    return match;
}

/* The lines from one to before another as one text. */
static struct merge_text run_of(const struct lines *l, size_t from, size_t to)
{
    size_t len = 0;

    for (size_t i = from; i < to; i++)
        len += l->items[i].len;
    return (struct merge_text){from < to ? l->items[from].text : "", len};
}

/* Whether the last line has an end says nothing. */
static bool same(struct merge_text a, struct merge_text b)
{
    a.len -= a.len && a.text[a.len - 1] == '\n';
    b.len -= b.len && b.text[b.len - 1] == '\n';
    return a.len == b.len && (!a.len || memcmp(a.text, b.text, a.len) == 0);
}

static enum merge_kind kind_of(const struct merge_piece *p)
{
    if (same(p->theirs, p->mine))
        return same(p->theirs, p->base) ? MERGE_SAME : MERGE_ALIKE;
    if (same(p->base, p->mine))
        return MERGE_THEIRS;
    return same(p->base, p->theirs) ? MERGE_MINE : MERGE_CONFLICT;
}

static bool follows(struct merge_text a, struct merge_text b)
{
    return a.text + a.len == b.text;
}

void merge_add(struct merge *m, struct merge_piece piece)
{
    if (!piece.base.len && !piece.theirs.len && !piece.mine.len)
        return;
    struct merge_piece *last = m->len ? &m->items[m->len - 1] : NULL;
    piece.kind = kind_of(&piece);
    if (piece.kind == MERGE_SAME && last && last->kind == MERGE_SAME && follows(last->base, piece.base) &&
        follows(last->theirs, piece.theirs) && follows(last->mine, piece.mine)) {
        last->base.len += piece.base.len;
        last->theirs.len += piece.theirs.len;
        last->mine.len += piece.mine.len;
        return;
    }
    m->theirs += piece.kind == MERGE_THEIRS;
    m->mine += piece.kind == MERGE_MINE;
    m->conflicts += piece.kind == MERGE_CONFLICT;
    vec_push(m, piece);
}

struct merge_place {
    size_t base, theirs, mine;
};

static void by_lines(struct merge *m, struct merge_text base, struct merge_text theirs, struct merge_text mine)
{
    struct lines b = {0}, t = {0}, o = {0};
    struct merge_place from = {0}, at = {0};

    m->lines = true;
    split(base, &b);
    split(theirs, &t);
    split(mine, &o);
    size_t *in_theirs = merge_matches(base, theirs, b.len, t.len), *in_mine = merge_matches(base, mine, b.len, o.len);
    while (at.base <= b.len) {
        bool end = at.base == b.len;
        size_t their = end ? t.len : in_theirs[at.base], my = end ? o.len : in_mine[at.base];

        /* A line that all have: what stood before it is a run, and so is the line. */
        if (their != SIZE_MAX && my != SIZE_MAX) {
            bool changed = from.base < at.base || at.theirs < their || at.mine < my;
            if (changed)
                merge_add(m, (struct merge_piece){.base = run_of(&b, from.base, at.base),
                                                  .theirs = run_of(&t, at.theirs, their),
                                                  .mine = run_of(&o, at.mine, my),
                                                  .line = at.mine + 1});
            if (!end)
                merge_add(m,
                          (struct merge_piece){
                              .base = b.items[at.base], .theirs = t.items[their], .mine = o.items[my], .line = my + 1});
            at.theirs = their + 1;
            at.mine = my + 1;
            from.base = at.base + 1;
        }
        at.base++;
    }
    free(in_theirs);
    free(in_mine);
    vec_release(&b);
    vec_release(&t);
    vec_release(&o);
}

void merge_make(struct merge *m, struct merge_text base, struct merge_text theirs, struct merge_text mine)
{
    *m = (struct merge){0};
    if (!merge_sections(m, base, theirs, mine))
        by_lines(m, base, theirs, mine);
}

void merge_release(struct merge *m)
{
    vec_release(m);
    *m = (struct merge){0};
}

size_t merge_open(const struct merge *m)
{
    size_t open = 0;

    for (size_t i = 0; i < m->len; i++)
        open += m->items[i].kind == MERGE_CONFLICT && !m->items[i].choice;
    return open;
}

/* What of a piece is in the result. */
struct taken {
    bool theirs, mine;
};

static struct taken taken_of(const struct merge_piece *p)
{
    bool both = p->choice == CHOICE_NONE || p->choice == CHOICE_BOTH;

    if (p->kind != MERGE_CONFLICT)
        return (struct taken){p->kind == MERGE_THEIRS, p->kind != MERGE_THEIRS};
    return (struct taken){both || p->choice == CHOICE_THEIRS, both || p->choice == CHOICE_MINE};
}

/* Whether another item of the container is in the result behind a piece. */
static bool goes_on(const struct merge *m, size_t index)
{
    size_t container = m->items[index].container;

    for (size_t i = index + 1; i < m->len; i++) {
        const struct merge_piece *p = &m->items[i];
        struct taken taken = taken_of(p);

        if (p->container == container && ((taken.theirs && p->theirs.len) || (taken.mine && p->mine.len)))
            return true;
    }
    return false;
}

static void put(const struct merge *m, struct buf *out, struct merge_text t, size_t comma)
{
    if (!t.len && comma == MERGE_NO_COMMA)
        return;
    if (m->lines && out->len && out->data[out->len - 1] != '\n')
        buf_addc(out, '\n');
    size_t head = comma < t.len ? comma : t.len;
    buf_add(out, t.text, head);
    if (comma != MERGE_NO_COMMA)
        buf_addc(out, ',');
    buf_add(out, t.text + head, t.len - head);
}

char *merge_result(const struct merge *m, size_t *len)
{
    struct buf out = BUF_INIT(0);

    for (size_t i = 0; i < m->len; i++) {
        const struct merge_piece *p = &m->items[i];
        struct taken taken = taken_of(p);
        bool both = taken.theirs && taken.mine && p->mine.len && p->theirs.len;
        bool lacks = p->their_comma != MERGE_NO_COMMA || p->my_comma != MERGE_NO_COMMA;
        bool more = p->container && lacks && !p->value && goes_on(m, i);

        if (taken.theirs)
            put(m, &out, p->theirs, p->container && (more || both) ? p->their_comma : MERGE_NO_COMMA);
        if (taken.mine)
            put(m, &out, p->mine, more ? p->my_comma : MERGE_NO_COMMA);
    }
    *len = out.len;
    return buf_take(&out);
}
