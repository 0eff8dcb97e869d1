/* SPDX-License-Identifier: BSD-3-Clause */
/* The dialog that shows a plan and asks for it. */
#include <stdio.h>

#include "base/array.h"
#include "base/mem.h"
#include "console/app/app.h"
#include "console/app/dispatch.h"
#include "console/dialogs/dialog.h"
#include "console/dialogs/plan.h"
#include "console/dialogs/plan_lines.h"

#define EFFECT_ROWS_LEAST 3
#define EFFECT_ROWS_MOST  20

static bool waits(const struct plan *p)
{
    return plan_count(p, REQUEST_CHECKING) || p->policy_request;
}

static bool armed(const struct plan *p)
{
    if (p->word && !str_eq(line_text(&p->typed), p->word))
        return false;
    return plan_count(p, REQUEST_REFUSED) < p->calls.len && !waits(p);
}

static void go(struct app *app, struct plan *plan)
{
    if (waits(plan)) {
        app_flash(app, ROLE_INFO, "the server has not answered yet");
        return;
    }
    if (!armed(plan)) {
        app_flash(app, ROLE_WARN, plan->word ? "type %s first, exactly" : "nothing can be done",
                  plan->word ? plan->word : "");
        return;
    }
    app->dialog->extra = NULL; /* it outlives the dialog */
    dialog_close(app);
    plan_apply(app, plan);
}

/* How far a key scrolls what changes for whom. */
static long scroll_of(int key)
{
    static const struct {
        int key;
        long lines;
    } keys[] = {{CK_PGDN, 5}, {CK_PGUP, -5}, {CK_CTRL('d'), 3}, {CK_CTRL('u'), -3}};

    for (size_t i = 0; i < ARRAY_LEN(keys); i++)
        if (keys[i].key == key)
            return keys[i].lines;
    return 0;
}

static void scroll(struct plan_effects *e, long lines)
{
    long count = (long)dialog_text_lines(e->text), top = (long)e->top + lines;

    e->top = top < 0 || !count ? 0 : top < count ? (size_t)top : (size_t)count - 1;
}

static void copy_lines(struct app *app, const struct plan *plan)
{
    struct buf text = BUF_INIT(0);
    char what[60];

    plan_lines(plan, app->at.now_ns, &text);
    size_t count = 1;
    for (const char *c = buf_text(&text); *c; c++)
        count += *c == '\n';
    snprintf(what, sizeof(what), count == 1 ? "the command" : "%zu commands", count);
    if (text.len)
        app_copy(app, buf_text(&text), what);
    else
        app_flash(app, ROLE_WARN, "the plan has nothing to copy");
    buf_release(&text);
}

static void plan_key(struct app *app, int key)
{
    struct plan *plan = app->dialog->extra;

    if (plan->effects.text && scroll_of(key)) {
        scroll(&plan->effects, scroll_of(key));
        return;
    }
    if (key == CK_CTRL('y') || (key == 'c' && !plan->word)) {
        copy_lines(app, plan);
    } else if (key == CK_ESC || key == CK_CTRL('c') || ((key == 'q' || key == 'n' || key == 'N') && !plan->word)) {
        dialog_close(app);
    } else if (key == CK_DOWN || (key == 'j' && !plan->word)) {
        plan->cursor += plan->cursor + 1 < plan->steps.len;
    } else if (key == CK_UP || (key == 'k' && !plan->word)) {
        plan->cursor -= plan->cursor > 0;
    } else if (plan->word) {
        if (key == CK_ENTER)
            go(app, plan);
        else
            line_key(&plan->typed, key);
    } else if (key == '-') {
        struct plan_request *call = &plan->calls.items[plan->steps.items[plan->cursor].call];

        call->left_out = !call->left_out;
        plan_effects_ask(app, plan);
    } else if (key == 'y' || (key == CK_ENTER && plan->risk == RISK_NONE)) {
        go(app, plan);
    }
}

struct plan_columns {
    int name, part, what; /* part: what of it, a prefix, 0: nothing; what: both, with the gap before the change */
};

/* Each as wide as its longest text; where what comes before and after would have no room, names are cut first. */
static struct plan_columns fit(const struct plan *p, const struct canvas *c, int cols)
{
    struct plan_columns w = {0};
    int change = 0;

