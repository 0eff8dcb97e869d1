/* SPDX-License-Identifier: BSD-3-Clause */
/* Values of a headscale database: whatever they are, each is taken, left or named, and what is taken can be stored and
 * read again. The first byte says which columns there are; then rows, each ended by 0x1e: a letter for the table, and
 * its columns, separated by 0x1f: nothing for NULL, '#' and a number, or a text. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/mem.h"
#include "import/read.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct fuzz_source {
    struct source source; /* first */
    const char *data;
    size_t size;
    unsigned lacks;
};

static const struct {
    char letter;
    const char *name;
} tables[] = {{'u', "users"},    {'k', "pre_auth_keys"},         {'a', "api_keys"},     {'n', "nodes"}, {'r', "routes"},
              {'p', "policies"}, {'t', "pre_auth_key_acl_tags"}, {'o', "oauth_clients"}};

static const struct {
    unsigned bit;
    const char *table, *column;
} optional[] = {{1, "nodes", "tags"}, {2, "nodes", "approved_routes"}, {4, "pre_auth_keys", "tags"}};

static void close_nothing(struct source *s)
{
    (void)s;
}

static int list_tables(struct source *s, struct strs *out, struct err *e)
{
    (void)s;
    (void)e;
    for (size_t i = 0; i < ARRAY_LEN(tables); i++)
        strs_push(out, tables[i].name);
    strs_sort(out);
    return 0;
}

static int list_columns(struct source *s, const char *table, struct strs *out, struct err *e)
{
    static const char *const all[] = {"id",
                                      "name",
                                      "display_name",
                                      "email",
                                      "provider_identifier",
                                      "provider",
                                      "created_at",
                                      "key",
                                      "prefix",
                                      "hash",
                                      "user_id",
                                      "reusable",
                                      "ephemeral",
                                      "used",
                                      "expiration",
                                      "revoked",
                                      "machine_key",
                                      "node_key",
                                      "disco_key",
                                      "endpoints",
                                      "host_info",
                                      "ipv4",
                                      "ipv6",
                                      "hostname",
                                      "given_name",
                                      "register_method",
                                      "forced_tags",
                                      "auth_key_id",
                                      "last_seen",
                                      "expiry",
                                      "deleted_at",
                                      "node_id",
                                      "advertised",
                                      "enabled",
                                      "is_primary",
                                      "data",
                                      "updated_at",
                                      "tag",
                                      "pre_auth_key_id",
                                      "client_id",
                                      "profile_pic_url",
                                      "tags",
                                      "approved_routes"};
    unsigned lacks = ((struct fuzz_source *)s)->lacks;

    (void)e;
    for (size_t i = 0; i < ARRAY_LEN(all); i++) {
        bool there = true;
        for (size_t k = 0; k < ARRAY_LEN(optional); k++)
            if ((lacks & optional[k].bit) && strcmp(optional[k].table, table) == 0 &&
                strcmp(optional[k].column, all[i]) == 0)
                there = false;
        if (there)
            strs_push(out, all[i]);
    }
    return 0;
}

static void read_value(const char *text, size_t len, struct source_value *out)
{
    if (len == 0)
        *out = (struct source_value){.kind = SOURCE_NULL, .text = ""};
    else if (text[0] == '#')
        *out = (struct source_value){.kind = SOURCE_NUMBER, .text = "", .number = strtoll(text + 1, NULL, 10)};
    else
        *out = (struct source_value){.kind = SOURCE_TEXT, .text = text, .len = len};
}

/* One row: its values are texts of their own, as a database gives them. */
static int give_row(const char *row, size_t len, const struct source_table *t, source_row *each, void *arg,
                    struct err *e)
{
    struct source_value values[SOURCE_COLUMNS_MAX];
    char *texts[SOURCE_COLUMNS_MAX] = {NULL};

    for (size_t i = 0; i < t->count; i++) {
        const char *end = memchr(row, 0x1f, len);
        size_t n = end ? (size_t)(end - row) : len;
        texts[i] = mem_alloc(n + 1);
        memcpy(texts[i], row, n);
        read_value(texts[i], n, &values[i]);
        row += end ? n + 1 : n;
        len -= end ? n + 1 : n;
    }
    int rc = each(arg, values, e);
    for (size_t i = 0; i < t->count; i++)
        free(texts[i]);
    return rc;
}

static int read_rows(struct source *source, const char *sql, const struct source_table *t, source_row *each, void *arg,
                     struct err *e)
{
    const struct fuzz_source *s = (const struct fuzz_source *)source;
    char letter = 0;
    int rc = 0;

    (void)sql;
    for (size_t i = 0; i < ARRAY_LEN(tables); i++)
        if (strcmp(tables[i].name, t->name) == 0)
            letter = tables[i].letter;
    for (size_t at = 0; at < s->size && rc == 0;) {
        const char *row = s->data + at, *end = memchr(row, 0x1e, s->size - at);
        size_t len = end ? (size_t)(end - row) : s->size - at;
        if (len && row[0] == letter)
            rc = give_row(row + 1, len - 1, t, each, arg, e);
        at += len + 1;
    }
    return rc;
}

static int64_t sequence(struct source *s, const char *table)
{
    (void)s;
    (void)table;
    return 0;
}

/* Ids come in their order from a database, and once. */
static bool in_order(const struct reading *r)
{
    for (size_t i = 1; i < r->nodes.len; i++)
        if (r->nodes.items[i]->r.id <= r->nodes.items[i - 1]->r.id)
            return false;
    for (size_t i = 1; i < r->users.len; i++)
        if (r->users.items[i]->r.id <= r->users.items[i - 1]->r.id)
            return false;
    for (size_t i = 1; i < r->preauth_keys.len; i++)
        if (r->preauth_keys.items[i]->r.id <= r->preauth_keys.items[i - 1]->r.id)
            return false;
    return true;
}

static void store(struct reading *r)
{
    struct store_image image;
    struct event *event = event_new();
    struct err e = {0};

    event->run = event->r.id = 1;
    read_take_image(r, &image);
    /* Prefixes of keys and identities of providers are unique by an index of headscale's, which this source lacks. */
    if (store_import(":memory:", &image, "fuzz", event, &e) < 0 && e.code != ERR_CONFLICT)
        __builtin_trap();
    record_unref(event);
    store_image_release(&image);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct source_calls calls = {.close = close_nothing,
                                              .tables = list_tables,
                                              .columns = list_columns,
                                              .rows = read_rows,
                                              .sequence = sequence};
    struct fuzz_source s = {.source = {.calls = &calls, .name = NULL}};
    struct reading r = {.source = &s.source};
    struct err e = {0};

    if (size < 1)
        return 0;
    s.source.name = mem_strdup("fuzz");
    s.lacks = data[0];
    s.data = (const char *)data + 1;
    s.size = size - 1;
    if (list_tables(&s.source, &s.source.tables, &e) < 0)
        __builtin_trap();
    if (read_all(&r, &e) == 0 && report_faults(&r.report) == 0 && in_order(&r))
        store(&r);
    reading_release(&r);
    return 0;
}
