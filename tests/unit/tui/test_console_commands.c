/* SPDX-License-Identifier: BSD-3-Clause */
/* Every command of the tables does what its description promises, by its key and by its name: a row for each, or the
 * file that tests it. A command without one fails here. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/array.h"
#include "base/file.h"
#include "base/mem.h"
#include "console/app/dispatch.h"
#include "shared/console_rig.h"

#define POLICY_TESTS "tests/unit/tui/test_console_policy.c"
#define EDIT_TESTS   "tests/unit/tui/test_console_policy_edit.c"
#define PROMPT_TESTS "tests/unit/tui/test_console_prompt.c"
#define HELP_TESTS   "tests/unit/policy/test_policy_editor.c"
#define PAST_TESTS   "tests/unit/tui/test_console_past.c"
#define REACH_TESTS  "tests/unit/tui/test_console_reach.c"

static const struct {
    const char *name;
    const char *at;     /* keys before it */
    const char *arg;    /* what follows its name at the prompt; NULL: nothing */
    const char *shows;  /* on the screen afterwards */
    const char *hides;  /* not on the screen */
    const char *sends;  /* the path of a request */
    const char *cursor; /* the key of the row under the cursor */
    const char *file;   /* where it is tested instead: the file holds shows */
    bool by_key_only;   /* the name asks for something that the key does not, or the other way round */
} rows[] = {
    /* views */
    {.name = "nodes", .at = "2", .shows = "[1 Nodes]"},
    {.name = "routes", .at = "1", .shows = "[2 Routes]"},
    {.name = "reach", .at = "1", .shows = "[3 Reach"},
    {.name = "policy", .at = "1", .shows = "[4 Policy]", .sends = "/api/headway/policy"},
    {.name = "events", .at = "1", .shows = "[5 Events]"},
    {.name = "users", .at = "1", .shows = "[6 Users]"},
    {.name = "keys", .at = "1", .shows = "[7 Keys]"},
    {.name = "pending", .at = "1", .shows = "[8 Pending"},
    {.name = "pulse", .at = "1", .shows = "[0 Pulse"},
    {.name = "webhooks", .at = "1", .shows = "webhooks   2 webhooks"},
    {.name = "dns", .at = "1", .shows = "override local DNS"},
    {.name = "node", .at = "1", .arg = "nas", .shows = "nas  id 8"},
    {.name = "follow", .at = "5", .hides = "FOLLOW"},
    /* moving */
    {.name = "down", .at = "1g", .cursor = "2"},
    {.name = "up", .at = "1gjj", .cursor = "2"},
    {.name = "first", .at = "1G", .cursor = "1"},
    {.name = "last-row", .at = "1g", .cursor = "11"},
    {.name = "half-down", .at = "1g", .cursor = "9"},
    {.name = "half-up", .at = "1G", .cursor = "12"},
    {.name = "page-down", .at = "1g", .cursor = "11"},
    {.name = "page-up", .at = "1G", .cursor = "1"},
    {.name = "pane-down", .file = "tests/unit/tui/test_console_routes.c", .shows = "pane-down"},
    {.name = "pane-up", .file = "tests/unit/tui/test_console_routes.c", .shows = "pane-up"},
    {.name = "fold", .at = "2g", .hides = "10.20.0.0/16               serving"},
    {.name = "unfold", .at = "2gh", .shows = "10.20.0.0/16"},
    {.name = "escape", .at = "1/nas<Enter>", .hides = "/nas"},
    {.name = "close", .at = "12", .shows = "[1 Nodes]"},
    {.name = "next", .at = "2", .shows = "[prefix]"},
    {.name = "previous", .at = "2<Tab>", .shows = "[node]"},
    {.name = "last", .at = "126", .shows = "[2 Routes]"},
    {.name = "back", .at = "126", .shows = "[2 Routes]"},
    {.name = "forward", .at = "126[", .shows = "[6 Users]"},
    /* opening */
    {.name = "open", .at = "1/nas<Enter>", .shows = "nas  id 8", .by_key_only = true},
    {.name = "routes-of", .at = "1/nas<Enter>", .shows = "[2 Routes]", .cursor = "192.168.1.0/24"},
    {.name = "events-of", .at = "1/gw-fra<Enter>", .shows = "/object=gw-fra-1"},
    {.name = "why", .at = "1/nas<Enter>", .shows = "why"},
    /* changes */
    {.name = "approve", .at = "1/nas<Enter>", .sends = "/api/headway/nodes/8/routes"},
    {.name = "approve-all", .at = "2/nas<Enter>", .sends = "/api/headway/nodes/8/routes"},
    {.name = "revoke", .at = "2/gw-ber-1<Enter>gj", .sends = "/api/headway/nodes/3/routes?dry_run=true"},
    {.name = "primary",
     .at = "2/gw-ber-2<Enter>gj",
     .sends = "/api/headway/prefixes/192.168.7.0%2F24/primary?dry_run=true"},
    {.name = "settings", .at = "2<Tab>g", .shows = "how 10.20.0.0/16 is served"},
    {.name = "admit", .at = "8", .shows = "approve a new node"},
    {.name = "reject", .at = "8", .shows = "reject kiosk"},
    {.name = "expire", .at = "1/nas<Enter>", .sends = "/api/headway/nodes/8/expire?dry_run=true"},
    {.name = "rename", .at = "1/nas<Enter>", .shows = "rename nas"},
    {.name = "delete", .at = "1/nas<Enter>", .shows = "delete nas"},
    {.name = "tags", .at = "1/nas<Enter>", .shows = "tags of nas"},
    {.name = "drain", .at = "1/gw-ber-1<Enter>", .sends = "/api/headway/nodes/3/drain?dry_run=true"},
    {.name = "approve-node", .at = "1/nas<Enter>", .sends = "/api/headway/nodes/8/authorized?dry_run=true"},
    {.name = "priority", .at = "1/gw-ber-1<Enter>", .shows = "priority of gw-ber-1"},
    {.name = "new", .at = "6", .shows = "new user"},
    {.name = "change", .at = "7<Tab><Tab>", .shows = "change OAuth client ffee00112233"},
    {.name = "test", .at = ":webhooks<Enter>g", .sends = "/api/headway/webhooks/2/test"},
    {.name = "rotate", .at = ":webhooks<Enter>g", .sends = "/api/headway/webhooks/2/rotate?dry_run=true"},
    {.name = "reset", .at = ":dns<Enter>gjj", .sends = "/api/headway/dns?dry_run=true"},
    {.name = "remove-domain", .at = ":dns<Enter>gjjjjj", .shows = "remove split DNS of corp.example"},
    {.name = "unlink", .at = "6<Tab>g", .sends = "/api/headway/users/1/link?dry_run=true"},
    {.name = "repeat", .at = "1/nas<Enter>a", .sends = "/api/headway/nodes/8/routes"},
    {.name = "bind", .file = PROMPT_TESTS, .shows = ":bind drain"},
    {.name = "source", .file = PROMPT_TESTS, .shows = ":source "},
    {.name = "undo", .at = "5G", .sends = "/api/headway/undo/1.40?dry_run=true"},
    {.name = "suspend-user", .at = "6g", .sends = "/api/headway/users/1/suspended?dry_run=true"},
    {.name = "restore-user", .file = "tests/unit/tui/test_console_make.c", .shows = "<Esc>ga"},
    {.name = "link", .at = "6g", .shows = "logins of alice"},
    {.name = "redo", .file = "tests/unit/tui/test_console_actions.c", .shows = "<Ctrl-R>"},
    {.name = "plan", .at = "1", .shows = "PLAN (the next action"},
    /* lists */
    {.name = "mark", .at = "1g", .shows = "1 marked"},
    {.name = "range", .at = "1g", .shows = "range (Esc ends)"},
    {.name = "invert", .at = "1/gw<Enter>", .shows = "3 marked"},
    {.name = "mark-by", .at = "1", .shows = " +"},
    {.name = "unmark", .at = "1g<Space>", .hides = "marked"},
    {.name = "filter", .at = "1", .shows = "13 of 13   Enter keep", .by_key_only = true},
    {.name = "narrow", .at = "1/nas<Enter>", .shows = "/user=alice"},
    {.name = "sort", .at = "1", .shows = "sorted by owner"},
    {.name = "reverse", .at = "1", .shows = "sorted by name, reversed"},
    {.name = "columns", .at = "1", .shows = "columns: nodes"},
    {.name = "copy", .at = "1/nas<Enter>", .shows = "nas.example.com"},
    {.name = "export", .at = "1", .arg = "/tmp/x.pdf", .shows = "ends in .csv, .json or .txt"},
    /* the console itself */
    {.name = "actions", .at = "1/nas<Enter>", .shows = "actions: nas"},
    {.name = "command", .at = "1", .shows = " :"},
    {.name = "help", .at = "1", .shows = "type to search"},
    {.name = "messages", .at = "1", .shows = "no messages yet"},
    {.name = "server", .at = "1", .shows = "your list has no other server"},
    {.name = "set", .at = "1", .arg = "theme pink", .shows = "there is no theme 'pink'; there are default, light, "},
    {.name = "theme", .at = "1", .shows = "the theme is default"},
    {.name = "save-display", .at = "1", .shows = "which file?"},
    {.name = "peek", .at = "1", .shows = "the side pane needs 110 columns"},
    {.name = "freeze", .at = "1", .shows = "FROZEN, 0 changes waiting"},
    {.name = "retry", .at = "1", .shows = "already connected"},
    {.name = "repaint", .at = "1"},
    {.name = "suspend", .at = "1"},
    {.name = "quit", .at = "1"},
    /* the policy */
    {.name = "edit", .at = "4", .shows = "Esc leave"},
    {.name = "find", .at = "4", .shows = "find", .by_key_only = true},
    {.name = "line", .at = "4", .shows = "line", .by_key_only = true},
    {.name = "find-text", .at = "4e", .shows = "find", .by_key_only = true},
    {.name = "editor-help", .at = "4e", .shows = "Ctrl-S", .by_key_only = true},
    {.name = "leave", .at = "4e", .hides = "Esc leave", .by_key_only = true},
    {.name = "take-back", .at = "4ex", .hides = "MODIFIED", .by_key_only = true},
    {.name = "again", .at = "4ex<Ctrl-Z>", .shows = "MODIFIED", .by_key_only = true},
    {.name = "revert", .at = "4ex<Esc>", .shows = "discard your changes?"},
    {.name = "editor-repaint", .at = "4e", .by_key_only = true},
    {.name = "explain", .file = REACH_TESTS, .shows = ":explain laptop-alice"},
    {.name = "review", .file = "tests/shared/console/policy_rig.c", .shows = "rig_keys(r, \"<Ctrl-S>\")"},
    {.name = "save", .file = POLICY_TESTS, .shows = "<Ctrl-U>LOST<Enter>"},
    {.name = "pane", .file = POLICY_TESTS, .shows = "<Tab>"},
    {.name = "edit-again", .file = POLICY_TESTS, .shows = "\"e"},
    {.name = "editor", .at = "4e", .by_key_only = true},
    {.name = "pane-before", .file = EDIT_TESTS, .shows = "<Shift-Tab>"},
    {.name = "note", .file = EDIT_TESTS, .shows = "nticket 12<Enter>"},
    {.name = "complete", .file = EDIT_TESTS, .shows = "<Ctrl-Space>"},
    {.name = "mend", .file = EDIT_TESTS, .shows = "<Ctrl-R>"},
    {.name = "problem-why", .file = HELP_TESTS, .shows = "<Esc>w"},
    {.name = "problem-why-text", .file = HELP_TESTS, .shows = "<Alt-w>"},
    {.name = "bracket", .file = EDIT_TESTS, .shows = "<Ctrl-]>"},
    {.name = "merge", .file = EDIT_TESTS, .shows = "<Esc>M"},
    {.name = "merge-theirs", .file = EDIT_TESTS, .shows = "\"mt<Esc>\""},
    {.name = "merge-mine", .file = EDIT_TESTS, .shows = "rig_keys(&r, \"m\")"},
    {.name = "merge-both", .file = EDIT_TESTS, .shows = "{\"b\", 1}"},
    {.name = "merge-next", .file = EDIT_TESTS, .shows = "nN<Enter>"},
    {.name = "merge-previous", .file = EDIT_TESTS, .shows = "nN<Enter>"},
    {.name = "merge-take", .file = EDIT_TESTS, .shows = "nN<Enter>"},
    {.name = "log", .file = POLICY_TESTS, .shows = "rig_keys(&r, \"L\")"},
    {.name = "diff", .file = POLICY_TESTS, .shows = ":diff 40<Enter>"},
    {.name = "restore", .file = POLICY_TESTS, .shows = ":restore 40<Enter>"},
    {.name = "problem", .file = POLICY_TESTS, .shows = "<F8>"},
    {.name = "find-next", .file = POLICY_TESTS, .shows = "rig_keys(&r, \"n\")"},
    {.name = "find-previous", .file = POLICY_TESTS, .shows = "rig_keys(&r, \"N\")"},
    {.name = "find-again", .at = "4e<Ctrl-F>x<Enter>", .shows = "Ln 3", .by_key_only = true},
    {.name = "adopt", .file = POLICY_TESTS, .shows = "rig_keys(&r, \"a\")"},
    {.name = "at", .file = PAST_TESTS, .shows = ":at "},
    {.name = "now", .file = PAST_TESTS, .shows = ":now<Enter>"},
    {.name = "step-back", .file = PAST_TESTS, .shows = "<lt>"},
    {.name = "step-on", .file = PAST_TESTS, .shows = "rig_keys(&r, \">\")"},
    {.name = "rule", .file = REACH_TESTS, .shows = "<Enter>"},
    {.name = "copy-test", .file = REACH_TESTS, .shows = "rig_keys(&r, \"y\")"},
    {.name = "members", .file = REACH_TESTS, .shows = "a_cell_is_opened_to_its_members"},
    {.name = "path", .file = REACH_TESTS, .shows = "rig_keys(&r, \"w\")"},
    {.name = "opened-by", .file = REACH_TESTS, .shows = "rig_keys(&r, \"he\")"},
    {.name = "neighbours", .at = "1", .arg = "nas", .shows = "[neighbours]", .by_key_only = true},
    {.name = "entry", .file = REACH_TESTS, .shows = "<Up><Enter>"},
    {.name = "before", .file = REACH_TESTS, .shows = "state?at=2026-03-03T09:13:59.999Z"},
    {.name = "group-by", .file = REACH_TESTS, .shows = "rig_keys(&r, \"b\")"},
    {.name = "column-left", .file = REACH_TESTS, .shows = "rig_keys(&r, \"h\")"},
    {.name = "column-right", .file = REACH_TESTS, .shows = "rig_keys(&r, \"lll\")"},
    {.name = "ask-again", .file = REACH_TESTS, .shows = "rig_keys(&r, \"r\")"},
    {.name = "swap", .file = REACH_TESTS, .shows = "i"},
};

