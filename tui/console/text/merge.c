/* SPDX-License-Identifier: BSD-3-Clause */
/* Each text is compared with their common base. Lines common to all three divide the texts into runs; a run between
 * them was changed by one side or by both. */
#include "console/text/merge.h"

#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/mem.h"
#include "console/text/merge_sections.h"

struct lines {
    struct merge_text *items; /* with their line ends */
    size_t len, cap;
};

static void split(struct merge_text t, struct lines *out)
{
    for (size_t at = 0, len; at < t.len; at += len) {
        const char *end = memchr(t.text + at, '\n', t.len - at);

        len = end ? (size_t)(end - t.text) + 1 - at : t.len - at;
        vec_push(out, ((struct merge_text){t.text + at, len}));
    }
    vec_push(out, ((struct merge_text){t.text, 0})); /* a run may begin after the last line */
    out->len--;
}

/* The lines from one to before another as one text. */
static struct merge_text run_of(const struct lines *l, size_t from, size_t to)
{
    size_t len = 0;

    for (size_t i = from; i < to; i++)
        len += l->items[i].len;
    return (struct merge_text){from < to ? l->items[from].text : "", len};
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

        /* A line common to all: it ends a run, and is one itself. */
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

/* The part of a piece that is in the result. */
struct merge_taken {
    bool theirs, mine;
};

static struct merge_taken taken_of(const struct merge_piece *p)
{
    bool both = p->choice == CHOICE_NONE || p->choice == CHOICE_BOTH;

    if (p->kind != MERGE_CONFLICT)
        return (struct merge_taken){p->kind == MERGE_THEIRS, p->kind != MERGE_THEIRS};
    return (struct merge_taken){both || p->choice == CHOICE_THEIRS, both || p->choice == CHOICE_MINE};
}

/* Whether another item of the container follows a piece in the result. */
static bool goes_on(const struct merge *m, size_t index)
{
    size_t container = m->items[index].container;

    for (size_t i = index + 1; i < m->len; i++) {
        const struct merge_piece *p = &m->items[i];
        struct merge_taken taken = taken_of(p);

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
        struct merge_taken taken = taken_of(p);
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
