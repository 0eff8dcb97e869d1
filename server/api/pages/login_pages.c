/* SPDX-License-Identifier: BSD-3-Clause */
/* The pages of a login with an OpenID provider: the way there, the confirmation, the result. */
#include "api/pages/login_pages.h"
#include "api/pages/html.h"
#include "api/pages/tables.h"
#include "api/request/args.h"
#include "api/request/reply.h"
#include "api/request/request.h"
#include "login/login.h"

struct login_page {
    struct login_visit visit; /* first */
    struct rest_request *request;
};

/* ---- parts of pages ---- */

static void put_cookies(struct rest_request *r, const struct login_visit *v)
{
    for (size_t i = 0; i < ARRAY_LEN(v->set_cookies); i++)
        if (v->set_cookies[i])
            http_header(&r->http, "Set-Cookie", arena_strdup(&r->http.arena, v->set_cookies[i]));
}

static void put_row(struct rest_request *r, const char *name, const char *value)
{
    buf_adds(&r->http.out, "<tr><th>");
    html_escape(&r->http.out, name);
    buf_adds(&r->http.out, "</th><td>");
    html_escape(&r->http.out, *value ? value : "(unknown)");
    buf_adds(&r->http.out, "</td></tr>\n");
}

static enum http_flow failed_page(struct rest_request *r, const struct login_visit *v)
{
    page_begin(r, err_http(v->err.code),
               v->err.code == ERR_UNAVAILABLE ? "The login cannot go on now" : "This login was refused");
    page_text(r, "p", v->err.message);
    if (v->err.code == ERR_UNAVAILABLE)
        page_text(r, "p", "Try again in some seconds. An administrator can also admit a machine that waits.");
    else if (*v->err.field)
        page_text(r, "p", "Who may log in is decided by the administrator of the network.");
    return page_end(r);
}

static enum http_flow choose_page(struct rest_request *r)
{
    const struct config *c = api_config(r->api);
    const struct config_provider *p;

    page_begin(r, 200, "Log in");
    page_text(r, "p", "With which account?");
    buf_adds(&r->http.out, "<ul>\n");
    for (size_t i = 0; (p = config_provider(c, i)); i++) {
        buf_adds(&r->http.out, "<li><a href=\"?provider=");
        html_escape(&r->http.out, p->name);
        buf_adds(&r->http.out, "\">");
        html_escape(&r->http.out, p->name);
        buf_addf(&r->http.out, "</a></li>\n");
    }
    buf_adds(&r->http.out, "</ul>\n");
    config_unref(c);
    return page_end(r);
}

static const char *name_of(const struct rest_request *r, uint64_t node_id)
{
    const struct tailnet_node *n = snapshot_node_by_id(r->s, node_id);

    return n ? n->record->given_name : "";
}

static void put_question(struct rest_request *r, const struct pending *p)
{
    char key[KEY_TEXT_MAX];

    buf_adds(&r->http.out, "<table>\n");
    if (p->ssh) {
        put_row(r, "from", name_of(r, p->ssh_source_id));
        put_row(r, "to", name_of(r, p->ssh_target_id));
        put_row(r, "as", p->ssh_user);
    } else {
        key_format("mkey:", p->machine_key, key);
        key[strlen("mkey:") + 12] = '\0';
        put_row(r, "machine", p->hostname);
        put_row(r, "system", p->os);
        put_row(r, "key", key);
        put_row(r, "asked from", p->source);
        for (size_t i = 0; i < p->request_tags.len; i++)
            put_row(r, "wants the tag", p->request_tags.items[i]);
    }
    buf_adds(&r->http.out, "</table>\n");
}

static enum http_flow ask_page(struct rest_request *r, const struct login_visit *v)
{
    const struct pending *p = v->pending;

    page_begin(r, 200, p->ssh ? "Is this SSH session yours?" : "Is this machine yours?");
    buf_adds(&r->http.out, "<p>You are logged in as <strong>");
    html_escape(&r->http.out, user_login(v->user));
    buf_adds(&r->http.out, "</strong>.</p>\n");
    put_question(r, p);
    page_text(r, "p",
              p->ssh ? "Only go on if you have just started it yourself."
                     : "Only go on if you have just started its login yourself: it becomes part of the network in your "
                       "name.");
    buf_adds(&r->http.out, "<form method=\"post\" action=\"/register/confirm/");
    html_escape(&r->http.out, p->auth_id);
    buf_adds(&r->http.out, "\"><input type=\"hidden\" name=\"token\" value=\"");
    html_escape(&r->http.out, v->answer_token);
    buf_addf(&r->http.out, "\"><button>%s</button></form>\n", p->ssh ? "Let it go on" : "Add this machine");
    return page_end(r);
}

