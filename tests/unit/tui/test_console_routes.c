/* SPDX-License-Identifier: BSD-3-Clause */
/* Routes in detail: the server's background requests, and where their results are shown. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "console/routes/questions.h"
#include "shared/console_rig.h"

#define CHECK                                                                                                          \
    "{\"problems\":[{\"prefix\":\"192.168.7.0/24\",\"node\":\"5\",\"name\":\"gw-fra-1\",\"code\":"                     \
    "\"does-not-forward\",\"warning\":true,\"text\":\"the node does not forward\"},{\"prefix\":\"10.20.0.0/16\","      \
    "\"node\":\"3\",\"name\":\"gw-ber-1\",\"code\":\"no-survivor\",\"warning\":false,\"text\":\"no other router "      \
    "can\"}]}"

/* Lets time go by until the question is asked, and answers it. */
static bool told(struct rig *r, const char *asked, int status, const char *answer)
{
    for (int i = 0; i < 50; i++) {
        rig_draw(r, 24, 80);
        if (rig_tell(r, asked, status, answer)) {
            rig_draw(r, 24, 80);
            return true;
        }
        /* What else is asked has no answer here. */
        rig_tell(r, "/api/", 404, "{}");
        rig_pass(r, 100);
    }
    return false;
}

static void findings_have_a_glyph_a_word_and_a_filter(void **state)
{
    struct rig r;

    (void)state;
    rig_init(&r, 0);
    rig_keys(&r, "2");
    assert_true(told(&r, "GET /api/headway/routes/check", 200, CHECK));
    assert_true(rig_shows(&r, "! no forwarding"));
    rig_keys(&r, "/is:warning<Enter>");
    assert_true(rig_shows(&r, "1 of 10"));
    rig_keys(&r, "/<Ctrl-U>is:finding<Enter>");
    assert_true(rig_shows(&r, "2 of 10"));
    rig_keys(&r, "G");
    assert_true(rig_shows(&r, "! the node does not forward; look at its forwarding, its LAN port"));
    rig_keys(&r, "w");
    assert_true(rig_shows(&r, "the node does not forward; look at its forwarding"));
    rig_keys(&r, "<Esc><Tab>");
    rig_keys(&r, "/is:warning<Enter>");
    assert_true(rig_shows(&r, "1 of 3"));
    /* It is found no more. */
    rig_pass(&r, 301000);
    assert_true(told(&r, "routes/check", 200, "{\"problems\":[]}"));
    rig_pass(&r, 3000);
    rig_keys(&r, "/<Ctrl-U>is:finding<Enter>");
    assert_true(rig_shows(&r, "0 of 3"));
    rig_release(&r);
}

#define FOLLOW(followed, complete, text)                                                                               \
    "{\"prefix\":\"10.20.0.0/"                                                                                         \
    "16\",\"to\":\"4\",\"toName\":\"gw-ber-2\",\"movedAt\":\"2026-03-03T14:03:00Z\",\"asked\":"                        \
    "43,\"followed\":" followed ",\"complete\":" complete ",\"ended\":" complete ",\"text\":\"" text "\"}"

/* The prefix under the cursor says how far clients follow, again and again until all do. */
static void clients_are_followed_live(void **state)
{
    struct rig r;

    (void)state;
    rig_init(&r, 0);
    rig_keys(&r, "2<Tab>");
    assert_true(told(&r, "GET /api/headway/prefixes/10.20.0.0%2F16/followers", 200,
                     FOLLOW("41", "false", "41 of 43 have switched, 2 still use gw-ber-1 (since 12 s)")));
    /* It was told of a move before: another router serves it by now. */
    assert_false(rig_shows(&r, "41 of 43"));
    rig_json(&r, "{\"changed\":{\"prefixes\":[{\"prefix\":\"10.20.0.0/16\",\"primary\":\"4\",\"routers\":[{\"node\":"
                 "\"4\",\"name\":\"gw-ber-2\",\"online\":true,\"state\":\"serving\"}]}]}}");
    assert_true(rig_shows(&r, "41 of 43 have switched, 2 still use gw-ber-1 (since 12 s)"));
    assert_true(told(&r, "followers", 200, FOLLOW("43", "true", "43 of 43 have switched")));
    assert_true(rig_shows(&r, "clients        43 of 43 have switched"));
    assert_true(told(&r, "10.20.0.0%2F16/history", 200, "{}")); /* it says now how long that took */
    assert_false(told(&r, "followers", 200, "{}"));
    rig_keys(&r, "<Tab>");
    assert_true(told(&r, "followers", 200, FOLLOW("40", "false", "40 of 43 have switched")));
    assert_true(rig_shows(&r, "40 of 43"));
    rig_release(&r);
}

