/* SPDX-License-Identifier: BSD-3-Clause */
/* The text of a policy: parsed, edited without losing comments, and refused with positions. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>

#include "base/array.h"
#include "base/clock.h"
#include "base/mem.h"
#include "policy/lang/hujson.h"
#include "policy/policy.h"
#include "json/json.h"

/* ---- HuJSON ---- */

static void test_hujson_errors(void **unused)
{
    static const struct {
        const char *text, *message;
    } cases[] = {
        {"", "parsing value: unexpected EOF"},
        {" // only this\n", "parsing value: unexpected EOF"},
        {"{} // no end", "parsing comment: unexpected EOF"},
        {"/* {", "parsing comment: unexpected EOF"},
        {"{\"a\"", "parsing object after name: unexpected EOF"},
        {"{\"a\":1", "parsing object after value: unexpected EOF"},
        {"[1", "parsing array after value: unexpected EOF"},
        {"\"abc", "parsing string: unexpected EOF"},
        {"{\"a\":}", "invalid character '}' at start of value"},
        {"[,]", "invalid character ',' at start of value"},
        {"[1,,2]", "invalid character ',' at start of value"},
        {"{,}", "invalid character ',' at start of object name"},
        {"{a:1}", "invalid character 'a' at start of object name"},
        {"{'a':1}", "invalid character '\\'' at start of object name"},
        {"{\"a\" 1}", "invalid character '1' after object name"},
        {"{\"a\":1 \"b\":2}", "invalid character '\"' after object value (expecting ',' or '}')"},
        {"[1 2]", "invalid character '2' after array value (expecting ',' or ']')"},
        {"{} {}", "invalid character '{' after top-level value"},
        {"[01]", "invalid literal: 01"},
        {"[+1]", "invalid character '+' at start of value"},
        {"[.5]", "invalid character '.' at start of value"},
        {"[NaN]", "invalid literal: NaN"},
        {"[\"\\x\"]", "invalid literal: \"\\x\""},
        {"{\"a\":1,\"a\":2}", "jsontext: duplicate object member name \"a\""},
        {"{\"a\":1,\"\\u0061\":2}", "jsontext: duplicate object member name \"a\""},
        {"[\"\xff\"]", "jsontext: invalid UTF-8"},
        {"\xef\xbb\xbf{}", "invalid character '\xef\xbb\xbf' at start of value"},
    };

    (void)unused;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct arena a = {.max = 1 << 20};
        struct hujson_error why;
        struct hujson *v;

        assert_int_equal(hujson_read(cases[i].text, strlen(cases[i].text), &a, &v, &why), ERR_INVALID);
        assert_string_equal(why.message, cases[i].message);
        arena_release(&a);
    }
}