static enum http_flow done_page(struct rest_request *r, const struct login_visit *v)
{
    page_begin(r, 200, v->pending->ssh ? "The session goes on" : "The machine is in");
    page_text(r, "p", "You can close this page.");
    return page_end(r);
}

static enum http_flow redirect_page(struct rest_request *r, const struct login_visit *v)
{
    page_begin(r, 302, "Log in");
    http_header(&r->http, "Location", arena_strdup(&r->http.arena, v->location));
    return page_end(r);
}

/* ---- the way of a request ---- */

static enum http_flow show(struct rest_request *r)
{
    struct login_page *page = r->state;
    const struct login_visit *v = &page->visit;
    enum http_flow flow = HTTP_DONE;

    put_cookies(r, v);
    switch (v->outcome) {
    case VISIT_FAILED:
        flow = failed_page(r, v);
        break;
    case VISIT_CHOOSE:
        flow = choose_page(r);
        break;
    case VISIT_REDIRECT:
        flow = redirect_page(r, v);
        break;
    case VISIT_ASK:
        flow = ask_page(r, v);
        break;
    case VISIT_DONE:
        flow = done_page(r, v);
        break;
    }
    login_visit_release(&page->visit);
    return flow;
}

static void on_done(struct login_visit *v)
{
    struct rest_request *r = v->owner;

    (void)request_later(r, HTTP_FAST, show);
}

static struct login_visit *new_visit(struct rest_request *r, enum visit_kind kind)
{
    struct login_page *page = arena_alloc(&r->http.arena, sizeof(*page));

    *page = (struct login_page){
        .request = r,
        .visit = {.kind = kind, .peer = r->http.peer, .cookies = r->http.cookie, .done = on_done, .owner = r}};
    r->state = page;
    return &page->visit;
}

static enum http_flow go(struct rest_request *r, struct login_visit *v)
{
    if (r->api->login && login_visit(r->api->login, v, &v->err) == 0)
        return HTTP_LATER;
    if (!r->api->login)
        err_set(&v->err, ERR_MISSING, "people do not log in here: the configuration names no provider");
    return failed_page(r, v);
}

enum http_flow login_begin_page(struct rest_request *r, const char *id)
{
    struct login_visit *v = new_visit(r, VISIT_BEGIN);
    char auth_id[AUTH_ID_LEN + 1];

    snprintf(auth_id, sizeof(auth_id), "hskey-authreq-%s", id);
    v->auth_id = arena_strdup(&r->http.arena, auth_id);
    v->provider = arg_query(r, "provider");
    return go(r, v);
}

static enum http_flow callback_page(struct rest_request *r)
{
    struct login_visit *v = new_visit(r, VISIT_CALLBACK);

    v->provider = r->http.params[0];
    v->state = arg_query(r, "state");
    v->code = arg_query(r, "code");
    v->refusal = arg_query(r, "error");
    v->issuer = arg_query(r, "iss");
    return go(r, v);
}

static enum http_flow confirm_page(struct rest_request *r)
{
    struct login_visit *v = new_visit(r, VISIT_CONFIRM);
    struct http_pair *fields = arena_alloc(&r->http.arena, HTTP_QUERY_MAX * sizeof(*fields));
    size_t count = 0;

    v->auth_id = r->http.params[0];
    if (http_query(&r->http.arena, buf_text(&r->http.body), fields, &count, &v->err) < 0)
        return failed_page(r, v);
    for (size_t i = 0; i < count; i++)
        if (str_eq(fields[i].name, "token"))
            v->form_token = fields[i].value;
    return go(r, v);
}

static const struct api_endpoint rows[] = {
    {PAGE("GET", "/oidc/callback", HTTP_PUBLIC), .run = callback_page,
     .help = "Where the OpenID provider whose keys stand alone sends people back to"},
    {PAGE("GET", "/oidc/callback/{provider}", HTTP_PUBLIC), .run = callback_page,
     .help = "Where an OpenID provider of the list sends people back to"},
    {PAGE("POST", "/register/confirm/{authId}", HTTP_PUBLIC), .http.body_max = 4096, .run = confirm_page,
     .help = "A person's yes to a machine or an SSH session"},
};
const struct http_table login_pages_table = API_TABLE(rows);
