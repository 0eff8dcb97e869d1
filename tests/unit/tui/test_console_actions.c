/* SPDX-License-Identifier: BSD-3-Clause */
/* Actions from the key to the call and back: what is sent, what is shown before, the effect of a refusal and a
 * conflict. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/array.h"
#include "base/mem.h"
#include "console/views/nodes.h"
#include "shared/console_rig.h"

#define ROUTE_ANSWER                                                                                                   \
    "{\"event\":\"1.41\",\"version\":9,\"inverse\":{\"method\":\"POST\"},\"result\":{\"id\":\"8\",\"givenName\":"      \
    "\"nas\","                                                                                                         \
    "\"online\":true,\"version\":9,\"routes\":[{\"prefix\":\"192.168.1.0/"                                             \
    "24\",\"state\":\"serving\",\"primary\":\"8\","                                                                    \
    "\"primaryName\":\"nas\"}]}}"

static void approve_is_sent_at_once_and_shown_after_the_answer(void **state)
{
    struct rig r;

    (void)state;
    rig_init(&r, 0);
    rig_keys(&r, "/nas<Enter>a");
    assert_int_equal(r.sent.len, 1);
    assert_string_equal(r.sent.items[0].method, "POST");
    assert_string_equal(r.sent.items[0].path, "/api/headway/nodes/8/routes");
    assert_string_equal(r.sent.items[0].body, "{\"approve\":[\"192.168.1.0/24\"]}");
    assert_int_equal(r.sent.items[0].version, 18);
    const struct m_node *nas = model_find(&r.app.model, ROW_NODE, "8");
    assert_int_equal(nas->waiting, 1); /* nothing is shown before the server said so */
    rig_answer(&r, 0, 200, ROUTE_ANSWER);
    assert_int_equal(nas->waiting, 0);
    assert_true(rig_shows(&r, "192.168.1.0/24 approved on nas"));
    assert_true(rig_shows(&r, "u undo ("));
    rig_keys(&r, "<Esc>u");
    assert_string_equal(r.sent.items[1].path, "/api/headway/undo/1.41?dry_run=true");
    rig_answer(&r, 1, 200, "{}");
    rig_keys(&r, "y");
    assert_string_equal(r.sent.items[2].path, "/api/headway/undo/1.41");
    rig_answer(&r, 2, 200, "{\"event\":\"1.42\"}");
    assert_true(rig_shows(&r, "undone: \"192.168.1.0/24 approved on nas\""));
    rig_keys(&r, "u");
    assert_true(rig_shows(&r, "nothing to undo"));
    rig_release(&r);
}

static void a_change_without_an_answer_is_shown_as_sent_with_its_age(void **state)
{
    struct rig r;

    (void)state;
    rig_init(&r, 0);
    rig_keys(&r, "/nas<Enter>a");
    assert_false(rig_shows(&r, "no answer yet"));
    rig_pass(&r, 3000);
    assert_true(rig_shows(&r, "sent 3s ago: approve"));
    assert_true(rig_shows(&r, "no answer yet"));
    rig_keys(&r, "q");
    assert_false(r.app.quit);
    struct reply none = {.e = {.code = ERR_TIMEOUT, .message = "too late"}, .unknown = true};
    app_reply(&r.app, r.sent.items[0].id, &none);
    assert_false(rig_shows(&r, "no answer yet"));
    assert_true(rig_shows(&r, "approve: no answer, it may have been done: look first (too late)"));
    rig_release(&r);
}

