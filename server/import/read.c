/* SPDX-License-Identifier: BSD-3-Clause */
#include "import/read.h"

#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/mem.h"

#define MIGRATIONS_MAX 10000

/* What each release added, newest first: the first one that is present identifies the release. */
static const struct {
    const char *migration, *release;
} releases[] = {
    {"202606191500-api-key-user-id", "0.30"},
    {"202606201200-pre-auth-key-revoked", "0.30"},
    {"202602201200-clear-tagged-node-user-id", "0.29"},
    {"202511011637-preauthkey-bcrypt", "0.28"},
    {"202511131445-node-forced-tags-to-tags", "0.28"},
    {"202507021200", "0.27"},
    {"202502131714", "0.26"},
    {"202501221827", "0.25"},
    {"202409271400", "0.24"},
    {"202407191627", "0.24"},
    {"202406021630", "0.23"},
};

static const char *const migration_columns[] = {"id"};
static const struct source_table migration_table = {"migrations", migration_columns, 1, MIGRATIONS_MAX};

static int note_migration(void *arg, const struct source_value *values, struct err *e)
{
    (void)e;
    if (values[0].kind == SOURCE_TEXT)
        strs_push(arg, values[0].text);
    return 0;
}

const char *read_release(struct reading *r)
{
    struct strs ids = {0};
    const char *found = "of an unknown release";

    if (source_read(r->source, &migration_table, note_migration, &ids, NULL) == 0) {
        strs_sort(&ids);
        for (size_t i = ARRAY_LEN(releases); i-- > 0;)
            if (strs_has(&ids, releases[i].migration))
                found = releases[i].release;
    }
    strs_release(&ids);
    return found;
}

/* Their ids begin with the time when they were written: finds those after the newest known here. */
static void leave_migrations(struct reading *r)
{
    static const char newest[] = "202607241200-clear-tagged-node-expiry";
    struct strs ids = {0};

    if (source_read(r->source, &migration_table, note_migration, &ids, NULL) < 0)
        strs_release(&ids);
    for (size_t i = 0; i < ids.len; i++)
        if (strcmp(ids.items[i], newest) > 0 && ids.items[i][0] >= '0' && ids.items[i][0] <= '9')
            report_add(&r->report, REPORT_LEFT, REPORT_MIGRATION, ids.items[i],
                       "of a release that is newer than those known here: what it added is not taken");
    strs_release(&ids);
}

/* Tables that hold nothing of a tailnet, and those that are read. */
static bool is_known_table(const char *name)
{
    static const char *const known[] = {"api_keys",
                                        "database_versions",
                                        "kvs",
                                        "migrations",
                                        "nodes",
                                        "oauth_clients",
                                        "policies",
                                        "pre_auth_keys",
                                        "pre_auth_key_acl_tags",
                                        "routes",
                                        "sqlite_sequence",
                                        "users",
                                        "sqlite_stat1",
                                        "sqlite_stat4",
                                        "_litestream_lock",
                                        "_litestream_seq"};

    for (size_t i = 0; i < ARRAY_LEN(known); i++)
        if (str_eq(name, known[i]))
            return true;
    return false;
}

static void leave_tables(struct reading *r)
{
    for (size_t i = 0; i < r->source->tables.len; i++) {
        const char *name = r->source->tables.items[i];
        if (str_eq(name, "oauth_access_tokens"))
            report_add(&r->report, REPORT_LEFT, REPORT_TABLE, name, "tokens of an hour");
        else if (str_eq(name, "machines") || str_eq(name, "namespaces") || str_eq(name, "shared_machines"))
            report_add(&r->report, REPORT_LEFT, REPORT_TABLE, name, "of a release before 0.23");
        else if (!is_known_table(name))
            report_add(&r->report, REPORT_LEFT, REPORT_TABLE, name, "headscale has no such table");
    }
}

/* Columns of the tables that are read, including ones that are ignored. */
static const struct {
    const char *table, *columns;
} known_columns[] = {
    {"users",
     " id name display_name email provider_identifier provider profile_pic_url created_at updated_at deleted_at "},
    {"pre_auth_keys",
     " id key prefix hash user_id description reusable ephemeral used tags expiration revoked created_at "},
    {"api_keys", " id prefix hash user_id expiration last_seen created_at "},
    {"nodes", " id machine_key node_key disco_key endpoints host_info ipv4 ipv6 hostname given_name user_id "
              "register_method ephemeral tags forced_tags auth_key_id last_seen expiry approved_routes created_at "
              "updated_at deleted_at "},
    {"oauth_clients", " id client_id secret_hash scopes tags description user_id created_at revoked "},
    {"policies", " id data created_at updated_at deleted_at "},
};

static int leave_columns(struct reading *r, struct err *e)
{
    int rc = 0;

    for (size_t i = 0; i < ARRAY_LEN(known_columns) && rc == 0; i++) {
        const char *table = known_columns[i].table;
        struct strs there = {0};
        rc = source_has(r->source, table) ? r->source->calls->columns(r->source, table, &there, e) : 0;
        for (size_t k = 0; rc == 0 && k < there.len; k++) {
            char *word = mem_format(" %s ", there.items[k]), *name = mem_format("%s.%s", table, there.items[k]);
            if (!strstr(known_columns[i].columns, word))
                report_add(&r->report, REPORT_LEFT, REPORT_COLUMN, name, "no release known here has it");
            free(word);
            free(name);
        }
        strs_release(&there);
    }
    return rc;
}

