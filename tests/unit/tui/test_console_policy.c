/* SPDX-License-Identifier: BSD-3-Clause */
/* The console's policy view without a daemon: reading, typing, problems, review, saving, conflicts, drafts,
 * permissions. Its screens are compared with those in tests/console/golden. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include <sys/wait.h>
#include <unistd.h>

#include "base/mem.h"
#include "console/policy/policy_page.h"
#include "shared/console/policy_rig.h"

static const char preview[] =
    "{\"ok\":true,\"findings\":[{\"line\":7,\"column\":5,\"severity\":\"warning\",\"message\":\"it adds nothing\"}],"
    "\"totals\":{\"pairs_lost\":2,\"pairs_gained\":6,\"routes_hidden\":1,\"routes_shown\":0,\"rows\":3},"
    "\"rows\":[{\"kind\":\"lost\",\"sources\":{\"count\":2,\"names\":[\"laptop-carol\",\"phone\\u001b[31m-carol\"]},"
    "\"destinations\":{\"count\":1,\"names\":[\"nas\"]},\"what\":[\"tcp port 22\",\"tcp port 445\"],\"pairs\":2,"
    "\"online_pairs\":1},{\"kind\":\"gained\",\"sources\":{\"count\":6,\"names\":[\"a\",\"b\"]},\"destinations\":"
    "{\"count\":1,\"names\":[\"db-01\"]},\"what\":[\"tcp port 5432\"],\"pairs\":6,\"online_pairs\":0}],"
    "\"routes\":[{\"kind\":\"hidden\",\"router\":\"gw-ber-1\",\"route\":\"10.20.0.0/16\",\"viewers\":{\"count\":3,"
    "\"names\":[\"nas\",\"laptop-bob\"]}}],\"approvals\":[{\"router\":\"gw-ber-2\",\"route\":\"10.21.0.0/16\","
    "\"viewers\":1}]}";
static void the_screens_are_as_they_were(void **state)
{
    struct rig r;
    size_t wrong = 0;

    (void)state;
    rig_init(&r, 0);
    rig_keys(&r, "4");
    wrong += !rig_golden(&r, "policy-reading", 24, 80);
    policy_arrives(&r, "", 0, "database");
    policy_settle(&r);
    wrong += !rig_golden(&r, "policy-none", 24, 80);
    rig_release(&r);

    policy_rig_open(&r);
    wrong += !rig_golden(&r, "policy", 24, 80);
    r.app.canvas.ascii = true;
    wrong += !rig_golden(&r, "policy-ascii", 16, 60);
    r.app.canvas.ascii = false;
    rig_keys(&r, "e<Down><Down><Down><End><Backspace><Backspace>x");
    policy_settle(&r);
    wrong += !rig_golden(&r, "policy-error", 24, 80);
    rig_keys(&r, "<F1>");
    wrong += !rig_golden(&r, "policy-help", 24, 80);
    rig_release(&r);

    policy_rig_open(&r);
    policy_review(&r, preview);
    wrong += !rig_golden(&r, "policy-review", 24, 80);
    rig_keys(&r, "<Tab>");
    wrong += !rig_golden(&r, "policy-review-text", 24, 80);
    rig_release(&r);
    assert_int_equal(wrong, 0);
}

static void reading_moves_and_finds(void **state)
{
    struct rig r;

    (void)state;
    policy_rig_open(&r);
    rig_keys(&r, "jj");
    assert_true(rig_shows(&r, "Ln 3 Col 1"));
    rig_keys(&r, "G");
    assert_true(rig_shows(&r, "Ln 10 Col 1"));
    rig_keys(&r, "g/tag:db<Enter>");
    assert_true(rig_shows(&r, "Ln 4 Col 18"));
    rig_keys(&r, "n");
    assert_true(rig_shows(&r, "Ln 6 "));
    rig_keys(&r, "N");
    assert_true(rig_shows(&r, "Ln 4 "));
    rig_keys(&r, "<Ctrl-G>7<Enter>");
    assert_true(rig_shows(&r, "Ln 7 Col 1"));
    rig_keys(&r, "x"); /* letters do not type while it is only read */
    policy_text_is(&r, RIG_POLICY);
    rig_draw(&r, 24, 80);
    app_click(&r.app, 5, 9, 1);
    assert_true(rig_shows(&r, "Ln 4 Col 4"));
    app_click(&r.app, 20, 70, 1); /* below the text: its end */
    assert_true(rig_shows(&r, "Ln 10 Col 1"));
    app_wheel(&r.app, -3);
    assert_true(rig_shows(&r, "Ln 7 "));
    rig_release(&r);
}