/* Where the errors of a text lie, as LINE:COLUMN. */
static const struct {
    const char *text, *places;
} broken[] = {
    {"{\"a\": [1, 2,], /* fine */ }\n", ""},
    /* A comma, a colon, a value, a name. */
    {"{\n\"a\": 1\n\"b\": 2\n\"c\": 3\n}", "3:1 4:1"},
    {"{\n\"a\" 1,\n\"b\" = 2,\n\"c\": => 3,\n\"d\"\n}", "2:5 3:5 4:6 6:1"},
    {"{\n\"a\": [1,, 2],\n\"b\": [01, 02],\n\"c\": True,\n\"d\": 'x',\n\"e\": [+1, .5]\n}",
     "2:9 3:7 3:11 4:6 5:6 6:7 6:11"},
    {"{\na: 1,\n'b': 2,\n\"c\": 3,\n4: 5}", "2:1 3:1 5:1"},
    {"{\n\"a\": [\"\\x\", \"\\y\"],\n\"\\z\": 1,\n\"b\": \"\xff\"\n}", "2:7 2:13 3:1 4:6"},
    {"{\n# note\n\"a\": 1, # note\n\"b\": 2 / note\n}", "2:1 3:9 4:8"},
    {"{\n\"a\": [ ;\n{\"b\": 1},\n],\n\"c\": [ => 1,\n*],\n\"d\": $x\n}", "2:8 5:8 6:1 7:6"},
    {"{\n\"a\": {\"b\": []}, {\n\"c\": [ ;\n{\"d\": 1}\n],\n}", "2:17 3:8"},
    /* A quote. */
    {"{\"grants\": [\n{\"src\": [\"tag:web, \"tag:db\"], \"dst\": [\"*\"]},\n{\"src\": [\"a\"], \"ip\": [\"*]},\n"
     "{\"src\": [tag:a\", \"b\"]},\n{\"src: [\"a\"], \"dst\": [\"b\"]},\n{\"src\": [01]}\n]}",
     "2:21 3:23 4:10 5:10 6:10"},
    /* A bracket that is missing or too many, in lists and objects. */
    {"{\"grants\": [\n{\"src\": [\"a\", \"dst\": [\"*\"]},\n{\"src\": [\"a\"]\n],\n\"x\": [01]}", "2:20 4:1 5:7"},
    {"{\"grants\": [\n{\"src\": [\"a\"]], \"dst\": [\"*\"]},\n{\"src\": [\"a\"]}},\n{\"src\": [\"b\"]}\n],\n\"x\": "
     "[02]}",
     "2:14 3:15 6:7"},
    {"{\"grants\": [\n{\"src\": [\"a\"], \"dst\": [\"b\"],\n{\"src\": [\"c\"]},\n{},\n\"src\": [\"d\"]},\n"
     "{\"src\": [NaN]}]}",
     "3:1 5:6 6:10"},
    {"{\n\"grants\": [\n{\"src\": [\"a\"]},\n\"ssh\": [],\n\"hosts\": {\"a\": 1.}\n}", "4:6 5:16"},
    {"{\"groups\": \"group:a\": [\"x\"]},\n\"acls\": []],\n\"tests\": []}", "1:21 2:11"},
    {"{\"a\": {\"b\": 1}},\n\"c\": 2,\n\"d\": 03}", "1:16 3:6"},
    {"{\"a\": \"tag:a\", \"tag:b\"],\n\"b\": [-]}", "1:23 2:7"},
    /* What follows from a bracket that never comes is one error. */
    {"{\"a\": [1, 2,\n\"b\": 3,\n\"c\": [4],\n", "2:4"},
    {"{\"a\": {\"b\": [1, 2]\n", "2:1"},
    /* Names that are called alike, but not where what belongs together is guessed. */
    {"{\"a\": 1, \"a\": 2,\n\"b\": 1, \"b\": 2, \"a\": 3, \"c\": {\"x\": 1, \"x\": 2}}", "2:39 1:10 2:17 2:9"},
    {"{\"grants\": [{\"src\": [\"a\"], \"dst\": [\"b\"]\n, {\"src\": [\"c\"], \"dst\": [\"d\"]}]}", "2:3"},
    /* Comments and ends. */
    {"{\"a\": +1,\n\"b\": 2, /* no end\n\"c\": -}", "1:7 2:9 3:6"},
    {"{\"a\": +1} {\n", "1:7 1:11"},
};

static void test_hujson_all_errors(void **unused)
{
    (void)unused;
    for (size_t i = 0; i < ARRAY_LEN(broken); i++) {
        struct arena a = ARENA_INIT(1 << 20);
        struct hujson_error found[20], first;
        struct buf places = BUF_INIT(0);
        const char *text = broken[i].text;
        struct hujson *v;
        size_t n = hujson_errors(text, strlen(text), &a, found, ARRAY_LEN(found));

        for (size_t k = 0; k < n; k++) {
            unsigned line, column;
            str_place(text, strlen(text), found[k].offset, &line, &column);
            buf_addf(&places, "%s%u:%u", k ? " " : "", line, column);
        }
        if (!str_eq(buf_text(&places), broken[i].places))
            fail_msg("%s\nhas errors at %s, not at %s", text, buf_text(&places), broken[i].places);
        if (n) {
            assert_int_equal(hujson_read(text, strlen(text), &a, &v, &first), ERR_INVALID);
            assert_string_equal(found[0].message, first.message);
            assert_int_equal(found[0].offset, first.offset);
        }
        buf_release(&places);
        arena_release(&a);
    }
}