static void what_is_read_while_it_arrives_is_shown_and_not_acted_on(void **state)
{
    static const char *const names[] = {"b-1", "c-1", "a-1"}, *const ids[] = {"1", "2", "3"};
    struct rig r;

    (void)state;
    rig_init(&r, 0);
    app_reset(&r.app);
    rig_draw(&r, 24, 80);
    assert_true(rig_shows(&r, "not read yet"));
    app_connection(&r.app, CONN_LOADING, "", 0);
    for (size_t i = 0; i < 3; i++) {
        struct model_delta d = {.begins = i == 0, .expected = i == 0 ? 3 : 0};
        json_t *node = json_pack("{s:s, s:s}", "id", ids[i], "givenName", names[i]);

        assert_int_equal(decode_snapshot_piece("nodes", node, &d, NULL), 0);
        json_decref(node);
        app_delta(&r.app, &d);
        rig_draw(&r, 24, 80);
        assert_true(rig_shows(&r, names[i]));
        if (i == 0)
            assert_true(rig_shows(&r, "reading: 1 of 3 nodes"));
        /* Nobody has moved: the cursor is on the first row, whichever that is by now. */
        assert_string_equal(rig_cursor(&r), i < 2 ? "1" : "3");
    }
    assert_true(rig_shows(&r, "LOADING"));
    rig_keys(&r, "jx");
    assert_true(rig_shows(&r, "the tailnet is still being read"));
    assert_string_equal(rig_cursor(&r), "1");
    rig_keys(&r, "2");
    assert_true(rig_shows(&r, "not read yet"));
    struct model_delta end = {.ends = true};
    app_delta(&r.app, &end);
    app_connection(&r.app, CONN_LIVE, "", 0);
    assert_false(rig_shows(&r, "not read yet"));
    assert_true(r.app.model.filled);
    rig_release(&r);
}

/* A connection that breaks in the middle of the first snapshot: what came is shown as what it is. */
static void half_a_snapshot_says_so_and_the_next_one_replaces_it(void **state)
{
    struct rig r;

    (void)state;
    rig_init(&r, 0);
    app_reset(&r.app);
    for (int turn = 0; turn < 2; turn++) {
        struct model_delta d = {.begins = true, .expected = 2};
        json_t *node = json_pack("{s:s, s:s}", "id", turn ? "2" : "1", "givenName", turn ? "second" : "first");

        app_connection(&r.app, CONN_LOADING, "", 0);
        assert_int_equal(decode_snapshot_piece("nodes", node, &d, NULL), 0);
        json_decref(node);
        app_delta(&r.app, &d);
        if (turn == 0) {
            app_connection(&r.app, CONN_DOWN, "cut off", 2000);
            assert_true(rig_shows(&r, "only 1 of 2 nodes; retry 2 in 2s"));
            assert_true(rig_shows(&r, "first"));
        }
    }
    struct model_delta end = {.ends = true};
    app_delta(&r.app, &end);
    app_connection(&r.app, CONN_LIVE, "", 0);
    rig_pass(&r, 10000);
    rig_draw(&r, 24, 80);
    assert_true(rig_shows(&r, "second"));
    assert_false(rig_shows(&r, "first"));
    rig_release(&r);
}

static void silence_is_late_after_two_signs_of_life(void **state)
{
    struct rig r;

    (void)state;
    rig_init(&r, 0);
    app_heard(&r.app, r.now_ms);
    rig_pass(&r, 2 * API_ALIVE_MS);
    rig_draw(&r, 24, 80);
    assert_true(rig_shows(&r, "LIVE"));
    rig_pass(&r, 3000);
    rig_draw(&r, 24, 80);
    assert_true(rig_shows(&r, "LATE"));
    assert_true(rig_shows(&r, "no sign of life for 13s"));
    app_connection(&r.app, CONN_DOWN, "gone", 4000);
    rig_pass(&r, 2000);
    rig_draw(&r, 24, 80);
    assert_true(rig_shows(&r, "data of 14:03:00, 15s old, changes are disabled; retry 2 in 2s"));
    rig_release(&r);
}

static void several_targets_show_a_plan_first(void **state)
{
    struct rig r;

    (void)state;
    rig_init(&r, 0);
    rig_keys(&r, "2+waiting<Enter>a");
    assert_true(rig_shows(&r, "approve 2 routes on 2 nodes"));
    assert_int_equal(r.sent.len, 2);
    assert_true(str_ends(r.sent.items[0].path, "/routes?dry_run=true"));
    rig_keys(&r, "<Enter>");
    assert_int_equal(r.sent.len, 2); /* the server has not answered what it would do */
    rig_answer(&r, 0, 200, "{}");
    rig_answer(&r, 1, 409, "{\"error\":{\"code\":\"conflict\",\"message\":\"no longer advertised\"}}");
    assert_true(rig_shows(&r, "no longer advertised"));
    rig_keys(&r, "<Enter>");
    assert_int_equal(r.sent.len, 3); /* the refused one is left out */
    assert_false(str_ends(r.sent.items[2].path, "dry_run=true"));
    rig_answer(&r, 2, 200, "{\"event\":\"1.50\",\"inverse\":{}}");
    assert_true(rig_shows(&r, "approve: 1 of 2 done"));
    rig_release(&r);
}

