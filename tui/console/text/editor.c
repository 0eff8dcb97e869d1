/* SPDX-License-Identifier: BSD-3-Clause */
#include "console/text/editor.h"

#include <ctype.h>

#include "base/mem.h"
#include "base/str.h"
#include "console/screen/cells.h"
#include "console/screen/key.h"

enum typed { TYPED_NOTHING, TYPED_WORD, TYPED_BLANK, TYPED_BACKSPACE, TYPED_DELETE };

void editor_init(struct editor *e)
{
    *e = (struct editor){.wish = SIZE_MAX};
    textbuf_init(&e->text);
}

void editor_release(struct editor *e)
{
    textbuf_release(&e->text);
    highlight_release(&e->colours);
    free(e->find);
    *e = (struct editor){0};
}

static const struct edit_line *line_at(const struct editor *e, size_t line)
{
    return &e->text.lines.items[line];
}

static const struct edit_line *this_line(const struct editor *e)
{
    return line_at(e, e->at.line);
}

/* Makes the next step undoable by itself; up and down start from here. */
static void settle(struct editor *e)
{
    textbuf_break(&e->text);
    e->typed = TYPED_NOTHING;
    e->wish = SIZE_MAX;
}

static bool is_rest(char c)
{
    return ((unsigned char)c & 0xc0) == 0x80;
}

/* Keeps the cursor within the text and on the first byte of a character. */
static void clamp(struct editor *e)
{
    if (e->at.line >= e->text.lines.len)
        e->at.line = e->text.lines.len - 1;
    if (e->at.at > this_line(e)->len)
        e->at.at = this_line(e)->len;
    while (e->at.at && e->at.at < this_line(e)->len && is_rest(this_line(e)->bytes[e->at.at]))
        e->at.at--;
}

void editor_load(struct editor *e, const char *text, size_t len)
{
    textbuf_load(&e->text, text, len);
    clamp(e);
    settle(e);
}

bool editor_swap(struct editor *e, const char *text, size_t len)
{
    settle(e);
    bool fits = textbuf_replace(&e->text, (struct text_pos){0, 0}, textbuf_end(&e->text), text, len, NULL);
    clamp(e);
    settle(e);
    return fits;
}

bool editor_replace(struct editor *e, struct text_pos from, struct text_pos to, const char *text, size_t len)
{
    settle(e);
    bool fits = textbuf_replace(&e->text, from, to, text, len, &e->at);
    clamp(e);
    settle(e);
    return fits;
}

size_t editor_column(const struct editor *e)
{
    return cells_column(this_line(e)->bytes, this_line(e)->len, e->at.at, e->ascii);
}

/* ---- moving ---- */

static size_t before(const struct edit_line *l, size_t at)
{
    while (at && is_rest(l->bytes[--at]))
        ;
    return at;
}

static size_t after(const struct edit_line *l, size_t at)
{
    while (at < l->len && ++at < l->len && is_rest(l->bytes[at]))
        ;
    return at;
}

static void left(struct editor *e)
{
    if (e->at.at)
        e->at.at = before(this_line(e), e->at.at);
    else if (e->at.line)
        e->at = (struct text_pos){e->at.line - 1, line_at(e, e->at.line - 1)->len};
}

static void right(struct editor *e)
{
    if (e->at.at < this_line(e)->len)
        e->at.at = after(this_line(e), e->at.at);
    else if (e->at.line + 1 < e->text.lines.len)
        e->at = (struct text_pos){e->at.line + 1, 0};
}

static bool in_word(char c)
{
    return isalnum((unsigned char)c) || c == '_' || c == '-' || c == '.' || ((unsigned char)c & 0x80);
}

static void word_left(struct editor *e)
{
    if (!e->at.at) {
        left(e);
        return;
    }
    const char *bytes = this_line(e)->bytes;
    while (e->at.at && !in_word(bytes[e->at.at - 1]))
        e->at.at--;
    while (e->at.at && in_word(bytes[e->at.at - 1]))
        e->at.at--;
}

static void word_right(struct editor *e)
{
    const struct edit_line *l = this_line(e);

    if (e->at.at == l->len) {
        right(e);
        return;
    }
    while (e->at.at < l->len && in_word(l->bytes[e->at.at]))
        e->at.at++;
    while (e->at.at < l->len && !in_word(l->bytes[e->at.at]))
        e->at.at++;
}

