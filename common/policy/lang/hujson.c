/* SPDX-License-Identifier: BSD-3-Clause */
/* Operations on parsed values: numbers that fit, and the plain form. */
#include "policy/lang/hujson.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

bool hujson_number_fits(const struct hujson *number)
{
    const char *digits = number->text + (number->text[0] == '-');

    if (number->text[strcspn(number->text, ".eE")])
        return isfinite(strtod(number->text, NULL));
    size_t n = strlen(digits);
    return n < 19 ||
           (n == 19 && strcmp(digits, number->text == digits ? "9223372036854775807" : "9223372036854775808") <= 0);
}

void hujson_plain(const struct hujson *v, const char *text, struct buf *out)
{
    bool object = v->kind == HUJSON_OBJECT, comma = false;

    if (v->kind != HUJSON_OBJECT && v->kind != HUJSON_ARRAY) {
        buf_add(out, text + v->start, v->end - v->start);
        return;
    }
    buf_addc(out, object ? '{' : '[');
    for (const struct hujson *m = v->first; m; m = m->next) {
        if (comma)
            buf_addc(out, ',');
        comma = true;
        if (object) {
            size_t end = m->name_start + 1;
            while (text[end] != '"')
                end += text[end] == '\\' ? 2 : 1;
            buf_add(out, text + m->name_start, end + 1 - m->name_start);
            buf_addc(out, ':');
        }
        hujson_plain(m, text, out);
    }
    buf_addc(out, object ? '}' : ']');
}