static int check_tables(struct reading *r, struct err *e)
{
    bool addresses = false, tags = false, approved = false;
    int rc;

    if (!source_has(r->source, "users") || !source_has(r->source, "nodes")) {
        bool old = source_has(r->source, "namespaces") || source_has(r->source, "machines");
        return err_set(e, ERR_UNSUPPORTED, "%s: %s", r->source->name,
                       old ? "this is of headscale before 0.23: start release 0.23 or a later one with it once"
                           : "this is no database of headscale");
    }
    if ((rc = source_has_column(r->source, "nodes", "ipv4", &addresses, e)) < 0 ||
        (rc = source_has_column(r->source, "nodes", "tags", &tags, e)) < 0 ||
        (rc = source_has_column(r->source, "nodes", "approved_routes", &approved, e)) < 0)
        return rc;
    if (!addresses)
        return err_set(e, ERR_UNSUPPORTED,
                       "%s: this is of headscale before 0.23: start release 0.23 or a later one with it once",
                       r->source->name);
    r->tags_are_forced = !tags;
    r->routes_are_apart = !approved;
    return 0;
}

int read_all(struct reading *r, struct err *e)
{
    static int (*const steps[])(struct reading *, struct err *) = {
        check_tables, read_users,  read_preauth_keys, read_api_keys,
        read_oauth,   read_policy, read_old_routes,   read_nodes,
    };

    for (size_t i = 0; i < ARRAY_LEN(steps); i++) {
        int rc = steps[i](r, e);
        if (rc < 0)
            return rc;
    }
    leave_tables(r);
    leave_migrations(r);
    return leave_columns(r, e);
}

/* ---- the result ---- */

static int by_prefix(const void *a, const void *b)
{
    const struct primary *x = *(struct primary *const *)a, *y = *(struct primary *const *)b;

    return prefix_cmp(&x->prefix, &y->prefix);
}

static uint64_t next_id(struct reading *r, const char *table, uint64_t last)
{
    int64_t sequence = r->source->calls->sequence(r->source, table);

    if (sequence > 0 && sequence < INT64_MAX - 1 && (uint64_t)sequence > last)
        last = (uint64_t)sequence;
    return last + 1;
}

#define LAST_ID(list) ((list).len ? (list).items[(list).len - 1]->r.id : 0)
#define GIVE(list, to, count)                                                                                          \
    ((to) = (list).items, (count) = (list).len, (list).items = NULL, (list).len = (list).cap = 0)

void read_take_image(struct reading *r, struct store_image *image)
{
    *image = (struct store_image){.run = 1};
    image->next_id[RECORD_USER] = next_id(r, "users", LAST_ID(r->users));
    image->next_id[RECORD_NODE] = next_id(r, "nodes", LAST_ID(r->nodes));
    image->next_id[RECORD_PREAUTH_KEY] = next_id(r, "pre_auth_keys", LAST_ID(r->preauth_keys));
    image->next_id[RECORD_API_KEY] = next_id(r, "api_keys", LAST_ID(r->api_keys));
    image->next_id[RECORD_OAUTH_CLIENT] = next_id(r, "oauth_clients", LAST_ID(r->oauth_clients));
    if (image->next_id[RECORD_USER] == TAGGED_USER_ID)
        image->next_id[RECORD_USER]++;
    if (r->primaries.len > 1)
        qsort(r->primaries.items, r->primaries.len, sizeof(r->primaries.items[0]), by_prefix);
    GIVE(r->users, image->users, image->user_count);
    GIVE(r->preauth_keys, image->preauth_keys, image->preauth_key_count);
    GIVE(r->api_keys, image->api_keys, image->api_key_count);
    GIVE(r->oauth_clients, image->oauth_clients, image->oauth_client_count);
    GIVE(r->nodes, image->nodes, image->node_count);
    GIVE(r->primaries, image->primaries, image->primary_count);
    image->lives = r->lives.items; /* as many as nodes */
    r->lives.items = NULL;
    r->lives.len = r->lives.cap = 0;
    if (r->stored_policy) {
        image->policies = mem_alloc(sizeof(struct policy_text *));
        image->policies[image->policy_count++] = record_ref(r->stored_policy);
    }
}

#define RELEASE_RECORDS(list)                                                                                          \
    do {                                                                                                               \
        for (size_t i = 0; i < (list).len; i++)                                                                        \
            record_unref((list).items[i]);                                                                             \
        vec_release(&(list));                                                                                          \
    } while (0)

static void release_old(struct reading *r)
{
    for (struct map_entry *at = map_first(&r->old_routes); at; at = map_next(&r->old_routes, at)) {
        struct old_routes *old = at->value;
        prefixes_release(&old->advertised);
        prefixes_release(&old->enabled);
        prefixes_release(&old->primary);
        free(old);
    }
    for (struct map_entry *at = map_first(&r->key_tags); at; at = map_next(&r->key_tags, at)) {
        strs_release(at->value);
        free(at->value);
    }
    map_release(&r->old_routes);
    map_release(&r->key_tags);
}

void reading_release(struct reading *r)
{
    RELEASE_RECORDS(r->users);
    RELEASE_RECORDS(r->preauth_keys);
    RELEASE_RECORDS(r->unused_keys);
    RELEASE_RECORDS(r->api_keys);
    RELEASE_RECORDS(r->oauth_clients);
    RELEASE_RECORDS(r->nodes);
    RELEASE_RECORDS(r->nodes_left);
    RELEASE_RECORDS(r->primaries);
    for (size_t i = 0; i < r->lives.len; i++)
        node_live_release(&r->lives.items[i]);
    vec_release(&r->lives);
    record_unref(r->stored_policy);
    release_old(r);
    map_release(&r->user_by_id);
    map_release(&r->user_names);
    map_release(&r->key_by_id);
    map_release(&r->names);
    map_release(&r->addresses);
    map_release(&r->node_keys);
    policy_view_free(r->view);
    policy_unref(r->policy);
    free(r->policy_users);
    report_release(&r->report);
    source_close(r->source);
    *r = (struct reading){0};
}
