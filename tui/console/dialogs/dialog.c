/* SPDX-License-Identifier: BSD-3-Clause */
#include "console/dialogs/dialog.h"

#include <stdio.h>

#include "base/array.h"
#include "base/mem.h"
#include "console/app/app.h"

void dialog_close(struct app *app)
{
    struct dialog *d = &app->dialog;

    if (d->plan)
        plan_close(app, d->plan);
    for (size_t i = 0; i < d->choices.len; i++) {
        free(d->choices.items[i].key);
        free(d->choices.items[i].text);
    }
    vec_release(&d->choices);
    for (size_t i = 0; i < d->field_count; i++)
        strs_release(&d->fields[i].words);
    if (d->secret)
        explicit_bzero(d->secret, strlen(d->secret));
    if (d->secret_command)
        explicit_bzero(d->secret_command, strlen(d->secret_command));
    free(d->secret);
    free(d->secret_command);
    free(d->title);
    free(d->note);
    free(d->text);
    free(d->row_key);
    *d = (struct dialog){0};
}

struct dialog *dialog_open(struct app *app, enum dialog_kind kind, const char *title, const char *note)
{
    dialog_close(app);
    app->dialog.kind = kind;
    app->dialog.title = mem_strdup(title);
    app->dialog.note = mem_strdup(note);
    return &app->dialog;
}

void dialog_plan(struct app *app, struct plan *plan)
{
    dialog_open(app, DIALOG_PLAN, plan->title, "")->plan = plan;
}

void dialog_input(struct app *app, const char *title, const char *note, const char *value,
                  void (*accept)(struct app *app, const char *value))
{
    struct dialog *d = dialog_open(app, DIALOG_INPUT, title, note);

    line_set(&d->line, value);
    d->accept = accept;
}

void dialog_choice(struct app *app, const char *title, const char *note,
                   void (*accept)(struct app *app, const char *value))
{
    dialog_open(app, DIALOG_CHOICE, title, note)->accept = accept;
    app->dialog.label = "";
}

void dialog_add_choice(struct app *app, const char *key, const char *text)
{
    vec_push(&app->dialog.choices, ((struct choice){.key = mem_strdup(key), .text = mem_strdup(text)}));
}

void dialog_text(struct app *app, const char *title, char *text)
{
    dialog_open(app, DIALOG_TEXT, title, "j k scroll   Esc close")->text = text;
}

/* ---- text ---- */

static size_t count_lines(const char *text)
{
    size_t lines = 0;

    for (; text && *text; text++)
        lines += *text == '\n';
    return lines;
}

enum { TEXT_LABEL_COLS = 15 };

/* A line of a text, told apart: where what is said begins, and how it looks. */
struct text_line {
    char text[1024];
    const char *body;
    int label_cols;
    enum role role;
};

static void take_line(const char *line, size_t len, struct text_line *out)
{
    snprintf(out->text, sizeof(out->text), "%.*s", (int)len, line);
    char *tab = strchr(out->text, '\t');
    bool heading = out->text[0] == '#', warning = out->text[0] == '!' && !tab;

    out->label_cols = warning ? 2 : tab && !heading ? TEXT_LABEL_COLS : 0;
    out->body = heading || warning ? out->text + 1 : tab ? tab + 1 : out->text;
    out->role = heading ? ROLE_STRONG : warning ? ROLE_WARN : ROLE_TEXT;
    if (tab && !heading && !warning)
        *tab = '\0';
}

static int draw_line(struct canvas *c, struct rect in, const struct text_line *l)
{
    struct rect body = {in.row, in.col + l->label_cols, in.rows, in.cols - l->label_cols};

    if (l->role == ROLE_WARN)
        canvas_text(c, in.row, in.col, 1, ROLE_WARN, "!");
    else if (l->label_cols)
        canvas_text(c, in.row, in.col, TEXT_LABEL_COLS - 1, ROLE_LABEL, l->text);
    return canvas_wrap(c, body, l->role, l->body);
}

