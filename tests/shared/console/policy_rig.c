/* SPDX-License-Identifier: BSD-3-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "shared/console/policy_rig.h"

char *policy_answer(const char *policy, int version, const char *mode)
{
    struct buf b = BUF_INIT(0);
    struct json_out o = JSON_OUT(&b);

    json_open(&o, '{');
    json_put_str(&o, "policy", policy);
    json_put_u64(&o, "version", (uint64_t)version);
    json_put_str(&o, "mode", mode);
    json_close(&o, '}');
    return buf_take(&b);
}

void policy_arrives(struct rig *r, const char *policy, int version, const char *mode)
{
    char *json = policy_answer(policy, version, mode);

    assert_string_equal(r->sent.items[rig_last(r)].path, "/api/headway/policy");
    assert_string_equal(r->sent.items[rig_last(r)].method, "GET");
    rig_answer(r, rig_last(r), 200, json);
    free(json);
}

/* Fires the timer of the checks and draws the screen. */
void policy_settle(struct rig *r)
{
    rig_pass(r, 1000);
    rig_draw(r, 24, 80);
}

void policy_rig_open(struct rig *r)
{
    rig_init(r, 0);
    rig_keys(r, "4");
    policy_arrives(r, RIG_POLICY, 41, "database");
    policy_settle(r);
}

char *policy_typed(struct rig *r)
{
    size_t len;

    return textbuf_copy(&policy_page_of(&r->app)->editor.text, &len);
}

void policy_text_is(struct rig *r, const char *expected)
{
    char *now = policy_typed(r);

    assert_string_equal(now, expected);
    free(now);
}

const char policy_no_losses[] =
    "{\"ok\":true,\"findings\":[],\"totals\":{\"pairs_lost\":0,\"pairs_gained\":1},\"rows\":["
    "],\"routes\":[],\"approvals\":[]}";

/* From the text, after typing a line, to the review. */
void policy_review(struct rig *r, const char *answer)
{
    rig_keys(r, "e<Down><End><Enter>// typed");
    policy_settle(r);
    rig_keys(r, "<Ctrl-S>");
    assert_string_equal(r->sent.items[rig_last(r)].path, "/api/headway/policy/preview");
    assert_non_null(strstr(r->sent.items[rig_last(r)].body, "// typed"));
    rig_answer(r, rig_last(r), 200, answer);
    rig_draw(r, 24, 80);
}

void policy_conflict(struct rig *r, const char *theirs)
{
    policy_rig_open(r);
    policy_review(r, policy_no_losses);
    rig_keys(r, "<Enter>");
    rig_answer(r, rig_last(r), 412, "{\"error\":{\"code\":\"precondition\",\"message\":\"it is at version 42\"}}");
    policy_arrives(r, theirs, 42, "database");
}