/* Who serves within a group of via is a standby for everybody else. */
static void a_router_of_a_group_can_become_the_primary(void **state)
{
    struct rig r;

    (void)state;
    rig_init(&r, 0);
    rig_keys(&r, "2<Tab>");
    rig_json(&r, "{\"changed\":{\"prefixes\":[{\"prefix\":\"10.20.0.0/16\",\"primary\":\"4\",\"routers\":["
                 "{\"node\":\"4\",\"name\":\"gw-ber-2\",\"state\":\"serving\"},"
                 "{\"node\":\"3\",\"name\":\"gw-ber-1\",\"state\":\"serving\",\"via\":\"tag:a\"}]}]}}");
    rig_keys(&r, "f");
    assert_true(rig_shows(&r, "gw-ber-1  (serving via tag:a)"));
    assert_false(rig_shows(&r, "gw-ber-2  ("));
    rig_release(&r);
}

/* Whoever makes another router primary is told when clients use it; the move before is not taken for this one. */
static void a_move_is_watched_to_its_end(void **state)
{
    struct rig r;

    (void)state;
    rig_init(&r, 0);
    rig_keys(&r, "2/node:gw-ber-2<Enter>jf");
    rig_answer(&r, 0, 200, "{}");
    rig_keys(&r, "y");
    rig_answer(&r, 1, 200, "{\"event\":\"1.41\"}");
    rig_keys(&r, "1");
    assert_true(told(&r, "prefixes/10.20.0.0%2F16/followers", 200,
                     "{\"to\":\"3\",\"complete\":true,\"ended\":true,\"text\":\"the one before\"}"));
    assert_true(told(&r, "prefixes/10.20.0.0%2F16/followers", 200, FOLLOW("43", "true", "43 of 43 have switched")));
    assert_true(rig_shows(&r, "43 of 43 have switched"));
    assert_false(told(&r, "followers", 200, "{}"));
    rig_release(&r);
}

#define DRAIN(safe, text)                                                                                              \
    "{\"node\":\"3\",\"name\":\"gw-ber-1\",\"draining\":true,\"serves\":[],\"safe\":" safe ",\"text\":\"" text "\"}"

static void a_drained_router_is_said_to_be_safe_to_reboot(void **state)
{
    struct rig r;

    (void)state;
    rig_init(&r, 0);
    rig_keys(&r, "/gw-ber-1<Enter>o");
    rig_answer(&r, 0, 200, "{}");
    rig_keys(&r, "y");
    rig_answer(&r, 1, 200, "{\"event\":\"1.41\"}");
    assert_true(told(&r, "GET /api/headway/nodes/3/drain", 200, DRAIN("false", "not confirmed by clients")));
    assert_true(told(&r, "nodes/3/drain", 200, DRAIN("true", "gw-ber-1 is drained: it is safe to reboot")));
    assert_true(rig_shows(&r, "gw-ber-1 is drained: it is safe to reboot"));
    assert_false(told(&r, "nodes/3/drain", 200, "{}"));
    /* Where the cursor is on it, it stays to be read. */
    rig_json(&r,
             "{\"node\":{\"id\":\"3\",\"givenName\":\"gw-ber-1\",\"online\":true,\"healthy\":true,\"draining\":true,"
             "\"version\":14,\"routes\":[{\"prefix\":\"10.20.0.0/16\",\"state\":\"standby\"}]}}");
    rig_pass(&r, 10000);
    rig_keys(&r, "2g");
    assert_true(told(&r, "nodes/3/drain", 200, DRAIN("true", "gw-ber-1 is drained: it is safe to reboot")));
    assert_true(rig_shows(&r, "drained        gw-ber-1 is drained: it is safe to reboot"));
    rig_release(&r);
}

