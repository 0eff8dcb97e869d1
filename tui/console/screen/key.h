/* SPDX-License-Identifier: BSD-3-Clause */
/* Keys as numbers: a character is itself, Ctrl with a letter is 1 to 26, the rest is named here. */
#ifndef TUI_CONSOLE_SCREEN_KEY_H
#define TUI_CONSOLE_SCREEN_KEY_H

#include <stddef.h>

#include "base/err.h"
#include "base/vec.h"

enum key_code {
    CK_NONE = 0,
    CK_TAB = 9,
    CK_ENTER = 13,
    CK_ESC = 27,
    CK_SPACE = ' ',
    CK_BACKSPACE = 127,
    CK_UP = 0x110000,
    CK_DOWN,
    CK_LEFT,
    CK_RIGHT,
    CK_HOME,
    CK_END,
    CK_PGUP,
    CK_PGDN,
    CK_DELETE,
    CK_BACKTAB,
    CK_F1,
    CK_F2,
    CK_F3,
    CK_F8,
    CK_WORD_LEFT,
    CK_WORD_RIGHT,
    CK_TOP,
    CK_BOTTOM,
    CK_PASTE,     /* what follows is pasted ... */
    CK_PASTE_END, /* ... up to here */
    CK_CTRL_SPACE,
    CK_RESIZE,
    CK_MOUSE,
    CK_ALT = 0x200000, /* added to another key */
};

#define CK_CTRL(letter) ((letter)&0x1f)

#define KEY_NAME_MAX 16
/* "a", "Ctrl-D", "Enter", "F1"; returns text. */
char *key_text(int key, char text[KEY_NAME_MAX]);
/* The key of such a name, -1 for none. */
int key_named(const char *name);

struct key_script {
    int *items;
    size_t len, cap;
};
/* Keys written as a text: characters stand for themselves, <Name> for a named key, <lt> for '<'. ERR_INVALID at a name
 * that is none. The caller releases *out (vec_release), on errors too. */
int keys_parse(const char *text, struct key_script *out, struct err *e) WARN_UNUSED;

#endif
