/* SPDX-License-Identifier: BSD-3-Clause */
/* How a client that is set up with a link finds this server: the pages and profiles at headscale's paths. */
#include <stdio.h>

#include "api/pages/html.h"
#include "api/pages/tables.h"
#include "api/request/args.h"
#include "api/request/reply.h"
#include "base/random.h"
#include "config/config.h"

#define UUID_TEXT_MAX 37

/* headscale: hscontrol/platform_config.go; these are the preference domains of the clients. */
static const struct {
    const char *name, *payload, *label;
} platforms[] = {
    {"ios", "io.tailscale.ipn.ios", "iPhone and iPad"},
    {"macos-app-store", "io.tailscale.ipn.macos", "Mac, Tailscale from the App Store"},
    {"macos-standalone", "io.tailscale.ipn.macsys", "Mac, Tailscale from its own site"},
};

static const char *server_url(struct rest_request *r)
{
    const struct config *c = api_config(r->api);
    const char *url = arena_strdup(&r->http.arena, c->server_url);

    config_unref(c);
    return url;
}

static void put_command(struct rest_request *r, const char *command)
{
    buf_addf(&r->http.out, "<pre>%s --login-server ", command);
    html_escape(&r->http.out, server_url(r));
    buf_adds(&r->http.out, "</pre>\n");
}

static enum http_flow apple_page(struct rest_request *r)
{
    page_begin(r, 200, "Join with an Apple device");
    page_text(r, "h2", "iPhone and iPad");
    page_text(r, "p",
              "In the Tailscale app open the account menu, choose Log in, then Use a custom coordination server, and "
              "give this address:");
    page_text(r, "pre", server_url(r));
    page_text(r, "h2", "Mac");
    page_text(
        r, "p",
        "In the menu of Tailscale hold Option, open Debug, choose Add Account under Custom Login Server, and give "
        "the same address; or in a terminal:");
    put_command(r, "tailscale login");
    page_text(r, "h2", "With a profile");
    page_text(r, "p", "These profiles only set that address. Install one, then log in in the app:");
    buf_adds(&r->http.out, "<ul>\n");
    for (size_t i = 0; i < ARRAY_LEN(platforms); i++)
        buf_addf(&r->http.out, "<li><a href=\"/apple/%s\">%s</a></li>\n", platforms[i].name, platforms[i].label);
    buf_adds(&r->http.out, "</ul>\n");
    return page_end(r);
}

static enum http_flow windows_page(struct rest_request *r)
{
    page_begin(r, 200, "Join with Windows");
    page_text(r, "p", "Install the official Tailscale client, then in a command prompt or PowerShell:");
    put_command(r, "tailscale login");
    page_text(r, "p", "A page opens with what the network's administrator does next.");
    return page_end(r);
}

static void uuid_make(char text[UUID_TEXT_MAX])
{
    uint8_t b[16];

    random_bytes(b, sizeof(b));
    b[6] = (uint8_t)((b[6] & 0x0f) | 0x40);
    b[8] = (uint8_t)((b[8] & 0x3f) | 0x80);
    snprintf(text, UUID_TEXT_MAX, "%02x%02x%02x%02x-%02x%02x-%02x%02x-%02x%02x-%02x%02x%02x%02x%02x%02x", b[0], b[1],
             b[2], b[3], b[4], b[5], b[6], b[7], b[8], b[9], b[10], b[11], b[12], b[13], b[14], b[15]);
}

static void put_text(struct buf *out, const char *key, const char *value)
{
    buf_addf(out, "<key>%s</key><string>", key);
    html_escape(out, value);
    buf_adds(out, "</string>\n");
}

static void put_head(struct buf *out, const char *type)
{
    char uuid[UUID_TEXT_MAX];

    uuid_make(uuid);
    put_text(out, "PayloadType", type);
    put_text(out, "PayloadUUID", uuid);
    buf_adds(out, "<key>PayloadVersion</key><integer>1</integer>\n");
}

static enum http_flow apple_profile(struct rest_request *r)
{
    const char *payload = NULL;

    for (size_t i = 0; i < ARRAY_LEN(platforms); i++)
        if (str_eq(platforms[i].name, r->http.params[0]))
            payload = platforms[i].payload;
    if (!payload)
        return http_reply_text(&r->http, 400, "platform must be ios, macos-app-store or macos-standalone\n");
    http_reply(&r->http, 200, "application/x-apple-aspen-config; charset=utf-8");
    buf_adds(&r->http.out,
             "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<!DOCTYPE plist PUBLIC \"-//Apple//DTD PLIST 1.0//EN\" "
             "\"http://www.apple.com/DTDs/PropertyList-1.0.dtd\">\n<plist version=\"1.0\">\n<dict>\n");
    put_head(&r->http.out, "Configuration");
    put_text(&r->http.out, "PayloadIdentifier", "headway.profile");
    put_text(&r->http.out, "PayloadDisplayName", "Tailscale login server");
    put_text(&r->http.out, "PayloadDescription", server_url(r));
    buf_adds(&r->http.out, "<key>PayloadRemovalDisallowed</key><false/>\n<key>PayloadContent</key>\n<array>\n<dict>\n");
    put_head(&r->http.out, payload);
    put_text(&r->http.out, "PayloadIdentifier", "headway.profile.client");
    buf_adds(&r->http.out, "<key>PayloadEnabled</key><true/>\n");
    put_text(&r->http.out, "ControlURL", server_url(r));
    buf_adds(&r->http.out, "</dict>\n</array>\n</dict>\n</plist>\n");
    return HTTP_DONE;
}

static const struct api_endpoint rows[] = {
    {PAGE("GET", "/apple", HTTP_PUBLIC), .run = apple_page, .help = "How an iPhone, an iPad or a Mac joins"},
    {PAGE("GET", "/apple/{platform}", HTTP_PUBLIC), .run = apple_profile,
     .help = "The profile that points such a device here"},
    {PAGE("GET", "/windows", HTTP_PUBLIC), .run = windows_page, .help = "How a machine with Windows joins"},
};
const struct http_table devices_table = API_TABLE(rows);