static void a_problem_is_shown_while_typing_and_goes_again(void **state)
{
    struct rig r;

    (void)state;
    policy_rig_open(&r);
    rig_keys(&r, "e<Down><Down><Home>x");
    assert_false(policy_page_of(&r.app)->problems.len); /* not before the fingers rest */
    int64_t next = app_next_ms(&r.app);
    assert_true(next <= r.now_ms + 150);
    rig_pass(&r, 149);
    rig_draw(&r, 24, 80);
    assert_false(policy_page_of(&r.app)->problems.len);
    rig_pass(&r, 1);
    rig_draw(&r, 24, 80);
    assert_true(rig_shows(&r, "1 error"));
    assert_true(rig_shows(&r, "E 3:3 "));
    assert_int_equal(policy_page_of(&r.app)->problems.items[0].line, 3);
    rig_keys(&r, "<Ctrl-Home><F8>");
    assert_true(rig_shows(&r, "Ln 3 Col 3"));
    /* A text with errors is not even sent. */
    size_t sent = r.sent.len;
    rig_keys(&r, "<Ctrl-S>");
    assert_int_equal(r.sent.len, sent);
    rig_keys(&r, "<Del>");
    policy_settle(&r);
    assert_false(policy_page_of(&r.app)->problems.len);
    assert_false(policy_page_modified(&r.app));
    rig_release(&r);
}

static void who_never_rests_is_checked_too(void **state)
{
    struct rig r;

    (void)state;
    policy_rig_open(&r);
    rig_keys(&r, "e");
    for (int i = 0; i < 12 && !policy_page_of(&r.app)->problems.len; i++) {
        rig_keys(&r, "x");
        rig_pass(&r, 100);
        rig_draw(&r, 24, 80);
    }
    assert_true(policy_page_of(&r.app)->problems.len);
    rig_release(&r);
}

/* From anywhere, and before the policy was read. */
static void the_command_takes_what_is_wanted_of_the_policy(void **state)
{
    struct rig r;

    (void)state;
    rig_init(&r, 0);
    rig_keys(&r, ":policy log<Enter>");
    policy_arrives(&r, "{}\n", 3, "database");
    policy_settle(&r);
    assert_string_equal(r.sent.items[rig_last(&r)].path, "/api/headway/policy/versions?limit=200");
    rig_keys(&r, "1:policy diff 2<Enter>");
    assert_string_equal(r.sent.items[rig_last(&r)].path, "/api/headway/policy/versions/2");
    size_t sent = r.sent.len;
    rig_keys(&r, "1:policy frob<Enter>");
    assert_true(rig_shows(&r, "policy: 'frob' is not log, diff VERSION or restore VERSION"));
    rig_keys(&r, "1:policy diff x<Enter>");
    assert_true(rig_shows(&r, "'x' is not a number"));
    assert_int_equal(r.sent.len, sent);
    rig_release(&r);
}