static int row_of(const char *name)
{
    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        if (str_eq(rows[i].name, name))
            return (int)i;
    return -1;
}

static void answer_policy(struct rig *r)
{
    for (size_t i = 0; i < r->sent.len; i++)
        if (str_eq(r->sent.items[i].path, "/api/headway/policy") && r->sent.items[i].id) {
            rig_answer(r, i, 200, "{\"policy\":\"{\\n// x\\n// x\\n}\\n\",\"version\":\"1\"}");
            r->sent.items[i].id = 0;
        }
}

static void keys(struct rig *r, const char *script)
{
    struct key_script list = {0};

    assert_int_equal(keys_parse(script, &list, NULL), 0);
    for (size_t i = 0; i < list.len; i++) {
        app_key(&r->app, list.items[i]);
        answer_policy(r);
        rig_lists(r);
    }
    vec_release(&list);
}

static bool was_sent(const struct rig *r, const char *path)
{
    for (size_t i = 0; i < r->sent.len; i++)
        if (str_eq(r->sent.items[i].path, path))
            return true;
    return false;
}

/* What is asked of the loop shows on no screen. */
static bool asked_of_the_loop(const struct rig *r, const char *name)
{
    return str_eq(name, "quit")      ? r->app.quit
           : str_eq(name, "suspend") ? r->app.want_suspend
           : str_eq(name, "editor")  ? r->app.want_editor
                                     : !str_ends(name, "repaint") || r->app.want_repaint;
}

