/* SPDX-License-Identifier: BSD-3-Clause */
/* Golden screens of routes and of plans for them, in four sizes, with the requests to the server and its answers.
 * UPDATE=1 writes them again, for review. */
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

#define ROUNDS 20

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

#define CHECK                                                                                                          \
    "{\"problems\":[{\"prefix\":\"192.168.7.0/24\",\"node\":\"5\",\"name\":\"gw-fra-1\",\"code\":"                     \
    "\"does-not-forward\",\"warning\":true,\"text\":\"the node does not forward: the probe target does not answer "    \
    "through it\"},{\"prefix\":\"172.16.0.0/12\",\"node\":\"5\",\"name\":\"gw-fra-1\",\"code\":\"own-network\","       \
    "\"warning\":true,\"text\":\"laptop-bob has an address in it (172.17.0.1): if it accepts the route, it reaches "   \
    "its own network through gw-fra-1\"},{\"prefix\":\"10.20.0.0/16\",\"node\":\"3\",\"name\":\"gw-ber-1\",\"code\":"  \
    "\"covers\",\"warning\":false,\"text\":\"10.20.8.0/22 of lab-gw lies within it, and is taken first\"}]}"
#define FOLLOW                                                                                                         \
    "{\"prefix\":\"192.168.7.0/24\",\"from\":\"5\",\"fromName\":\"gw-fra-1\",\"to\":\"4\",\"toName\":\"gw-ber-2\","    \
    "\"movedAt\":\"2026-03-03T14:02:48Z\",\"viewers\":43,\"asked\":43,\"followed\":41,\"complete\":false,\"ended\":"   \
    "false,\"text\":\"41 of 43 have switched, 2 still use gw-fra-1 (since 12 s)\",\"behind\":[{\"node\":\"6\","        \
    "\"name\":\"laptop-alice\",\"uses\":\"gw-fra-1\",\"seconds\":12},{\"node\":\"8\",\"name\":\"nas\",\"silent\":"     \
    "true,"                                                                                                            \
    "\"seconds\":12}]}"
#define HISTORY                                                                                                        \
    "{\"prefix\":\"192.168.7.0/24\",\"moves\":[{\"event\":\"1.38\",\"time\":\"2026-03-03T11:52:07Z\",\"from\":\"5\","  \
    "\"fromName\":\"gw-fra-1\",\"to\":\"4\",\"toName\":\"gw-ber-2\",\"cause\":\"no answer\",\"detectionMs\":2710,"     \
    "\"convergenceMs\":430,\"text\":\"\"},{\"event\":\"1.20\",\"time\":\"2026-03-03T05:10:00Z\",\"from\":\"4\","       \
    "\"fromName\":\"gw-ber-2\",\"to\":\"5\",\"toName\":\"gw-fra-1\",\"cause\":\"alice\",\"text\":\"\"}],\"flips\":2}"
#define USE                                                                                                            \
    "{\"viewers\":[{\"viewers\":{\"count\":31,\"names\":[\"laptop-alice\",\"nas\",\"build-01\"]},\"online\":24,"       \
    "\"changes\":[{\"prefix\":\"192.168.7.0/24\",\"kind\":\"loses\",\"fromName\":\"gw-ber-2\"},{\"prefix\":"           \
    "\"0.0.0.0/0\",\"exit\":true,\"kind\":\"loses\",\"fromName\":\"office-exit\"}]}],\"cutOff\":[{\"user\":"           \
    "\"alice\",\"prefix\":\"192.168.7.0/24\"},{\"user\":\"bob\",\"prefix\":\"192.168.7.0/24\"}],\"prefixes\":["        \
    "{\"prefix\":\"192.168.7.0/24\",\"outcome\":\"unserved\",\"from\":\"4\",\"fromName\":\"gw-ber-2\",\"lose\":31},"   \
    "{\"prefix\":\"10.20.0.0/16\",\"outcome\":\"unserved\",\"from\":\"3\",\"fromName\":\"gw-ber-1\",\"lose\":29}],"    \
    "\"exits\":[{\"node\":\"9\",\"name\":\"office-exit\",\"kind\":\"loses\",\"viewers\":6}]}"
#define NEXT                                                                                                           \
    "{\"prefixes\":[{\"prefix\":\"192.168.7.0/24\",\"outcome\":\"moves\",\"from\":\"4\",\"fromName\":\"gw-ber-2\","    \
    "\"to\":\"3\",\"toName\":\"gw-ber-1\",\"move\":31,\"candidates\":1}]}"

static const struct told routes_told[] = {{"routes/check", CHECK},        {"followers", FOLLOW},
                                          {"history", HISTORY},           {"\"kind\":\"down\"", NEXT},
                                          {"\"kind\":\"withdraw\"", USE}, {0}};

static const struct {
    const char *name, *keys;
    const struct told *told;
} screens[] = {
    {"plan-told", "2+waiting<Enter>a", plan_told},      {"routes-told", "2jjjjjjjj", routes_told},
    {"prefixes-told", "2<Tab>G", routes_told},          {"ha-told", "2<Tab><Tab>G", routes_told},
    {"exits-told", ":routes exit<Enter>", routes_told},
};

static const struct {
    const char *name;
    int rows, cols;
    bool ascii;
} sizes[] = {{"-small", 16, 60, true}, {"", 24, 80, false}, {"-wide", 40, 120, false}, {"-huge", 60, 200, false}};

static void answer_all(struct rig *r, const struct told *told, int rows, int cols)
{
    /* An answer may lead to the next question, and some are asked again and again. */
    for (int round = 0; round < ROUNDS; round++) {
        rig_pass(r, 200);
        rig_draw(r, rows, cols);
        for (const struct told *t = told; t && t->asked; t++)
            rig_tell(r, t->asked, 200, t->answer);
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

/* Who takes over from a router that does not serve any more is not said: that answer is old. */
static void an_answer_about_another_router_is_not_shown(void **state)
{
    struct rig r;

    (void)state;
    rig_init(&r, 0);
    rig_keys(&r, "2<Tab><Tab>G");
    answer_all(&r, routes_told, 40, 120);
    char *screen = rig_screen(&r, 40, 120);
    assert_non_null(strstr(screen, "moves from gw-ber-2 to gw-ber-1"));
    free(screen);
    rig_json(&r, "{\"id\":\"1.41\",\"kind\":\"route.failover\",\"changed\":{\"prefixes\":[{\"prefix\":"
                 "\"192.168.7.0/24\",\"exit\":false,\"primary\":\"3\",\"primaryName\":\"gw-ber-1\",\"routers\":["
                 "{\"node\":\"3\",\"name\":\"gw-ber-1\",\"state\":\"serving\"},{\"node\":\"4\",\"name\":"
                 "\"gw-ber-2\",\"state\":\"offline\"}]}]}}");
    screen = rig_screen(&r, 40, 120);
    assert_non_null(strstr(screen, "192.168.7.0/24"));
    assert_null(strstr(screen, "moves from gw-ber-2 to gw-ber-1"));
    free(screen);
    rig_release(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(screens_are_as_they_were),
        cmocka_unit_test(an_answer_about_another_router_is_not_shown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
