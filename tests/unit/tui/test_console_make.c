/* SPDX-License-Identifier: BSD-3-Clause */
/* Tags, drained routers, new users and keys, and redoing the last change. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/array.h"
#include "base/mem.h"
#include "console/history.h"
#include "shared/console_rig.h"

static void tags_of_a_tagged_node_change_at_once(void **state)
{
    struct rig r;

    (void)state;
    rig_init(&r, 0);
    rig_keys(&r, "/build<Enter>t");
    assert_true(rig_shows(&r, "tags of build-01"));
    rig_keys(&r, "<Ctrl-U>+web -ci<Enter>");
    assert_int_equal(r.sent.len, 1);
    assert_string_equal(r.sent.items[0].path, "/api/headway/nodes/1/tags");
    assert_string_equal(r.sent.items[0].body, "{\"tags\":[\"tag:web\"]}");
    assert_int_equal(r.sent.items[0].version, 11);
    rig_answer(&r, 0, 200, "{\"event\":\"1.41\",\"inverse\":{\"method\":\"POST\"},\"result\":null}");
    assert_true(rig_shows(&r, "build-01 now has tag:web"));
    assert_true(rig_shows(&r, "u undo ("));
    rig_release(&r);
}

static void tags_end_the_ownership_of_a_user_only_after_a_question(void **state)
{
    struct rig r;

    (void)state;
    rig_init(&r, 0);
    rig_keys(&r, "/nas<Enter>ttag:home<Enter>");
    assert_true(rig_shows(&r, "no longer belongs to a user"));
    assert_true(rig_shows(&r, "user alice"));
    assert_int_equal(r.sent.len, 1);
    assert_string_equal(r.sent.items[0].path, "/api/headway/nodes/8/tags?dry_run=true");
    rig_answer(&r, 0, 200, "{}");
    rig_keys(&r, "y");
    assert_string_equal(r.sent.items[1].path, "/api/headway/nodes/8/tags");
    assert_string_equal(r.sent.items[1].body, "{\"tags\":[\"tag:home\"]}");
    rig_release(&r);
}

static void tags_that_stay_as_they_are_send_nothing(void **state)
{
    struct rig r;

    (void)state;
    rig_init(&r, 0);
    rig_keys(&r, "/build<Enter>t<Enter>");
    assert_int_equal(r.sent.len, 0);
    assert_true(rig_shows(&r, "nothing to change"));
    rig_keys(&r, "<Esc>/kiosk<Enter>t");
    assert_int_equal(r.sent.len, 0);
    assert_true(rig_shows(&r, "approve it first"));
    rig_release(&r);
}

static void the_last_change_is_done_again_to_other_nodes(void **state)
{
    struct rig r;

    (void)state;
    rig_init(&r, 0);
    rig_keys(&r, ".");
    assert_true(rig_shows(&r, "there is no change to repeat yet"));
    rig_keys(&r, "/build<Enter>t<Ctrl-U>+web<Enter>");
    rig_keys(&r, "<Esc>/gw-<Enter><Space><Space>.");
    assert_true(rig_shows(&r, "tags of 2 nodes"));
    assert_int_equal(r.sent.len, 3);
    assert_string_equal(r.sent.items[1].body, "{\"tags\":[\"tag:router\",\"tag:web\"]}");
    rig_keys(&r, "<Esc>6.");
    assert_true(rig_shows(&r, "does not apply in this view"));
    rig_release(&r);
}

#define REVOKED                                                                                                        \
    "{\"prefixes\":[{\"prefix\":\"10.20.0.0/"                                                                          \
    "16\",\"outcome\":\"moves\",\"from\":\"3\",\"fromName\":\"gw-ber-1\",\"to\":"                                      \
    "\"4\",\"toName\":\"gw-ber-2\",\"move\":9,\"candidates\":1}],\"totals\":{\"move\":9}}"

static void out_of_service_says_who_takes_over(void **state)
{
    struct rig r;

    (void)state;
    rig_init(&r, 0);
    rig_keys(&r, "/gw-ber-1<Enter>o");
    assert_true(rig_shows(&r, "drain gw-ber-1"));
    assert_true(rig_tell(&r, "{\"kind\":\"drain\",\"node\":\"3\"}", 200, REVOKED));
    assert_true(rig_shows(&r, "10.20.0.0/16 moves from gw-ber-1 to gw-ber-2"));
    assert_string_equal(r.sent.items[0].path, "/api/headway/nodes/3/drain?dry_run=true");
    rig_answer(&r, 0, 200, "{}");
    rig_keys(&r, "y");
    assert_string_equal(r.sent.items[1].body, "{\"drained\":true}");
    rig_json(&r,
             "{\"node\":{\"id\":\"3\",\"givenName\":\"gw-ber-1\",\"online\":true,\"healthy\":true,\"draining\":true,"
             "\"version\":14,\"routes\":[{\"prefix\":\"10.20.0.0/16\",\"state\":\"standby\"}]}}");
    rig_keys(&r, "<Esc>");
    rig_pass(&r, 4000);
    rig_keys(&r, "/gw-ber-1<Enter>o");
    assert_true(rig_shows(&r, "put gw-ber-1 back into service"));
    assert_true(rig_shows(&r, "may serve again"));
    rig_keys(&r, "<Esc><Esc>/nas<Enter>o");
    assert_true(rig_shows(&r, "serves 0 routes"));
    rig_keys(&r, "<Esc><Esc>/build<Enter>o");
    assert_true(rig_shows(&r, "the selection is not a router"));
    rig_release(&r);
}

/* What is typed names a row, is an argument, or is refused; it never falls on the row under the cursor unasked. */
static void arguments_may_begin_with_a_row(void **state)
{
    struct rig r;

    (void)state;
    rig_init(&r, 0);
    rig_keys(&r, "1g:priority gw-ber-1 200<Enter>");
    assert_int_equal(r.sent.len, 1);
    assert_string_equal(r.sent.items[0].path, "/api/headway/nodes/3/priority");
    assert_string_equal(r.sent.items[0].body, "{\"priority\":200}");
    rig_keys(&r, "g:tags gw-ber-1 +tag:web<Enter>");
    assert_string_equal(r.sent.items[1].path, "/api/headway/nodes/3/tags");
    assert_string_equal(r.sent.items[1].body, "{\"tags\":[\"tag:router\",\"tag:web\"]}");
    rig_keys(&r, "g:tags gw-ber-1<Enter>");
    assert_true(rig_shows(&r, "tags of gw-ber-1"));
    rig_keys(&r, "<Esc>g:tags +tag:web<Enter>");
    assert_string_equal(r.sent.items[2].path, "/api/headway/nodes/1/tags");
    rig_keys(&r, "g:priority gw-none 200<Enter>");
    assert_true(rig_shows(&r, "priority: 'gw-none' is not in this list"));
    rig_keys(&r, "g:tags gw-* tag:none<Enter>");
    assert_true(rig_shows(&r, "tags of 3 nodes"));
    rig_keys(&r, "<Esc>\\g:priority gw-b<Tab>");
    assert_true(rig_shows(&r, ":priority gw-ber-"));
    rig_release(&r);
}