/* Prints what is wrong; true where nothing is. */
static bool run_row(size_t i, bool by_key)
{
    struct rig r;
    char *line = mem_format(":%s%s%s<Enter>", rows[i].name, rows[i].arg ? " " : "", rows[i].arg ? rows[i].arg : "");

    rig_init(&r, 0);
    keys(&r, rows[i].at);
    rig_draw(&r, 24, 100);
    const struct console_command *c = commands_find(&r.app, rows[i].name, strlen(rows[i].name));
    assert_non_null(c);
    if (by_key) {
        char name[KEY_NAME_MAX] = "";
        size_t len = strcspn(c->keys, " ");

        memcpy(name, c->keys, len);
        app_key(&r.app, key_named(name));
        answer_policy(&r);
    } else {
        keys(&r, line);
    }
    /* It is drawn last: drawing takes some of it away. */
    bool asked = asked_of_the_loop(&r, rows[i].name);
    char *screen = rig_screen(&r, 24, 100);
    const char *wrong = !asked                                                      ? "nothing was asked of the loop"
                        : rows[i].shows && !strstr(screen, rows[i].shows)           ? rows[i].shows
                        : rows[i].hides && strstr(screen, rows[i].hides)            ? rows[i].hides
                        : rows[i].sends && !was_sent(&r, rows[i].sends)             ? rows[i].sends
                        : rows[i].cursor && !str_eq(rows[i].cursor, rig_cursor(&r)) ? rig_cursor(&r)
                                                                                    : NULL;
    if (wrong)
        fprintf(stderr, "%s by its %s: %s:\n%s", rows[i].name, by_key ? "key" : "name", wrong, screen);
    free(screen);
    free(line);
    rig_release(&r);
    return !wrong;
}

