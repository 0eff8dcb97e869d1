/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/array.h"
#include "base/clock.h"
#include "base/str.h"
#include "console/past/past.h"

#define TEXT_MAX 40

/* What a person types; dated: the day is in it. */
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

static bool read_form(const char *text, size_t form, int64_t now_ns, int64_t *out)
{
    time_t now = (time_t)(now_ns / NS_PER_SECOND);
    struct tm then;

    if (!localtime_r(&now, &then))
        return false;
    then.tm_sec = 0;
    if (forms[form].dated)
        then.tm_hour = then.tm_min = 0;
    then.tm_isdst = -1;
    const char *end = strptime(text, forms[form].format, &then);
    if (!end || *end)
        return false;
    time_t at = mktime(&then);
    if (at > now && !forms[form].dated) { /* it was not that late yet today */
        then.tm_mday--;
        then.tm_isdst = -1;
        at = mktime(&then);
    }
    *out = (int64_t)at * NS_PER_SECOND;
    return at > 0;
}

int past_time_parse(const char *text, int64_t now_ns, int64_t *out, struct err *e)
{
    int64_t ago;
    bool found = false;

    if (strlen(text) >= TEXT_MAX)
        return err_set(e, ERR_INVALID, "that is no time");
    if (duration_parse(*text == '-' ? text + 1 : text, &ago, "at", NULL) == 0 && ago >= 0) {
        *out = now_ns - ago;
        found = true;
    }
    found = found || time_parse(text, out, "at", NULL) == 0;
    for (size_t i = 0; i < ARRAY_LEN(forms) && !found; i++)
        found = read_form(text, i, now_ns, out);
    if (!found)
        return err_set(e, ERR_INVALID, "'%.40s' is no time such as -2h, 14:03 or 2026-11-24 14:03", text);
    return *out <= now_ns ? 0 : err_set(e, ERR_INVALID, "'%.40s' lies ahead", text);
}
