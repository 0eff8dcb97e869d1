/* SPDX-License-Identifier: BSD-3-Clause */
/* The console's view of who reaches what, without a daemon. Its screens are compared with those in
 * tests/console/golden. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/mem.h"
#include "console/policy/policy_page.h"
#include "shared/console_rig.h"

static const struct {
    const char *suffix;
    int rows, cols;
} sizes[] = {{"small", 16, 60}, {"", 24, 80}, {"wide", 40, 120}, {"huge", 60, 200}};

static size_t golden_of_all_sizes(struct rig *r, const char *name)
{
    size_t wrong = 0;

    for (size_t i = 0; i < sizeof(sizes) / sizeof(*sizes); i++) {
        char *file = mem_format("%s%s%s", name, *sizes[i].suffix ? "-" : "", sizes[i].suffix);
        wrong += !rig_golden(r, file, sizes[i].rows, sizes[i].cols);
        free(file);
    }
    return wrong;
}

static const char explained[] =
    "{\"src\":\"laptop-alice\",\"dst\":\"10.20.4.9\",\"port\":5432,\"allowed\":true,\"pairs_allowed\":1,"
    "\"pairs_denied\":0,\"steps\":[{\"ok\":true,\"text\":\"100.64.0.6 is laptop-alice, a device of alice\"},"
    "{\"ok\":true,\"text\":\"10.20.4.9 goes through gw-ber-1, which routes 10.20.0.0/16\"},"
    "{\"ok\":true,\"text\":\"grant 2 (line 17) lets group:ops reach 10.20.0.0/16\",\"line\":17}],"
    "\"rule\":{\"section\":\"grants\",\"index\":1,\"line\":17,\"source\":\"group:ops\",\"destination\":"
    "\"10.20.0.0/16\"},\"router\":\"gw-ber-1\",\"route\":\"10.20.0.0/16\"}";
static const char refused[] =
    "{\"src\":\"laptop-bob\",\"dst\":\"nas\",\"allowed\":false,\"pairs_allowed\":0,\"pairs_denied\":2,\"steps\":["
    "{\"ok\":true,\"text\":\"100.64.0.7 is laptop-bob, a device of bob\"},{\"ok\":true,\"text\":\"100.64.0.8 is "
    "nas\"},{\"ok\":false,\"text\":\"laptop-bob and nas do not see each other\"},{\"ok\":false,\"text\":\"the closest "
    "rule is grant 1 (line 6): it opens nas, but not to this source\",\"line\":6}],\"nearest\":{\"line\":6},"
    "\"node\":\"nas\"}";

static void a_path_is_asked_for_and_shown(void **state)
{
    struct rig r;
    size_t wrong = 0;

    (void)state;
    rig_init(&r, 0);
    rig_keys(&r, "3");
    wrong += golden_of_all_sizes(&r, "reach-empty");
    rig_keys(&r, "=laptop-alice 10.20.4.9:5432<Enter>");
    assert_string_equal(r.sent.items[rig_last(&r)].path,
                        "/api/headway/explain?src=laptop-alice&dst=10.20.4.9&port=5432");
    rig_answer(&r, rig_last(&r), 200, explained);
    assert_true(rig_tell(&r, "/api/headway/explain?src=10.20.4.9&dst=laptop-alice", 200, refused));
    assert_true(rig_shows(&r, "the other way"));
    assert_true(rig_shows(&r, "the closest rule is grant 1 (line 6): it opens nas, but not"));
    wrong += golden_of_all_sizes(&r, "reach-path");
    rig_keys(&r, "=<Ctrl-U>laptop-bob nas<Enter>");
    rig_answer(&r, rig_last(&r), 200, refused);
    assert_false(rig_shows(&r, "the other way"));
    wrong += golden_of_all_sizes(&r, "reach-refused");
    assert_int_equal(wrong, 0);
    rig_release(&r);
}

/* The row under the cursor fills the end that it can be. */
static void the_cursor_fills_source_or_destination(void **state)
{
    struct rig r;

    (void)state;
    rig_init(&r, 0);
    rig_keys(&r, "/laptop-alice<Enter>=nas<Enter>");
    assert_string_equal(r.sent.items[rig_last(&r)].path, "/api/headway/explain?src=laptop-alice&dst=nas");
    rig_keys(&r, "2<Tab>=laptop-bob<Enter>");
    assert_string_equal(r.sent.items[rig_last(&r)].path, "/api/headway/explain?src=laptop-bob&dst=10.20.0.0%2F16");
    rig_keys(&r, "i");
    assert_string_equal(r.sent.items[rig_last(&r)].path, "/api/headway/explain?src=10.20.0.0%2F16&dst=laptop-bob");
    rig_release(&r);
}