/* Draws lines from the top-th on, long ones over several rows; returns the rows. */
static int draw_text(struct canvas *c, struct rect in, const char *text, size_t top)
{
    int drawn = 0;

    for (size_t i = 0; text && *text && drawn < in.rows; i++) {
        size_t len = strcspn(text, "\n");
        struct text_line line;

        take_line(text, len, &line);
        if (i >= top)
            drawn += draw_line(c, (struct rect){in.row + drawn, in.col, in.rows - drawn, in.cols}, &line);
        text += len + (text[len] == '\n');
    }
    return drawn;
}

/* The rows that a text takes at a width. */
static int text_rows(const struct canvas *c, const char *text, int width)
{
    int rows = 0;

    while (text && *text) {
        size_t len = strcspn(text, "\n");
        struct text_line line;

        take_line(text, len, &line);
        rows += canvas_lines(c, width - line.label_cols, line.body);
        text += len + (text[len] == '\n');
    }
    return rows;
}

struct rect dialog_centre(const struct canvas *c, int rows, int cols)
{
    rows = rows < c->rows - 4 ? rows : c->rows - 4;
    cols = cols < c->cols - 2 ? cols : c->cols - 2;
    return (struct rect){(c->rows - rows) / 2, (c->cols - cols) / 2, rows, cols};
}

/* ---- choices ---- */

static bool choice_shown(const struct dialog *d, size_t i)
{
    return strcasestr(d->choices.items[i].text, d->line.text) != NULL;
}

static size_t choices_shown(const struct dialog *d)
{
    size_t count = 0;

    for (size_t i = 0; i < d->choices.len; i++)
        count += choice_shown(d, i);
    return count;
}

static const struct choice *chosen(const struct dialog *d)
{
    size_t at = 0;

    for (size_t i = 0; i < d->choices.len; i++)
        if (choice_shown(d, i) && at++ == d->cursor)
            return &d->choices.items[i];
    return NULL;
}

static void draw_choice(struct app *app)
{
    struct dialog *d = &app->dialog;
    struct canvas *c = &app->canvas;
    int lines = text_rows(c, d->text, (c->cols - 2 < 72 ? c->cols - 2 : 72) - 4), list = (int)d->choices.len;

    list = list < 10 ? list : 10;
    struct rect in = canvas_frame(c, dialog_centre(c, lines + list + 5, 72), d->title, d->note);
    int row = in.row + draw_text(c, in, d->text, 0);
    row += lines > 0;
    int used = canvas_text(c, row, in.col, in.cols, ROLE_LABEL, d->label);
    line_draw(&d->line, c, row++, in.col + used, in.cols - used);
    int room = in.row + in.rows - row;
    size_t at = 0, top = room > 0 && d->cursor >= (size_t)room ? d->cursor - (size_t)room + 1 : 0;
    for (size_t i = 0; i < d->choices.len; i++) {
        if (!choice_shown(d, i))
            continue;
        if (at >= top && (int)(at - top) < room) {
            int line = row + (int)(at - top);

            if (at == d->cursor)
                canvas_glyph(c, line, in.col, GLYPH_CURSOR);
            canvas_text(c, line, in.col + 2, in.cols - 2, at == d->cursor ? ROLE_STRONG : ROLE_TEXT,
                        d->choices.items[i].text);
            if (at == d->cursor)
                canvas_flag(c, (struct rect){line, in.col, 1, in.cols}, CANVAS_SELECTED);
            canvas_hit(c, (struct rect){line, in.col, 1, in.cols}, HIT_CHOICE, (int)at);
        }
        at++;
    }
    if (!at)
        canvas_text(c, row, in.col + 2, in.cols - 2, ROLE_FAINT, "nothing matches");
}

static void accept(struct app *app, const char *value)
{
    /* The callback may open another dialog; what it reads of this one must live until then. */
    struct dialog old = app->dialog;
    char *copy = mem_strdup(value);

    old.accept(app, copy);
    free(copy);
    if (app->dialog.accept == old.accept && app->dialog.row_key == old.row_key)
        dialog_close(app);
}

