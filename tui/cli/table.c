/* SPDX-License-Identifier: BSD-3-Clause */
/* Tables as headscale's manual shows them: cells left-aligned, joined by " | ", nothing behind the last one. */
#include <assert.h>
#include <stdlib.h>
#include <time.h>
#include <wchar.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/vec.h"
#include "cli/output.h"

#define CYAN  "\033[96m"
#define GREY  "\033[90m"
#define RESET "\033[0m"

void table_init(struct table *t, const char *const *heads, size_t width)
{
    assert(width > 0);
    *t = (struct table){.heads = heads, .width = width};
}

static struct cell *add(struct table *t)
{
    if (t->len == t->cap) {
        t->cap = t->cap ? 2 * t->cap : 64;
        t->cells = mem_resize(t->cells, t->cap, sizeof(*t->cells));
    }
    t->cells[t->len] = (struct cell){0};
    return &t->cells[t->len++];
}

void table_release(struct table *t)
{
    for (size_t i = 0; i < t->len; i++)
        strs_release(&t->cells[i].parts);
    free(t->cells);
    *t = (struct table){0};
}

static void push_safe(struct strs *parts, const char *text)
{
    struct buf safe = BUF_INIT(0);

    str_safe(&safe, text, strlen(text));
    strs_push(parts, buf_text(&safe));
    buf_release(&safe);
}

void table_cell(struct table *t, const char *text, enum cell_color color)
{
    struct cell *cell = add(t);

    cell->color = color;
    push_safe(&cell->parts, text);
}

void table_list(struct table *t, const json_t *texts)
{
    struct cell *cell = add(t);
    json_t *item;
    size_t i;

    json_array_foreach(texts, i, item) if (json_is_string(item)) push_safe(&cell->parts, json_string_value(item));
}

int64_t output_time(const char *rfc3339, const char *none, char text[OUTPUT_TIME_MAX])
{
    int64_t ns = 0;
    struct tm tm;

    if (!rfc3339 || time_parse(rfc3339, &ns, "time", NULL) < 0 || ns == 0) {
        str_copy(text, OUTPUT_TIME_MAX, none);
        return 0;
    }
    time_t seconds = (time_t)(ns / NS_PER_SECOND);
    gmtime_r(&seconds, &tm);
    strftime(text, OUTPUT_TIME_MAX, "%Y-%m-%d %H:%M:%S", &tm);
    return ns;
}

void table_time(struct table *t, const char *rfc3339, const char *none, bool past_is_bad)
{
    char text[OUTPUT_TIME_MAX];
    int64_t ns = output_time(rfc3339, none, text);

    table_cell(t, text, ns == 0 || !past_is_bad ? CELL_PLAIN : ns > clock_wall_ns() ? CELL_GOOD : CELL_BAD);
}

/* Columns of a terminal that text takes; the text is safe UTF-8. */
static size_t text_columns(const char *text)
{
    mbstate_t state = {0};
    size_t columns = 0;

    while (*text) {
        wchar_t wide;
        size_t n = mbrtowc(&wide, text, 8, &state);
        if (n == 0 || n > 8) { /* not this locale's: count bytes */
            state = (mbstate_t){0};
            columns++;
            text++;
            continue;
        }
        int w = wcwidth(wide);
        columns += w > 0 ? (size_t)w : 0;
        text += n;
    }
    return columns;
}

/* Line number line of a cell; the caller frees it. */
static char *cell_line(const struct cell *cell, size_t line, bool stacked)
{
    struct buf text = BUF_INIT(0);

    if (stacked) {
        if (line < cell->parts.len)
            buf_adds(&text, cell->parts.items[line]);
    } else if (line == 0) {
        for (size_t i = 0; i < cell->parts.len; i++)
            buf_addf(&text, "%s%s", i ? ", " : "", cell->parts.items[i]);
    }
    return buf_take(&text);
}

static size_t measure(const struct table *t, bool stacked, size_t *widths)
{
    size_t total = 0;

    assert(t->width > 0);
    for (size_t c = 0; c < t->width; c++)
        widths[c] = text_columns(t->heads[c]);
    for (size_t i = 0; i < t->len; i++) {
        size_t lines = stacked ? t->cells[i].parts.len : 1;
        for (size_t line = 0; line < lines; line++) {
            char *text = cell_line(&t->cells[i], line, stacked);
            size_t w = text_columns(text);
            if (w > widths[i % t->width])
                widths[i % t->width] = w;
            free(text);
        }
    }
    for (size_t c = 0; c < t->width; c++)
        total += widths[c] + (c ? 3 : 0);
    return total;
}

static const char *color_of(enum cell_color color)
{
    static const char *const codes[] = {
        [CELL_PLAIN] = "", [CELL_GOOD] = "\033[92m", [CELL_BAD] = "\033[91m", [CELL_WARN] = "\033[93m"};

    return codes[color];
}

/* One line; blanks at its end are not written. */
static void print_line(const struct output *o, char *const *texts, const char *const *colors, size_t width,
                       const size_t *widths)
{
    struct buf line = BUF_INIT(0);
    size_t end = 0, pad = 0; /* pad: blanks that are owed before the next visible byte */

    for (size_t c = 0; c < width; c++) {
        if (*texts[c]) {
            buf_addf(&line, "%*s", (int)pad, "");
            if (o->color && *colors[c])
                buf_addf(&line, "%s%s" RESET, colors[c], texts[c]);
            else
                buf_adds(&line, texts[c]);
            pad = 0;
            end = line.len;
        }
        pad += widths[c] - text_columns(texts[c]);
        if (c + 1 < width) {
            buf_addf(&line, "%*s", (int)pad + 1, "");
            buf_adds(&line, o->color ? GREY "|" RESET : "|");
            end = line.len;
            pad = 1;
        }
    }
    fprintf(o->out, "%.*s\n", (int)end, buf_text(&line));
    buf_release(&line);
}

void table_print(const struct table *t, const struct output *o)
{
    size_t *widths = mem_alloc(t->width * sizeof(*widths));
    char **texts = mem_alloc(t->width * sizeof(*texts));
    const char **colors = mem_alloc(t->width * sizeof(*colors));
    bool stacked = false;

    if (measure(t, false, widths) > o->columns && o->columns) {
        stacked = true;
        measure(t, true, widths);
    }
    for (size_t c = 0; c < t->width; c++) {
        texts[c] = mem_strdup(t->heads[c]);
        colors[c] = CYAN;
    }
    print_line(o, texts, colors, t->width, widths);
    for (size_t row = 0; row * t->width < t->len; row++) {
        const struct cell *cells = &t->cells[row * t->width];
        size_t lines = 1;
        for (size_t c = 0; stacked && c < t->width; c++)
            if (cells[c].parts.len > lines)
                lines = cells[c].parts.len;
        for (size_t line = 0; line < lines; line++) {
            for (size_t c = 0; c < t->width; c++) {
                free(texts[c]);
                texts[c] = cell_line(&cells[c], line, stacked);
                colors[c] = color_of(cells[c].color);
            }
            print_line(o, texts, colors, t->width, widths);
        }
    }
    if (o->terminal)
        fputc('\n', o->out);
    for (size_t c = 0; c < t->width; c++)
        free(texts[c]);
    free(texts);
    free(colors);
    free(widths);
}
