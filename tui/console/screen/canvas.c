/* SPDX-License-Identifier: BSD-3-Clause */
#include "console/screen/canvas.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <wchar.h>

#include "base/mem.h"
#include "base/str.h"

size_t utf8_next(const char *text, wchar_t *rune)
{
    const unsigned char *s = (const unsigned char *)text;
    size_t need = s[0] < 0x80 ? 1 : s[0] >= 0xf0 ? 4 : s[0] >= 0xe0 ? 3 : s[0] >= 0xc2 ? 2 : 0;

    if (!s[0])
        return 0;
    if (need == 1) {
        *rune = (wchar_t)s[0];
        return 1;
    }
    *rune = 0xfffd;
    if (!need || !str_utf8(text, strnlen(text, need)) || strnlen(text, need) < need)
        return 1;
    wchar_t value = (wchar_t)(s[0] & (0xff >> (need + 1)));
    for (size_t i = 1; i < need; i++)
        value = value << 6 | (wchar_t)(s[i] & 0x3f);
    *rune = value;
    return need;
}

void utf8_add(struct buf *out, wchar_t rune)
{
    unsigned r = (unsigned)rune;

    if (r < 0x80) {
        buf_addc(out, (char)r);
    } else if (r < 0x800) {
        buf_addc(out, (char)(0xc0 | r >> 6));
        buf_addc(out, (char)(0x80 | (r & 0x3f)));
    } else if (r < 0x10000) {
        buf_addc(out, (char)(0xe0 | r >> 12));
        buf_addc(out, (char)(0x80 | (r >> 6 & 0x3f)));
        buf_addc(out, (char)(0x80 | (r & 0x3f)));
    } else {
        buf_addc(out, (char)(0xf0 | r >> 18));
        buf_addc(out, (char)(0x80 | (r >> 12 & 0x3f)));
        buf_addc(out, (char)(0x80 | (r >> 6 & 0x3f)));
        buf_addc(out, (char)(0x80 | (r & 0x3f)));
    }
}

/* What to draw for a character, and its width: 0 if it combines with the one before, -1 if it is not drawn at all. */
static int drawn(const struct canvas *c, wchar_t *rune)
{
    if (*rune < 0x20 || (*rune >= 0x7f && *rune < 0xa0))
        return -1;
    if (*rune < 0x7f)
        return 1;
    int width = wcwidth(*rune);
    if (c->ascii || width < 0) {
        if (width == 0)
            return -1;
        *rune = L'?';
        return 1;
    }
    return width;
}

static struct screen_cell *cell_at(struct canvas *c, int row, int col)
{
    return &c->cells[(size_t)row * (size_t)c->cols + (size_t)col];
}

static void cell_blank(struct screen_cell *cell)
{
    *cell = (struct screen_cell){.text = {L' '}, .width = 1, .role = ROLE_TEXT};
}

void canvas_start(struct canvas *c, int rows, int cols)
{
    rows = rows < 1 ? 1 : rows;
    cols = cols < 1 ? 1 : cols;
    size_t count = (size_t)rows * (size_t)cols;

    if (!c->cells || rows != c->rows || cols != c->cols)
        c->cells = mem_resize(c->cells, count, sizeof(*c->cells));
    c->rows = rows;
    c->cols = cols;
    for (size_t i = 0; i < count; i++)
        cell_blank(&c->cells[i]);
    c->hit_count = 0;
    c->cursor_row = c->cursor_col = 0;
    c->cursor_shown = false;
}

void canvas_release(struct canvas *c)
{
    free(c->cells);
    free(c->hits);
    *c = (struct canvas){0};
}

/* Before a cell is overwritten: if it was half of a wide character, the other half becomes a blank. */
static void unpair(struct canvas *c, int row, int col)
{
    struct screen_cell *cell = cell_at(c, row, col);

    if (cell->width == 2 && col + 1 < c->cols)
        cell_blank(cell_at(c, row, col + 1));
    if (cell->text[0] == 0 && col > 0)
        cell_blank(cell_at(c, row, col - 1));
}

static void cell_set(struct canvas *c, int row, int col, enum role role, wchar_t rune, int width)
{
    unpair(c, row, col);
    *cell_at(c, row, col) =
        (struct screen_cell){.text = {rune}, .width = (unsigned char)width, .role = (unsigned char)role};
    if (width == 2) {
        unpair(c, row, col + 1);
        *cell_at(c, row, col + 1) = (struct screen_cell){.width = 0, .role = (unsigned char)role};
    }
}

int canvas_width(const struct canvas *c, const char *text)
{
    int width = 0;
    wchar_t rune;

    for (size_t n; (n = utf8_next(text, &rune)); text += n) {
        int w = drawn(c, &rune);

        width += w > 0 ? w : 0;
    }
    return width;
}

