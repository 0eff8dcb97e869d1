/* SPDX-License-Identifier: BSD-3-Clause */
/* The themes: every role at every colour depth; contrast where colours are known; good, bad and waiting can be
 * distinguished by the people whom the theme is for. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "base/array.h"
#include "console/screen/theme.h"

#define LEAST_CONTRAST 4.5

struct colour {
    double r, g, b; /* linear, 0 to 1 */
};

static double linear(unsigned channel)
{
    double c = channel / 255.0;

    return c <= 0.04045 ? c / 12.92 : pow((c + 0.055) / 1.055, 2.4);
}

static struct colour colour_of(uint32_t rgb)
{
    return (struct colour){linear(rgb >> 16 & 255), linear(rgb >> 8 & 255), linear(rgb & 255)};
}

static double luminance(struct colour c)
{
    return 0.2126 * c.r + 0.7152 * c.g + 0.0722 * c.b;
}

/* As WCAG 2 defines it. */
static double contrast(uint32_t a, uint32_t b)
{
    double p = luminance(colour_of(a)) + 0.05, q = luminance(colour_of(b)) + 0.05;

    return p > q ? p / q : q / p;
}

static const char *const role_names[ROLE_COUNT] = {
#define X(role, text, dark, light, dark16, light16, looks, looks_mono) [role] = (text),
    THEME_ROLES(X)
#undef X
};

static void every_role_has_a_look_on_every_depth(void **state)
{
    (void)state;
    for (int theme = 0; theme_name(theme); theme++)
        for (int role = 0; role < ROLE_COUNT; role++)
            for (int depth = DEPTH_MONO; depth <= DEPTH_TRUE; depth++)
                for (int selected = 0; selected < 2; selected++) {
                    static const int most[] = {
                        [DEPTH_MONO] = -1, [DEPTH_8] = 7, [DEPTH_16] = 15, [DEPTH_256] = 255, [DEPTH_TRUE] = 0xffffff};
                    struct style s = theme_style(theme, (enum depth)depth, (enum role)role, selected);
                    struct style other = theme_style(theme, (enum depth)depth, (enum role)role, !selected);

                    assert_in_range(s.fg + 1, 0, most[depth] + 1);
                    assert_in_range(s.bg + 1, 0, most[depth] + 1);
                    assert_true(s.look < 16);
                    /* The cursor's row is seen. */
                    assert_true(s.bg != other.bg || s.look != other.look || s.fg != other.fg);
                }
}

/* The known colours: 24 bits on the usual ground and on the cursor's row, and the nearest of 256. */
static void colours_can_be_read(void **state)
{
    (void)state;
    for (int theme = 0; theme_name(theme); theme++)
        for (int role = 0; role < ROLE_COUNT; role++) {
            bool light = theme_is_light(theme);
            uint32_t rgb = theme_rgb(theme, (enum role)role);
            double least = theme == THEME_HIGH_CONTRAST ? 7 : LEAST_CONTRAST;

            if (role == ROLE_RULE || rgb == NONE)
                continue;
            double plain = contrast(rgb, light ? 0xffffff : 0x101418);
            double cursor = contrast(rgb, light ? THEME_SELECT_LIGHT : THEME_SELECT_DARK);
            if (plain < least || cursor < LEAST_CONTRAST)
                fail_msg("%s in %s: contrast %.1f, on the cursor's row %.1f", role_names[role], theme_name(theme),
                         plain, cursor);
        }
}

/* What a colour looks like to who lacks one kind of cones (Machado, Oliveira and Fernandes 2009, severity 1). */
static struct colour seen(struct colour c, const double m[9])
{
    return (struct colour){m[0] * c.r + m[1] * c.g + m[2] * c.b, m[3] * c.r + m[4] * c.g + m[5] * c.b,
                           m[6] * c.r + m[7] * c.g + m[8] * c.b};
}

static double lab_curve(double t)
{
    return t > 0.008856 ? cbrt(t) : 7.787 * t + 16.0 / 116.0;
}