static void a_step_leads_to_the_line_of_the_policy(void **state)
{
    struct rig r;

    (void)state;
    rig_init(&r, 0);
    rig_keys(&r, ":explain laptop-alice 10.20.4.9:5432<Enter>");
    rig_answer(&r, rig_last(&r), 200, explained);
    rig_draw(&r, 24, 80);
    rig_keys(&r, "<Enter>");
    assert_true(rig_shows(&r, "this step is not about a line of the policy"));
    rig_keys(&r, "G<Enter>");
    assert_ptr_equal(r.app.place.view, &policy_view);
    rig_release(&r);
}

static void what_the_server_refuses_is_said(void **state)
{
    struct rig r;

    (void)state;
    rig_init(&r, 0);
    rig_keys(&r, ":explain nobody nas<Enter>");
    rig_answer(&r, rig_last(&r), 404, "{\"error\":{\"message\":\"\\\"nobody\\\" is no node\"}}");
    assert_true(rig_shows(&r, "\"nobody\" is no node"));
    rig_keys(&r, ":explain laptop-alice<Enter>");
    assert_true(rig_shows(&r, "give a source and a destination"));
    rig_release(&r);
}

/* ---- matrix and lists ---- */

static const char matrix[] =
    "{\"rows\":[{\"kind\":\"group\",\"name\":\"group:ops\",\"nodes\":3,\"online\":2},{\"kind\":\"tag\",\"name\":"
    "\"tag:ci\",\"nodes\":1,\"online\":1},{\"kind\":\"user\",\"name\":\"alice\",\"nodes\":2,\"online\":2},{\"kind\":"
    "\"user\",\"name\":\"evil\\u001b[31m\",\"nodes\":1,\"online\":0}],\"columns\":[{\"kind\":\"tag\",\"name\":\"tag:"
    "db\","
    "\"nodes\":2,\"online\":2},{\"kind\":\"tag\",\"name\":\"tag:router\",\"nodes\":4,\"online\":3},{\"kind\":\"user\","
    "\"name\":\"alice\",\"nodes\":2,\"online\":2},{\"kind\":\"prefix\",\"name\":\"10.20.0.0/"
    "16\",\"nodes\":0,\"online\":0},"
    "{\"kind\":\"exit\",\"name\":\"office-exit\",\"nodes\":1,\"online\":1}],\"rows_total\":4,\"columns_total\":90,"
    "\"incomplete\":false,\"cells\":[{\"row\":0,\"column\":0,\"all\":true,\"what\":[\"any\"],\"line\":5,\"from\":"
    "\"laptop-alice\",\"to\":\"db-1\"},{\"row\":0,\"column\":3,\"all\":true,\"what\":[\"tcp 22\",\"tcp "
    "443\"],\"line\":7,"
    "\"from\":\"laptop-alice\",\"router\":\"gw-ber-1\"},{\"row\":1,\"column\":1,\"all\":false,\"what\":[\"53\"],"
    "\"line\":9,"
    "\"from\":\"build-01\",\"to\":\"gw-ber-2\"},{\"row\":2,\"column\":4,\"all\":true,\"what\":[\"any\"],\"line\":11,"
    "\"from\":\"laptop-alice\",\"router\":\"office-exit\"},{\"row\":99,\"column\":99,\"all\":true,\"what\":[\"any\"]}]"
    "}";

