/* SPDX-License-Identifier: BSD-3-Clause */
/* The filter language over made-up nodes: what each form matches, and what is refused, with the position. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/array.h"
#include "console/views/nodes.h"
#include "shared/console_rig.h"

static size_t found(struct rig *r, const char *text)
{
    struct err e;
    size_t at;

    if (list_filter(view_list(&r->app, &nodes_view, 0), text, &at, &e) < 0)
        fail_msg("%s: %s", text, e.message);
    rig_draw(r, 24, 80);
    return view_list(&r->app, &nodes_view, 0)->order.len;
}

static void forms_find_what_they_say(void **state)
{
    static const struct {
        const char *text;
        size_t count;
    } cases[] = {
        {"", 13},
        {"gw", 3},
        {"GW", 0},
        {"gw ber", 2},
        {"gw !ber", 1},
        {"nas|kiosk", 2},
        {"tag:router", 4},
        {"user:alice", 2},
        {"user:ali", 2},
        {"user=alice", 2},
        {"user=ali", 0},
        {"tag=tag:router", 4},
        {"tag=tag:rout", 0},
        {"name=gw-ber-1", 1},
        {"a=b", 0},
        {"is:expired", 1},
        {"is:offline", 2},
        {"~^gw-.*-1", 2},
        {"ip:100.64.0.2/31", 2},
        {"route:10.0.0.0/8", 2},
        {"route~192.168.7.9/32", 4},
        {"seen>1h", 3},
        {"seen<1h", 10},
        {"exp<10d", 2},
        {"!offline", 10},
        {"is:pending", 1},
        {"is:expired|offline", 3},
        {"is:exp", 1},
        {"name:gw-ber-1", 1},
        {"fd7a:115c:a1e0::3", 1},
    };
    struct rig r;

    (void)state;
    rig_init(&r, 0);
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        size_t count = found(&r, cases[i].text);

        if (count != cases[i].count)
            fail_msg("/%s finds %zu, not %zu", cases[i].text, count, cases[i].count);
    }
    rig_release(&r);
}

static void mistakes_are_named_with_their_column(void **state)
{
    static const struct {
        const char *text;
        size_t at;
        const char *says;
    } cases[] = {
        {"gw seen:7d", 3, "seen needs < or >"},
        {"gw exp<x", 3, "exp"},
        {"colour>7d", 0, "unknown key 'colour': use name user tag"},
        {"gw colour:red", 3, "unknown key 'colour'"},
        {"ip:10.0.0.0/40", 0, "10.0.0.0/40"},
        {"a ~[", 2, "["},
        {"!", 0, "'!' needs a word"},
        {"name:", 0, "name: needs a value"},
        {"name>3d", 0, "name is not a time"},
        {"gw is:nonsense", 3, "is: 'nonsense' is none of online offline"},
        {"is:online|is:dozing", 0, "is: 'dozing' is none of"},
    };
    struct rig r;

    (void)state;
    rig_init(&r, 0);
    assert_int_equal(found(&r, "gw"), 3);
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct err e;
        size_t at = 99;

        assert_true(list_filter(view_list(&r.app, &nodes_view, 0), cases[i].text, &at, &e) < 0);
        if (at != cases[i].at || !strstr(e.message, cases[i].says))
            fail_msg("%s: column %zu, '%s'", cases[i].text, at, e.message);
        rig_draw(&r, 24, 80);
        assert_int_equal(view_list(&r.app, &nodes_view, 0)->order.len, 3); /* the last good one stays */
    }
    rig_release(&r);
}

static void a_bad_filter_shows_while_it_is_typed(void **state)
{
    struct rig r;

    (void)state;
    rig_init(&r, 0);
    rig_keys(&r, "/gw exp>");
    assert_true(rig_shows(&r, "exp> needs a value (column 4)"));
    assert_true(rig_shows(&r, "\n     ^\n")); /* below the '>' */
    rig_keys(&r, "<Esc>");
    assert_string_equal(view_list(&r.app, &nodes_view, 0)->filter_text, "");
    rig_release(&r);
}

