/* SPDX-License-Identifier: BSD-3-Clause */
/* Random keys, clicks, sizes, events, answers and lost servers: nothing crashes, and what arrives never moves the
 * cursor to another object. SECONDS_LONG in the environment is the duration (tests/console/soak_random.sh: five minutes
 * under ASan); without it the test runs a number of steps. SEED repeats a run. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/array.h"
#include "base/clock.h"
#include "base/mem.h"
#include "console/app/dispatch.h"
#include "shared/console_rig.h"

#define STEPS      20000
#define A_RUN      2000 /* steps with one application */
#define ASKED_MOST 200  /* requests that are kept unanswered */

struct monkey {
    struct rig r;
    uint64_t seed;
    size_t answered; /* requests before this one are */
    int rows, cols;
    unsigned long steps;
};

static unsigned pick(struct monkey *m, unsigned below)
{
    m->seed = m->seed * 6364136223846793005U + 1442695040888963407U;
    return (unsigned)(m->seed >> 33) % below;
}

/* Half of them keys of the tables, the rest anything. */
static void press(struct monkey *m)
{
    static const int special[] = {CK_ENTER, CK_ESC,  CK_TAB,  CK_BACKTAB, CK_UP,       CK_DOWN,   CK_LEFT,
                                  CK_RIGHT, CK_PGUP, CK_PGDN, CK_HOME,    CK_END,      CK_DELETE, CK_BACKSPACE,
                                  CK_F1,    CK_F2,   CK_F8,   CK_PASTE,   CK_PASTE_END};
    const struct command_list *all = &m->r.app.commands;
    unsigned how = pick(m, 10);

    if (how < 5) {
        const char *keys = all->items[pick(m, (unsigned)all->len)]->keys;
        char name[KEY_NAME_MAX] = "";

        memcpy(name, keys, strcspn(keys, " "));
        if (*name)
            app_key(&m->r.app, key_named(name));
    } else if (how < 8) {
        app_key(&m->r.app, special[pick(m, ARRAY_LEN(special))]);
    } else {
        app_key(&m->r.app, (int)pick(m, 0x250));
    }
    m->r.app.quit = false;
}

static void run_line(struct monkey *m)
{
    static const char *const arguments[] = {
        "", "gw-*", "nas", "gw-ber-1 10.20.0.0/16", "tag:x", "@none", "-2h", "!user:alice", "*", "0"};
    const struct command_list *all = &m->r.app.commands;
    const char *name = all->items[pick(m, (unsigned)all->len)]->name;

    /* These write files. */
    if (str_eq(name, "export") || str_eq(name, "save-display"))
        return;
    char *keys = mem_format("<Esc><Esc>:%s %s<Enter>", name, arguments[pick(m, ARRAY_LEN(arguments))]);
    rig_keys(&m->r, keys);
    free(keys);
    m->r.app.quit = false;
}

static char *name_of(const struct row *row)
{
    return !row ? mem_strdup("")
           : row->kind == ROW_ROUTE
               ? mem_format("%d %s %s", row->kind, ((const struct m_route *)row)->node->row.key, row->key)
               : mem_format("%d %s", row->kind, row->key);
}

static bool is_listed(const struct list *l, const char *name)
{
    bool found = false;

    for (size_t i = 0; i < l->order.len && !found; i++) {
        char *other = name_of(l->order.items[i]);

        found = str_eq(other, name);
        free(other);
    }
    return found;
}

/* The cursor is on the same object after what arrives, unless that is what went away. */
static void arrive(struct monkey *m, const char *json)
{
    struct list *l = app_list(&m->r.app);
    char *before = name_of(l->cursor);

    rig_json(&m->r, json);
    rig_draw(&m->r, m->rows, m->cols);
    char *after = name_of(l->cursor);
    /* Events may be followed: then it is on the newest. */
    if (*before && *before - '0' != ROW_EVENT && !str_eq(before, after) && is_listed(l, before))
        fail_msg("after %lu steps: the cursor went from %s to %s by %s", m->steps, before, after, json);
    free(before);
    free(after);
}

/* An app connector with more addresses than are listed one by one. */
static void learn(struct monkey *m, unsigned id)
{
    unsigned count = pick(m, 30);
    struct buf b = BUF_INIT(0);

    buf_addf(&b, "{\"node\":{\"id\":\"%u\",\"givenName\":\"conn-%u\",\"online\":true,\"tags\":[],\"routes\":[", id, id);
    for (unsigned i = 0; i < count; i++)
        buf_addf(&b, "%s{\"prefix\":\"198.51.100.%u/32\",\"state\":\"%s\"}", i ? "," : "", i,
                 pick(m, 8) ? "serving" : "available");
    buf_adds(&b, "]}}");
    arrive(m, buf_text(&b));
    buf_release(&b);
}

