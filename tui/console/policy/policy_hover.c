/* SPDX-License-Identifier: BSD-3-Clause */
/* What the selector at the editor's cursor means now: how many nodes of the tailnet, and the first ones by name. */
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>

#include "base/array.h"
#include "base/mem.h"
#include "console/app/app.h"
#include "console/policy/policy_page.h"
#include "console/text/outline.h"

struct meant {
    const char *name;     /* the selector without its ports */
    const char *tag;      /* or NULL */
    struct strs users;    /* "alice@", "alice@example.com" */
    struct prefix prefix; /* of a host, a network or an address */
    bool has_prefix, all, tagged, untagged, exits;
};

/* ---- what is written there ---- */

static bool is_defined(const struct meant *m, const struct outline_token *t, const char *section, const char *rest)
{
    size_t len = strlen(section), name = strlen(m->name);

    return strncmp(t->path, section, len) == 0 && t->path[len] == '/' &&
           strncmp(t->path + len + 1, m->name, name) == 0 && str_eq(t->path + len + 1 + name, rest);
}

/* The members of a group, the address of a host. */
static bool look_up(void *arg, const struct outline_token *t)
{
    struct meant *m = arg;
    char *text = t->closed && !t->key ? mem_strndup(t->text, t->len) : NULL;

    if (text && is_defined(m, t, "groups", "/[]"))
        strs_push(&m->users, text);
    else if (text && is_defined(m, t, "hosts", ""))
        m->has_prefix = prefix_parse(text, &m->prefix, NULL, NULL) == 0;
    free(text);
    return true;
}

/* False: it stands for no nodes. */
static bool understand(const struct policy_page *d, struct meant *m)
{
    static const char *const kinds[] = {"*", "autogroup:tagged", "autogroup:member", "autogroup:internet"};
    bool *const flags[] = {&m->all, &m->tagged, &m->untagged, &m->exits};

    for (size_t i = 0; i < ARRAY_LEN(kinds); i++)
        if (str_eq(m->name, kinds[i]))
            return *flags[i] = true;
    if (str_starts(m->name, "tag:")) {
        m->tag = m->name;
        return true;
    }
    if (str_starts(m->name, "autogroup:"))
        return false;
    if (strchr(m->name, '@') && !str_starts(m->name, "group:")) {
        strs_push(&m->users, m->name);
        return true;
    }
    m->has_prefix = prefix_parse(m->name, &m->prefix, NULL, NULL) == 0;
    if (!m->has_prefix)
        outline_each(&d->editor.text, look_up, m);
    return m->has_prefix || str_starts(m->name, "group:");
}

/* ---- which nodes are meant ---- */

static bool is_user(const struct meant *m, const struct api_user *u)
{
    for (size_t i = 0; i < m->users.len; i++) {
        const char *text = m->users.items[i];
        size_t name = strlen(u->name);

        if ((u->email && *u->email && strcasecmp(text, u->email) == 0) || str_eq(text, u->name) ||
            (strncmp(text, u->name, name) == 0 && str_eq(text + name, "@")))
            return true;
    }
    return false;
}

static bool routes_into(const struct meant *m, const struct m_node *n)
{
    for (size_t i = 0; i < n->routes.len; i++) {
        const struct api_route *route = &n->routes.items[i]->api;
        if (route->state >= ROUTE_STANDBY && prefix_covers(&m->prefix, &route->prefix))
            return true;
    }
    return false;
}

static bool has_address(const struct meant *m, const struct m_node *n)
{
    const struct addr *const own[] = {&n->api.addrs.v4, &n->api.addrs.v6};

    for (size_t i = 0; i < ARRAY_LEN(own); i++) {
        struct prefix p = {*own[i], own[i]->bits};
        if (p.bits && prefix_covers(&m->prefix, &p))
            return true;
    }
    return false;
}

