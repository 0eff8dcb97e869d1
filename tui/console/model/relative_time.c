/* SPDX-License-Identifier: BSD-3-Clause */
#include "console/model/relative_time.h"

#include <stdio.h>
#include <time.h>

#include "base/clock.h"
#include "base/str.h"

char *span_text(int64_t ns, char text[AGO_MAX])
{
    long long s = ns / NS_PER_SECOND;

    if (s < 0)
        s = 0;
    if (s < 60)
        snprintf(text, AGO_MAX, "%llds", s);
    else if (s < 3600)
        snprintf(text, AGO_MAX, "%lldm", s / 60);
    else if (s < 86400 && s / 3600 < 10 && s / 60 % 60)
        snprintf(text, AGO_MAX, "%lldh %lldm", s / 3600, s / 60 % 60);
    else if (s < 86400)
        snprintf(text, AGO_MAX, "%lldh", s / 3600);
    else if (s < 10 * 86400 && s / 3600 % 24)
        snprintf(text, AGO_MAX, "%lldd %lldh", s / 86400, s / 3600 % 24);
    else if (s < 730 * 86400LL)
        snprintf(text, AGO_MAX, "%lldd", s / 86400);
    else
        snprintf(text, AGO_MAX, "%lldy", s / (365 * 86400LL));
    return text;
}

char *ago_text(int64_t then_ns, int64_t now_ns, char text[AGO_MAX])
{
    if (!then_ns)
        str_copy(text, AGO_MAX, "-");
    else if (now_ns - then_ns < 2 * NS_PER_SECOND)
        str_copy(text, AGO_MAX, "now");
    else
        span_text(now_ns - then_ns, text);
    return text;
}

char *until_text(int64_t then_ns, int64_t now_ns, char text[AGO_MAX])
{
    if (!then_ns)
        str_copy(text, AGO_MAX, "never");
    else if (then_ns <= now_ns)
        str_copy(text, AGO_MAX, "EXPIRED");
    else
        span_text(then_ns - now_ns, text);
    return text;
}

char *timestamp_text(int64_t then_ns, int64_t now_ns, char text[AGO_MAX])
{
    time_t then = (time_t)(then_ns / NS_PER_SECOND), now = (time_t)(now_ns / NS_PER_SECOND);
    struct tm a, b;

    if (!then_ns || !localtime_r(&then, &a) || !localtime_r(&now, &b)) {
        str_copy(text, AGO_MAX, "-");
        return text;
    }
    bool same_year = a.tm_year == b.tm_year;

    if (same_year && a.tm_yday == b.tm_yday)
        strftime(text, AGO_MAX, "%H:%M:%S", &a);
    else if (same_year)
        strftime(text, AGO_MAX, "%d %b %H:%M", &a);
    else
        strftime(text, AGO_MAX, "%Y-%m-%d", &a);
    return text;
}
