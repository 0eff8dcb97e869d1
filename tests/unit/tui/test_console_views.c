/* SPDX-License-Identifier: BSD-3-Clause */
/* Every part of every view in four sizes and in each class of themes: as text, as ASCII, and by the roles that a theme
 * colours. Views are taken from the table, so a new one is included automatically. UPDATE=1 writes the files again, for
 * review. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/array.h"
#include "base/file.h"
#include "base/mem.h"
#include "console/screen/screen_text.h"
#include "shared/console_rig.h"

#define FOLDER "tests/console/golden/views"

static const struct {
    int rows, cols;
} sizes[] = {{16, 60}, {24, 80}, {40, 120}, {60, 200}};

static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";
_Static_assert(ROLE_COUNT < sizeof(letters), "a letter for each role");

static const char *const role_names[ROLE_COUNT] = {
#define X(role, text, dark, light, dark16, light16, looks, looks_mono) [role] = (text),
    THEME_ROLES(X)
#undef X
};

/* What each cell is, as a letter; behind the line what is selected or dimmed in it. */
static void roles_of(const struct canvas *c, struct buf *out)
{
    for (int row = 0; row < c->rows; row++) {
        unsigned flags = 0;

        for (int col = 0; col < c->cols; col++) {
            const struct screen_cell *cell = &c->cells[(size_t)row * (size_t)c->cols + (size_t)col];

            flags |= cell->flags;
            buf_addc(out, cell->text[0] > ' ' ? letters[cell->role] : ' ');
        }
        while (out->len && out->data[out->len - 1] == ' ')
            out->data[--out->len] = '\0';
        if (flags & CANVAS_SELECTED)
            buf_adds(out, " <selected>");
        if (flags & CANVAS_DIM)
            buf_adds(out, " <dim>");
        buf_addc(out, '\n');
    }
}

/* Without sequences. */
static char *stripped(const char *text)
{
    struct buf out = BUF_INIT(0);

    while (*text)
        if (text[0] == '\033')
            text += strcspn(text, "m") + 1;
        else
            buf_addc(&out, *text++);
    return buf_take(&out);
}

/* Without colours the text is the same, and no sequence asks for a colour. */
static void check_mono(const struct canvas *c)
{
    struct buf text = BUF_INIT(0), mono = BUF_INIT(0);

    screen_text(c, &text);
    screen_ansi(c, THEME_MONO, DEPTH_TRUE, &mono);
    for (const char *at = buf_text(&mono); (at = strchr(at, '\033')); at++) {
        size_t len = strcspn(at, "m");

        for (size_t i = 0; i + 1 < len; i++)
            assert_false(at[i] == ';' && strchr("349", at[i + 1]) && at[i + 2] != ';' && at[i + 2] != 'm');
    }
    char *plain = stripped(buf_text(&mono)), *line = plain;
    /* What is underlined or reversed at the end of a line is blank text. */
    for (const char *want = buf_text(&text); *want; want += strcspn(want, "\n") + 1) {
        size_t len = strcspn(want, "\n"), have = strcspn(line, "\n");

        assert_true(have >= len && strncmp(want, line, len) == 0 && strspn(line + len, " ") == have - len);
        line += have + 1;
    }
    free(plain);
    buf_release(&text);
    buf_release(&mono);
}

static void answer_policy(struct rig *r)
{
    for (size_t i = 0; i < r->sent.len; i++)
        if (str_eq(r->sent.items[i].path, "/api/headway/policy")) {
            rig_answer(r, i, 200, "{\"policy\":\"{\\n  \\\"grants\\\": [],\\n}\\n\",\"version\":\"3\"}");
            return;
        }
}

static void add_size(struct rig *r, int rows, int cols, struct buf *out)
{
    r->app.canvas.ascii = false;
    rig_draw(r, rows, cols);
    buf_addf(out, "==== %dx%d\n", cols, rows);
    screen_text(&r->app.canvas, out);
    check_mono(&r->app.canvas);
    buf_addf(out, "==== %dx%d, roles\n", cols, rows);
    roles_of(&r->app.canvas, out);
    r->app.canvas.ascii = true;
    rig_draw(r, rows, cols);
    buf_addf(out, "==== %dx%d, ASCII\n", cols, rows);
    screen_text(&r->app.canvas, out);
    r->app.canvas.ascii = false;
}

