/* SPDX-License-Identifier: BSD-3-Clause */
/* The events that webhooks receive. The names are Tailscale's (https://tailscale.com/kb/1213/webhooks) where it has
 * one. */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/buf.h"
#include "base/mem.h"
#include "model/events.h"
#include "net/addr.h"
#include "tailscale/tailscale.h"

#define URL_MAX           2048
#define HOST_MAX          253
#define SUBSCRIPTIONS_MAX 64

static const char tailnet_management[] = "categoryTailnetManagement";
static const char misconfigurations[] = "categoryDeviceMisconfigurations";
static const char routes[] = "categoryRoutes";

const struct webhook_type webhook_types[] = {
    {"nodeCreated", tailnet_management, EVENT_NODE_REGISTERED, "A node joined the tailnet"},
    {"nodeNeedsApproval", tailnet_management, EVENT_NODE_WAITING, "A node waits for approval"},
    {"nodeApproved", tailnet_management, EVENT_NODE_AUTHORIZED, "A node was approved"},
    {"nodeKeyExpiringInOneDay", tailnet_management, EVENT_NODE_EXPIRING, "A node's key expires within a day"},
    {"nodeKeyExpired", tailnet_management, EVENT_NODE_EXPIRED, "A node's key expired"},
    {"nodeDeleted", tailnet_management, EVENT_NODE_DELETED, "A node was deleted"},
    {"policyUpdate", tailnet_management, EVENT_POLICY_CHANGED, "The policy was changed"},
    {"userCreated", tailnet_management, EVENT_USER_CREATED, "A user was created"},
    {"userSuspended", tailnet_management, EVENT_USER_SUSPENDED, "A user was suspended"},
    {"userRestored", tailnet_management, EVENT_USER_RESUMED, "A user is suspended no longer"},
    {"userDeleted", tailnet_management, EVENT_USER_DELETED, "A user was deleted"},
    {"userRoleUpdated", tailnet_management, EVENT_USER_ROLE, "A user has another role"},
    {"registrationNeedsApproval", tailnet_management, EVENT_REGISTRATION_PENDING,
     "A node wants to join, or an SSH session to begin, and waits for approval"},
    {"subnetIPForwardingNotEnabled", misconfigurations, EVENT_NODE_WARNING,
     "A subnet router does not forward: IP forwarding is off"},
    {"exitNodeIPForwardingNotEnabled", misconfigurations, EVENT_NODE_WARNING,
     "An exit node does not forward: IP forwarding is off"},
    {"nodeUnhealthy", misconfigurations, EVENT_NODE_UNHEALTHY, "A router answers no probe although it is connected"},
    {"routeNeedsApproval", routes, EVENT_ROUTE_ADVERTISED, "A node advertises routes that are not approved"},
    {"routeFailover", routes, EVENT_ROUTE_FAILOVER, "A prefix moved from one router to another"},
    {"prefixUnserved", routes, EVENT_ROUTE_UNSERVED, "A prefix lost its last router"},
    {"prefixServed", routes, EVENT_ROUTE_SERVED, "A prefix that nobody served has a router"},
    {"prefixUnreachable", routes, EVENT_ROUTE_UNREACHED, "A host behind a router that is online does not answer"},
    {"exitNodeDown", routes, EVENT_EXIT_ENDED, "An exit node can no longer be used"},
    {"exitNodeUp", routes, EVENT_EXIT_USABLE, "A node can be used as an exit node"},
    {"webhookUpdated", NULL, EVENT_WEBHOOK_CHANGED, "The webhook's subscriptions were changed"},
    {"webhookUpdated", NULL, EVENT_WEBHOOK_ROTATED, "The webhook's secret was rotated"},
    {"webhookDeleted", NULL, EVENT_WEBHOOK_DELETED, "The webhook was deleted"},
    {"test", NULL, EVENT_WEBHOOK_TESTED, "Somebody asked for a test event"},
};
const size_t webhook_type_count = ARRAY_LEN(webhook_types);

/* Types of Tailscale's whose events never occur in headway: a subscription would wait forever. */
static const char *const without_source[] = {"userNeedsApproval", "userApproved", "nodeSigned", "nodeNeedsSignature"};

static const char *const providers[] = {"", "slack", "mattermost", "googlechat", "discord"};

bool webhook_subscribes(const struct strs *subscriptions, const struct webhook_type *type)
{
    return !type->category || strs_has(subscriptions, type->name) || strs_has(subscriptions, type->category);
}

static bool is_subscription(const char *name)
{
    for (size_t i = 0; i < webhook_type_count; i++) {
        const struct webhook_type *t = &webhook_types[i];
        if (t->category && (str_eq(t->name, name) || str_eq(t->category, name)))
            return true;
    }
    return false;
}

static bool is_one_of(const char *text, const char *const *words, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (str_eq(words[i], text))
            return true;
    return false;
}