static void look_elsewhere(size_t i)
{
    struct buf text = BUF_INIT(0);

    assert_int_equal(file_read(rows[i].file, FILE_ANY, &text, NULL), 0);
    if (!strstr(buf_text(&text), rows[i].shows))
        fail_msg("%s is not tested in %s: no '%s' there", rows[i].name, rows[i].file, rows[i].shows);
    buf_release(&text);
}

static void each_command_does_what_it_says(void **state)
{
    struct rig r;
    size_t wrong = 0;

    (void)state;
    rig_init(&r, 0);
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        const struct console_command *c = commands_find(&r.app, rows[i].name, strlen(rows[i].name));

        if (!c) {
            fail_msg("there is no command %s any more", rows[i].name);
            continue;
        }
        if (rows[i].file) {
            look_elsewhere(i);
            continue;
        }
        if (*c->keys)
            wrong += !run_row(i, true);
        if (!rows[i].by_key_only)
            wrong += !run_row(i, false);
    }
    rig_release(&r);
    assert_int_equal(wrong, 0);
}

static void each_command_has_a_test(void **state)
{
    struct rig r;

    (void)state;
    rig_init(&r, 0);
    for (size_t i = 0; i < r.app.commands.len; i++)
        if (row_of(r.app.commands.items[i]->name) < 0)
            fail_msg("%s has no row in tests/unit/tui/test_console_commands.c", r.app.commands.items[i]->name);
    rig_release(&r);
}

/* Other keys of a command do the same as its first one: they are found as its, where it works. */
static void each_key_belongs_to_its_command(void **state)
{
    struct rig r;

    (void)state;
    rig_init(&r, 0);
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        const struct console_command *c = commands_find(&r.app, rows[i].name, strlen(rows[i].name));
        const char *at = c->keys;

        if (rows[i].file)
            continue;
        while (*at) {
            char name[KEY_NAME_MAX] = "";
            size_t len = strcspn(at, " ");
            struct rig here;

            memcpy(name, at, len);
            rig_init(&here, 0);
            keys(&here, rows[i].at);
            rig_draw(&here, 24, 100);
            const struct console_command *found = commands_for_key(&here.app, key_named(name));
            if (found != c)
                fail_msg("%s at '%s' runs %s, not %s", name, rows[i].at, found ? found->name : "nothing", c->name);
            rig_release(&here);
            at += len + (at[len] == ' ');
        }
    }
    rig_release(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_command_has_a_test),
        cmocka_unit_test(each_command_does_what_it_says),
        cmocka_unit_test(each_key_belongs_to_its_command),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