/* Who confirms sees that there is more than what has room, and gets there. */
static void a_long_plan_says_how_much_of_it_is_below(void **state)
{
    struct rig r;

    (void)state;
    rig_init(&r, 40);
    rig_keys(&r, "/node-<Enter>*x");
    assert_true(rig_shows(&r, "expire 28 nodes"));
    assert_true(rig_shows(&r, "Down "));
    for (int i = 0; i < 40; i++)
        rig_keys(&r, "<Down>");
    assert_false(rig_shows(&r, "Down "));
    rig_release(&r);
}

static void escape_leaves_a_plan_without_a_trace(void **state)
{
    struct rig r;

    (void)state;
    rig_init(&r, 0);
    rig_keys(&r, "Px");
    assert_int_equal(r.sent.len, 1);
    rig_keys(&r, "<Esc>");
    assert_null(r.app.plans);
    rig_answer(&r, 0, 200, "{}"); /* an answer that comes late is nobody's */
    rig_keys(&r, "<Enter>y");
    assert_int_equal(r.sent.len, 1);
    rig_release(&r);
}

static void a_conflict_is_said_and_the_new_state_shown(void **state)
{
    struct rig r;

    (void)state;
    rig_init(&r, 0);
    rig_keys(&r, "/nas<Enter>n<Ctrl-U>storage<Enter>");
    assert_string_equal(r.sent.items[0].path, "/api/headway/nodes/8/rename");
    assert_string_equal(r.sent.items[0].body, "{\"name\":\"storage\"}");
    rig_answer(&r, 0, 412,
               "{\"error\":{\"code\":\"precondition\",\"message\":\"changed\"},\"current\":{\"id\":\"8\",\"givenName\":"
               "\"attic\",\"version\":30}}");
    assert_true(rig_shows(&r, "it was changed by somebody else"));
    assert_string_equal(((struct m_node *)model_find(&r.app.model, ROW_NODE, "8"))->api.given_name, "attic");
    rig_release(&r);
}

static void delete_wants_the_name(void **state)
{
    struct rig r;

    (void)state;
    rig_init(&r, 0);
    rig_keys(&r, "/nas<Enter>d");
    rig_answer(&r, 0, 200, "{}");
    rig_keys(&r, "na<Enter>");
    assert_int_equal(r.sent.len, 1);
    assert_true(rig_shows(&r, "type nas first"));
    rig_keys(&r, "s<Enter>");
    assert_int_equal(r.sent.len, 2);
    assert_string_equal(r.sent.items[1].method, "DELETE");
    assert_string_equal(r.sent.items[1].path, "/api/headway/nodes/8");
    rig_answer(&r, 1, 200, "{\"event\":\"1.60\"}");
    assert_true(rig_shows(&r, "nas deleted"));
    rig_release(&r);
}

/* What waits to join is no node: it is neither deleted nor expired, nor counted; nor is a key that has ended. */
static void what_a_change_does_not_apply_to_is_left_out(void **state)
{
    struct rig r;

    (void)state;
    rig_init(&r, 0);
    rig_keys(&r, "/is:pending|name:nas<Enter>*d");
    assert_true(rig_shows(&r, "delete nas"));
    assert_true(rig_shows(&r, "1 registration is left out"));
    assert_int_equal(r.sent.len, 1);
    rig_keys(&r, "<Esc>\\/<Ctrl-U>is:pending<Enter>d");
    assert_true(rig_shows(&r, "delete: it is not a node yet"));
    assert_int_equal(r.sent.len, 1);
    rig_json(&r, "{\"changed\":{\"apiKeys\":[{\"id\":\"7\",\"prefix\":\"abc\",\"expiration\":"
                 "\"2026-03-03T13:03:00Z\"}]}}");
    rig_keys(&r, "7<Tab>:expire 7<Enter>");
    assert_true(rig_shows(&r, "expire: it has expired already"));
    rig_keys(&r, "w");
    assert_true(rig_shows(&r, "expired        1h ago"));
    rig_release(&r);
}