static int check_subscriptions(const struct strs *subscriptions, struct err *e)
{
    if (!subscriptions->len)
        return err_field(e, ERR_INVALID, "subscriptions", "a webhook needs at least one subscription");
    if (subscriptions->len > SUBSCRIPTIONS_MAX)
        return err_field(e, ERR_INVALID, "subscriptions", "more than %d subscriptions", SUBSCRIPTIONS_MAX);
    for (size_t i = 0; i < subscriptions->len; i++) {
        const char *name = subscriptions->items[i];
        if (is_one_of(name, without_source, ARRAY_LEN(without_source)))
            return err_field(e, ERR_INVALID, "subscriptions",
                             "there are no events of the type '%s' here: headway has neither approval of users nor "
                             "tailnet lock",
                             name);
        if (!is_subscription(name))
            return err_field(e, ERR_INVALID, "subscriptions", "'%.80s' is no type of events", name);
    }
    return 0;
}

/* The host with its port, within url; *len 0 if there is none. */
static const char *find_host(const char *url, size_t *len)
{
    const char *at = strstr(url, "://");

    at = at ? at + 3 : url;
    *len = strcspn(at, "/?#");
    return at;
}

char *webhook_host(const char *url)
{
    size_t len;
    const char *host = find_host(url, &len);

    return mem_format("%.*s", (int)(len < 255 ? len : 255), host);
}

/* The rest of a host: nothing, or a colon with a port or without one (RFC 3986, 3.2.3). */
static bool is_port(const char *text, size_t len)
{
    char digits[6];
    uint64_t port;

    if (len < 2)
        return len == 0 || *text == ':';
    if (*text != ':' || len > sizeof(digits))
        return false;
    memcpy(digits, text + 1, len - 1);
    digits[len - 1] = '\0';
    return str_u64(digits, 1, 65535, &port, "", NULL) == 0;
}

static bool is_host(const char *text, size_t len)
{
    char copy[HOST_MAX + 1];
    struct addr a;

    if (len > HOST_MAX)
        return false;
    if (*text == '[') {
        memcpy(copy, text + 1, len - 2);
        copy[len - 2] = '\0';
        return strchr(copy, ':') && (addr_parse(copy, &a, NULL) == 0 || str_starts(copy, "::ffff:"));
    }
    for (size_t i = 0, label = 0; i < len; i++) {
        label = text[i] == '.' ? 0 : label + 1;
        if ((text[i] == '.' && (i == 0 || text[i - 1] == '.')) || label > 63 ||
            (text[i] != '.' && !isalnum((unsigned char)text[i]) && !strchr("-_", text[i])))
            return false;
    }
    return true;
}

static int check_host(const char *host, size_t len, struct err *e)
{
    size_t bracket = *host == '[' && memchr(host, ']', len) ? strcspn(host, "]") + 1 : 0;
    const char *colon = memchr(host + bracket, ':', len - bracket);
    size_t name = bracket ? bracket : colon ? (size_t)(colon - host) : len;

    if (!name)
        return err_field(e, ERR_INVALID, "endpointUrl", "endpointUrl names no host");
    if (!is_port(host + name, len - name))
        return err_field(e, ERR_INVALID, "endpointUrl", "endpointUrl: '%.*s' is no host with a port from 1 to 65535",
                         (int)(len < 80 ? len : 80), host);
    return is_host(host, name) ? 0
                               : err_field(e, ERR_INVALID, "endpointUrl", "endpointUrl: '%.*s' is no host",
                                           (int)(name < 80 ? name : 80), host);
}

static int check_url(const char *url, struct err *e)
{
    size_t len;
    const char *host = find_host(url, &len);

    if (!*url)
        return err_field(e, ERR_INVALID, "endpointUrl", "endpointUrl is missing");
    if (!str_starts(url, "http://") && !str_starts(url, "https://"))
        return err_field(e, ERR_INVALID, "endpointUrl", "endpointUrl must begin with https:// or http://");
    if (strlen(url) > URL_MAX)
        return err_field(e, ERR_INVALID, "endpointUrl", "endpointUrl is longer than %d bytes", URL_MAX);
    for (const char *c = url; *c; c++)
        if (*c <= ' ' || *c >= 0x7f || strchr("\"<>\\^`{|}", *c))
            return err_field(e, ERR_INVALID, "endpointUrl",
                             "endpointUrl holds a character that no URL holds unescaped, at place %zu",
                             (size_t)(c - url) + 1);
    if (memchr(host, '@', len))
        return err_field(e, ERR_INVALID, "endpointUrl",
                         "endpointUrl may hold no user name or password: deliveries are signed instead");
    return check_host(host, len, e);
}

int webhook_check(const char *url, const char *provider, const struct strs *subscriptions, struct err *e)
{
    int rc = check_url(url, e);

    if (rc == 0 && !is_one_of(provider, providers, ARRAY_LEN(providers)))
        rc = err_field(e, ERR_INVALID, "providerType",
                       "'%.40s' is no kind of receiver: slack, mattermost, googlechat, discord, or empty", provider);
    return rc == 0 ? check_subscriptions(subscriptions, e) : rc;
}
