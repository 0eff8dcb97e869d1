/* SPDX-License-Identifier: BSD-3-Clause */
#include "console/screen/screen_text.h"

#include <string.h>

static const struct screen_cell *cell_at(const struct canvas *c, int row, int col)
{
    return &c->cells[(size_t)row * (size_t)c->cols + (size_t)col];
}

static void add_cell(const struct screen_cell *cell, struct buf *out)
{
    for (int i = 0; i < 3 && cell->text[i]; i++)
        utf8_add(out, cell->text[i]);
}

static bool is_blank(const struct screen_cell *cell)
{
    return cell->text[0] == ' ' && !cell->text[1];
}

void screen_text(const struct canvas *c, struct buf *out)
{
    for (int row = 0; row < c->rows; row++) {
        int end = c->cols;

        while (end && is_blank(cell_at(c, row, end - 1)))
            end--;
        for (int col = 0; col < end; col++)
            add_cell(cell_at(c, row, col), out);
        buf_addc(out, '\n');
    }
}

/* base: 30 for the foreground, 40 for the background. */
static void add_colour(int base, int colour, enum depth depth, struct buf *out)
{
    unsigned rgb = (unsigned)colour;

    if (colour < 0)
        return;
    if (depth == DEPTH_TRUE)
        buf_addf(out, ";%d;2;%u;%u;%u", base + 8, rgb >> 16 & 255, rgb >> 8 & 255, rgb & 255);
    else if (depth == DEPTH_256)
        buf_addf(out, ";%d;5;%d", base + 8, colour);
    else
        buf_addf(out, ";%d", colour < 8 ? base + colour : base + 60 + colour - 8);
}

static void add_style(const struct style *s, enum depth depth, struct buf *out)
{
    static const struct {
        unsigned look;
        const char *code;
    } looks[] = {{LOOK_BOLD, ";1"}, {LOOK_DIM, ";2"}, {LOOK_UNDERLINE, ";4"}, {LOOK_REVERSE, ";7"}};

    buf_adds(out, "\033[0");
    for (size_t i = 0; i < sizeof(looks) / sizeof(*looks); i++)
        if (s->look & looks[i].look)
            buf_adds(out, looks[i].code);
    add_colour(30, s->fg, depth, out);
    add_colour(40, s->bg, depth, out);
    buf_addc(out, 'm');
}

static bool same_style(const struct style *a, const struct style *b)
{
    return a->fg == b->fg && a->bg == b->bg && a->look == b->look;
}

static bool shows_on_blanks(const struct style *s)
{
    return s->bg >= 0 || (s->look & (LOOK_REVERSE | LOOK_UNDERLINE));
}

void screen_ansi(const struct canvas *c, int theme, enum depth depth, struct buf *out)
{
    static const struct style own = {.fg = -1, .bg = -1};

    for (int row = 0; row < c->rows; row++) {
        struct style now = own;

        for (int col = 0; col < c->cols; col++) {
            const struct screen_cell *cell = cell_at(c, row, col);
            struct style s = theme_style(theme, depth, (enum role)cell->role, (cell->flags & CANVAS_SELECTED) != 0);

            s.look |= cell->flags & (CANVAS_DIM | CANVAS_STRUCK) ? LOOK_DIM : 0;
            /* A blank has no colour of its own: it takes the style before it. */
            if (is_blank(cell) && !shows_on_blanks(&s))
                s = shows_on_blanks(&now) ? own : now;
            if (!same_style(&s, &now))
                add_style(&s, depth, out);
            now = s;
            add_cell(cell, out);
        }
        if (!same_style(&now, &own))
            buf_adds(out, "\033[0m");
        while (out->len && out->data[out->len - 1] == ' ')
            out->data[--out->len] = '\0';
        buf_addc(out, '\n');
    }
}
