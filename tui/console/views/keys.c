/* SPDX-License-Identifier: BSD-3-Clause */
/* Pre-auth keys and API keys. */
#include "console/views/keys.h"

#include <stdio.h>

#include "base/array.h"
#include "console/app/app.h"
#include "console/model/columns.h"
#include "console/tailnet/clients.h"

static const struct api_preauth_key *preauth_key_of(const struct row *row)
{
    return &((const struct m_preauth_key *)row)->api;
}

static void fill_key_sign(const struct row *row, const struct clock_reading *at, struct list_field *out)
{
    int64_t expiry_ns = key_row_expiry_ns(row);
    bool expired = expiry_ns && expiry_ns <= at->now_ns;
    bool spent = row->kind == ROW_PREAUTH_KEY && preauth_key_of(row)->used && !preauth_key_of(row)->reusable;

    out->glyph = (int)(expired ? GLYPH_EXPIRED : spent ? GLYPH_OFFLINE : GLYPH_ONLINE);
}

static void fill_key_expiry(const struct row *row, const struct clock_reading *at, struct list_field *out)
{
    char text[AGO_MAX];

    str_copy(out->text, sizeof(out->text), until_text(key_row_expiry_ns(row), at->now_ns, text));
    out->role = str_eq(out->text, "EXPIRED") ? ROLE_BAD : ROLE_TIME;
}

FILL(fill_key_id, row, o->key, ROLE_FAINT)

/* "hskey-auth-0123456789ab-***": the beginning and end common to all keys are left out. */
static void fill_key(const struct row *row, const struct clock_reading *at, struct list_field *out)
{
    const char *text = key_row_text(row), *kind = strchr(text, '-'), *own = kind ? strchr(kind + 1, '-') : NULL;
    size_t len;

    (void)at;
    text = str_starts(text, "hskey-") && own ? own + 1 : text;
    len = strlen(text);
    if (str_ends(text, "-***"))
        len -= 4;
    snprintf(out->text, sizeof(out->text), "%.*s", (int)len, text);
}

static void fill_key_owner(const struct row *row, const struct clock_reading *at, struct list_field *out)
{
    const char *owner = preauth_key_owner(row);

    (void)at;
    str_copy(out->text, sizeof(out->text), *owner ? owner : "-");
    out->role = preauth_key_of(row)->tags.len ? ROLE_TAG : ROLE_USER;
}

FILL(fill_uses, m_preauth_key,
     !o->api.reusable ? (o->api.used ? "used" : "once")
     : o->api.used    ? "reusable, used"
                      : "reusable",
     ROLE_TEXT)
FILL(fill_ephemeral, m_preauth_key, o->api.ephemeral ? "yes" : "no", ROLE_FAINT)
FILL_AGO(fill_preauth_age, m_preauth_key, created_ns)
FILL(fill_description, m_api_key, *o->api.description ? o->api.description : "-", ROLE_TEXT)
FILL(fill_access, m_api_key, o->api.read_only ? "read" : "full", ROLE_TEXT)
FILL_AGO(fill_api_age, m_api_key, created_ns)
FILL_AGO(fill_key_seen, m_api_key, last_seen_ns)
BY(by_key, row, strverscmp(p->key, q->key))
BY(by_key_owner, row, strverscmp(preauth_key_owner(p), preauth_key_owner(q)))
BY(by_key_expiry, row, COMPARE((uint64_t)key_row_expiry_ns(p) - 1, (uint64_t)key_row_expiry_ns(q) - 1))
BY(by_preauth_age, m_preauth_key, COMPARE(q->api.created_ns, p->api.created_ns))
BY(by_api_age, m_api_key, COMPARE(q->api.created_ns, p->api.created_ns))

static const struct list_column preauth_columns[] = {
    {.title = "S", .key = "state", .least = 1, .wish = 1, .fill = fill_key_sign},
    {.title = "ID", .key = "id", .least = 4, .wish = 5, .fill = fill_key_id, .compare = by_key},
    {.title = "OWNER",
     .key = "owner",
     .least = 10,
     .wish = 14,
     .share = 1,
     .fill = fill_key_owner,
     .compare = by_key_owner},
    {.title = "USES", .key = "uses", .least = 14, .wish = 14, .rank = 2, .fill = fill_uses},
    {.title = "EPHEMERAL", .key = "ephemeral", .least = 9, .wish = 9, .rank = 4, .fill = fill_ephemeral},
    {.title = "CREATED",
     .key = "created",
     .least = 7,
     .wish = 7,
     .rank = 3,
     .fill = fill_preauth_age,
     .compare = by_preauth_age},
    {.title = "EXPIRES",
     .key = "expiry",
     .least = 8,
     .wish = 8,
     .rank = 1,
     .fill = fill_key_expiry,
     .compare = by_key_expiry},
    {.title = "BEGINS WITH", .key = "key", .least = 12, .wish = 13, .share = 1, .rank = 5, .fill = fill_key},
};

