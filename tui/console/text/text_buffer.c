/* SPDX-License-Identifier: BSD-3-Clause */
#include "console/text/text_buffer.h"

#include "base/buf.h"
#include "base/mem.h"

void textbuf_init(struct textbuf *t)
{
    *t = (struct textbuf){0};
    vec_push(&t->lines, ((struct edit_line){0}));
}

static void step_release(struct text_step *s)
{
    free(s->gone);
    free(s->came);
}

static void forget_steps(struct textbuf *t, size_t from)
{
    for (size_t i = from; i < t->steps.len; i++)
        step_release(&t->steps.items[i]);
    t->steps.len = from;
    if (t->done > from)
        t->done = from;
}

void textbuf_release(struct textbuf *t)
{
    forget_steps(t, 0);
    vec_release(&t->steps);
    for (size_t i = 0; i < t->lines.len; i++)
        free(t->lines.items[i].bytes);
    vec_release(&t->lines);
}

static void line_reserve(struct edit_line *l, size_t len)
{
    if (len <= l->cap)
        return;
    l->cap = len + len / 2 + 16;
    l->bytes = mem_resize(l->bytes, l->cap, 1);
}

/* Replaces bytes within one line. */
static void line_splice(struct edit_line *l, size_t from, size_t to, const char *text, size_t len)
{
    line_reserve(l, l->len - (to - from) + len);
    if (l->len > to)
        memmove(l->bytes + from + len, l->bytes + to, l->len - to);
    if (len)
        memcpy(l->bytes + from, text, len);
    l->len = l->len - (to - from) + len;
}

static size_t count_breaks(const char *text, size_t len)
{
    size_t count = 0;

    for (const char *at = text; len && (at = memchr(at, '\n', (size_t)(text + len - at))); at++)
        count++;
    return count;
}

/* Inserts or removes whole lines after the first one. */
static void shift_lines(struct textbuf *t, size_t after, size_t remove, size_t add)
{
    size_t rest = t->lines.len - after - remove, len = t->lines.len - remove + add;

    for (size_t i = 0; i < remove; i++)
        free(t->lines.items[after + i].bytes);
    if (len > t->lines.cap) {
        t->lines.cap = len + len / 2;
        t->lines.items = mem_resize(t->lines.items, t->lines.cap, sizeof(*t->lines.items));
    }
    if (rest)
        memmove(&t->lines.items[after + add], &t->lines.items[after + remove], rest * sizeof(*t->lines.items));
    for (size_t i = 0; i < add; i++)
        t->lines.items[after + i] = (struct edit_line){0};
    t->lines.len = len;
}

/* Changes the lines only; returns the end of the new text. */
static struct text_pos splice(struct textbuf *t, struct text_pos from, struct text_pos to, const char *text, size_t len)
{
    size_t breaks = count_breaks(text, len);

    text = len ? text : "";
    t->serial++;
    if (from.line < t->lowest_line)
        t->lowest_line = from.line;
    if (!breaks && from.line == to.line) {
        line_splice(&t->lines.items[from.line], from.at, to.at, text, len);
        return (struct text_pos){from.line, from.at + len};
    }
    /* The rest of the last line moves to the end of the last new line. */
    struct edit_line *last = &t->lines.items[to.line];
    size_t tail_len = last->len - to.at;
    char *tail = tail_len ? mem_dup(last->bytes + to.at, tail_len) : NULL;
    shift_lines(t, from.line + 1, to.line - from.line, breaks);
    t->lines.items[from.line].len = from.at;
    struct text_pos at = from;
    for (size_t done = 0; done <= len;) {
        const char *newline = len > done ? memchr(text + done, '\n', len - done) : NULL;
        size_t piece = newline ? (size_t)(newline - text) - done : len - done;
        struct edit_line *l = &t->lines.items[at.line];

        line_splice(l, l->len, l->len, text + done, piece);
        at.at = l->len;
        done += piece + 1;
        if (newline)
            at = (struct text_pos){at.line + 1, 0};
    }
    line_splice(&t->lines.items[at.line], at.at, at.at, tail, tail_len);
    free(tail);
    return at;
}

