/* SPDX-License-Identifier: BSD-3-Clause */
#include "console/screen/key.h"

#include <stdio.h>
#include <string.h>

#include "base/array.h"
#include "base/str.h"
#include "console/screen/canvas.h"

static const struct {
    int key;
    const char *name;
} names[] = {
    {CK_TAB, "Tab"},
    {CK_ENTER, "Enter"},
    {CK_ESC, "Esc"},
    {CK_SPACE, "Space"},
    {CK_UP, "Up"},
    {CK_DOWN, "Down"},
    {CK_LEFT, "Left"},
    {CK_RIGHT, "Right"},
    {CK_HOME, "Home"},
    {CK_END, "End"},
    {CK_PGUP, "PgUp"},
    {CK_PGDN, "PgDn"},
    {CK_DELETE, "Del"},
    {CK_F2, "F2"},
    {CK_F3, "F3"},
    {CK_F8, "F8"},
    {CK_CTRL_SPACE, "Ctrl-Space"},
    {CK_WORD_LEFT, "Ctrl-Left"},
    {CK_WORD_RIGHT, "Ctrl-Right"},
    {CK_TOP, "Ctrl-Home"},
    {CK_BOTTOM, "Ctrl-End"},
    {CK_PASTE, "Paste"},
    {CK_PASTE_END, "PasteEnd"},
    {CK_F1, "F1"},
    {CK_BACKTAB, "Shift-Tab"},
    {CK_BACKSPACE, "Backspace"},
    {'<', "lt"},
};

char *key_text(int key, char text[KEY_NAME_MAX])
{
    char plain[KEY_NAME_MAX];

    for (size_t i = 0; i + 1 < ARRAY_LEN(names); i++)
        if (names[i].key == key)
            return memcpy(text, names[i].name, strlen(names[i].name) + 1);
    if (key & CK_ALT)
        snprintf(text, KEY_NAME_MAX, "Alt-%s", key_text(key & ~CK_ALT, plain));
    else if (key > 0 && key < 0x20)
        snprintf(text, KEY_NAME_MAX, "Ctrl-%c", key + '@');
    else
        snprintf(text, KEY_NAME_MAX, "%c", key > 0x20 && key < 0x7f ? key : '?');
    return text;
}

int key_named(const char *name)
{
    for (size_t i = 0; i < ARRAY_LEN(names); i++)
        if (str_eq(names[i].name, name))
            return names[i].key;
    if (str_starts(name, "Ctrl-") && name[5] && !name[6])
        return CK_CTRL(name[5]);
    if (str_starts(name, "Alt-") && name[4]) {
        int plain = key_named(name + 4);
        return plain < 0 || (plain & CK_ALT) ? -1 : CK_ALT | plain;
    }
    return name[0] && !name[1] ? name[0] : -1;
}

int keys_parse(const char *text, struct key_script *out, struct err *e)
{
    while (*text) {
        const char *end = *text == '<' ? strchr(text, '>') : NULL;
        char name[KEY_NAME_MAX];
        wchar_t rune;

        if (end && (size_t)(end - text) <= sizeof(name)) {
            memcpy(name, text + 1, (size_t)(end - text) - 1);
            name[end - text - 1] = '\0';
            int key = key_named(name);
            if (key < 0)
                return err_set(e, ERR_INVALID, "there is no key <%s>", name);
            vec_push(out, key);
            text = end + 1;
        } else {
            text += utf8_next(text, &rune);
            vec_push(out, (int)rune);
        }
    }
    return 0;
}
