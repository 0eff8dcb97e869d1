/* SPDX-License-Identifier: BSD-3-Clause */
#include "base/err.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

void text_end_whole(char *text)
{
    size_t len = strlen(text), tail = 0;

    while (tail < 3 && tail < len && ((unsigned char)text[len - 1 - tail] & 0xc0) == 0x80)
        tail++;
    if (tail == len)
        return;
    unsigned char first = (unsigned char)text[len - 1 - tail];
    size_t whole = first >= 0xf0 ? 3 : first >= 0xe0 ? 2 : first >= 0xc0 ? 1 : tail;
    if (tail < whole)
        text[len - 1 - tail] = '\0';
}

PRINTF_LIKE(4, 0)
static void fill(struct err *e, enum err_code code, const char *field, const char *format, va_list args)
{
    if (!e)
        return;
    e->code = code;
    snprintf(e->field, sizeof(e->field), "%s", field);
    vsnprintf(e->message, sizeof(e->message), format, args);
    text_end_whole(e->message);
}

int(err_set)(struct err *e, enum err_code code, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    fill(e, code, "", format, args);
    va_end(args);
    return code;
}

int(err_field)(struct err *e, enum err_code code, const char *field, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    fill(e, code, field, format, args);
    va_end(args);
    return code;
}

void err_prefix(struct err *e, const char *format, ...)
{
    char before[sizeof(e->message)], old[sizeof(e->message)];
    va_list args;

    if (!e)
        return;
    va_start(args, format);
    vsnprintf(before, sizeof(before), format, args);
    va_end(args);
    memcpy(old, e->message, sizeof(old));
    size_t n = strnlen(before, sizeof(before) - 3);
    memcpy(e->message, before, n);
    memcpy(e->message + n, ": ", 2);
    size_t rest = strnlen(old, sizeof(e->message) - n - 3);
    memcpy(e->message + n + 2, old, rest);
    e->message[n + 2 + rest] = '\0';
    text_end_whole(e->message);
}

int err_http(int code)
{
    switch ((enum err_code)code) {
    case ERR_NONE:
        return 200;
#define X(name, number, http, word)                                                                                    \
    case name:                                                                                                         \
        return http;
        ERR_CODES(X)
#undef X
    }
    return 500;
}

const char *err_word(int code)
{
    switch ((enum err_code)code) {
    case ERR_NONE:
        return "ok";
#define X(name, number, http, word)                                                                                    \
    case name:                                                                                                         \
        return word;
        ERR_CODES(X)
#undef X
    }
    return "internal";
}
