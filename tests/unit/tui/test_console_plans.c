/* SPDX-License-Identifier: BSD-3-Clause */
/* What plans show before they are carried out: numbers that the server computes, warnings of its check of routes; and
 * what undo reverts of an action on several nodes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "console/model/findings.h"
#include "shared/console_rig.h"

#define TWO_APPROVED                                                                                                   \
    "{\"prefixes\":[{\"prefix\":\"172.16.0.0/12\",\"outcome\":\"served\",\"to\":\"5\",\"toName\":\"gw-fra-1\","        \
    "\"gain\":4,\"candidates\":1},{\"prefix\":\"192.168.1.0/24\",\"outcome\":\"stays\",\"from\":\"3\",\"fromName\":"   \
    "\"gw-ber-1\",\"to\":\"3\",\"toName\":\"gw-ber-1\",\"candidates\":2}],\"cutOff\":[{\"user\":\"bob\",\"prefix\":"   \
    "\"10.9.0.0/16\"}],\"viewers\":[{\"viewers\":{\"count\":4,\"names\":[\"laptop-alice\",\"nas\"]},\"online\":3,"     \
    "\"changes\":[{\"prefix\":\"172.16.0.0/12\",\"kind\":\"gains\",\"toName\":\"gw-fra-1\"}]}],\"totals\":{\"gain\":"  \
    "4,\"cutOff\":1}}"

/* The plan is there before the figures are; they say who serves, for whom what changes, and who is cut off. */
static void figures_arrive_in_a_plan_that_is_shown(void **state)
{
    struct rig r;

    (void)state;
    rig_init(&r, 0);
    rig_keys(&r, "2+waiting<Enter>a");
    assert_true(rig_shows(&r, "approve 2 routes on 2 nodes"));
    assert_true(rig_shows(&r, "asking what changes for whom"));
    assert_true(rig_tell(&r,
                         "POST /api/headway/routes/simulate {\"changes\":[{\"kind\":\"approve\",\"node\":\"5\","
                         "\"prefixes\":[\"172.16.0.0/12\"]},{\"kind\":\"approve\",\"node\":\"8\",\"prefixes\":["
                         "\"192.168.1.0/24\"]}]}",
                         200, TWO_APPROVED));
    char *screen = rig_screen(&r, 40, 120);
    static const char *const said[] = {"4 nodes gain a way, 1 user cut off",
                                       "approved, serves it",
                                       "approved, gw-ber-1 serves it",
                                       "172.16.0.0/12 is served by gw-fra-1: 4 nodes gain it; no other router is left",
                                       "192.168.1.0/24 stays with gw-ber-1",
                                       "bob is cut off: no node of this user reaches 10.9.0.0/16",
                                       "laptop-alice, nas and 2 more (3 online): gains 172.16.0.0/12"};
    for (size_t i = 0; i < sizeof(said) / sizeof(*said); i++)
        if (!strstr(screen, said[i]))
            fail_msg("'%s' is not on this screen:\n%s", said[i], screen);
    free(screen);
    rig_answer(&r, 0, 200, "{}");
    rig_answer(&r, 1, 200, "{}");
    rig_keys(&r, "<Enter>");
    assert_int_equal(r.sent.len, 4);
    rig_release(&r);
}

/* What is left out is not asked about; an answer to the older question is nobody's. */
static void leaving_out_asks_anew(void **state)
{
    struct rig r;

    (void)state;
    rig_init(&r, 0);
    rig_keys(&r, "2+waiting<Enter>a-");
    assert_int_equal(r.asked.len >= 2, 1);
    assert_true(rig_tell(&r, "\"node\":\"5\"", 200, TWO_APPROVED));
    assert_true(rig_shows(&r, "asking what changes for whom"));
    assert_true(rig_tell(&r, "{\"changes\":[{\"kind\":\"approve\",\"node\":\"8\"", 200, "{\"totals\":{}}"));
    assert_true(rig_shows(&r, "routes: no node notices"));
    rig_release(&r);
}

/* An older daemon, or a busy one: the plan says so and can be carried out. */
static void a_plan_without_figures_says_so(void **state)
{
    struct rig r;

    (void)state;
    rig_init(&r, 0);
    rig_keys(&r, "/gw-ber-1<Enter>o");
    assert_true(rig_tell(&r, "simulate", 503, "{\"error\":{\"message\":\"too busy\"}}"));
    assert_true(rig_shows(&r, "what changes for whom is not known: too busy"));
    rig_answer(&r, 0, 200, "{}");
    rig_keys(&r, "y");
    assert_int_equal(r.sent.len, 2);
    rig_release(&r);
}

