/* SPDX-License-Identifier: BSD-3-Clause */
/* The journal in the console: it is read page by page, back to its start, and what is shown about that. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/buf.h"
#include "base/mem.h"
#include "shared/console_rig.h"

/* What was asked for in the background and begins like this; the newest. */
static size_t asked(const struct rig *r, const char *start)
{
    for (size_t i = r->asked.len; i-- > 0;)
        if (str_starts(r->asked.items[i].path, start))
            return i;
    return SIZE_MAX;
}

/* As the server answers: entries FROM to TO of run 1, and where older ones begin (0: nowhere). */
static char *page(unsigned from, unsigned to, unsigned next)
{
    struct buf b = BUF_INIT(0);

    buf_adds(&b, "{\"events\":[");
    for (unsigned i = from; i <= to; i++)
        buf_addf(&b,
                 "%s{\"id\":\"1.%u\",\"time\":\"2026-03-02T10:%02u:%02uZ\",\"kind\":\"user.created\",\"actor\":"
                 "\"%s\",\"object\":\"user\",\"objectName\":\"u%u\",\"text\":\"user u%u created\"}",
                 i > from ? "," : "", i, i / 60 % 60, i % 60, i % 2 ? "alice" : "bob", i, i);
    buf_addf(&b, "],\"event\":\"1.40\",\"readTo\":\"2026-03-02T10:00:%02uZ\"", from % 60);
    if (next)
        buf_addf(&b, ",\"next\":\"1.%u\"", next);
    buf_addc(&b, '}');
    return buf_take(&b);
}

static void first_page(struct rig *r, unsigned from, unsigned to, unsigned next)
{
    char *text = page(from, to, next);
    json_t *root = NULL;
    struct model_delta d = {0};

    assert_int_equal(json_read_large(text, strlen(text), 1 << 24, "test", &root, NULL), 0);
    assert_int_equal(decode_events(root, &d, NULL), 0);
    app_delta(&r->app, &d);
    json_decref(root);
    free(text);
}

static void answer(struct rig *r, const char *start, unsigned from, unsigned to, unsigned next)
{
    char *text = page(from, to, next);

    assert_true(rig_tell(r, start, 200, text));
    free(text);
    rig_draw(r, 24, 80);
}

#define PAGES "/api/headway/events?"

/* A console whose server has entries from before the first page. */
static void begin(struct rig *r)
{
    rig_init(r, 0);
    free(r->app.model.journal_next);
    r->app.model.journal_next = NULL;
    first_page(r, 21, 37, 21);
    rig_draw(r, 24, 80);
}

static void older_entries_come_as_the_cursor_goes_there(void **state)
{
    struct rig r;

    (void)state;
    begin(&r);
    rig_keys(&r, "5");
    rig_draw(&r, 24, 80);
    assert_true(asked(&r, PAGES) == SIZE_MAX);
    assert_true(rig_shows(&r, "back to 02 Mar"));
    rig_keys(&r, "g");
    rig_draw(&r, 24, 80);
    assert_string_equal(r.asked.items[asked(&r, PAGES)].path, "/api/headway/events?limit=500&before=1.21");
    assert_string_equal(rig_cursor(&r), "1.21");
    size_t count = r.asked.len;
    rig_draw(&r, 24, 80);
    assert_int_equal(r.asked.len, count); /* once */
    answer(&r, PAGES, 11, 20, 11);
    assert_string_equal(rig_cursor(&r), "1.21"); /* nothing moves it */
    assert_int_equal(r.app.model.read_back, 10);
    rig_keys(&r, "g");
    rig_draw(&r, 24, 80);
    assert_string_equal(rig_cursor(&r), "1.11");
    assert_string_equal(r.asked.items[asked(&r, PAGES)].path, "/api/headway/events?limit=500&before=1.11");
    answer(&r, PAGES, 1, 10, 0);
    assert_true(rig_shows(&r, "all that is kept"));
    count = r.asked.len;
    rig_keys(&r, "g");
    rig_draw(&r, 24, 80);
    assert_int_equal(r.asked.len, count);
    /* Whoever follows again gives up what was read back. */
    rig_keys(&r, "F");
    rig_draw(&r, 24, 80);
    assert_int_equal(r.app.model.read_back, 0);
    assert_null(model_find(&r.app.model, ROW_EVENT, "1.11"));
    assert_string_equal(rig_cursor(&r), "1.40");
    rig_release(&r);
}