static void saving_names_the_version(void **state)
{
    struct rig r;

    (void)state;
    policy_rig_open(&r);
    policy_review(&r, policy_no_losses);
    assert_true(rig_shows(&r, "nobody gains or loses access"));
    rig_keys(&r, "<Enter>");
    const struct rig_request *q = &r.sent.items[rig_last(&r)];
    assert_string_equal(q->method, "PUT");
    assert_true(q->match);
    assert_int_equal(q->version, 41);
    size_t sent = r.sent.len;
    rig_keys(&r, "<Enter><Esc>"); /* once is enough, and it cannot be left while it is under way */
    assert_int_equal(r.sent.len, sent);
    rig_answer(&r, rig_last(&r), 200,
               "{\"event\":\"1.41\",\"version\":42,\"result\":null,\"inverse\":{\"method\":\"PUT\"}}");
    assert_true(rig_shows(&r, "version 42"));
    assert_false(policy_page_modified(&r.app));
    assert_int_equal(r.app.undos.len, 1);
    /* The journal tells of it; the text is fetched and is the same. */
    rig_json(&r, "{\"id\":\"1.41\",\"time\":\"2026-03-03T14:03:00Z\",\"kind\":\"policy.changed\",\"actor\":\"alice\","
                 "\"object\":\"policy\",\"text\":\"The policy was changed\"}");
    policy_settle(&r);
    char *now = policy_typed(&r);
    policy_arrives(&r, now, 42, "database");
    free(now);
    assert_true(rig_shows(&r, "version 42"));
    rig_release(&r);
}

/* Taking a policy back says who gains and loses, and wants a word where much is opened. */
static void undoing_a_policy_says_what_it_changes(void **state)
{
    struct rig r;

    (void)state;
    rig_init(&r, 0);
    rig_json(&r, "{\"id\":\"1.41\",\"time\":\"2026-03-03T14:03:00Z\",\"kind\":\"policy.changed\",\"actor\":\"bob\","
                 "\"object\":\"policy\",\"objectName\":\"policy\",\"text\":\"The policy was changed\",\"inverse\":"
                 "{\"method\":\"PUT\",\"path\":\"/api/headway/policy\",\"body\":{\"policy\":\"{}\"}}}");
    rig_keys(&r, "5Gu");
    size_t asked = rig_last(&r);
    assert_string_equal(r.sent.items[asked].path, "/api/headway/policy/preview");
    assert_string_equal(r.sent.items[asked].body, "{\"policy\":\"{}\"}");
    rig_answer(&r, asked - 1, 200, "{\"event\":null,\"version\":3}");
    rig_keys(&r, "y");
    assert_true(rig_shows(&r, "the server has not answered yet"));
    assert_int_equal(rig_last(&r), asked);
    rig_answer(&r, asked, 200,
               "{\"ok\":true,\"totals\":{\"pairs_lost\":1,\"pairs_gained\":90},\"cost\":{\"nodes\":13,\"online\":9}}");
    assert_true(rig_shows(&r, "policy: 1 pair of devices loses access, 90 gain it"));
    rig_keys(&r, "y<Enter>");
    assert_true(rig_shows(&r, "type OPEN first, exactly"));
    assert_int_equal(rig_last(&r), asked);
    rig_keys(&r, "<Ctrl-U>OPEN<Enter>");
    assert_string_equal(r.sent.items[rig_last(&r)].path, "/api/headway/undo/1.41");
    rig_release(&r);
}

static void lost_access_wants_a_word(void **state)
{
    struct rig r;

    (void)state;
    policy_rig_open(&r);
    policy_review(&r, preview);
    size_t sent = r.sent.len;
    rig_keys(&r, "<Enter>lost<Enter>");
    assert_int_equal(r.sent.len, sent);
    rig_keys(&r, "<Ctrl-U>LOST<Enter>");
    assert_int_equal(r.sent.len, sent + 1);
    assert_string_equal(r.sent.items[sent].method, "PUT");
    rig_release(&r);
}