static void the_priority_of_a_router_is_set(void **state)
{
    struct rig r;

    (void)state;
    rig_init(&r, 0);
    rig_keys(&r, "/gw-ber-1<Enter>b");
    assert_true(rig_shows(&r, "priority of gw-ber-1"));
    rig_keys(&r, "<Ctrl-U>1001<Enter>");
    assert_true(rig_shows(&r, "1001 is not between 0 and 1000"));
    assert_int_equal(r.sent.len, 0);
    rig_keys(&r, "<Ctrl-U>200<Enter>");
    assert_string_equal(r.sent.items[0].path, "/api/headway/nodes/3/priority");
    assert_string_equal(r.sent.items[0].body, "{\"priority\":200}");
    rig_keys(&r, "<Esc><Esc>/build<Enter>b");
    assert_true(rig_shows(&r, "the selection is not a router"));
    rig_release(&r);
}

static void how_a_prefix_is_served_is_set_in_a_form(void **state)
{
    struct rig r;

    (void)state;
    rig_init(&r, 0);
    rig_keys(&r, "2<Tab>/10.20<Enter>");
    assert_true(rig_shows(&r, "priority after 5m, hold-down 30s, withdrawn if unserved"));
    rig_keys(&r, "i");
    assert_true(rig_shows(&r, "how 10.20.0.0/16 is served"));
    rig_keys(&r, "<Down><Down><Down>soon<Enter>");
    assert_int_equal(r.sent.len, 0);
    assert_true(rig_shows(&r, "give a time such as 30s or 5m"));
    rig_keys(&r, "<Ctrl-U>1m<Enter>");
    assert_int_equal(r.sent.len, 1);
    assert_string_equal(r.sent.items[0].path, "/api/headway/prefixes/10.20.0.0%2F16");
    assert_string_equal(
        r.sent.items[0].body,
        "{\"failback\":\"priority\",\"holdDown\":\"1m\",\"reset\":[\"keep\",\"nearest\",\"failbackDelay\",\"probe\"]}");
    rig_release(&r);
}

static void a_new_user_is_asked_for_in_a_form(void **state)
{
    struct rig r;

    (void)state;
    rig_init(&r, 0);
    rig_keys(&r, "6N<Enter>");
    assert_int_equal(r.sent.len, 0);
    assert_true(rig_shows(&r, "a user needs a name"));
    rig_keys(&r, "dora<Tab>Dora Example<Tab><Tab>a<Enter>");
    assert_int_equal(r.sent.len, 1);
    assert_string_equal(r.sent.items[0].path, "/api/headway/users");
    assert_string_equal(r.sent.items[0].body,
                        "{\"name\":\"dora\",\"displayName\":\"Dora Example\",\"role\":\"admin\"}");
    rig_answer(&r, 0, 200,
               "{\"event\":\"1.41\",\"result\":{\"id\":\"4\",\"name\":\"dora\",\"role\":\"admin\",\"version\":1}}");
    assert_true(rig_shows(&r, "user dora created"));
    assert_non_null(model_find(&r.app.model, ROW_USER, "4"));
    rig_release(&r);
}

