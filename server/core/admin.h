/* SPDX-License-Identifier: BSD-3-Clause */
/* The operations that administrators ask of the core, each with the fields that it takes. One call is one change: one
 * answer that names all its events, and one inverse that undoes all of it. */
#ifndef SERVER_CORE_ADMIN_H
#define SERVER_CORE_ADMIN_H

#include "core/call.h"
#include "policy/policy.h"
#include "tailnet/tailnet.h"
#include "json/json.h"

struct config;

/* Each takes the fields named in its row of operations.c. */
enum admin_op {
    ADMIN_USER_CREATE,
    ADMIN_USER_RENAME,
    ADMIN_USER_ROLE,
    ADMIN_USER_DELETE,
    ADMIN_USER_SUSPEND,      /* flag: log its nodes out and refuse its logins; else end the suspension */
    ADMIN_USER_LINK,         /* flag: the provider (prefix) knows it as subject (text); else remove that link */
    ADMIN_PREAUTHKEY_CREATE, /* name: the description */
    ADMIN_PREAUTHKEY_EXPIRE,
    ADMIN_PREAUTHKEY_DELETE,
    ADMIN_PREAUTHKEY_REVOKE, /* registers no more nodes, and stays listed for preauth_keys.revoked_retention */
    ADMIN_APIKEY_CREATE,     /* name: the description; user_id: its owner */
    ADMIN_APIKEY_EXPIRE,     /* by id or by prefix */
    ADMIN_APIKEY_DELETE,
    ADMIN_OAUTH_CLIENT_CREATE, /* name: the description; scopes, tags */
    ADMIN_OAUTH_CLIENT_SET,    /* as above, by id; ends its tokens */
    ADMIN_OAUTH_CLIENT_DELETE, /* by id, or by prefix (its client id); deletes its tokens too */
    ADMIN_OAUTH_TOKEN,         /* for the client of id: scopes, tags, end; text: a fast hash to replace its slow one */
    ADMIN_WEBHOOK_CREATE, /* url, prefix: the kind of receiver; scopes: subscriptions; text: the secret, encrypted */
    ADMIN_WEBHOOK_SET,    /* scopes, by id */
    ADMIN_WEBHOOK_ROTATE, /* text, by id */
    ADMIN_WEBHOOK_DELETE, /* it is sent its deletion, and nothing after that */
    ADMIN_WEBHOOK_TEST,   /* sends it an event of the type test */
    ADMIN_NODE_RENAME,
    ADMIN_NODE_TAGS,
    ADMIN_NODE_EXPIRE, /* time_ns, 0: now; with flag: never */
    ADMIN_NODE_DELETE,
    ADMIN_NODE_AUTHORIZE, /* flag: it may take part in the tailnet; else no longer */
    ADMIN_NODE_ROUTES,    /* prefixes replace the approved routes; exit routes come as a pair */
    ADMIN_ROUTES_EDIT,    /* approves prefixes, revokes the approval of revoke */
    ADMIN_ROUTES_MANY,    /* likewise for several nodes: approvals and revocations; flag: approve all that is pending */
    ADMIN_PRIMARY,        /* the node serves the one prefix; flag: until failback moves it */
    ADMIN_NODE_DRAIN,     /* flag: moves its prefixes to other routers that can serve them; else ends the drain */
    ADMIN_NODE_PRIORITY,  /* number: higher is preferred among a prefix's routers, and among exit nodes */
    ADMIN_PREFIX_SET,     /* the one prefix: sets the members of rule in given; those in reset follow the configuration
                             again */
    ADMIN_REGISTER,       /* approves text (auth id) for the user of user_id, or else of name */
    ADMIN_AUTH_APPROVE,   /* text (auth id) */
    ADMIN_AUTH_REJECT,
    ADMIN_DEBUG_NODE,     /* a registration without a client behind it */
    ADMIN_BACKFILL,       /* addresses for nodes that lack one; secret: one line per change */
    ADMIN_POLICY_SET,     /* text, "": none; note, NULL: none; problems returns errors and warnings */
    ADMIN_SERVER_MESSAGE, /* text, "": none; severity (NULL: medium), url */
    ADMIN_DNS_SET, /* sets the members of dns in given; those in reset follow the configuration again; flag: only these
                      domains of split */
    ADMIN_OP_COUNT
};