static void a_registration_is_approved_for_a_user(void **state)
{
    struct rig r;

    (void)state;
    rig_init(&r, 0);
    rig_keys(&r, "8a");
    assert_true(rig_shows(&r, "hskey-authreq-0123456789abcdef01234567"));
    rig_keys(&r, "bo<Enter>");
    assert_string_equal(r.sent.items[0].path, "/api/headway/pending/hskey-authreq-0123456789abcdef01234567/approve");
    assert_string_equal(r.sent.items[0].body, "{\"user\":\"2\"}");
    assert_null(r.app.dialog);
    rig_release(&r);
}

static void make_primary_names_both(void **state)
{
    struct rig r;

    (void)state;
    rig_init(&r, 0);
    rig_keys(&r, "2/node:gw-ber-2<Enter>");
    rig_keys(&r, "jf");
    assert_true(rig_shows(&r, "make gw-ber-2 primary for 10.20.0.0/16"));
    assert_true(rig_shows(&r, "served by gw-ber-1"));
    assert_string_equal(r.sent.items[0].path, "/api/headway/prefixes/10.20.0.0%2F16/primary?dry_run=true");
    rig_answer(&r, 0, 200, "{}");
    rig_keys(&r, "y");
    assert_string_equal(r.sent.items[1].body, "{\"node\":\"4\"}");
    rig_release(&r);
}

static void without_a_connection_nothing_is_changed(void **state)
{
    struct rig r;

    (void)state;
    rig_init(&r, 0);
    app_connection(&r.app, CONN_DOWN, "nobody listens", 5000);
    rig_keys(&r, "/nas<Enter>a");
    assert_int_equal(r.sent.len, 0);
    assert_true(rig_shows(&r, "approve: not connected"));
    assert_true(rig_shows(&r, "0s old, changes are disabled"));
    app_connection(&r.app, CONN_LIVE, "", 0);
    app_whoami(&r.app, "alice", true);
    rig_keys(&r, "a");
    assert_int_equal(r.sent.len, 0);
    assert_true(rig_shows(&r, "your API key is read-only"));
    assert_true(rig_shows(&r, "READ-ONLY"));
    rig_release(&r);
}

static void frozen_shows_the_past_and_thaws(void **state)
{
    struct rig r;

    (void)state;
    rig_init(&r, 0);
    rig_keys(&r, "z");
    rig_json(&r, "{\"node\":{\"id\":\"700\",\"givenName\":\"aaa\",\"online\":true}}");
    assert_true(rig_shows(&r, "FROZEN, 1 change waiting"));
    assert_null(model_find(&r.app.model, ROW_NODE, "700"));
    rig_keys(&r, "z");
    assert_non_null(model_find(&r.app.model, ROW_NODE, "700"));
    rig_release(&r);
}

static void click_on(struct rig *r, const char *text, int clicks)
{
    char *screen = rig_screen(r, 24, 80), *line = screen;

    for (int row = 0; line && *line; row++) {
        size_t len = strcspn(line, "\n");
        char *found = memmem(line, len, text, strlen(text));

        if (found) {
            wchar_t rune;
            int col = 0;

            for (const char *at = line; at < found; col++)
                at += utf8_next(at, &rune);
            app_click(&r->app, row, col, clicks);
            free(screen);
            return;
        }
        line += len + (line[len] == '\n');
    }
    fail_msg("'%s' is not on the screen", text);
}

static void the_mouse_does_what_keys_do(void **state)
{
    struct rig r;

    (void)state;
    rig_init(&r, 0);
    click_on(&r, "gw-fra-1", 1);
    assert_string_equal(rig_cursor(&r), "5");
    click_on(&r, "SEEN", 1);
    assert_string_equal(view_list(&r.app, &nodes_view, 0)->def->columns[view_list(&r.app, &nodes_view, 0)->sort].key,
                        "seen");
    click_on(&r, "gw-fra-1", 1);
    assert_string_equal(r.app.place.view->name, "node"); /* the second click opens */
    click_on(&r, "2 Routes", 1);
    assert_string_equal(r.app.place.view->name, "routes");
    app_wheel(&r.app, 3);
    assert_int_equal(list_position(app_list(&r.app)), 3);
    click_on(&r, "? help", 1); /* no hit: nothing happens */
    click_on(&r, "w why", 1);
    assert_non_null(r.app.dialog);
    rig_release(&r);
}