#define USE                                                                                                            \
    "{\"viewers\":[{\"viewers\":{\"count\":20,\"names\":[\"laptop-alice\"]},\"online\":18,\"changes\":[{\"prefix\":"   \
    "\"10.20.0.0/16\",\"kind\":\"loses\",\"fromName\":\"gw-ber-1\"}]},{\"viewers\":{\"count\":9,\"names\":[\"nas\"]}," \
    "\"online\":9,\"changes\":[{\"prefix\":\"10.20.0.0/16\",\"kind\":\"loses\",\"fromName\":\"gw-ber-2\"}]}],"         \
    "\"cutOff\":[{\"user\":\"alice\",\"prefix\":\"10.20.0.0/16\"}]}"

/* Who may use a prefix is what would be lost without its routers; by router where each node takes the nearest. */
static void a_prefix_says_who_uses_it_and_who_is_nearest(void **state)
{
    struct rig r;

    (void)state;
    rig_init(&r, 0);
    rig_json(&r, "{\"id\":\"1.41\",\"kind\":\"prefix.set\",\"changed\":{\"prefixes\":[{\"prefix\":\"10.20.0.0/16\","
                 "\"primary\":\"3\",\"primaryName\":\"gw-ber-1\",\"nearest\":true,\"probe\":\"10.20.0.5\",\"routers\":["
                 "{\"node\":\"3\",\"name\":\"gw-ber-1\",\"state\":\"serving\"},{\"node\":\"4\",\"name\":\"gw-ber-2\","
                 "\"state\":\"standby\"}]}]}}");
    rig_json(&r, "{\"id\":\"1.42\",\"time\":\"2026-03-03T14:02:00Z\",\"kind\":\"route.unreached\",\"actor\":\"server\","
                 "\"object\":\"prefix\",\"objectName\":\"10.20.0.0/16\",\"text\":\"10.20.0.5 does not answer through "
                 "gw-fra-1: nas pinged it in 3 rounds\"}");
    rig_keys(&r, "2<Tab>g");
    assert_true(told(&r,
                     "{\"changes\":[{\"kind\":\"withdraw\",\"node\":\"3\",\"prefixes\":[\"10.20.0.0/16\"]},{\"kind\":"
                     "\"withdraw\",\"node\":\"4\",\"prefixes\":[\"10.20.0.0/16\"]}]}",
                     200, USE));
    assert_true(rig_shows(&r, "29 nodes (27 online): laptop-alice, nas and 27 more"));
    assert_true(rig_shows(&r, "alice"));
    assert_true(rig_shows(&r, "gw-ber-1 20 nodes, gw-ber-2 9 nodes"));
    assert_true(rig_shows(&r, "nearest of 2"));
    assert_true(rig_shows(&r, "10.20.0.5, 14:02:00: 10.20.0.5 does not answer through"));
    rig_release(&r);
}

static void prefixes_are_a_tree_of_containment(void **state)
{
    struct rig r;

    (void)state;
    rig_init(&r, 0);
    rig_json(&r, "{\"id\":\"1.41\",\"kind\":\"route.advertised\",\"changed\":{\"prefixes\":[{\"prefix\":"
                 "\"10.20.8.0/22\",\"primary\":\"8\",\"primaryName\":\"nas\",\"routers\":[{\"node\":\"8\",\"name\":"
                 "\"nas\",\"state\":\"serving\"}]},{\"prefix\":\"10.20.9.0/24\",\"routers\":[]},{\"prefix\":"
                 "\"0.0.0.0/0\",\"exit\":true,\"routers\":[]}]}}");
    rig_keys(&r, "2<Tab>g");
    rig_pass(&r, HOLD_MS + 1);
    assert_true(rig_shows(&r, " 10.20.0.0/16 "));
    assert_true(rig_shows(&r, "   10.20.8.0/22 "));
    assert_true(rig_shows(&r, "     10.20.9.0/24 "));
    assert_false(rig_shows(&r, "       10.20.9.0/24 "));
    rig_keys(&r, "jj");
    assert_string_equal(rig_cursor(&r), "10.20.8.0/22");
    assert_true(rig_shows(&r, "10.20.0.0/16 of gw-ber-1: this one is taken first"));
    assert_true(rig_shows(&r, "contains       10.20.9.0/24"));
    /* In another order it is no tree. */
    rig_keys(&r, ":sort used<Enter>");
    rig_pass(&r, HOLD_MS + 1);
    assert_false(rig_shows(&r, "     10.20.9.0/24 "));
    rig_release(&r);
}

