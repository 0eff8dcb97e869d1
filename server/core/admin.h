/* SPDX-License-Identifier: BSD-3-Clause */
/* What administrators ask the core: operations, each with the fields that it takes. One call is one change: one answer
 * that names all events of it, and one inverse that takes all of it back. */
#ifndef SERVER_CORE_ADMIN_H
#define SERVER_CORE_ADMIN_H

#include "core/call.h"
#include "policy/policy.h"
#include "tailnet/tailnet.h"
#include "json/json.h"

struct config;

/* Each takes the fields that its row in operations.c names. */
enum admin_op {
    ADMIN_USER_CREATE,
    ADMIN_USER_RENAME,
    ADMIN_USER_ROLE,
    ADMIN_USER_DELETE,
    ADMIN_USER_SUSPEND,      /* flag: its nodes are logged out, and it cannot log in; else no longer */
    ADMIN_USER_LINK,         /* flag: the provider (prefix) knows it as subject (text); else no longer */
    ADMIN_PREAUTHKEY_CREATE, /* name: the description */
    ADMIN_PREAUTHKEY_EXPIRE,
    ADMIN_PREAUTHKEY_DELETE,
    ADMIN_PREAUTHKEY_REVOKE, /* it registers nothing more, and stays listed for preauth_keys.revoked_retention */
    ADMIN_APIKEY_CREATE,     /* name: the description; user_id: its owner */
    ADMIN_APIKEY_EXPIRE,     /* by id or by prefix */
    ADMIN_APIKEY_DELETE,
    ADMIN_OAUTH_CLIENT_CREATE, /* name: the description; scopes, tags */
    ADMIN_OAUTH_CLIENT_SET,    /* as above, by id: its tokens end */
    ADMIN_OAUTH_CLIENT_DELETE, /* by id or by prefix, its client id; its tokens go with it */
    ADMIN_OAUTH_TOKEN, /* for the client of id: scopes, tags, end; text: a hash that may take the place of its slow one
                        */
    ADMIN_WEBHOOK_CREATE, /* url, prefix: the kind of receiver; scopes: subscriptions; text: the secret, encrypted */
    ADMIN_WEBHOOK_SET,    /* scopes, by id */
    ADMIN_WEBHOOK_ROTATE, /* text, by id */
    ADMIN_WEBHOOK_DELETE, /* it is told of that, and nothing more */
    ADMIN_WEBHOOK_TEST,   /* it is sent an event of the type test */
    ADMIN_NODE_RENAME,
    ADMIN_NODE_TAGS,
    ADMIN_NODE_EXPIRE, /* time_ns, 0: now; with flag: never */
    ADMIN_NODE_DELETE,
    ADMIN_NODE_AUTHORIZE, /* flag: it may take part in the tailnet; else no longer */
    ADMIN_NODE_ROUTES,    /* prefixes replace what is approved; exit routes come as a pair */
    ADMIN_ROUTES_EDIT,    /* prefixes are approved, revoke is not any more */
    ADMIN_ROUTES_MANY,    /* the same of several nodes: approvals and revocations; flag: all that waits is approved */
    ADMIN_PRIMARY,        /* the node serves the one prefix; flag: until the failback moves it */
    ADMIN_NODE_DRAIN,     /* flag: its prefixes move to others where others can serve them; else no longer */
    ADMIN_NODE_PRIORITY,  /* number: the higher is preferred among the routers of a prefix, and among exit nodes */
    ADMIN_PREFIX_SET,     /* the one prefix: the members of rule that given names; those of reset as configured again */
    ADMIN_REGISTER,       /* text (auth id) is approved for the user of user_id, or else of name */
    ADMIN_AUTH_APPROVE,   /* text (auth id) */
    ADMIN_AUTH_REJECT,
    ADMIN_DEBUG_NODE,     /* a registration that no client stands behind */
    ADMIN_BACKFILL,       /* addresses for nodes that lack one; secret: one line a change */
    ADMIN_POLICY_SET,     /* text, "": none; note, NULL: none; problems answers what was found, warnings too */
    ADMIN_SERVER_MESSAGE, /* text, "": none; severity (NULL: medium), url */
    ADMIN_DNS_SET, /* the members of dns that given names, those of reset as configured again; flag: those domains of
                      split alone */
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

/* Of a call that may come again: the same one with the same id is answered as it was the first time, and not done
 * again. Digests, made by who takes the call. */
struct core_token {
    uint8_t id[KEY_LEN];      /* of the token and of who used it */
    uint8_t request[KEY_LEN]; /* of what is asked: a token is for one call */
    uint8_t seal[KEY_LEN]; /* a key that only who has the token can make: it seals what the answer holds of secrets */
};

struct core_admin {
    struct core_call call;
    enum admin_op op;
    bool has_token; /* ERR_CONFLICT: the token came with another call; ERR_BUSY: the call is being decided */
    struct core_token token;
    const char *actor; /* who asks, for the journal */
    bool dry_run;      /* decide and answer, change nothing */
    bool has_match;    /* ERR_PRECONDITION unless the record's version is match */
    uint64_t match;
    struct core_events undoes; /* the events of the change that this takes back, to be marked as undone */
    uint64_t id, user_id, number;
    const char *name, *display_name, *email, *picture_url, *text, *prefix, *severity, *url, *note;
    enum user_role role;
    bool has_role, reusable, ephemeral, needs_approval, read_only, flag;
    int64_t time_ns;
    bool limited; /* who asks may give no tags but these, and those that the policy lets them own */
    struct strs limits;
    struct strs tags, scopes;
    struct prefixes prefixes, revoke;
    struct strs approvals, revocations; /* each the id of a node and a prefix, with a blank between them */
    struct prefix_rule rule;
    struct dns_values dns;
    unsigned given, reset; /* enum rule_member, or dns_member */
    /* answers; references and memory belong to the caller: core_admin_release */
    const void *record;        /* the object as it is now (before a deletion: as it was), or NULL */
    struct core_events events; /* what the journal says of it; not numbered (r.id 0) in a dry run */
    char *inverse;             /* the operation that takes it back, as core_operation_write writes it; or NULL */
    char *secret;              /* the whole key of a creation, or the text result */
    uint64_t version;
    struct policy_problems problems; /* of a policy */
};
void core_admin(struct core *core, struct core_admin *call);
void core_admin_release(struct core_admin *call);

/* Whether the text is the id of a registration or session that could wait. */
int core_auth_id_check(const char *id, struct err *e) WARN_UNUSED;

enum admin_object core_operation_object(enum admin_op op);
const char *core_operation_name(enum admin_op op); /* "node.rename" */
/* An operation with its fields as a JSON object: {"operation":"node.rename","id":"7","name":"a"}. The caller owns the
 * text. */
char *core_operation_write(const struct core_admin *a);
/* The members of a rule as that object has them: failback, keep, holdDown, failbackDelay, and reset, a list of these
 * names. */
int core_rule_read(const json_t *object, struct core_admin *out, struct err *e) WARN_UNUSED;
/* The members of DNS as that object has them: magicDNS, overrideLocalDNS, nameservers, searchDomains; splitDNS (all of
 * it) or changeSplitDNS (single domains), name servers by domain; and reset, a list of these names. */
int core_dns_read(const json_t *object, struct core_admin *out, struct err *e) WARN_UNUSED;
int core_dns_split_read(const json_t *object, const char *name, struct strs *out, struct err *e) WARN_UNUSED;
/* What holds; own: NULL, nothing was set. out is released first. Without name servers nothing overrides those of the
 * clients' networks, and without a domain there is no MagicDNS, whatever is set. */
void core_dns_values(const struct config *c, const struct dns_settings *own, struct dns_values *out);
/* The same as a JSON object for looking back, with the members that were set. */
void core_dns_image(const struct config *c, const struct dns_settings *own, struct buf *out);
/* The name of the i-th member, which is left in *member (enum dns_member); NULL: there is none more. */
const char *core_dns_member(size_t i, unsigned *member);
/* Fills op and fields of *out, which must be zeroed; its texts are borrowed from object, the rest is released with
 * core_admin_release. Members that the operation does not take are ignored. */
int core_operation_read(const json_t *object, struct core_admin *out, struct err *e) WARN_UNUSED;

#endif
