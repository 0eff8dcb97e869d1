/* SPDX-License-Identifier: BSD-3-Clause */
#include "console/commands/targets.h"

const char *row_path(enum row_kind kind)
{
    static const char *const paths[ROW_KINDS] = {
        [ROW_NODE] = "nodes",       [ROW_USER] = "users",      [ROW_PREAUTH_KEY] = "preauthkeys",
        [ROW_API_KEY] = "apikeys",  [ROW_PENDING] = "pending", [ROW_OAUTH_CLIENT] = "oauth-clients",
        [ROW_WEBHOOK] = "webhooks",
    };

    return kind < ROW_KINDS ? paths[kind] : NULL;
}

uint64_t row_version(const struct row *row)
{
    switch (row->kind) {
    case ROW_NODE:
        return ((const struct m_node *)row)->api.version;
    case ROW_USER:
        return ((const struct m_user *)row)->api.version;
    case ROW_OAUTH_CLIENT:
        return ((const struct m_oauth_client *)row)->api.version;
    case ROW_WEBHOOK:
        return ((const struct m_webhook *)row)->api.version;
    default:
        return 0;
    }
}

void whole_targets(struct app *app, struct rows *out)
{
    if (app_node(app))
        vec_push(out, &app_node(app)->row);
    else
        app_targets(app, out);
    for (size_t i = out->len; i-- > 0;)
        if (out->items[i]->gone_ms || !row_path(out->items[i]->kind))
            vec_remove(out, i);
}

bool names_row(const struct app *app, enum row_kind kind, const char *words)
{
    const struct row_table *t = model_table(&app->model, kind);
    size_t len = strcspn(words, " ");

    for (size_t i = 0; i < t->rows.len; i++) {
        const char *label = row_label(t->rows.items[i]);

        if (!t->rows.items[i]->gone_ms && strlen(label) == len && strncmp(label, words, len) == 0)
            return true;
    }
    return false;
}

char *prefix_path(const char *prefix, const char *tail)
{
    struct buf path = BUF_INIT(0);

    buf_adds(&path, "/api/headway/prefixes/");
    for (const char *c = prefix; *c; c++)
        if (*c == '/')
            buf_adds(&path, "%2F");
        else if (*c == ':')
            buf_adds(&path, "%3A");
        else
            buf_addc(&path, *c);
    buf_adds(&path, tail);
    return buf_take(&path);
}