static void a_site_is_read_from_its_prefix(void **state)
{
    struct rig r;

    (void)state;
    rig_init(&r, 0);
    rig_json(&r, "{\"id\":\"1.41\",\"kind\":\"route.advertised\",\"changed\":{\"prefixes\":[{\"prefix\":"
                 "\"fd7a:115c:a1e0:b1a:0:7:a01:100/120\",\"routers\":[]}]}}");
    rig_keys(&r, "2<Tab>/b1a<Enter>");
    assert_true(rig_shows(&r, "1 of "));
    assert_true(rig_shows(&r, "4via6          10.1.1.0/24 of site 7"));
    rig_release(&r);
}

static void exit_nodes_are_suggested_or_drained(void **state)
{
    struct rig r;

    (void)state;
    rig_init(&r, 0);
    rig_keys(&r, ":routes exit<Enter>/is:suggested<Enter>");
    assert_true(rig_shows(&r, "1 of 1"));
    assert_true(rig_shows(&r, "\xe2\x97\x86 office-exit"));
    assert_true(
        told(&r, "\"kind\":\"withdraw\",\"node\":\"9\"", 200,
             "{\"viewers\":[{\"viewers\":{\"count\":5,\"names\":[\"nas\",\"build-01\"]},\"online\":4}],\"exits\":"
             "[{\"node\":\"9\",\"name\":\"office-exit\",\"kind\":\"loses\",\"viewers\":5}]}"));
    rig_json(&r,
             "{\"node\":{\"id\":\"9\",\"givenName\":\"office-exit\",\"online\":true,\"healthy\":true,\"draining\":true,"
             "\"routes\":[{\"prefix\":\"0.0.0.0/0\",\"state\":\"serving\",\"exit\":true}]}}");
    rig_pass(&r, HOLD_MS + 1);
    rig_keys(&r, "/<Ctrl-U>is:drained<Enter>");
    assert_true(rig_shows(&r, "1 of 1"));
    assert_true(rig_shows(&r, "\xe2\x97\x8c office-exit"));
    rig_release(&r);
}

/* Routes are found by whether their router is there, as nodes are. */
static void routes_are_found_by_their_router(void **state)
{
    struct rig r;

    (void)state;
    rig_init(&r, 0);
    rig_keys(&r, "2/is:online<Enter>");
    assert_true(rig_shows(&r, "gw-ber-1"));
    rig_keys(&r, "/<Ctrl-U>is:offline<Enter>");
    assert_false(rig_shows(&r, "gw-ber-1"));
    rig_keys(&r, ":routes exit<Enter>/<Ctrl-U>is:online<Enter>");
    assert_true(rig_shows(&r, "office-exit"));
    rig_keys(&r, "/<Ctrl-U>is:offline<Enter>");
    assert_false(rig_shows(&r, "office-exit"));
    rig_release(&r);
}

/* Flips of a group, and its day, are told by the journal's history. */
static void flips_are_counted(void **state)
{
    struct rig r;

    (void)state;
    rig_init(&r, 0);
    rig_keys(&r, "2<Tab><Tab>g");
    assert_true(told(&r, "GET /api/headway/prefixes/10.20.0.0%2F16/history", 200,
                     "{\"moves\":[{\"time\":\"2026-03-03T12:00:00Z\",\"from\":\"4\",\"fromName\":\"gw-ber-2\",\"to\":"
                     "\"3\",\"toName\":\"gw-ber-1\",\"cause\":\"silent\",\"detectionMs\":2710,\"convergenceMs\":430},"
                     "{\"time\":\"2026-03-01T12:00:00Z\",\"from\":\"3\",\"to\":\"4\"}],\"flips\":2}"));
    assert_true(rig_shows(&r, "1 flip in 24 h"));
    assert_true(rig_shows(&r, "gw-ber-2 to gw-ber-1, found in 2.7 s, followed in 430 ms"));
    rig_release(&r);
}

