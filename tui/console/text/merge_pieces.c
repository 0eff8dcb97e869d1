/* SPDX-License-Identifier: BSD-3-Clause */
#include "console/text/merge_pieces.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/text_diff.h"

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

/* Whether the last line ends with a line break is insignificant. */
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

/* Unchanged, like the piece before it. */
static bool goes_on_from(const struct merge_piece *last, const struct merge_piece *p)
{
    return p->kind == MERGE_SAME && last->kind == MERGE_SAME && follows(last->base, p->base) &&
           follows(last->theirs, p->theirs) && follows(last->mine, p->mine);
}

void merge_add(struct merge *m, struct merge_piece piece)
{
    if (!piece.base.len && !piece.theirs.len && !piece.mine.len)
        return;
    piece.kind = kind_of(&piece);
    if (m->len && goes_on_from(&m->items[m->len - 1], &piece)) {
        struct merge_piece *last = &m->items[m->len - 1];

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
