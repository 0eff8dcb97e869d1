/* SPDX-License-Identifier: BSD-3-Clause */
/* Tables as in headscale's manual: left-aligned fields joined by " | ", without trailing blanks. */
#include <assert.h>
#include <stdlib.h>
#include <time.h>
#include <wchar.h>

#include "base/clock.h"
#include "base/mem.h"
#include "cli/output.h"
#include "net/via6.h"

#define CYAN     "\033[96m"
#define GREY     "\033[90m"
#define RESET    "\033[0m"
#define WRAP_MIN 16 /* minimum width of a wrapped text */
#define GAP      3  /* width of " | " */

void table_init(struct text_table *t, const char *const *heads, size_t width)
{
    assert(width > 0);
    *t = (struct text_table){.heads = heads, .width = width};
}

void table_release(struct text_table *t)
{
    for (size_t i = 0; i < t->len; i++)
        strs_release(&t->fields[i].parts);
    free(t->fields);
    *t = (struct text_table){0};
}

static struct table_field *add(struct text_table *t)
{
    if (t->len == t->cap) {
        t->cap = t->cap ? 2 * t->cap : 64;
        t->fields = mem_resize(t->fields, t->cap, sizeof(*t->fields));
    }
    t->fields[t->len] = (struct table_field){0};
    return &t->fields[t->len++];
}

static void push_safe(struct strs *parts, const char *text)
{
    struct buf safe = BUF_INIT(0);

    str_safe(&safe, text, strlen(text));
    strs_push(parts, buf_text(&safe));
    buf_release(&safe);
}

void table_text(struct text_table *t, const char *text, enum text_color color)
{
    struct table_field *field = add(t);

    field->color = color;
    push_safe(&field->parts, text);
}

void table_number(struct text_table *t, uint64_t number)
{
    struct buf b = BUF_INIT(0);

    buf_addu(&b, number);
    table_text(t, buf_text(&b), COLOR_PLAIN);
    buf_release(&b);
}

void table_bool(struct text_table *t, bool value)
{
    table_text(t, value ? "true" : "false", COLOR_PLAIN);
}

void table_texts(struct text_table *t, const struct strs *texts)
{
    struct table_field *field = add(t);

    for (size_t i = 0; i < texts->len; i++)
        push_safe(&field->parts, texts->items[i]);
}

void table_prefixes(struct text_table *t, const struct prefixes *prefixes)
{
    struct table_field *field = add(t);
    char text[PREFIX_SHOWN_MAX];

    for (size_t i = 0; i < prefixes->len; i++)
        strs_push(&field->parts, prefix_show(&prefixes->items[i], text));
}

void table_addrs(struct text_table *t, const struct api_addrs *addrs)
{
    struct table_field *field = add(t);
    char text[PREFIX_TEXT_MAX];

    if (addrs->v4.bits)
        strs_push(&field->parts, addr_format(&addrs->v4, text));
    if (addrs->v6.bits)
        strs_push(&field->parts, addr_format(&addrs->v6, text));
}

char *output_time(int64_t ns, const char *none, char text[OUTPUT_TIME_MAX])
{
    time_t seconds = (time_t)(ns / NS_PER_SECOND);
    struct tm tm;

    if (ns == 0 || !gmtime_r(&seconds, &tm))
        str_copy(text, OUTPUT_TIME_MAX, none);
    else
        strftime(text, OUTPUT_TIME_MAX, "%Y-%m-%d %H:%M:%S", &tm);
    return text;
}

void table_time(struct text_table *t, int64_t ns, const char *none, bool past_is_bad)
{
    char text[OUTPUT_TIME_MAX];

    table_text(t, output_time(ns, none, text),
               ns == 0 || !past_is_bad ? COLOR_PLAIN
               : ns > clock_wall_ns()  ? COLOR_GOOD
                                       : COLOR_BAD);
}

/* ---- widths ---- */

