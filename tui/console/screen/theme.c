/* SPDX-License-Identifier: BSD-3-Clause */
#include "console/screen/theme.h"

#include <math.h>
#include <string.h>

#include "base/buf.h"
#include "base/mem.h"
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

enum theme_ground { GROUND_DARK, GROUND_LIGHT };

struct theme_def {
    const char *name;
    enum theme_ground ground;
    bool colourless;
    const struct theme_change *changes;
    size_t count;
};

/* Red, yellow and green differ strongly in brightness, and faint text is easy to read. */
static const struct theme_change high_contrast[] = {
    {ROLE_FAINT, 0xe4e4e4, 15, LOOK_PLAIN},
    {ROLE_TAB, 0xffffff, 15, LOOK_PLAIN},
    {ROLE_TAB_ON, 0x00ffff, 14, LOOK_BOLD | LOOK_REVERSE},
    {ROLE_CRUMB, 0xffffff, 15, LOOK_BOLD},
    {ROLE_HEADER, 0xffffff, 15, LOOK_BOLD | LOOK_UNDERLINE},
    {ROLE_SECTION, 0x00ffff, 14, LOOK_BOLD},
    {ROLE_RULE, 0xc0c0c0, 7, LOOK_PLAIN},
    {ROLE_LABEL, 0xe4e4e4, 15, LOOK_PLAIN},
    {ROLE_USER, 0xafffff, 14, LOOK_PLAIN},
    {ROLE_TAG, 0xffafff, 13, LOOK_PLAIN},
    {ROLE_ADDRESS, 0xffffff, 15, LOOK_PLAIN},
    {ROLE_TIME, 0xe4e4e4, 15, LOOK_PLAIN},
    {ROLE_OK, 0x5fff5f, 10, LOOK_BOLD},
    {ROLE_OFF, 0xd0d0d0, 7, LOOK_PLAIN},
    {ROLE_WAIT, 0xffff00, 11, LOOK_BOLD},
    {ROLE_BAD, 0xff9f9f, 9, LOOK_BOLD | LOOK_REVERSE},
    {ROLE_PRIMARY, 0x5fff5f, 10, LOOK_BOLD},
    {ROLE_STANDBY, 0x00ffff, 14, LOOK_PLAIN},
    {ROLE_CHANGED, 0xffff00, 11, LOOK_BOLD},
    {ROLE_MARK, 0xffd75f, 11, LOOK_BOLD},
    {ROLE_CURSOR, 0xffffff, 15, LOOK_BOLD},
    {ROLE_MATCH, 0xffff00, 11, LOOK_UNDERLINE},
    {ROLE_KEY, 0x00ffff, 14, LOOK_BOLD},
    {ROLE_HINT, 0xffffff, 15, LOOK_PLAIN},
    {ROLE_DISABLED, 0xc0c0c0, 7, LOOK_PLAIN},
    {ROLE_PROMPT, 0x00ffff, 14, LOOK_BOLD},
    {ROLE_GHOST, 0xc0c0c0, 7, LOOK_UNDERLINE},
    {ROLE_WARN, 0xffff00, 11, LOOK_BOLD},
    {ROLE_ERROR, 0xff9f9f, 9, LOOK_BOLD | LOOK_REVERSE},
    {ROLE_BANNER, 0xffff00, 11, LOOK_BOLD | LOOK_REVERSE},
    {ROLE_LIVE, 0x5fff5f, 10, LOOK_BOLD},
    {ROLE_FRAME, 0xffffff, 15, LOOK_PLAIN},
    {ROLE_TITLE, 0x00ffff, 14, LOOK_BOLD},
    {ROLE_CODE_COMMENT, 0xd0d0d0, 7, LOOK_PLAIN},
    {ROLE_CODE_ERROR, 0xff9f9f, 9, LOOK_BOLD | LOOK_REVERSE},
    {ROLE_ADDED, 0x5fff5f, 10, LOOK_BOLD},
    {ROLE_TAKEN, 0xff9f9f, 9, LOOK_BOLD},
};

