/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdio.h>
#include <stdlib.h>

#include "base/array.h"
#include "base/mem.h"
#include "import/read.h"
#include "import/row.h"

#define USERS_MAX 1000000

enum { ID, NAME, DISPLAY_NAME, EMAIL, PROVIDER_IDENTIFIER, PROVIDER, PICTURE, CREATED, DELETED };
static const char *const columns[] = {
    [ID] = "id",
    [NAME] = "name",
    [DISPLAY_NAME] = "display_name",
    [EMAIL] = "email",
    [PROVIDER_IDENTIFIER] = "provider_identifier",
    [PROVIDER] = "provider",
    [PICTURE] = "profile_pic_url",
    [CREATED] = "created_at",
    [DELETED] = "deleted_at",
};
static const struct source_table table = {"users", columns, ARRAY_LEN(columns), USERS_MAX};

static void take_text(struct import_row *row, size_t column, char **out)
{
    free(*out);
    *out = row_text(row, column, ROW_TEXT_MAX);
}

static void take_shown(struct import_row *row, size_t column, char **out, bool *cleaned)
{
    free(*out);
    *out = row_clean_text(row, column, ROW_TEXT_MAX, cleaned);
}

/* Two of them can only result from cleaning: headscale has a unique index. */
static void make_unique(struct reading *r, struct user *u, const char *object)
{
    if (*u->provider)
        return;
    if (map_gets(&r->user_names, u->name)) {
        char *name = mem_format("%s-%llu", u->name, (unsigned long long)u->r.id);
        report_add(&r->report, REPORT_CHANGED, REPORT_USER, object, "another user has its name: it is %s now", name);
        free(u->name);
        u->name = name;
    }
    map_puts(&r->user_names, u->name, u);
}

static int take_user(void *arg, const struct source_value *values, struct err *e)
{
    struct reading *r = arg;
    struct import_row row;
    char object[128];

    (void)e;
    if (!row_begin(&row, &table, values, &r->report, REPORT_USER))
        return 0;
    struct user *u = user_new();
    bool cleaned = false;
    u->r.id = row.id;
    take_shown(&row, NAME, &u->name, &cleaned);
    take_shown(&row, DISPLAY_NAME, &u->display_name, &cleaned);
    take_shown(&row, EMAIL, &u->email, &cleaned);
    take_shown(&row, PICTURE, &u->picture_url, &cleaned);
    take_text(&row, PROVIDER_IDENTIFIER, &u->provider_id);
    take_text(&row, PROVIDER, &u->provider);
    u->created_ns = row_time(&row, CREATED, NULL);
    snprintf(object, sizeof(object), "%llu (%.80s)", (unsigned long long)row.id, user_login(u));
    if (row.id == TAGGED_USER_ID)
        row_fault(&row, ID, "stands for tagged nodes and is no user's");
    if (row_time(&row, DELETED, NULL)) {
        if (!row.bad)
            report_add(&r->report, REPORT_LEFT, REPORT_USER, object, "deleted in headscale");
        row.bad = true;
    }
    if (row.bad) {
        record_unref(u);
        return 0;
    }
    /* A user is local or a provider's; names are unique among local ones. */
    if (!*u->provider_id && *u->provider)
        mem_replace(&u->provider, "");
    if (*u->provider_id && !*u->provider)
        mem_replace(&u->provider, "oidc");
    report_add(&r->report, REPORT_TAKEN, REPORT_USER, object, NULL);
    if (cleaned)
        report_add(&r->report, REPORT_CHANGED, REPORT_USER, object,
                   "bytes that cannot be shown, or are too many, were taken out of its name");
    make_unique(r, u, object);
    vec_push(&r->users, u);
    map_putu(&r->user_by_id, u->r.id, u);
    return 0;
}

int read_users(struct reading *r, struct err *e)
{
    return source_read(r->source, &table, take_user, r, e);
}