/* Home: first to the start of the line's text, then to the start of the line. */
static void home(struct editor *e)
{
    const struct edit_line *l = this_line(e);
    size_t text = 0;

    while (text < l->len && (l->bytes[text] == ' ' || l->bytes[text] == '\t'))
        text++;
    e->at.at = e->at.at == text ? 0 : text;
}

void editor_move(struct editor *e, long lines)
{
    size_t column = e->wish == SIZE_MAX ? editor_column(e) : e->wish, last = e->text.lines.len - 1;

    if (lines < 0)
        e->at.line -= e->at.line < (size_t)-lines ? e->at.line : (size_t)-lines;
    else
        e->at.line = last - e->at.line < (size_t)lines ? last : e->at.line + (size_t)lines;
    e->at.at = cells_byte(this_line(e)->bytes, this_line(e)->len, column, e->ascii);
    settle(e);
    e->wish = column;
}

bool editor_move_key(struct editor *e, int key)
{
    long page = e->height > 2 ? (long)e->height - 1 : 1;

    switch (key) {
    case CK_UP:
        editor_move(e, -1);
        return true;
    case CK_DOWN:
        editor_move(e, 1);
        return true;
    case CK_PGUP:
        editor_move(e, -page);
        return true;
    case CK_PGDN:
        editor_move(e, page);
        return true;
    case CK_LEFT:
        left(e);
        break;
    case CK_RIGHT:
        right(e);
        break;
    case CK_WORD_LEFT:
        word_left(e);
        break;
    case CK_WORD_RIGHT:
        word_right(e);
        break;
    case CK_HOME:
    case CK_CTRL('a'):
        home(e);
        break;
    case CK_END:
        e->at.at = this_line(e)->len;
        break;
    case CK_TOP:
        e->at = (struct text_pos){0, 0};
        break;
    case CK_BOTTOM:
        e->at = textbuf_end(&e->text);
        break;
    default:
        return false;
    }
    settle(e);
    return true;
}

void editor_go(struct editor *e, size_t line, size_t column)
{
    e->at = (struct text_pos){line ? line - 1 : 0, column ? column - 1 : 0};
    clamp(e);
    settle(e);
}

/* ---- changing ---- */

/* A run of keys of one kind is one group. */
static void begin(struct editor *e, enum typed kind)
{
    if (e->typed != (int)kind && !(kind == TYPED_BLANK && e->typed == TYPED_WORD))
        textbuf_break(&e->text);
    e->typed = (int)kind;
    e->wish = SIZE_MAX;
}

static bool put(struct editor *e, const char *text, size_t len)
{
    return textbuf_replace(&e->text, e->at, e->at, text, len, &e->at);
}

static void cut(struct editor *e, struct text_pos from, struct text_pos to)
{
    if (textbuf_replace(&e->text, from, to, "", 0, &e->at))
        e->wish = SIZE_MAX;
}

static void backspace(struct editor *e)
{
    struct text_pos to = e->at;

    left(e);
    cut(e, e->at, to);
}

static void erase(struct editor *e)
{
    struct text_pos from = e->at;

    right(e);
    cut(e, from, e->at);
}

static void erase_word(struct editor *e)
{
    struct text_pos to = e->at;

    word_left(e);
    cut(e, e->at, to);
}

/* Deletes to the end of the line; at its end, the line break. */
static void erase_line(struct editor *e)
{
    if (e->at.at == this_line(e)->len)
        erase(e);
    else
        cut(e, e->at, (struct text_pos){e->at.line, this_line(e)->len});
}

static bool new_line(struct editor *e)
{
    const struct edit_line *l = this_line(e);
    struct buf b = BUF_INIT(0);
    size_t blanks = 0;

    while (blanks < e->at.at && (l->bytes[blanks] == ' ' || l->bytes[blanks] == '\t'))
        blanks++;
    buf_addc(&b, '\n');
    if (blanks)
        buf_add(&b, l->bytes, blanks);
    bool fits = put(e, b.data, b.len);
    buf_release(&b);
    return fits;
}

/* Inserts a tab where the text is indented by tabs, else blanks up to the next even column. */
static bool indent(struct editor *e)
{
    for (size_t i = 0; i < e->text.lines.len && i < 200; i++)
        if (line_at(e, i)->len && line_at(e, i)->bytes[0] == '\t')
            return put(e, "\t", 1);
    return put(e, "  ", 2 - editor_column(e) % 2);
}

