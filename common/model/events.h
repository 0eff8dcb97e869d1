/* SPDX-License-Identifier: BSD-3-Clause */
/* The kinds of journal entries: one table for the journal, the API's documentation and the console's colours. */
#ifndef COMMON_MODEL_EVENTS_H
#define COMMON_MODEL_EVENTS_H

enum event_weight { WEIGHT_INFO, WEIGHT_CHANGE, WEIGHT_WARN, WEIGHT_ALARM };

/*    id, kind, text for people (at most 20 columns), weight, whether it can be undone */
#define EVENT_KINDS(X)                                                                                                 \
    X(EVENT_SERVER_STARTED, "server.started", "server started", WEIGHT_INFO, false)                                    \
    X(EVENT_SERVER_IMPORTED, "server.imported", "tailnet imported", WEIGHT_CHANGE, false)                              \
    X(EVENT_SERVER_STOPPED, "server.stopped", "server stopped", WEIGHT_INFO, false)                                    \
    X(EVENT_CONFIG_RELOADED, "config.reloaded", "config reloaded", WEIGHT_INFO, false)                                 \
    X(EVENT_SERVER_MESSAGE, "server.message", "message to clients", WEIGHT_CHANGE, true)                               \
    X(EVENT_DNS_CHANGED, "dns.changed", "DNS changed", WEIGHT_CHANGE, true)                                            \
    X(EVENT_USER_CREATED, "user.created", "user created", WEIGHT_CHANGE, true)                                         \
    X(EVENT_USER_RENAMED, "user.renamed", "user renamed", WEIGHT_CHANGE, true)                                         \
    X(EVENT_USER_ROLE, "user.role", "role changed", WEIGHT_CHANGE, true)                                               \
    X(EVENT_USER_LOGIN, "user.login", "user logged in", WEIGHT_INFO, false)                                            \
    X(EVENT_USER_LINKED, "user.linked", "login linked", WEIGHT_CHANGE, true)                                           \
    X(EVENT_USER_SUSPENDED, "user.suspended", "user suspended", WEIGHT_WARN, true)                                     \
    X(EVENT_USER_RESUMED, "user.resumed", "user restored", WEIGHT_CHANGE, true)                                        \
    X(EVENT_USER_DELETED, "user.deleted", "user deleted", WEIGHT_CHANGE, false)                                        \
    X(EVENT_PREAUTHKEY_CREATED, "preauthkey.created", "pre-auth key created", WEIGHT_CHANGE, true)                     \
    X(EVENT_PREAUTHKEY_EXPIRED, "preauthkey.expired", "pre-auth key expired", WEIGHT_CHANGE, false)                    \
    X(EVENT_PREAUTHKEY_DELETED, "preauthkey.deleted", "pre-auth key deleted", WEIGHT_CHANGE, false)                    \
    X(EVENT_PREAUTHKEY_REVOKED, "preauthkey.revoked", "pre-auth key revoked", WEIGHT_CHANGE, false)                    \
    X(EVENT_APIKEY_CREATED, "apikey.created", "API key created", WEIGHT_CHANGE, true)                                  \
    X(EVENT_APIKEY_EXPIRED, "apikey.expired", "API key expired", WEIGHT_CHANGE, false)                                 \
    X(EVENT_APIKEY_DELETED, "apikey.deleted", "API key deleted", WEIGHT_CHANGE, false)                                 \
    X(EVENT_OAUTHCLIENT_CREATED, "oauthclient.created", "OAuth client created", WEIGHT_CHANGE, true)                   \
    X(EVENT_OAUTHCLIENT_CHANGED, "oauthclient.changed", "OAuth client changed", WEIGHT_CHANGE, true)                   \
    X(EVENT_OAUTHCLIENT_DELETED, "oauthclient.deleted", "OAuth client deleted", WEIGHT_CHANGE, false)                  \
    X(EVENT_WEBHOOK_CREATED, "webhook.created", "webhook created", WEIGHT_CHANGE, true)                                \
    X(EVENT_WEBHOOK_CHANGED, "webhook.changed", "webhook changed", WEIGHT_CHANGE, true)                                \
    X(EVENT_WEBHOOK_ROTATED, "webhook.rotated", "webhook rotated", WEIGHT_CHANGE, false)                               \
    X(EVENT_WEBHOOK_DELETED, "webhook.deleted", "webhook deleted", WEIGHT_CHANGE, false)                               \
    X(EVENT_WEBHOOK_TESTED, "webhook.tested", "webhook tested", WEIGHT_INFO, false)                                    \
    X(EVENT_WEBHOOK_FAILING, "webhook.failing", "webhook fails", WEIGHT_WARN, false)                                   \
    X(EVENT_WEBHOOK_RECOVERED, "webhook.recovered", "webhook works again", WEIGHT_INFO, false)                         \
    X(EVENT_WEBHOOK_DROPPED, "webhook.dropped", "events dropped", WEIGHT_WARN, false)                                  \
    X(EVENT_REGISTRATION_PENDING, "registration.pending", "asks to join", WEIGHT_WARN, false)                          \
    X(EVENT_REGISTRATION_APPROVED, "registration.approved", "join approved", WEIGHT_CHANGE, false)                     \
    X(EVENT_REGISTRATION_REJECTED, "registration.rejected", "join rejected", WEIGHT_CHANGE, false)                     \
    X(EVENT_NODE_REGISTERED, "node.registered", "node joined", WEIGHT_CHANGE, false)                                   \
    X(EVENT_NODE_REAUTHENTICATED, "node.reauthenticated", "node logged in again", WEIGHT_CHANGE, false)                \
    X(EVENT_NODE_LOGGED_OUT, "node.logged_out", "node logged out", WEIGHT_CHANGE, false)                               \
    X(EVENT_NODE_WAITING, "node.waiting", "node waits", WEIGHT_WARN, false)                                            \
    X(EVENT_NODE_AUTHORIZED, "node.authorized", "node approved", WEIGHT_CHANGE, true)                                  \
    X(EVENT_NODE_UNAUTHORIZED, "node.unauthorized", "approval withdrawn", WEIGHT_WARN, true)                           \
    X(EVENT_NODE_RENAMED, "node.renamed", "node renamed", WEIGHT_CHANGE, true)                                         \
    X(EVENT_NODE_TAGGED, "node.tagged", "tags changed", WEIGHT_CHANGE, true)                                           \
    X(EVENT_NODE_EXPIRY, "node.expiry", "key expiry changed", WEIGHT_CHANGE, true)                                     \
    X(EVENT_NODE_EXPIRING, "node.expiring", "node key near end", WEIGHT_WARN, false)                                   \
    X(EVENT_NODE_EXPIRED, "node.expired", "node key expired", WEIGHT_WARN, false)                                      \
    X(EVENT_NODE_DELETED, "node.deleted", "node deleted", WEIGHT_WARN, false)                                          \
    X(EVENT_NODE_ONLINE, "node.online", "node online", WEIGHT_INFO, false)                                             \
    X(EVENT_NODE_OFFLINE, "node.offline", "node offline", WEIGHT_INFO, false)                                          \
    X(EVENT_NODE_UNHEALTHY, "node.unhealthy", "node unhealthy", WEIGHT_ALARM, false)                                   \
    X(EVENT_NODE_HEALTHY, "node.healthy", "node healthy", WEIGHT_INFO, false)                                          \
    X(EVENT_NODE_CLONED, "node.cloned", "node cloned", WEIGHT_ALARM, false)                                            \
    X(EVENT_NODE_WARNING, "node.warning", "node warning", WEIGHT_WARN, false)                                          \
    X(EVENT_NODE_WARNING_OVER, "node.warning_over", "node warning over", WEIGHT_INFO, false)                           \
    X(EVENT_NODE_ASKED, "node.asked", "client asked", WEIGHT_INFO, false)                                              \
    X(EVENT_ROUTE_ADVERTISED, "route.advertised", "route advertised", WEIGHT_WARN, false)                              \
    X(EVENT_ROUTE_WITHDRAWN, "route.withdrawn", "route withdrawn", WEIGHT_WARN, false)                                 \
    X(EVENT_ROUTE_APPROVED, "route.approved", "route approved", WEIGHT_CHANGE, true)                                   \
    X(EVENT_ROUTE_AUTO_APPROVED, "route.auto_approved", "route auto-approved", WEIGHT_CHANGE, true)                    \
    X(EVENT_ROUTE_REVOKED, "route.revoked", "route revoked", WEIGHT_CHANGE, true)                                      \
    X(EVENT_ROUTE_PRIMARY, "route.primary", "primary chosen", WEIGHT_CHANGE, true)                                     \
    X(EVENT_ROUTE_PRIORITY, "route.priority", "priority changed", WEIGHT_CHANGE, true)                                 \
    X(EVENT_PREFIX_SETTINGS, "prefix.settings", "prefix settings", WEIGHT_CHANGE, true)                                \
    X(EVENT_ROUTE_FAILOVER, "route.failover", "failover", WEIGHT_ALARM, false)                                         \
    X(EVENT_ROUTE_UNSERVED, "route.unserved", "prefix unserved", WEIGHT_ALARM, false)                                  \
    X(EVENT_ROUTE_UNREACHED, "route.unreached", "target unreached", WEIGHT_ALARM, false)                               \
    X(EVENT_ROUTE_CARRIED, "route.carried", "served while offline", WEIGHT_WARN, false)                                \
    X(EVENT_ROUTE_REACHED, "route.reached", "target reached", WEIGHT_INFO, false)                                      \
    X(EVENT_ROUTE_SERVED, "route.served", "prefix served", WEIGHT_INFO, false)                                         \
    X(EVENT_ROUTE_NEAREST, "route.nearest", "nearest router", WEIGHT_INFO, false)                                      \
    X(EVENT_ROUTE_FOLLOWED, "route.followed", "clients followed", WEIGHT_INFO, false)                                  \
    X(EVENT_ROUTE_BEHIND, "route.behind", "clients behind", WEIGHT_WARN, false)                                        \
    X(EVENT_EXIT_USABLE, "exit.usable", "exit node usable", WEIGHT_INFO, false)                                        \
    X(EVENT_EXIT_ENDED, "exit.ended", "exit node unusable", WEIGHT_WARN, false)                                        \
    X(EVENT_POLICY_CHANGED, "policy.changed", "policy changed", WEIGHT_CHANGE, true)                                   \
    X(EVENT_UNDONE, "undone", "change undone", WEIGHT_CHANGE, false)

enum event_id {
#define X(id, kind, words, weight, undo) id,
    EVENT_KINDS(X)
#undef X
        EVENT_ID_COUNT
};

const char *event_kind(enum event_id id);
const char *event_weight_name(int weight);        /* "info", "change", "warn", "alarm" */
enum event_weight event_weight(const char *kind); /* WEIGHT_INFO for a kind that is not in the table */
const char *event_kind_words(const char *kind);   /* for people; an unknown kind is returned unchanged */

#endif
