/* SPDX-License-Identifier: BSD-3-Clause */
#include "console/screen/cells.h"

#include <string.h>
#include <wchar.h>

#include "console/screen/canvas.h"

/* Invisible characters that change how others are displayed. */
static bool is_hidden(wchar_t c)
{
    return (c >= 0x80 && c < 0xa0) || (c >= 0x200b && c <= 0x200f) || (c >= 0x2028 && c <= 0x202e) ||
           (c >= 0x2060 && c <= 0x206f) || c == 0xfeff || c == 0x61c || (c >= 0xfff9 && c <= 0xfffb) ||
           (c >= 0xe0000 && c <= 0xe0fff);
}

static struct cells ascii_cells(char c, size_t column)
{
    struct cells out = {.shown = {c}, .bytes = 1, .width = 1};

    if (c == '\t') {
        out.width = CELLS_TAB - column % CELLS_TAB;
        memset(out.shown, ' ', out.width);
    } else if (c < 0x20 || c == 0x7f) {
        out.shown[0] = '^';
        out.shown[1] = c == 0x7f ? '?' : (char)(c + '@');
        out.width = 2;
        out.strange = true;
    }
    return out;
}

struct cells cells_next(const char *text, size_t len, size_t column, bool ascii)
{
    char piece[5] = {0};
    wchar_t rune = 0;

    if ((unsigned char)text[0] < 0x80)
        return ascii_cells(text[0], column);
    memcpy(piece, text, len < 4 ? len : 4);
    struct cells out = {.bytes = utf8_next(piece, &rune)};
    int width = rune == 0xfffd ? -1 : wcwidth(rune);
    if (width < 0 || is_hidden(rune) || (ascii && width > 0)) {
        out.shown[0] = '?';
        out.width = 1;
        out.strange = true;
        return out;
    }
    out.width = (size_t)width;
    if (!ascii)
        memcpy(out.shown, piece, out.bytes);
    return out;
}

/* The end of a run of characters that take one byte and one cell each. */
static size_t plain_run(const char *line, size_t from, size_t end)
{
    while (from < end && (unsigned char)(line[from] - 0x20) < 0x5f)
        from++;
    return from;
}

size_t cells_column(const char *line, size_t len, size_t at, bool ascii)
{
    size_t column = 0, end = at < len ? at : len;

    for (size_t i = 0; i < end;) {
        size_t plain = plain_run(line, i, end);

        column += plain - i;
        i = plain;
        if (i == end)
            break;
        struct cells c = cells_next(line + i, len - i, column, ascii);
        column += c.width;
        i += c.bytes;
    }
    return column;
}

size_t cells_byte(const char *line, size_t len, size_t column, bool ascii)
{
    size_t at = 0, i = 0;

    while (i < len) {
        size_t room = column - at, plain = plain_run(line, i, len - i < room ? len : i + room);

        at += plain - i;
        i = plain;
        if (i == len)
            break;
        struct cells c = cells_next(line + i, len - i, at, ascii);
        if (at + c.width > column)
            break;
        at += c.width;
        i += c.bytes;
    }
    return i;
}