static bool is_golden(const char *name, const struct buf *now)
{
    char *path = mem_format("%s/%s.screens", FOLDER, name);
    struct buf was = BUF_INIT(0);
    bool same = file_read(path, FILE_ANY, &was, NULL) == 0 && str_eq(buf_text(&was), buf_text(now));

    if (getenv("UPDATE")) {
        same = file_make_parents(path, 0755, NULL) == 0 && file_replace(path, now->data, now->len, 0644, NULL) == 0;
    } else if (!same) {
        size_t at = 0;

        while (at < was.len && was.data[at] == now->data[at])
            at++;
        while (at && now->data[at - 1] != '\n')
            at--;
        fprintf(stderr, "%s differs from here on:\n%.300s\nwas:\n%.300s\n", path, now->data + at,
                at < was.len ? was.data + at : "");
    }
    buf_release(&was);
    free(path);
    return same;
}

static bool view_is_as_it_was(size_t view, int part)
{
    struct rig r;
    struct buf out = BUF_INIT(0);

    rig_init(&r, 0);
    const struct console_view *v = r.app.tables->views[view];
    app_go(&r.app, v, part, v->digit || v->parts[part].asked ? NULL : "3");
    answer_policy(&r);
    rig_lists(&r);
    for (size_t i = 0; i < ARRAY_LEN(sizes); i++)
        add_size(&r, sizes[i].rows, sizes[i].cols, &out);
    const char *part_name = v->parts[part].name;
    char *name = mem_format("%s%s%s", v->name, part_name ? "-" : "", part_name ? part_name : "");
    for (char *c = name; *c; c++)
        *c = *c == ' ' ? '-' : *c;
    bool same = is_golden(name, &out);
    free(name);
    buf_release(&out);
    rig_release(&r);
    return same;
}

static void views_are_as_they_were(void **state)
{
    size_t different = 0;
    struct rig r;

    (void)state;
    rig_init(&r, 0);
    for (size_t v = 0; v < r.app.tables->view_count; v++)
        for (int part = 0; part < view_part_count(r.app.tables->views[v]); part++)
            different += !view_is_as_it_was(v, part);
    rig_release(&r);
    assert_int_equal(different, 0);
}

/* ---- what one sees on the way of a policy ---- */

#define THEIRS "{\\n  // theirs\\n  \\\"grants\\\": [],\\n}\\n"

static const char preview[] =
    "{\"ok\":true,\"findings\":[{\"line\":3,\"column\":5,\"severity\":\"warning\",\"message\":\"grant 2 opens nothing "
    "more: line 2 opens all of it already\"}],\"totals\":{\"pairs_lost\":2,\"pairs_gained\":6,\"routes_approved\":1,"
    "\"routes_shown\":1,\"routes_hidden\":1},\"rows\":[{\"kind\":\"lost\",\"sources\":{\"count\":2,\"names\":["
    "\"laptop-carol\",\"phone-carol\"]},\"destinations\":{\"count\":1,\"names\":[\"nas\"]},\"what\":[\"ports 1-21\","
    "\"ports 23-1000\"],\"kept\":[\"port 22\"],\"pairs\":2,\"online_pairs\":1},{\"kind\":\"gained\",\"sources\":{"
    "\"count\":6,\"names\":[\"a\",\"b\"]},\"destinations\":{\"count\":1,\"names\":[\"db-01\"]},\"what\":[\"tcp port "
    "5432\"],\"pairs\":6,\"online_pairs\":0}],\"routes\":[{\"kind\":\"hidden\",\"router\":\"gw-ber-1\",\"route\":"
    "\"10.20.0.0/16\",\"viewers\":{\"count\":3,\"names\":[\"nas\",\"laptop-bob\"]}}],\"approvals\":[{\"router\":"
    "\"gw-ber-2\",\"route\":\"10.21.0.0/16\",\"viewers\":1}],\"ways\":[{\"kind\":\"moves\",\"route\":\"10.20.0.0/16\","
    "\"exit\":false,\"from\":\"gw-ber-1\",\"to\":\"gw-ber-2\",\"viewers\":{\"count\":2,\"names\":[\"laptop\",\"phone\"]"
    "}}"
    ",{\"kind\":\"loses\",\"route\":\"0.0.0.0/"
    "0\",\"exit\":true,\"from\":\"exit-1\",\"to\":\"\",\"viewers\":{\"count\":1,"
    "\"names\":[\"laptop-carol\"]}}],\"cut_off\":[{\"user\":\"carol\",\"route\":\"0.0.0.0/"
    "0\",\"exit\":true}],\"tests\":["
    "{\"line\":9,\"kind\":\"sshTest\",\"want\":\"accept\",\"source\":\"alice@\",\"target\":\"root on "
    "tag:db\",\"passed\":"
    "false},{\"line\":8,\"kind\":\"test\",\"want\":\"deny\",\"source\":\"bob@\",\"target\":\"db-01:22\",\"passed\":"
    "true}],"
    "\"tests_passed\":4,\"tests_failed\":1,\"cost\":{\"nodes\":128,\"online\":100,\"changed\":41,\"filters\":30,"
    "\"peers\":12,\"bytes\":18000},\"compile_ms\":3}";

