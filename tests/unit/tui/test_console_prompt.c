/* SPDX-License-Identifier: BSD-3-Clause */
/* The prompts: what follows a command's name, completion, history, and named filters. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/array.h"
#include "base/file.h"
#include "base/mem.h"
#include "console/app/dispatch.h"
#include "console/history.h"
#include "shared/console_rig.h"

static const char *typed(const struct rig *r)
{
    return line_text(&r->app.prompt.line);
}

/* The row is named, wherever the user is: the list that has it comes to the front, and nothing else is changed. */
static void a_named_row_is_acted_on_from_anywhere(void **state)
{
    static const struct {
        const char *keys, *path, *body;
    } cases[] = {
        {":approve gw-fra-1 172.16.0.0/12<Enter>", "/api/headway/nodes/5/routes", "{\"approve\":[\"172.16.0.0/12\"]}"},
        {"5:approve nas 192.168.1.0/24<Enter>", "/api/headway/nodes/8/routes", "{\"approve\":[\"192.168.1.0/24\"]}"},
        {"2:approve gw-fra-1 172.16.0.0/12<Enter>", "/api/headway/nodes/5/routes", "{\"approve\":[\"172.16.0.0/12\"]}"},
        {":approve nas<Enter>", "/api/headway/nodes/8/routes", "{\"approve\":[\"192.168.1.0/24\"]}"},
        {"6:approve nas<Enter>", "/api/headway/nodes/8/routes", "{\"approve\":[\"192.168.1.0/24\"]}"},
        /* What a filter hides comes to the front elsewhere: nothing that is not shown is changed. */
        {"/bob<Enter>:approve nas<Enter>", "/api/headway/nodes/8/routes", "{\"approve\":[\"192.168.1.0/24\"]}"},
        {":revoke gw-ber-1 10.20.0.0/16<Enter>", "/api/headway/nodes/3/routes?dry_run=true",
         "{\"revoke\":[\"10.20.0.0/16\"]}"},
        {":rename nas store<Enter>", "/api/headway/nodes/8/rename", "{\"name\":\"store\"}"},
        {"2:expire laptop-bob<Enter>", "/api/headway/nodes/7/expire?dry_run=true", "{}"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct rig r;

        rig_init(&r, 0);
        rig_keys(&r, cases[i].keys);
        size_t found = 0;
        while (found < r.sent.len && !str_eq(r.sent.items[found].path, cases[i].path))
            found++;
        if (found == r.sent.len)
            fail_msg("%s: %s", cases[i].keys, r.app.flash.text ? r.app.flash.text : "nothing was sent");
        assert_string_equal(r.sent.items[found].body, cases[i].body);
        rig_release(&r);
    }
}

static void what_is_not_meant_is_refused_with_a_reason(void **state)
{
    static const char *const cases[][2] = {
        {":approve nobody<Enter>", "approve: 'nobody' is not in this list"},
        {"2:approve 192.168.7.0/24<Enter>", "'192.168.7.0/24' means several rows"},
        {"<Space>:approve nas<Enter>", "approve: other rows are marked"},
        {":users alice<Enter>:sort nothing<Enter>", "sort: there is no column 'nothing'; there are name, "},
        {":quit now<Enter>", "quit takes no argument"},
        {":nodse<Enter>", "there is no command 'nodse'; did you mean node?"},
        {":xyzzy<Enter>", "there is no command 'xyzzy'; ? lists them"},
        {":revo x*<Enter>", "revoke: it is not available in this view, but in :routes"},
        {"1f", "f does nothing here: it is primary in :routes"},
        {":primary<Enter>", "primary: it is not available in this view, but in :routes"},
        {"2:primary 10.*<Enter>", "primary: it is for one row"},
        {":expire zz*<Enter>", "expire: nothing here is called 'zz*'"},
        {":fil<Enter><Esc>:f<Enter>", "'f' could be "},
        {":approve nas 10.77.0.0/16<Enter>", "approve: nas has no route '10.77.0.0/16'"},
        {":filter save<Enter>", "filter: save it under which name?"},
        {":filter forget<Enter>", "filter: forget which name?"},
        {":set theme pink<Enter>", "there is no theme 'pink'; there are default, light, high-contrast, "},
        {":node<Enter>", "node: which one? :node NAME"},
        {":nodes is:nonsense<Enter>", "is: 'nonsense' is none of online offline"},
        {":reach nas<Enter>", "give a source and a destination"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct rig r;

        rig_init(&r, 0);
        rig_keys(&r, cases[i][0]);
        assert_true(rig_shows(&r, cases[i][1]));
        assert_int_equal(r.sent.len, 0);
        rig_release(&r);
    }
}

static void a_pattern_means_all_rows_that_are_called_so(void **state)
{
    struct rig r;

    (void)state;
    rig_init(&r, 0);
    rig_keys(&r, ":expire gw-*<Enter>");
    assert_int_equal(r.sent.len, 3);
    assert_true(rig_shows(&r, "expire 3 nodes"));
    rig_release(&r);
}

static void words_are_completed(void **state)
{
    static const char *const cases[][2] = {
        {":node gw-b<Tab>", "node gw-ber-1"},
        {":node gw-b<Tab><Tab>", "node gw-ber-2"},
        {":node gw-b<Tab><Tab><Tab>", "node gw-ber-1"},
        {":node gw-b<Shift-Tab>", "node gw-ber-1"},
        {":node gw-b<Tab><Shift-Tab>", "node gw-ber-2"},
        {":routes pre<Tab>", "routes prefix"},
        {":approve gw-f<Tab> 17<Tab>", "approve gw-fra-1 172.16.0.0/12"},
        {":approve 172<Tab>", "approve 172.16.0.0/12"},
        {":tags +tag:r<Tab>", "tags +tag:router"},
        {":nodes tag:c<Tab>", "nodes tag:ci"},
        {":nodes !user:al<Tab>", "nodes !user:alice"},
        {":sort own<Tab>", "sort owner"},
        {":set theme li<Tab>", "set theme light"},
        {":renam<Right>", "rename"},
        {"/tag:i<Right>", "tag:iot"},
        {":zz<Tab>", "zz"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct rig r;

        rig_init(&r, 0);
        rig_keys(&r, cases[i][0]);
        assert_string_equal(typed(&r), cases[i][1]);
        rig_draw(&r, 24, 80);
        rig_release(&r);
    }
}

static void each_prompt_has_its_own_history(void **state)
{
    struct rig r;

    (void)state;
    rig_init(&r, 0);
    rig_keys(&r, ":users<Enter>:nodes tag:ci<Enter>/gw<Enter>+nas<Enter>");
    rig_keys(&r, ":<Up>");
    assert_string_equal(typed(&r), "nodes tag:ci");
    rig_keys(&r, "<Up>");
    assert_string_equal(typed(&r), "users");
    rig_keys(&r, "<Down><Down>");
    assert_string_equal(typed(&r), "");
    rig_keys(&r, "<Esc>/<Up>");
    assert_string_equal(typed(&r), "gw");
    rig_keys(&r, "<Esc>+<Up>");
    assert_string_equal(typed(&r), "nas");
    rig_keys(&r, "<Esc>/g<Right>"); /* the newest line that begins so */
    assert_string_equal(typed(&r), "gw");
    rig_release(&r);
}

static void be_at(struct rig *r, const char *address, const char *dir)
{
    rig_init(r, 0);
    mem_replace(&r->app.address, address);
    history_load(&r->app, dir);
}

static void histories_belong_to_servers_and_are_bounded(void **state)
{
    char dir[] = "/tmp/headway-history-XXXXXX";
    struct rig r;

    (void)state;
    assert_non_null(mkdtemp(dir));
    be_at(&r, "/run/one", dir);
    for (int i = 0; i < HISTORY_MAX + 20; i++) {
        char *keys = mem_format(":node n%d<Enter>", i);

        rig_keys(&r, keys);
        free(keys);
    }
    rig_keys(&r, "/tag:router<Enter>:filter save prod<Enter>");
    history_save(&r.app, dir);
    rig_release(&r);

    be_at(&r, "https://two", dir);
    assert_int_equal(r.app.prompt.history[PROMPT_COMMAND].len, 0);
    assert_string_equal(saved_filter_find(&r.app.saved, "prod"), "tag:router"); /* that is the user's, everywhere */
    rig_keys(&r, ":users<Enter>");
    history_save(&r.app, dir);
    rig_release(&r);

    be_at(&r, "/run/one", dir);
    assert_int_equal(r.app.prompt.history[PROMPT_COMMAND].len, HISTORY_MAX);
    rig_keys(&r, ":<Up>");
    assert_string_equal(typed(&r), "filter save prod");
    rig_keys(&r, "<Up>");
    assert_string_equal(typed(&r), "node n119");
    rig_release(&r);
    be_at(&r, "https://two", dir);
    assert_int_equal(r.app.prompt.history[PROMPT_COMMAND].len, 1);
    rig_release(&r);

    char *path = mem_format("%s/console.history", dir);
    struct stat st;
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0600);
    unlink(path);
    rmdir(dir);
    free(path);
}

/* A filter that stands there is typed over; a command that a key begins goes on. */
static void a_command_that_a_key_begins_is_completed(void **state)
{
    struct rig r;

    (void)state;
    rig_init(&r, 0);
    rig_keys(&r, "@-2");
    assert_string_equal(typed(&r), "at -2");
    rig_keys(&r, "<Esc>/old<Enter>/new");
    assert_string_equal(typed(&r), "new");
    rig_release(&r);
}

static void filters_can_have_names(void **state)
{
    struct rig r;

    (void)state;
    rig_init(&r, 0);
    rig_keys(&r, ":filter save gws<Enter>");
    assert_true(rig_shows(&r, "there is no filter to save"));
    rig_keys(&r, "/tag:router<Enter>:filter save gws<Enter>");
    assert_true(rig_shows(&r, "@gws is tag:router"));
    rig_keys(&r, ":users<Enter>:nodes @gws /fra<Enter>");
    assert_true(rig_shows(&r, "1 of 12"));
    assert_true(rig_shows(&r, "gw-fra-1"));
    rig_keys(&r, ":filter save fra<Enter>:filter @fra !gw-fra-1<Enter>");
    assert_true(rig_shows(&r, "0 of 12"));
    rig_keys(&r, "/@gw<Right>");
    assert_string_equal(typed(&r), "@gws");
    assert_true(rig_shows(&r, "4 of 13 "));
    rig_keys(&r, "<Enter>/gw @nothing");
    assert_true(rig_shows(&r, "no saved filter @nothing (column 4)"));
    rig_keys(&r, "<Esc>:filter forget gws<Enter>");
    assert_null(saved_filter_find(&r.app.saved, "gws"));
    rig_keys(&r, ":filter save a/b<Enter>");
    assert_true(rig_shows(&r, "a filter's name has letters"));
    /* One that names itself ends somewhere. */
    assert_int_equal(saved_filter_set(&r.app.saved, "loop", "@loop x", NULL), 0);
    rig_keys(&r, ":nodes @loop<Enter>");
    assert_true(rig_shows(&r, "@loop holds too many saved filters in each other"));
    rig_release(&r);
}

static char *file_text(const char *dir, const char *name, bool remove)
{
    char *path = mem_format("%s/%s", dir, name);
    struct buf text = BUF_INIT(0);
    struct stat st;

    assert_int_equal(file_read(path, FILE_PRIVATE, &text, NULL), 0);
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0600);
    if (remove)
        unlink(path);
    free(path);
    return buf_take(&text);
}

static void rows_are_exported_as_the_name_says(void **state)
{
    static const struct {
        const char *name, *text;
    } files[] = {
        {"gw.csv", "state,name,owner,address,address6,seen,routes,expiry,"},
        {"gw.json", "[{\"id\":\"3\",\"state\":\"online\",\"name\":\"gw-ber-1\",\"owner\":\"tag:router\""},
        {"gw.txt", "gw-ber-1  tag:router"},
    };
    char dir[] = "/tmp/headway-export-XXXXXX";
    struct rig r;

    (void)state;
    assert_non_null(mkdtemp(dir));
    rig_init(&r, 0);
    rig_keys(&r, "/gw<Enter>");
    for (size_t i = 0; i < ARRAY_LEN(files); i++) {
        char *keys = mem_format(":export %s/%s<Enter>", dir, files[i].name);

        rig_keys(&r, keys);
        assert_true(rig_shows(&r, "3 rows in "));
        char *text = file_text(dir, files[i].name, false);
        if (!strstr(text, files[i].text) || strstr(text, "nas"))
            fail_msg("%s: %s", files[i].name, text);
        /* A file that is there stays, unless that is what is wanted. */
        rig_keys(&r, "/nas<Enter>");
        rig_keys(&r, keys);
        assert_true(rig_shows(&r, "exists"));
        rig_keys(&r, "<Enter>");
        char *after = file_text(dir, files[i].name, false);
        assert_string_equal(after, text);
        free(after);
        rig_keys(&r, keys);
        rig_keys(&r, "<Down><Enter>");
        after = file_text(dir, files[i].name, true);
        assert_non_null(strstr(after, "nas"));
        assert_null(strstr(after, "gw-ber-1"));
        rig_keys(&r, "/gw<Enter>");
        free(after);
        free(text);
        free(keys);
    }
    rig_keys(&r, ":export /tmp/x.pdf<Enter>");
    assert_true(rig_shows(&r, "ends in .csv, .json or .txt"));
    rig_keys(&r, ":export /nonexistent/x.csv<Enter>");
    assert_true(rig_shows(&r, "export: "));
    rig_release(&r);
    rmdir(dir);
}

/* A name that begins with '=' is no formula to whom the file is given. */
static void a_name_is_no_formula(void **state)
{
    char dir[] = "/tmp/headway-export-XXXXXX";
    struct rig r;

    (void)state;
    assert_non_null(mkdtemp(dir));
    rig_init(&r, 0);
    rig_json(&r, "{\"node\":{\"id\":\"40\",\"givenName\":\"=cmd|'/c calc'!A0,\\\"x\\\"\",\"online\":true}}");
    char *keys = mem_format("/calc<Enter>:export %s/x.csv<Enter>", dir);
    rig_pass(&r, 5000);
    rig_keys(&r, keys);
    char *text = file_text(dir, "x.csv", true);
    assert_non_null(strstr(text, ",\"'=cmd|'/c calc'!A0,\"\"x\"\"\","));
    free(text);
    free(keys);
    rig_release(&r);
    rmdir(dir);
}

static void keys_are_bound_for_the_session(void **state)
{
    struct rig r;

    (void)state;
    rig_init(&r, 0);
    rig_keys(&r, ":bind drain Ctrl-O<Enter>");
    assert_true(rig_shows(&r, "drain: Ctrl-O"));
    rig_keys(&r, "/gw-ber-1<Enter><Ctrl-O>");
    assert_true(rig_shows(&r, "drain gw-ber-1"));
    rig_keys(&r, "<Esc>:bind drain a<Enter>");
    assert_true(rig_shows(&r, "would share the key a"));
    rig_keys(&r, ":bind drain Meta-x<Enter>");
    assert_true(rig_shows(&r, "there is no key 'Meta-x'"));
    rig_keys(&r, ":bind nothing x<Enter>");
    assert_true(rig_shows(&r, "there is no command 'nothing'"));
    rig_keys(&r, ":bind<Enter>");
    assert_true(rig_shows(&r, "usage: bind"));
    rig_release(&r);
}

static void commands_of_a_file_are_run(void **state)
{
    char path[] = "/tmp/headway-source-XXXXXX", *keys;
    int fd = mkstemp(path);
    struct rig r;

    (void)state;
    assert_true(fd >= 0);
    char *text = mem_format("# a note\n\n:users\nsource %s\nset mouse off\nnodes gw-ber-1\nmessages\nusers\n", path);
    assert_int_equal(write(fd, text, strlen(text)), (ssize_t)strlen(text));
    close(fd);
    rig_init(&r, 0);
    r.app.mouse = true;
    keys = mem_format(":source %s<Enter>", path);
    rig_keys(&r, keys);
    assert_true(rig_shows(&r, "cannot run another one"));
    rig_keys(&r, "<Esc>");
    assert_true(rig_shows(&r, "nodes   1 of")); /* not the users: the messages were in front */
    assert_false(r.app.mouse);
    rig_keys(&r, ":source /dev/zero<Enter>"); /* which never ends, and a pipe could wait */
    assert_true(rig_shows(&r, "source: /dev/zero is not a regular file"));
    rig_keys(&r, ":source /nowhere/x<Enter>");
    assert_true(rig_shows(&r, "No such file"));
    unlink(path);
    free(keys);
    free(text);
    rig_release(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(keys_are_bound_for_the_session),
        cmocka_unit_test(commands_of_a_file_are_run),
        cmocka_unit_test(a_named_row_is_acted_on_from_anywhere),
        cmocka_unit_test(what_is_not_meant_is_refused_with_a_reason),
        cmocka_unit_test(a_pattern_means_all_rows_that_are_called_so),
        cmocka_unit_test(words_are_completed),
        cmocka_unit_test(each_prompt_has_its_own_history),
        cmocka_unit_test(histories_belong_to_servers_and_are_bounded),
        cmocka_unit_test(a_command_that_a_key_begins_is_completed),
        cmocka_unit_test(filters_can_have_names),
        cmocka_unit_test(rows_are_exported_as_the_name_says),
        cmocka_unit_test(a_name_is_no_formula),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
