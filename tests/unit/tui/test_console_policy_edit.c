/* SPDX-License-Identifier: BSD-3-Clause */
/* Assistance in the console's policy view: names that are possible at the cursor, corrections, brackets; merging the
 * texts of two people; the panes of a review and its note. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/array.h"
#include "base/mem.h"
#include "console/text/merge.h"
#include "console/text/outline.h"
#include "policy/policy.h"
#include "shared/console/policy_rig.h"

/* ---- merging two texts ---- */

static struct merge_text text_of(const char *text)
{
    return (struct merge_text){text, strlen(text)};
}

static void lines_that_one_changed_are_taken_by_themselves(void **state)
{
    static const struct {
        const char *base, *theirs, *mine, *merged; /* merged NULL: there is a conflict */
    } cases[] = {
        {"a\nb\nc\n", "a\nb\nc\n", "a\nb\nc\n", "a\nb\nc\n"},
        {"a\nb\nc\n", "A\nb\nc\n", "a\nb\nC\n", "A\nb\nC\n"},
        {"a\nb\nc\n", "a\nb\nc\nd\n", "x\na\nb\nc\n", "x\na\nb\nc\nd\n"},
        {"a\nb\nc\nd\ne\n", "a\nc\nd\ne\n", "a\nb\nc\nd\n", "a\nc\nd\n"},
        {"a\nb\nc\n", "a\nB\nc\n", "a\nB\nc\n", "a\nB\nc\n"},
        {"a\nb\nc\n", "a\nB\nc\n", "a\nbb\nc\n", NULL},
        {"a\nb\nc\n", "a\nc\n", "a\nbb\nc\n", NULL},
        {"", "a\n", "", "a\n"},
        {"", "a\n", "b\n", NULL},
        {"a\n", "", "a\n", ""},
        {"a\nb", "a\nb\nc\n", "x\na\nb", "x\na\nb\nc\n"},
        {"a", "a\n", "a", "a"},
        {"a\na\na\n", "a\na\n", "a\na\na\nb\n", NULL}, /* side by side */
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct merge m;
        size_t len;

        merge_make(&m, text_of(cases[i].base), text_of(cases[i].theirs), text_of(cases[i].mine));
        char *merged = merge_result(&m, &len);
        assert_int_equal(len, strlen(merged));
        assert_int_equal(m.conflicts > 0, cases[i].merged == NULL);
        if (cases[i].merged)
            assert_string_equal(merged, cases[i].merged);
        free(merged);
        merge_release(&m);
    }
}

/* Whatever is chosen, no line of either side is lost but those that were not chosen. */
static void a_conflict_is_what_is_chosen(void **state)
{
    static const char *const expected[] = {
        [CHOICE_NONE] = "top\ntheirs\nmine\nend\nnew\n",
        [CHOICE_THEIRS] = "top\ntheirs\nend\nnew\n",
        [CHOICE_MINE] = "top\nmine\nend\nnew\n",
        [CHOICE_BOTH] = "top\ntheirs\nmine\nend\nnew\n",
    };
    struct merge m;
    size_t len;

    (void)state;
    merge_make(&m, text_of("top\nold\nend\n"), text_of("top\ntheirs\nend\nnew\n"), text_of("top\nmine\nend\n"));
    assert_int_equal(m.conflicts, 1);
    assert_int_equal(m.theirs, 1);
    assert_int_equal(merge_open(&m), 1);
    for (size_t choice = 0; choice < ARRAY_LEN(expected); choice++) {
        for (size_t i = 0; i < m.len; i++)
            if (m.items[i].kind == MERGE_CONFLICT)
                m.items[i].choice = (enum merge_choice)choice;
        char *merged = merge_result(&m, &len);
        assert_string_equal(merged, expected[choice]);
        free(merged);
    }
    assert_int_equal(merge_open(&m), 0);
    merge_release(&m);
}

