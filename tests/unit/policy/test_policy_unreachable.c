/* SPDX-License-Identifier: BSD-3-Clause */
/* Rules that open nothing, or nothing that earlier rules do not open, cause a warning with their line; others do
 * not. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/array.h"
#include "base/mem.h"
#include "policy/policy.h"

#define NAMES                                                                                                          \
    "\"groups\": {\"group:a\": [\"a@x.com\"], \"group:ab\": [\"a@x.com\", \"b@x.com\"], \"group:none\": []},"          \
    "\"hosts\": {\"db\": \"10.1.2.3\"}, \"tagOwners\": {\"tag:t\": [], \"tag:u\": []},"

#define ACL(src, dst) "{\"action\": \"accept\", \"src\": [" src "], \"dst\": [" dst "]},\n"
#define PROTO(proto, src, dst)                                                                                         \
    "{\"action\": \"accept\", \"proto\": \"" proto "\", \"src\": [" src "], \"dst\": [" dst "]},\n"
#define GRANT(src, dst, ip) "{\"src\": [" src "], \"dst\": [" dst "], \"ip\": [" ip "]},\n"
#define SSH(action, src, dst, users)                                                                                   \
    "{\"action\": \"" action "\", \"src\": [" src "], \"dst\": [" dst "], \"users\": [" users "]},\n"
#define S(text) "\"" text "\""

/* The rules stand one a line from line 2 on; the text of the only warning, or "". */
static const struct {
    const char *section, *rules, *warning;
} cases[] = {
    {"acls", ACL(S("*"), S("*:*")) ACL(S("a@x.com"), S("tag:t:22")), "3 acl 2 opens nothing more: line 2 opens"},
    {"acls", ACL(S("a@x.com"), S("tag:t:22")) ACL(S("*"), S("*:*")), ""},
    {"acls", ACL(S("group:ab"), S("tag:t:22")) ACL(S("group:a"), S("tag:t:22")), "3 acl 2"},
    {"acls", ACL(S("group:a"), S("tag:t:22")) ACL(S("group:ab"), S("tag:t:22")), ""},
    {"acls", ACL(S("a@x.com"), S("tag:t:1-100")) ACL(S("a@x.com"), S("tag:t:22,80")), "3 acl 2"},
    {"acls", ACL(S("a@x.com"), S("tag:t:22,80")) ACL(S("a@x.com"), S("tag:t:22-80")), ""},
    {"acls", ACL(S("a@x.com"), S("10.0.0.0/8:*")) ACL(S("a@x.com"), S("db:443")), "3 acl 2"},
    {"acls", ACL(S("a@x.com"), S("10.0.0.0/16:*")) ACL(S("a@x.com"), S("db:443")), ""},
    {"acls", ACL(S("autogroup:member"), S("*:*")) ACL(S("a@x.com"), S("tag:t:*")), "3 acl 2"},
    {"acls", ACL(S("autogroup:member"), S("*:*")) ACL(S("tag:u"), S("tag:t:*")), ""},
    {"acls", ACL(S("autogroup:tagged"), S("*:*")) ACL(S("tag:u"), S("tag:t:*")), "3 acl 2"},
    /* "*" as a source is the tailnet, not any address. */
    {"acls", ACL(S("*"), S("*:*")) ACL(S("192.0.2.0/24"), S("tag:t:*")), ""},
    {"acls", ACL(S("autogroup:danger-all"), S("*:*")) ACL(S("192.0.2.0/24"), S("tag:t:*")), "3 acl 2"},
    /* Only these have their effect by themselves. */
    {"acls", ACL(S("*"), S("*:*")) ACL(S("a@x.com"), S("autogroup:internet:*")), ""},
    {"acls", ACL(S("*"), S("*:*")) ACL(S("a@x.com"), S("autogroup:self:*")), ""},
    {"acls", PROTO("tcp", S("a@x.com"), S("tag:t:*")) ACL(S("a@x.com"), S("tag:t:22")), ""},
    {"acls", ACL(S("a@x.com"), S("tag:t:*")) PROTO("tcp", S("a@x.com"), S("tag:t:22")), "3 acl 2"},
    {"acls", ACL(S("a@x.com"), S("tag:t:*")) PROTO("gre", S("a@x.com"), S("tag:t:*")), ""},
    /* Several rules together. */
    {"acls",
     ACL(S("a@x.com"), S("tag:t:22")) ACL(S("a@x.com"), S("tag:u:22"))
         ACL(S("a@x.com"), S("tag:t:22") "," S("tag:u:22")),
     "4 acl 3 opens nothing more: line 2 and other rules above open"},
    {"acls", ACL(S("a@x.com"), S("tag:t:22")) ACL(S("a@x.com"), S("tag:t:22") "," S("tag:u:22")), ""},
    {"acls", ACL("", S("*:*")), "2 acl 1 opens nothing: it has no sources"},
    {"acls", ACL(S("group:none"), S("*:*")), "2 acl 1 opens nothing: it has no sources"},
    {"acls", ACL(S("group:none") "," S("a@x.com"), S("*:*")), ""},
    {"acls", ACL(S("a@x.com"), S("group:none:*")), "2 acl 1 opens nothing: it has no destinations"},
    {"grants", GRANT(S("a@x.com"), S("tag:t"), S("*")) GRANT(S("a@x.com"), S("tag:t"), S("tcp:22")), "3 grant 2"},
    {"grants",
     GRANT(S("a@x.com"), S("tag:t"), S("tcp:22")) GRANT(S("a@x.com"), S("tag:t"), S("tcp:22") "," S("udp:22")), ""},
    {"grants",
     GRANT(S("a@x.com"), S("10.0.0.0/8"),
           S("*")) "{\"src\": [\"a@x.com\"], \"dst\": [\"10.0.0.0/8\"], \"ip\": [\"*\"], \"via\": [\"tag:t\"]},\n",
     ""},
    {"grants",
     GRANT(S("a@x.com"), S("tag:t"), S("*")) "{\"src\": [\"a@x.com\"], \"dst\": [\"tag:t\"], \"ip\": [\"*\"], \"app\": "
                                             "{\"example.com/cap\": [{}]}},\n",
     ""},
    {"ssh",
     SSH("accept", S("group:ab"), S("tag:t"), S("root") "," S("autogroup:nonroot"))
         SSH("accept", S("a@x.com"), S("tag:t"), S("ubuntu")),
     "3 ssh rule 2 is never asked: line 2"},
    {"ssh",
     SSH("accept", S("a@x.com"), S("tag:t"), S("autogroup:nonroot")) SSH("accept", S("a@x.com"), S("tag:t"), S("root")),
     ""},
    {"ssh", SSH("accept", S("a@x.com"), S("tag:t"), S("root")) SSH("check", S("a@x.com"), S("tag:t"), S("root")),
     "2 ssh rule 1 is never asked: line 3"},
};