static bool last_path_is(struct rig *r, const char *path)
{
    bool same = str_eq(r->sent.items[rig_last(r)].path, path);

    if (!same)
        fprintf(stderr, "asked for %s\n", r->sent.items[rig_last(r)].path);
    return same;
}

static void open_matrix(struct rig *r)
{
    rig_init(r, 0);
    rig_keys(r, "3<Tab>");
    assert_true(last_path_is(r, "/api/headway/reach?rows=200&columns=60&from=groups%2Ctags%2Cusers&"
                                "to=groups%2Ctags%2Cusers%2Cprefixes%2Cexits"));
    rig_answer(r, rig_last(r), 200, matrix);
    rig_draw(r, 24, 80);
}

static void all_against_all_is_a_matrix(void **state)
{
    struct rig r;
    size_t wrong = 0;

    (void)state;
    open_matrix(&r);
    wrong += golden_of_all_sizes(&r, "reach-matrix");
    rig_keys(&r, "lll"); /* the network */
    assert_true(rig_shows(&r, "tcp 22, tcp 443, line 7"));
    rig_keys(&r, "h");
    assert_true(rig_shows(&r, "no rule opens it"));
    rig_keys(&r, "/alice<Enter>");
    assert_true(rig_shows(&r, "1 of 4"));
    rig_draw(&r, 24, 80);
    wrong += golden_of_all_sizes(&r, "reach-matrix-filter");
    assert_int_equal(wrong, 0);
    rig_release(&r);
}

/* From many to their nodes, and back. */
static void a_cell_is_opened_to_its_members(void **state)
{
    struct rig r;

    (void)state;
    open_matrix(&r);
    rig_keys(&r, "<Enter>");
    assert_true(last_path_is(&r, "/api/headway/reach?rows=200&columns=60&from=nodes&to=nodes&from_in=group%3Aops&"
                                 "to_in=tag%3Adb"));
    rig_answer(&r, rig_last(&r), 200, matrix);
    rig_keys(&r, "<Esc>");
    assert_true(last_path_is(&r, "/api/headway/reach?rows=200&columns=60&from=groups%2Ctags%2Cusers&"
                                 "to=groups%2Ctags%2Cusers%2Cprefixes%2Cexits"));
    rig_answer(&r, rig_last(&r), 200, matrix);
    rig_draw(&r, 24, 80);
    rig_keys(&r, "b");
    assert_true(last_path_is(&r, "/api/headway/reach?rows=200&columns=60&from=tags&to=tags%2Cprefixes%2Cexits"));
    rig_release(&r);
}

/* w: the chain behind a cell, by the nodes that it is true for; of a refusal by its ends. */
static void a_cell_is_explained(void **state)
{
    struct rig r;

    (void)state;
    open_matrix(&r);
    rig_keys(&r, "w");
    assert_true(last_path_is(&r, "/api/headway/explain?src=laptop-alice&dst=tag%3Adb"));
    rig_keys(&r, "[lw");
    assert_true(last_path_is(&r, "/api/headway/explain?src=group%3Aops&dst=tag%3Arouter"));
    rig_keys(&r, "[jjlllw");
    assert_true(last_path_is(&r, "/api/headway/explain?src=laptop-alice&dst=autogroup%3Ainternet"));
    rig_release(&r);
}

static void the_line_that_opens_a_cell_is_shown(void **state)
{
    struct rig r;

    (void)state;
    open_matrix(&r);
    rig_keys(&r, "l"); /* nothing opens this one */
    rig_keys(&r, "e");
    assert_true(rig_shows(&r, "no line of the policy opens it"));
    rig_keys(&r, "he");
    assert_true(rig_shows(&r, "[4 Policy]"));
    rig_release(&r);
}