/* Sections, members and rules of a policy are merged by themselves, with the comments that belong to them. */
static void a_policy_is_merged_by_sections(void **state)
{
    static const struct {
        const char *base, *theirs, *mine, *merged; /* merged NULL: there is a conflict */
    } cases[] = {
        /* Two sections in one line. */
        {"{\"groups\": {\"group:a\": []}, \"hosts\": {\"h\": \"1.1.1.1\"}}",
         "{\"groups\": {\"group:a\": [\"x@\"]}, \"hosts\": {\"h\": \"1.1.1.1\"}}",
         "{\"groups\": {\"group:a\": []}, \"hosts\": {\"h\": \"2.2.2.2\"}}",
         "{\"groups\": {\"group:a\": [\"x@\"]}, \"hosts\": {\"h\": \"2.2.2.2\"}}"},
        /* Both add to one section, at its end. */
        {"{\n  \"groups\": {\n    \"group:a\": []\n  }\n}\n",
         "{\n  \"groups\": {\n    \"group:a\": [],\n    \"group:b\": []\n  }\n}\n",
         "{\n  \"groups\": {\n    \"group:a\": [],\n    \"group:c\": []\n  }\n}\n",
         "{\n  \"groups\": {\n    \"group:a\": [],\n    \"group:b\": [],\n    \"group:c\": []\n  }\n}\n"},
        /* One changes the last member, the other adds one behind it. */
        {"{\n  \"hosts\": {\n    \"a\": \"1.1.1.1\"\n  }\n}\n",
         "{\n  \"hosts\": {\n    \"a\": \"1.1.1.1\",\n    \"b\": \"1.1.1.2\"\n  }\n}\n",
         "{\n  \"hosts\": {\n    \"a\": \"9.9.9.9\" // moved\n  }\n}\n",
         "{\n  \"hosts\": {\n    \"a\": \"9.9.9.9\", // moved\n    \"b\": \"1.1.1.2\"\n  }\n}\n"},
        /* Both add rules at the same place, one of them the same. */
        {"{\"grants\": [\n  1,\n]}", "{\"grants\": [\n  1,\n  // two\n  2,\n  3,\n]}",
         "{\"grants\": [\n  1,\n  4,\n  3,\n]}", "{\"grants\": [\n  1,\n  // two\n  2,\n  4,\n  3,\n]}"},
        /* Both add a section; the other one's stands where it stands there. */
        {"{\n  \"acls\": [1]\n}\n", "{\n  \"acls\": [1],\n  \"ssh\": [2]\n}\n",
         "{\n  \"hosts\": {},\n  \"acls\": [1]\n}\n", "{\n  \"hosts\": {},\n  \"acls\": [1],\n  \"ssh\": [2]\n}\n"},
        /* One takes a rule away, the other one another. */
        {"{\"acls\": [\n1,\n2,\n3\n]}", "{\"acls\": [\n2,\n3\n]}", "{\"acls\": [\n1,\n2\n]}", "{\"acls\": [\n2\n]}"},
        /* Both change the same key, the same rule; one removes what the other changes; rules of SSH have an order. */
        {"{\"hosts\": {\"a\": 1}}", "{\"hosts\": {\"a\": 2}}", "{\"hosts\": {\"a\": 3}}", NULL},
        {"{\"hosts\": {}}", "{\"hosts\": {\"a\": 2}}", "{\"hosts\": {\"a\": 3}}", NULL},
        {"{\"acls\": [1]}", "{\"acls\": [2]}", "{\"acls\": [3]}", NULL},
        {"{\"groups\": {\"a\": [1]}}", "{\"groups\": {}}", "{\"groups\": {\"a\": [2]}}", NULL},
        {"{\"groups\": {\"a\": [1]}}", "{\"groups\": {\"a\": [1, 2]}}", "{\"groups\": {\"a\": [1, 3]}}", NULL},
        {"{\"ssh\": []}", "{\"ssh\": [1]}", "{\"ssh\": [2]}", NULL},
        /* Lines that end behind it say nothing. */
        {"{\"hosts\": {\"a\": 1}}\n", "{\"hosts\": {\"a\": 2}}\n\n\n", "{\"hosts\": {\"a\": 1}}\n",
         "{\"hosts\": {\"a\": 2}}\n"},
        /* Both do the same. */
        {"{\"hosts\": {\"a\": 1}}", "{\"hosts\": {}}", "{\"hosts\": {}}", "{\"hosts\": {}}"},
        /* Members in another order belong together nevertheless. */
        {"{\"hosts\": {\n\"a\": 1,\n\"b\": 2\n}}", "{\"hosts\": {\n\"b\": 2,\n\"a\": 9\n}}",
         "{\"hosts\": {\n\"a\": 1,\n\"b\": 8\n}}", "{\"hosts\": {\n\"a\": 9,\n\"b\": 8,\n}}"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct merge m;
        size_t len;

        merge_make(&m, text_of(cases[i].base), text_of(cases[i].theirs), text_of(cases[i].mine));
        char *merged = merge_result(&m, &len);
        assert_int_equal(m.conflicts > 0, cases[i].merged == NULL);
        if (cases[i].merged)
            assert_string_equal(merged, cases[i].merged);
        free(merged);
        merge_release(&m);
    }
}

/* ---- a made-up policy, and what somebody makes of it ---- */

static uint64_t dice(uint64_t *seed, uint64_t sides)
{
    *seed = *seed * 6364136223846793005U + 1442695040888963407U;
    return (*seed >> 33) % sides;
}

struct made_up {
    int hosts[8];     /* values; 0: not there */
    unsigned rules;   /* one bit each */
    bool short_lines; /* all in one */
};

static char *write_made_up(const struct made_up *p, bool last_comma)
{
    const char *end = p->short_lines ? " " : "\n";
    struct buf b = BUF_INIT(0);
    bool any = false;

    buf_addf(&b, "{%s\"hosts\": {%s", end, end);
    for (int i = 0; i < 8; i++)
        if (p->hosts[i]) {
            buf_addf(&b, "%s%s\"h%d\": %d", any ? "," : "", any ? end : "", i, p->hosts[i]);
            any = true;
        }
    buf_addf(&b, "%s%s},%s\"grants\": [%s", any && last_comma ? "," : "", end, end, end);
    for (unsigned i = 0; i < 32; i++)
        if (p->rules & 1U << i)
            buf_addf(&b, "{\"rule\": %u},%s", i, end);
    buf_addf(&b, "]%s}\n", end);
    return buf_take(&b);
}

static void expect_member(const struct policy_item *hosts, int number, int value)
{
    char name[16], text[16];

    snprintf(name, sizeof(name), "h%d", number);
    snprintf(text, sizeof(text), "%d", value);
    for (const struct policy_item *i = hosts->first; i; i = i->next)
        if (str_eq(i->name, name)) {
            assert_string_equal(i->plain, text);
            return;
        }
    assert_int_equal(value, 0);
}

/* Whatever two people do to different members and rules, the merged text has all of it, and is a policy's. */
static void what_two_do_to_different_things_is_merged(void **state)
{
    uint64_t seed = 11;

    (void)state;
    for (int round = 0; round < 3000; round++) {
        struct made_up base = {.short_lines = dice(&seed, 2)}, theirs, mine, both;
        struct arena a = ARENA_INIT(1 << 20);
        struct merge m;
        size_t len;

        for (int i = 0; i < 8; i++)
            base.hosts[i] = (int)dice(&seed, 3);
        base.rules = (unsigned)dice(&seed, 1 << 16);
        theirs = mine = both = base;
        mine.short_lines = theirs.short_lines = base.short_lines;
        for (int i = 0; i < 8; i++) {
            struct made_up *who = dice(&seed, 2) ? &mine : &theirs;

            who->hosts[i] = both.hosts[i] = (int)dice(&seed, 3);
        }
        for (unsigned i = 0; i < 32; i += 2) { /* what stays between them keeps removals apart */
            struct made_up *who = dice(&seed, 2) ? &mine : &theirs;

            if (dice(&seed, 4) == 0 && !(base.rules & 1U << i)) {
                who->rules |= 1U << i;
                both.rules |= 1U << i;
            }
        }
        char *texts[] = {write_made_up(&base, dice(&seed, 2)), write_made_up(&theirs, dice(&seed, 2)),
                         write_made_up(&mine, dice(&seed, 2))};
        merge_make(&m, text_of(texts[0]), text_of(texts[1]), text_of(texts[2]));
        char *merged = merge_result(&m, &len);
        const struct policy_item *whole = policy_items(merged, len, &a);
        assert_non_null(whole);
        assert_int_equal(m.conflicts, 0);
        for (int i = 0; i < 8; i++)
            expect_member(whole->first, i, both.hosts[i]);
        assert_int_equal(whole->first->next->count, __builtin_popcount(both.rules));
        merge_release(&m);
        arena_release(&a);
        free(merged);
        for (size_t i = 0; i < ARRAY_LEN(texts); i++)
            free(texts[i]);
    }
}

/* ---- what stands where ---- */

static void the_place_in_a_text_is_known(void **state)
{
    static const struct {
        const char *text; /* '|' is the cursor */
        const char *path, *token;
        bool key, string;
    } cases[] = {
        {"{|", "", "", true, false},
        {"{\"gr|", "", "gr", true, true},
        {"{\"groups\": {\"group:|\": []}}", "groups", "group:", true, true},
        {"{\"groups\": {\"group:a\": [\"al|ice@\"]}}", "groups/group:a/[]", "alice@", false, true},
        {"{\"acls\": [{\"action\": \"accept\", \"src\": [\"x\", |", "acls/[]/src/[]", "", false, false},
        {"{\"acls\": [{\"a\": [1], // \"no\n \"dst\": [\"tag:|", "acls/[]/dst/[]", "tag:", false, true},
        {"{\"acls\": [{/* [ \" */ |", "acls/[]", "", true, false},
        {"{\"a\": {\"b\": 1}, \"c\": |", "c", "", false, false},
        {"[[[|", "[]/[]/[]", "", false, false},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        const char *mark = strchr(cases[i].text, '|');
        char *text = mem_format("%.*s%s", (int)(mark - cases[i].text), cases[i].text, mark + 1);
        struct text_pos at = {0, 0};
        struct outline_token token;
        char path[OUTLINE_PATH];
        struct textbuf t;

        for (const char *c = cases[i].text; c < mark; c++)
            at = *c == '\n' ? (struct text_pos){at.line + 1, 0} : (struct text_pos){at.line, at.at + 1};
        textbuf_init(&t);
        textbuf_load(&t, text, strlen(text));
        assert_true(outline_at(&t, at, &token, path));
        assert_string_equal(path, cases[i].path);
        assert_int_equal(token.key, cases[i].key);
        assert_int_equal(token.string, cases[i].string);
        assert_int_equal(token.len, strlen(cases[i].token));
        assert_memory_equal(token.text, cases[i].token, token.len);
        textbuf_release(&t);
        free(text);
    }
}

static void no_names_are_for_a_comment(void **state)
{
    struct outline_token token;
    char path[OUTLINE_PATH];
    struct textbuf t;

    (void)state;
    textbuf_init(&t);
    textbuf_load(&t, "{ // here\n}", 11);
    assert_false(outline_at(&t, (struct text_pos){0, 6}, &token, path));
    assert_false(outline_at(&t, (struct text_pos){0, 9}, &token, path));
    assert_true(outline_at(&t, (struct text_pos){1, 0}, &token, path));
    textbuf_release(&t);
}

/* ---- typing ---- */

static void line_is(struct rig *r, size_t line, const char *expected)
{
    const struct edit_line *l = &policy_page_of(&r->app)->editor.text.lines.items[line - 1];
    char *text = mem_strndup(l->bytes ? l->bytes : "", l->len);

    assert_string_equal(text, expected);
    free(text);
}

/* A new line below the second one of the policy, with what is typed there. */
static void type(struct rig *r, const char *keys)
{
    policy_rig_open(r);
    rig_keys(r, "e<Down><End><Enter>");
    rig_keys(r, keys);
}

static void names_are_completed_by_place(void **state)
{
    struct rig r;

    (void)state;
    /* One name fits: it is put in. */
    type(&r, "\"acls\": [{\"src\": [\"group:o<Ctrl-Space>");
    line_is(&r, 3, "  \"acls\": [{\"src\": [\"group:ops\"");
    assert_null(r.app.dialog);
    /* With ports where they belong, and in place of a whole string. */
    rig_keys(&r, "], \"dst\": [\"tag:d<Ctrl-Space>");
    line_is(&r, 3, "  \"acls\": [{\"src\": [\"group:ops\"], \"dst\": [\"tag:db:*\"");
    rig_keys(&r, "<Ctrl-Z>");
    rig_release(&r);

    /* Ports that stand there stay. */
    type(&r, "\"acls\": [{\"dst\": [\"tag:dX:22\"]}]<Left><Left><Left><Left><Left><Left><Left><Backspace><Ctrl-Space>");
    line_is(&r, 3, "  \"acls\": [{\"dst\": [\"tag:db:22\"]}]");
    rig_release(&r);

    /* Several do: they are listed, and letters narrow them. */
    type(&r, "\"grants\": [{\"src\": [\"<Ctrl-Space>");
    assert_non_null(r.app.dialog);
    assert_true(rig_shows(&r, "autogroup:member"));
    assert_true(rig_shows(&r, "group:ops"));
    rig_keys(&r, "tagged<Enter>");
    line_is(&r, 3, "  \"grants\": [{\"src\": [\"autogroup:tagged\"");
    rig_release(&r);

    /* Keys of an entry; nothing of what stands elsewhere. */
    type(&r, "\"grants\": [{v<Backspace>\"vi<Ctrl-Space>");
    line_is(&r, 3, "  \"grants\": [{\"via\": ");
    rig_release(&r);
    type(&r, "\"ssh\": [{\"users\": [\"<Ctrl-Space>");
    assert_true(rig_shows(&r, "autogroup:nonroot"));
    assert_false(rig_shows(&r, "group:ops  "));
    rig_release(&r);
    type(&r, "\"tests\": [{\"accept\": [\"tag:db:5<Ctrl-Space>");
    assert_true(rig_shows(&r, "tag:db:5432") || r.app.dialog);
    rig_release(&r);
    type(&r, "\"nonsense\": [\"<Ctrl-Space>");
    assert_true(rig_shows(&r, "no names are known for this place"));
    rig_release(&r);
}

/* A policy names no devices: the address is put in for the name that is typed. */
static void nodes_are_found_by_their_names(void **state)
{
    struct rig r;

    (void)state;
    type(&r, "\"hosts\": {\"x\": \"gw-ber-1<Ctrl-Space>");
    line_is(&r, 3, "  \"hosts\": {\"x\": \"100.64.0.3\"");
    rig_release(&r);
}

/* Users are not defined in the text: those that the server has are known. */
static void an_unknown_user_is_mended_by_a_key(void **state)
{
    struct rig r;

    (void)state;
    policy_rig_open(&r);
    rig_keys(&r, "e<Down><Down><End><Left><Left><Left><Left><Left><Backspace>"); /* alice@ */
    policy_settle(&r);
    assert_true(rig_shows(&r, "no user is called \"alic@\" (did you mean \"alice@\"?)"));
    rig_keys(&r, "<Ctrl-R>");
    assert_true(rig_shows(&r, "line 3: alice@ instead of alic@"));
    policy_text_is(&r, RIG_POLICY);
    rig_release(&r);
}

static void all_errors_of_a_text_that_cannot_be_read_are_listed(void **state)
{
    struct rig r;

    (void)state;
    policy_rig_open(&r);
    rig_keys(&r, "e<Down>,<Down><Down><Home>=");
    policy_settle(&r);
    assert_true(rig_shows(&r, "2:1 "));
    assert_true(rig_shows(&r, "4:3 "));
    rig_release(&r);
    policy_rig_open(&r);
    rig_keys(&r, "e<Down><Down><End> {<Down><Down><End> ;");
    policy_settle(&r);
    assert_true(rig_shows(&r, "3:40 "));
    assert_true(rig_shows(&r, "5:13 "));
    rig_release(&r);
}

static void a_name_that_is_wrong_is_mended_by_a_key(void **state)
{
    struct rig r;

    (void)state;
    policy_rig_open(&r);
    rig_keys(&r, "e<Down><Down><Down><Down><Down><End><Left><Left><Left><Left><Left><Left><Left><Left><Left>x");
    policy_settle(&r);
    assert_true(rig_shows(&r, "did you mean \"tag:db\""));
    rig_keys(&r, "<Ctrl-R>");
    assert_true(rig_shows(&r, "line 6: tag:db instead of"));
    policy_text_is(&r, RIG_POLICY);
    policy_settle(&r);
    rig_keys(&r, "<Ctrl-R>");
    assert_true(rig_shows(&r, "no known problems"));
    rig_keys(&r, "<Ctrl-Z>"); /* one step */
    char *now = policy_typed(&r);
    assert_null(strstr(now, "\"tag:db:5432"));
    free(now);
    rig_release(&r);
}

static void brackets_that_belong_together_are_shown(void **state)
{
    struct rig r;
    struct editor *e;

    (void)state;
    policy_rig_open(&r);
    e = &policy_page_of(&r.app)->editor;
    rig_keys(&r, "e");
    editor_go(e, 5, 11); /* the list of acls */
    rig_draw(&r, 24, 80);
    assert_int_equal(e->pair.found, PAIR_WHOLE);
    assert_int_equal(e->pair.ends[1].line, 7);
    rig_keys(&r, "<Ctrl-]>");
    assert_int_equal(e->at.line, 7);
    assert_int_equal(e->at.at, 2);
    rig_keys(&r, "<Ctrl-B>");
    assert_int_equal(e->at.line, 4);
    editor_go(e, 1, 1);
    rig_keys(&r, "[");
    rig_draw(&r, 24, 80);
    assert_int_equal(e->pair.found, PAIR_WHOLE); /* the one at the cursor, not the one that was typed */
    editor_go(e, 1, 1);
    rig_keys(&r, "<Ctrl-]>");
    assert_true(rig_shows(&r, "no bracket here has another one"));
    rig_release(&r);
}

/* ---- two people ---- */

#define MINE_TYPED                                                                                                     \
    "{\n"                                                                                                              \
    "  // who may do what\n"                                                                                           \
    "  // typed\n"
#define REST strstr(RIG_POLICY, "  \"groups\"")

static void what_two_changed_apart_is_merged(void **state)
{
    char *theirs = mem_format("%.*s%s", (int)(strlen(RIG_POLICY) - strlen("}\n")), RIG_POLICY, "  // theirs\n}\n");
    char *both = mem_format("%s%.*s%s", MINE_TYPED, (int)(strlen(REST) - strlen("}\n")), REST, "  // theirs\n}\n");
    struct rig r;

    (void)state;
    policy_conflict(&r, theirs);
    assert_true(rig_shows(&r, "1 theirs, 1 yours, 0 by both"));
    rig_keys(&r, "m");
    policy_text_is(&r, both);
    assert_string_equal(r.sent.items[rig_last(&r)].path, "/api/headway/policy/preview");
    assert_non_null(strstr(r.sent.items[rig_last(&r)].body, "// theirs"));
    rig_answer(&r, rig_last(&r), 200, policy_no_losses);
    rig_keys(&r, "<Enter>");
    assert_string_equal(r.sent.items[rig_last(&r)].method, "PUT");
    assert_int_equal(r.sent.items[rig_last(&r)].version, 42);
    free(theirs);
    free(both);
    rig_release(&r);
}

static void what_both_changed_is_chosen(void **state)
{
    char *theirs = mem_format("{\n  // theirs, who\n%s", REST);
    char *chosen = mem_format("{\n  // theirs, who\n%s", REST),
         *both = mem_format("{\n  // theirs, who\n%s%s", strstr(MINE_TYPED, "  // who"), REST);
    static const struct {
        const char *key;
        int which;
    } cases[] = {{"t", 0}, {"b", 1}};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct rig r;

        policy_conflict(&r, theirs);
        assert_true(rig_shows(&r, "1 by both"));
        rig_keys(&r, "m");
        assert_int_equal(policy_page_of(&r.app)->mode, POLICY_MERGE);
        assert_true(rig_shows(&r, "1 of 1 to choose"));
        size_t sent = r.sent.len;
        rig_keys(&r, "<Enter>");
        assert_int_equal(r.sent.len, sent);
        assert_true(rig_shows(&r, "not all are chosen yet"));
        rig_keys(&r, "m");
        rig_keys(&r, cases[i].key);
        assert_true(rig_shows(&r, "all chosen"));
        rig_keys(&r, "nN<Enter>");
        if (cases[i].which == 0) { /* theirs alone: nothing is left to save */
            policy_text_is(&r, chosen);
            assert_false(policy_page_modified(&r.app));
        } else {
            policy_text_is(&r, both);
            assert_string_equal(r.sent.items[rig_last(&r)].path, "/api/headway/policy/preview");
        }
        /* The editor's undo brings back what was typed. */
        rig_keys(&r, "<Esc>e<Ctrl-Z>");
        char *now = policy_typed(&r);
        assert_non_null(strstr(now, MINE_TYPED));
        free(now);
        rig_release(&r);
    }
    free(theirs);
    free(chosen);
    free(both);
}

