/* SPDX-License-Identifier: BSD-3-Clause */
/* Users, keys, and those who wait at the door. */
#include <stdio.h>

#include "base/array.h"
#include "console/app/app.h"

static const struct m_user *user_of(const struct row *row)
{
    return (const struct m_user *)row;
}

static const struct api_preauth_key *preauth_key_of(const struct row *row)
{
    return &((const struct m_preauth_key *)row)->api;
}

static const struct m_pending *pending_of(const struct row *row)
{
    return (const struct m_pending *)row;
}

#define FILL(name, type, expression, colour)                                                                           \
    static void name(const struct row *row, const struct clock_reading *at, struct list_field *out)                    \
    {                                                                                                                  \
        const struct type *o = (const struct type *)row;                                                               \
                                                                                                                       \
        (void)at;                                                                                                      \
        str_copy(out->text, sizeof(out->text), expression);                                                            \
        out->role = (colour);                                                                                          \
    }
#define FILL_AGO(name, type, member)                                                                                   \
    static void name(const struct row *row, const struct clock_reading *at, struct list_field *out)                    \
    {                                                                                                                  \
        char text[AGO_MAX];                                                                                            \
                                                                                                                       \
        str_copy(out->text, sizeof(out->text), ago_text(((const struct type *)row)->api.member, at->now_ns, text));    \
        out->role = ROLE_TIME;                                                                                         \
    }
#define BY(name, type, expression)                                                                                     \
    static int name(const struct row *a, const struct row *b)                                                          \
    {                                                                                                                  \
        const struct type *p = (const struct type *)a, *q = (const struct type *)b;                                    \
                                                                                                                       \
        return expression;                                                                                             \
    }
#define COMPARE(x, y) (((x) > (y)) - ((x) < (y)))

static void collect_kind(const struct model *m, struct list *l, enum row_kind kind)
{
    const struct row_table *t = model_table(m, kind);

    for (size_t i = 0; i < t->rows.len; i++)
        list_add(l, t->rows.items[i]);
}

/* ---- users ---- */

FILL(fill_user, m_user, o->api.name, ROLE_NAME)
FILL(fill_display, m_user, *o->api.display_name ? o->api.display_name : "-", ROLE_TEXT)
FILL(fill_email, m_user, *o->api.email ? o->api.email : "-", ROLE_FAINT)
FILL(fill_role, m_user, user_role_name(o->api.role), ROLE_TAG)
FILL_AGO(fill_user_age, m_user, created_ns)
BY(by_user, m_user, strverscmp(p->api.name, q->api.name))
BY(by_nodes, m_user, COMPARE(q->api.node_count, p->api.node_count))
BY(by_user_age, m_user, COMPARE(q->api.created_ns, p->api.created_ns))

static void fill_nodes(const struct row *row, const struct clock_reading *at, struct list_field *out)
{
    (void)at;
    snprintf(out->text, sizeof(out->text), "%llu", (unsigned long long)user_of(row)->api.node_count);
}

static const struct list_column user_columns[] = {
    {.title = "NAME", .key = "name", .least = 14, .wish = 20, .share = 2, .fill = fill_user, .compare = by_user},
    {.title = "ROLE", .key = "role", .least = 7, .wish = 8, .rank = 2, .fill = fill_role},
    {.title = "NODES",
     .key = "nodes",
     .least = 5,
     .wish = 6,
     .rank = 1,
     .right = true,
     .fill = fill_nodes,
     .compare = by_nodes},
    {.title = "DISPLAY NAME", .key = "display", .least = 12, .wish = 16, .share = 1, .rank = 4, .fill = fill_display},
    {.title = "EMAIL", .key = "email", .least = 12, .wish = 20, .share = 2, .rank = 5, .fill = fill_email},
    {.title = "CREATED",
     .key = "created",
     .least = 8,
     .wish = 8,
     .rank = 3,
     .fill = fill_user_age,
     .compare = by_user_age},
};

static void user_words(const struct row *row, struct buf *out)
{
    const struct m_user *u = user_of(row);

    buf_addf(out, "%s %s %s %s", u->api.name, u->api.display_name, u->api.email, user_role_name(u->api.role));
}

static void collect_users(const struct model *m, struct list *l)
{
    collect_kind(m, l, ROW_USER);
}

const struct list_def users_def = {
    .noun = "users",
    .one = "user",
    .empty = "no users yet: N makes one",
    .columns = user_columns,
    .column_count = ARRAY_LEN(user_columns),
    .fields = {.words = user_words},
    .sort = 0,
    .kinds = 1U << ROW_USER,
    .collect = collect_users,
};

/* ---- keys ---- */

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

/* "hskey-auth-0123456789ab-***": what all keys begin and end with says nothing. */
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
FILL(fill_access, m_api_key, o->api.read_only ? "read" : "all", ROLE_TEXT)
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
    {.title = "KEY", .key = "key", .least = 12, .wish = 13, .share = 1, .rank = 5, .fill = fill_key},
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
    {.title = "MAY", .key = "access", .least = 5, .wish = 5, .rank = 4, .fill = fill_access},
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
    {.title = "KEY", .key = "key", .least = 12, .wish = 13, .share = 1, .rank = 6, .fill = fill_key},
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
    collect_kind(m, l, ROW_PREAUTH_KEY);
}

static void collect_api(const struct model *m, struct list *l)
{
    collect_kind(m, l, ROW_API_KEY);
}

