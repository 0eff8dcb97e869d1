/* SPDX-License-Identifier: BSD-3-Clause */
/* The signs of the console, each with a form for terminals that know only ASCII. None of them has an emoji form:
 * terminals disagree on the width of those. */
#ifndef TUI_CONSOLE_SCREEN_GLYPH_H
#define TUI_CONSOLE_SCREEN_GLYPH_H

#include <stdbool.h>

#include "console/screen/theme.h"

/*    glyph             UTF-8  ASCII  role           the word that says the same */
#define GLYPHS(X)                                                                                                      \
    X(GLYPH_ONLINE, "●", "+", ROLE_OK, "online")                                                                       \
    X(GLYPH_OFFLINE, "○", "-", ROLE_OFF, "offline")                                                                    \
    X(GLYPH_STALE, "◐", "~", ROLE_WAIT, "stale")                                                                       \
    X(GLYPH_EXPIRED, "!", "!", ROLE_BAD, "expired")                                                                    \
    X(GLYPH_PENDING, "?", "?", ROLE_WAIT, "pending")                                                                   \
    X(GLYPH_UNHEALTHY, "×", "x", ROLE_BAD, "unhealthy")                                                                \
    X(GLYPH_DRAINED, "◌", "d", ROLE_WAIT, "drained")                                                                   \
    X(GLYPH_SERVING, "▲", "P", ROLE_PRIMARY, "serving")                                                                \
    X(GLYPH_STANDBY, "△", "s", ROLE_STANDBY, "standby")                                                                \
    X(GLYPH_UNAPPROVED, "◇", "u", ROLE_WAIT, "not approved")                                                           \
    X(GLYPH_APPROVED, "◦", "g", ROLE_OFF, "not advertised")                                                            \
    X(GLYPH_ROUTE_OFFLINE, "▽", "o", ROLE_OFF, "offline")                                                              \
    X(GLYPH_SUGGESTED, "◆", "S", ROLE_OK, "suggested")                                                                 \
    X(GLYPH_FINDING, "!", "!", ROLE_BAD, "finding")                                                                    \
    X(GLYPH_MARK, "✓", "*", ROLE_MARK, "marked")                                                                       \
    X(GLYPH_CURSOR, "▸", ">", ROLE_CURSOR, "cursor")                                                                   \
    X(GLYPH_CHANGED, "∆", "^", ROLE_CHANGED, "changed")                                                                \
    X(GLYPH_GONE, "†", "x", ROLE_OFF, "gone")                                                                          \
    X(GLYPH_OPEN, "▾", "-", ROLE_FAINT, "open")                                                                        \
    X(GLYPH_FOLDED, "▹", "+", ROLE_FAINT, "folded")                                                                    \
    X(GLYPH_RULE, "─", "-", ROLE_RULE, "rule")                                                                         \
    X(GLYPH_BAR, "│", "|", ROLE_RULE, "bar")                                                                           \
    X(GLYPH_TOP_LEFT, "╭", "+", ROLE_FRAME, "corner")                                                                  \
    X(GLYPH_TOP_RIGHT, "╮", "+", ROLE_FRAME, "corner")                                                                 \
    X(GLYPH_BOTTOM_LEFT, "╰", "+", ROLE_FRAME, "corner")                                                               \
    X(GLYPH_BOTTOM_RIGHT, "╯", "+", ROLE_FRAME, "corner")                                                              \
    X(GLYPH_CRUMB, "›", ">", ROLE_FAINT, "then")                                                                       \
    X(GLYPH_ARROW, "→", "->", ROLE_FAINT, "becomes")                                                                   \
    X(GLYPH_UP, "↑", "+", ROLE_FAINT, "ascending")                                                                     \
    X(GLYPH_DOWN, "↓", "-", ROLE_FAINT, "descending")                                                                  \
    X(GLYPH_DOT, "·", "-", ROLE_FAINT, "dot")                                                                          \
    X(GLYPH_DONE, "✓", "+", ROLE_OK, "done")                                                                           \
    X(GLYPH_REFUSED, "×", "x", ROLE_BAD, "refused")

enum glyph {
#define X(glyph, utf8, ascii, role, word) glyph,
    GLYPHS(X)
#undef X
        GLYPH_COUNT
};

const char *glyph_text(enum glyph glyph, bool ascii);
enum role glyph_role(enum glyph glyph);
const char *glyph_word(enum glyph glyph);

/* False where one of the signs would be two columns wide or is unknown to the locale: then the whole set is ASCII. */
bool glyph_fits_locale(void);

#endif