static void leaving_a_merge_asks_again(void **state)
{
    struct rig r;
    char *mine;

    (void)state;
    policy_conflict(&r, "{\n  // theirs\n}\n");
    mine = policy_typed(&r);
    rig_keys(&r, "mt<Esc>");
    assert_true(rig_shows(&r, "somebody else has saved"));
    policy_text_is(&r, mine);
    free(mine);
    rig_release(&r);
}

/* Found out while one types: M asks without a save that fails. */
static void what_is_outdated_is_merged_on_request(void **state)
{
    struct rig r;

    (void)state;
    policy_rig_open(&r);
    rig_keys(&r, "M");
    assert_true(rig_shows(&r, "nobody else has saved another policy"));
    rig_keys(&r, "e// mine ");
    rig_json(&r, "{\"id\":\"1.41\",\"time\":\"2026-03-03T14:03:00Z\",\"kind\":\"policy.changed\",\"actor\":\"bob\","
                 "\"object\":\"policy\",\"text\":\"The policy was changed\"}");
    policy_settle(&r);
    policy_arrives(&r, RIG_POLICY "// theirs\n", 42, "database");
    rig_keys(&r, "<Esc>M");
    policy_arrives(&r, RIG_POLICY "// theirs\n", 42, "database");
    rig_keys(&r, "m");
    char *now = policy_typed(&r);
    assert_non_null(strstr(now, "// mine "));
    assert_non_null(strstr(now, "// theirs"));
    free(now);
    rig_release(&r);
}