const struct list_def preauth_def = {
    .noun = "pre-auth keys",
    .one = "pre-auth key",
    .empty = "no pre-auth keys: N makes one, for tailscale up --auth-key",
    .columns = preauth_columns,
    .column_count = ARRAY_LEN(preauth_columns),
    .fields = {.items = key_fields, .len = 1, .words = preauth_words},
    .sort = 1,
    .kinds = 1U << ROW_PREAUTH_KEY,
    .collect = collect_preauth,
};

const struct list_def api_def = {
    .noun = "API keys",
    .one = "API key",
    .empty = "no API keys: N makes one, for programs and for this console from afar",
    .columns = api_columns,
    .column_count = ARRAY_LEN(api_columns),
    .fields = {.items = key_fields, .len = 1, .words = api_words},
    .sort = 1,
    .kinds = 1U << ROW_API_KEY,
    .collect = collect_api,
};

/* ---- registrations that wait ---- */

FILL(fill_host, m_pending, *o->api.hostname ? o->api.hostname : "-", ROLE_NAME)
FILL(fill_what, m_pending, o->api.kind == API_PENDING_SSH ? "ssh check" : "join", ROLE_WAIT)
FILL(fill_os, m_pending, o->api.os, ROLE_FAINT)
FILL(fill_source, m_pending, o->api.source, ROLE_ADDRESS)
FILL(fill_wanted, m_pending, o->api.request_tags.len ? o->api.request_tags.items[0] : "-", ROLE_TAG)
FILL(fill_auth_id, m_pending, o->row.key, ROLE_FAINT)
FILL_AGO(fill_waiting, m_pending, created_ns)
BY(by_waiting, m_pending, COMPARE(p->api.created_ns, q->api.created_ns))
BY(by_host, m_pending, strverscmp(p->api.hostname, q->api.hostname))

static const struct list_column pending_columns[] = {
    {.title = "HOST", .key = "name", .least = 14, .wish = 18, .share = 2, .fill = fill_host, .compare = by_host},
    {.title = "WAITS", .key = "waiting", .least = 6, .wish = 6, .fill = fill_waiting, .compare = by_waiting},
    {.title = "FOR", .key = "kind", .least = 9, .wish = 9, .rank = 3, .fill = fill_what},
    {.title = "OS", .key = "os", .least = 8, .wish = 8, .rank = 2, .fill = fill_os},
    {.title = "FROM", .key = "source", .least = 15, .wish = 21, .rank = 1, .fill = fill_source},
    {.title = "TAGS", .key = "tags", .least = 10, .wish = 12, .rank = 4, .fill = fill_wanted},
    {.title = "ID", .key = "id", .least = 12, .wish = 38, .share = 1, .rank = 5, .fill = fill_auth_id},
};

static void pending_words(const struct row *row, struct buf *out)
{
    const struct m_pending *p = pending_of(row);

    buf_addf(out, "%s %s %s %s %s", p->api.hostname, p->api.os, p->api.source,
             p->api.kind == API_PENDING_SSH ? "ssh" : "register", row->key);
}

static void collect_pending(const struct model *m, struct list *l)
{
    collect_kind(m, l, ROW_PENDING);
}

const struct list_def pending_def = {
    .noun = "waiting",
    .one = "waiting",
    .empty = "nobody waits: tailscale up without a key asks to join, and is shown here",
    .columns = pending_columns,
    .column_count = ARRAY_LEN(pending_columns),
    .fields = {.words = pending_words},
    .sort = 1,
    .kinds = 1U << ROW_PENDING,
    .collect = collect_pending,
};

void pane_pending(struct app *app, struct canvas *c, struct rect at)
{
    const struct row *row = app_list(app)->cursor;
    struct buf list = BUF_INIT(0);
    char prefix[PREFIX_TEXT_MAX];

    if (!row || row->kind != ROW_PENDING)
        return;
    const struct m_pending *p = pending_of(row);
    int col = at.col + 3, width = at.cols - 16;
    pane_section(c, at.row, at.col, at.cols, *p->api.hostname ? p->api.hostname : "registration",
                 "a approve, x reject");
    canvas_text(c, at.row + 1, col, 12, ROLE_LABEL, "link");
    canvas_text(c, at.row + 1, col + 12, width, ROLE_TEXT, row->key);
    canvas_text(c, at.row + 2, col, 12, ROLE_LABEL, "");
    canvas_text(c, at.row + 2, col + 12, width, ROLE_FAINT, "must be what the person's own terminal or browser shows");
    canvas_text(c, at.row + 3, col, 12, ROLE_LABEL, "client");
    canvas_textf(c, at.row + 3, col + 12, width, ROLE_TEXT, "%s %s from %s", p->api.os, p->api.client_version,
                 p->api.source);
    for (size_t i = 0; i < p->api.routes.len; i++)
        buf_addf(&list, "%s%s", i ? ", " : "", prefix_format(&p->api.routes.items[i], prefix));
    canvas_text(c, at.row + 4, col, 12, ROLE_LABEL, p->ssh ? "session" : "routes");
    canvas_text(c, at.row + 4, col + 12, width, ROLE_TEXT, p->ssh ? p->ssh : list.len ? list.data : "none");
    canvas_text(c, at.row + 5, col, 12, ROLE_LABEL, "or run");
    canvas_text(c, at.row + 5, col + 12, width, ROLE_FAINT, p->api.command);
    buf_release(&list);
}