static void what_the_server_would_refuse_is_not_sent(void **state)
{
    struct rig r;

    (void)state;
    policy_rig_open(&r);
    policy_review(&r,
                  "{\"ok\":false,\"findings\":[{\"line\":3,\"column\":1,\"severity\":\"error\",\"message\":\"test(s) "
                  "failed\\nalice cannot\"}],\"totals\":{},\"rows\":[]}");
    assert_true(rig_shows(&r, "line 3: test(s) failed"));
    assert_true(rig_shows(&r, "alice cannot"));
    size_t sent = r.sent.len;
    rig_keys(&r, "<Enter>");
    assert_int_equal(r.sent.len, sent);
    rig_keys(&r, "<Esc>y");
    char *now = policy_typed(&r);
    assert_non_null(strstr(now, "// typedy")); /* the editor again */
    free(now);
    rig_keys(&r, "<Backspace>");
    policy_settle(&r);
    rig_keys(&r, "<Ctrl-S>"); /* users may have been made meanwhile: it can be asked again */
    assert_int_equal(r.sent.len, sent + 1);
    rig_answer(&r, sent, 200,
               "{\"ok\":false,\"findings\":[{\"line\":4,\"column\":3,\"severity\":\"error\",\"message\":\"nobody is "
               "called alice@\"}]}");
    rig_keys(&r, "<Esc>");
    assert_true(rig_shows(&r, "1 error"));
    assert_true(rig_shows(&r, "E 4:3      nobody is called alice@"));
    rig_keys(&r, "<Ctrl-Home><F8>");
    assert_true(rig_shows(&r, "Ln 4 Col 3"));
    rig_keys(&r, "<Ctrl-S>"); /* the same text, once more */
    assert_int_equal(r.sent.len, sent + 2);
    now = policy_typed(&r);
    free(now);
    rig_release(&r);
}

static void a_conflict_loses_neither_text(void **state)
{
    struct rig r;

    (void)state;
    policy_conflict(&r, "{\n  \"acls\": [], // theirs\n}\n");
    size_t wrong = !rig_golden(&r, "policy-conflict", 24, 80);
    rig_keys(&r, "t");
    assert_true(rig_shows(&r, "// theirs"));
    rig_keys(&r, "<Enter>"); /* only looked at */
    rig_keys(&r, "<Esc>d");
    assert_true(rig_shows(&r, "// typed"));
    wrong += !rig_golden(&r, "policy-compare", 24, 80);
    rig_keys(&r, "<Esc>");
    assert_true(rig_shows(&r, "somebody else has saved"));
    /* Mine over theirs: what it takes away is shown first, and theirs is the version that is named. */
    rig_keys(&r, "k");
    assert_string_equal(r.sent.items[rig_last(&r)].path, "/api/headway/policy/preview");
    rig_answer(&r, rig_last(&r), 200, policy_no_losses);
    rig_keys(&r, "<Tab>");
    assert_true(rig_shows(&r, "// theirs"));
    rig_keys(&r, "<Enter>");
    assert_string_equal(r.sent.items[rig_last(&r)].method, "PUT");
    assert_int_equal(r.sent.items[rig_last(&r)].version, 42);
    assert_int_equal(wrong, 0);
    rig_release(&r);
}

static void theirs_can_be_taken_and_mine_brought_back(void **state)
{
    struct rig r;

    (void)state;
    policy_conflict(&r, "{}\n");
    rig_keys(&r, "x");
    policy_text_is(&r, "{}\n");
    assert_false(policy_page_modified(&r.app));
    assert_int_equal(policy_page_of(&r.app)->version, 42);
    rig_keys(&r, "<Ctrl-Z>");
    char *now = policy_typed(&r);
    assert_non_null(strstr(now, "// typed"));
    free(now);
    rig_release(&r);
}

static void what_another_saves_is_told_while_typing(void **state)
{
    struct rig r;

    (void)state;
    policy_rig_open(&r);
    rig_keys(&r, "e// mine ");
    rig_json(&r, "{\"id\":\"1.41\",\"time\":\"2026-03-03T14:03:00Z\",\"kind\":\"policy.changed\",\"actor\":\"bob\","
                 "\"object\":\"policy\",\"text\":\"The policy was changed\"}");
    policy_settle(&r);
    policy_arrives(&r, "{}\n", 42, "database");
    assert_true(rig_shows(&r, "OUTDATED"));
    assert_int_equal(policy_page_of(&r.app)->version, 41); /* saving will say so */
    rig_release(&r);

    /* Where nothing was typed the new text is simply there. */
    policy_rig_open(&r);
    rig_json(&r, "{\"id\":\"1.41\",\"time\":\"2026-03-03T14:03:00Z\",\"kind\":\"policy.changed\",\"actor\":\"bob\","
                 "\"object\":\"policy\",\"text\":\"The policy was changed\"}");
    policy_settle(&r);
    policy_arrives(&r, "{}\n", 42, "database");
    policy_text_is(&r, "{}\n");
    rig_release(&r);
}

