/* SPDX-License-Identifier: BSD-3-Clause */
/* The policy in force, chosen as headscale does: the newest text in the database, or the file. Tags depend on it, and
 * an unreadable policy would open everything, so it must be valid. */
#include <stdio.h>
#include <stdlib.h>

#include "base/array.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/mem.h"
#include "import/read.h"
#include "import/row.h"
#include "tailnet/policy_input.h"

#define POLICIES_MAX 1000000

enum { ID, DATA, UPDATED, DELETED };
static const char *const columns[] = {[ID] = "id", [DATA] = "data", [UPDATED] = "updated_at", [DELETED] = "deleted_at"};
static const struct source_table table = {"policies", columns, ARRAY_LEN(columns), POLICIES_MAX};

struct newest {
    struct reading *r;
    struct policy_text *text; /* NULL: none yet */
    size_t older;
};

static int take_policy(void *arg, const struct source_value *values, struct err *e)
{
    struct newest *n = arg;
    struct import_row row;

    (void)e;
    if (!row_begin(&row, &table, values, &n->r->report, REPORT_POLICY) || row_time(&row, DELETED, NULL))
        return 0;
    struct policy_text *p = policy_text_new();
    p->r.id = row.id;
    free(p->text);
    p->text = row_document(&row, DATA, POLICY_TEXT_MAX);
    if (str_eq(p->text, "null")) /* Go reads it as an empty policy */
        mem_replace(&p->text, "{}");
    p->updated_ns = row_time(&row, UPDATED, NULL);
    n->older += n->text != NULL;
    record_unref(n->text);
    n->text = p;
    return 0;
}

static void say_problems(struct reading *r, enum report_verdict verdict, const struct policy_problems *problems,
                         const char *where)
{
    struct buf said = BUF_INIT(0);

    policy_problems_text(problems, &said);
    report_add(&r->report, verdict, REPORT_POLICY, "", "%s: %.300s%s", where, buf_text(&said),
               verdict == REPORT_FAULT ? ": mend it in headscale, and import again" : "");
    buf_release(&said);
}

/* From now on it decides tags. where: its location, for people. A name that matches two users prevents a start with a
 * file, but not with a stored policy. */
static void apply(struct reading *r, const char *text, const char *where, bool of_file)
{
    struct policy_problems problems = {0};
    struct policy_user *users = r->policy_users = mem_alloc((r->users.len + 1) * sizeof(*users));
    int rc = policy_parse(text, strlen(text), &r->policy, &problems);

    for (size_t i = 0; i < r->users.len; i++)
        users[i] = tailnet_policy_user(r->users.items[i]);
    if (rc == 0 && r->policy) {
        r->view =
            policy_view_new(r->policy, &(struct policy_tailnet){.users = users, .user_count = r->users.len}, NULL);
        if (policy_view_check(r->view, false, &problems) < 0)
            say_problems(r, of_file ? REPORT_FAULT : REPORT_CHANGED, &problems, where);
    } else if (rc < 0) {
        say_problems(r, REPORT_FAULT, &problems, where);
    }
    policy_problems_release(&problems);
}

static int apply_file(struct reading *r, const char *path)
{
    struct buf text = BUF_INIT(POLICY_TEXT_MAX);
    struct err e = {0};

    if (file_read(path, FILE_ANY, &text, &e) < 0) {
        report_add(&r->report, REPORT_FAULT, REPORT_POLICY, "", "policy.path: %s", e.message);
    } else {
        apply(r, buf_text(&text), path, true);
        report_add(&r->report, REPORT_TAKEN, REPORT_POLICY, path, "the file stays where it is and is read there");
    }
    buf_release(&text);
    return 0;
}

/* In file mode without a file, headscale allows everything, whatever the database holds. */
static bool database_counts(const struct reading *r)
{
    return !r->config || str_eq(r->config->policy.mode, "database");
}

int read_policy(struct reading *r, struct err *e)
{
    struct newest newest = {.r = r};
    char where[64];
    int rc;

    if (r->config && config_policy_is_file(r->config))
        return apply_file(r, r->config->policy.path);
    rc = source_read(r->source, &table, take_policy, &newest, e);
    if (rc == 0 && newest.text && database_counts(r) && *newest.text->text) {
        snprintf(where, sizeof(where), "table policies, id %llu, column data", (unsigned long long)newest.text->r.id);
        apply(r, newest.text->text, where, false);
        report_add(&r->report, REPORT_TAKEN, REPORT_POLICY, "", NULL);
        if (newest.older)
            report_add(&r->report, REPORT_LEFT, REPORT_POLICY, "", "%zu older texts", newest.older);
        r->stored_policy = record_ref(newest.text);
    } else if (rc == 0 && newest.text && !database_counts(r)) {
        report_add(&r->report, REPORT_LEFT, REPORT_POLICY, "",
                   "the database holds one, but policy.mode is 'file': headscale did not apply it");
    }
    record_unref(newest.text);
    return rc;
}
