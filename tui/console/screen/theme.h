/* SPDX-License-Identifier: BSD-3-Clause */
/* Views give each piece of text a role; a theme maps roles to colours and attributes of the terminal in use. State is
 * always shown by glyph and word as well, so a theme without colours loses nothing. */
#ifndef TUI_CONSOLE_SCREEN_THEME_H
#define TUI_CONSOLE_SCREEN_THEME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

/* Looks without colours. */
enum look { LOOK_PLAIN = 0, LOOK_BOLD = 1, LOOK_DIM = 2, LOOK_UNDERLINE = 4, LOOK_REVERSE = 8 };

/* X(role, name, dark, light, 16-colour index on dark, on light, look with colours, look without)
 * Colours are 0xRRGGBB; NONE is the terminal's own. A 16-colour index of -1 is the terminal's own, too. */
#define NONE 0xff000000U
/* clang-format off */
#define THEME_ROLES(X)                                                                                     \
    X(ROLE_TEXT,       "text",       NONE,     NONE,     -1, -1, LOOK_PLAIN,     LOOK_PLAIN)               \
    X(ROLE_FAINT,      "faint",      0x8b949e, 0x5f6770,  7,  8, LOOK_PLAIN,     LOOK_DIM)                 \
    X(ROLE_STRONG,     "strong",     NONE,     NONE,     -1, -1, LOOK_BOLD,      LOOK_BOLD)                \
    X(ROLE_TAB,        "tab",        0x9aa4af, 0x57606a,  7,  8, LOOK_PLAIN,     LOOK_PLAIN)               \
    X(ROLE_TAB_ON,     "tab_on",     0x79c0ff, 0x0550ae, 12,  4, LOOK_BOLD,      LOOK_BOLD | LOOK_REVERSE) \
    X(ROLE_CRUMB,      "crumb",      0xd2a8ff, 0x6639ba, 13,  5, LOOK_BOLD,      LOOK_BOLD)                \
    X(ROLE_HEADER,     "header",     0x9aa4af, 0x57606a,  7,  8, LOOK_UNDERLINE, LOOK_UNDERLINE)           \
    X(ROLE_SECTION,    "section",    0x79c0ff, 0x0550ae, 12,  4, LOOK_PLAIN,     LOOK_BOLD)                \
    X(ROLE_RULE,       "rule",       0x6e7681, 0x8c959f,  8,  7, LOOK_PLAIN,     LOOK_DIM)                 \
    X(ROLE_LABEL,      "label",      0x8b949e, 0x5f6770,  7,  8, LOOK_PLAIN,     LOOK_PLAIN)               \
    X(ROLE_NAME,       "name",       NONE,     NONE,     -1, -1, LOOK_PLAIN,     LOOK_PLAIN)               \
    X(ROLE_USER,      "owner",      0xa5d6ff, 0x0a3069, 14,  4, LOOK_PLAIN,     LOOK_PLAIN)               \
    X(ROLE_TAG,        "tag",        0xd2a8ff, 0x6639ba, 13,  5, LOOK_PLAIN,     LOOK_PLAIN)               \
    X(ROLE_ADDRESS,    "address",    0xadbac7, 0x424a53,  7,  0, LOOK_PLAIN,     LOOK_PLAIN)               \
    X(ROLE_TIME,       "time",       0x9aa4af, 0x57606a,  7,  8, LOOK_PLAIN,     LOOK_PLAIN)               \
    X(ROLE_OK,         "ok",         0x56d364, 0x116329, 10,  2, LOOK_PLAIN,     LOOK_PLAIN)               \
    X(ROLE_OFF,        "off",        0x8b949e, 0x5f6770,  7,  8, LOOK_PLAIN,     LOOK_DIM)                 \
    X(ROLE_WAIT,       "wait",       0xe3b341, 0x7d4e00, 11,  3, LOOK_PLAIN,     LOOK_BOLD)                \
    X(ROLE_BAD,        "bad",        0xff7b72, 0xa40e26,  9,  1, LOOK_PLAIN,     LOOK_BOLD)                \
    X(ROLE_PRIMARY,    "primary",    0x56d364, 0x116329, 10,  2, LOOK_BOLD,      LOOK_BOLD)                \
    X(ROLE_STANDBY,    "standby",    0x79c0ff, 0x0550ae, 12,  4, LOOK_PLAIN,     LOOK_PLAIN)               \
    X(ROLE_CHANGED,    "changed",    0xe3b341, 0x7d4e00, 11,  3, LOOK_BOLD,      LOOK_BOLD)                \
    X(ROLE_MARK,       "mark",       0xffa657, 0x953800, 11,  3, LOOK_BOLD,      LOOK_BOLD)                \
    X(ROLE_CURSOR,     "cursor",     0x79c0ff, 0x0550ae, 12,  4, LOOK_BOLD,      LOOK_BOLD)                \
    X(ROLE_MATCH,      "match",      0xe3b341, 0x7d4e00, 11,  3, LOOK_UNDERLINE, LOOK_UNDERLINE)           \
    X(ROLE_KEY,        "key",        0x79c0ff, 0x0550ae, 12,  4, LOOK_BOLD,      LOOK_BOLD)                \
    X(ROLE_HINT,       "hint",       0x9aa4af, 0x57606a,  7,  8, LOOK_PLAIN,     LOOK_PLAIN)               \
    X(ROLE_DISABLED,   "disabled",   0x848d97, 0x656d76,  8,  7, LOOK_PLAIN,     LOOK_DIM)                 \
    X(ROLE_PROMPT,     "prompt",     0x79c0ff, 0x0550ae, 12,  4, LOOK_BOLD,      LOOK_BOLD)                \
    X(ROLE_GHOST,      "ghost",      0x848d97, 0x656d76,  8,  7, LOOK_PLAIN,     LOOK_DIM)                 \
    X(ROLE_INFO,       "info",       NONE,     NONE,     -1, -1, LOOK_PLAIN,     LOOK_PLAIN)               \
    X(ROLE_WARN,       "warn",       0xe3b341, 0x7d4e00, 11,  3, LOOK_PLAIN,     LOOK_BOLD)                \
    X(ROLE_ERROR,      "error",      0xff7b72, 0xa40e26,  9,  1, LOOK_BOLD,      LOOK_BOLD | LOOK_REVERSE) \
    X(ROLE_BANNER,     "banner",     0xe3b341, 0x7d4e00, 11,  3, LOOK_REVERSE,   LOOK_REVERSE)             \
    X(ROLE_LIVE,       "live",       0x56d364, 0x116329, 10,  2, LOOK_PLAIN,     LOOK_PLAIN)               \
    X(ROLE_FRAME,      "frame",      0x8b949e, 0x5f6770,  7,  8, LOOK_PLAIN,     LOOK_PLAIN)               \
    X(ROLE_TITLE,      "title",      0x79c0ff, 0x0550ae, 12,  4, LOOK_BOLD,      LOOK_BOLD)                \
    X(ROLE_CODE_KEY,   "code_key",   0x79c0ff, 0x0550ae, 12,  4, LOOK_PLAIN,     LOOK_BOLD)                \
    X(ROLE_CODE_STRING, "code_string", 0xa5d6ff, 0x0a3069, 14, 4, LOOK_PLAIN,    LOOK_PLAIN)               \
    X(ROLE_CODE_NAME,  "code_name",  0xd2a8ff, 0x6639ba, 13,  5, LOOK_PLAIN,     LOOK_UNDERLINE)           \
    X(ROLE_CODE_NUMBER, "code_number", 0xffa657, 0x953800, 11, 3, LOOK_PLAIN,    LOOK_PLAIN)               \
    X(ROLE_CODE_COMMENT, "code_comment", 0x8b949e, 0x5f6770, 7, 8, LOOK_PLAIN,   LOOK_DIM)                 \
    X(ROLE_CODE_ERROR, "code_error", 0xff7b72, 0xa40e26,  9,  1, LOOK_BOLD,      LOOK_BOLD | LOOK_REVERSE) \
    X(ROLE_ADDED,      "added",      0x56d364, 0x116329, 10,  2, LOOK_PLAIN,     LOOK_BOLD)                \
    X(ROLE_TAKEN,      "taken",      0xff7b72, 0xa40e26,  9,  1, LOOK_PLAIN,     LOOK_DIM)