static void the_server_looks_for_what_the_filter_says(void **state)
{
    struct rig r;

    (void)state;
    begin(&r);
    rig_keys(&r, "5/kind:user object:u7 !x a|b age>1h u7<Enter>");
    rig_draw(&r, 24, 80);
    assert_string_equal(r.asked.items[asked(&r, PAGES)].path,
                        "/api/headway/events?limit=500&before=1.21&kind=user&object=u7&until=2026-03-03T13:03:00Z"
                        "&text=u7");
    assert_true(rig_shows(&r, "nothing matches, read back to 02 Mar"));
    rig_keys(&r, "/<Ctrl-U>actor:bob u1<Enter>");
    rig_draw(&r, 24, 80);
    answer(&r, PAGES, 1, 20, 0);
    assert_int_equal(app_list(&r.app)->order.len, 5); /* u10 to u18, of them the even ones */
    assert_int_equal(r.app.model.read_back, 5);       /* nothing else is kept */
    rig_keys(&r, "/<Ctrl-U>nobody-is-called-so<Enter>");
    rig_draw(&r, 24, 80);
    assert_int_equal(r.app.model.read_back, 0);
    answer(&r, PAGES, 1, 20, 0);
    assert_true(rig_shows(&r, "nothing matches in all that is kept"));
    rig_release(&r);
}

/* People read words; filters take these and the API's names. */
static void kinds_are_words_for_people(void **state)
{
    struct rig r;

    (void)state;
    rig_init(&r, 0);
    rig_json(&r, "{\"id\":\"1.41\",\"time\":\"2026-03-03T14:02:30Z\",\"kind\":\"exit.usable\",\"actor\":\"server\","
                 "\"object\":\"node\",\"objectName\":\"gw-ber-1\",\"text\":\"gw-ber-1 can be used\",\"inverse\":null}");
    rig_json(&r, "{\"id\":\"1.42\",\"time\":\"2026-03-03T14:02:31Z\",\"kind\":\"of.later\",\"actor\":\"server\","
                 "\"object\":\"node\",\"objectName\":\"gw-ber-1\",\"text\":\"something new\",\"inverse\":null}");
    rig_keys(&r, "5");
    char *screen = rig_screen(&r, 40, 120);
    assert_non_null(strstr(screen, "exit node usable"));
    assert_non_null(strstr(screen, "failover "));
    assert_non_null(strstr(screen, "of.later")); /* of a newer server */
    assert_null(strstr(screen, "exit.usable"));
    free(screen);
    rig_keys(&r, "/kind:exit.usable<Enter>");
    rig_draw(&r, 40, 120);
    assert_int_equal(app_list(&r.app)->order.len, 1);
    rig_keys(&r, "/<Ctrl-U>kind:usable<Enter>");
    rig_draw(&r, 40, 120);
    assert_int_equal(app_list(&r.app)->order.len, 1);
    rig_keys(&r, "w");
    assert_true(rig_shows(&r, "exit node usable (exit.usable)"));
    rig_release(&r);
}

static void a_page_that_does_not_come_is_asked_for_again_later(void **state)
{
    struct rig r;

    (void)state;
    begin(&r);
    rig_keys(&r, "5g");
    rig_draw(&r, 24, 80);
    assert_true(rig_tell(&r, PAGES, 500, "{\"error\":{\"message\":\"no\"}}"));
    rig_draw(&r, 24, 80);
    assert_true(asked(&r, PAGES) == SIZE_MAX);
    rig_pass(&r, 6000);
    rig_draw(&r, 24, 80);
    assert_true(asked(&r, PAGES) != SIZE_MAX);
    rig_release(&r);
}