static void test_hujson_takes(void **unused)
{
    static const char text[] =
        "// head\n{\"a\": [1, -2.5e3, true, null,], /* in */ \"b\\n\": \"\\u00e9\\ud83d\\ude00\", }\n";
    struct arena a = {.max = 1 << 20};
    struct hujson_error why;
    struct hujson *v;
    unsigned line, column;
    char deep[300];

    (void)unused;
    assert_int_equal(hujson_read(text, strlen(text), &a, &v, &why), 0);
    assert_int_equal(v->count, 2);
    const struct hujson *list = v->first, *name = list->next;
    assert_string_equal(name->name, "b\n");
    assert_int_equal(list->count, 4);
    assert_string_equal(list->first->next->text, "-2.5e3");
    assert_string_equal(name->text, "\xc3\xa9\xf0\x9f\x98\x80");
    str_place(text, strlen(text), list->start, &line, &column);
    assert_int_equal(line, 2);
    assert_int_equal(column, 7);
    memset(deep, '[', sizeof(deep));
    assert_int_equal(hujson_read(deep, sizeof(deep), &a, &v, &why), ERR_INVALID);
    assert_string_equal(why.message, "nested more than 64 levels deep");
    arena_release(&a);
    a = (struct arena){.max = 200};
    assert_int_equal(hujson_read("[1,2,3,4,5,6,7,8]", 17, &a, &v, &why), ERR_TOOBIG);
    arena_release(&a);
}

/* ---- messages ---- */