static void choice_key(struct app *app, int key)
{
    struct dialog *d = &app->dialog;
    size_t count = choices_shown(d);

    if (key == CK_DOWN || key == CK_TAB || key == CK_CTRL('n')) {
        d->cursor = count ? (d->cursor + 1) % count : 0;
    } else if (key == CK_UP || key == CK_BACKTAB || key == CK_CTRL('p')) {
        d->cursor = count ? (d->cursor + count - 1) % count : 0;
    } else if (key == CK_ENTER) {
        const struct choice *choice = chosen(d);

        if (choice)
            accept(app, choice->key);
    } else if (line_key(&d->line, key)) {
        d->cursor = 0;
    }
}

/* ---- help ---- */

enum help_part { HELP_HERE, HELP_REFUSED, HELP_EVERYWHERE };

static enum help_part part_of(struct app *app, const struct console_command *c)
{
    if ((c->where & IN_LISTS) == IN_LISTS)
        return HELP_EVERYWHERE;
    return command_refusal(app, c) ? HELP_REFUSED : HELP_HERE;
}

static void help_lines(struct app *app, enum help_part part, const char *title, const char *word, struct buf *out)
{
    size_t before = out->len, titled;

    buf_addf(out, "#%s\n", title);
    titled = out->len;
    for (size_t i = 0; i < commands_count(); i++) {
        const struct console_command *c = commands_at(i);
        const char *risk = c->risk == RISK_TYPE ? " !!" : c->risk == RISK_ASK ? " !" : "";
        struct buf keys = BUF_INIT(0);

        if (!(c->where & commands_where(app)) || part_of(app, c) != part)
            continue;
        command_keys(c, false, &keys);
        const char *why = part == HELP_REFUSED ? command_refusal(app, c) : NULL;
        char *line = why ? mem_format("%s\t%s: %s\n", buf_text(&keys), c->name, why)
                         : mem_format("%s\t%s%s\n", keys.len ? keys.data : c->name, c->help, risk);
        if (strcasestr(line, word) || strcasestr(c->name, word))
            buf_adds(out, line);
        free(line);
        buf_release(&keys);
    }
    if (out->len == titled)
        out->data[out->len = before] = '\0';
}

/* Those of the lines that the word is in. */
static void found_lines(const char *title, const char *lines, const char *word, struct buf *out)
{
    bool titled = false;

    while (*lines) {
        char *line = mem_format("%.*s", (int)strcspn(lines, "\n"), lines);

        if (strcasestr(line, word) || strcasestr(title, word)) {
            buf_addf(out, "%s%s%s%s\n", titled ? "" : "#", titled ? "" : title, titled ? "" : "\n", line);
            titled = true;
        }
        lines += strlen(line) + 1;
        free(line);
    }
}

static char *help_text(struct app *app, const char *word)
{
    struct buf out = BUF_INIT(0);
    static const enum glyph signs[] = {GLYPH_ONLINE,    GLYPH_OFFLINE,      GLYPH_EXPIRED, GLYPH_PENDING,
                                       GLYPH_UNHEALTHY, GLYPH_SERVING,      GLYPH_STANDBY, GLYPH_UNAPPROVED,
                                       GLYPH_APPROVED,  GLYPH_ROUTE_OFFLINE};

    help_lines(app, HELP_HERE, "here   (! asks first, !! wants a word typed)", word, &out);
    help_lines(app, HELP_REFUSED, "not possible now", word, &out);
    help_lines(app, HELP_EVERYWHERE, "everywhere", word, &out);
    struct buf signs_text = BUF_INIT(0);
    for (size_t i = 0; i < ARRAY_LEN(signs); i++)
        buf_addf(&signs_text, "%s\t%s\n", glyph_text(signs[i], app->canvas.ascii), glyph_word(signs[i]));
    found_lines("signs", buf_text(&signs_text), word, &out);
    buf_release(&signs_text);
    found_lines("filter words",
                "name\tpart of any text; without capitals the case does not matter\n"
                "!word\tnot; a|b either; ~regex\nkey:value\tname user tag ip route os version relay is id\n"
                "seen>7d exp<3d\ttimes; ip:100.64.0.0/16 lies within; route~10.0.0.0/8 overlaps\n",
                word, &out);
    if (!out.len)
        buf_addf(&out, "nothing is about '%s'\n", word);
    return buf_take(&out);
}

void dialog_help(struct app *app)
{
    dialog_open(app, DIALOG_HELP, "help", "type to search   Down Up scroll   Esc close");
    app->dialog.text = help_text(app, "");
}