static void a_lost_connection_loses_no_text(void **state)
{
    struct rig r;

    (void)state;
    policy_rig_open(&r);
    rig_keys(&r, "e// mine ");
    app_connection(&r.app, CONN_DOWN, "no answer", 1000);
    rig_keys(&r, "more ");
    policy_settle(&r);
    size_t sent = r.sent.len;
    rig_keys(&r, "<Ctrl-S>");
    assert_int_equal(r.sent.len, sent); /* not now, and it says why */
    assert_true(rig_shows(&r, "not connected"));
    app_connection(&r.app, CONN_LIVE, "", 0);
    char *now = policy_typed(&r);
    assert_non_null(strstr(now, "// mine more "));
    free(now);
    rig_release(&r);
}

/* The answer to a save never came: whether it is saved is seen from the server's text. */
static void an_answer_that_never_came_is_found_out(void **state)
{
    struct rig r;

    (void)state;
    policy_rig_open(&r);
    policy_review(&r, policy_no_losses);
    rig_keys(&r, "<Enter>");
    rig_answer(&r, rig_last(&r), 0, "{}");
    policy_settle(&r);
    char *now = policy_typed(&r);
    assert_true(policy_page_modified(&r.app));
    policy_arrives(&r, now, 42, "database");
    free(now);
    assert_false(policy_page_modified(&r.app));
    assert_int_equal(policy_page_of(&r.app)->version, 42);
    rig_release(&r);
}

static void what_may_not_be_edited_says_so_before(void **state)
{
    struct rig r;

    (void)state;
    rig_init(&r, 0);
    rig_keys(&r, "4");
    policy_arrives(&r, RIG_POLICY, 0, "file");
    policy_settle(&r);
    assert_true(rig_golden(&r, "policy-file", 24, 80));
    rig_keys(&r, "ex");
    policy_text_is(&r, RIG_POLICY);
    rig_keys(&r, "a");
    assert_true(rig_shows(&r, "copy the policy from its file"));
    rig_keys(&r, "y");
    assert_string_equal(r.sent.items[rig_last(&r)].path, "/api/headway/policy/adopt");
    rig_answer(&r, rig_last(&r), 200, "{\"policy\":\"\",\"version\":1,\"mode\":\"file\"}");
    assert_true(rig_shows(&r, "policy.mode"));
    rig_release(&r);

    policy_rig_open(&r);
    app_whoami(&r.app, "alice", true);
    assert_true(rig_shows(&r, "read-only key"));
    rig_keys(&r, "e");
    assert_true(rig_shows(&r, "your API key is read-only"));
    rig_keys(&r, "x");
    policy_text_is(&r, RIG_POLICY);
    rig_release(&r);
}

static void a_paste_is_no_command(void **state)
{
    struct rig r;

    (void)state;
    policy_rig_open(&r);
    rig_keys(&r, "<Paste>d1e<Enter>x<PasteEnd>"); /* while it is only read: nothing */
    policy_text_is(&r, RIG_POLICY);
    assert_string_equal(r.app.place.view->name, "policy");
    rig_keys(&r, "e<Paste>// a<Enter>  // b<Enter><PasteEnd>");
    policy_text_is(&r, "// a\n  // b\n" RIG_POLICY);
    rig_keys(&r, "<Ctrl-Z>");
    policy_text_is(&r, RIG_POLICY);
    rig_keys(&r, "<Ctrl-F><Paste>tag:db<PasteEnd><Enter>");
    assert_true(rig_shows(&r, "Ln 4 "));
    rig_keys(&r, "<Paste>lost end");
    rig_pass(&r, 4000);
    rig_draw(&r, 24, 80);
    char *now = policy_typed(&r);
    assert_non_null(strstr(now, "lost end"));
    free(now);
    rig_release(&r);
}

