/* SPDX-License-Identifier: BSD-3-Clause */
/* Pre-auth keys and API keys. */
#include <stdio.h>
#include <stdlib.h>

#include "base/array.h"
#include "base/mem.h"
#include "import/read.h"
#include "import/row.h"
#include "model/secret.h"

#define KEYS_MAX     1000000
#define HASH_LEN     60 /* of bcrypt */
#define COST_MAX     14 /* about a second */
#define PREFIX_LEN   12
#define OLD_LEN      7  /* of API keys from 0.25 to 0.27, */
#define OLDEST_LEN   10 /* and before */
#define KEY_TEXT_LEN 200
#define OBJECT_MAX   64

static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

/* "$2a$10$" and 53 characters; sets *cost. */
static bool is_bcrypt(const char *hash, int *cost)
{
    static const char salt[] = "./ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";

    if (strlen(hash) != HASH_LEN || hash[0] != '$' || hash[1] != '2' || !strchr("aby", hash[2]) || hash[3] != '$' ||
        hash[6] != '$' || strspn(hash + 4, "0123456789") < 2 || strspn(hash + 7, salt) != HASH_LEN - 7)
        return false;
    *cost = (hash[4] - '0') * 10 + (hash[5] - '0');
    return *cost >= 4 && *cost <= 31;
}

static bool is_prefix(const char *text, size_t len)
{
    return strlen(text) == len && strspn(text, alphabet) == len;
}

/* Why a hash cannot be imported; text that is not a hash is a fault of the row. */
static const char *hash_fault(struct import_row *row, size_t column, const char *hash)
{
    int cost = 0;

    if (!is_bcrypt(hash, &cost)) {
        row_fault(row, column, "is no bcrypt hash");
        return NULL;
    }
    return cost > COST_MAX ? "its bcrypt hash costs too much to be computed for whoever asks" : NULL;
}

/* ---- pre-auth keys ---- */

enum {
    P_ID,
    P_KEY,
    P_PREFIX,
    P_HASH,
    P_USER,
    P_DESCRIPTION,
    P_REUSABLE,
    P_EPHEMERAL,
    P_USED,
    P_TAGS,
    P_EXPIRATION,
    P_REVOKED,
    P_CREATED
};
static const char *const preauth_columns[] = {
    [P_ID] = "id",
    [P_KEY] = "key",
    [P_PREFIX] = "prefix",
    [P_HASH] = "hash",
    [P_USER] = "user_id",
    [P_DESCRIPTION] = "description",
    [P_REUSABLE] = "reusable",
    [P_EPHEMERAL] = "ephemeral",
    [P_USED] = "used",
    [P_TAGS] = "tags",
    [P_EXPIRATION] = "expiration",
    [P_REVOKED] = "revoked",
    [P_CREATED] = "created_at",
};
static const struct source_table preauth_table = {"pre_auth_keys", preauth_columns, ARRAY_LEN(preauth_columns),
                                                  KEYS_MAX};

/* A table of its own in 0.23. */
enum { T_ID, T_KEY, T_TAG };
static const char *const tag_columns[] = {[T_ID] = "id", [T_KEY] = "pre_auth_key_id", [T_TAG] = "tag"};
static const struct source_table tag_table = {"pre_auth_key_acl_tags", tag_columns, ARRAY_LEN(tag_columns), KEYS_MAX};

static int take_key_tag(void *arg, const struct source_value *values, struct err *e)
{
    struct reading *r = arg;
    struct import_row row;

    (void)e;
    if (!row_begin(&row, &tag_table, values, &r->report, REPORT_PREAUTH_KEY))
        return 0;
    uint64_t key_id = row_id(&row, T_KEY);
    char *tag = row_text(&row, T_TAG, ROW_TEXT_MAX);
    if (!row.bad && (!str_starts(tag, "tag:") || !tag[4]))
        row_fault(&row, T_TAG, "is no tag");
    if (!row.bad) {
        struct strs *tags = map_getu(&r->key_tags, key_id);
        if (!tags) {
            tags = mem_alloc(sizeof(*tags));
            map_putu(&r->key_tags, key_id, tags);
        }
        strs_push(tags, tag);
    }
    free(tag);
    return 0;
}

/* Why the key cannot be used to log in; NULL: it can. */
static const char *take_secret(struct import_row *row, struct preauth_key *k)
{
    char *text = row_text(row, P_KEY, KEY_TEXT_LEN), *hash = row_text(row, P_HASH, KEY_TEXT_LEN);
    const char *why = NULL, *secret;
    char prefix[SECRET_PREFIX_LEN + 1];

    free(k->prefix);
    k->prefix = row_text(row, P_PREFIX, KEY_TEXT_LEN);
    if (*k->prefix) {
        if (!is_prefix(k->prefix, PREFIX_LEN))
            why = "its prefix is none that a client could send";
        else if (row_is_null(row, P_HASH))
            why = "it has no hash";
        else
            why = hash_fault(row, P_HASH, hash);
        mem_replace(&k->secret_hash, hash);
    } else if (!*text) {
        why = "it has neither a prefix nor a key";
    } else if (!secret_split(SECRET_PREAUTH_KEY, text, prefix, &secret) || *prefix) {
        why = "its text is none that a client could send";
    } else {
        free(k->secret_hash);
        k->secret_hash = mem_format("plain:%s", text);
    }
    free(text);
    free(hash);
    return why;
}

static void name_key(uint64_t id, const char *prefix, char out[OBJECT_MAX])
{
    snprintf(out, OBJECT_MAX, "%llu%s%.12s%s", (unsigned long long)id, *prefix ? " (" : "", prefix, *prefix ? ")" : "");
}

