/* SPDX-License-Identifier: BSD-3-Clause */
#include "base/clock.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/array.h"

static int64_t read_clock(clockid_t id)
{
    struct timespec t;

    clock_gettime(id, &t);
    return (int64_t)t.tv_sec * NS_PER_SECOND + t.tv_nsec;
}

int64_t clock_wall_ns(void)
{
    return read_clock(CLOCK_REALTIME);
}

int64_t clock_mono_ms(void)
{
    return read_clock(CLOCK_MONOTONIC) / 1000000;
}

int64_t clock_mono_us(void)
{
    return read_clock(CLOCK_MONOTONIC) / 1000;
}

char *time_format(int64_t wall_ns, char text[TIME_TEXT_MAX])
{
    if (wall_ns == 0) {
        memcpy(text, "0001-01-01T00:00:00Z", 21);
        return text;
    }
    int64_t seconds = wall_ns / NS_PER_SECOND, fraction = wall_ns % NS_PER_SECOND;
    if (fraction < 0) {
        fraction += NS_PER_SECOND;
        seconds--;
    }
    time_t t = (time_t)seconds;
    struct tm tm;
    gmtime_r(&t, &tm);
    size_t n = strftime(text, TIME_TEXT_MAX, "%Y-%m-%dT%H:%M:%S", &tm);
    if (fraction) {
        n += (size_t)snprintf(text + n, TIME_TEXT_MAX - n, ".%09lld", (long long)fraction);
        while (text[n - 1] == '0')
            n--;
    }
    memcpy(text + n, "Z", 2);
    return text;
}

static bool number(const char **at, int digits, int *out)
{
    *out = 0;
    for (int i = 0; i < digits; i++, (*at)++) {
        if (**at < '0' || **at > '9')
            return false;
        *out = *out * 10 + (**at - '0');
    }
    return true;
}

static bool literal(const char **at, char c)
{
    return **at == c && (*at)++;
}

/* Days from 1970-01-01 to a day of the Gregorian calendar. */
static int64_t days(int year, int month, int day)
{
    int64_t y = month <= 2 ? year - 1 : year, era = (y >= 0 ? y : y - 399) / 400, of_era = y - era * 400;
    int64_t of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;

    return era * 146097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719468;
}

static bool offset(const char **at, int64_t *seconds)
{
    int hours, minutes, sign;

    *seconds = 0;
    if (**at == 'Z' || **at == 'z')
        return (*at)++;
    if (**at != '+' && **at != '-')
        return false;
    sign = *(*at)++ == '-' ? -1 : 1;
    if (!number(at, 2, &hours) || !literal(at, ':') || !number(at, 2, &minutes) || hours > 23 || minutes > 59)
        return false;
    *seconds = sign * (hours * 3600 + minutes * 60);
    return true;
}