static const struct list_column api_columns[] = {
    {.title = "S", .key = "state", .least = 1, .wish = 1, .fill = fill_key_sign},
    {.title = "ID", .key = "id", .least = 4, .wish = 5, .fill = fill_key_id, .compare = by_key},
    {.title = "DESCRIPTION",
     .key = "description",
     .least = 12,
     .wish = 20,
     .share = 2,
     .rank = 2,
     .fill = fill_description},
    {.title = "ACCESS", .key = "access", .least = 6, .wish = 6, .rank = 4, .fill = fill_access},
    {.title = "CREATED",
     .key = "created",
     .least = 7,
     .wish = 7,
     .rank = 3,
     .fill = fill_api_age,
     .compare = by_api_age},
    {.title = "EXPIRES",
     .key = "expiry",
     .least = 8,
     .wish = 8,
     .rank = 1,
     .fill = fill_key_expiry,
     .compare = by_key_expiry},
    {.title = "LAST USED", .key = "seen", .least = 9, .wish = 9, .rank = 5, .fill = fill_key_seen},
    {.title = "BEGINS WITH", .key = "key", .least = 12, .wish = 13, .share = 1, .rank = 6, .fill = fill_key},
};

static void preauth_words(const struct row *row, struct buf *out)
{
    const struct api_preauth_key *k = preauth_key_of(row);

    buf_addf(out, "%s %s %s", row->key, k->key, k->user ? k->user->name : "");
    for (size_t i = 0; i < k->tags.len; i++)
        buf_addf(out, " %s", k->tags.items[i]);
}

static void api_words(const struct row *row, struct buf *out)
{
    buf_addf(out, "%s %s %s", row->key, key_row_text(row), ((const struct m_api_key *)row)->api.description);
}

static const struct filter_field key_fields[] = {{"exp", FILTER_UNTIL, NULL, key_row_expiry_ns}};

static void collect_preauth(const struct model *m, struct list *l)
{
    list_add_all(l, m, ROW_PREAUTH_KEY);
}

static void collect_api(const struct model *m, struct list *l)
{
    list_add_all(l, m, ROW_API_KEY);
}

static const struct list_def preauth_def = {
    .noun = "pre-auth keys",
    .one = "pre-auth key",
    .empty = "no pre-auth keys: {new} creates one, for tailscale up --auth-key",
    .columns = preauth_columns,
    .column_count = ARRAY_LEN(preauth_columns),
    .fields = {.items = key_fields, .len = 1, .words = preauth_words},
    .sort = 1,
    .kinds = 1U << ROW_PREAUTH_KEY,
    .collect = collect_preauth,
};

static const struct list_def api_def = {
    .noun = "API keys",
    .one = "API key",
    .empty = "no API keys: {new} creates one, for programs and remote consoles",
    .columns = api_columns,
    .column_count = ARRAY_LEN(api_columns),
    .fields = {.items = key_fields, .len = 1, .words = api_words},
    .sort = 1,
    .kinds = 1U << ROW_API_KEY,
    .collect = collect_api,
};

static const struct console_command commands[] = {
    {.name = "keys",
     .keys = "7",
     .help = "pre-auth keys, API keys and OAuth clients",
     .args = "[pre-auth|api|oauth] [FILTER]",
     .where = IN_ANY,
     .opens = &keys_view},
};

const struct console_view keys_view = {
    .name = "keys",
    .title = "Keys",
    .digit = '7',
    .commands = COMMAND_TABLE(commands),
    .sections = {{IN_KEYS, "Lists of keys"}, {IN_CLIENTS, "OAuth clients"}},
    .parts = {{.name = "pre-auth", .def = &preauth_def, .where = IN_KEYS},
              {.name = "api", .def = &api_def, .where = IN_KEYS},
              {.name = "oauth", .def = &oauth_clients_def, .asked = &oauth_clients_asked, .where = IN_CLIENTS}},
};
