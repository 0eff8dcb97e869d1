/* SPDX-License-Identifier: BSD-3-Clause */
#include "net/url.h"

#include <string.h>

#include "base/str.h"

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c |= 32;
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

const char *url_unescape(struct arena *arena, const char *text, size_t len, bool plus)
{
    char *out = arena_alloc(arena, len + 1);
    size_t n = 0;

    if (!out)
        return NULL;
    for (size_t i = 0; i < len; i++) {
        if (text[i] == '%') {
            int high = len - i >= 3 ? hex_digit(text[i + 1]) : -1, low = len - i >= 3 ? hex_digit(text[i + 2]) : -1;
            if (high < 0 || low < 0)
                return NULL;
            out[n++] = (char)(high * 16 + low);
            i += 2;
        } else {
            out[n++] = plus && text[i] == '+' ? ' ' : text[i];
        }
    }
    out[n] = '\0';
    return strlen(out) == n && str_utf8(out, n) ? out : NULL;
}

const char *url_parameter(struct arena *arena, const char *query, const char *name)
{
    for (size_t len, wanted = strlen(name); *query; query += len + (query[len] == '&')) {
        len = strcspn(query, "&");
        if (len > wanted && query[wanted] == '=' && strncmp(query, name, wanted) == 0)
            return url_unescape(arena, query + wanted + 1, len - wanted - 1, true);
    }
    return NULL;
}