static const char versions[] =
    "{\"versions\":[{\"version\":41,\"updatedAt\":\"2026-03-03T12:00:00Z\",\"author\":\"alice\",\"current\":true},"
    "{\"version\":40,\"updatedAt\":\"2026-03-02T12:00:00Z\",\"author\":\"ev\\u001b[31mil\",\"current\":false}],"
    "\"next\":0}";

/* What was the policy is looked at beside the present one, and taken up again by way of a review. */
static void an_older_version_is_compared_and_restored(void **state)
{
    struct rig r;
    char *older = policy_answer("{\"acls\": []}\n", 40, "database");

    (void)state;
    policy_rig_open(&r);
    rig_keys(&r, "L");
    assert_string_equal(r.sent.items[rig_last(&r)].path, "/api/headway/policy/versions?limit=200");
    rig_answer(&r, rig_last(&r), 200, versions);
    rig_draw(&r, 24, 80);
    assert_true(rig_golden(&r, "policy-versions", 24, 80));
    rig_keys(&r, "<Down><Enter><Enter>");
    assert_string_equal(r.sent.items[rig_last(&r)].path, "/api/headway/policy/versions/40");
    rig_answer(&r, rig_last(&r), 200, older);
    assert_true(rig_shows(&r, "{\"acls\": []}"));
    rig_keys(&r, "<Esc>");
    assert_int_equal(policy_page_of(&r.app)->mode, POLICY_READ);
    assert_int_equal(policy_page_of(&r.app)->question, QUESTION_NOTHING);
    policy_text_is(&r, RIG_POLICY);

    rig_keys(&r, ":diff 40<Enter>");
    assert_string_equal(r.sent.items[rig_last(&r)].path, "/api/headway/policy/versions/40");
    rig_answer(&r, rig_last(&r), 200, older);
    assert_true(rig_shows(&r, "{\"acls\": []}"));
    rig_keys(&r, "<Esc>");

    rig_keys(&r, ":restore 40<Enter>");
    assert_string_equal(r.sent.items[rig_last(&r)].path, "/api/headway/policy/versions/40");
    rig_answer(&r, rig_last(&r), 200, older);
    assert_string_equal(r.sent.items[rig_last(&r)].path, "/api/headway/policy/preview");
    rig_answer(&r, rig_last(&r), 200, policy_no_losses);
    rig_draw(&r, 24, 80);
    rig_keys(&r, "<Enter>");
    assert_string_equal(r.sent.items[rig_last(&r)].method, "PUT");
    assert_int_equal(r.sent.items[rig_last(&r)].version, 41);
    free(older);
    rig_release(&r);
}

/* A console that ended left a draft: another process writes one, and this one finds it. */
static void another_server(struct rig *r)
{
    static const char text[] = "{\"server\":{\"url\":\"http://elsewhere\"}}";
    json_t *root = NULL;
    struct model_delta d;

    assert_int_equal(json_read(text, strlen(text), strlen(text), "test", &root, NULL), 0);
    assert_int_equal(decode_snapshot(root, &d, NULL), 0);
    app_delta(&r->app, &d);
    json_decref(root);
}

