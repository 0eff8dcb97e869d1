/* SPDX-License-Identifier: BSD-3-Clause */
#include "console/text/line_input.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/str.h"
#include "console/screen/key.h"

const char *line_text(const struct line *l)
{
    return l->text ? l->text : "";
}

/* Makes room for len bytes and a terminator. */
static void reserve(struct line *l, size_t len)
{
    if (l->text && len < l->cap)
        return;
    l->cap = len + 64;
    l->text = mem_resize(l->text, l->cap, 1);
    l->text[l->len] = '\0';
}

void line_set(struct line *l, const char *text)
{
    size_t len = strlen(text);

    len = len < LINE_MAX_BYTES ? len : LINE_MAX_BYTES - 1;
    reserve(l, len);
    memmove(l->text, text, len);
    l->text[len] = '\0';
    l->len = l->at = len;
    l->offered = false;
}

void line_offer(struct line *l, const char *text)
{
    line_set(l, text);
    l->offered = true;
}

void line_release(struct line *l)
{
    free(l->text);
    *l = (struct line){0};
}

static size_t before(const struct line *l, size_t at)
{
    while (at && (l->text[--at] & 0xc0) == 0x80)
        ;
    return at;
}

static size_t after(const struct line *l, size_t at)
{
    while (at < l->len && (l->text[++at] & 0xc0) == 0x80)
        ;
    return at;
}

static void cut(struct line *l, size_t from, size_t to)
{
    memmove(l->text + from, l->text + to, l->len - to + 1);
    l->len -= to - from;
    l->at = from;
}

static bool insert(struct line *l, int key)
{
    struct buf b = BUF_INIT(0);

    if (key < 0x20 || key >= CK_UP || (key >= 0x7f && key < 0xa0))
        return false;
    utf8_add(&b, (wchar_t)key);
    if (l->offered)
        cut(l, 0, l->len);
    if (l->len + b.len < LINE_MAX_BYTES) {
        reserve(l, l->len + b.len);
        memmove(l->text + l->at + b.len, l->text + l->at, l->len - l->at + 1);
        memcpy(l->text + l->at, b.data, b.len);
        l->len += b.len;
        l->at += b.len;
    }
    buf_release(&b);
    return true;
}

static bool edit(struct line *l, int key)
{
    size_t word = l->at;

    switch (key) {
    case CK_LEFT:
    case CK_CTRL('b'):
        l->at = before(l, l->at);
        return true;
    case CK_RIGHT:
    case CK_CTRL('f'):
        l->at = after(l, l->at);
        return true;
    case CK_HOME:
    case CK_CTRL('a'):
        l->at = 0;
        return true;
    case CK_END:
    case CK_CTRL('e'):
        l->at = l->len;
        return true;
    case CK_BACKSPACE:
    case CK_CTRL('h'):
        cut(l, before(l, l->at), l->at);
        return true;
    case CK_DELETE:
    case CK_CTRL('d'):
        cut(l, l->at, after(l, l->at));
        return true;
    case CK_CTRL('u'):
        cut(l, 0, l->at);
        return true;
    case CK_CTRL('k'):
        cut(l, l->at, l->len);
        return true;
    case CK_CTRL('w'):
        while (word && l->text[word - 1] == ' ')
            word--;
        while (word && l->text[word - 1] != ' ')
            word--;
        cut(l, word, l->at);
        return true;
    default:
        return insert(l, key);
    }
}

bool line_key(struct line *l, int key)
{
    reserve(l, l->len);
    bool taken = edit(l, key);

    l->offered = l->offered && !taken;
    return taken;
}

void line_draw(const struct line *l, struct canvas *c, int row, int col, int width)
{
    char *head = mem_strndup(line_text(l), l->at);
    size_t from = 0;

    if (width >= 2) {
        while (canvas_width(c, head + from) >= width)
            from = after(l, from);
        canvas_text(c, row, col, width, ROLE_TEXT, line_text(l) + from);
        c->cursor_row = row;
        c->cursor_col = col + canvas_width(c, head + from);
        c->cursor_shown = true;
    }
    free(head);
}