static void one_against_all_is_a_list(void **state)
{
    struct rig r;
    size_t wrong = 0;

    (void)state;
    rig_init(&r, 0);
    rig_keys(&r, "3<Tab><Tab>=alice<Enter>");
    assert_true(last_path_is(&r, "/api/headway/reach?rows=1&columns=1000&from=alice&"
                                 "to=users%2Cgroups%2Ctags%2Cnodes%2Cprefixes%2Cexits"));
    rig_answer(&r, rig_last(&r), 200, matrix);
    rig_draw(&r, 24, 80);
    wrong += golden_of_all_sizes(&r, "reach-from");
    rig_keys(&r, "/is:open<Enter>");
    assert_true(rig_shows(&r, "4 of 5"));
    rig_keys(&r, "w");
    assert_true(last_path_is(&r, "/api/headway/explain?src=build-01&dst=tag%3Arouter"));
    rig_keys(&r, ":reach to<Enter>");
    assert_true(last_path_is(&r, "/api/headway/reach?rows=1000&columns=1&from=users%2Cgroups%2Ctags%2Cnodes&"
                                 "to=tag%3Arouter"));
    rig_answer(&r, rig_last(&r), 404, "{\"error\":{\"message\":\"nobody is called so\"}}");
    assert_true(rig_shows(&r, "nobody is called so"));
    rig_answer(&r, rig_last(&r), 200, "{}"); /* nobody waits for it any more */
    rig_keys(&r, "r");
    rig_answer(&r, rig_last(&r), 200, matrix);
    rig_draw(&r, 24, 80);
    wrong += golden_of_all_sizes(&r, "reach-to");
    assert_int_equal(wrong, 0);
    rig_release(&r);
}

static void an_answer_is_copied_as_a_test_of_the_policy(void **state)
{
    struct rig r;

    (void)state;
    rig_init(&r, 0);
    rig_keys(&r, ":explain laptop-alice nas:22<Enter>");
    rig_answer(&r, rig_last(&r), 200, explained);
    rig_keys(&r, "y");
    assert_string_equal(r.app.clipboard, "{\"src\":\"laptop-alice\",\"accept\":[\"nas:22\"]}");
    rig_release(&r);
}

static const char near[] =
    "{\"nodes\":1,\"total\":3,\"incomplete\":false,\"neighbours\":[{\"kind\":\"node\",\"name\":\"nas\",\"online\":true,"
    "\"out\":[\"22\",\"tcp "
    "443\"],\"in\":[],\"out_line\":6,\"in_line\":0,\"out_all\":true,\"in_all\":false,\"router\":null},"
    "{\"kind\":\"node\",\"name\":\"laptop-bob\",\"online\":false,\"out\":[],\"in\":[\"any\"],\"out_line\":0,\"in_"
    "line\":7,"
    "\"out_all\":false,\"in_all\":true,\"router\":null},{\"kind\":\"prefix\",\"name\":\"10.20.0.0/16\",\"online\":true,"
    "\"out\":[\"any\"],\"in\":[],\"out_line\":8,\"in_line\":0,\"out_all\":true,\"in_all\":false,\"router\":\"gw-ber-"
    "1\"}]}";

/* Both directions of each pair; the way back is asked about where there is none there. */
static void neighbours_are_listed_both_ways(void **state)
{
    struct rig r;
    size_t wrong = 0;

    (void)state;
    rig_init(&r, 0);
    rig_keys(&r, "/laptop-alice<Enter>e");
    assert_string_equal(r.sent.items[rig_last(&r)].path, "/api/headway/reach/neighbours?limit=1000&of=laptop-alice");
    rig_answer(&r, rig_last(&r), 200, near);
    wrong += golden_of_all_sizes(&r, "reach-neighbours");
    rig_keys(&r, "/in:any<Enter>w");
    assert_string_equal(r.sent.items[rig_last(&r)].path, "/api/headway/explain?src=laptop-bob&dst=laptop-alice");
    rig_keys(&r, ":reach neighbours<Enter>=<Ctrl-U>gw-ber-1<Enter>");
    assert_string_equal(r.sent.items[rig_last(&r)].path, "/api/headway/reach/neighbours?limit=1000&of=gw-ber-1");
    rig_answer(&r, rig_last(&r), 404, "{\"error\":{\"code\":\"missing\",\"message\":\"no such thing\"}}");
    assert_true(rig_shows(&r, "no such thing"));
    assert_int_equal(wrong, 0);
    rig_release(&r);
}