static void unsaved_text_is_offered_again(void **state)
{
    char dir[] = "/tmp/headway-policy-XXXXXX";
    struct rig r;
    int status;

    (void)state;
    assert_non_null(mkdtemp(dir));
    pid_t child = fork();
    if (child == 0) {
        policy_rig_open(&r);
        policy_page_drafts(&r.app, dir);
        rig_keys(&r, "e// kept ");
        policy_settle(&r); /* that is all it takes: no farewell */
        _exit(0);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    rig_init(&r, 0);
    r.app.address = mem_strdup("/run/other.sock"); /* a server of the same name, reached otherwise */
    policy_page_drafts(&r.app, dir);
    rig_keys(&r, "4");
    policy_arrives(&r, "{}\n", 43, "database");
    assert_int_equal(policy_page_of(&r.app)->question, QUESTION_NOTHING);
    rig_release(&r);

    rig_init(&r, 0);
    policy_page_drafts(&r.app, dir);
    another_server(&r); /* whose policy is not for this text */
    rig_keys(&r, "4");
    policy_arrives(&r, "{}\n", 43, "database");
    assert_int_equal(policy_page_of(&r.app)->question, QUESTION_NOTHING);
    rig_release(&r);

    rig_init(&r, 0);
    policy_page_drafts(&r.app, dir);
    assert_int_equal(policy_page_of(&r.app)->drafts.len, 1);
    rig_keys(&r, "4");
    policy_arrives(&r, "{}\n", 43, "database"); /* somebody saved meanwhile */
    assert_true(rig_shows(&r, "unsaved text found"));
    rig_keys(&r, "r");
    policy_text_is(&r, "// kept " RIG_POLICY);
    assert_int_equal(policy_page_of(&r.app)->version, 41); /* so that saving meets the conflict */
    assert_true(policy_page_modified(&r.app));
    policy_settle(&r);
    assert_true(policy_page_keep(&r.app));
    rig_keys(&r, "<Ctrl-Z>");
    policy_settle(&r);
    assert_false(policy_page_keep(&r.app)); /* as the server has it: no draft */
    rig_release(&r);
    assert_int_equal(rmdir(dir), 0);
}

static void leaving_asks_where_text_is_unsaved(void **state)
{
    struct rig r;

    (void)state;
    policy_rig_open(&r);
    rig_keys(&r, "e// x <Esc>1q");
    assert_false(r.app.quit);
    assert_true(rig_shows(&r, "has unsaved changes"));
    rig_keys(&r, "4Dy1q");
    assert_true(r.app.quit);
    rig_release(&r);
}

/* Opening much at once is not saved by a bare Enter either; pairs that are online are counted, not guessed. */
static void opening_much_wants_a_word(void **state)
{
    struct rig r;

    (void)state;
    policy_rig_open(&r);
    policy_review(
        &r, "{\"ok\":true,\"findings\":[],\"rows\":[{\"kind\":\"gained\",\"sources\":{\"count\":12,\"names\":[\"a\"]},"
            "\"destinations\":{\"count\":12,\"names\":[\"b\"]},\"what\":[\"all\"],\"pairs\":132,\"online_pairs\":7}],"
            "\"totals\":{\"pairs_lost\":0,\"pairs_gained\":132}}");
    assert_true(rig_shows(&r, "132 pairs, 7 online now"));
    size_t sent = r.sent.len;
    rig_keys(&r, "<Enter>");
    assert_int_equal(r.sent.len, sent);
    assert_true(rig_shows(&r, "132 pairs of devices gain access: type OPEN to save it"));
    rig_keys(&r, "OPEN<Enter>");
    assert_int_equal(r.sent.len, sent + 1);
    rig_release(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(opening_much_wants_a_word),
        cmocka_unit_test(the_screens_are_as_they_were),
        cmocka_unit_test(reading_moves_and_finds),
        cmocka_unit_test(a_problem_is_shown_while_typing_and_goes_again),
        cmocka_unit_test(who_never_rests_is_checked_too),
        cmocka_unit_test(the_command_takes_what_is_wanted_of_the_policy),
        cmocka_unit_test(saving_names_the_version),
        cmocka_unit_test(lost_access_wants_a_word),
        cmocka_unit_test(undoing_a_policy_says_what_it_changes),
        cmocka_unit_test(what_the_server_would_refuse_is_not_sent),
        cmocka_unit_test(a_conflict_loses_neither_text),
        cmocka_unit_test(theirs_can_be_taken_and_mine_brought_back),
        cmocka_unit_test(what_another_saves_is_told_while_typing),
        cmocka_unit_test(a_lost_connection_loses_no_text),
        cmocka_unit_test(an_answer_that_never_came_is_found_out),
        cmocka_unit_test(what_may_not_be_edited_says_so_before),
        cmocka_unit_test(a_paste_is_no_command),
        cmocka_unit_test(an_older_version_is_compared_and_restored),
        cmocka_unit_test(unsaved_text_is_offered_again),
        cmocka_unit_test(leaving_asks_where_text_is_unsaved),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