/* Without the calls of a newer daemon everything else works, and nothing is asked in a loop. */
/* Both lists of prefixes name the same: who takes over if nobody better can. */
static void a_drained_standby_is_named_as_what_it_is(void **state)
{
    struct rig r;

    (void)state;
    rig_init(&r, 0);
    rig_json(&r,
             "{\"changed\":{\"nodes\":[{\"id\":\"4\",\"givenName\":\"gw-ber-2\",\"online\":true,\"draining\":true}]}}");
    rig_keys(&r, "2<Tab>");
    assert_true(rig_shows(&r, "◌ gw-ber-2"));
    rig_keys(&r, "<Tab>");
    assert_true(rig_shows(&r, "◌ gw-ber-2"));
    rig_release(&r);
}

/* What an app connector learns is one row, until it is opened; an action on that row is for all of it. */
static void learned_addresses_are_folded(void **state)
{
    struct buf b = BUF_INIT(0);
    struct rig r;

    (void)state;
    rig_init(&r, 0);
    buf_adds(&b, "{\"changed\":{\"nodes\":[{\"id\":\"77\",\"name\":\"conn\",\"givenName\":\"conn\",\"online\":true,"
                 "\"version\":1,\"tags\":[\"tag:conn\"],\"routes\":[");
    for (int i = 0; i < 20; i++)
        buf_addf(&b, "%s{\"prefix\":\"198.51.100.%d/32\",\"state\":\"%s\",\"advertised\":true}", i ? "," : "", i,
                 i < 12 ? "serving" : "available");
    buf_adds(&b, ",{\"prefix\":\"10.44.0.0/16\",\"state\":\"serving\",\"advertised\":true}]}]}}");
    rig_json(&r, buf_text(&b));
    buf_release(&b);
    rig_keys(&r, "2:filter conn<Enter>");
    assert_true(rig_shows(&r, "198.51.100.1/32")); /* whoever looks for them sees them */
    rig_keys(&r, "<Esc>");
    rig_pass(&r, 3000);
    assert_true(rig_shows(&r, "12 addresses"));
    assert_true(rig_shows(&r, "198.51.100.19/32")); /* eight are few enough */
    assert_true(rig_shows(&r, "10.44.0.0/16"));
    assert_false(rig_shows(&r, "198.51.100.5/32"));
    rig_keys(&r, "g<Down><Down>");
    for (int i = 0; i < 20 && !strstr(rig_cursor(&r), "198.51.100.0"); i++)
        rig_keys(&r, "<Down>");
    rig_keys(&r, "x");
    assert_true(rig_shows(&r, "revoke 12 routes on 1 node"));
    rig_keys(&r, "<Esc>l");
    assert_true(rig_shows(&r, "198.51.100.5/32"));
    rig_keys(&r, "x");
    assert_true(rig_shows(&r, "revoke 198.51.100.0/32 on conn"));
    rig_keys(&r, "<Esc>h");
    assert_true(rig_shows(&r, "12 addresses"));
    rig_keys(&r, "h");
    assert_false(rig_shows(&r, "12 addresses"));
    rig_release(&r);
}

/* The keys of "pane-down" and "pane-up": what has no room below a list is reached all the same. */
static void a_pane_scrolls(void **state)
{
    struct buf b = BUF_INIT(0);
    struct rig r;

    (void)state;
    rig_init(&r, 0);
    buf_adds(&b, "{\"changed\":{\"prefixes\":[{\"prefix\":\"10.1.0.0/16\",\"primary\":\"1\",\"routers\":[");
    for (int i = 1; i <= 20; i++)
        buf_addf(&b, "%s{\"node\":\"%d\",\"name\":\"router-%02d\",\"online\":true,\"state\":\"standby\"}",
                 i > 1 ? "," : "", i, i);
    buf_adds(&b, "]}]}}");
    rig_json(&r, buf_text(&b));
    buf_release(&b);
    rig_keys(&r, "2<Tab>g");
    assert_true(rig_shows(&r, "10.1.0.0/16"));
    assert_true(rig_shows(&r, "router-01"));
    assert_false(rig_shows(&r, "router-20"));
    assert_true(rig_shows(&r, " J "));
    const char *before = rig_cursor(&r);
    for (int i = 0; i < 10; i++)
        rig_keys(&r, "J");
    assert_true(rig_shows(&r, "router-20"));
    assert_true(rig_shows(&r, " end "));
    assert_string_equal(rig_cursor(&r), before);
    rig_keys(&r, "K");
    assert_false(rig_shows(&r, "router-20"));
    rig_keys(&r, "J");
    assert_true(rig_shows(&r, "router-20"));
    /* Another row's begins at its top. */
    rig_keys(&r, "jk");
    assert_true(rig_shows(&r, "router-01"));
    rig_keys(&r, "1J");
    assert_true(rig_shows(&r, "nothing below the list is out of sight"));
    rig_release(&r);
}