static void the_pane_says_why_and_to_what_effect(void **state)
{
    struct rig r;

    (void)state;
    begin(&r);
    rig_json(&r, "{\"id\":\"1.41\",\"time\":\"2026-03-03T14:02:30Z\",\"kind\":\"route.failover\",\"actor\":\"server\","
                 "\"object\":\"prefix\",\"objectName\":\"10.20.0.0/16\",\"text\":\"10.20.0.0/16 moved\",\"detail\":{"
                 "\"from\":\"3\",\"fromName\":\"gw-ber-1\",\"to\":\"4\",\"toName\":\"gw-ber-2\",\"cause\":\"no "
                 "answer\",\"detectionMs\":2700}}");
    rig_keys(&r, "5");
    rig_draw(&r, 24, 80);
    assert_true(rig_shows(&r, "because  no answer, found 2700 ms after the last sign of life"));
    assert_true(rig_shows(&r, "effect   from gw-ber-1 to gw-ber-2"));
    assert_true(rig_shows(&r, "undo     not possible"));
    rig_release(&r);
}

/* A long entry is read whole, and the day stays where it is. */
static void the_pane_of_an_entry_scrolls(void **state)
{
    struct rig r;

    (void)state;
    begin(&r);
    rig_json(&r,
             "{\"id\":\"1.41\",\"time\":\"2026-03-03T14:02:30Z\",\"kind\":\"node.tagged\",\"actor\":\"alice\","
             "\"object\":\"node\",\"objectName\":\"nas\",\"text\":\"one two three four five six seven eight nine ten "
             "eleven twelve thirteen fourteen fifteen sixteen seventeen eighteen nineteen twenty, and so on and on "
             "until it is more than there is room for in the rows of the pane, which are six: the rest has to be "
             "found below the last of them by scrolling, or nobody would ever read the last word: this one, finis\","
             "\"detail\":{\"cause\":\"why not\"}}");
    rig_keys(&r, "5");
    rig_draw(&r, 24, 80);
    assert_true(rig_shows(&r, " more "));
    assert_false(rig_shows(&r, "why not"));
    rig_keys(&r, "JJJ");
    assert_true(rig_shows(&r, "why not"));
    assert_true(rig_shows(&r, " end "));
    assert_true(rig_shows(&r, " day "));
    rig_release(&r);
}

static void the_day_of_the_entry_is_counted(void **state)
{
    struct rig r;

    (void)state;
    begin(&r);
    rig_keys(&r, "5");
    rig_draw(&r, 24, 80);
    size_t i = asked(&r, "/api/headway/events/counts");
    assert_string_equal(r.asked.items[i].path, "/api/headway/events/counts?step=1800&from=2026-03-03T00:00:00Z");
    assert_true(
        rig_tell(&r, "events/counts", 200,
                 "{\"from\":\"2026-03-03T00:00:00Z\",\"step\":1800,\"counts\":[{\"time\":\"2026-03-03T11:30:00Z\","
                 "\"count\":3},{\"time\":\"2026-03-03T13:30:00Z\",\"count\":1},{\"time\":\"2026-03-03T14:00:00Z\","
                 "\"count\":6},{\"time\":\"2031-01-01T00:00:00Z\",\"count\":6}]}"));
    assert_true(rig_shows(&r, "10, 30 min a cell"));
    assert_true(rig_golden(&r, "events-day", 24, 80));
    r.app.canvas.ascii = true;
    assert_true(rig_golden(&r, "events-day-ascii", 40, 120));
    rig_keys(&r, "g");
    rig_draw(&r, 24, 80);
    assert_string_equal(r.asked.items[asked(&r, "/api/headway/events/counts")].path,
                        "/api/headway/events/counts?step=1800&from=2026-03-02T00:00:00Z");
    rig_release(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(older_entries_come_as_the_cursor_goes_there),
        cmocka_unit_test(the_server_looks_for_what_the_filter_says),
        cmocka_unit_test(kinds_are_words_for_people),
        cmocka_unit_test(a_page_that_does_not_come_is_asked_for_again_later),
        cmocka_unit_test(the_pane_says_why_and_to_what_effect),
        cmocka_unit_test(the_pane_of_an_entry_scrolls),
        cmocka_unit_test(the_day_of_the_entry_is_counted),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
