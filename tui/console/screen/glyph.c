/* SPDX-License-Identifier: BSD-3-Clause */
#include "console/screen/glyph.h"

#include <string.h>
#include <wchar.h>

struct glyph_def {
    const char *utf8, *ascii;
    enum role role;
    const char *word;
};

static const struct glyph_def glyphs[GLYPH_COUNT] = {
#define X(glyph, utf8, ascii, role, word) [glyph] = {utf8, ascii, role, word},
    GLYPHS(X)
#undef X
};

const char *glyph_text(enum glyph glyph, bool ascii)
{
    return ascii ? glyphs[glyph].ascii : glyphs[glyph].utf8;
}

enum role glyph_role(enum glyph glyph)
{
    return glyphs[glyph].role;
}

const char *glyph_word(enum glyph glyph)
{
    return glyphs[glyph].word;
}

bool glyph_fits_locale(void)
{
    for (int i = 0; i < GLYPH_COUNT; i++) {
        const char *text = glyphs[i].utf8;
        mbstate_t state = {0};
        wchar_t rune;

        if (mbrtowc(&rune, text, strlen(text), &state) != strlen(text) || wcwidth(rune) != 1)
            return false;
    }
    return true;
}