#define WARNING                                                                                                        \
    "{\"prefix\":\"192.168.1.0/24\",\"node\":\"8\",\"name\":\"nas\",\"code\":\"own-network\",\"warning\":true,"        \
    "\"text\":\"laptop-bob has an address in it\"}"

/* What the dry run finds wrong with a route stands in the plan, with what to do about it. */
#define SAME(prefix)                                                                                                   \
    "{\"code\":\"no-survivor\",\"severity\":\"note\",\"node\":\"5\",\"name\":\"gw\",\"prefix\":\"" prefix              \
    "\",\"text\":\"no other router can take over\"}"

static void warnings_of_the_dry_run_stand_in_the_plan(void **state)
{
    struct rig r;

    (void)state;
    rig_init(&r, 0);
    rig_keys(&r, "2+waiting<Enter>a");
    rig_answer(&r, 1, 200, "{\"warnings\":[" WARNING "]}");
    char *screen = rig_screen(&r, 40, 120);
    assert_non_null(strstr(screen, "192.168.1.0/24 on nas: laptop-bob has an address in it; renumber one of the two"));
    free(screen);
    rig_release(&r);
}

/* What is said of several routes stands there once, and of users that are cut off one line each. */
static void the_same_of_several_is_said_once(void **state)
{
    struct rig r;

    (void)state;
    rig_init(&r, 0);
    rig_keys(&r, "2+waiting<Enter>a");
    rig_answer(&r, 0, 200, "{\"warnings\":[" SAME("10.1.0.0/16") "," SAME("10.2.0.0/16") "]}");
    rig_answer(&r, 1, 200, "{\"warnings\":[" SAME("10.3.0.0/16") "," WARNING "]}");
    assert_true(
        rig_tell(&r, "routes/simulate", 200,
                 "{\"cutOff\":[{\"user\":\"bob\",\"prefix\":\"10.9.0.0/16\"},{\"user\":\"eve\",\"prefix\":"
                 "\"10.9.0.0/16\"},{\"user\":\"bob\",\"exit\":true},{\"user\":\"bob\",\"prefix\":\"10.8.0.0/16\"}]"
                 ",\"totals\":{\"cutOff\":4}}"));
    char *screen = rig_screen(&r, 50, 120);
    static const char *const said[] = {
        "10.1.0.0/16 on gw, 10.2.0.0/16 on gw and 1 more: no other router can take over;",
        "192.168.1.0/24 on nas: laptop-bob has an address in it;",
        "bob is cut off: no node of this user reaches 10.9.0.0/16, the internet by an exit node",
        "eve is cut off: no node of this user reaches 10.9.0.0/16"};
    for (size_t i = 0; i < sizeof(said) / sizeof(*said); i++)
        if (!strstr(screen, said[i]))
            fail_msg("'%s' is not on this screen:\n%s", said[i], screen);
    free(screen);
    rig_release(&r);
}

/* A warning of one request that the next one mends is none; users are counted, not what they lose. */
static void a_plan_is_taken_as_a_whole(void **state)
{
    struct rig r;

    (void)state;
    rig_init(&r, 0);
    rig_keys(&r, "2+waiting<Enter>a");
    rig_answer(&r, 0, 200, "{\"warnings\":[" SAME("192.168.1.0/24") "]}"); /* which nas is about to serve, too */
    rig_answer(&r, 1, 200, "{\"warnings\":[]}");
    assert_true(rig_tell(&r, "routes/simulate", 200,
                         "{\"cutOff\":[{\"user\":\"bob\",\"prefix\":\"10.9.0.0/16\"},{\"user\":\"bob\",\"prefix\":"
                         "\"10.8.0.0/16\"}],\"totals\":{\"cutOff\":2}}"));
    assert_true(rig_shows(&r, "1 user cut off"));
    assert_false(rig_shows(&r, "no other router can take over"));
    rig_release(&r);
}

/* What was meant by marks on nodes is done, and the marks are gone. */
static void marks_on_nodes_go_with_their_routes(void **state)
{
    struct rig r;
    size_t hidden;

    (void)state;
    rig_init(&r, 0);
    rig_keys(&r, "+waiting<Enter>a");
    struct rows rows = {0};
    app_marked(&r.app, &rows, &hidden);
    assert_true(rows.len >= 2);
    vec_release(&rows);
    size_t tried = r.sent.len;
    for (size_t i = 0; i < tried; i++)
        rig_answer(&r, i, 200, "{}");
    rig_keys(&r, "<Enter>");
    for (size_t i = tried; i < r.sent.len; i++)
        rig_answer(&r, i, 200, "{\"event\":\"1.41\",\"inverse\":{}}");
    rows = (struct rows){0};
    app_marked(&r.app, &rows, &hidden);
    assert_int_equal(rows.len, 0);
    vec_release(&rows);
    rig_release(&r);
}