enum admin_object {
    ADMIN_OBJECT_NONE,
    ADMIN_OBJECT_USER,
    ADMIN_OBJECT_PREAUTH_KEY,
    ADMIN_OBJECT_API_KEY,
    ADMIN_OBJECT_OAUTH_CLIENT,
    ADMIN_OBJECT_WEBHOOK,
    ADMIN_OBJECT_NODE,
    ADMIN_OBJECT_PREFIX, /* struct prefix_settings */
    ADMIN_OBJECT_MESSAGE,
    ADMIN_OBJECT_DNS,
};

struct core_events { /* references */
    const struct event **items;
    size_t len, cap;
};
void core_events_release(struct core_events *events);

/* For a call that may be repeated: a call with a known id is answered as the first was, without being done again.
 * Digests, made by the caller. */
struct core_token {
    uint8_t id[KEY_LEN];      /* of the token and its user */
    uint8_t request[KEY_LEN]; /* of the request: a token is for one call */
    uint8_t seal[KEY_LEN];    /* a key that only the token's holder can derive: seals the secrets in the answer */
};

struct core_admin {
    struct core_call call;
    enum admin_op op;
    bool has_token; /* ERR_CONFLICT: the token was used for another call; ERR_BUSY: the call is still being decided */
    struct core_token token;
    const char *actor; /* who asks, for the journal */
    bool dry_run;      /* decide and answer, but change nothing */
    bool has_match;    /* ERR_PRECONDITION unless the record's version is match */
    uint64_t match;
    struct core_events undoes; /* the events of the change that this call undoes, to be marked as undone */
    uint64_t id, user_id, number;
    const char *name, *display_name, *email, *picture_url, *text, *prefix, *severity, *url, *note;
    enum user_role role;
    bool has_role, reusable, ephemeral, needs_approval, read_only, flag;
    int64_t time_ns;
    bool limited; /* the caller may assign only these tags, and those that the policy lets them own */
    struct strs limits;
    struct strs tags, scopes;
    struct prefixes prefixes, revoke;
    struct strs approvals, revocations; /* each a node id and a prefix, separated by a blank */
    struct prefix_rule rule;
    struct dns_values dns;
    unsigned given, reset; /* enum rule_member, or dns_member */
    /* answers; references and memory belong to the caller: core_admin_release */
    const void *record;        /* the object as it is now (on deletion: as it was), or NULL */
    struct core_events events; /* its journal entries; not numbered (r.id 0) in a dry run */
    char *inverse;             /* the operation that undoes it, in the form of core_operation_write; or NULL */
    char *secret;              /* the whole key that was created, or the text result */
    uint64_t version;
    struct policy_problems problems; /* of a policy */
};
void core_admin(struct core *core, struct core_admin *call);
void core_admin_release(struct core_admin *call);

/* Whether the text has the form of the id of a pending registration or session. */
int core_auth_id_check(const char *id, struct err *e) WARN_UNUSED;

enum admin_object core_operation_object(enum admin_op op);
const char *core_operation_name(enum admin_op op); /* "node.rename" */
/* An operation with its fields as a JSON object: {"operation":"node.rename","id":"7","name":"a"}. The caller owns the
 * text. */
char *core_operation_write(const struct core_admin *a);
/* Reads a rule's members from such an object: failback, keep, holdDown, failbackDelay, and reset, a list of these
 * names. */
int core_rule_read(const json_t *object, struct core_admin *out, struct err *e) WARN_UNUSED;
/* Reads the DNS members from such an object: magicDNS, overrideLocalDNS, nameservers, searchDomains; splitDNS (all of
 * it) or changeSplitDNS (single domains), name servers by domain; and reset, a list of these names. */
int core_dns_read(const json_t *object, struct core_admin *out, struct err *e) WARN_UNUSED;
int core_dns_split_read(const json_t *object, const char *name, struct strs *out, struct err *e) WARN_UNUSED;
/* The DNS values in effect; own: NULL if none was set. out is released first. Whatever is set, without name servers
 * those of the clients' networks are not overridden, and without a base domain there is no MagicDNS. */
void core_dns_values(const struct config *c, const struct dns_settings *own, struct dns_values *out);
/* The same as a JSON object for looking back, with the members that were set. */
void core_dns_image(const struct config *c, const struct dns_settings *own, struct buf *out);
/* The name of the i-th member; *member is set to its bit (enum dns_member). NULL: no more members. */
const char *core_dns_member(size_t i, unsigned *member);
/* Fills op and fields of *out, which must be zeroed. Its texts are borrowed from object; core_admin_release releases
 * the rest. Ignores members that the operation does not take. */
int core_operation_read(const json_t *object, struct core_admin *out, struct err *e) WARN_UNUSED;

#endif