static char *cut_out(const struct textbuf *t, struct text_pos from, struct text_pos to, size_t *len)
{
    struct buf b = BUF_INIT(0);

    for (size_t i = from.line; i <= to.line; i++) {
        const struct edit_line *l = &t->lines.items[i];
        size_t start = i == from.line ? from.at : 0, end = i == to.line ? to.at : l->len;

        if (end > start)
            buf_add(&b, l->bytes + start, end - start);
        if (i < to.line)
            buf_addc(&b, '\n');
    }
    *len = b.len;
    return buf_take(&b);
}

static struct text_pos behind(struct text_pos from, const char *text, size_t len)
{
    size_t breaks = count_breaks(text, len);

    if (!breaks)
        return (struct text_pos){from.line, from.at + len};
    const char *last = memrchr(text, '\n', len);
    return (struct text_pos){from.line + breaks, (size_t)(text + len - last) - 1};
}

void textbuf_load(struct textbuf *t, const char *text, size_t len)
{
    size_t bytes = len < TEXTBUF_MAX ? len : TEXTBUF_MAX;

    forget_steps(t, 0);
    splice(t, (struct text_pos){0, 0}, textbuf_end(t), text, bytes);
    t->bytes = bytes;
}

bool textbuf_replace(struct textbuf *t, struct text_pos from, struct text_pos to, const char *text, size_t len,
                     struct text_pos *end)
{
    struct text_step s = {.from = from, .group = t->group};

    s.gone = cut_out(t, from, to, &s.gone_len);
    if (len > TEXTBUF_MAX || t->bytes - s.gone_len + len > TEXTBUF_MAX) {
        free(s.gone);
        return false;
    }
    if (!s.gone_len && !len) {
        free(s.gone);
        if (end)
            *end = from;
        return true;
    }
    s.came = len ? mem_dup(text, len) : NULL;
    s.came_len = len;
    forget_steps(t, t->done);
    if (t->steps.len == TEXTBUF_STEPS) {
        size_t drop = TEXTBUF_STEPS / 10;

        for (size_t i = 0; i < drop; i++)
            step_release(&t->steps.items[i]);
        t->steps.len -= drop;
        memmove(t->steps.items, t->steps.items + drop, t->steps.len * sizeof(*t->steps.items));
    }
    vec_push(&t->steps, s);
    t->done = t->steps.len;
    struct text_pos at = splice(t, from, to, text, len);
    t->bytes = t->bytes - s.gone_len + len;
    if (end)
        *end = at;
    return true;
}

void textbuf_break(struct textbuf *t)
{
    t->group++;
}

bool textbuf_undo(struct textbuf *t, struct text_pos *at)
{
    bool any = false;

    while (t->done && (!any || t->steps.items[t->done - 1].group == t->steps.items[t->done].group)) {
        const struct text_step *s = &t->steps.items[--t->done];

        *at = splice(t, s->from, behind(s->from, s->came, s->came_len), s->gone, s->gone_len);
        t->bytes = t->bytes - s->came_len + s->gone_len;
        any = true;
    }
    textbuf_break(t);
    return any;
}

bool textbuf_redo(struct textbuf *t, struct text_pos *at)
{
    bool any = false;

    while (t->done < t->steps.len && (!any || t->steps.items[t->done].group == t->steps.items[t->done - 1].group)) {
        const struct text_step *s = &t->steps.items[t->done++];

        *at = splice(t, s->from, behind(s->from, s->gone, s->gone_len), s->came, s->came_len);
        t->bytes = t->bytes - s->gone_len + s->came_len;
        any = true;
    }
    textbuf_break(t);
    return any;
}

struct text_pos textbuf_end(const struct textbuf *t)
{
    return (struct text_pos){t->lines.len - 1, t->lines.items[t->lines.len - 1].len};
}

bool textbuf_equals(const struct textbuf *t, const char *text, size_t len)
{
    if (t->bytes != len)
        return false;
    for (size_t i = 0; i < t->lines.len; i++) {
        const struct edit_line *l = &t->lines.items[i];
        bool more = i + 1 < t->lines.len;

        if (l->len + more > len || (l->len && memcmp(l->bytes, text, l->len) != 0) || (more && text[l->len] != '\n'))
            return false;
        text += l->len + more;
        len -= l->len + more;
    }
    return true;
}

char *textbuf_copy(const struct textbuf *t, size_t *len)
{
    return cut_out(t, (struct text_pos){0, 0}, textbuf_end(t), len);
}
