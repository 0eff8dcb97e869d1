/* SPDX-License-Identifier: BSD-3-Clause */
#include "usage/mdoc.h"

#include <ctype.h>
#include <string.h>

#define WIDTH 78

/* Does the word end a sentence: with '.', '?' or '!', followed by a capital letter or an apostrophe? */
static bool ends_sentence(const char *word, size_t len)
{
    return len > 1 && strchr(".?!", word[len - 1]) && word[len] == ' ' &&
           (isupper((unsigned char)word[len + 1]) || word[len + 1] == '\'');
}

static size_t add_word(struct buf *out, const char *word, size_t len, bool first)
{
    size_t start = out->len;

    if (first && (*word == '.' || *word == '\''))
        buf_adds(out, "\\&");
    for (size_t i = 0; i < len; i++) {
        if (word[i] == '\\')
            buf_adds(out, "\\e");
        else if (word[i] == '-' && (i == 0 || word[i - 1] == '-'))
            buf_adds(out, "\\-");
        else
            buf_addc(out, word[i]);
    }
    return out->len - start;
}

void mdoc_text(struct buf *out, const char *text)
{
    size_t column = 0;

    for (const char *at = text; *at;) {
        size_t len = strcspn(at, " ");
        if (len == 0) {
            at++;
            continue;
        }
        if (column && column + 1 + len > WIDTH) {
            buf_addc(out, '\n');
            column = 0;
        }
        if (column) {
            buf_addc(out, ' ');
            column++;
        }
        column += add_word(out, at, len, column == 0);
        if (ends_sentence(at, len)) {
            buf_addc(out, '\n');
            column = 0;
        }
        at += len;
    }
    if (column)
        buf_addc(out, '\n');
}