static bool type(struct editor *e, int key)
{
    struct buf b = BUF_INIT(0);

    utf8_add(&b, (wchar_t)key);
    begin(e, key == ' ' ? TYPED_BLANK : TYPED_WORD);
    bool fits = put(e, b.data, b.len);
    buf_release(&b);
    return fits;
}

bool editor_key(struct editor *e, int key, bool *full)
{
    if (editor_move_key(e, key))
        return true;
    switch (key) {
    case CK_BACKSPACE:
        begin(e, TYPED_BACKSPACE);
        backspace(e);
        return true;
    case CK_DELETE:
    case CK_CTRL('d'):
        begin(e, TYPED_DELETE);
        erase(e);
        return true;
    case CK_CTRL('w'):
        settle(e);
        erase_word(e);
        return true;
    case CK_CTRL('k'):
        settle(e);
        erase_line(e);
        return true;
    case CK_ENTER:
        settle(e);
        *full = !new_line(e);
        return true;
    case CK_TAB:
        settle(e);
        *full = !indent(e);
        return true;
    default:
        break;
    }
    if (key < 0x20 || key >= CK_UP || (key >= 0x7f && key < 0xa0) || (key >= 0xd800 && key < 0xe000))
        return false;
    *full = !type(e, key);
    return true;
}

bool editor_paste(struct editor *e, const char *text, size_t len)
{
    struct buf b = BUF_INIT(0);

    for (size_t i = 0; i < len; i++) {
        unsigned char c = (unsigned char)text[i];

        if (c == '\r') {
            buf_addc(&b, '\n');
            i += i + 1 < len && text[i + 1] == '\n';
        } else if (c >= 0x20 ? c != 0x7f : c == '\t' || c == '\n') {
            buf_addc(&b, (char)c);
        }
    }
    settle(e);
    bool fits = put(e, buf_text(&b), b.len);
    settle(e);
    buf_release(&b);
    return fits;
}

bool editor_undo(struct editor *e)
{
    bool any = textbuf_undo(&e->text, &e->at);

    settle(e);
    return any;
}

bool editor_redo(struct editor *e)
{
    bool any = textbuf_redo(&e->text, &e->at);

    settle(e);
    return any;
}

/* ---- finding ---- */

/* Lower case matches any case. */
static bool has_capitals(const char *text)
{
    for (; *text; text++)
        if (isupper((unsigned char)*text))
            return true;
    return false;
}

static bool matches(const char *bytes, const char *text, size_t len, bool exact)
{
    return exact ? memcmp(bytes, text, len) == 0 : strncasecmp(bytes, text, len) == 0;
}

/* The first occurrence in a line from a byte on, or the last one before it; SIZE_MAX: none. */
static size_t find_in(const struct edit_line *l, const char *text, size_t from, bool backwards, bool exact)
{
    size_t len = strlen(text), found = SIZE_MAX;

    for (size_t i = backwards ? 0 : from; l->len >= len && i <= l->len - len && !(backwards && i >= from); i++)
        if (matches(l->bytes + i, text, len, exact)) {
            found = i;
            if (!backwards)
                break;
        }
    return found;
}

bool editor_find(struct editor *e, const char *text, bool backwards)
{
    bool exact = has_capitals(text);
    size_t count = e->text.lines.len;

    if (!*text)
        return false;
    if (text != e->find)
        mem_replace(&e->find, text);
    for (size_t i = 0; i <= count; i++) {
        size_t line = backwards ? (e->at.line + count - i % count) % count : (e->at.line + i) % count;
        size_t from = i == 0 ? (backwards ? e->at.at : e->at.at + 1) : backwards ? SIZE_MAX : 0;
        size_t at = find_in(line_at(e, line), e->find, from, backwards, exact);

        if (at != SIZE_MAX) {
            e->at = (struct text_pos){line, at};
            settle(e);
            return true;
        }
    }
    return false;
}

/* ---- drawing ---- */

static int digits(size_t n)
{
    int count = 1;

    for (; n >= 10; n /= 10)
        count++;
    return count;
}

static void scroll(struct editor *e, size_t height, size_t width)
{
    size_t column = editor_column(e);

    e->height = height;
    if (e->at.line < e->top)
        e->top = e->at.line;
    if (e->at.line >= e->top + height)
        e->top = e->at.line - height + 1;
    if (e->top >= e->text.lines.len)
        e->top = 0;
    /* Scrolls sideways in steps, so that most of a line is visible around the cursor. */
    if (column < e->left || column + 1 >= e->left + width)
        e->left = column + 1 < width ? 0 : column - width / 2;
}

