/* SPDX-License-Identifier: BSD-3-Clause */
/* The user's settings, from ~/.config/headway/console.yaml:
 *     theme: light                 a theme's name
 *     color: 256                   as --color
 *     mouse: false                 also ascii and plain
 *     keys:
 *       approve: a Ctrl-A          keys of a command, replacing the defaults; "" for none
 *     filters:
 *       prod: "tag:web is:online"  the filter @prod
 *     themes:
 *       mine:
 *         base: light              the theme it is based on
 *         ok: "#005f00 bold"       colour and attributes of a role
 * Anything else is reported as a problem with its line; the rest is used. */
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

/* Reads the file; a missing file sets nothing. Themes are added with theme_add. The caller releases *out. */
void settings_load(const char *path, struct settings *out);
void settings_parse(const char *text, size_t len, const char *path, struct settings *out);
void settings_release(struct settings *s);

#endif