static void the_prompt_completes_and_remembers(void **state)
{
    struct rig r;

    (void)state;
    rig_init(&r, 0);
    rig_keys(&r, ":node gw-f<Tab><Enter>");
    assert_string_equal(r.app.place.view->name, "node");
    assert_string_equal(r.app.place.node, "5");
    rig_keys(&r, "<Esc>:<Up>");
    assert_string_equal(line_text(&r.app.prompt.line), "node gw-fra-1");
    rig_keys(&r, "<Esc>:sort ow<Tab><Enter>");
    assert_true(rig_shows(&r, "sorted by owner"));
    rig_keys(&r, ":nosuch<Enter>");
    assert_true(rig_shows(&r, "there is no command 'nosuch'"));
    rig_keys(&r, ":set theme light<Enter>");
    assert_int_equal(r.app.theme, THEME_LIGHT);
    rig_keys(&r, ":routes prefix 192<Enter>");
    rig_draw(&r, 24, 80);
    assert_string_equal(app_part(&r.app)->name, "prefix");
    assert_int_equal(app_list(&r.app)->order.len, 1);
    rig_keys(&r, ":q<Enter>");
    assert_true(r.app.quit);
    rig_release(&r);
}

/* The row that is named is acted on, wherever the cursor is; what cannot be meant is refused. */
static void a_name_after_a_command_selects_the_row(void **state)
{
    struct rig r;

    (void)state;
    rig_init(&r, 0);
    rig_keys(&r, ":delete nas<Enter>");
    assert_true(rig_shows(&r, "delete nas"));
    rig_keys(&r, "<Esc>:approve nas<Enter>");
    assert_string_equal(r.sent.items[rig_last(&r)].body, "{\"approve\":[\"192.168.1.0/24\"]}");
    size_t sent = r.sent.len;
    rig_keys(&r, ":delete nobody<Enter>");
    assert_true(rig_shows(&r, "delete: 'nobody' is not in this list"));
    rig_keys(&r, "g<Space>:delete nas<Enter>");
    assert_true(rig_shows(&r, "delete: other rows are marked"));
    rig_keys(&r, "\\:repaint now<Enter>");
    assert_true(rig_shows(&r, "repaint takes no argument"));
    rig_keys(&r, "2:revoke 10.20.0.0/16<Enter>");
    assert_true(rig_shows(&r, "means several rows"));
    assert_int_equal(r.sent.len, sent);
    rig_keys(&r, ":revoke gw-ber-2 10.20.0.0/16<Enter>");
    assert_true(rig_shows(&r, "revoke 10.20.0.0/16 on gw-ber-2"));
    rig_release(&r);
}

/* One action is one event of the journal, whatever it held; taking it back takes back all of it. */
static void entry(struct rig *r, const char *id, const char *kind, const char *inverse, const char *undone_by)
{
    char *json = mem_format("{\"id\":\"%s\",\"time\":\"2026-03-03T14:02:00Z\",\"kind\":\"%s\",\"actor\":\"bob\","
                            "\"object\":\"node\",\"objectId\":\"9\",\"objectName\":\"nas\",\"text\":\"entry %s\","
                            "\"inverse\":{\"method\":\"POST\",%s},\"undoneBy\":%s%s%s}",
                            id, kind, id, inverse, *undone_by ? "\"" : "null", undone_by, *undone_by ? "\"" : "");

    rig_json(r, json);
    free(json);
}