    for (size_t i = 0; i < p->steps.len; i++) {
        const struct plan_step *s = &p->steps.items[i];
        const char *tab = strchr(s->what, '\t');
        int part = tab ? canvas_width(c, tab + 1) : 0, name = canvas_width(c, s->what) - part; /* a tab has none */
        int both = canvas_width(c, s->before) + canvas_width(c, s->after) + 6;

        both += s->outcome ? canvas_width(c, s->outcome) + 2 : 0;

        w.name = name > w.name ? name : w.name;
        w.part = part + 1 > w.part && tab ? part + 1 : w.part;
        change = both > change ? both : change;
    }
    int most = cols - change > cols * 2 / 5 ? cols - change : cols * 2 / 5, over = w.name + w.part + 2 - most;
    if (over > 0)
        w.name = w.name - over > 8 ? w.name - over : 8;
    w.what = w.name + w.part + 2;
    return w;
}

static void draw_step(const struct plan *p, struct canvas *c, struct rect in, int row, size_t index, bool cursor)
{
    const struct plan_step *s = &p->steps.items[index];
    const struct plan_request *call = &p->calls.items[s->call];
    const char *tab = strchr(s->what, '\t');
    struct plan_columns w = fit(p, c, in.cols - 2);
    int col = in.col + 2;
    bool refused = call->state == REQUEST_REFUSED;
    enum role role = call->left_out || refused ? ROLE_DISABLED : ROLE_TEXT;
    bool twice = index && str_eq(p->steps.items[index - 1].what, s->what);
    char name[256];

    if (cursor && p->steps.len > 1)
        canvas_glyph(c, row, in.col, GLYPH_CURSOR);
    if (tab) {
        snprintf(name, sizeof(name), "%.*s", (int)(tab - s->what), s->what);
        canvas_text(c, row, col, w.name, role, name);
        canvas_text(c, row, col + w.name + 1, w.part, role, tab + 1);
    } else {
        canvas_text(c, row, col, w.what - 1, role, twice ? "" : s->what);
    }
    col += w.what;
    int right = in.col + in.cols;
    if (refused || call->left_out) {
        const char *why = call->left_out ? "left out" : call->message ? call->message : "refused";

        col += canvas_glyph(c, row, col, GLYPH_REFUSED) + 1;
        canvas_text(c, row, col, right - col, refused ? ROLE_BAD : ROLE_DISABLED, why);
        return;
    }
    col += canvas_text(c, row, col, right - col, ROLE_FAINT, s->before) + 1;
    if (col < right)
        col += canvas_glyph(c, row, col, GLYPH_ARROW) + 1;
    col += canvas_text(c, row, col, right - col, ROLE_STRONG, s->after);
    if (s->outcome && col < right)
        canvas_textf(c, row, col, right - col, ROLE_STRONG, ", %s", s->outcome);
}

/* What a key of the dialog does: some commands are called by what they set. */
static const char *action_of(const char *verb)
{
    static const char *const actions[][2] = {
        {"tags", "set the tags"}, {"priority", "set the priority"}, {"settings", "set them"}, {"new", "create"}};

    for (size_t i = 0; i < ARRAY_LEN(actions); i++)
        if (str_eq(actions[i][0], verb))
            return actions[i][1];
    return verb;
}

static const char *note_of(const struct plan *p, char *text, size_t size)
{
    size_t ready = plan_count(p, REQUEST_READY);

    if (waits(p))
        return "asking the server ...   Esc cancel";
    if (!ready)
        return "the server would refuse this   Esc close";
    const char *more = p->calls.len > 1 ? "   - leave out" : "";
    if (p->word)
        snprintf(text, size, "type %s and Enter   Ctrl-Y copy as commands   Esc cancel", p->word);
    else
        snprintf(text, size, "%s %s%s   c copy as commands   Esc cancel", p->risk == RISK_NONE ? "Enter" : "y",
                 action_of(p->verb), more);
    return text;
}

/* Below the steps: why the one under the cursor is refused, whole, or else the plan's own warning; NULL: nothing. */
static const char *warning_of(const struct plan *p)
{
    const struct plan_request *call = p->cursor < p->steps.len ? &p->calls.items[p->steps.items[p->cursor].call] : NULL;

    return call && call->state == REQUEST_REFUSED && call->message ? call->message : p->note;
}

static int warning_rows(const char *warning, const struct canvas *c, int width)
{
    int rows = warning ? canvas_lines(c, width, warning) : 0;

    return rows < c->rows / 2 ? rows : c->rows / 2;
}

