/* SPDX-License-Identifier: BSD-3-Clause */
/* Golden screens of routes and of plans about them, in four sizes, with what the server is asked meanwhile and answers.
 * UPDATE=1 writes them anew, for review. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/array.h"
#include "base/mem.h"
#include "shared/console_rig.h"

struct told {
    const char *asked, *answer; /* part of "METHOD PATH BODY" */
};

static const struct told plan_told[] = {
    {"\"kind\":\"approve\"",
     "{\"prefixes\":[{\"prefix\":\"172.16.0.0/12\",\"outcome\":\"served\",\"to\":\"5\",\"toName\":\"gw-fra-1\","
     "\"gain\":4,\"candidates\":1},{\"prefix\":\"192.168.1.0/24\",\"outcome\":\"served\",\"to\":\"8\",\"toName\":"
     "\"nas\",\"gain\":4,\"candidates\":1}],\"cutOff\":[{\"user\":\"bob\",\"prefix\":\"10.9.0.0/16\"}],\"viewers\":["
     "{\"viewers\":{\"count\":4,\"names\":[\"laptop-alice\",\"nas\"]},\"online\":3,\"changes\":[{\"prefix\":"
     "\"172.16.0.0/12\",\"kind\":\"gains\",\"toName\":\"gw-fra-1\"},{\"prefix\":\"192.168.1.0/24\",\"kind\":\"gains\","
     "\"toName\":\"nas\"}]}],\"totals\":{\"gain\":4,\"cutOff\":1}}"},
    {0}};

static const struct {
    const char *name, *keys;
    const struct told *told;
} screens[] = {
    {"plan-told", "2+waiting<Enter>a", plan_told},
};

static const struct {
    const char *name;
    int rows, cols;
    bool ascii;
} sizes[] = {{"-small", 16, 60, true}, {"", 24, 80, false}, {"-wide", 40, 120, false}, {"-huge", 60, 200, false}};

static void answer_all(struct rig *r, const struct told *told, int rows, int cols)
{
    bool more = true;

    /* An answer may lead to the next question. */
    while (more) {
        more = false;
        rig_pass(r, 1000);
        rig_draw(r, rows, cols);
        for (const struct told *t = told; t && t->asked; t++)
            more |= rig_tell(r, t->asked, 200, t->answer);
    }
}

static void screens_are_as_they_were(void **state)
{
    size_t different = 0;

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(screens); i++)
        for (size_t k = 0; k < ARRAY_LEN(sizes); k++) {
            char *name = mem_format("%s%s", screens[i].name, sizes[k].name);
            struct rig r;

            rig_init(&r, 0);
            r.app.canvas.ascii = sizes[k].ascii;
            rig_draw(&r, sizes[k].rows, sizes[k].cols);
            rig_keys(&r, screens[i].keys);
            answer_all(&r, screens[i].told, sizes[k].rows, sizes[k].cols);
            different += !rig_golden(&r, name, sizes[k].rows, sizes[k].cols);
            rig_release(&r);
            free(name);
        }
    assert_int_equal(different, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(screens_are_as_they_were),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