/* What somebody changed again after the entry would be lost: the question says so. */
static void undoing_over_a_later_change_says_so(void **state)
{
    static const char name[] = "\"path\":\"/n/9/rename\",\"body\":{\"name\":\"x\"}",
                      again[] = "\"path\":\"/n/9/rename\",\"body\":{\"name\":\"y\"}",
                      tags[] = "\"path\":\"/n/9/tags\",\"body\":{\"tags\":[]}",
                      revoke[] = "\"path\":\"/n/9/routes\",\"body\":{\"revoke\":[\"10.1.0.0/16\",\"10.2.0.0/16\"]}",
                      other[] = "\"path\":\"/n/9/routes\",\"body\":{\"approve\":[\"10.3.0.0/16\"]}",
                      same[] = "\"path\":\"/n/9/routes\",\"body\":{\"approve\":[\"10.2.0.0/16\"]}",
                      dns[] = "\"path\":\"/dns\",\"body\":{\"magicDNS\":true}",
                      split[] = "\"path\":\"/dns\",\"body\":{\"splitDNS\":{}}";
    static const struct {
        const char *first, *later, *undone, *third, *says; /* third undoes the later one */
    } cases[] = {
        {name, again, "", NULL, "changed since then by bob: entry 1.51"},
        {name, tags, "", NULL, NULL},
        {name, again, "1.52", name, NULL},
        {revoke, other, "", NULL, NULL},
        {revoke, same, "", NULL, "changed since then by bob: entry 1.51"},
        {dns, split, "", NULL, NULL},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct rig r;

        rig_init(&r, 0);
        entry(&r, "1.50", "node.renamed", cases[i].first, "");
        entry(&r, "1.51", "node.renamed", cases[i].later, cases[i].undone);
        if (cases[i].third)
            entry(&r, "1.52", "node.renamed", cases[i].third, "");
        rig_keys(&r, "5/entry 1.50<Enter>Gu");
        rig_answer(&r, rig_last(&r), 200, "{}");
        if (cases[i].says)
            assert_true(rig_shows(&r, cases[i].says));
        else
            assert_false(rig_shows(&r, "changed since then"));
        assert_true(rig_shows(&r, "y undo"));
        rig_release(&r);
    }
}

static void what_was_created_can_be_undone(void **state)
{
    struct rig r;

    (void)state;
    rig_init(&r, 0);
    rig_keys(&r, "6Ncarl<Enter>");
    rig_answer(&r, rig_last(&r), 200, "{\"event\":\"1.41\",\"inverse\":{\"method\":\"DELETE\"},\"result\":null}");
    assert_true(rig_shows(&r, "user carl created"));
    assert_true(rig_shows(&r, "u undo ("));
    rig_keys(&r, "u");
    assert_true(rig_shows(&r, "undo: \"user carl created\""));
    rig_release(&r);
}

/* What was undone is done again by undoing the undo, and can then be undone once more. A new change ends that. */
static void redo_does_again_what_was_undone(void **state)
{
    struct rig r;

    (void)state;
    rig_init(&r, 0);
    rig_keys(&r, "<Ctrl-R>");
    assert_true(rig_shows(&r, "nothing was undone since your last change"));
    rig_keys(&r, "<Esc>/nas<Enter>a");
    rig_answer(&r, 0, 200, ROUTE_ANSWER);
    rig_keys(&r, "<Esc>u");
    rig_answer(&r, 1, 200, "{}");
    rig_keys(&r, "y");
    rig_answer(&r, 2, 200, "{\"event\":\"1.42\",\"inverse\":{\"method\":\"POST\"}}");
    rig_pass(&r, 10);
    entry(&r, "1.41", "route.approved", "\"path\":\"/n\"", "1.42");
    entry(&r, "1.42", "route.revoked", "\"path\":\"/n\"", "");
    rig_keys(&r, "<Ctrl-R>");
    assert_true(rig_shows(&r, "entry 1.41  undone")); /* not what the undo was */
    assert_string_equal(r.sent.items[3].path, "/api/headway/undo/1.42?dry_run=true");
    assert_true(rig_shows(&r, "redo: \"192.168.1.0/24 approved on nas\""));
    rig_answer(&r, 3, 200, "{}");
    rig_keys(&r, "y");
    assert_string_equal(r.sent.items[4].path, "/api/headway/undo/1.42");
    rig_answer(&r, 4, 200, "{\"event\":\"1.43\",\"inverse\":{\"method\":\"POST\"}}");
    assert_true(rig_shows(&r, "done again: \"192.168.1.0/24 approved on nas\""));
    rig_pass(&r, 10);
    rig_keys(&r, "<Ctrl-R>");
    assert_true(rig_shows(&r, "nothing was undone since your last change"));
    rig_keys(&r, "<Esc>u");
    assert_string_equal(r.sent.items[5].path, "/api/headway/undo/1.43?dry_run=true");
    rig_answer(&r, 5, 200, "{}");
    rig_keys(&r, "y");
    rig_answer(&r, 6, 200, "{\"event\":\"1.44\"}"); /* without an inverse */
    rig_keys(&r, "<Ctrl-R>");
    assert_true(rig_shows(&r, "or it cannot be done again"));
    rig_release(&r);
}