static void a_new_key_is_shown_once_and_kept_nowhere(void **state)
{
    struct rig r;

    (void)state;
    rig_init(&r, 0);
    rig_keys(&r, "7N<Tab>ci web<Tab>y<Tab><Tab><Tab><Ctrl-U>soon<Enter>");
    assert_true(rig_shows(&r, "expires: give a time"));
    rig_keys(&r, "<Ctrl-U>2h<Enter>");
    assert_int_equal(r.sent.len, 1);
    assert_string_equal(r.sent.items[0].path, "/api/headway/preauthkeys");
    assert_string_equal(r.sent.items[0].body,
                        "{\"user\":\"alice\",\"tags\":[\"tag:ci\",\"tag:web\"],\"reusable\":true,\"ephemeral\":false,"
                        "\"expiration\":\"2026-03-03T16:03:00Z\"}");
    rig_answer(&r, 0, 200,
               "{\"event\":\"1.41\",\"result\":{\"id\":\"10\",\"key\":\"hskey-auth-abc-def\",\"reusable\":true}}");
    assert_true(rig_shows(&r, "hskey-auth-abc-def"));
    assert_true(rig_shows(&r, "--login-server http://127.0.0.1 --auth-key"));
    rig_keys(&r, "<Enter>q");
    assert_true(rig_shows(&r, "shown only once")); /* no key but Esc throws it away */
    rig_keys(&r, "y");
    assert_string_equal(r.app.clipboard, "hskey-auth-abc-def");
    rig_keys(&r, "c");
    assert_string_equal(r.app.clipboard, "tailscale up --login-server http://127.0.0.1 --auth-key hskey-auth-abc-def");
    rig_keys(&r, "<Esc>");
    assert_null(model_find(&r.app.model, ROW_PREAUTH_KEY, "10")); /* the journal's entry brings it, masked */
    char *screen = rig_screen(&r, 24, 200);
    assert_null(strstr(screen, "abc-def"));
    free(screen);
    rig_release(&r);
}

static void a_key_for_nobody_needs_tags(void **state)
{
    struct rig r;

    (void)state;
    rig_init(&r, 0);
    rig_keys(&r, "7N<Left><Enter>");
    assert_int_equal(r.sent.len, 0);
    assert_true(rig_shows(&r, "needs a user or tags"));
    rig_keys(&r, "tag:ci<Enter>");
    assert_int_equal(r.sent.len, 1);
    assert_string_equal(r.sent.items[0].body, "{\"tags\":[\"tag:ci\"],\"reusable\":false,\"ephemeral\":false,"
                                              "\"expiration\":\"2026-03-03T15:03:00Z\"}");
    rig_release(&r);
}

static void an_api_key_may_be_for_reading_only(void **state)
{
    struct rig r;

    (void)state;
    rig_init(&r, 0);
    rig_keys(&r, "7<Tab>Nmonitor<Tab>r<Tab><Ctrl-U>never<Enter>");
    assert_string_equal(r.sent.items[0].path, "/api/headway/apikeys");
    assert_string_equal(r.sent.items[0].body, "{\"description\":\"monitor\",\"readOnly\":true}");
    rig_answer(&r, 0, 200, "{\"result\":{\"id\":\"2\",\"key\":\"hskey-api-x\",\"prefix\":\"hskey-api-***\"}}");
    assert_true(rig_shows(&r, "new API key for monitor"));
    rig_keys(&r, "y<Esc>");
    assert_string_equal(r.app.clipboard, "hskey-api-x");
    rig_release(&r);
}

/* Nobody knows a key by its prefix: without a description it is called by its number, whose it is by the owner. */
static void keys_are_called_by_what_people_know(void **state)
{
    struct rig r;

    (void)state;
    rig_init(&r, 0);
    rig_json(&r,
             "{\"id\":\"1.41\",\"time\":\"2026-03-03T14:03:10Z\",\"kind\":\"apikey.created\",\"actor\":\"API key 3\","
             "\"object\":\"apikey\",\"objectId\":\"3\",\"objectName\":\"hskey-api-fedcba987654-***\",\"text\":"
             "\"API key 3 was created\",\"changed\":{\"apiKeys\":[{\"id\":\"3\",\"prefix\":"
             "\"hskey-api-fedcba987654-***\",\"description\":\"\",\"readOnly\":false}]}}");
    rig_pass(&r, HOLD_MS + 1);
    rig_keys(&r, "7:delete<Enter>");
    assert_true(rig_shows(&r, "pre-auth key 9 of "));
    assert_false(rig_shows(&r, "delete hskey"));
    rig_keys(&r, "<Esc><Tab>/fedcba<Enter>:delete<Enter>");
    assert_true(rig_shows(&r, "API key 3"));
    rig_draw(&r, 24, 80);
    assert_false(rig_shows(&r, "delete hskey"));
    rig_keys(&r, "<Esc>5");
    assert_true(rig_shows(&r, "API key 3 was created"));
    assert_true(rig_shows(&r, "API key 3   API key created by API key 3"));
    assert_false(rig_shows(&r, "fedcba987654")); /* neither in the list nor in the pane */
    rig_release(&r);
}