static void event(struct monkey *m)
{
    unsigned id = pick(m, 30) + 1, serial = (unsigned)m->steps % 1000000 + 100;
    char json[600];

    switch (pick(m, 7)) {
    case 5:
        learn(m, id);
        return;
    case 6:
        snprintf(json, sizeof(json),
                 "{\"id\":\"1.%u\",\"time\":\"2026-03-03T14:03:10Z\",\"kind\":\"policy.changed\",\"actor\":\"bob\","
                 "\"object\":\"policy\",\"text\":\"The policy was changed (+1 grant)\"}",
                 serial);
        break;
    case 0:
        snprintf(json, sizeof(json),
                 "{\"node\":{\"id\":\"%u\",\"givenName\":\"n%u\",\"online\":%s,\"tags\":[],\"routes\":[]}}", id, id,
                 pick(m, 2) ? "true" : "false");
        break;
    case 1:
        snprintf(json, sizeof(json),
                 "{\"node\":{\"id\":\"%u\",\"givenName\":\"gw-%u\",\"online\":true,\"tags\":[\"tag:router\"],"
                 "\"routes\":[{\"prefix\":\"10.%u.0.0/16\","
                 "\"state\":\"%s\",\"exit\":false}]}}",
                 id, id, pick(m, 200), pick(m, 2) ? "available" : "serving");
        break;
    case 2:
        snprintf(json, sizeof(json),
                 "{\"removed\":{\"nodes\":[\"%u\"],\"prefixes\":[\"10.20.0.0/16\"],\"users\":[\"%u\"]}}", id, id % 4);
        break;
    case 3:
        snprintf(json, sizeof(json),
                 "{\"id\":\"1.%u\",\"time\":\"2026-03-03T14:03:10Z\",\"kind\":\"node.online\",\"actor\":\"server\","
                 "\"object\":\"node\","
                 "\"objectId\":\"%u\",\"objectName\":\"n%u\",\"text\":\"n%u came online\",\"inverse\":null}",
                 serial, id, id, id);
        break;
    default:
        snprintf(json, sizeof(json),
                 "{\"changed\":{\"users\":[{\"id\":\"%u\",\"name\":\"user%u\",\"role\":\"member\",\"version\":1}]}}",
                 id, id);
        break;
    }
    /* An object that the cursor is on may go. */
    if (strstr(json, "removed"))
        rig_json(&m->r, json);
    else
        arrive(m, json);
}