/* In the journal it is about the entry under the cursor, and says why not. */
static void redo_of_an_entry_of_the_journal(void **state)
{
    struct rig r;

    (void)state;
    rig_init(&r, 0);
    rig_json(&r, "{\"id\":\"1.40\",\"time\":\"2026-03-03T14:01:55Z\",\"kind\":\"node.renamed\",\"actor\":\"alice\","
                 "\"object\":\"node\",\"objectName\":\"nas\",\"text\":\"nas renamed\",\"inverse\":{\"method\":\"POST\","
                 "\"path\":\"/x\"},\"undoneBy\":\"1.41\"}");
    rig_keys(&r, "5G<Ctrl-R>");
    assert_string_equal(r.sent.items[0].path, "/api/headway/undo/1.41?dry_run=true");
    rig_answer(&r, 0, 409, "{\"error\":{\"code\":\"conflict\",\"message\":\"it was changed since\"}}");
    assert_true(rig_shows(&r, "it was changed since"));
    rig_keys(&r, "<Esc>gG");
    rig_json(&r, "{\"id\":\"1.41\",\"time\":\"2026-03-03T14:02:55Z\",\"kind\":\"node.renamed\",\"actor\":\"alice\","
                 "\"object\":\"node\",\"objectName\":\"nas\",\"text\":\"back\",\"inverse\":null}");
    rig_keys(&r, "/nas renamed<Enter>");
    rig_draw(&r, 24, 80);
    rig_keys(&r, "g<Ctrl-R>");
    assert_true(rig_shows(&r, "this cannot be done again"));
    rig_keys(&r, "<Esc>/<Ctrl-U>back<Enter>");
    rig_draw(&r, 24, 80);
    rig_keys(&r, "G<Ctrl-R>");
    assert_true(rig_shows(&r, "it was not undone"));
    rig_release(&r);
}

static void undo_takes_back_all_of_one_action(void **state)
{
    struct rig r;

    (void)state;
    rig_init(&r, 0);
    rig_json(&r, "{\"node\":{\"id\":\"8\",\"givenName\":\"nas\",\"online\":true,\"version\":30,\"routes\":["
                 "{\"prefix\":\"10.1.0.0/16\",\"state\":\"available\"},{\"prefix\":\"10.2.0.0/16\",\"state\":"
                 "\"available\"},{\"prefix\":\"10.3.0.0/16\",\"state\":\"available\"}]}}");
    rig_keys(&r, "/nas<Enter>a");
    rig_answer(&r, 0, 200, "{}");
    rig_keys(&r, "<Enter>");
    rig_answer(&r, 1, 200, "{\"event\":\"1.41\",\"events\":[\"1.41\"],\"inverse\":{\"method\":\"POST\"}}");
    assert_true(rig_shows(&r, "3 routes approved on nas"));
    rig_keys(&r, "u");
    assert_string_equal(r.sent.items[2].path, "/api/headway/undo/1.41?dry_run=true");
    rig_answer(&r, 2, 200, "{}");
    rig_keys(&r, "y");
    rig_answer(&r, 3, 200, "{\"event\":\"1.42\"}");
    assert_int_equal(r.sent.len, 4);
    assert_true(rig_shows(&r, "undone: \"3 routes approved on nas\""));
    rig_release(&r);
}