static void a_key_that_only_reads_is_refused_before_anything_is_shown(void **state)
{
    static const char *const attempts[] = {"1d", "1t", "1/gw-ber-1<Enter>o", "2jjx", "6N", "7N", "8a", "8x", "1n"};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(attempts); i++) {
        struct rig r;

        rig_init(&r, 0);
        app_whoami(&r.app, "viewer", true);
        rig_keys(&r, attempts[i]);
        assert_int_equal(r.sent.len, 0);
        assert_null(r.app.dialog);
        assert_true(rig_shows(&r, "your API key is read-only"));
        rig_release(&r);
    }
}

static void a_copy_is_what_the_menu_said(void **state)
{
    struct rig r;

    (void)state;
    rig_init(&r, 0);
    rig_keys(&r, "/gw-fra<Enter>yIPv4<Enter>");
    assert_string_equal(r.app.clipboard, "100.64.0.5");
    assert_true(rig_shows(&r, "sent to the terminal's clipboard: 100.64.0.5"));
    rig_keys(&r, "ycommand<Enter>");
    assert_string_equal(r.app.clipboard, "headway routes approve 5 172.16.0.0/12");
    rig_keys(&r, "<Esc>+gw-<Enter>yname<Enter>");
    assert_string_equal(r.app.clipboard, "gw-ber-1\ngw-ber-2\ngw-fra-1");
    assert_true(rig_shows(&r, "sent to the terminal's clipboard: 3 lines"));
    rig_keys(&r, "\\/nas<Enter>yJSON<Enter>");
    assert_non_null(strstr(r.app.clipboard, "\"name\":\"nas\",\"owner\":\"alice\",\"address\":\"100.64.0.8\""));
    rig_keys(&r, "8yid<Enter>");
    assert_string_equal(r.app.clipboard, "hskey-authreq-0123456789abcdef01234567");
    rig_release(&r);
}

static void columns_are_chosen_and_kept(void **state)
{
    char dir[] = "/tmp/headway-columns-XXXXXX";
    struct rig r;

    (void)state;
    assert_non_null(mkdtemp(dir));
    rig_init(&r, 0);
    rig_keys(&r, ":columns name version seen<Enter>");
    assert_true(rig_shows(&r, "NAME"));
    assert_true(rig_shows(&r, "1.82.0"));
    assert_false(list_shows(app_list(&r.app), 3));
    rig_keys(&r, ":columns name colour<Enter>");
    assert_true(rig_shows(&r, "there is no column 'colour'"));
    rig_keys(&r, "<Esc>cj>jj<Space>"); /* the version goes to the end, and the owner after it */
    struct buf now = BUF_INIT(0);
    list_chosen(app_list(&r.app), &now);
    assert_string_equal(buf_text(&now), "name seen version owner");
    history_save(&r.app, dir);
    rig_release(&r);

    struct rig again;
    rig_init(&again, 0);
    history_load(&again.app, dir);
    buf_clear(&now);
    list_chosen(app_list(&again.app), &now);
    assert_string_equal(buf_text(&now), "name seen version owner");
    rig_keys(&again, "c0");
    assert_int_equal(app_list(&again.app)->chosen_len, 0);
    rig_release(&again);
    buf_release(&now);
    char *path = mem_format("%s/console.history", dir);
    unlink(path);
    rmdir(dir);
    free(path);
}

/* A console of this server, with the state in dir. */
static void start_at(struct rig *r, const char *address, const char *dir)
{
    rig_init(r, 0);
    r->app.address = mem_strdup(address);
    history_load(&r->app, dir);
}

static void end_at(struct rig *r, const char *dir)
{
    history_save(&r->app, dir);
    rig_release(r);
}

static bool remembers(const struct rig *r, enum prompt_kind kind, const char *line)
{
    return strs_has(&r->app.prompt.history[kind], line);
}