static void rules_that_open_nothing_are_told(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        char *text = mem_format("{" NAMES " \"%s\": [\n%s]}\n", cases[i].section, cases[i].rules);
        struct policy_problems problems = {0};
        struct policy *p;
        struct buf said = BUF_INIT(0);

        if (policy_parse(text, strlen(text), &p, &problems) < 0)
            fail_msg("case %zu: %s", i, problems.items[0].text);
        assert_int_equal(problems.len, 0);
        policy_warn_unreachable(p, &problems);
        for (size_t k = 0; k < problems.len; k++) {
            assert_true(problems.items[k].warning);
            buf_addf(&said, "%u %s", problems.items[k].line, problems.items[k].text);
        }
        if (!*cases[i].warning != !said.len ||
            strncmp(buf_text(&said), cases[i].warning, strlen(cases[i].warning)) != 0)
            fail_msg("case %zu, %s: '%s' instead of '%s'", i, cases[i].rules, buf_text(&said), cases[i].warning);
        buf_release(&said);
        policy_problems_release(&problems);
        policy_unref(p);
        free(text);
    }
}

/* As many rules as a policy may have, each of another user to another tag: nothing is found, and it ends. */
static void many_rules_are_looked_at_in_time(void **state)
{
    struct policy_problems problems = {0};
    struct buf text = BUF_INIT(0);
    struct policy *p;

    (void)state;
    buf_adds(&text, "{\"acls\": [");
    for (int i = 0; i < 16000; i++)
        buf_addf(&text, "{\"action\": \"accept\", \"src\": [\"u%d@x.com\"], \"dst\": [\"10.%d.%d.0/24:%d\"]},\n",
                 i % 5000, i / 200 % 250, i % 200, 1 + i % 60000);
    buf_adds(&text, "]}");
    assert_int_equal(policy_parse(buf_text(&text), text.len, &p, &problems), 0);
    policy_warn_unreachable(p, &problems);
    assert_int_equal(problems.len, 0);
    policy_unref(p);
    policy_problems_release(&problems);
    buf_release(&text);
}

/* What a name that is wrong was meant to be is known beside the message, for whoever mends it by a key. */
static void what_was_meant_is_told(void **state)
{
    static const struct {
        const char *rules, *wrong, *fix;
    } wrongs[] = {
        {ACL(S("group:abb"), S("*:*")), "group:abb", "group:ab"},
        {ACL(S("a@x.com"), S("tag:tt:22")), "tag:tt", "tag:t"},
        {ACL(S("a@x.com"), S("dbb:22")), "dbb", "db"},
        {ACL(S("autogroup:membr"), S("*:*")), "autogroup:membr", "autogroup:member"},
        {"{\"action\": \"accept\", \"scr\": [\"*\"], \"dst\": [\"*:*\"]},", "scr", "src"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(wrongs); i++) {
        char *text = mem_format("{" NAMES " \"acls\": [\n%s]}\n", wrongs[i].rules);
        struct policy_problems problems = {0};
        struct policy *p;

        assert_true(policy_parse(text, strlen(text), &p, &problems) < 0);
        assert_non_null(problems.items[0].fix);
        assert_string_equal(problems.items[0].wrong, wrongs[i].wrong);
        assert_string_equal(problems.items[0].fix, wrongs[i].fix);
        assert_int_equal(problems.items[0].line, 2);
        policy_problems_release(&problems);
        free(text);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rules_that_open_nothing_are_told),
        cmocka_unit_test(many_rules_are_looked_at_in_time),
        cmocka_unit_test(what_was_meant_is_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
