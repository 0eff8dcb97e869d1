/* SPDX-License-Identifier: BSD-3-Clause */
/* Skips the lines with which both texts begin and end. Between them it looks for the shortest edit script with E. W.
 * Myers' algorithm, up to a maximum number of differences. */
#include "base/text_diff.h"

#include <stdbool.h>

#include "base/mem.h"

#define AROUND          3   /* lines of context around a change */
#define DIFFERENCES_MAX 600 /* give up the search for the shortest edit script beyond this */

struct diff_piece {
    const char *text;
    size_t len;
};

struct diff_side {
    VEC(struct diff_piece) lines;
    bool *kept; /* the line is also in the other text */
};

static void split(const char *text, size_t len, struct diff_side *s)
{
    const char *end = text + len;

    while (text < end) {
        const char *newline = memchr(text, '\n', (size_t)(end - text));
        const char *stop = newline ? newline : end;

        vec_push(&s->lines, ((struct diff_piece){text, (size_t)(stop - text)}));
        text = newline ? newline + 1 : end;
    }
    s->kept = mem_alloc(s->lines.len + 1);
}

static bool same(const struct diff_side *a, size_t i, const struct diff_side *b, size_t j)
{
    const struct diff_piece *p = &a->lines.items[i], *q = &b->lines.items[j];

    return p->len == q->len && (!p->len || memcmp(p->text, q->text, p->len) == 0);
}

struct diff_range {
    long from, to;
};

/* How far diagonal k is reached with one more difference: down from the diagonal above it or right from the one below
 * it, without leaving either text. -1 if it cannot be reached. */
static long reach(const long *u, long k, long n, long m, bool *down)
{
    long from_above = u[k + 1] >= 0 && u[k + 1] - k <= m ? u[k + 1] : -1;
    long from_below = u[k - 1] >= 0 && u[k - 1] < n ? u[k - 1] + 1 : -1;

    *down = from_above >= from_below;
    return *down ? from_above : from_below;
}

/* Follows the furthest reaching paths back and marks the lines on their diagonals as kept. */
static void keep_path(struct diff_side *a, struct diff_side *b, struct diff_range x, struct diff_range y,
                      long **reached, long d)
{
    long i = x.to - x.from, j = y.to - y.from;

    for (; d > 0; d--) {
        const long *v = reached[d - 1] + d + 1;
        long k = i - j;
        bool down;
        long start = reach(v, k, x.to - x.from, y.to - y.from, &down), before = down ? k + 1 : k - 1;

        while (i > start) {
            i--;
            j--;
            a->kept[x.from + i] = b->kept[y.from + j] = true;
        }
        i = v[before];
        j = i - before;
    }
    while (i > 0 && j > 0) {
        i--;
        j--;
        a->kept[x.from + i] = b->kept[y.from + j] = true;
    }
}

static void between(struct diff_side *a, struct diff_side *b, struct diff_range x, struct diff_range y)
{
    long n = x.to - x.from, m = y.to - y.from, most = n + m < DIFFERENCES_MAX ? n + m : DIFFERENCES_MAX;
    long **reached = mem_alloc((size_t)(most + 2) * sizeof(*reached)), d;
    bool found = false;

    for (d = 0; d <= most && !found; d++) {
        /* One row per step, from -d - 2 to d + 2; anything outside is unreachable. */
        long *row = mem_resize(NULL, (size_t)(2 * d + 5), sizeof(*row)), *v = row + d + 2;
        const long *u = d ? reached[d - 1] + d + 1 : NULL;

        reached[d] = row;
        for (long k = -d - 2; k <= d + 2; k++)
            v[k] = -1;
        for (long k = -d; k <= d && !found; k += 2) {
            bool down;
            long i = u ? reach(u, k, n, m, &down) : 0;

            while (i >= 0 && i < n && i - k < m && same(a, (size_t)(x.from + i), b, (size_t)(y.from + i - k)))
                i++;
            v[k] = i;
            found = i == n && i - k == m;
        }
    }
    if (found)
        keep_path(a, b, x, y, reached, d - 1);
    for (long i = 0; i < d; i++)
        free(reached[i]);
    free(reached);
}

static void compare(struct diff_side *a, struct diff_side *b)
{
    size_t n = a->lines.len, m = b->lines.len, front = 0;

    while (front < n && front < m && same(a, front, b, front)) {
        a->kept[front] = b->kept[front] = true;
        front++;
    }
    while (n > front && m > front && same(a, n - 1, b, m - 1))
        a->kept[--n] = b->kept[--m] = true;
    if (n > front && m > front)
        between(a, b, (struct diff_range){(long)front, (long)n}, (struct diff_range){(long)front, (long)m});
}

struct writer {
    const struct diff_side *a, *b;
    size_t i, j;
    struct diff *out;
};

static void put(struct writer *w, char sign)
{
    const struct diff_piece *p = sign == '+' ? &w->b->lines.items[w->j] : &w->a->lines.items[w->i];
    struct diff_line line = {.sign = sign, .text = p->text, .len = p->len};

    if (sign != '+')
        line.old = ++w->i;
    if (sign != '-')
        line.fresh = ++w->j;
    w->out->gone += sign == '-';
    w->out->came += sign == '+';
    vec_push(w->out, line);
}

static bool gone_here(const struct writer *w)
{
    return w->i < w->a->lines.len && !w->a->kept[w->i];
}

static bool came_here(const struct writer *w)
{
    return w->j < w->b->lines.len && !w->b->kept[w->j];
}

/* Unchanged lines: the last ones before a change and the first ones after it. */
static void put_same(struct writer *w)
{
    size_t run = 0, last = w->out->len && w->out->items[w->out->len - 1].sign != ' ' ? AROUND : 0;

    while (w->i + run < w->a->lines.len && w->j + run < w->b->lines.len && w->a->kept[w->i + run] &&
           w->b->kept[w->j + run])
        run++;
    bool more = w->i + run < w->a->lines.len || w->j + run < w->b->lines.len;
    size_t shown = last + (more ? AROUND : 0);
    for (size_t k = 0; k < run; k++) {
        if (run <= shown || k < last || (more && k >= run - AROUND)) {
            put(w, ' ');
            continue;
        }
        if (k == last)
            vec_push(w->out, ((struct diff_line){.sign = '@'}));
        w->i++;
        w->j++;
    }
}

void textdiff(const char *old, size_t old_len, const char *fresh, size_t fresh_len, struct diff *out)
{
    struct diff_side a = {0}, b = {0};
    struct writer w = {.a = &a, .b = &b, .out = out};

    *out = (struct diff){0};
    split(old, old_len, &a);
    split(fresh, fresh_len, &b);
    compare(&a, &b);
    while (w.i < a.lines.len || w.j < b.lines.len) {
        if (gone_here(&w))
            put(&w, '-');
        else if (came_here(&w))
            put(&w, '+');
        else
            put_same(&w);
    }
    vec_release(&a.lines);
    vec_release(&b.lines);
    free(a.kept);
    free(b.kept);
}
