/* SPDX-License-Identifier: BSD-3-Clause */
/* The error type: a code for the program and a message for a person. Functions that can fail return 0 or a negative
 * code and fill an optional last argument. The message names what was wrong and the offending value; it has no trailing
 * full stop and no newline, so that callers can add context around it. */
#ifndef COMMON_BASE_ERR_H
#define COMMON_BASE_ERR_H

/*       name              code  http  word in the API */
#define ERR_CODES(X)                                                                                                   \
    X(ERR_INVALID, -1, 400, "invalid")                                                                                 \
    X(ERR_MISSING, -2, 404, "missing")                                                                                 \
    X(ERR_CONFLICT, -3, 409, "conflict")                                                                               \
    X(ERR_TOOBIG, -4, 413, "toobig")                                                                                   \
    X(ERR_DENIED, -5, 403, "denied")                                                                                   \
    X(ERR_UNAUTHENTICATED, -6, 401, "unauthenticated")                                                                 \
    X(ERR_PRECONDITION, -7, 412, "precondition")                                                                       \
    X(ERR_GONE, -8, 410, "gone")                                                                                       \
    X(ERR_UNAVAILABLE, -9, 503, "unavailable")                                                                         \
    X(ERR_IO, -10, 500, "io")                                                                                          \
    X(ERR_INTERNAL, -11, 500, "internal")                                                                              \
    X(ERR_UNSUPPORTED, -12, 501, "unsupported")                                                                        \
    X(ERR_TIMEOUT, -13, 504, "timeout")                                                                                \
    X(ERR_BUSY, -14, 429, "busy")

enum err_code {
    ERR_NONE = 0,
#define X(name, code, http, word) name = (code),
    ERR_CODES(X)
#undef X
};

#define WARN_UNUSED            __attribute__((warn_unused_result))
#define PRINTF_LIKE(fmt, args) __attribute__((format(printf, fmt, args)))

struct err {
    enum err_code code;
    char field[48]; /* the input field that was wrong, "" if none */
    char message[240];
};

/* Fills *e (which may be NULL) and returns code, so that a failing function can end with: return err_set(e, ...).
 * Clears e->field. */
int err_set(struct err *e, enum err_code code, const char *format, ...) PRINTF_LIKE(3, 4);

/* Like err_set(), and names the input field. */
int err_field(struct err *e, enum err_code code, const char *field, const char *format, ...) PRINTF_LIKE(4, 5);

/* Prepends the formatted text and ": " to the message. */
void err_prefix(struct err *e, const char *format, ...) PRINTF_LIKE(2, 3);

/* The HTTP status of a code, and its word in API answers; 500 and "internal" for a code that is not in the table. */
int err_http(int code);
const char *err_word(int code);

#ifdef __clang_analyzer__
/* Error codes are negative. The analyzer cannot see that across files and would report values "used" after a failed
 * call. */
static inline int err_negative(int code)
{
    if (code >= 0)
        __builtin_unreachable();
    return code;
}
#define err_set(...)   err_negative(err_set(__VA_ARGS__))
#define err_field(...) err_negative(err_field(__VA_ARGS__))
#endif

/* Drops an incomplete last character from a text that was cut at an arbitrary byte, as when printing into a fixed
 * array. */
void text_end_whole(char *text);

#endif