static void file_key(struct reading *r, struct import_row *row, struct preauth_key *k, const char *why)
{
    char object[OBJECT_MAX];

    name_key(row->id, k->prefix, object);
    map_putu(&r->key_by_id, k->r.id, k);
    if (why) {
        report_add(&r->report, REPORT_LEFT, REPORT_PREAUTH_KEY, object, "%s", why);
        vec_push(&r->unused_keys, k);
    } else {
        report_add(&r->report, REPORT_TAKEN, REPORT_PREAUTH_KEY, object, NULL);
        vec_push(&r->preauth_keys, k);
    }
}

static int take_preauth_key(void *arg, const struct source_value *values, struct err *e)
{
    struct reading *r = arg;
    struct import_row row;
    char bad_tag[ROW_BAD_TAG_MAX];
    bool cleaned = false;

    (void)e;
    if (!row_begin(&row, &preauth_table, values, &r->report, REPORT_PREAUTH_KEY))
        return 0;
    struct preauth_key *k = preauth_key_new();
    k->r.id = row.id;
    k->user_id = row_id(&row, P_USER);
    k->reusable = row_bool(&row, P_REUSABLE);
    k->ephemeral = row_bool(&row, P_EPHEMERAL);
    k->used = row_bool(&row, P_USED);
    k->revoked_ns = row_time(&row, P_REVOKED, NULL);
    k->revoked = k->revoked_ns != 0;
    free(k->description);
    k->description = row_clean_text(&row, P_DESCRIPTION, ROW_TEXT_MAX, &cleaned);
    k->preauthorized = true;
    k->expiration_ns = row_time(&row, P_EXPIRATION, NULL);
    k->created_ns = row_time(&row, P_CREATED, NULL);
    row_tags(&row, P_TAGS, &k->tags, bad_tag);
    const struct strs *apart = map_getu(&r->key_tags, row.id);
    for (size_t i = 0; apart && i < apart->len; i++)
        strs_push(&k->tags, apart->items[i]);
    strs_sort(&k->tags);
    const char *why = take_secret(&row, k);
    if (row.bad) {
        record_unref(k);
        return 0;
    }
    if (k->user_id && !map_getu(&r->user_by_id, k->user_id))
        k->user_id = 0;
    if (!why && *bad_tag)
        why = bad_tag;
    if (!why && !k->user_id && !k->tags.len)
        why = "it has neither a user nor tags";
    file_key(r, &row, k, why);
    return 0;
}

int read_preauth_keys(struct reading *r, struct err *e)
{
    bool has_tags = false;
    int rc = source_has_column(r->source, "pre_auth_keys", "tags", &has_tags, e);

    if (rc == 0 && !has_tags)
        rc = source_read(r->source, &tag_table, take_key_tag, r, e);
    return rc == 0 ? source_read(r->source, &preauth_table, take_preauth_key, r, e) : rc;
}

/* ---- API keys ---- */

enum { A_ID, A_PREFIX, A_HASH, A_USER, A_EXPIRATION, A_LAST_SEEN, A_CREATED };
static const char *const api_columns[] = {
    [A_ID] = "id",
    [A_PREFIX] = "prefix",
    [A_HASH] = "hash",
    [A_USER] = "user_id",
    [A_EXPIRATION] = "expiration",
    [A_LAST_SEEN] = "last_seen",
    [A_CREATED] = "created_at",
};
static const struct source_table api_table = {"api_keys", api_columns, ARRAY_LEN(api_columns), KEYS_MAX};

static int take_api_key(void *arg, const struct source_value *values, struct err *e)
{
    struct reading *r = arg;
    struct import_row row;
    char object[OBJECT_MAX];

    (void)e;
    if (!row_begin(&row, &api_table, values, &r->report, REPORT_API_KEY))
        return 0;
    struct api_key *k = api_key_new();
    k->r.id = row.id;
    free(k->prefix);
    k->prefix = row_text(&row, A_PREFIX, KEY_TEXT_LEN);
    free(k->secret_hash);
    k->secret_hash = row_text(&row, A_HASH, KEY_TEXT_LEN);
    k->expiration_ns = row_time(&row, A_EXPIRATION, NULL);
    k->last_seen_ns = row_time(&row, A_LAST_SEEN, NULL);
    k->created_ns = row_time(&row, A_CREATED, NULL);
    k->user_id = row_id(&row, A_USER);
    if (k->user_id && !map_getu(&r->user_by_id, k->user_id))
        k->user_id = 0;
    bool unusable = row_is_null(&row, A_PREFIX) || row_is_null(&row, A_HASH);
    if (!row.bad && !unusable && !is_prefix(k->prefix, PREFIX_LEN) && !is_prefix(k->prefix, OLD_LEN) &&
        !is_prefix(k->prefix, OLDEST_LEN))
        row_fault(&row, A_PREFIX, "is no prefix of %d, %d or %d characters", PREFIX_LEN, OLDEST_LEN, OLD_LEN);
    const char *why = row.bad    ? NULL
                      : unusable ? "it has no prefix or no hash: nobody can use it"
                                 : hash_fault(&row, A_HASH, k->secret_hash);
    name_key(row.id, k->prefix, object);
    if (why)
        report_add(&r->report, REPORT_LEFT, REPORT_API_KEY, object, "%s", why);
    if (why || row.bad) {
        record_unref(k);
        return 0;
    }
    report_add(&r->report, REPORT_TAKEN, REPORT_API_KEY, object, NULL);
    vec_push(&r->api_keys, k);
    return 0;
}

int read_api_keys(struct reading *r, struct err *e)
{
    return source_read(r->source, &api_table, take_api_key, r, e);
}