/* The same before and after the figures arrive: the frame does not jump. The steps keep at least a third. */
static int effect_rows(const struct plan *p, const struct canvas *c, int space)
{
    int wish = c->rows / 3 < EFFECT_ROWS_MOST ? c->rows / 3 : EFFECT_ROWS_MOST, steps = (int)p->steps.len;

    if (!p->effects.wanted && !p->effects.text)
        return 0;
    if (!p->effects.wanted) {
        int lines = dialog_text_rows(c, p->effects.text, c->cols - 10) + 1;
        wish = lines < wish ? lines : wish;
    }
    steps = steps < space / 3 ? steps : space / 3;
    wish = wish < space - steps ? wish : space - steps;
    return wish > EFFECT_ROWS_LEAST ? wish : EFFECT_ROWS_LEAST;
}

/* The text from its n-th line on. */
static const char *from_line(const char *text, size_t n)
{
    while (text && n-- > 0 && strchr(text, '\n'))
        text = strchr(text, '\n') + 1;
    return text;
}

static void plan_draw(struct app *app)
{
    struct plan *plan = app->dialog->extra;
    struct canvas *c = &app->canvas;
    int width = c->cols - 4 < 100 ? c->cols - 4 : 100;
    const char *warning = warning_of(plan);
    int notes = warning_rows(warning, c, width - 6), extra = notes + (plan->word ? 2 : 0) + 1;
    int most = c->rows - 5, effects = effect_rows(plan, c, most - extra - 2);
    int rows = (int)plan->steps.len + extra + effects + 2;
    char text[200], title[300];

    rows = rows < most ? rows : most;
    extra += effects;
    snprintf(title, sizeof(title), "%s", plan->title);
    struct rect at = {(c->rows - rows) / 2, (c->cols - width) / 2, rows, width};
    struct rect in = canvas_frame(c, at, title, note_of(plan, text, sizeof(text)));
    /* What the figures do not need, steps that have no room get; the frame keeps its size. */
    int need = plan->effects.text ? dialog_text_rows(c, plan->effects.text, in.cols) + 1 : 0;
    int spare = plan->effects.id || need > effects ? 0 : effects - need;
    int lack = (int)plan->steps.len - (in.rows - extra);
    int given = lack < 0 ? 0 : lack < spare ? lack : spare;
    extra -= given;
    effects -= given;
    int space = in.rows - extra;
    size_t top = plan->cursor >= (size_t)(space > 0 ? space : 1) ? plan->cursor - (size_t)space + 1 : 0;
    for (int i = 0; i < space && top + (size_t)i < plan->steps.len; i++)
        draw_step(plan, c, in, in.row + i, top + (size_t)i, top + (size_t)i == plan->cursor);
    int row = in.row + in.rows - extra;
    size_t end = top + (size_t)(space > 0 ? space : 0), hidden = plan->steps.len > end ? plan->steps.len - end : 0;
    bool more =
        effects > 1 && dialog_text_rows(c, from_line(plan->effects.text, plan->effects.top), in.cols) > effects - 1;
    if (effects > 1)
        dialog_draw_text(c, (struct rect){row + 1, in.col, effects - 1, in.cols}, plan->effects.text,
                         plan->effects.top);
    row += effects;
    command_text(app, plan->undoable ? "can be undone with {undo}" : "", text, sizeof(text));
    canvas_right(c, row, in.col, in.cols, ROLE_KEY, more ? "PgDn more" : "");
    if (hidden) {
        char said[40];

        snprintf(said, sizeof(said), "Down %zu more", hidden);
        canvas_right(c, row - effects, in.col, in.cols - (more && !effects ? 11 : 0), ROLE_KEY, said);
    }
    canvas_text(c, row++, in.col + 2, in.cols - 12, ROLE_FAINT, text);
    if (warning) {
        canvas_text(c, row, in.col, 1, ROLE_WARN, "!");
        canvas_wrap(c, (struct rect){row, in.col + 2, notes, in.cols - 2}, ROLE_WARN, warning);
        row += notes;
    }
    if (plan->word) {
        int used = canvas_textf(c, row + 1, in.col, in.cols, ROLE_LABEL, "type %s: ", plan->word);

        line_draw(&plan->typed, c, row + 1, in.col + used, in.cols - used);
    }
}

static void plan_release(struct app *app)
{
    if (app->dialog->extra)
        plan_close(app, app->dialog->extra);
}

void plan_dialog(struct app *app, struct plan *plan)
{
    static const struct dialog_kind kind = {
        .key = plan_key, .draw = plan_draw, .release = plan_release, .own_escape = true, .list_focused = true};

    dialog_open(app, &kind, plan->title, "")->extra = plan;
}