static void an_older_daemon_is_not_asked_again_and_again(void **state)
{
    struct rig r;
    size_t asked = 0;

    (void)state;
    rig_init(&r, 0);
    rig_keys(&r, "2<Tab><Tab>");
    for (int i = 0; i < 100; i++) {
        rig_pass(&r, 100);
        rig_draw(&r, 24, 80);
        asked += r.asked.len;
        rig_tell(&r, "/api/", 404, "{\"error\":{\"message\":\"no such call\"}}");
    }
    assert_in_range(asked, 1, 12);
    rig_release(&r);
}

static void tell_prefix(struct rig *r, const char *prefix)
{
    char *json = mem_format("{\"id\":\"1.41\",\"kind\":\"route.approved\",\"changed\":{\"prefixes\":[{\"prefix\":"
                            "\"%s\",\"primary\":\"3\",\"primaryName\":\"gw-ber-1\",\"routers\":[{\"node\":\"3\","
                            "\"name\":\"gw-ber-1\",\"state\":\"serving\"}]}]}}",
                            prefix);

    rig_json(r, json);
    free(json);
}

/* The keys of "fold" and "unfold" in the tree of prefixes. */
static void prefixes_fold_and_open(void **state)
{
    struct rig r;

    (void)state;
    rig_init(&r, 0);
    tell_prefix(&r, "10.20.8.0/22");
    tell_prefix(&r, "10.20.8.0/24");
    rig_keys(&r, "2<Tab>g");
    rig_pass(&r, HOLD_MS + 1);
    assert_true(rig_shows(&r, " 5 prefixes"));
    rig_keys(&r, "h");
    assert_string_equal(rig_cursor(&r), "10.20.0.0/16");
    assert_true(rig_shows(&r, "10.20.0.0/16 +2"));
    assert_false(rig_shows(&r, "10.20.8.0/22  "));
    assert_true(rig_shows(&r, " 5 prefixes"));
    /* What comes into it is counted. */
    tell_prefix(&r, "10.20.9.0/24");
    rig_pass(&r, HOLD_MS + 1);
    assert_true(rig_shows(&r, "10.20.0.0/16 +3"));
    /* Filters and other orders find it. */
    rig_keys(&r, "/20.9<Enter>");
    assert_true(rig_shows(&r, "1 of 6"));
    rig_keys(&r, "h");
    assert_true(rig_shows(&r, "a filter lists all that it finds: Esc clears it"));
    rig_keys(&r, "<Esc>:sort used<Enter>");
    rig_pass(&r, HOLD_MS + 1);
    assert_true(rig_shows(&r, " 10.20.8.0/24  "));
    rig_keys(&r, "h");
    assert_true(rig_shows(&r, "prefixes fold in the order of their addresses"));
    rig_keys(&r, ":sort prefix<Enter>g");
    rig_pass(&r, HOLD_MS + 1);
    assert_true(rig_shows(&r, "10.20.0.0/16 +3"));
    /* A row that is named is shown, where the rest stays folded. */
    rig_keys(&r, ":why 10.20.8.0/24<Enter><Esc>");
    assert_string_equal(rig_cursor(&r), "10.20.8.0/24");
    assert_true(rig_shows(&r, "10.20.0.0/16 +2"));
    rig_keys(&r, "h");
    assert_string_equal(rig_cursor(&r), "10.20.0.0/16");
    assert_true(rig_shows(&r, "10.20.0.0/16 +3"));
    rig_keys(&r, "<Right>");
    assert_true(rig_shows(&r, "  10.20.8.0/22 "));
    assert_string_equal(rig_cursor(&r), "10.20.0.0/16");
    /* Nothing lies within it: what contains it is folded, one level at a time. */
    rig_keys(&r, "jj<Left>");
    assert_string_equal(rig_cursor(&r), "10.20.8.0/22");
    assert_true(rig_shows(&r, "10.20.8.0/22 +2"));
    rig_keys(&r, "h");
    assert_string_equal(rig_cursor(&r), "10.20.0.0/16");
    assert_true(rig_shows(&r, "10.20.0.0/16 +3"));
    rig_keys(&r, "l");
    assert_true(rig_shows(&r, "10.20.8.0/22 +2"));
    /* The list of groups is flat. */
    rig_keys(&r, "<Tab>h");
    assert_true(rig_shows(&r, "nothing folds in this list"));
    rig_release(&r);
}