/* The bytes of the first character of a safe UTF-8 text, and its width in columns. */
static size_t first_character(const char *text, size_t *columns)
{
    mbstate_t state = {0};
    wchar_t wide;
    size_t n = mbrtowc(&wide, text, 8, &state);

    if (n == 0 || n > 8) { /* not valid in this locale: count bytes */
        *columns = 1;
        return 1;
    }
    int w = wcwidth(wide);
    *columns = w > 0 ? (size_t)w : 0;
    return n;
}

static size_t text_columns(const char *text)
{
    size_t columns = 0, w;

    while (*text) {
        text += first_character(text, &w);
        columns += w;
    }
    return columns;
}

/* Appends text in lines of at most width columns, broken at blanks if possible. */
static void wrap(const char *text, size_t width, struct strs *lines)
{
    do {
        size_t columns = 0, end = 0, blank = 0, w;

        while (text[end]) {
            size_t n = first_character(text + end, &w);
            if (columns + w > width && end > 0)
                break;
            if (text[end] == ' ')
                blank = end;
            columns += w;
            end += n;
        }
        if (text[end] == ' ')
            blank = end;
        size_t cut = text[end] && blank ? blank : end;
        char *line = mem_strndup(text, cut);
        strs_push(lines, line);
        free(line);
        text += cut;
        text += strspn(text, " ");
    } while (*text);
}

/* The lines of a field: its parts joined, or one per line; none wider than width. */
static void field_lines(const struct table_field *field, bool stacked, size_t width, struct strs *lines)
{
    struct buf joined = BUF_INIT(0);

    for (size_t i = 0; i < field->parts.len; i++) {
        if (stacked)
            wrap(field->parts.items[i], width, lines);
        else
            buf_addf(&joined, "%s%s", i ? ", " : "", field->parts.items[i]);
    }
    if (!stacked)
        wrap(buf_text(&joined), width, lines);
    buf_release(&joined);
}

static size_t total_of(const size_t *widths, size_t count)
{
    size_t total = GAP * (count - 1);

    for (size_t i = 0; i < count; i++)
        total += widths[i];
    return total;
}

/* Fills widths with the unwrapped width of each column; returns the width of the table. */
static size_t measure(const struct text_table *t, bool stacked, size_t *widths)
{
    assert(t->width > 0);
    for (size_t c = 0; c < t->width; c++)
        widths[c] = text_columns(t->heads[c]);
    for (size_t i = 0; i < t->len; i++) {
        struct strs lines = {0};

        field_lines(&t->fields[i], stacked, SIZE_MAX, &lines);
        for (size_t k = 0; k < lines.len; k++) {
            size_t w = text_columns(lines.items[k]);
            if (w > widths[i % t->width])
                widths[i % t->width] = w;
        }
        strs_release(&lines);
    }
    return total_of(widths, t->width);
}

/* Narrows the widest columns until the table fits; false if they would become too narrow. */
static bool shrink(const struct text_table *t, size_t columns, size_t *widths)
{
    for (size_t total = total_of(widths, t->width); total > columns; total--) {
        size_t widest = 0;

        for (size_t c = 1; c < t->width; c++)
            if (widths[c] > widths[widest])
                widest = c;
        if (widths[widest] <= WRAP_MIN || widths[widest] <= text_columns(t->heads[widest]))
            return false;
        widths[widest]--;
    }
    return true;
}

/* ---- printing ---- */

static const char *color_of(enum text_color color)
{
    static const char *const codes[] = {
        [COLOR_PLAIN] = "", [COLOR_GOOD] = "\033[92m", [COLOR_BAD] = "\033[91m", [COLOR_WARN] = "\033[93m"};

    return codes[color];
}

static void add_colored(struct buf *line, const struct output *o, const char *color, const char *text)
{
    if (o->color && *color)
        buf_addf(line, "%s%s" RESET, color, text);
    else
        buf_adds(line, text);
}