static const struct {
    const char *text, *message;
} refused[] = {
    {"{\"acl\":[]}", "unknown field: \"acl\" (did you mean \"acls\"?) (line 1, column 2)"},
    {"{\n  \"postures\": {}}",
     "unknown field: \"postures\" (device posture is not supported by this server) (line 2, column 3)"},
    {"{\"tag_owners\":{},\"TagOwners\":{}}", "duplicate object member name \"TagOwners\" (line 1, column 18)"},
    {"[]", "a policy must be an object"},
    {"{\"groups\":{\"a\":[]}}", "group must start with 'group:', got: \"a\""},
    {"{\"groups\":{\"group:a\":\"x@y\"}}",
     "group value must be an array of users: group \"group:a\" got string: \"x@y\""},
    {"{\"groups\":{\"group:a\":[\"x\"]}}", "username must contain @, got: \"x\""},
    {"{\"hosts\":{\"a:b\":\"1.2.3.4\"}}", "invalid hostname: \"a:b\""},
    {"{\"hosts\":{\"a\":\"1.2.3\"}}", "hostname contains invalid IP address: hostname \"a\" address \"1.2.3\""},
    {"{\"tagOwners\":{\"tag:1\":[]}}", "tagOwners[\"tag:1\"]: tag names must start with a letter, after 'tag:'"},
    {"{\"tagOwners\":{\"tag:a\":[\"tag:b\"]}}", "tag not found: \"tag:b\""},
    {"{\"tagOwners\":{\"tag:a\":[\"*\"]}}", "invalid owner format: \"*\""},
    {"{\"autoApprovers\":{\"routes\":{\"10.0.0.0\":[]}}}", "is not a prefix"},
    {"{\"autoApprovers\":{\"exitNode\":[\"tag:x\"]}}", "tag not found: \"tag:x\""},
    {"{\"acls\":[{\"action\":\"drop\"}]}", "action=\"drop\" is not supported"},
    {"{\"acls\":[{\"src\":[\"nobody\"]}]}", "host not defined in policy: \"nobody\""},
    {"{\"acls\":[{\"src\":[\"group:x\"]}]}", "group not defined in policy: \"group:x\""},
    {"{\"acls\":[{\"src\":[\"svc:x\"]}]}", "invalid alias format: \"svc:x\""},
    {"{\"acls\":[{\"src\":[\"autogroup:self\"]}]}", "\"autogroup:self\" not valid on the src side of a rule"},
    {"{\"acls\":[{\"src\":[\"autogroup:what\"]}]}", "invalid autogroup: got \"autogroup:what\""},
    {"{\"acls\":[{\"dst\":[\"x\"]}]}", "hostport must contain a colon"},
    {"{\"acls\":[{\"dst\":[\"*:0\"]}]}", "port range \"0\": first port must be >0, or use '*' for wildcard"},
    {"{\"acls\":[{\"dst\":[\"*:9-8\"]}]}",
     "port range \"9-8\": invalid port range: first port is greater than last port"},
    {"{\"acls\":[{\"dst\":[\"*:70000\"]}]}", "port range \"70000\": port number out of range"},
    {"{\"acls\":[{\"dst\":[\"*:80-\"]}]}", "port range \"80-\": invalid port range format"},
    {"{\"acls\":[{\"dst\":[\"[1.2.3.4]:80\"]}]}", "square brackets are only valid around IPv6 addresses"},
    {"{\"acls\":[{\"proto\":\"*\"}]}", "proto name \"*\" not known"},
    {"{\"acls\":[{\"proto\":\"06\"}]}", "leading 0 not permitted in protocol number: \"06\""},
    {"{\"acls\":[{\"proto\":\"256\"}]}", "protocol number out of range (0-255): 256"},
    {"{\"acls\":[{\"proto\":\"icmp\",\"dst\":[\"*:80\"]}]}", "protocol does not support specific ports: \"icmp\""},
    {"{\"grants\":[{}]}", "ip and app can not both be empty"},
    {"{\"grants\":[{\"ip\":[\"a:b:c\"]}]}", "expected only one colon"},
    {"{\"grants\":[{\"#x\":1}]}", "unknown field: \"#x\""},
    {"{\"grants\":[{\"ip\":[\"*\"],\"via\":[\"a@b\"]}]}", "via can only be a tag"},
    {"{\"ssh\":[{\"action\":\"accept\",\"users\":[\"root\"],\"dst\":[\"*\"]}]}",
     "wildcard (*) is not supported as SSH destination"},
    {"{\"ssh\":[{\"action\":\"accept\",\"users\":[\"root\"],\"src\":[\"a@b\"],\"dst\":[\"c@d\"]}]}",
     "user destination requires source to contain only that same user \"c@d\""},
    {"{\"ssh\":[{\"action\":\"check\",\"users\":[\"root\"],\"checkPeriod\":\"169h\"}]}",
     "checkPeriod 169h0m0s is above the max (168h)"},
    {"{\"ssh\":[{\"action\":\"check\",\"users\":[\"root\"],\"checkPeriod\":\"-1m\"}]}",
     "checkPeriod -1m0s must be a positive duration"},
    {"{\"ssh\":[{\"action\":\"check\",\"users\":[\"root\"],\"checkPeriod\":\"1\"}]}",
     "time: missing unit in duration \"1\""},
    {"{\"ssh\":[{\"action\":\"check\",\"users\":[\"root\"],\"checkPeriod\":\"1y\"}]}",
     "time: unknown unit \"y\" in duration \"1y\""},
    {"{\"nodeAttrs\":[{\"target\":[\"*\"],\"ipPool\":[\"100.100.100.0/25\"]}]}",
     "IPPool(100.100.100.0/25): network within reserved range"},
    {"{\"sshTests\":[{\"src\":\"a@b\",\"dst\":[\"10.0.0.0/8\"]}]}",
     "SSH tests dst contains disallowed element \"10.0.0.0/8\""},
    /* What a client or a library could not read. */
    {"{\"grants\":[{\"app\":{\"a.b/c\":[1e999]}}]}", "the number 1e999 is out of range (line 1, column 29)"},
    {"{\"grants\":[{\"app\":{\"a.b/c\":[{\"x\":[9223372036854775808]}]}}]}",
     "the number 9223372036854775808 is out of range (line 1, column 35)"},
    {"{\"grants\":[{\"app\":{\"a.b/c\":[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]}}]}",
     "the values of a capability are nested more than 32 levels deep (line 1, column 60)"},
    /* Hints for the usual slips. */
    {"{\"acls\":[{\"src\":[\"alice\"]}]}",
     "host not defined in policy: \"alice\" (a user without an email address is \"alice@\")"},
    {"{\"groups\":{\"group:a\":[\"alice\"]}}", "got: \"alice\" (a user without an email address is \"alice@\")"},
    {"{\"tagOwners\":{\"tag:a\":[\"alice\"]}}", "format: \"alice\" (a user without an email address is \"alice@\")"},
    {"{\"hosts\":{\"server\":\"10.0.0.1\"},\"acls\":[{\"src\":[\"sever\"]}]}", "(did you mean \"server\"?)"},
    {"{\"tagOwners\":{\"tag:web\":[]},\"acls\":[{\"src\":[\"tag:wbe\"]}]}", "(did you mean \"tag:web\"?)"},
    {"{\"tagOwners\":{\"tag:web\":[]},\"acls\":[{\"dst\":[\"tag:web\"]}]}",
     "invalid first integer (a destination of acls ends in ports: \"tag:web:*\" for all)"},
    {"{\"acls\":[{\"dst\":[\"10.0.0.0/24\"]}]}", "(a destination of acls ends in ports: \"10.0.0.0/24:*\" for all)"},
    {"{\"tagOwners\":{\"tag:web\":[]},\"grants\":[{\"ip\":[\"*\"],\"dst\":[\"tag:web:22\"]}]}",
     "(ports of grants go into \"ip\": \"dst\": [\"tag:web\"], \"ip\": [\"22\"])"},
    {"{\"grants\":[{\"ip\":[\"*\"],\"dst\":[\"10.0.0.1:80,443\"]}]}",
     "(ports of grants go into \"ip\": \"dst\": [\"10.0.0.1\"], \"ip\": [\"80,443\"])"},
    {"{\"grants\":[{\"ip\":[\"tcp\"]}]}", "invalid first integer (all of the protocol is \"tcp:*\")"},
    {"{\"acls\":[{\"action\":\"deny\"}]}", "(rules only allow, by \"accept\")"},
    {"{\"grants\":[{\"ip\":[\"*\"],\"dest\":[]}]}", "unknown field: \"dest\" (did you mean \"dst\"?)"},
    {"{'a':1}", "invalid character '\\'' at start of object name"},
    {"{\"a\":'b'}", "invalid character '\\'' at start of value (strings stand in double quotes)"},
    {"{\n  \"a\": 1, // ends\n  /* does not end\n}\n",
     "parsing policy: parsing HuJSON: line 3, column 3: parsing comment: unexpected EOF"},
    {"{\n  \"a\": \"x\n}\n", "parsing policy: parsing HuJSON: line 2, column 8: parsing string: unexpected EOF"},
    {"{", "parsing policy: parsing HuJSON: line 1, column 2: parsing value: unexpected EOF"},
};