/* What the server says to each question, so that views have something to show; for all others see below. */
static const struct {
    const char *path, *body;
} bodies[] = {
    {"/api/headway/reach/neighbours", "{\"nodes\":1,\"total\":2,\"neighbours\":[{\"kind\":\"node\",\"name\":\"nas\","
                                      "\"online\":true,\"out\":[\"22\"],\"in\":[\"any\"],"
                                      "\"out_line\":2,\"in_line\":3},{\"kind\":\"exit\",\"name\":\"office-exit\","
                                      "\"out\":[\"any\"],\"in\":[],\"router\":\"office-exit\"}]}"},
    {"/api/headway/reach/history",
     "{\"allowed\":true,\"complete\":true,\"back_to\":\"2026-03-01T09:00:00Z\",\"changes\":[{\"time\":\"2026-03-03T09:"
     "14:00Z\","
     "\"allowed\":true,\"fact\":\"grant 2\",\"line\":2,\"event\":\"1.37\",\"actor\":\"alice\",\"text\":\"The policy "
     "was changed\"},"
     "{\"time\":\"2026-03-01T09:00:00Z\",\"allowed\":false,\"fact\":\"no rule\"}]}"},
    {"/api/headway/reach?", "{\"rows\":[{\"kind\":\"group\",\"name\":\"group:ops\",\"nodes\":3,\"online\":2},{\"kind\":"
                            "\"node\",\"name\":\"nas\",\"nodes\":1}],"
                            "\"columns\":[{\"kind\":\"tag\",\"name\":\"tag:db\",\"nodes\":1},{\"kind\":\"exit\","
                            "\"name\":\"office-exit\",\"nodes\":1}],\"cells\":"
                            "[{\"row\":0,\"column\":0,\"all\":true,\"what\":[\"22\"],\"line\":2,\"from\":\"nas\","
                            "\"to\":\"db\"},{\"row\":1,\"column\":1,"
                            "\"what\":[\"any\"],\"router\":\"office-exit\"}],\"rows_total\":9,\"columns_total\":2}"},
    {"/api/headway/explain", "{\"allowed\":false,\"steps\":[{\"ok\":true,\"text\":\"a is "
                             "a\"},{\"ok\":false,\"text\":\"no rule\",\"line\":2}]}"},
    {"/api/headway/state",
     "{\"time\":\"2026-03-03T11:50:00Z\",\"since\":\"2026-01-01T00:00:00Z\",\"nodes\":[{\"id\":\"3\",\"givenName\":"
     "\"gw-ber-1\","
     "\"online\":true,\"routes\":[{\"prefix\":\"192.168.7.0/"
     "24\",\"state\":\"serving\",\"primary\":\"3\"}]}],\"users\":[{\"id\":\"1\","
     "\"name\":\"alice\"}],\"prefixes\":[],\"policy\":{\"policy\":\"{\\n  \\\"acls\\\": []\\n}\\n\",\"version\":7}}"},
    {"/api/headway/policy/preview", "{\"ok\":true,\"findings\":[],\"totals\":{\"pairs_lost\":1},\"rows\":[{\"kind\":"
                                    "\"lost\",\"sources\":{\"count\":1,\"names\":"
                                    "[\"nas\"]},\"destinations\":{\"count\":1,\"names\":[\"db\"]},\"what\":[\"any\"],"
                                    "\"kept\":[\"22\"],\"pairs\":1}],\"approvals\":"
                                    "[{\"router\":\"gw\",\"route\":\"10.21.0.0/"
                                    "16\",\"viewers\":1}],\"tests\":[{\"line\":9,\"kind\":\"test\",\"want\":\"deny\","
                                    "\"source\":\"a\",\"target\":\"b\",\"passed\":false}],\"tests_failed\":1,\"cost\":{"
                                    "\"nodes\":128,\"changed\":41}}"},
    {"/api/headway/policy/versions", "{\"versions\":[{\"version\":41,\"updatedAt\":\"2026-03-01T00:00:00Z\",\"author\":"
                                     "\"alice\",\"note\":\"\",\"size\":3},"
                                     "{\"version\":40,\"updatedAt\":\"2026-02-01T00:00:00Z\",\"author\":\"bob\","
                                     "\"note\":\"x\",\"size\":3}],\"policy\":\"{}\",\"version\":40}"},
    {"/api/headway/policy",
     "{\"policy\":\"{\\n  \\\"acls\\\": [],\\n  \\\"hosts\\\": {\\\"h\\\": \\\"1.1.1.1\\\"}\\n}\\n\",\"version\":43}"},
    {"/api/headway/samples",
     "{\"interval\":60,\"samples\":[{\"time\":\"2026-03-03T13:01:00Z\",\"online\":5,\"events\":1,\"databaseOk\":true,"
     "\"databaseMs\":3},"
     "{\"time\":\"2026-03-03T13:02:00Z\",\"online\":6,\"events\":9,\"failovers\":1,\"databaseOk\":false}]}"},
    {"/api/headway/health", "{\"status\":\"degraded\",\"reasons\":[{\"code\":\"prefix-unserved\",\"object\":\"prefix\","
                            "\"objectName\":\"10.9.0.0/16\","
                            "\"severity\":\"alarm\",\"text\":\"nobody serves it\"}],\"count\":1}"},
    {"/api/headway/routes/simulate",
     "{\"prefixes\":[{\"prefix\":\"10.20.0.0/"
     "16\",\"outcome\":\"moves\",\"from\":\"3\",\"fromName\":\"a\",\"to\":\"4\",\"toName\":\"b\","
     "\"move\":2}],\"cutOff\":[{\"user\":\"bob\",\"prefix\":\"10.9.0.0/16\"}],\"totals\":{\"move\":2,\"cutOff\":1}}"},
    {"/api/headway/events/counts",
     "{\"from\":\"2026-03-03T00:00:00Z\",\"step\":1800,\"counts\":[{\"time\":\"2026-03-03T11:30:00Z\",\"count\":3}]}"},
    {"/api/headway/events?", "{\"events\":[{\"id\":\"1.3\",\"time\":\"2026-03-02T14:03:10Z\",\"kind\":\"node.online\","
                             "\"actor\":\"server\",\"object\":\"node\","
                             "\"objectId\":\"3\",\"objectName\":\"n\",\"text\":\"n came online\"}],\"next\":\"1.3\"}"},
};