int time_parse(const char *text, int64_t *wall_ns, const char *field, struct err *e)
{
    static const int month_days[] = {31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    const char *at = text;
    int year, month, day, hour, minute, second;
    int64_t fraction = 0, off;

    if (!number(&at, 4, &year) || !literal(&at, '-') || !number(&at, 2, &month) || !literal(&at, '-') ||
        !number(&at, 2, &day) || (*at != 'T' && *at != 't' && *at != ' ') || !at++ || !number(&at, 2, &hour) ||
        !literal(&at, ':') || !number(&at, 2, &minute) || !literal(&at, ':') || !number(&at, 2, &second))
        goto bad;
    if (month < 1 || month > 12 || day < 1 || day > month_days[month - 1] || hour > 23 || minute > 59 || second > 60)
        goto bad;
    if (literal(&at, '.')) {
        int digits = 0;
        for (; *at >= '0' && *at <= '9'; at++)
            if (digits < 9) {
                fraction = fraction * 10 + (*at - '0');
                digits++;
            }
        if (digits == 0)
            goto bad;
        for (; digits < 9; digits++)
            fraction *= 10;
    }
    if (!offset(&at, &off) || *at)
        goto bad;
    int64_t seconds = days(year, month, day) * 86400 + hour * 3600 + minute * 60 + second - off;
    if (year == 1 && month == 1 && day == 1)
        *wall_ns = 0;
    else if (seconds <= 0)
        *wall_ns = 1;
    else if (seconds >= INT64_MAX / NS_PER_SECOND)
        *wall_ns = INT64_MAX;
    else
        *wall_ns = seconds * NS_PER_SECOND + fraction;
    return 0;
bad:
    return err_field(e, ERR_INVALID, field, "%s: '%.40s' is not a time such as 2026-01-31T12:00:00Z", field, text);
}

static const struct {
    const char *name;
    int64_t ns;
} units[] = {
    {"ns", 1},
    {"us", 1000},
    {"ms", 1000000},
    {"s", NS_PER_SECOND},
    {"m", 60 * NS_PER_SECOND},
    {"h", 3600 * NS_PER_SECOND},
    {"d", 86400 * NS_PER_SECOND},
    {"w", 7 * 86400 * NS_PER_SECOND},
    {"y", 365 * 86400 * NS_PER_SECOND},
};

static int64_t unit(const char *text, size_t len)
{
    for (size_t i = 0; i < ARRAY_LEN(units); i++)
        if (strlen(units[i].name) == len && memcmp(units[i].name, text, len) == 0)
            return units[i].ns;
    return 0;
}

int duration_parse(const char *text, int64_t *ns, const char *field, struct err *e)
{
    const char *at = text;
    int64_t total = 0;

    if (strcmp(text, "0") == 0) {
        *ns = 0;
        return 0;
    }
    if (!*at)
        goto bad;
    while (*at) {
        int64_t whole = 0, part = 0, scale = 1, piece;
        const char *start = at;
        for (; *at >= '0' && *at <= '9'; at++)
            if (__builtin_mul_overflow(whole, 10, &whole) || __builtin_add_overflow(whole, *at - '0', &whole))
                goto bad;
        if (*at == '.')
            for (at++; *at >= '0' && *at <= '9'; at++)
                if (scale < 1000000000) {
                    part = part * 10 + (*at - '0');
                    scale *= 10;
                }
        if (at == start)
            goto bad;
        size_t len = strspn(at, "nsumhdwy");
        int64_t size = unit(at, len);
        if (!size || __builtin_mul_overflow(whole, size, &piece) || __builtin_add_overflow(total, piece, &total) ||
            __builtin_add_overflow(total, (int64_t)((double)part / (double)scale * (double)size + 0.5), &total))
            goto bad;
        at += len;
    }
    *ns = total;
    return 0;
bad:
    return err_field(e, ERR_INVALID, field, "%s: '%.40s' is not a duration such as 30s, 1h30m or 90d", field, text);
}

char *duration_format(int64_t ns, char text[TIME_TEXT_MAX])
{
    size_t n = 0;

    if (ns % 1000000 != 0 || ns < 0) {
        snprintf(text, TIME_TEXT_MAX, "%lldns", (long long)ns);
        return text;
    }
    text[0] = '\0';
    for (size_t i = 7; i-- > 2;) {
        int64_t count = ns / units[i].ns;
        if (!count)
            continue;
        ns -= count * units[i].ns;
        n += (size_t)snprintf(text + n, TIME_TEXT_MAX - n, "%lld%s", (long long)count, units[i].name);
    }
    if (n == 0)
        memcpy(text, "0s", 3);
    return text;
}

/* Forms of a time that people type; dated: it includes the day. */
static const struct {
    const char *format;
    bool dated;
} forms[] = {
    {"%H:%M", false},
    {"%H:%M:%S", false},
    {"%Y-%m-%d", true},
    {"%Y-%m-%d %H:%M", true},
    {"%Y-%m-%d %H:%M:%S", true},
    {"%Y-%m-%dT%H:%M", true},
    {"%Y-%m-%dT%H:%M:%S", true},
};

static bool read_form(const char *text, size_t form, enum time_zone zone, int64_t now_ns, int64_t *out)
{
    time_t (*const make)(struct tm * tm) = zone == TIME_UTC_ZONE ? timegm : mktime;
    time_t now = (time_t)(now_ns / NS_PER_SECOND);
    struct tm then;

    if (!(zone == TIME_UTC_ZONE ? gmtime_r(&now, &then) : localtime_r(&now, &then)))
        return false;
    then.tm_sec = 0;
    if (forms[form].dated)
        then.tm_hour = then.tm_min = 0;
    then.tm_isdst = -1;
    const char *end = strptime(text, forms[form].format, &then);
    if (!end || *end)
        return false;
    time_t at = make(&then);
    if (at > now && !forms[form].dated) { /* later than now: they mean yesterday */
        then.tm_mday--;
        then.tm_isdst = -1;
        at = make(&then);
    }
    *out = (int64_t)at * NS_PER_SECOND;
    return at > 0;
}

int time_parse_past(const char *text, enum time_zone zone, int64_t now_ns, int64_t *wall_ns, const char *field,
                    struct err *e)
{
    int64_t ago;
    bool found = false;

    if (duration_parse(*text == '-' ? text + 1 : text, &ago, field, NULL) == 0 && ago >= 0) {
        *wall_ns = now_ns - ago;
        found = true;
    }
    found = found || time_parse(text, wall_ns, field, NULL) == 0;
    for (size_t i = 0; i < ARRAY_LEN(forms) && !found; i++)
        found = read_form(text, i, zone, now_ns, wall_ns);
    if (!found)
        return err_field(e, ERR_INVALID, field, "%s: '%.40s' is no time such as -2h, 14:03 or 2026-11-24 14:03", field,
                         text);
    return *wall_ns <= now_ns ? 0 : err_field(e, ERR_INVALID, field, "%s: '%.40s' lies ahead", field, text);
}