static void help_key(struct app *app, int key)
{
    struct dialog *d = &app->dialog;
    size_t lines = count_lines(d->text);

    if (key == CK_DOWN || key == CK_PGDN || key == CK_CTRL('d')) {
        d->top += key == CK_DOWN ? 1 : 8;
        d->top = d->top < lines ? d->top : lines ? lines - 1 : 0;
    } else if (key == CK_UP || key == CK_PGUP || key == CK_CTRL('u')) {
        size_t step = key == CK_UP ? 1 : 8;

        d->top -= d->top < step ? d->top : step;
    } else if (key == '?' || key == CK_F1) {
        dialog_close(app);
    } else if (line_key(&d->line, key)) {
        free(d->text);
        d->text = help_text(app, d->line.text);
        d->top = 0;
    }
}

static void text_key(struct app *app, int key)
{
    struct dialog *d = &app->dialog;
    size_t lines = count_lines(d->text);

    if (key == CK_DOWN || key == 'j')
        d->top += d->top + 1 < lines;
    else if (key == CK_UP || key == 'k')
        d->top -= d->top > 0;
    else if (key == 'q' || key == CK_ENTER || key == 'w')
        dialog_close(app);
}

void dialog_key(struct app *app, int key)
{
    struct dialog *d = &app->dialog;

    if (d->kind == DIALOG_PLAN) {
        plan_key(app, d->plan, key);
        return;
    }
    if (d->kind == DIALOG_SECRET) {
        secret_key(app, key);
        return;
    }
    if (key == CK_ESC || key == CK_CTRL('c')) {
        dialog_close(app);
        return;
    }
    switch (d->kind) {
    case DIALOG_INPUT:
        if (key == CK_ENTER)
            accept(app, d->line.text);
        else
            line_key(&d->line, key);
        break;
    case DIALOG_CHOICE:
        choice_key(app, key);
        break;
    case DIALOG_FORM:
        form_key(app, key);
        break;
    case DIALOG_COLUMNS:
        columns_key(app, key);
        break;
    case DIALOG_TEXT:
        text_key(app, key);
        break;
    case DIALOG_HELP:
        help_key(app, key);
        break;
    case DIALOG_PLAN:
    case DIALOG_SECRET:
    case DIALOG_NONE:
        break;
    }
}

static void draw_reading(struct app *app)
{
    struct dialog *d = &app->dialog;
    struct canvas *c = &app->canvas;
    bool help = d->kind == DIALOG_HELP;
    int width = (help ? 78 : 96) < c->cols - 2 ? (help ? 78 : 96) : c->cols - 2;
    int lines = text_rows(c, d->text, width - 4) + 2 + help * 2;
    int least = help ? c->rows - 4 : 5;

    struct rect in = canvas_frame(c, dialog_centre(c, lines > least ? lines : least, width), d->title, d->note);
    if (help) {
        int used = canvas_text(c, in.row, in.col, in.cols, ROLE_LABEL, "search: ");

        line_draw(&d->line, c, in.row, in.col + used, in.cols - used);
        in.row += 2;
        in.rows -= 2;
    }
    draw_text(c, in, d->text, d->top);
}

void dialog_draw(struct app *app)
{
    struct dialog *d = &app->dialog;
    struct canvas *c = &app->canvas;

    switch (d->kind) {
    case DIALOG_PLAN:
        plan_draw(app, d->plan);
        break;
    case DIALOG_INPUT: {
        int lines = (int)count_lines(d->text);
        struct rect in = canvas_frame(c, dialog_centre(c, 5 + lines, 70), d->title, d->note);

        draw_text(c, in, d->text, 0);
        line_draw(&d->line, c, in.row + lines + 1, in.col, in.cols);
        break;
    }
    case DIALOG_CHOICE:
        draw_choice(app);
        break;
    case DIALOG_FORM:
        form_draw(app);
        break;
    case DIALOG_COLUMNS:
        columns_draw(app);
        break;
    case DIALOG_SECRET:
        secret_draw(app);
        break;
    case DIALOG_TEXT:
    case DIALOG_HELP:
        draw_reading(app);
        break;
    case DIALOG_NONE:
        break;
    }
}