static const char changes[] =
    "{\"allowed\":true,\"complete\":true,\"back_to\":\"2026-03-01T09:00:00Z\",\"changes\":[{\"time\":"
    "\"2026-03-03T09:14:00Z\",\"allowed\":true,\"fact\":\"grant 2 (line 17) lets group:ops reach "
    "10.20.0.0/16\",\"line\":17,"
    "\"event\":\"1.37\",\"actor\":\"alice\",\"text\":\"The policy was changed (+1 "
    "grant)\"},{\"time\":\"2026-03-01T09:00:00Z\","
    "\"allowed\":false,\"fact\":\"no rule has it as a "
    "destination\",\"line\":0,\"event\":null,\"actor\":null,\"text\":null}]}";

/* Since when a pair has its way: asked once for a pair, with the entry of the journal a key away, and the moment. */
static void a_pair_has_a_history(void **state)
{
    struct rig r;
    size_t wrong = 0;

    (void)state;
    rig_init(&r, 0);
    rig_keys(&r, "3");
    rig_keys(&r, ":reach history<Enter>");
    assert_true(rig_shows(&r, "= asks whether one reaches another; here it stands since when"));
    rig_keys(&r, "=laptop-alice 10.20.4.9:22<Enter>");
    assert_string_equal(r.sent.items[rig_last(&r)].path,
                        "/api/headway/reach/history?src=laptop-alice&dst=10.20.4.9&port=22");
    size_t asked = r.sent.len;
    rig_answer(&r, rig_last(&r), 200, changes);
    wrong += golden_of_all_sizes(&r, "reach-history");
    rig_keys(&r, "<Down>");
    assert_true(rig_shows(&r, "no rule has it as a destination"));
    assert_true(rig_shows(&r, "why it was not"));
    rig_keys(&r, "<Enter>");
    assert_true(rig_shows(&r, "no entry of the journal belongs to it"));
    rig_keys(&r, "<Up><Enter>");
    assert_int_equal(r.app.place.view->digit, '5');
    assert_string_equal(app_list(&r.app)->filter_text, "1.37");
    rig_keys(&r, "<Esc>3:reach history<Enter>");
    assert_int_equal(r.sent.len, asked); /* it is known */
    rig_keys(&r, "b");
    assert_non_null(strstr(r.sent.items[rig_last(&r)].path, "/api/headway/state?at=2026-03-03T09:13:59.999Z"));
    assert_int_equal(wrong, 0);
    rig_release(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_path_is_asked_for_and_shown),
        cmocka_unit_test(neighbours_are_listed_both_ways),
        cmocka_unit_test(a_pair_has_a_history),
        cmocka_unit_test(the_cursor_fills_source_or_destination),
        cmocka_unit_test(a_step_leads_to_the_line_of_the_policy),
        cmocka_unit_test(what_the_server_refuses_is_said),
        cmocka_unit_test(all_against_all_is_a_matrix),
        cmocka_unit_test(a_cell_is_opened_to_its_members),
        cmocka_unit_test(a_cell_is_explained),
        cmocka_unit_test(the_line_that_opens_a_cell_is_shown),
        cmocka_unit_test(one_against_all_is_a_list),
        cmocka_unit_test(an_answer_is_copied_as_a_test_of_the_policy),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