/* Distance in L*a*b*: 2 is just seen, 20 is another colour. */
static double distance(struct colour p, struct colour q)
{
    double lab[2][3];
    struct colour both[2] = {p, q};

    for (int i = 0; i < 2; i++) {
        struct colour c = both[i];
        double x = lab_curve((0.4124 * c.r + 0.3576 * c.g + 0.1805 * c.b) / 0.95047);
        double y = lab_curve(0.2126 * c.r + 0.7152 * c.g + 0.0722 * c.b);
        double z = lab_curve((0.0193 * c.r + 0.1192 * c.g + 0.9505 * c.b) / 1.08883);

        lab[i][0] = 116 * y - 16;
        lab[i][1] = 500 * (x - y);
        lab[i][2] = 200 * (y - z);
    }
    return sqrt(pow(lab[0][0] - lab[1][0], 2) + pow(lab[0][1] - lab[1][1], 2) + pow(lab[0][2] - lab[1][2], 2));
}

static void states_are_told_apart_by_those_the_theme_is_for(void **state)
{
    static const struct {
        int theme;
        double matrix[9];
    } eyes[] = {
        {THEME_DEFAULT, {1, 0, 0, 0, 1, 0, 0, 0, 1}},
        {THEME_LIGHT, {1, 0, 0, 0, 1, 0, 0, 0, 1}},
        {THEME_HIGH_CONTRAST, {1, 0, 0, 0, 1, 0, 0, 0, 1}},
        {THEME_DEUTERANOPIA,
         {0.367322, 0.860646, -0.227968, 0.280085, 0.672501, 0.047413, -0.011820, 0.042940, 0.968881}},
        {THEME_DEUTERANOPIA,
         {0.152286, 1.052583, -0.204868, 0.114503, 0.786281, 0.099216, -0.003882, -0.048116, 1.051998}},
        {THEME_TRITANOPIA,
         {1.255528, -0.076749, -0.178779, -0.078411, 0.930809, 0.147602, 0.004733, 0.691367, 0.303900}},
    };
    static const enum role states[] = {ROLE_OK, ROLE_WAIT, ROLE_BAD};

    (void)state;
    for (size_t e = 0; e < ARRAY_LEN(eyes); e++)
        for (size_t i = 0; i < ARRAY_LEN(states); i++)
            for (size_t j = 0; j < i; j++) {
                int theme = eyes[e].theme;
                double d = distance(seen(colour_of(theme_rgb(theme, states[i])), eyes[e].matrix),
                                    seen(colour_of(theme_rgb(theme, states[j])), eyes[e].matrix));

                if (d < 20)
                    fail_msg("%s and %s in %s are %.1f apart", role_names[states[i]], role_names[states[j]],
                             theme_name(theme), d);
            }
}

static void a_theme_of_ones_own_changes_what_it_names(void **state)
{
    static const struct theme_change changes[] = {{ROLE_OK, 0x0000ff, 12, LOOK_BOLD}};
    int mine = theme_add("mine", THEME_LIGHT, changes, ARRAY_LEN(changes));

    (void)state;
    assert_int_equal(mine, THEME_COUNT);
    assert_int_equal(theme_find("mine"), mine);
    assert_int_equal(theme_add("mine", THEME_LIGHT, NULL, 0), -1);
    assert_int_equal(theme_add("light", THEME_LIGHT, NULL, 0), -1);
    assert_int_equal(theme_style(mine, DEPTH_TRUE, ROLE_OK, false).fg, 0x0000ff);
    assert_int_equal(theme_style(mine, DEPTH_16, ROLE_OK, false).fg, 12);
    assert_int_equal(theme_style(mine, DEPTH_TRUE, ROLE_OK, false).look, LOOK_BOLD);
    assert_int_equal(theme_style(mine, DEPTH_TRUE, ROLE_BAD, false).fg,
                     theme_style(THEME_LIGHT, DEPTH_TRUE, ROLE_BAD, false).fg);
    assert_true(theme_is_light(mine));
    assert_int_equal(theme_find("dark"), THEME_DEFAULT);
    assert_int_equal(theme_find("pink"), -1);
    assert_int_equal(theme_role("ok"), ROLE_OK);
    assert_int_equal(theme_role("fine"), -1);
    assert_int_equal(theme_nearest_16(0xfe0101), 9);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_role_has_a_look_on_every_depth),
        cmocka_unit_test(colours_can_be_read),
        cmocka_unit_test(states_are_told_apart_by_those_the_theme_is_for),
        cmocka_unit_test(a_theme_of_ones_own_changes_what_it_names),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
