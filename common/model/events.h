/* SPDX-License-Identifier: BSD-3-Clause */
/* The kinds of journal entries, one table for the journal, the API's documentation and the console's colours. */
#ifndef COMMON_MODEL_EVENTS_H
#define COMMON_MODEL_EVENTS_H

enum event_weight { WEIGHT_INFO, WEIGHT_CHANGE, WEIGHT_WARN, WEIGHT_ALARM };

/*    id                        kind                    weight         can be undone */
#define EVENT_KINDS(X)                                                                                                 \
    X(EVENT_SERVER_STARTED, "server.started", WEIGHT_INFO, false)                                                      \
    X(EVENT_SERVER_IMPORTED, "server.imported", WEIGHT_CHANGE, false)                                                  \
    X(EVENT_SERVER_STOPPED, "server.stopped", WEIGHT_INFO, false)                                                      \
    X(EVENT_CONFIG_RELOADED, "config.reloaded", WEIGHT_INFO, false)                                                    \
    X(EVENT_SERVER_MESSAGE, "server.message", WEIGHT_CHANGE, true)                                                     \
    X(EVENT_USER_CREATED, "user.created", WEIGHT_CHANGE, true)                                                         \
    X(EVENT_USER_RENAMED, "user.renamed", WEIGHT_CHANGE, true)                                                         \
    X(EVENT_USER_ROLE, "user.role", WEIGHT_CHANGE, true)                                                               \
    X(EVENT_USER_LOGIN, "user.login", WEIGHT_INFO, false)                                                              \
    X(EVENT_USER_LINKED, "user.linked", WEIGHT_CHANGE, true)                                                           \
    X(EVENT_USER_SUSPENDED, "user.suspended", WEIGHT_WARN, true)                                                       \
    X(EVENT_USER_RESUMED, "user.resumed", WEIGHT_CHANGE, true)                                                         \
    X(EVENT_USER_DELETED, "user.deleted", WEIGHT_CHANGE, false)                                                        \
    X(EVENT_PREAUTHKEY_CREATED, "preauthkey.created", WEIGHT_CHANGE, true)                                             \
    X(EVENT_PREAUTHKEY_EXPIRED, "preauthkey.expired", WEIGHT_CHANGE, false)                                            \
    X(EVENT_PREAUTHKEY_DELETED, "preauthkey.deleted", WEIGHT_CHANGE, false)                                            \
    X(EVENT_PREAUTHKEY_REVOKED, "preauthkey.revoked", WEIGHT_CHANGE, false)                                            \
    X(EVENT_APIKEY_CREATED, "apikey.created", WEIGHT_CHANGE, true)                                                     \
    X(EVENT_APIKEY_EXPIRED, "apikey.expired", WEIGHT_CHANGE, false)                                                    \
    X(EVENT_APIKEY_DELETED, "apikey.deleted", WEIGHT_CHANGE, false)                                                    \
    X(EVENT_OAUTHCLIENT_CREATED, "oauthclient.created", WEIGHT_CHANGE, true)                                           \
    X(EVENT_OAUTHCLIENT_CHANGED, "oauthclient.changed", WEIGHT_CHANGE, true)                                           \
    X(EVENT_OAUTHCLIENT_DELETED, "oauthclient.deleted", WEIGHT_CHANGE, false)                                          \
    X(EVENT_WEBHOOK_CREATED, "webhook.created", WEIGHT_CHANGE, true)                                                   \
    X(EVENT_WEBHOOK_CHANGED, "webhook.changed", WEIGHT_CHANGE, true)                                                   \
    X(EVENT_WEBHOOK_ROTATED, "webhook.rotated", WEIGHT_CHANGE, false)                                                  \
    X(EVENT_WEBHOOK_DELETED, "webhook.deleted", WEIGHT_CHANGE, false)                                                  \
    X(EVENT_WEBHOOK_TESTED, "webhook.tested", WEIGHT_INFO, false)                                                      \
    X(EVENT_WEBHOOK_FAILING, "webhook.failing", WEIGHT_WARN, false)                                                    \
    X(EVENT_WEBHOOK_RECOVERED, "webhook.recovered", WEIGHT_INFO, false)                                                \
    X(EVENT_WEBHOOK_DROPPED, "webhook.dropped", WEIGHT_WARN, false)                                                    \
    X(EVENT_REGISTRATION_PENDING, "registration.pending", WEIGHT_WARN, false)                                          \
    X(EVENT_REGISTRATION_APPROVED, "registration.approved", WEIGHT_CHANGE, false)                                      \
    X(EVENT_REGISTRATION_REJECTED, "registration.rejected", WEIGHT_CHANGE, false)                                      \
    X(EVENT_NODE_REGISTERED, "node.registered", WEIGHT_CHANGE, false)                                                  \
    X(EVENT_NODE_REAUTHENTICATED, "node.reauthenticated", WEIGHT_CHANGE, false)                                        \
    X(EVENT_NODE_LOGGED_OUT, "node.logged_out", WEIGHT_CHANGE, false)                                                  \
    X(EVENT_NODE_WAITING, "node.waiting", WEIGHT_WARN, false)                                                          \
    X(EVENT_NODE_AUTHORIZED, "node.authorized", WEIGHT_CHANGE, true)                                                   \
    X(EVENT_NODE_UNAUTHORIZED, "node.unauthorized", WEIGHT_WARN, true)                                                 \
    X(EVENT_NODE_RENAMED, "node.renamed", WEIGHT_CHANGE, true)                                                         \
    X(EVENT_NODE_TAGGED, "node.tagged", WEIGHT_CHANGE, true)                                                           \
    X(EVENT_NODE_EXPIRY, "node.expiry", WEIGHT_CHANGE, true)                                                           \
    X(EVENT_NODE_EXPIRING, "node.expiring", WEIGHT_WARN, false)                                                        \
    X(EVENT_NODE_EXPIRED, "node.expired", WEIGHT_WARN, false)                                                          \
    X(EVENT_NODE_DELETED, "node.deleted", WEIGHT_WARN, false)                                                          \
    X(EVENT_NODE_ONLINE, "node.online", WEIGHT_INFO, false)                                                            \
    X(EVENT_NODE_OFFLINE, "node.offline", WEIGHT_INFO, false)                                                          \
    X(EVENT_NODE_UNHEALTHY, "node.unhealthy", WEIGHT_ALARM, false)                                                     \
    X(EVENT_NODE_HEALTHY, "node.healthy", WEIGHT_INFO, false)                                                          \
    X(EVENT_NODE_CLONED, "node.cloned", WEIGHT_ALARM, false)                                                           \
    X(EVENT_NODE_WARNING, "node.warning", WEIGHT_WARN, false)                                                          \
    X(EVENT_NODE_WARNING_OVER, "node.warning_over", WEIGHT_INFO, false)                                                \
    X(EVENT_NODE_ASKED, "node.asked", WEIGHT_INFO, false)                                                              \
    X(EVENT_ROUTE_ADVERTISED, "route.advertised", WEIGHT_WARN, false)                                                  \
    X(EVENT_ROUTE_WITHDRAWN, "route.withdrawn", WEIGHT_WARN, false)                                                    \
    X(EVENT_ROUTE_APPROVED, "route.approved", WEIGHT_CHANGE, true)                                                     \
    X(EVENT_ROUTE_AUTO_APPROVED, "route.auto_approved", WEIGHT_CHANGE, true)                                           \
    X(EVENT_ROUTE_REVOKED, "route.revoked", WEIGHT_CHANGE, true)                                                       \
    X(EVENT_ROUTE_PRIMARY, "route.primary", WEIGHT_CHANGE, true)                                                       \
    X(EVENT_ROUTE_PRIORITY, "route.priority", WEIGHT_CHANGE, true)                                                     \
    X(EVENT_PREFIX_SETTINGS, "prefix.settings", WEIGHT_CHANGE, true)                                                   \
    X(EVENT_ROUTE_FAILOVER, "route.failover", WEIGHT_ALARM, false)                                                     \
    X(EVENT_ROUTE_UNSERVED, "route.unserved", WEIGHT_ALARM, false)                                                     \
    X(EVENT_ROUTE_UNREACHED, "route.unreached", WEIGHT_ALARM, false)                                                   \
    X(EVENT_ROUTE_CARRIED, "route.carried", WEIGHT_WARN, false)                                                        \
    X(EVENT_ROUTE_REACHED, "route.reached", WEIGHT_INFO, false)                                                        \
    X(EVENT_ROUTE_SERVED, "route.served", WEIGHT_INFO, false)                                                          \
    X(EVENT_ROUTE_NEAREST, "route.nearest", WEIGHT_INFO, false)                                                        \
    X(EVENT_ROUTE_FOLLOWED, "route.followed", WEIGHT_INFO, false)                                                      \
    X(EVENT_ROUTE_BEHIND, "route.behind", WEIGHT_WARN, false)                                                          \
    X(EVENT_EXIT_USABLE, "exit.usable", WEIGHT_INFO, false)                                                            \
    X(EVENT_EXIT_ENDED, "exit.ended", WEIGHT_WARN, false)                                                              \
    X(EVENT_POLICY_CHANGED, "policy.changed", WEIGHT_CHANGE, true)                                                     \
    X(EVENT_UNDONE, "undone", WEIGHT_CHANGE, false)

enum event_id {
#define X(id, kind, weight, undo) id,
    EVENT_KINDS(X)
#undef X
        EVENT_ID_COUNT
};

const char *event_kind(enum event_id id);
const char *event_weight_name(int weight);        /* "info", "change", "warn", "alarm" */
enum event_weight event_weight(const char *kind); /* WEIGHT_INFO for a kind that is not in the table */

#endif