int canvas_text(struct canvas *c, int row, int col, int width, enum role role, const char *text)
{
    if (row < 0 || row >= c->rows || col >= c->cols || col < 0)
        return 0;
    if (width > c->cols - col)
        width = c->cols - col;
    if (width <= 0)
        return 0;

    bool cut = canvas_width(c, text) > width;
    int limit = cut ? width - 1 : width, at = 0, last = -1;
    wchar_t rune;

    for (size_t n; (n = utf8_next(text, &rune)); text += n) {
        int w = drawn(c, &rune);

        if (w < 0)
            continue;
        if (w == 0) {
            struct screen_cell *before = last >= 0 ? cell_at(c, row, col + last) : NULL;

            if (before && !before->text[2])
                before->text[before->text[1] ? 2 : 1] = rune;
            continue;
        }
        if (at + w > limit)
            break;
        cell_set(c, row, col + at, role, rune, w);
        last = at;
        at += w;
    }
    if (cut)
        cell_set(c, row, col + at++, role, L'~', 1);
    return at;
}

int canvas_textf(struct canvas *c, int row, int col, int width, enum role role, const char *format, ...)
{
    char text[1024];
    va_list args;

    va_start(args, format);
    vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    return canvas_text(c, row, col, width, role, text);
}

int canvas_name(struct canvas *c, int row, int col, int width, enum role role, const char *name)
{
    struct buf cut = BUF_INIT(0);
    size_t head = 0, tail = 0, len = strlen(name);
    wchar_t rune;
    int used;

    if (width < 5 || canvas_width(c, name) <= width)
        return canvas_text(c, row, col, width, role, name);
    for (size_t n; (n = utf8_next(name + head, &rune)); head += n) {
        buf_add(&cut, name + head, n);
        if (canvas_width(c, buf_text(&cut)) > (width - 1) * 2 / 3)
            break;
    }
    /* Find the longest end that fits. */
    for (tail = head; tail < len && canvas_width(c, name + tail) > width - 1 - (width - 1) * 2 / 3;)
        tail += utf8_next(name + tail, &rune);
    buf_clear(&cut);
    buf_add(&cut, name, head);
    buf_addc(&cut, '~');
    buf_adds(&cut, name + tail);
    used = canvas_text(c, row, col, width, role, buf_text(&cut));
    buf_release(&cut);
    return used;
}

void canvas_right(struct canvas *c, int row, int col, int width, enum role role, const char *text)
{
    int used = canvas_width(c, text);

    if (used < width) {
        col += width - used;
        width = used;
    }
    canvas_text(c, row, col, width, role, text);
}

int canvas_glyph_as(struct canvas *c, int row, int col, enum glyph glyph, enum role role)
{
    return canvas_text(c, row, col, c->cols - col, role, glyph_text(glyph, c->ascii));
}

/* The bytes of text that fit on a line of width columns, broken at the last blank if there is one. */
static size_t line_bytes(const struct canvas *c, int width, const char *text)
{
    size_t at = 0, blank = 0;
    int used = 0;
    wchar_t rune;

    for (size_t n; (n = utf8_next(text + at, &rune)); at += n) {
        int w = drawn(c, &rune);

        if (rune == L' ')
            blank = at;
        used += w > 0 ? w : 0;
        if (used > width)
            return blank ? blank : at ? at : n;
    }
    return at;
}

int canvas_lines(const struct canvas *c, int width, const char *text)
{
    int lines = 0;

    while (*text && width > 0) {
        text += line_bytes(c, width, text);
        text += *text == ' ';
        lines++;
    }
    return lines ? lines : 1;
}

int canvas_wrap(struct canvas *c, struct rect at, enum role role, const char *text)
{
    int line = 0;

    while (*text && line < at.rows && at.cols > 0) {
        size_t len = line_bytes(c, at.cols, text);
        struct buf piece = BUF_INIT(0);

        if (line + 1 == at.rows)
            len = strlen(text);
        buf_add(&piece, text, len);
        canvas_text(c, at.row + line++, at.col, at.cols, role, buf_text(&piece));
        buf_release(&piece);
        text += len;
        text += *text == ' ';
    }
    return line ? line : 1;
}

static void rest_cursor(struct canvas *c, int row, int col)
{
    if (row < 0 || row >= c->rows || col < 0 || col >= c->cols)
        return;
    c->cursor_row = row;
    c->cursor_col = col;
}

int canvas_glyph(struct canvas *c, int row, int col, enum glyph glyph)
{
    if (glyph == GLYPH_CURSOR)
        rest_cursor(c, row, col);
    return canvas_glyph_as(c, row, col, glyph, glyph_role(glyph));
}

void canvas_rule(struct canvas *c, int row, int col, int width)
{
    for (int i = 0; i < width && !c->plain; i++)
        canvas_glyph(c, row, col + i, GLYPH_RULE);
}

static struct rect clip(const struct canvas *c, struct rect r)
{
    if (r.row < 0) {
        r.rows += r.row;
        r.row = 0;
    }
    if (r.col < 0) {
        r.cols += r.col;
        r.col = 0;
    }
    if (r.rows > c->rows - r.row)
        r.rows = c->rows - r.row;
    if (r.cols > c->cols - r.col)
        r.cols = c->cols - r.col;
    return r;
}