/* Prints one line without trailing blanks. */
static void print_line(const struct output *o, const char *const *texts, const char *const *colors, size_t width,
                       const size_t *widths)
{
    struct buf line = BUF_INIT(0);
    size_t end = 0, pad = 0; /* pad: blanks to print before the next visible byte */

    for (size_t c = 0; c < width; c++) {
        if (*texts[c]) {
            buf_addf(&line, "%*s", (int)pad, "");
            add_colored(&line, o, colors[c], texts[c]);
            pad = 0;
            end = line.len;
        }
        pad += widths[c] - text_columns(texts[c]);
        if (c + 1 < width) {
            buf_addf(&line, "%*s", (int)pad + 1, "");
            add_colored(&line, o, GREY, "|");
            end = line.len;
            pad = 1;
        }
    }
    fprintf(o->out, "%.*s\n", (int)end, buf_text(&line));
    buf_release(&line);
}

static void print_row(const struct text_table *t, const struct output *o, const struct table_field *row, bool stacked,
                      const size_t *widths)
{
    struct strs *lines = mem_alloc(t->width * sizeof(*lines));
    const char **texts = mem_alloc(t->width * sizeof(*texts)), **colors = mem_alloc(t->width * sizeof(*colors));
    size_t height = 1;

    for (size_t c = 0; c < t->width; c++) {
        field_lines(&row[c], stacked, widths[c], &lines[c]);
        if (lines[c].len > height)
            height = lines[c].len;
        colors[c] = color_of(row[c].color);
    }
    for (size_t k = 0; k < height; k++) {
        for (size_t c = 0; c < t->width; c++)
            texts[c] = k < lines[c].len ? lines[c].items[k] : "";
        print_line(o, texts, colors, t->width, widths);
    }
    for (size_t c = 0; c < t->width; c++)
        strs_release(&lines[c]);
    free(lines);
    free(texts);
    free(colors);
}

static void print_table(const struct text_table *t, const struct output *o, bool stacked, const size_t *widths)
{
    const char **colors = mem_alloc(t->width * sizeof(*colors));

    for (size_t c = 0; c < t->width; c++)
        colors[c] = CYAN;
    print_line(o, t->heads, colors, t->width, widths);
    for (size_t i = 0; i + t->width <= t->len; i += t->width)
        print_row(t, o, &t->fields[i], stacked, widths);
    free(colors);
}

/* Prints a row as a record: "Hostname    db-1". */
static void print_records(const struct text_table *t, const struct output *o)
{
    size_t widest = 0, room;

    assert(t->width > 0);
    for (size_t c = 0; c < t->width; c++)
        if (text_columns(t->heads[c]) > widest)
            widest = text_columns(t->heads[c]);
    room = o->columns > widest + 2 + WRAP_MIN ? o->columns - widest - 2 : WRAP_MIN;
    for (size_t i = 0; i < t->len; i++) {
        struct strs lines = {0};
        struct buf line = BUF_INIT(0);
        const char *head = t->heads[i % t->width];

        if (i && i % t->width == 0)
            fputc('\n', o->out);
        field_lines(&t->fields[i], false, room, &lines);
        for (size_t k = 0; k < lines.len; k++) {
            buf_clear(&line);
            add_colored(&line, o, CYAN, k ? "" : head);
            if (*lines.items[k])
                buf_addf(&line, "%*s", (int)(widest + 2 - (k ? 0 : text_columns(head))), "");
            add_colored(&line, o, color_of(t->fields[i].color), lines.items[k]);
            fprintf(o->out, "%s\n", buf_text(&line));
        }
        buf_release(&line);
        strs_release(&lines);
    }
}

void table_print(const struct text_table *t, const struct output *o)
{
    size_t *widths = mem_alloc(t->width * sizeof(*widths));

    if (measure(t, o->stacked, widths) <= o->columns || !o->columns)
        print_table(t, o, o->stacked, widths);
    else if (measure(t, true, widths) <= o->columns || shrink(t, o->columns, widths))
        print_table(t, o, true, widths);
    else if (t->len)
        print_records(t, o);
    else
        fputs("none\n", o->out);
    if (o->terminal)
        fputc('\n', o->out);
    free(widths);
}

void table_remark(const char *text, const struct output *o)
{
    struct strs lines = {0};

    wrap(text, o->columns ? o->columns : SIZE_MAX, &lines);
    for (size_t i = 0; i < lines.len; i++)
        fprintf(o->err, "%s\n", lines.items[i]);
    strs_release(&lines);
}