/* Blue is good, orange is bad, and bad is brighter: after the palette of Okabe and Ito. */
static const struct theme_change deuteranopia[] = {
    {ROLE_OK, 0x56b4e9, 12, LOOK_PLAIN},      {ROLE_PRIMARY, 0x56b4e9, 12, LOOK_BOLD},
    {ROLE_LIVE, 0x56b4e9, 12, LOOK_PLAIN},    {ROLE_ADDED, 0x56b4e9, 12, LOOK_PLAIN},
    {ROLE_BAD, 0xe8893a, 15, LOOK_BOLD},      {ROLE_ERROR, 0xe8893a, 15, LOOK_BOLD | LOOK_REVERSE},
    {ROLE_TAKEN, 0xe8893a, 15, LOOK_PLAIN},   {ROLE_CODE_ERROR, 0xe8893a, 15, LOOK_BOLD | LOOK_UNDERLINE},
    {ROLE_WAIT, 0xf7ee7a, 11, LOOK_PLAIN},    {ROLE_WARN, 0xf7ee7a, 11, LOOK_PLAIN},
    {ROLE_CHANGED, 0xf7ee7a, 11, LOOK_BOLD},  {ROLE_MARK, 0xf7ee7a, 11, LOOK_BOLD},
    {ROLE_STANDBY, 0xb9c4f5, 14, LOOK_PLAIN}, {ROLE_CODE_NUMBER, 0xf7ee7a, 11, LOOK_PLAIN},
};

/* Green and red are distinguishable; blue and green, yellow and violet are not. */
static const struct theme_change tritanopia[] = {
    {ROLE_OK, 0x35c9b4, 14, LOOK_PLAIN},   {ROLE_PRIMARY, 0x35c9b4, 14, LOOK_BOLD},
    {ROLE_LIVE, 0x35c9b4, 14, LOOK_PLAIN}, {ROLE_ADDED, 0x35c9b4, 14, LOOK_PLAIN},
    {ROLE_BAD, 0xff6f6f, 9, LOOK_BOLD},    {ROLE_ERROR, 0xff6f6f, 9, LOOK_BOLD | LOOK_REVERSE},
    {ROLE_TAKEN, 0xff6f6f, 9, LOOK_PLAIN}, {ROLE_WAIT, 0xffd9e8, 15, LOOK_PLAIN},
    {ROLE_WARN, 0xffd9e8, 15, LOOK_PLAIN}, {ROLE_CHANGED, 0xffd9e8, 15, LOOK_BOLD},
    {ROLE_MARK, 0xffd9e8, 15, LOOK_BOLD},  {ROLE_STANDBY, 0x9fe8ff, 14, LOOK_PLAIN},
};

#define CHANGES_OF(list) .changes = (list), .count = sizeof(list) / sizeof(*(list))

/* The user's own themes follow; they are added by the screen's thread before the screen is drawn. */
static struct theme_def themes[THEMES_MAX] = {
    [THEME_DEFAULT] = {.name = "default"},
    [THEME_LIGHT] = {.name = "light", .ground = GROUND_LIGHT},
    [THEME_HIGH_CONTRAST] = {.name = "high-contrast", CHANGES_OF(high_contrast)},
    [THEME_DEUTERANOPIA] = {.name = "deuteranopia", CHANGES_OF(deuteranopia)},
    [THEME_TRITANOPIA] = {.name = "tritanopia", CHANGES_OF(tritanopia)},
    [THEME_MONO] = {.name = "mono", .colourless = true},
};

int theme_find(const char *name)
{
    if (str_eq(name, "dark"))
        return THEME_DEFAULT;
    for (int i = 0; i < THEMES_MAX && themes[i].name; i++)
        if (str_eq(themes[i].name, name))
            return i;
    return -1;
}

int theme_choose(const char *name, struct err *e)
{
    int theme = theme_find(name);
    struct buf names = BUF_INIT(0);

    if (theme >= 0)
        return theme;
    for (int i = 0; i < THEMES_MAX && themes[i].name; i++)
        buf_addf(&names, "%s%s", i ? ", " : "", themes[i].name);
    err_set(e, ERR_INVALID, "there is no theme '%.40s'; there are %s", name, buf_text(&names));
    buf_release(&names);
    return ERR_INVALID;
}

const char *theme_name(int theme)
{
    return theme >= 0 && theme < THEMES_MAX ? themes[theme].name : NULL;
}