/* A draft is made from a text that is not at hand: merging with the present one as its base would lose theirs. */
static void a_draft_of_an_older_version_is_merged_by_that(void **state)
{
    struct rig r;
    char *older = policy_answer("{\n  // old\n  \"acls\": [],\n}\n", 40, "database");

    (void)state;
    rig_init(&r, 0);
    rig_keys(&r, "4");
    policy_arrives(&r, "{\n  // old\n  \"acls\": [],\n  // theirs\n}\n", 41, "database");
    struct policy_page *d = policy_page_of(&r.app);
    static const char mine[] = "{\n  // mine\n  \"acls\": [],\n}\n";
    assert_true(editor_swap(&d->editor, mine, strlen(mine)));
    d->version = 40;
    rig_keys(&r, "<Ctrl-S>");
    rig_answer(&r, rig_last(&r), 200, policy_no_losses);
    rig_keys(&r, "<Enter>");
    rig_answer(&r, rig_last(&r), 412, "{\"error\":{\"code\":\"precondition\",\"message\":\"it is at version 41\"}}");
    policy_arrives(&r, "{\n  // old\n  \"acls\": [],\n  // theirs\n}\n", 41, "database");
    assert_true(rig_shows(&r, "made from an older version"));
    rig_keys(&r, "m");
    assert_string_equal(r.sent.items[rig_last(&r)].path, "/api/headway/policy/versions/40");
    rig_answer(&r, rig_last(&r), 404, "{\"error\":{\"code\":\"missing\",\"message\":\"version 40 is not kept\"}}");
    assert_true(rig_shows(&r, "not merged"));
    assert_true(rig_shows(&r, "somebody else has saved"));
    rig_keys(&r, "m");
    rig_answer(&r, rig_last(&r), 200, older);
    policy_text_is(&r, "{\n  // mine\n  \"acls\": [],\n  // theirs\n}\n");
    free(older);
    rig_release(&r);
}

