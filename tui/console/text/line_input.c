/* SPDX-License-Identifier: BSD-3-Clause */
#include "console/text/line_input.h"

#include <string.h>

#include "base/str.h"
#include "console/screen/key.h"

void line_set(struct line *l, const char *text)
{
    str_copy(l->text, sizeof(l->text), text);
    l->len = l->at = strlen(l->text);
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
    bool fits;

    if (key < 0x20 || key >= CK_UP || (key >= 0x7f && key < 0xa0))
        return false;
    utf8_add(&b, (wchar_t)key);
    fits = l->len + b.len < sizeof(l->text);
    if (fits) {
        memmove(l->text + l->at + b.len, l->text + l->at, l->len - l->at + 1);
        memcpy(l->text + l->at, b.data, b.len);
        l->len += b.len;
        l->at += b.len;
    }
    buf_release(&b);
    return true;
}

bool line_key(struct line *l, int key)
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

void line_draw(const struct line *l, struct canvas *c, int row, int col, int width)
{
    struct line head = *l;
    size_t from = 0;

    if (width < 2)
        return;
    head.text[l->at] = '\0';
    while (canvas_width(c, head.text + from) >= width)
        from = after(l, from);
    canvas_text(c, row, col, width, ROLE_TEXT, l->text + from);
    c->cursor_row = row;
    c->cursor_col = col + canvas_width(c, head.text + from);
    c->cursor_shown = true;
}