static void test_refused(void **unused)
{

    (void)unused;
    for (size_t i = 0; i < ARRAY_LEN(refused); i++) {
        struct policy_problems problems = {0};
        struct buf out = {0};
        struct policy *p;

        if (policy_parse(refused[i].text, strlen(refused[i].text), &p, &problems) == 0)
            fail_msg("taken: %s", refused[i].text);
        policy_problems_text(&problems, &out);
        if (!strstr(buf_text(&out), refused[i].message))
            fail_msg("%s\n  gives %s\n  not   %s", refused[i].text, buf_text(&out), refused[i].message);
        policy_problems_release(&problems);
        buf_release(&out);
    }
}

/* One run names all errors, each with its place, and none that only follows from another. */
static void test_all_errors(void **unused)
{
    static const char text[] =
        "{\"acls\": [\n"
        "  {\"action\": \"accept\", \"src\": [\"alice\", \"tag:x\"], \"dst\": [\"*:0\", \"*:22\"]},\n"
        "  {\"action\": \"drop\", \"src\": [\"group:a\"], \"dest\": []}],\n"
        " \"groups\": {\"group:a\": [\"bob\"]},\n"
        " \"grants\": [{\"src\": [\"*\"], \"dst\": [1]}],\n"
        " \"ssh\": [{\"action\": \"accept\"}],\n"
        " \"nodeAttrs\": [{\"target\": [\"10.0.0.0/99\"]}]}";
    static const char *const want[] = {
        "host not defined in policy: \"alice\" (a user without an email address is \"alice@\") (line 2, column 32)",
        "src=tag not found: \"tag:x\" (line 2, column 41)",
        "dst=\"*:0\": port range \"0\": first port must be >0, or use '*' for wildcard (line 2, column 59)",
        "action=\"drop\" is not supported: invalid ACL action (rules only allow, by \"accept\") (line 3, column 14)",
        "unknown field: \"dest\" (did you mean \"dst\"?) (line 3, column 42)",
        "username must contain @, got: \"bob\" (a user without an email address is \"bob@\") (line 4, column 25)",
        "ip and app can not both be empty (line 5, column 13)",
        "json: cannot unmarshal JSON number: dst must be a string (line 5, column 36)",
        "users must be specified (line 6, column 10)",
        "\"10.0.0.0/99\": invalid address (line 7, column 28)",
    };
    struct policy_problems problems = {0};
    struct buf out = {0}, wanted = {0};
    struct policy *p;

    (void)unused;
    assert_int_equal(policy_parse(text, sizeof(text) - 1, &p, &problems), ERR_INVALID);
    policy_problems_text(&problems, &out);
    buf_adds(&wanted, "multiple errors:");
    for (size_t i = 0; i < ARRAY_LEN(want); i++)
        buf_addf(&wanted, "\n\t%s", want[i]);
    assert_string_equal(buf_text(&out), buf_text(&wanted));
    policy_problems_release(&problems);
    buf_release(&out);
    buf_release(&wanted);
}