/* What the server says, by the beginning of "METHOD PATH"; the first that fits. */
static const struct {
    const char *request;
    int status;
    const char *json;
} server[] = {
    {"POST /api/headway/policy/preview", 200, preview},
    {"PUT /api/headway/policy", 412, "{\"error\":{\"code\":\"precondition\",\"message\":\"it is at version 4\"}}"},
    {"GET /api/headway/policy/versions?", 200,
     "{\"versions\":[{\"version\":3,\"updatedAt\":\"2026-03-03T12:00:00Z\",\"author\":\"alice\",\"note\":\"ticket 12: "
     "nas\",\"current\":true},{\"version\":2,\"updatedAt\":\"2026-03-02T12:00:00Z\",\"author\":\"bob\",\"note\":\"\","
     "\"current\":false}],\"next\":0}"},
    {"GET /api/headway/policy/versions/2", 200, "{\"policy\":\"{\\n  \\\"acls\\\": [],\\n}\\n\",\"version\":2}"},
};

static void answer(struct rig *r, size_t *answered)
{
    for (; *answered < r->sent.len; ++*answered) {
        char *request = mem_format("%s %s", r->sent.items[*answered].method, r->sent.items[*answered].path);

        for (size_t i = 0; i < ARRAY_LEN(server); i++)
            if (str_starts(request, server[i].request)) {
                rig_answer(r, *answered, server[i].status, server[i].json);
                break;
            }
        if (str_eq(request, "GET /api/headway/policy"))
            rig_answer(r, *answered, 200,
                       *answered ? "{\"policy\":\"" THEIRS "\",\"version\":\"4\"}"
                                 : "{\"policy\":\"{\\n  // old\\n  \\\"grants\\\": [],\\n}\\n\",\"version\":\"3\"}");
        free(request);
    }
}

#define TYPED "4e<Down><Ctrl-K>  // mine<Ctrl-S>"

static const struct {
    const char *name, *keys;
} scenes[] = {
    {"policy-review-access", TYPED},
    {"policy-review-text", TYPED "<Tab>"},
    {"policy-review-tests", TYPED "<Tab><Tab>"},
    {"policy-review-routes", TYPED "<Shift-Tab><Shift-Tab>"},
    {"policy-review-cost", TYPED "<Shift-Tab>nticket 13<Enter>"},
    {"policy-conflict", TYPED "<Enter>LOST<Enter>"},
    {"policy-merge", TYPED "<Enter>LOST<Enter>m"},
    {"policy-merge-chosen", TYPED "<Enter>LOST<Enter>mb"},
    {"policy-log", "4L"},
    {"policy-log-diff", "4:diff 2<Enter>"},
    {"policy-log-restore", "4:restore 2<Enter><Tab>"},
    {"policy-complete", "4e<Down><Down><End><Left><Left>{\"dst\": [\"<Ctrl-Space>"},
};

static bool scene_is_as_it_was(const char *name, const char *script)
{
    struct key_script keys = {0};
    struct buf out = BUF_INIT(0);
    size_t answered = 0;
    struct rig r;

    rig_init(&r, 0);
    assert_int_equal(keys_parse(script, &keys, NULL), 0);
    for (size_t i = 0; i < keys.len; i++) {
        app_key(&r.app, keys.items[i]);
        answer(&r, &answered);
    }
    for (size_t i = 0; i < ARRAY_LEN(sizes); i++)
        add_size(&r, sizes[i].rows, sizes[i].cols, &out);
    bool same = is_golden(name, &out);
    vec_release(&keys);
    buf_release(&out);
    rig_release(&r);
    return same;
}

static void the_ways_of_a_policy_are_as_they_were(void **state)
{
    size_t different = 0;

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(scenes); i++)
        different += !scene_is_as_it_was(scenes[i].name, scenes[i].keys);
    assert_int_equal(different, 0);
}

static void the_letters_of_roles_are_explained(void **state)
{
    struct buf out = BUF_INIT(0);

    (void)state;
    for (int role = 0; role < ROLE_COUNT; role++)
        buf_addf(&out, "%c %s\n", letters[role], role_names[role]);
    bool same = is_golden("roles", &out);
    buf_release(&out);
    assert_true(same);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(views_are_as_they_were),
        cmocka_unit_test(the_ways_of_a_policy_are_as_they_were),
        cmocka_unit_test(the_letters_of_roles_are_explained),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