/* Two servers, one folder: what was typed at one is not offered at the other, and neither end forgets the other's. */
static void what_was_typed_belongs_to_one_server(void **state)
{
    char dir[] = "/tmp/headway-servers-XXXXXX";
    struct rig r;

    (void)state;
    assert_non_null(mkdtemp(dir));
    start_at(&r, "/run/one.sock", dir);
    rig_keys(&r, "/gw-ber<Enter>:events<Enter>");
    end_at(&r, dir);
    start_at(&r, "https://two.example.com", dir);
    assert_false(remembers(&r, PROMPT_FILTER, "gw-ber"));
    assert_false(remembers(&r, PROMPT_COMMAND, "events"));
    rig_keys(&r, "/laptop<Enter>:users<Enter>");
    end_at(&r, dir);
    start_at(&r, "/run/one.sock", dir);
    assert_true(remembers(&r, PROMPT_FILTER, "gw-ber"));
    assert_true(remembers(&r, PROMPT_COMMAND, "events"));
    assert_false(remembers(&r, PROMPT_FILTER, "laptop"));
    end_at(&r, dir);
    start_at(&r, "https://two.example.com", dir);
    assert_true(remembers(&r, PROMPT_FILTER, "laptop"));
    assert_true(remembers(&r, PROMPT_COMMAND, "users"));
    assert_false(remembers(&r, PROMPT_COMMAND, "events"));
    end_at(&r, dir);
    char *path = mem_format("%s/console.history", dir);
    assert_int_equal(unlink(path), 0);
    assert_int_equal(rmdir(dir), 0);
    free(path);
}

static void silence_is_said_and_nothing_changes_then(void **state)
{
    struct rig r;

    (void)state;
    rig_init(&r, 0);
    app_heard(&r.app, r.now_ms);
    rig_pass(&r, LATE_MS);
    assert_true(rig_shows(&r, "LIVE"));
    rig_pass(&r, 3000);
    assert_true(rig_shows(&r, "no sign of life for 15s"));
    assert_true(rig_shows(&r, "LATE"));
    rig_keys(&r, "/nas<Enter>a");
    assert_int_equal(r.sent.len, 0);
    assert_true(rig_shows(&r, "approve: the server does not respond"));
    app_heard(&r.app, r.now_ms);
    assert_true(rig_shows(&r, "LIVE"));
    rig_keys(&r, "a");
    assert_int_equal(r.sent.len, 1);
    rig_release(&r);
}

/* Fifty tags are all in the field; Enter on them changes nothing, and what would be lost is shown before. */
static void no_tag_is_lost_unasked(void **state)
{
    struct buf node = BUF_INIT(0);
    struct rig r;

    (void)state;
    rig_init(&r, 0);
    buf_adds(&node, "{\"node\":{\"id\":\"8\",\"givenName\":\"nas\",\"online\":true,\"version\":30,\"tags\":[");
    for (int i = 10; i < 60; i++)
        buf_addf(&node, "%s\"tag:department-%d\"", i > 10 ? "," : "", i);
    buf_adds(&node, "]}}");
    rig_json(&r, buf_text(&node));
    buf_release(&node);
    rig_keys(&r, "/nas<Enter>t<Enter>");
    assert_true(rig_shows(&r, "nothing to change"));
    assert_int_equal(r.sent.len, 0);
    rig_keys(&r, "t<Ctrl-U>tag:only<Enter>");
    assert_true(rig_shows(&r, "! removes tag:department-10 tag:department-11"));
    rig_draw(&r, 40, 80);
    char *screen = rig_screen(&r, 40, 80); /* to the last one */
    assert_non_null(strstr(screen, "tag:department-59"));
    free(screen);
    assert_true(str_ends(r.sent.items[0].path, "?dry_run=true"));
    assert_string_equal(r.sent.items[0].body, "{\"tags\":[\"tag:only\"]}");
    rig_keys(&r, "<Esc>t <End>tag:more<Enter>");
    assert_int_equal(r.sent.len, 1 + 1);
    rig_release(&r);
}

/* What was typed stays where it will not do, and no letter of it becomes a command. */
static void a_refused_text_stays_to_be_mended(void **state)
{
    struct rig r;

    (void)state;
    rig_init(&r, 0);
    rig_keys(&r, "6=<Ctrl-U>alice<Enter>");
    assert_non_null(r.app.dialog);
    assert_true(rig_shows(&r, "give a source and a destination"));
    rig_keys(&r, " nas<Enter>");
    assert_null(r.app.dialog);
    assert_string_equal(r.sent.items[rig_last(&r)].path, "/api/headway/explain?src=alice&dst=nas");
    rig_keys(&r, "1/colour:red<Enter>");
    assert_int_equal(r.app.prompt.kind, PROMPT_FILTER);
    assert_true(rig_shows(&r, "unknown key 'colour'"));
    rig_release(&r);
}

/* A source that is there already, and more words than it takes: that is said where one looks. */
static void too_many_words_are_named(void **state)
{
    struct rig r;

    (void)state;
    rig_init(&r, 0);
    rig_keys(&r, "1=laptop nas 22<Enter>");
    assert_non_null(r.app.dialog);
    assert_true(rig_shows(&r, "too many words: 'build-01' is the source, 'laptop' the destination"));
    char *screen = rig_screen(&r, 16, 60);
    assert_non_null(strstr(screen, "too many words"));
    free(screen);
    rig_keys(&r, "<Ctrl-U>laptop nas 22<Enter>"); /* a port may stand by itself */
    assert_null(r.app.dialog);
    assert_string_equal(r.sent.items[rig_last(&r)].path, "/api/headway/explain?src=laptop&dst=nas&port=22");
    rig_keys(&r, "=<Ctrl-U>laptop nas 22 tcp<Enter>");
    assert_true(rig_shows(&r, "too many words"));
    rig_release(&r);
}

