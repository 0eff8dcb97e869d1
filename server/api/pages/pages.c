/* SPDX-License-Identifier: BSD-3-Clause */
/* Web pages. They load nothing and run no script. */
#include <stdio.h>
#include <stdlib.h>

#include "api/pages/html.h"
#include "api/pages/login_pages.h"
#include "api/pages/tables.h"
#include "api/request/args.h"
#include "api/request/reply.h"

void html_escape(struct buf *out, const char *text)
{
    for (; *text; text++)
        switch (*text) {
        case '<':
            buf_adds(out, "&lt;");
            break;
        case '>':
            buf_adds(out, "&gt;");
            break;
        case '&':
            buf_adds(out, "&amp;");
            break;
        case '"':
            buf_adds(out, "&quot;");
            break;
        case '\'':
            buf_adds(out, "&#39;");
            break;
        default:
            buf_addc(out, *text);
        }
}

void page_begin(struct rest_request *r, int status, const char *title)
{
    http_reply(&r->http, status, "text/html; charset=utf-8");
    buf_adds(&r->http.out, "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
                           "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
                           "<link rel=\"icon\" href=\"data:,\">\n<title>");
    html_escape(&r->http.out, title);
    buf_adds(&r->http.out,
             "</title>\n<style>\n:root{color-scheme:light dark}\n"
             "body{font:16px/1.5 system-ui,sans-serif;max-width:46rem;margin:4rem auto;padding:0 1rem}\n"
             "h1{font-size:1.4rem}\npre{padding:1rem;border:1px solid #8888;border-radius:6px;overflow-x:auto;"
             "white-space:pre-wrap;overflow-wrap:anywhere}\ntable{border-collapse:collapse}\n"
             "td,th{text-align:left;vertical-align:top;padding:.2rem .8rem .2rem 0}\nsmall{opacity:.7}\n"
             "</style>\n</head>\n<body>\n<h1>");
    html_escape(&r->http.out, title);
    buf_adds(&r->http.out, "</h1>\n");
}

enum http_flow page_end(struct rest_request *r)
{
    buf_adds(&r->http.out, "</body>\n</html>\n");
    return HTTP_DONE;
}

void page_text(struct rest_request *r, const char *element, const char *text)
{
    buf_addf(&r->http.out, "<%s>", element);
    html_escape(&r->http.out, text);
    buf_addf(&r->http.out, "</%s>\n", element);
}

static enum http_flow root_page(struct rest_request *r)
{
    page_begin(r, 200, "headway");
    page_text(r, "p", "This is the control server of a private network. There is nothing to see here in a browser.");
    return page_end(r);
}

static enum http_flow robots_page(struct rest_request *r)
{
    return http_reply_text(&r->http, 200, "User-agent: *\nDisallow: /\n");
}

/* "hskey-authreq-" and 24 characters, or the latter alone as up to headscale 0.28. */
static const char *read_auth_id(const char *text)
{
    static const char start[] = "hskey-authreq-";
    const char *id = str_starts(text, start) ? text + strlen(start) : text;

    if (strlen(id) != 24 || strspn(id, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_") != 24)
        return NULL;
    return id;
}

static enum http_flow bad_auth_id(struct rest_request *r)
{
    page_begin(r, 400, "This link is incomplete");
    page_text(r, "p",
              "The id at its end must be hskey-authreq- and 24 characters. Take the whole link that the client "
              "printed, or run tailscale up again.");
    return page_end(r);
}

static enum http_flow register_page(struct rest_request *r)
{
    const char *id = read_auth_id(r->http.params[0]);

    if (!id)
        return bad_auth_id(r);
    if (r->api->login)
        return login_begin_page(r, id);
    page_begin(r, 200, "Register this machine");
    page_text(r, "p",
              "An administrator of the network admits it with this command, with the name of the user that it "
              "shall belong to in place of USERNAME:");
    buf_adds(&r->http.out, "<pre>headway auth register --auth-id hskey-authreq-");
    html_escape(&r->http.out, id);
    buf_adds(&r->http.out, " --user USERNAME</pre>\n");
    page_text(r, "p",
              "The machine waits meanwhile and goes on by itself. It is also listed in the console, under "
              "pending registrations.");
    page_text(r, "small",
              "Only pass this on if you started it yourself: whoever is admitted becomes part of the "
              "network.");
    return page_end(r);
}

/* Clients derive its address from the server's (ipn/ipnlocal, NeedsMachineAuth). */
static enum http_flow admin_page(struct rest_request *r)
{
    page_begin(r, 200, "A machine waits for approval");
    page_text(r, "p", "An administrator of the network lets it in with these commands; NAME is a name of the list:");
    buf_adds(&r->http.out, "<pre>headway nodes list --waiting\nheadway nodes approve NAME</pre>\n");
    page_text(r, "p",
              "or in the console, which lists the machine among the pending registrations: select it and press a.");
    page_text(r, "p", "The machine waits meanwhile and goes on by itself.");
    return page_end(r);
}

static enum http_flow auth_page(struct rest_request *r)
{
    const char *id = read_auth_id(r->http.params[0]);

    if (!id)
        return bad_auth_id(r);
    if (r->api->login)
        return login_begin_page(r, id);
    page_begin(r, 200, "Confirm this session");
    page_text(r, "p", "An administrator of the network lets it go on with this command:");
    buf_adds(&r->http.out, "<pre>headway auth approve --auth-id hskey-authreq-");
    html_escape(&r->http.out, id);
    buf_adds(&r->http.out, "</pre>\n");
    page_text(r, "p", "The session waits meanwhile and goes on by itself.");
    return page_end(r);
}

static const struct api_endpoint rows[] = {
    {PAGE("GET", "/", HTTP_PUBLIC | HTTP_UNIX), .run = root_page, .help = "A word about what answers here"},
    {PAGE("GET", "/robots.txt", HTTP_PUBLIC), .run = robots_page, .help = "Keeps search engines away"},
    {PAGE("GET", "/register/{authId}", HTTP_PUBLIC), .run = register_page,
     .help = "Tells whoever registers a node what an administrator types"},
    {PAGE("GET", "/admin", HTTP_PUBLIC), .run = admin_page,
     .help = "Tells whoever waits for the approval of a machine what an administrator types"},
    {PAGE("GET", "/auth/{authId}", HTTP_PUBLIC), .run = auth_page,
     .help = "The same for a session that waits for a check"},
};
const struct http_table pages_table = API_TABLE(rows);