/* What a group's members do is seen in its pane: each probe, the last round trip, how long the session lasts. */
static void members_show_their_probes(void **state)
{
    struct rig r;

    (void)state;
    rig_init(&r, 0);
    rig_keys(&r, "2<Tab><Tab>g");
    assert_true(
        told(&r, "GET /api/headway/roundtrips?nodes=3,4", 200,
             "{\"nodes\":[{\"node\":\"3\",\"last\":{\"time\":\"2026-03-03T14:02:00Z\",\"us\":11000},\"roundTrips\":"
             "[{\"time\":\"2026-03-03T14:01:58Z\",\"us\":2000},{\"time\":\"2026-03-03T14:01:59Z\",\"lost\":true},"
             "{\"time\":\"2026-03-03T14:02:00Z\",\"us\":11000}]}]}"));
    assert_true(rig_shows(&r, "\xe2\x96\x81\xc3\x97\xe2\x96\x83   11 ms"));
    rig_release(&r);
}

/* What is answered after the user has gone back in time tells of now: rows of then do not take it. */
static void facts_of_now_are_not_shown_in_the_past(void **state)
{
    struct rig r;

    (void)state;
    rig_init(&r, 0);
    rig_keys(&r, "2<Tab><Tab>g");
    rig_keys(&r, "@2026-03-03T11:50:00Z<Enter>");
    rig_answer(&r, rig_last(&r), 200,
               "{\"time\":\"2026-03-03T11:50:00Z\",\"since\":\"2026-01-01T00:00:00Z\",\"prefixes\":[{\"prefix\":"
               "\"10.20.0.0/16\",\"primary\":\"3\",\"primaryName\":\"gw-ber-1\",\"routers\":[{\"node\":\"3\",\"name\":"
               "\"gw-ber-1\",\"state\":\"serving\"},{\"node\":\"4\",\"name\":\"gw-ber-2\",\"state\":\"standby\"}]}]}");
    rig_draw(&r, 24, 80);
    assert_true(rig_shows(&r, "THEN 11:50"));
    count_flips(&r.app, "10.20.0.0/16", NULL);
    const struct row *row = model_find(&r.app.model, ROW_PREFIX, "10.20.0.0/16");
    assert_non_null(row);
    assert_false(row->facts && row->facts->flips_known);
    rig_release(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(findings_have_a_glyph_a_word_and_a_filter),
        cmocka_unit_test(clients_are_followed_live),
        cmocka_unit_test(a_router_of_a_group_can_become_the_primary),
        cmocka_unit_test(a_move_is_watched_to_its_end),
        cmocka_unit_test(a_drained_router_is_said_to_be_safe_to_reboot),
        cmocka_unit_test(a_prefix_says_who_uses_it_and_who_is_nearest),
        cmocka_unit_test(prefixes_are_a_tree_of_containment),
        cmocka_unit_test(a_site_is_read_from_its_prefix),
        cmocka_unit_test(exit_nodes_are_suggested_or_drained),
        cmocka_unit_test(routes_are_found_by_their_router),
        cmocka_unit_test(flips_are_counted),
        cmocka_unit_test(a_drained_standby_is_named_as_what_it_is),
        cmocka_unit_test(learned_addresses_are_folded),
        cmocka_unit_test(a_pane_scrolls),
        cmocka_unit_test(prefixes_fold_and_open),
        cmocka_unit_test(members_show_their_probes),
        cmocka_unit_test(facts_of_now_are_not_shown_in_the_past),
        cmocka_unit_test(an_older_daemon_is_not_asked_again_and_again),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