static void a_time_is_typed_over_and_not_two_times(void **state)
{
    struct rig r;

    (void)state;
    rig_init(&r, 0);
    rig_keys(&r, "7N<Up>90d<Enter>"); /* Up from the first field is the last one: expires */
    assert_non_null(strstr(r.sent.items[rig_last(&r)].body, "\"expiration\":\"2026-06-01T"));
    rig_keys(&r, "N<Up><End>90d<Enter>");
    assert_non_null(r.app.dialog);
    assert_true(rig_shows(&r, "expires: give a time"));
    rig_release(&r);
}

/* Both exit routes of a node go together, and nobody takes over; of a prefix it is said who does. */
#define EXIT_REVOKED                                                                                                   \
    "{\"exits\":[{\"node\":\"9\",\"name\":\"office-exit\",\"kind\":\"loses\",\"viewers\":5,\"without\":5,\"inUse\":2}" \
    "],"                                                                                                               \
    "\"totals\":{\"lose\":5}}"

static void revoking_says_what_goes_and_who_takes_over(void **state)
{
    struct rig r;

    (void)state;
    rig_init(&r, 0);
    rig_keys(&r, "2/exit<Enter>Gx");
    assert_true(rig_shows(&r, "revoke office-exit as exit node (0.0.0.0/0, ::/0)"));
    assert_true(rig_shows(&r, "::/0"));
    assert_string_equal(r.sent.items[0].body, "{\"revoke\":[\"0.0.0.0/0\",\"::/0\"]}");
    assert_true(rig_tell(&r,
                         "POST /api/headway/routes/simulate {\"changes\":[{\"kind\":\"revoke\",\"node\":\"9\","
                         "\"prefixes\":[\"0.0.0.0/0\",\"::/0\"]}]}",
                         200, EXIT_REVOKED));
    assert_true(rig_shows(&r, "exit node office-exit: 5 nodes lose it, 2 use it now, 5 have no other"));
    rig_keys(&r, "<Esc>/<Ctrl-U><Enter>:revoke gw-ber-1 10.20.0.0/16<Enter>");
    assert_true(rig_shows(&r, "asking what changes for whom"));
    assert_true(rig_tell(&r, "simulate", 200, REVOKED));
    assert_true(rig_shows(&r, "not approved, gw-ber-2 serves it"));
    assert_true(rig_shows(&r, "moves from gw-ber-1 to gw-ber-2: 9 nodes move; no other"));
    rig_release(&r);
}

#define DRAINED(id, yes)                                                                                               \
    "{\"id\":\"" id                                                                                                    \
    "\",\"kind\":\"node.drained\",\"changed\":{\"nodes\":[{\"id\":\"3\",\"givenName\":\"gw-ber-1\",\"online\":"        \
    "true,\"healthy\":true,\"version\":30,\"draining\":" yes ",\"routes\":[{\"prefix\":\"10.20.0.0/16\",\"state\":"    \
    "\"standby\",\"primary\":\"4\"}]}],\"prefixes\":[{\"prefix\":\"10.20.0.0/16\",\"primary\":\"4\",\"primaryName\":"  \
    "\"gw-ber-2\",\"routers\":[{\"node\":\"3\",\"name\":\"gw-ber-1\",\"state\":\"standby\"},{\"node\":\"4\",\"name\":" \
    "\"gw-ber-2\",\"state\":\"serving\"}]}]}}"

/* A drained router is marked and found as such everywhere, and takes over nothing. */
static void a_drained_router_is_seen_everywhere(void **state)
{
    struct rig r;

    (void)state;
    rig_init(&r, 0);
    rig_keys(&r, "2<Tab><Tab>");
    assert_true(rig_shows(&r, "2 groups   1 degraded"));
    rig_json(&r, DRAINED("1.41", "true"));
    rig_pass(&r, HOLD_MS + 1);
    assert_true(rig_shows(&r, "2 groups   2 degraded"));
    rig_keys(&r, "/is:drained<Enter>");
    assert_true(rig_shows(&r, "2 of 2"));
    rig_keys(&r, "1");
    rig_draw(&r, 24, 80);
    assert_true(rig_shows(&r, "\xe2\x97\x8c gw-ber-1"));
    rig_keys(&r, "/is:drained<Enter>");
    assert_true(rig_shows(&r, "1 of 12"));
    rig_json(
        &r,
        "{\"id\":\"1.42\",\"kind\":\"node.offline\",\"changed\":{\"nodes\":[{\"id\":\"3\",\"givenName\":\"gw-ber-1\","
        "\"online\":false,\"healthy\":true,\"version\":31,\"draining\":true,\"routes\":[]}]}}");
    rig_pass(&r, HOLD_MS + 1);
    rig_draw(&r, 24, 80);
    assert_true(rig_shows(&r, "1 of 12")); /* its sign is that of a node offline, the filter still finds it */
    assert_true(rig_shows(&r, "gw-ber-1"));
    rig_keys(&r, "/<Ctrl-U>is:drained is:offline<Enter>");
    assert_true(rig_shows(&r, "1 of 12"));
    rig_keys(&r, "/<Ctrl-U><Enter>2<Tab><Tab>");
    rig_json(&r, DRAINED("1.43", "false"));
    rig_pass(&r, HOLD_MS + 1);
    assert_true(rig_shows(&r, "1 degraded"));
    rig_release(&r);
}

