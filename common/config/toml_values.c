/* SPDX-License-Identifier: BSD-3-Clause */
#include "config/toml_values.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/str.h"

#define WORD_MAX 128

void toml_utf8(struct buf *out, uint32_t rune)
{
    if (rune < 0x80) {
        buf_addc(out, (char)rune);
        return;
    }
    int more = rune < 0x800 ? 1 : rune < 0x10000 ? 2 : 3;
    static const uint8_t first[] = {0, 0xc0, 0xe0, 0xf0};
    buf_addc(out, (char)(first[more] | rune >> (6 * more)));
    while (more-- > 0)
        buf_addc(out, (char)(0x80 | (rune >> (6 * more) & 0x3f)));
}

static bool is_digit_of(char c, int base)
{
    return base == 16 ? isxdigit((unsigned char)c) : c >= '0' && c < '0' + base;
}

/* Reads one or more digits, with single '_' between them, and appends them to out. */
static const char *take_digits(const char *at, int base, struct buf *out)
{
    if (!is_digit_of(*at, base))
        return NULL;
    for (;; at++) {
        if (is_digit_of(*at, base))
            buf_addc(out, *at);
        else if (*at != '_' || !is_digit_of(at[1], base))
            return at;
    }
}

static bool based_number(const char *word, struct buf *out)
{
    static const struct {
        char letter;
        int base;
    } bases[] = {{'x', 16}, {'o', 8}, {'b', 2}};
    char digits[WORD_MAX];

    for (size_t i = 0; i < ARRAY_LEN(bases); i++) {
        struct buf text = BUF_INIT(0);
        if (word[0] != '0' || word[1] != bases[i].letter)
            continue;
        const char *rest = take_digits(word + 2, bases[i].base, &text);
        bool good = rest && !*rest && str_copy(digits, sizeof(digits), buf_text(&text));
        buf_release(&text);
        if (!good)
            return false;
        const char *significant = digits + strspn(digits, "0");
        if (strlen(significant) > (bases[i].base == 16 ? 16 : bases[i].base == 8 ? 21 : 63))
            return false; /* TOML requires no more than 64 bits */
        unsigned long long value = strtoull(digits, NULL, bases[i].base);
        if (value > INT64_MAX)
            return false;
        if (bases[i].base == 8)
            buf_addf(out, "0o%s", digits);
        else
            buf_addf(out, "%llu", value);
        return true;
    }
    return false;
}

static bool number(const char *word, struct buf *out)
{
    const char *at = word + (*word == '+' || *word == '-');

    if (*word == '-')
        buf_addc(out, '-');
    if (str_eq(at, "inf") || str_eq(at, "nan")) {
        buf_adds(out, at);
        return true;
    }
    if (*at == '0' && (isdigit((unsigned char)at[1]) || at[1] == '_'))
        return false;
    if (!(at = take_digits(at, 10, out)))
        return false;
    if (*at == '.') {
        buf_addc(out, '.');
        if (!(at = take_digits(at + 1, 10, out)))
            return false;
    }
    if (*at == 'e' || *at == 'E') {
        buf_addc(out, 'e');
        at++;
        if (*at == '-' || *at == '+')
            buf_addc(out, *at++);
        if (!(at = take_digits(at, 10, out)))
            return false;
    }
    return !*at;
}

/* Reads a number of width digits in [min, max]. */
static bool take_part(const char **at, int width, unsigned min, unsigned max, unsigned *out)
{
    *out = 0;
    for (; width > 0; width--, (*at)++) {
        if (!isdigit((unsigned char)**at))
            return false;
        *out = *out * 10 + (unsigned)(**at - '0');
    }
    return *out >= min && *out <= max;
}

static bool take_char(const char **at, const char *any)
{
    if (!**at || !strchr(any, **at))
        return false;
    (*at)++;
    return true;
}

static bool take_date(const char **at)
{
    static const unsigned days[] = {31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    unsigned year, month, day;

    if (!take_part(at, 4, 0, 9999, &year) || !take_char(at, "-") || !take_part(at, 2, 1, 12, &month) ||
        !take_char(at, "-") || !take_part(at, 2, 1, days[month - 1], &day))
        return false;
    return month != 2 || day < 29 || (year % 4 == 0 && (year % 100 != 0 || year % 400 == 0));
}

static bool take_time(const char **at)
{
    unsigned part;

    if (!take_part(at, 2, 0, 23, &part) || !take_char(at, ":") || !take_part(at, 2, 0, 59, &part) ||
        !take_char(at, ":") || !take_part(at, 2, 0, 60, &part))
        return false;
    if (!take_char(at, "."))
        return true;
    if (!isdigit((unsigned char)**at))
        return false;
    *at += strspn(*at, "0123456789");
    return true;
}

static bool date_or_time(const char *word, struct buf *out)
{
    const char *at = word;
    unsigned part;
    bool good = take_time(&at);

    if (!good) {
        at = word;
        if (!take_date(&at))
            return false;
        good = !*at;
        if (!good && take_char(&at, "Tt ") && take_time(&at))
            good = !*at || take_char(&at, "Zz") ||
                   (take_char(&at, "+-") && take_part(&at, 2, 0, 23, &part) && take_char(&at, ":") &&
                    take_part(&at, 2, 0, 59, &part));
    }
    if (!good || *at)
        return false;
    buf_adds(out, word);
    return true;
}

/* The length of the value; a date and a time may be separated by a blank. */
static size_t word_len(const char *text, size_t size)
{
    size_t n = 0;

    while (n < size && (isalnum((unsigned char)text[n]) || memchr("+-_.:", text[n], 5)))
        n++;
    if (n == 10 && text[4] == '-' && size > n + 3 && text[n] == ' ' && isdigit((unsigned char)text[n + 1]) &&
        isdigit((unsigned char)text[n + 2]) && text[n + 3] == ':')
        for (n++; n < size && (isalnum((unsigned char)text[n]) || memchr("+-.:", text[n], 4));)
            n++;
    return n;
}

bool toml_plain(const char *text, size_t size, struct buf *out, size_t *len)
{
    static bool (*const readers[])(const char *, struct buf *) = {based_number, number, date_or_time};
    char word[WORD_MAX];

    *len = word_len(text, size);
    if (*len == 0 || *len >= sizeof(word))
        return false;
    memcpy(word, text, *len);
    word[*len] = '\0';
    if (str_eq(word, "true") || str_eq(word, "false")) {
        buf_adds(out, word);
        return true;
    }
    for (size_t i = 0; i < ARRAY_LEN(readers); i++) {
        struct buf one = BUF_INIT(0);
        bool good = readers[i](word, &one);
        if (good)
            buf_add(out, one.data, one.len);
        buf_release(&one);
        if (good)
            return true;
    }
    return false;
}