/* clang-format on */

enum role {
#define X(role, name, dark, light, dark16, light16, look, mono) role,
    THEME_ROLES(X)
#undef X
        ROLE_COUNT
};

/* The built-in themes. The user's own themes are numbered after them. */
enum theme_id {
    THEME_DEFAULT, /* for dark backgrounds */
    THEME_LIGHT,
    THEME_HIGH_CONTRAST,
    THEME_DEUTERANOPIA, /* and protanopia: red and green look alike */
    THEME_TRITANOPIA,   /* blue and green look alike */
    THEME_MONO,
    THEME_COUNT
};

#define THEMES_MAX 32

/* A difference between a theme and the theme it is based on. */
struct theme_change {
    enum role role;
    uint32_t rgb; /* NONE: the terminal's own */
    int basic;    /* of 16 colours; -1: the terminal's own */
    unsigned look;
};

/* Number of colours that the terminal supports. */
enum depth { DEPTH_MONO, DEPTH_8, DEPTH_16, DEPTH_256, DEPTH_TRUE };

struct style {
    int fg, bg; /* colour numbers for the depth (0xRRGGBB for DEPTH_TRUE); -1: the terminal's own */
    unsigned look;
};

/* The number of a theme, or -1. */
int theme_find(const char *name);
/* The same; ERR_INVALID lists the themes there are. */
int theme_choose(const char *name, struct err *e) WARN_UNUSED;
const char *theme_name(int theme); /* NULL after the last */
int theme_role(const char *name);  /* -1 for an unknown name */
/* Adds one of the user's own themes; name and changes are copied. Returns its number, or -1 if there are too many or
 * the name is taken. */
int theme_add(const char *name, int base, const struct theme_change *changes, size_t count);

/* The style of a role; selected: on the cursor's row. */
struct style theme_style(int theme, enum depth depth, enum role role, bool selected);
/* The 24-bit colour of a role, NONE for the terminal's own; whether the theme is for a light background. */
uint32_t theme_rgb(int theme, enum role role);
bool theme_is_light(int theme);

/* The nearest colour of the xterm palette (16 to 255). */
int theme_nearest_256(uint32_t rgb);
int theme_nearest_16(uint32_t rgb); /* of the first 16, with the values most terminals use */

/* Background of the cursor's row. */
#define THEME_SELECT_DARK  0x0f2540U
#define THEME_SELECT_LIGHT 0xe6f2ffU

#endif