/* What is typed after '/' is the new filter; the old one stays where only the cursor moves. */
static void a_new_filter_replaces_the_old_one(void **state)
{
    struct rig r;

    (void)state;
    rig_init(&r, 0);
    rig_keys(&r, "/nas<Enter>/gw<Enter>");
    assert_string_equal(app_list(&r.app)->filter_text, "gw");
    rig_keys(&r, "/<End>-fra<Enter>");
    assert_string_equal(app_list(&r.app)->filter_text, "gw-fra");
    rig_keys(&r, "/<Enter>");
    assert_string_equal(app_list(&r.app)->filter_text, "gw-fra");
    rig_release(&r);
}

/* The newest events below other views are all of them, whatever the list of events filters. */
static void the_tail_is_not_filtered(void **state)
{
    struct rig r;

    (void)state;
    rig_init(&r, 0);
    rig_draw(&r, 45, 160);
    rig_keys(&r, "5/actor:alice<Enter>1");
    char *screen = rig_screen(&r, 45, 160);
    assert_non_null(strstr(screen, "failover "));
    free(screen);
    rig_release(&r);
}

/* The last name that goes is the list's own. */
static void saved_filters_go_one_by_one(void **state)
{
    struct saved_filters s = {0};

    (void)state;
    assert_int_equal(saved_filter_set(&s, "a", "tag:a", NULL), 0);
    assert_int_equal(saved_filter_set(&s, "b", "tag:b", NULL), 0);
    assert_int_equal(saved_filter_set(&s, "c", "tag:c", NULL), 0);
    assert_int_equal(saved_filter_set(&s, "b", "", NULL), 0);
    assert_null(saved_filter_find(&s, "b"));
    assert_string_equal(saved_filter_find(&s, "a"), "tag:a");
    assert_string_equal(saved_filter_find(&s, "c"), "tag:c");
    saved_filters_release(&s);
    assert_int_equal(s.len, 0);
}

/* Who opens a user sees nobody whose name only begins so. */
static void what_is_opened_is_exact(void **state)
{
    static const struct {
        const char *value, *filter;
    } cases[] = {{"alice", "user=alice"}, {"ana b", "user~^ana.b$"}, {"a|b(", "user~^a.b.$"}};
    struct rig r;

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct buf filter = BUF_INIT(0);

        filter_exactly("user", cases[i].value, &filter);
        assert_string_equal(buf_text(&filter), cases[i].filter);
        buf_release(&filter);
    }
    rig_init(&r, 0);
    rig_json(&r, "{\"node\":{\"id\":\"90\",\"givenName\":\"of-alicea\",\"online\":true,\"routes\":[],\"user\":"
                 "{\"id\":\"9\",\"name\":\"alicea\"}}}");
    assert_int_equal(found(&r, "user:alice"), 3);
    rig_keys(&r, "6/alice<Enter><Enter>");
    rig_draw(&r, 24, 80);
    assert_string_equal(app_list(&r.app)->filter_text, "user=alice");
    assert_int_equal(app_list(&r.app)->order.len, 2);
    rig_release(&r);
}

/* A filter that has no room is cut, and what else is said gives way: rows are never left out unsaid. */
static void a_filter_is_always_on_the_screen(void **state)
{
    struct rig r;

    (void)state;
    rig_init(&r, 0);
    rig_keys(&r, "/name=a-name-that-is-much-too-long-for-the-line-of-facts-of-eighty-columns<Enter>");
    assert_true(rig_shows(&r, "/name=a-name-that-is-much"));
    rig_keys(&r, "<Esc>2/prefix=fd00:1234:5678:9abc::/64<Enter>");
    char *screen = rig_screen(&r, 16, 60);
    assert_non_null(strstr(screen, "/pref"));
    free(screen);
    rig_release(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(saved_filters_go_one_by_one),
        cmocka_unit_test(what_is_opened_is_exact),
        cmocka_unit_test(a_filter_is_always_on_the_screen),
        cmocka_unit_test(a_new_filter_replaces_the_old_one),
        cmocka_unit_test(the_tail_is_not_filtered),
        cmocka_unit_test(forms_find_what_they_say),
        cmocka_unit_test(mistakes_are_named_with_their_column),
        cmocka_unit_test(a_bad_filter_shows_while_it_is_typed),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
