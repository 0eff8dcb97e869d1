/* SPDX-License-Identifier: BSD-3-Clause */
/* What the user set up, from ~/.config/headway/console.yaml:
 *     theme: light                 a theme's name
 *     color: 256                   as --color
 *     mouse: false                 also ascii and plain
 *     keys:
 *       approve: a Ctrl-A          a command's keys, instead of its own; "" takes them away
 *     filters:
 *       prod: "tag:web is:online"  what @prod means
 *     themes:
 *       mine:
 *         base: light              what it is like otherwise
 *         ok: "#005f00 bold"       a role's colour and look
 * Anything else is a problem, told with its line; the rest is used. */
#ifndef TUI_CONSOLE_SETTINGS_SETTINGS_H
#define TUI_CONSOLE_SETTINGS_SETTINGS_H

#include "base/err.h"
#include "base/str.h"
#include "base/vec.h"
#include "console/model/filter.h"

struct setting_keys {
    char *command, *keys;
    unsigned line;
};

enum setting_switch { SETTING_UNSET, SETTING_OFF, SETTING_ON };

struct settings {
    char *theme, *color; /* NULL: not set */
    enum setting_switch mouse, ascii, plain;
    VEC(struct setting_keys) keys;
    struct saved_filters filters;
    struct strs problems; /* "FILE, line 3: ..." */
};

/* Reads the file; one that is not there sets nothing. Themes are added to those of screen/theme.h. The caller releases
 * *out. */
void settings_load(const char *path, struct settings *out);
void settings_parse(const char *text, size_t len, const char *path, struct settings *out);
void settings_release(struct settings *s);

#endif