/* ---- the review ---- */

static const char panes[] =
    "{\"ok\":true,\"findings\":[],\"totals\":{\"pairs_lost\":1,\"pairs_gained\":0,\"routes_approved\":1},"
    "\"rows\":[{\"kind\":\"lost\",\"sources\":{\"count\":1,\"names\":[\"nas\"]},\"destinations\":{\"count\":1,"
    "\"names\":[\"db-01\"]},\"what\":[\"tcp ports 1-21\",\"tcp ports 23-1000\"],\"kept\":[\"tcp port 22\"],\"pairs\":1,"
    "\"online_pairs\":0}],\"routes\":[],\"approvals\":[{\"router\":\"gw-ber-2\",\"route\":\"10.21.0.0/"
    "16\",\"viewers\":1}],"
    "\"ways\":[{\"kind\":\"moves\",\"route\":\"10.20.0.0/16\",\"exit\":false,\"from\":\"gw-ber-1\",\"to\":\"gw-ber-2\","
    "\"viewers\":{\"count\":2,\"names\":[\"laptop\",\"phone\"]}}],\"cut_off\":[{\"user\":\"carol\",\"route\":\"0.0.0.0/"
    "0\","
    "\"exit\":true}],\"tests\":[{\"line\":9,\"kind\":\"sshTest\",\"want\":\"accept\",\"source\":\"alice@\",\"target\":"
    "\"root on "
    "tag:db\",\"passed\":false},{\"line\":8,\"kind\":\"test\",\"want\":\"deny\",\"source\":\"ev\\u001b[31mil\","
    "\"target\":\"db-01:22\",\"passed\":true}],\"tests_passed\":4,\"tests_failed\":1,\"cost\":{\"nodes\":128,"
    "\"online\":100,"
    "\"changed\":41,\"filters\":30,\"peers\":12,\"bytes\":18000},\"compile_ms\":3}";