void canvas_clear(struct canvas *c, struct rect at)
{
    at = clip(c, at);
    for (int row = at.row; row < at.row + at.rows; row++)
        for (int col = at.col; col < at.col + at.cols; col++) {
            unpair(c, row, col);
            cell_blank(cell_at(c, row, col));
        }
}

void canvas_copy(struct canvas *c, int row, int col, const struct canvas *from, int from_row, int rows)
{
    struct rect to = clip(c, (struct rect){row, col, rows, from->cols});

    for (int i = 0; i < to.rows && from_row + i < from->rows; i++)
        memcpy(cell_at(c, to.row + i, to.col), &from->cells[(from_row + i) * from->cols],
               (size_t)to.cols * sizeof(*c->cells));
}

void canvas_flag(struct canvas *c, struct rect at, unsigned flag)
{
    at = clip(c, at);
    for (int row = at.row; row < at.row + at.rows; row++)
        for (int col = at.col; col < at.col + at.cols; col++)
            cell_at(c, row, col)->flags |= (unsigned char)flag;
}

void canvas_role(struct canvas *c, struct rect at, enum role role)
{
    at = clip(c, at);
    for (int row = at.row; row < at.row + at.rows; row++)
        for (int col = at.col; col < at.col + at.cols; col++)
            cell_at(c, row, col)->role = (unsigned char)role;
}

static void border(struct canvas *c, struct rect at, int row, enum glyph left, enum glyph right, const char *words,
                   enum role role)
{
    if (!c->plain)
        canvas_glyph(c, row, at.col, left);
    canvas_rule(c, row, at.col + 1, at.cols - 2);
    if (!c->plain)
        canvas_glyph(c, row, at.col + at.cols - 1, right);
    canvas_role(c, (struct rect){row, at.col, 1, at.cols}, ROLE_FRAME);
    if (words && *words && at.cols > 8) {
        int used = canvas_text(c, row, at.col + 3, at.cols - 6, role, words);

        canvas_text(c, row, at.col + 2, 1, role, " ");
        canvas_text(c, row, at.col + 3 + used, 1, role, " ");
    }
}

struct rect canvas_frame(struct canvas *c, struct rect at, const char *title, const char *note)
{
    at = clip(c, at);
    if (at.rows < 3 || at.cols < 4)
        return (struct rect){at.row, at.col, 0, 0};
    canvas_clear(c, at);
    border(c, at, at.row, GLYPH_TOP_LEFT, GLYPH_TOP_RIGHT, title, ROLE_TITLE);
    border(c, at, at.row + at.rows - 1, GLYPH_BOTTOM_LEFT, GLYPH_BOTTOM_RIGHT, note, ROLE_HINT);
    for (int row = at.row + 1; row < at.row + at.rows - 1 && !c->plain; row++) {
        canvas_glyph_as(c, row, at.col, GLYPH_BAR, ROLE_FRAME);
        canvas_glyph_as(c, row, at.col + at.cols - 1, GLYPH_BAR, ROLE_FRAME);
    }
    rest_cursor(c, at.row + 1, at.col + 2);
    return (struct rect){at.row + 1, at.col + 2, at.rows - 2, at.cols - 4};
}

void canvas_hit(struct canvas *c, struct rect at, int kind, int value)
{
    if (c->hit_count == c->hit_cap) {
        c->hit_cap = c->hit_cap ? c->hit_cap * 2 : 32;
        c->hits = mem_resize(c->hits, c->hit_cap, sizeof(*c->hits));
    }
    c->hits[c->hit_count++] = (struct hit){.at = at, .kind = kind, .value = value};
}

const struct hit *canvas_hit_at(const struct canvas *c, int row, int col)
{
    for (size_t i = c->hit_count; i-- > 0;) {
        const struct rect *r = &c->hits[i].at;

        if (row >= r->row && row < r->row + r->rows && col >= r->col && col < r->col + r->cols)
            return &c->hits[i];
    }
    return NULL;
}

void canvas_section(struct canvas *c, int row, int col, int width, const char *left, const char *right)
{
    canvas_rule(c, row, col, width);
    int used = canvas_text(c, row, col + 3, width - 6, ROLE_SECTION, left);
    canvas_text(c, row, col + 2, 1, ROLE_TEXT, " ");
    canvas_text(c, row, col + 3 + used, 1, ROLE_TEXT, " ");
    if (right && *right) {
        int room = canvas_width(c, right);

        if (room + used + 10 < width) {
            canvas_text(c, row, col + width - room - 3, room, ROLE_FAINT, right);
            canvas_text(c, row, col + width - room - 4, 1, ROLE_TEXT, " ");
            canvas_text(c, row, col + width - 3, 1, ROLE_TEXT, " ");
        }
    }
}