static const char *body_for(struct monkey *m, const char *path)
{
    static const char *const others[] = {"{}", "{\"error\":{\"message\":\"no\"}}",
                                         "{\"result\":{\"id\":\"3\",\"givenName\":\"gw\"},\"event\":\"1.50\"}", "[]"};

    for (size_t i = 0; i < ARRAY_LEN(bodies) && pick(m, 8); i++)
        if (str_starts(path, bodies[i].path))
            return bodies[i].body;
    return others[pick(m, ARRAY_LEN(others))];
}

static void answer(struct monkey *m)
{
    static const int statuses[] = {200, 200, 200, 200, 200, 400, 409, 412, 500};

    if (m->answered < m->r.sent.len) {
        size_t at = m->answered++;
        rig_answer(&m->r, at, statuses[pick(m, ARRAY_LEN(statuses))], body_for(m, m->r.sent.items[at].path));
    } else if (m->r.asked.len) {
        char *path = mem_strdup(m->r.asked.items[m->r.asked.len - 1].path);

        rig_tell(&m->r, path, statuses[pick(m, ARRAY_LEN(statuses))], body_for(m, path));
        free(path);
    }
}

static void tell_lists(struct monkey *m)
{
    rig_lists(&m->r);
}

static void lose_server(struct monkey *m)
{
    static const enum connection_state states[] = {CONN_LIVE, CONN_LIVE,   CONN_DOWN,
                                                   CONN_AUTH, CONN_RESYNC, CONN_CONNECTING};

    app_connection(&m->r.app, states[pick(m, ARRAY_LEN(states))], "the wire is cut", pick(m, 2) ? 3000 : 0);
}

static void resize(struct monkey *m)
{
    bool odd = pick(m, 2);

    m->rows = odd ? (int)pick(m, 100) + 1 : 24;
    m->cols = odd ? (int)pick(m, 300) + 1 : 80;
}

static void click(struct monkey *m)
{
    int row = (int)pick(m, 110), col = (int)pick(m, 310);

    if (pick(m, 3) == 0)
        app_wheel(&m->r.app, pick(m, 2) ? 3 : -3);
    else if (pick(m, 3) == 0)
        app_menu(&m->r.app, row, col);
    else
        app_click(&m->r.app, row, col, (int)pick(m, 2) + 1);
    m->r.app.quit = false;
}

static void step(struct monkey *m)
{
    static void (*const steps[])(struct monkey * m) = {press,    press,      press,       press,  press,
                                                       run_line, event,      event,       answer, answer,
                                                       answer,   tell_lists, lose_server, resize, click};

    steps[pick(m, ARRAY_LEN(steps))](m);
    rig_pass(&m->r, pick(m, 20) ? pick(m, 50) : pick(m, 8000));
    rig_draw(&m->r, m->rows, m->cols);
    m->steps++;
    assert_true(m->r.app.canvas.cursor_row >= 0 && m->r.app.canvas.cursor_row < m->r.app.canvas.rows);
    assert_true(m->r.app.canvas.cursor_col >= 0 && m->r.app.canvas.cursor_col < m->r.app.canvas.cols);
}

static void begin(struct monkey *m)
{
    rig_init(&m->r, pick(m, 4) ? 0 : 200);
    m->r.app.canvas.plain = pick(m, 8) == 0;
    m->r.app.canvas.ascii = pick(m, 4) == 0;
    m->answered = 0;
    m->rows = 24;
    m->cols = 80;
}

static void nothing_breaks_it(void **state)
{
    const char *seconds = getenv("SECONDS_LONG"), *seed = getenv("SEED");
    struct monkey m = {.seed = seed ? strtoull(seed, NULL, 10) : 7};
    int64_t until = seconds ? clock_mono_ms() + strtoll(seconds, NULL, 10) * 1000 : 0;

    (void)state;
    while (until ? clock_mono_ms() < until : m.steps < STEPS) {
        uint64_t from = m.seed;

        begin(&m);
        for (int i = 0; i < A_RUN; i++) {
            step(&m);
            if (m.r.sent.len - m.answered > ASKED_MOST)
                answer(&m);
        }
        rig_release(&m.r);
        if (until)
            fprintf(stderr, "# %lu steps, SEED=%llu is done\n", m.steps, (unsigned long long)from);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(nothing_breaks_it)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