/* Ports that are listed one by one take no more room than their number asks for. */
static void test_many_ports(void **unused)
{
    struct policy_problems problems = {0};
    struct buf text = BUF_INIT(0);
    struct policy *p;

    (void)unused;
    buf_adds(&text, "{\"grants\":[{\"src\":[\"*\"],\"dst\":[\"*\"],\"ip\":[");
    for (int i = 0; i < 30000; i++)
        buf_addf(&text, "%s\"tcp:%d\"", i ? "," : "", i + 1);
    buf_adds(&text, "]}]}");
    assert_int_equal(policy_parse(text.data, text.len, &p, &problems), 0);
    policy_unref(p);
    policy_problems_release(&problems);
    buf_release(&text);
}

/* Their number is bounded, and so is the work for their places. */
static void test_very_many_errors(void **unused)
{
    struct policy_problems problems = {0};
    struct buf text = BUF_INIT(0);
    struct policy *p;

    (void)unused;
    buf_adds(&text, "{\"acls\":[");
    for (int i = 0; i < 5000; i++)
        buf_adds(&text, i ? ",\n{\"action\":\"drop\"}" : "{\"action\":\"drop\"}");
    buf_adds(&text, "]}");
    assert_int_equal(policy_parse(text.data, text.len, &p, &problems), ERR_INVALID);
    assert_int_equal(problems.len, 201);
    assert_string_equal(problems.items[200].text, "there are more problems than are listed here");
    policy_problems_release(&problems);
    buf_release(&text);
}

static void test_zero_bytes(void **unused)
{
    static const char text[] = "{\n // a\0b\n}";
    struct policy_problems problems = {0};
    struct policy *p;

    (void)unused;
    assert_int_equal(policy_parse(text, sizeof(text) - 1, &p, &problems), ERR_INVALID);
    assert_int_equal(problems.items[0].line, 2);
    assert_int_equal(problems.items[0].column, 6);
    policy_problems_release(&problems);
}

static void test_unknown_users(void **unused)
{
    static const char text[] =
        "{\"groups\": {\"group:a\": [\"alice@\",\n\"bbo@\", \"zoe.with.a.long.name@\"]},\n"
        "\"acls\": [{\"action\": \"accept\", \"src\": [\"carol@example.org\"], \"dst\": [\"*:*\"]}]}";
    static const struct policy_user users[] = {
        {.id = 1, .name = "alice", .email = "", .provider_id = ""},
        {.id = 2, .name = "bob", .email = "", .provider_id = ""},
        {.id = 3, .name = "carol", .email = "carol@example.com", .provider_id = ""},
    };
    struct policy_problems problems = {0};
    struct policy *p;

    (void)unused;
    assert_int_equal(policy_parse(text, strlen(text), &p, &problems), 0);
    policy_check_users(p, users, ARRAY_LEN(users), &problems);
    assert_int_equal(problems.len, 3);
    assert_false(policy_problems_fatal(&problems));
    assert_string_equal(problems.items[0].text, "no user is called \"bbo@\" (did you mean \"bob@\"?)");
    assert_int_equal(problems.items[0].line, 2);
    assert_string_equal(problems.items[0].fix, "bob@");
    assert_string_equal(problems.items[1].text, "no user is called \"zoe.with.a.long.name@\"");
    assert_null(problems.items[1].fix);
    assert_string_equal(problems.items[2].fix, "carol@example.com");
    assert_int_equal(problems.items[2].line, 3);
    policy_problems_release(&problems);
    policy_unref(p);
}