/* A reason longer than its line is read whole below the steps. */
/* What the server does not take comes back as it was typed, with the reason. */
static void what_is_refused_can_be_mended_where_it_was_typed(void **state)
{
    struct rig r;

    (void)state;
    rig_init(&r, 0);
    rig_keys(&r, "/nas<Enter>n<Ctrl-U>No Name!<Enter>");
    assert_null(r.app.dialog); /* it is on its way */
    rig_answer(&r, rig_last(&r), 400,
               "{\"error\":{\"code\":\"invalid\",\"message\":\"given name is not a valid DNS label\"}}");
    assert_true(rig_shows(&r, "No Name!"));
    assert_true(rig_shows(&r, "given name is not a valid DNS label"));
    rig_keys(&r, "<Ctrl-U>store<Enter>");
    assert_string_equal(r.sent.items[rig_last(&r)].body, "{\"name\":\"store\"}");
    rig_answer(&r, rig_last(&r), 200, "{\"node\":{\"id\":\"8\",\"givenName\":\"store\",\"version\":40}}");
    assert_null(r.app.dialog);

    rig_keys(&r, "6Nalice<Tab>Alice A.<Enter>");
    rig_answer(&r, rig_last(&r), 409, "{\"error\":{\"code\":\"exists\",\"message\":\"user already exists: 'alice'\"}}");
    assert_true(rig_shows(&r, "Alice A."));
    assert_true(rig_shows(&r, "user already exists: 'alice'"));
    rig_keys(&r, "<Esc>");
    assert_null(r.app.dialog);

    /* What the user turned to meanwhile stays. */
    rig_keys(&r, "Nalice<Enter>?");
    rig_answer(&r, rig_last(&r), 409, "{\"error\":{\"code\":\"exists\",\"message\":\"user already exists: 'alice'\"}}");
    assert_true(rig_shows(&r, "type to search"));
    rig_release(&r);
}

static void a_refusal_is_shown_whole(void **state)
{
    struct rig r;

    (void)state;
    rig_init(&r, 0);
    rig_keys(&r, "/nas<Enter>Pa");
    rig_answer(
        &r, 0, 400,
        "{\"error\":{\"code\":\"invalid\",\"message\":\"requested tags [tag:router] are invalid or not permitted: the "
        "policy's tagOwners do not name them, and that is the whole reason\"}}");
    assert_true(rig_shows(&r, "that is the whole reason"));
    rig_release(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_refusal_is_shown_whole),
        cmocka_unit_test(what_is_refused_can_be_mended_where_it_was_typed),
        cmocka_unit_test(a_name_after_a_command_selects_the_row),
        cmocka_unit_test(undo_takes_back_all_of_one_action),
        cmocka_unit_test(what_was_created_can_be_undone),
        cmocka_unit_test(undoing_over_a_later_change_says_so),
        cmocka_unit_test(redo_does_again_what_was_undone),
        cmocka_unit_test(redo_of_an_entry_of_the_journal),
        cmocka_unit_test(approve_is_sent_at_once_and_shown_after_the_answer),
        cmocka_unit_test(a_change_without_an_answer_is_shown_as_sent_with_its_age),
        cmocka_unit_test(what_is_read_while_it_arrives_is_shown_and_not_acted_on),
        cmocka_unit_test(half_a_snapshot_says_so_and_the_next_one_replaces_it),
        cmocka_unit_test(silence_is_late_after_two_signs_of_life),
        cmocka_unit_test(several_targets_show_a_plan_first),
        cmocka_unit_test(a_long_plan_says_how_much_of_it_is_below),
        cmocka_unit_test(escape_leaves_a_plan_without_a_trace),
        cmocka_unit_test(a_conflict_is_said_and_the_new_state_shown),
        cmocka_unit_test(delete_wants_the_name),
        cmocka_unit_test(a_registration_is_approved_for_a_user),
        cmocka_unit_test(what_a_change_does_not_apply_to_is_left_out),
        cmocka_unit_test(make_primary_names_both),
        cmocka_unit_test(without_a_connection_nothing_is_changed),
        cmocka_unit_test(frozen_shows_the_past_and_thaws),
        cmocka_unit_test(the_mouse_does_what_keys_do),
        cmocka_unit_test(the_prompt_completes_and_remembers),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