/* Targets stand in a plan as they stand on the screen, and the message names a few of many nodes. */
static void a_plan_has_the_order_of_the_screen(void **state)
{
    struct rig r;

    (void)state;
    rig_init(&r, 0);
    rig_keys(&r, "sS*x"); /* the nodes by another column, the other way round, all marked */
    rig_keys(&r, "<Esc>");
    const struct list *l = app_list(&r.app);
    struct rows rows = {0};
    app_targets(&r.app, &rows);
    assert_int_equal(rows.len, l->order.len);
    for (size_t i = 0; i < rows.len; i++)
        assert_ptr_equal(rows.items[i], l->order.items[i]);
    vec_release(&rows);
    rig_release(&r);
}

/* A route that could be approved at once is shown first where something is known to be wrong with it. */
static void a_known_warning_is_shown_before_the_approval(void **state)
{
    struct api_list found = {0};
    struct rig r;
    json_t *list = json_loads("[" WARNING "]", 0, NULL);

    (void)state;
    rig_init(&r, 0);
    assert_int_equal(api_read_list(&api_route_problem_shape, list, &found, API_FOR_TERMINAL, NULL), 0);
    json_decref(list);
    model_take_findings(&r.app.model, &found);
    rig_keys(&r, "/nas<Enter>a");
    assert_true(rig_shows(&r, "laptop-bob has an address in it"));
    assert_string_equal(r.sent.items[0].path, "/api/headway/nodes/8/routes?dry_run=true");
    rig_answer(&r, 0, 200, "{\"warnings\":[" WARNING "]}");
    rig_keys(&r, "<Enter>");
    rig_answer(&r, 1, 200, "{\"event\":\"1.41\",\"inverse\":{},\"warnings\":[" WARNING "]}");
    assert_true(rig_shows(&r, "192.168.1.0/24 approved on nas; 1 warning"));
    rig_release(&r);
}

/* Taking back is a change, too: the inverse of the event is what is asked about. */
static void undo_says_what_it_changes(void **state)
{
    struct rig r;

    (void)state;
    rig_init(&r, 0);
    rig_keys(&r, "5Gu");
    assert_string_equal(r.sent.items[0].path, "/api/headway/undo/1.40?dry_run=true");
    assert_true(rig_tell(&r, "{\"changes\":[{\"kind\":\"revoke\",\"node\":\"4\",\"prefixes\":[\"10.20.0.0/16\"]}]}",
                         200, "{\"totals\":{\"lose\":3}}"));
    assert_true(rig_shows(&r, "3 nodes lose a way"));
    rig_release(&r);
}

static void a_priority_says_who_would_serve(void **state)
{
    struct rig r;

    (void)state;
    rig_init(&r, 0);
    rig_keys(&r, "/gw-ber-2<Enter>Pb<Ctrl-U>200<Enter>");
    assert_true(
        rig_tell(&r, "{\"changes\":[{\"kind\":\"priority\",\"node\":\"4\",\"priority\":200}]}", 200,
                 "{\"prefixes\":[{\"prefix\":\"10.20.0.0/16\",\"outcome\":\"stays\",\"to\":\"3\",\"toName\":"
                 "\"gw-ber-1\",\"laterName\":\"gw-ber-2\",\"laterSeconds\":300,\"candidates\":2}],\"totals\":{}}"));
    assert_true(rig_shows(&r, "10.20.0.0/16 stays with gw-ber-1; gw-ber-2 takes over after 300 s"));
    rig_release(&r);
}

#define DONE(id) "{\"event\":\"" id "\",\"events\":[\"" id "\"],\"inverse\":{\"method\":\"POST\"}}"