/* ---- what a text is made of, and what changed ---- */

static void test_items(void **unused)
{
    static const char text[] = "{ // all\n  // who\n  \"groups\": {\"group:a\": [\"x@\"], \"group:b\": []}, // both\n"
                               "  \"acls\": [\n    {\"src\": [1 /* one */]},\n  ]\n}\n";
    struct arena a = ARENA_INIT(1 << 20);
    const struct policy_item *whole = policy_items(text, strlen(text), &a), *groups = whole->first;

    (void)unused;
    assert_int_equal(whole->count, 2);
    assert_memory_equal(text + whole->head, "  // who", 8);
    assert_int_equal(groups->from, whole->head);
    assert_memory_equal(text + groups->to, "  \"acls\"", 8);
    assert_int_equal(groups->next->from, groups->to);
    assert_int_equal(whole->foot, groups->next->to);
    assert_string_equal(text + whole->foot, "}\n");
    assert_true(groups->comma);
    assert_false(groups->next->comma);
    assert_string_equal(groups->first->name, "group:a");
    assert_string_equal(groups->first->plain, "[\"x@\"]");
    assert_int_equal(groups->first->to, groups->first->end + 1);
    assert_string_equal(groups->next->first->plain, "{\"src\":[1]}");
    assert_null(policy_items("{", 1, &a));
    assert_null(policy_items("[]", 2, &a));
    arena_release(&a);
}

static void test_changes(void **unused)
{
    static const struct {
        const char *before, *after, *text;
    } cases[] = {
        {"", "{\"acls\":[{\"a\":1},{\"a\":2}],\"groups\":{\"group:a\":[]}}", "+2 rules, +group:a"},
        {"{\"grants\":[1,2]}", "{\"grants\":[2,3,4]}", "+2 -1 grants"},
        {"{\"grants\":[1]}", "{\"grants\":[]}", "-1 grant"},
        {"{\"ssh\":[1,2]}", "{\"ssh\":[2,1]}", "SSH rules in another order"},
        {"{\"groups\":{\"group:a\":[1],\"group:b\":[]}}", "{\"groups\":{\"group:b\":[],\"group:a\":[2]}}",
         "group:a changed"},
        {"{\"tagOwners\":{\"tag:a\":[],\"tag:b\":[]}}", "{\"tagOwners\":{\"tag:a\":[1],\"tag:b\":[1]}}",
         "2 tags changed"},
        {"{\"hosts\":{\"a\":1,\"b\":1}}", "{\"hosts\":{\"a\":2,\"c\":1}}", "+1 -1 hosts, 1 host changed"},
        {"{\"autoApprovers\":{\"exitNode\":[]}}", "{}", "-autoApprovers"},
        {"{\"autoApprovers\":{}}", "{\"autoApprovers\":{\"exitNode\":[]}, \"acls\": [1]}",
         "autoApprovers changed, +1 rule"},
        {"{\"acls\":[ 1 ]} // a\n", "{\"acls\":[1,],}", "comments only"},
        {"{\"acls\":[1]}", "", ""},
        {"no policy", "{\"acls\":[1]}", ""},
    };

    (void)unused;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct buf b = BUF_INIT(0);

        policy_changes_text(cases[i].before, cases[i].after, &b);
        assert_string_equal(buf_text(&b), cases[i].text);
        buf_release(&b);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_hujson_errors), cmocka_unit_test(test_hujson_all_errors),
        cmocka_unit_test(test_hujson_takes),  cmocka_unit_test(test_refused),
        cmocka_unit_test(test_all_errors),    cmocka_unit_test(test_very_many_errors),
        cmocka_unit_test(test_zero_bytes),    cmocka_unit_test(test_many_ports),
        cmocka_unit_test(test_items),         cmocka_unit_test(test_changes),
        cmocka_unit_test(test_unknown_users),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
