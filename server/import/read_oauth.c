/* SPDX-License-Identifier: BSD-3-Clause */
/* OAuth clients of headscale 0.30. Their tokens, which live for an hour, are not imported: clients fetch new ones. */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/array.h"
#include "base/mem.h"
#include "import/read.h"
#include "import/row.h"

#define CLIENTS_MAX   1000000
#define CLIENT_ID_LEN 12
#define HASH_MAX      200
#define KIB_MAX       65536ul /* of memory, and */
#define PASSES_MAX    16ul    /* passes that a hash may cost per request */

enum { ID, CLIENT, HASH, SCOPES, TAGS, DESCRIPTION, CREATED, REVOKED };
static const char *const columns[] = {
    [ID] = "id",     [CLIENT] = "client_id",        [HASH] = "secret_hash",   [SCOPES] = "scopes",
    [TAGS] = "tags", [DESCRIPTION] = "description", [CREATED] = "created_at", [REVOKED] = "revoked",
};
static const struct source_table table = {"oauth_clients", columns, ARRAY_LEN(columns), CLIENTS_MAX};

/* Reads a number that follows lead; *at then points behind it. */
static bool take_number(const char **at, const char *lead, unsigned long *out)
{
    const char *digits = str_starts(*at, lead) ? *at + strlen(lead) : "";
    char *end;

    if (!isdigit((unsigned char)*digits))
        return false;
    *out = strtoul(digits, &end, 10);
    *at = end;
    return true;
}

/* "$argon2id$v=19$m=KIB,t=PASSES,p=LANES$SALT$HASH" */
static bool is_argon2id(const char *hash, unsigned long *kib, unsigned long *passes, unsigned long *lanes)
{
    unsigned long version;

    return take_number(&hash, "$argon2id$v=", &version) && version == 19 && take_number(&hash, "$m=", kib) &&
           take_number(&hash, ",t=", passes) && take_number(&hash, ",p=", lanes) && *hash == '$';
}

/* Why it cannot be used; NULL: it can. Text that is not a hash is a fault of the row. */
static const char *find_fault(struct import_row *row, const struct oauth_client *c)
{
    unsigned long kib = 0, passes = 0, lanes = 0;

    if (row_time(row, REVOKED, NULL))
        return "revoked in headscale";
    if (row_is_null(row, CLIENT) || row_is_null(row, HASH))
        return "it has no id or no hash: nobody can use it";
    if (strlen(c->client_id) != CLIENT_ID_LEN || strspn(c->client_id, "0123456789abcdef") != CLIENT_ID_LEN)
        return "its id is none that a program could send";
    if (!is_argon2id(c->secret_hash, &kib, &passes, &lanes))
        row_fault(row, HASH, "is no Argon2id hash");
    else if (kib > KIB_MAX || passes > PASSES_MAX || lanes != 1)
        return "its Argon2id hash costs too much to be computed for whoever asks";
    return NULL;
}

static int take_client(void *arg, const struct source_value *values, struct err *e)
{
    struct reading *r = arg;
    struct import_row row;
    char bad_tag[ROW_BAD_TAG_MAX], object[96];
    bool changed = false;

    (void)e;
    if (!row_begin(&row, &table, values, &r->report, REPORT_OAUTH_CLIENT))
        return 0;
    struct oauth_client *c = oauth_client_new();
    c->r.id = row.id;
    free(c->client_id);
    c->client_id = row_text(&row, CLIENT, ROW_TEXT_MAX);
    free(c->secret_hash);
    c->secret_hash = row_text(&row, HASH, HASH_MAX);
    free(c->description);
    c->description = row_clean_text(&row, DESCRIPTION, ROW_TEXT_MAX, &changed);
    row_strs(&row, SCOPES, &c->scopes);
    strs_sort(&c->scopes);
    row_tags(&row, TAGS, &c->tags, bad_tag);
    c->created_ns = row_time(&row, CREATED, NULL);
    snprintf(object, sizeof(object), "%llu%s%.40s%s", (unsigned long long)row.id, *c->client_id ? " (" : "",
             c->client_id, *c->client_id ? ")" : "");
    const char *why = row.bad ? NULL : find_fault(&row, c);
    if (why)
        report_add(&r->report, REPORT_LEFT, REPORT_OAUTH_CLIENT, object, "%s", why);
    if (why || row.bad) {
        record_unref(c);
        return 0;
    }
    report_add(&r->report, REPORT_TAKEN, REPORT_OAUTH_CLIENT, object, NULL);
    if (*bad_tag)
        report_add(&r->report, REPORT_CHANGED, REPORT_OAUTH_CLIENT, object, "%s: left out", bad_tag);
    vec_push(&r->oauth_clients, c);
    return 0;
}

int read_oauth(struct reading *r, struct err *e)
{
    return source_read(r->source, &table, take_client, r, e);
}