static bool means(const struct meant *m, const struct m_node *n)
{
    if (m->all || (m->tagged && n->tagged) || (m->untagged && !n->tagged))
        return true;
    for (size_t i = 0; m->tag && i < n->api.tags.len; i++)
        if (str_eq(n->api.tags.items[i], m->tag))
            return true;
    for (size_t i = 0; m->exits && i < n->api.approved.len; i++)
        if (prefix_is_exit(&n->api.approved.items[i]))
            return true;
    if (m->users.len && !n->tagged && n->api.user && is_user(m, n->api.user))
        return true;
    return m->has_prefix && has_address(m, n);
}

static void count(const struct app *app, const struct meant *m, struct buf *out)
{
    const struct row_table *nodes = model_table(&app->model, ROW_NODE);
    struct buf names = BUF_INIT(0);
    size_t found = 0, routers = 0;

    for (size_t i = 0; i < nodes->rows.len; i++) {
        const struct m_node *n = (const struct m_node *)nodes->rows.items[i];

        if (n->row.gone_ms)
            continue;
        routers += m->has_prefix && routes_into(m, n);
        if (!means(m, n))
            continue;
        if (found++ < 3)
            buf_addf(&names, "%s%s", names.len ? ", " : ": ", n->api.given_name);
    }
    buf_addf(out, "%s matches %zu %s%s%s%s", m->name, found, m->exits ? "exit node" : "node", found == 1 ? "" : "s",
             buf_text(&names), found > 3 ? " ..." : "");
    if (routers)
        buf_addf(out, "; routes of %zu router%s are in it", routers, routers == 1 ? "" : "s");
    buf_release(&names);
}

/* ---- the line ---- */

/* A place where a selector stands. ports: it has some behind it. */
static bool is_selector(const struct outline_token *t, bool *ports)
{
    static const struct {
        const char *path;
        bool key, ports;
    } places[] = {
        {"groups", true, false},
        {"groups/*/[]", false, false},
        {"hosts", true, false},
        {"hosts/*", false, false},
        {"tagOwners", true, false},
        {"tagOwners/*/[]", false, false},
        {"acls/[]/src/[]", false, false},
        {"acls/[]/dst/[]", false, true},
        {"grants/[]/src/[]", false, false},
        {"grants/[]/dst/[]", false, false},
        {"grants/[]/via/[]", false, false},
        {"ssh/[]/src/[]", false, false},
        {"ssh/[]/dst/[]", false, false},
        {"autoApprovers/routes", true, false},
        {"autoApprovers/routes/*/[]", false, false},
        {"autoApprovers/exitNode/[]", false, false},
        {"nodeAttrs/[]/target/[]", false, false},
        {"tests/[]/src", false, false},
        {"tests/[]/accept/[]", false, true},
        {"tests/[]/deny/[]", false, true},
        {"sshTests/[]/src", false, false},
        {"sshTests/[]/dst/[]", false, false},
    };

    for (size_t i = 0; i < ARRAY_LEN(places); i++)
        if (t->key == places[i].key && outline_fits(places[i].path, t->path)) {
            *ports = places[i].ports;
            return true;
        }
    return false;
}

void policy_page_quiet(struct app *app, struct canvas *c, struct rect at)
{
    const struct policy_page *d = policy_page_of(app);
    struct outline_token t;
    char path[OUTLINE_PATH];
    bool ports;

    if (d->mode != POLICY_EDIT || d->question || app->dialog || !outline_at(&d->editor.text, d->editor.at, &t, path) ||
        !t.string || !t.closed || !t.len || !is_selector(&t, &ports))
        return;
    size_t len = t.len;
    for (size_t i = t.len; ports && len == t.len && i > 0; i--)
        if (t.text[i - 1] == ':')
            len = i - 1;
    char *name = mem_strndup(t.text, len);
    struct meant m = {.name = name};
    struct buf text = BUF_INIT(0), safe = BUF_INIT(0);
    if (understand(d, &m)) {
        count(app, &m, &text);
        str_safe(&safe, buf_text(&text), text.len);
        canvas_text(c, at.row, 1, at.cols - 2, ROLE_FAINT, buf_text(&safe));
    }
    buf_release(&text);
    buf_release(&safe);
    strs_release(&m.users);
    free(name);
}
