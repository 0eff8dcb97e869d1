/* SPDX-License-Identifier: BSD-3-Clause */
/* The help: commands available here, words of filters, meaning of the glyphs; searched while typing. */
#include "console/dialogs/help.h"

#include "base/array.h"
#include "base/mem.h"
#include "console/app/app.h"
#include "console/app/dispatch.h"
#include "console/dialogs/dialog.h"

enum help_part { HELP_HERE, HELP_REFUSED, HELP_EVERYWHERE };

static enum help_part part_of(struct app *app, const struct console_command *c)
{
    if (command_is_everywhere(c))
        return HELP_EVERYWHERE;
    return command_refusal(app, c) ? HELP_REFUSED : HELP_HERE;
}

static void help_lines(struct app *app, enum help_part part, const char *title, const char *word, struct buf *out)
{
    size_t before = out->len, titled;

    buf_addf(out, "#%s\n", title);
    titled = out->len;
    for (size_t i = 0; i < app->commands.len; i++) {
        const struct console_command *c = app->commands.items[i];
        const char *risk = c->risk == RISK_TYPE ? " !!" : c->risk == RISK_ASK ? " !" : "";
        struct buf keys = BUF_INIT(0);

        if (!command_is_here(app, c) || part_of(app, c) != part)
            continue;
        command_keys(app, c, false, &keys);
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

/* Keeps the lines that contain the word. */
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

/* The manual's title of the current place. */
static const char *place_title(const struct app *app)
{
    const struct view_section *sections = app->place.view->sections;
    unsigned where = commands_where(app);

    for (int i = 0; i < VIEW_SECTIONS_MAX && sections[i].title; i++)
        if (sections[i].where & where)
            return sections[i].title;
    return app->place.view->title;
}

static char *help_text(struct app *app, const char *word)
{
    struct buf out = BUF_INIT(0);
    static const enum glyph signs[] = {GLYPH_ONLINE,     GLYPH_OFFLINE,  GLYPH_EXPIRED,      GLYPH_PENDING,
                                       GLYPH_UNHEALTHY,  GLYPH_DRAINED,  GLYPH_SERVING,      GLYPH_STANDBY,
                                       GLYPH_UNAPPROVED, GLYPH_APPROVED, GLYPH_ROUTE_OFFLINE};

    char *here = mem_format("%s   (! asks first, !! asks for a word)", place_title(app));
    help_lines(app, HELP_HERE, here, word, &out);
    free(here);
    help_lines(app, HELP_REFUSED, "not available now", word, &out);
    help_lines(app, HELP_EVERYWHERE, "everywhere", word, &out);
    struct buf signs_text = BUF_INIT(0);
    for (size_t i = 0; i < ARRAY_LEN(signs); i++)
        buf_addf(&signs_text, "%s\t%s\n", glyph_text(signs[i], app->canvas.ascii), glyph_word(signs[i]));
    found_lines("signs", buf_text(&signs_text), word, &out);
    buf_release(&signs_text);
    found_lines(
        "filter words",
        "word\tpart of any text; lower case matches both cases\n"
        "!word\tnot; a|b either; ~regex\nkey:value\tname user tag ip route os version relay is id, such as is:drained\n"
        "seen>7d exp<3d\ttimes; ip:100.64.0.0/16 lies within; route~10.0.0.0/8 overlaps\n",
        word, &out);
    if (!out.len)
        buf_addf(&out, "no help on '%s'\n", word);
    return buf_take(&out);
}

static void help_key(struct app *app, int key)
{
    struct dialog *d = app->dialog;
    size_t lines = dialog_text_lines(d->text);

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
        d->text = help_text(app, line_text(&d->line));
        d->top = 0;
    }
}

static void help_draw(struct app *app)
{
    struct dialog *d = app->dialog;
    struct canvas *c = &app->canvas;
    int width = 78 < c->cols - 2 ? 78 : c->cols - 2, lines = dialog_text_rows(c, d->text, width - 4) + 4;
    int least = c->rows - 4;
    struct rect in = canvas_frame(c, dialog_centre(c, lines > least ? lines : least, width), d->title, d->note);
    int used = canvas_text(c, in.row, in.col, in.cols, ROLE_LABEL, "search: ");

    line_draw(&d->line, c, in.row, in.col + used, in.cols - used);
    in.row += 2;
    in.rows -= 2;
    dialog_draw_text(c, in, d->text, d->top);
}

void dialog_help(struct app *app)
{
    static const struct dialog_kind kind = {.key = help_key, .draw = help_draw};

    dialog_open(app, &kind, "help", "type to search   Down Up scroll   Esc close")->text = help_text(app, "");
}
