/* SPDX-License-Identifier: BSD-3-Clause */
#include "console/screen/theme.h"

#include <math.h>

#include "base/str.h"

struct role_def {
    uint32_t rgb[2]; /* dark, light */
    int basic[2];
    unsigned look, mono;
};

static const struct role_def roles[ROLE_COUNT] = {
#define X(role, text, dark, light, dark16, light16, looks, looks_mono)                                                 \
    [role] = {.rgb = {(dark), (light)}, .basic = {(dark16), (light16)}, .look = (looks), .mono = (looks_mono)},
    THEME_ROLES(X)
#undef X
};

static const char *const names[THEME_COUNT] = {[THEME_DARK] = "dark", [THEME_LIGHT] = "light", [THEME_MONO] = "mono"};

int theme_find(const char *name)
{
    for (int i = 0; i < THEME_COUNT; i++)
        if (str_eq(names[i], name))
            return i;
    return -1;
}

struct lab {
    double l, a, b;
};

static double linear(unsigned channel)
{
    double c = channel / 255.0;

    return c <= 0.04045 ? c / 12.92 : pow((c + 0.055) / 1.055, 2.4);
}

static double lab_curve(double t)
{
    return t > 0.008856 ? cbrt(t) : 7.787 * t + 16.0 / 116.0;
}

/* CIE L*a*b* of an sRGB colour under D65: distances there follow what the eye sees. */
static struct lab lab_of(uint32_t rgb)
{
    double r = linear(rgb >> 16 & 255), g = linear(rgb >> 8 & 255), b = linear(rgb & 255);
    double x = lab_curve((0.4124 * r + 0.3576 * g + 0.1805 * b) / 0.95047);
    double y = lab_curve(0.2126 * r + 0.7152 * g + 0.0722 * b);
    double z = lab_curve((0.0193 * r + 0.1192 * g + 0.9505 * b) / 1.08883);

    return (struct lab){.l = 116 * y - 16, .a = 500 * (x - y), .b = 200 * (y - z)};
}

static uint32_t palette_rgb(int index)
{
    static const unsigned level[6] = {0, 95, 135, 175, 215, 255};

    if (index >= 232) {
        unsigned grey = 8 + (unsigned)(index - 232) * 10;

        return grey << 16 | grey << 8 | grey;
    }
    index -= 16;
    return level[index / 36] << 16 | level[index / 6 % 6] << 8 | level[index % 6];
}

int theme_nearest_256(uint32_t rgb)
{
    struct lab want = lab_of(rgb);
    double best = 1e9;
    int found = 16;

    for (int i = 16; i < 256; i++) {
        struct lab have = lab_of(palette_rgb(i));
        double dl = want.l - have.l, da = want.a - have.a, db = want.b - have.b;
        double distance = dl * dl + da * da + db * db;

        if (distance < best) {
            best = distance;
            found = i;
        }
    }
    return found;
}

static int colour(uint32_t rgb, int basic, enum depth depth)
{
    switch (depth) {
    case DEPTH_MONO:
        return -1;
    case DEPTH_8:
        return basic < 0 ? -1 : basic & 7;
    case DEPTH_16:
        return basic;
    case DEPTH_256:
        return rgb == NONE ? -1 : theme_nearest_256(rgb);
    case DEPTH_TRUE:
        return rgb == NONE ? -1 : (int)rgb;
    }
    return -1;
}

struct style theme_style(enum theme_id theme, enum depth depth, enum role role, bool selected)
{
    const struct role_def *def = &roles[role];
    struct style style = {.fg = -1, .bg = -1, .look = def->mono};

    if (theme == THEME_MONO || depth == DEPTH_MONO) {
        if (selected)
            style.look = (style.look & ~(unsigned)LOOK_DIM) ^ LOOK_REVERSE;
        return style;
    }
    style.look = def->look;
    style.fg = colour(def->rgb[theme], def->basic[theme], depth);
    /* Eight and sixteen colours have no quiet background for the cursor's row: it is shown in reverse. */
    if (depth <= DEPTH_16) {
        if (depth == DEPTH_8 && def->basic[theme] == 8)
            style = (struct style){.fg = -1, .bg = -1, .look = def->mono};
        if (selected)
            style = (struct style){.fg = -1, .bg = -1, .look = (style.look & LOOK_BOLD) | LOOK_REVERSE};
    } else if (selected) {
        style.bg = colour(theme == THEME_LIGHT ? THEME_SELECT_LIGHT : THEME_SELECT_DARK, -1, depth);
    }
    return style;
}