int theme_role(const char *name)
{
    static const char *const names[ROLE_COUNT] = {
#define X(role, text, dark, light, dark16, light16, looks, looks_mono) [role] = (text),
        THEME_ROLES(X)
#undef X
    };

    for (int i = 0; i < ROLE_COUNT; i++)
        if (str_eq(names[i], name))
            return i;
    return -1;
}

static const struct theme_change *change_of(const struct theme_def *t, enum role role)
{
    /* The last change wins: a user's theme starts with the changes of its base. */
    for (size_t i = t->count; i-- > 0;)
        if (t->changes[i].role == role)
            return &t->changes[i];
    return NULL;
}

int theme_add(const char *name, int base, const struct theme_change *changes, size_t count)
{
    int id = 0;

    while (id < THEMES_MAX && themes[id].name)
        id++;
    if (id == THEMES_MAX || theme_find(name) >= 0)
        return -1;
    const struct theme_def *from = &themes[base];
    struct theme_change *all = mem_alloc((from->count + count + 1) * sizeof(*all));
    if (from->count)
        memcpy(all, from->changes, from->count * sizeof(*all));
    if (count)
        memcpy(all + from->count, changes, count * sizeof(*all));
    themes[id] = (struct theme_def){.name = mem_strdup(name),
                                    .ground = from->ground,
                                    .colourless = from->colourless && !count,
                                    .changes = all,
                                    .count = from->count + count};
    return id;
}

uint32_t theme_rgb(int theme, enum role role)
{
    const struct theme_change *change = change_of(&themes[theme], role);

    return themes[theme].colourless ? NONE : change ? change->rgb : roles[role].rgb[themes[theme].ground];
}

bool theme_is_light(int theme)
{
    return themes[theme].ground == GROUND_LIGHT;
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

/* CIE L*a*b* of an sRGB colour under D65: distances in it match what the eye sees. */
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

static int nearest(uint32_t rgb, int from, int to, uint32_t (*palette)(int index))
{
    struct lab want = lab_of(rgb);
    double best = 1e9;
    int found = from;

    for (int i = from; i < to; i++) {
        struct lab have = lab_of(palette(i));
        double dl = want.l - have.l, da = want.a - have.a, db = want.b - have.b;
        double distance = dl * dl + da * da + db * db;

        if (distance < best) {
            best = distance;
            found = i;
        }
    }
    return found;
}

int theme_nearest_256(uint32_t rgb)
{
    return nearest(rgb, 16, 256, palette_rgb);
}

/* The values of xterm. */
static uint32_t basic_rgb(int index)
{
    static const uint32_t colours[16] = {0x000000, 0xcd0000, 0x00cd00, 0xcdcd00, 0x0000ee, 0xcd00cd,
                                         0x00cdcd, 0xe5e5e5, 0x7f7f7f, 0xff0000, 0x00ff00, 0xffff00,
                                         0x5c5cff, 0xff00ff, 0x00ffff, 0xffffff};

    return colours[index];
}

int theme_nearest_16(uint32_t rgb)
{
    return nearest(rgb, 0, 16, basic_rgb);
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

struct style theme_style(int theme, enum depth depth, enum role role, bool selected)
{
    const struct theme_def *t = &themes[theme];
    const struct theme_change *change = change_of(t, role);
    const struct role_def *def = &roles[role];
    int basic = change ? change->basic : def->basic[t->ground];
    struct style style = {.fg = -1, .bg = -1, .look = def->mono};

    if (t->colourless || depth == DEPTH_MONO) {
        if (selected)
            style.look = (style.look & ~(unsigned)LOOK_DIM) ^ LOOK_REVERSE;
        return style;
    }
    style.look = change ? change->look : def->look;
    style.fg = colour(theme_rgb(theme, role), basic, depth);
    /* Eight or sixteen colours have no subtle background for the cursor's row, so it is shown in reverse. */
    if (depth <= DEPTH_16) {
        if (depth == DEPTH_8 && basic == 8)
            style = (struct style){.fg = -1, .bg = -1, .look = def->mono};
        if (selected)
            style = (struct style){.fg = -1, .bg = -1, .look = (style.look & LOOK_BOLD) | LOOK_REVERSE};
    } else if (selected) {
        style.bg = colour(theme_is_light(theme) ? THEME_SELECT_LIGHT : THEME_SELECT_DARK, -1, depth);
    }
    return style;
}