/* The part of a line that is visible. */
static void draw_part(struct canvas *c, struct rect at, const struct edit_line *l, const unsigned char *roles,
                      size_t skip, size_t end)
{
    size_t first = cells_byte(l->bytes, l->len, skip, c->ascii);
    size_t column = cells_column(l->bytes, l->len, first, c->ascii);

    for (size_t i = first; i < end;) {
        struct cells cell = cells_next(l->bytes + i, l->len - i, column, c->ascii);
        char shown[CELLS_SHOWN * 3];
        size_t width = cell.width;
        enum role role = cell.strange ? ROLE_CODE_ERROR : (enum role)roles[i];

        str_copy(shown, sizeof(shown), cell.shown);
        i += cell.bytes;
        /* Combining characters are drawn with their base. */
        while (i < end && (unsigned char)l->bytes[i] >= 0x80) {
            struct cells more = cells_next(l->bytes + i, l->len - i, column, c->ascii);

            if (more.width)
                break;
            if (strlen(shown) + strlen(more.shown) < sizeof(shown))
                memcpy(shown + strlen(shown), more.shown, strlen(more.shown) + 1);
            i += more.bytes;
        }
        if (column >= skip && column + width <= skip + (size_t)at.cols)
            canvas_text(c, at.row, at.col + (int)(column - skip), (int)width, role, shown);
        column += width;
    }
}

/* Marks at both ends show that a line continues. */
static void draw_line(struct editor *e, struct canvas *c, struct rect at, size_t line)
{
    const struct edit_line *l = line_at(e, line);
    size_t end = cells_byte(l->bytes, l->len, e->left + (size_t)at.cols, e->ascii);
    bool open = highlight_open(&e->colours, &e->text, line);

    if (end) {
        /* What follows a string tells whether it is a key. */
        size_t seen = l->len - end > 64 ? end + 64 : l->len;
        unsigned char *roles = mem_resize(NULL, seen, 1);

        highlight_line(l->bytes, seen, open, roles);
        editor_mark_pair(e, line, roles, seen);
        draw_part(c, at, l, roles, e->left, end);
        free(roles);
    }
    if (e->left && l->len)
        canvas_text(c, at.row, at.col, 1, ROLE_FAINT, "<");
    if (end < l->len)
        canvas_text(c, at.row, at.col + at.cols - 1, 1, ROLE_FAINT, ">");
}

void editor_draw(struct editor *e, struct canvas *c, struct rect at, bool editing, editor_mark_of *mark,
                 const void *context)
{
    int numbers = digits(e->text.lines.len), gutter = numbers + 4;

    if (at.rows < 1 || at.cols < gutter + 4)
        return;
    e->ascii = c->ascii;
    clamp(e);
    scroll(e, (size_t)at.rows, (size_t)(at.cols - gutter));
    e->shown = (struct rect){at.row, at.col + gutter, at.rows, at.cols - gutter};
    for (int row = 0; row < at.rows && e->top + (size_t)row < e->text.lines.len; row++) {
        size_t line = e->top + (size_t)row;
        struct editor_mark sign = mark ? mark(context, line) : (struct editor_mark){0};
        bool here = line == e->at.line;

        if (sign.sign)
            canvas_text(c, at.row + row, at.col, 1, sign.role, sign.sign);
        canvas_textf(c, at.row + row, at.col + 2, numbers, here ? ROLE_STRONG : ROLE_FAINT, "%*zu", numbers, line + 1);
        if (here)
            canvas_glyph(c, at.row + row, at.col + 2 + numbers, GLYPH_CURSOR);
        draw_line(e, c, (struct rect){at.row + row, at.col + gutter, 1, at.cols - gutter}, line);
    }
    c->cursor_row = at.row + (int)(e->at.line - e->top);
    c->cursor_col = at.col + gutter + (int)(editor_column(e) - e->left);
    c->cursor_shown = editing;
}

void editor_click(struct editor *e, int row, int col)
{
    size_t line = e->top + (size_t)(row > e->shown.row ? row - e->shown.row : 0);
    size_t column = e->left + (size_t)(col > e->shown.col ? col - e->shown.col : 0);

    e->at.line = line < e->text.lines.len ? line : e->text.lines.len - 1;
    e->at.at = cells_byte(this_line(e)->bytes, this_line(e)->len, column, e->ascii);
    settle(e);
}