/* One u takes back an action over several nodes; what could not be taken back stays to be tried again. */
static void one_undo_covers_several_nodes(void **state)
{
    struct rig r;

    (void)state;
    rig_init(&r, 0);
    rig_keys(&r, "2+waiting<Enter>a");
    rig_answer(&r, 0, 200, "{}");
    rig_answer(&r, 1, 200, "{}");
    rig_keys(&r, "<Enter>");
    rig_answer(&r, 2, 200, DONE("1.41"));
    rig_answer(&r, 3, 200, DONE("11.41"));
    assert_true(rig_shows(&r, "2 routes approved on gw-fra-1, nas"));
    rig_keys(&r, "u");
    assert_string_equal(r.sent.items[4].path, "/api/headway/undo/11.41?dry_run=true");
    assert_string_equal(r.sent.items[5].path, "/api/headway/undo/1.41?dry_run=true");
    rig_answer(&r, 4, 200, "{}");
    rig_answer(&r, 5, 200, "{}");
    rig_keys(&r, "y");
    rig_answer(&r, 6, 409, "{\"error\":{\"message\":\"changed since\"}}");
    rig_answer(&r, 7, 200, "{\"event\":\"1.50\"}");
    assert_true(rig_shows(&r, "undo: 1 of 2 done, 1 failed: changed since"));
    rig_keys(&r, "<Esc>u");
    assert_int_equal(r.sent.len, 9);
    assert_string_equal(r.sent.items[8].path, "/api/headway/undo/11.41?dry_run=true");
    rig_release(&r);
}

/* The message, and what undo says, count what happened, not what was planned. */
static void the_message_counts_what_happened(void **state)
{
    struct rig r;

    (void)state;
    rig_init(&r, 0);
    rig_keys(&r, "2+waiting<Enter>a");
    rig_answer(&r, 0, 200, "{}");
    rig_answer(&r, 1, 200, "{}");
    rig_keys(&r, "-<Enter>");
    rig_answer(&r, 2, 200, DONE("1.41"));
    assert_true(rig_shows(&r, "approve: 1 of 2 done, the rest left out"));
    rig_keys(&r, "u");
    assert_true(rig_shows(&r, "undo: \"approve: 1 of 2 done\""));
    rig_release(&r);
}

/* The form says what is set for the prefix itself; each setting that changes is a step, and a host outside is refused.
 */
static void the_settings_of_a_prefix_are_set(void **state)
{
    struct rig r;

    (void)state;
    rig_init(&r, 0);
    rig_keys(&r, "2<Tab>gi");
    assert_true(rig_shows(&r, "[priority]"));
    assert_true(rig_shows(&r, "how 10.20.0.0/16 is served"));
    rig_keys(&r, "<Tab><Tab>n<Tab>1m<Tab><Tab>10.99.0.1<Enter>");
    assert_true(rig_shows(&r, "give the address of a host within 10.20.0.0/16"));
    assert_int_equal(r.sent.len, 0);
    rig_keys(&r, "<Ctrl-U>10.20.0.5<Enter>");
    assert_string_equal(r.sent.items[0].path, "/api/headway/prefixes/10.20.0.0%2F16?dry_run=true");
    assert_string_equal(r.sent.items[0].body,
                        "{\"failback\":\"priority\",\"nearest\":true,\"holdDown\":\"1m\",\"probe\":\"10.20.0.5\","
                        "\"reset\":[\"keep\",\"failbackDelay\"]}");
    assert_true(rig_shows(&r, "probe      none \xe2\x86\x92 10.20.0.5"));
    assert_true(rig_shows(&r, "router     configured \xe2\x86\x92 nearest"));
    assert_true(rig_tell(&r,
                         "{\"changes\":[{\"kind\":\"set\",\"prefixes\":[\"10.20.0.0/16\"],\"failback\":\"priority\"",
                         200, "{\"totals\":{\"move\":40}}"));
    assert_true(rig_shows(&r, "40 nodes move"));
    rig_answer(&r, 0, 200, "{}");
    rig_keys(&r, "<Enter>");
    rig_answer(&r, 1, 200, "{\"event\":\"1.41\",\"inverse\":{}}");
    assert_true(rig_shows(&r, "settings of 10.20.0.0/16 changed"));
    rig_keys(&r, "i<Enter>");
    assert_true(rig_shows(&r, "settings: nothing to change"));
    rig_release(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(figures_arrive_in_a_plan_that_is_shown),
        cmocka_unit_test(leaving_out_asks_anew),
        cmocka_unit_test(a_plan_without_figures_says_so),
        cmocka_unit_test(warnings_of_the_dry_run_stand_in_the_plan),
        cmocka_unit_test(the_same_of_several_is_said_once),
        cmocka_unit_test(a_plan_is_taken_as_a_whole),
        cmocka_unit_test(marks_on_nodes_go_with_their_routes),
        cmocka_unit_test(a_plan_has_the_order_of_the_screen),
        cmocka_unit_test(a_known_warning_is_shown_before_the_approval),
        cmocka_unit_test(undo_says_what_it_changes),
        cmocka_unit_test(a_priority_says_who_would_serve),
        cmocka_unit_test(one_undo_covers_several_nodes),
        cmocka_unit_test(the_settings_of_a_prefix_are_set),
        cmocka_unit_test(the_message_counts_what_happened),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