static void the_drain_key_is_among_the_hints(void **state)
{
    static const char *const views[] = {"", "2", "2<Tab>", "2<Tab><Tab>", "1/gw-fra<Enter><Enter>"};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(views); i++) {
        struct rig r;

        rig_init(&r, 0);
        rig_keys(&r, views[i]);
        assert_true(rig_shows(&r, "o drain"));
        rig_keys(&r, "?drain");
        assert_true(rig_shows(&r, i ? "drain the router" : "drain: the selection is not a router"));
        rig_release(&r);
    }
}

/* Routes that nobody approved need an approval; nothing is degraded by that. */
static void what_was_never_approved_is_not_degraded(void **state)
{
    struct rig r;

    (void)state;
    rig_init(&r, 0);
    rig_json(&r, "{\"id\":\"1.41\",\"kind\":\"route.advertised\",\"changed\":{\"prefixes\":[{\"prefix\":"
                 "\"172.16.0.0/12\",\"routers\":[{\"node\":\"5\",\"name\":\"gw-fra-1\",\"state\":\"available\"},"
                 "{\"node\":\"3\",\"name\":\"gw-ber-1\",\"state\":\"available\"}]}]}}");
    rig_keys(&r, "2<Tab><Tab>");
    assert_true(rig_shows(&r, "3 groups   1 degraded"));
    rig_release(&r);
}

/* Esc goes back to where one came from, and leaves the lists there as they were. */
static void escape_leads_back_from_what_was_opened(void **state)
{
    static const struct {
        const char *keys, *leads;
    } jumps[] = {{"1/gw-ber-1<Enter>r", "routes"},
                 {"1/gw-ber-1<Enter>L", "events"},
                 {"2<Tab><Enter>", "routes"},
                 {"6<Enter>", "nodes"},
                 {"1/gw-ber-1<Enter><Enter>", "node"}};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(jumps); i++) {
        struct rig r;

        rig_init(&r, 0);
        rig_keys(&r, "5/actor:server<Enter>1");
        char *keys = mem_strndup(jumps[i].keys, strlen(jumps[i].keys)), *last = strrchr(keys, '<');
        if (!last || !str_ends(keys, "<Enter>"))
            last = keys + strlen(keys) - 1;
        char *jump = mem_strdup(last);
        *last = '\0';
        rig_keys(&r, keys);
        rig_draw(&r, 24, 80);
        const struct console_view *from = r.app.place.view;
        int part = r.app.place.part;
        rig_keys(&r, jump);
        rig_draw(&r, 24, 80);
        assert_string_equal(r.app.place.view->name, jumps[i].leads);
        rig_keys(&r, "<Esc>");
        assert_ptr_equal(r.app.place.view, from);
        assert_int_equal(r.app.place.part, part);
        rig_keys(&r, "5");
        assert_string_equal(app_list(&r.app)->filter_text, "actor:server");
        free(jump);
        free(keys);
        rig_release(&r);
    }
}

static void messages_are_newest_first_and_counted(void **state)
{
    struct rig r;

    (void)state;
    rig_init(&r, 0);
    rig_keys(&r, ":sort owner<Enter>EEE:messages<Enter>");
    char *screen = rig_screen(&r, 24, 80);
    const char *again = strstr(screen, "E does nothing here; ? lists the keys (3 times)"),
               *first = strstr(screen, "sorted by owner");
    assert_non_null(again);
    assert_true(first > again);
    free(screen);
    rig_keys(&r, "<PgDn><Space>G<Esc>");
    assert_null(r.app.dialog);
    rig_release(&r);
}

static void what_an_event_holds_is_told_in_words(void **state)
{
    struct rig r;

    (void)state;
    rig_init(&r, 0);
    rig_json(
        &r,
        "{\"id\":\"1.41\",\"time\":\"2026-03-03T14:02:00Z\",\"kind\":\"node.tagged\",\"actor\":\"alice\",\"object\":"
        "\"node\",\"objectId\":\"8\",\"objectName\":\"nas\",\"text\":\"nas was tagged\",\"detail\":{\"tags\":"
        "[\"tag:web\",\"tag:\\u001bdb\"],\"before\":null,\"forced\":true}}");
    rig_keys(&r, "5");
    rig_draw(&r, 24, 80);
    assert_true(rig_shows(&r, "forced: yes; tags: tag:web, tag:\\x1bdb"));
    rig_keys(&r, "w");
    assert_true(rig_shows(&r, "tags: tag:web, tag:"));
    rig_release(&r);
}