static void a_review_has_panes(void **state)
{
    static const char *const shown[][3] = {
        {"kept: tcp port 22", "tests: 1 FAILED, 4 passed", "41 of 128"},
        {"// typed", "[text]", "[text]"},
        {"FAILED  line 9: ssh alice@ accept root on tag:db", "ok      line 8: ev\\x1b[31mil deny", "and 3 more"},
        {"approved  10.21.0.0/16 on gw-ber-2", "moves     10.20.0.0/16 from gw-ber-1 to gw-ber-2  for laptop, phone",
         "carol has no way to the internet any more"},
        {"41 of 128 nodes are told something else (100 are online)", "about 18 kB", "took 3 ms"},
    };
    struct rig r;

    (void)state;
    policy_rig_open(&r);
    policy_review(&r, panes);
    for (size_t i = 0; i < ARRAY_LEN(shown); i++) {
        for (size_t k = 0; k < ARRAY_LEN(shown[i]); k++)
            assert_true(rig_shows(&r, shown[i][k]));
        rig_keys(&r, "<Tab>");
    }
    assert_true(rig_shows(&r, "[access]"));
    rig_keys(&r, "<Shift-Tab>");
    assert_true(rig_shows(&r, "[cost]"));
    rig_release(&r);
}

static void the_note_goes_with_the_save(void **state)
{
    struct rig r;

    (void)state;
    policy_rig_open(&r);
    policy_review(&r, policy_no_losses);
    rig_keys(&r, "nticket 12<Enter>");
    assert_true(rig_shows(&r, "note: ticket 12"));
    rig_keys(&r, "<Enter>");
    assert_non_null(strstr(r.sent.items[rig_last(&r)].body, "\"note\":\"ticket 12\""));
    rig_answer(&r, rig_last(&r), 200, "{\"event\":\"1.50\",\"version\":42}");
    assert_null(policy_page_of(&r.app)->note); /* the next save has its own */
    rig_release(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lines_that_one_changed_are_taken_by_themselves),
        cmocka_unit_test(a_policy_is_merged_by_sections),
        cmocka_unit_test(what_two_do_to_different_things_is_merged),
        cmocka_unit_test(a_conflict_is_what_is_chosen),
        cmocka_unit_test(the_place_in_a_text_is_known),
        cmocka_unit_test(no_names_are_for_a_comment),
        cmocka_unit_test(names_are_completed_by_place),
        cmocka_unit_test(nodes_are_found_by_their_names),
        cmocka_unit_test(all_errors_of_a_text_that_cannot_be_read_are_listed),
        cmocka_unit_test(a_name_that_is_wrong_is_mended_by_a_key),
        cmocka_unit_test(an_unknown_user_is_mended_by_a_key),
        cmocka_unit_test(brackets_that_belong_together_are_shown),
        cmocka_unit_test(what_two_changed_apart_is_merged),
        cmocka_unit_test(what_both_changed_is_chosen),
        cmocka_unit_test(leaving_a_merge_asks_again),
        cmocka_unit_test(what_is_outdated_is_merged_on_request),
        cmocka_unit_test(a_draft_of_an_older_version_is_merged_by_that),
        cmocka_unit_test(a_review_has_panes),
        cmocka_unit_test(the_note_goes_with_the_save),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