static void users_are_suspended_restored_and_linked(void **state)
{
    struct rig r;

    (void)state;
    rig_init(&r, 0);
    rig_keys(&r, "6ga");
    assert_int_equal(r.sent.len, 0);
    assert_true(rig_shows(&r, "not suspended"));
    rig_keys(&r, "<Esc>x");
    assert_true(rig_shows(&r, "suspended: its nodes are logged out"));
    rig_answer(&r, 0, 200, "{}");
    rig_keys(&r, "y");
    assert_string_equal(r.sent.items[1].path, "/api/headway/users/1/suspended");
    assert_string_equal(r.sent.items[1].body, "{\"suspended\":true}");
    rig_answer(&r, 1, 200,
               "{\"event\":\"1.41\",\"inverse\":{\"method\":\"POST\"},\"result\":{\"id\":\"1\",\"name\":\"alice\","
               "\"suspendedAt\":\"2026-03-03T14:03:00Z\",\"suspendedBy\":\"root\"}}");
    assert_true(rig_shows(&r, "alice suspended"));
    rig_draw(&r, 24, 100);
    rig_keys(&r, "<Esc>gx");
    assert_true(rig_shows(&r, "suspended already"));
    rig_keys(&r, "<Esc>ga");
    rig_answer(&r, 2, 200, "{}");
    rig_keys(&r, "y");
    assert_string_equal(r.sent.items[3].body, "{\"suspended\":false}");
    rig_answer(&r, 3, 200, "{\"event\":\"1.42\"}");
    rig_keys(&r, "<Esc>gi<Enter>");
    rig_keys(&r, "company<Tab>0815<Tab><Enter>");
    assert_string_equal(r.sent.items[4].path, "/api/headway/users/1/link?dry_run=true");
    assert_string_equal(r.sent.items[4].body, "{\"provider\":\"company\",\"subject\":\"0815\",\"linked\":true}");
    rig_answer(&r, 4, 400, "{\"error\":{\"code\":\"invalid\",\"message\":\"'company' is no OpenID provider\"}}");
    assert_true(rig_shows(&r, "'company' is no OpenID provider"));
    rig_keys(&r, "<Esc>gi<Tab><Enter>");
    assert_true(rig_shows(&r, "link: a provider is needed"));
    rig_release(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_an_event_holds_is_told_in_words),
        cmocka_unit_test(escape_leads_back_from_what_was_opened),
        cmocka_unit_test(messages_are_newest_first_and_counted),
        cmocka_unit_test(a_drained_router_is_seen_everywhere),
        cmocka_unit_test(arguments_may_begin_with_a_row),
        cmocka_unit_test(the_priority_of_a_router_is_set),
        cmocka_unit_test(how_a_prefix_is_served_is_set_in_a_form),
        cmocka_unit_test(the_drain_key_is_among_the_hints),
        cmocka_unit_test(what_was_never_approved_is_not_degraded),
        cmocka_unit_test(a_refused_text_stays_to_be_mended),
        cmocka_unit_test(too_many_words_are_named),
        cmocka_unit_test(a_time_is_typed_over_and_not_two_times),
        cmocka_unit_test(revoking_says_what_goes_and_who_takes_over),
        cmocka_unit_test(no_tag_is_lost_unasked),
        cmocka_unit_test(tags_of_a_tagged_node_change_at_once),
        cmocka_unit_test(tags_end_the_ownership_of_a_user_only_after_a_question),
        cmocka_unit_test(tags_that_stay_as_they_are_send_nothing),
        cmocka_unit_test(the_last_change_is_done_again_to_other_nodes),
        cmocka_unit_test(out_of_service_says_who_takes_over),
        cmocka_unit_test(a_new_user_is_asked_for_in_a_form),
        cmocka_unit_test(a_new_key_is_shown_once_and_kept_nowhere),
        cmocka_unit_test(a_key_for_nobody_needs_tags),
        cmocka_unit_test(an_api_key_may_be_for_reading_only),
        cmocka_unit_test(keys_are_called_by_what_people_know),
        cmocka_unit_test(a_copy_is_what_the_menu_said),
        cmocka_unit_test(columns_are_chosen_and_kept),
        cmocka_unit_test(what_was_typed_belongs_to_one_server),
        cmocka_unit_test(silence_is_said_and_nothing_changes_then),
        cmocka_unit_test(a_key_that_only_reads_is_refused_before_anything_is_shown),
        cmocka_unit_test(users_are_suspended_restored_and_linked),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
