/* SPDX-License-Identifier: BSD-3-Clause */
/* The durable records of a tailnet. A record is filled by whoever made it and never changes once others can see it: a
 * change is a copy with a higher version. Records are counted references, because the core, snapshots, the store and
 * readers hold them at the same time. Texts are never NULL. Times are wall_ns, 0 for "never" or "not set". */
#ifndef COMMON_MODEL_RECORD_H
#define COMMON_MODEL_RECORD_H

#include <stdatomic.h>

#include "base/str.h"
#include "model/warning.h"
#include "net/prefixes.h"

#define KEY_LEN        32
#define AUTH_ID_LEN    38         /* "hskey-authreq-" and 24 hexadecimal digits */
#define TAGGED_USER_ID 2147455555 /* the pseudo user that tagged nodes are shown under, as in headscale */

enum record_kind {
    RECORD_USER,
    RECORD_PREAUTH_KEY,
    RECORD_API_KEY,
    RECORD_NODE,
    RECORD_EVENT,
    RECORD_POLICY,
    RECORD_PRIMARY,
    RECORD_VIA_PRIMARY,
    RECORD_PREFIX_SETTINGS,
    RECORD_SERVER_MESSAGE,
    RECORD_HISTORY,
    RECORD_PENDING,
    RECORD_SSH_APPROVAL,
    RECORD_DELETED_NODE,
    RECORD_ADMIN_CALL,
    RECORD_IDENTITY,
    RECORD_OAUTH_CLIENT,
    RECORD_OAUTH_TOKEN,
    RECORD_DNS_SETTINGS,
    RECORD_WEBHOOK
};
#define RECORD_KINDS (RECORD_WEBHOOK + 1)

/* First member of each record, so that one function counts them all. */
struct record {
    atomic_uint refs;
    enum record_kind kind;
    uint64_t id;      /* decimal in the API; for RECORD_EVENT the sequence number */
    uint64_t version; /* counts administrative changes; what If-Match compares */
};

enum user_role { ROLE_MEMBER, ROLE_ADMIN, ROLE_OWNER };

struct user {
    struct record r;
    char *name, *display_name, *email, *provider_id, *provider, *picture_url;
    enum user_role role;
    int64_t created_ns;
    int64_t suspended_ns; /* since when its nodes count as logged out and it cannot log in; 0: it is not suspended */
    char *suspended_by;   /* the administrator, or "provider NAME", which takes it back at the next login; or "" */
    int64_t login_ns;     /* of the last login with a provider; 0: none */
    char *login_provider; /* which one it was, or "" */
    struct strs groups;   /* sorted, "GROUP@PROVIDER": what the providers said that it is a member of */
};

/* Whom an OpenID provider knows a user by. A user may have several. */
struct identity {
    struct record r;
    uint64_t user_id;
    char *provider;         /* its name in the configuration */
    char *issuer, *subject; /* as in its tokens */
    int64_t created_ns;
    int64_t login_ns;     /* of the last login; 0: linked by an administrator, not used yet */
    int64_t groups_ns;    /* when the provider last said what groups the user is in; 0: never */
    char *refresh_token;  /* encrypted; "": none */
    int64_t refreshed_ns; /* when the provider last answered to it; 0: never */
    char *trouble;        /* why it last did not, for people; "" */
};

struct preauth_key {
    struct record r;
    uint64_t user_id;  /* 0: a tagged key without owner */
    char *prefix;      /* 12 hexadecimal digits; "" for a legacy key */
    char *secret_hash; /* "sha256:HEX", or an imported "$2a$..." (bcrypt), or "plain:TEXT" of a legacy key */
    struct strs tags;  /* sorted, each with "tag:" */
    bool reusable, ephemeral, used, revoked;
    bool preauthorized; /* machines that it registers need no approval */
    int64_t expiration_ns, created_ns;
    int64_t revoked_ns; /* 0: not, or before that was kept */
    char *description;
};

struct api_key {
    struct record r;
    char *prefix, *secret_hash; /* as above */
    char *description;
    bool read_only;
    int64_t expiration_ns, created_ns, last_seen_ns;
    uint64_t user_id; /* who owns the pre-auth keys without tags that are made with it through API v2; 0: nobody */
};

/* A program that fetches access tokens with its secret (RFC 6749, 4.4), and what these may at most. */
struct oauth_client {
    struct record r;
    char *client_id;   /* 12 hexadecimal digits: the prefix of its secret */
    char *secret_hash; /* as above, or an imported "$argon2id$..." */
    char *description;
    struct strs scopes; /* sorted; those that nobody knows grant nothing */
    struct strs tags;   /* sorted: what keys and nodes that it makes may carry */
    int64_t created_ns, last_seen_ns;
};

/* One that was given out. It is not changed: its client fetches another one before it ends. */
struct oauth_token {
    struct record r;
    uint64_t client; /* the id of its client's record */
    char *prefix, *secret_hash;
    struct strs scopes, tags; /* as of the client, or fewer */
    int64_t expiration_ns, created_ns;
};

/* Somebody's server that is told of events by POST, and how that goes. */
struct webhook {
    struct record r;
    char *url;
    char *provider;            /* "slack", ... as Tailscale calls them; "": it takes the events themselves */
    struct strs subscriptions; /* sorted: types of events and categories of types */
    char *creator;             /* an actor as the journal has it */
    char *secret;              /* encrypted: deliveries are signed with it */
    int64_t created_ns, modified_ns;
    int64_t deleted_ns;          /* 0, or when: it is there until it was told so */
    uint64_t run, seq;           /* it was told all that it is to be told up to this entry of the journal */
    int64_t tried_ns;            /* the last delivery; 0: none yet. Likewise the next three */
    int64_t delivered_ns;        /* the last that succeeded */
    int64_t failing_ns;          /* the first failure since then; 0: the last delivery succeeded */
    int64_t next_ns;             /* the next try after a failure */
    uint32_t failures;           /* in a row */
    uint32_t status;             /* of HTTP at the last delivery; 0: there was no answer */
    char *trouble;               /* why the last delivery failed; "" */
    bool reported;               /* the journal says that it fails */
    uint64_t delivered, dropped; /* events; dropped: too old or too many, never sent */
    uint64_t dropped_said;       /* of these those that the receiver was told of */
};

#define NODE_PRIORITY_DEFAULT 100
#define NODE_PRIORITY_MAX     1000

enum register_method { REGISTER_UNSPECIFIED, REGISTER_AUTH_KEY, REGISTER_CLI, REGISTER_OIDC };

struct node {
    struct record r;
    uint8_t machine_key[KEY_LEN], node_key[KEY_LEN], disco_key[KEY_LEN];
    char *hostname;         /* as the client says it, made valid UTF-8 without control characters, at most 255 bytes */
    char *given_name;       /* the MagicDNS label: unique in the tailnet, lower case, at most 63 bytes */
    bool name_given;        /* by an administrator: it stays when the host is called something else */
    uint64_t user_id;       /* 0: tagged */
    struct strs tags;       /* sorted; not empty: tagged */
    struct addr ipv4, ipv6; /* bits 0: none */
    enum register_method method;
    uint64_t preauth_key_id; /* 0: none, or the key is gone */
    uint64_t unseen_login;   /* the pre-auth key of a login that its client may not know of; 0: it came since */
    bool ephemeral, logged_out;
    bool authorized;       /* tailcfg.Node.MachineAuthorized; false: approval is waited for, or was taken back */
    int64_t authorized_ns; /* when an administrator, or a key, last decided about it; 0: nobody did */
    char *authorized_by;   /* who, or "" */
    int64_t created_ns, expiry_ns;
    int64_t expiring_ns;       /* the end of its key of which the journal said that it is near; 0: of none */
    struct prefixes available; /* advertised: Hostinfo.RoutableIPs */
    int64_t advertised_ns;     /* when that last changed; 0: before this was kept */
    struct prefixes approved;  /* by an administrator or by autoApprovers; outlives advertising */
    struct strs approved_by;   /* the actor of each of them, in their order; node_approver reads it */
    struct prefixes removed;   /* taken away by an administrator: autoApprovers does not bring these back */
    struct strs request_tags;  /* Hostinfo.RequestTags */
    bool draining;             /* an administrator wants others to serve its prefixes */
    uint32_t priority;         /* of a router or exit node, at most NODE_PRIORITY_MAX: the higher is preferred */
    uint64_t exit_node_id;     /* whom it sends its internet traffic through: Hostinfo.ExitNodeID; 0: none */
    uint32_t cap_version;      /* tailcfg.CapabilityVersion of the client */
    /* Of Hostinfo, what is shown and what peers are told. */
    char *os, *os_version, *client_version;
    char *hostinfo;      /* the whole Hostinfo as compact JSON without NetInfo, at most 16 KiB; "{}" when unknown */
    char *peer_hostinfo; /* the part that peers are told: OS, Hostname, Services, sshHostKeys, AppConnector */
};

/* What changes often and is told before it is written. */
struct node_live {
    bool online;
    bool healthy;  /* false: answers no probe, although a stream is open */
    bool flapping; /* came and went too often lately to be elected before others */
    int64_t last_seen_ns;
    int64_t since_ns;   /* of the last change between online and offline; 0: not in this run */
    uint32_t home_derp; /* region, 0: not known yet */
    struct addr_port *endpoints;
    size_t endpoint_count;
    char *net_info; /* Hostinfo.NetInfo as compact JSON, "" when unknown */
    struct node_warnings warnings;
    struct prefixes unreachable; /* whose probe target does not answer through it */
    struct prefixes carried;     /* which it keeps without a control connection: their targets answer through it */
    /* One viewer is shown the way to one probe target through this node, whoever serves: to test a standby. 0: nobody.
     */
    uint64_t probe_helper;
    struct addr probe_target;
    char *source; /* where its control connection comes from, "" when none is open */
};

struct policy_text {
    struct record r;
    char *text;
    int64_t updated_ns;
    char *author; /* who made it the policy: an actor as the journal has it; "" in texts of before that was kept */
    char *note;   /* why, in his words; "": he said nothing */
};

/* A record that is no result of an election, but tells the next one what an administrator wants. */
enum primary_choice {
    PRIMARY_ELECTED,
    PRIMARY_HOLDS, /* the node is to serve until it cannot */
    PRIMARY_ONCE,  /* it is to serve now, and the failback may move the prefix on */
};

/* Who serves a subnet prefix, kept so that a restart does not move it. id: the node. */
struct primary {
    struct record r;
    struct prefix prefix;
    int64_t since_ns;
    char *actor;                /* the administrator whose change it followed, "": nobody's. Not stored */
    uint64_t moves;             /* from one router to another since the start. Not stored */
    bool chosen;                /* by an administrator: it serves until it cannot, whatever the failback */
    enum primary_choice choice; /* Not stored */
};

/* The same within a group of routers that grants name with via. id: the node. */
struct via_primary {
    struct record r;
    char *tags;  /* of the group, sorted: "tag:a, tag:b" */
    char *actor; /* as of a primary. Not stored */
    struct prefix prefix;
    int64_t since_ns;
    bool chosen;                /* as of a primary */
    enum primary_choice choice; /* as of a primary. Not stored */
};

/* What a prefix does when a better router than its primary is well. */
enum route_failback {
    FAILBACK_STICKY,   /* nothing: who serves goes on serving */
    FAILBACK_OLDEST,   /* the router that was created first serves whenever it can */
    FAILBACK_PRIORITY, /* the one with the highest priority, the present one among equals */
    FAILBACKS
};
const char *route_failback_name(int failback); /* "sticky", "oldest", "priority"; "" for what is none of them */

enum prefix_keep {
    PREFIX_WITHDRAW, /* without any candidate nobody serves the prefix */
    PREFIX_KEEP, /* then the last primary keeps it: traffic to it is dropped, and goes nowhere else; and an unhealthy
                  * router is elected rather than none */
    PREFIX_KEEPS
};

enum prefix_nearest {
    PREFIX_ONE_FOR_ALL, /* one router serves all viewers */
    PREFIX_NEAREST,     /* each viewer is served by the router that is nearest to it, the others by the primary */
    PREFIX_NEARESTS
};

/* How a prefix is served. In the settings of a prefix FAILBACKS, PREFIX_KEEPS, -1 and PREFIX_NEARESTS mean: as
 * configured for all. */
struct prefix_rule {
    enum route_failback failback;
    enum prefix_keep keep;
    int64_t hold_down_ns; /* after it moved, a prefix stays with its new router for so long while that one is well */
    int64_t failback_delay_ns; /* a router must have been well for so long before it takes a prefix from one that is
                                * well too; an approval or a choice by an administrator waits for nothing */
    struct addr probe; /* a host behind the prefix that answers pings, to see that its router forwards; bits 0: none */
    enum prefix_nearest nearest;
};

struct prefix_settings {
    struct record r; /* its id is 0: the prefix is the key */
    struct prefix prefix;
    struct prefix_rule rule;
};
/* What an administrator tells the users of all clients. id: 1, there is one at most. */
enum message_severity { SEVERITY_LOW, SEVERITY_MEDIUM, SEVERITY_HIGH };
struct server_message {
    struct record r;
    char *text; /* "": none */
    char *url;  /* of a page that says more, or "" */
    enum message_severity severity;
    int64_t updated_ns;
};
const char *message_severity_name(int severity); /* as tailcfg.DisplayMessage says it */

/* What clients are told of DNS, beside the domain of the tailnet and records. */
enum dns_member { DNS_MAGIC = 1, DNS_OVERRIDE_LOCAL = 2, DNS_NAMESERVERS = 4, DNS_SPLIT = 8, DNS_SEARCH = 16 };
#define DNS_MEMBERS 31 /* all of them */
struct dns_values {
    bool magic_dns, override_local;
    struct strs nameservers; /* addresses or https URLs */
    struct strs split;       /* by domain, "DOMAIN SERVER SERVER" */
    struct strs search;
};
void dns_values_copy(struct dns_values *to, const struct dns_values *from); /* to is released first */
void dns_values_release(struct dns_values *v);
void dns_values_apply(struct dns_values *to, const struct dns_values *from, unsigned which); /* enum dns_member */
unsigned dns_values_difference(const struct dns_values *a, const struct dns_values *b);
/* The next word of an entry of split, the domain first; NULL: there is none more. The caller owns it. */
char *dns_split_word(const char **entry);
struct json_out;
/* {"DOMAIN":[SERVER, ...]}; put writes a server, as json_str does. */
typedef void dns_server_write(struct json_out *o, const char *server);
void dns_split_write(struct json_out *o, const struct strs *split, dns_server_write *put);

/* What an administrator set of it, in place of the configuration. id: 1, there is one at most. */
struct dns_settings {
    struct record r;
    unsigned set; /* enum dns_member: those of values that count */
    struct dns_values values;
    int64_t updated_ns;
};

/* What an object was from a moment on, for looking back: of each object the newest that is not later than a moment says
 * what it was then. */
enum history_kind {
    HISTORY_NODE,
    HISTORY_USER,
    HISTORY_PRIMARY,
    HISTORY_POLICY,
    HISTORY_VIA_PRIMARY,
    HISTORY_DNS,
    HISTORY_NEAREST,       /* who serves which viewers of a prefix by being the nearest */
    HISTORY_NEAREST_MOVES, /* viewers that moved since that was written whole */
    HISTORY_KINDS
};
struct history {
    struct record r; /* id: rises with time */
    int64_t time_ns;
    enum history_kind kind;
    char *key;   /* an id, or a prefix, of a via_primary with its tags behind a blank; "" of the policy and DNS */
    char *image; /* JSON: server/tailnet/past.h; of the policy its id; "": there is none any more */
};

/* An entry of the journal. Its public id is RUN.SEQ; r.id is SEQ. */
struct event {
    struct record r;
    uint64_t run;
    int64_t time_ns;
    char *kind;         /* "node.registered", "route.approved", ...: the table in model/events.h */
    char *actor;        /* a login name, an API key's description or prefix, "node NAME", "policy", "server" */
    char *object;       /* "node", "user", "preauthkey", "apikey", "oauthclient", "webhook", "prefix", "dns", ... */
    uint64_t object_id; /* 0 for prefix, policy and DNS */
    char *object_name;
    char *text;                     /* one sentence for people */
    char *detail;                   /* JSON object with what changed, or "" */
    char *inverse;                  /* JSON: the operation that undoes it with its fields, or ""; see core/admin.h */
    uint64_t undone_run, undone_by; /* RUN and SEQ of the event that undid this one, 0: none */
    bool by_admin;                  /* an administrator did it: kept apart from what clients cause */
};

/* A registration or an SSH session that waits for somebody's decision, or was decided lately. */
struct pending {
    struct record r; /* its id is 0: auth_id is the key */
    char *auth_id;
    bool ssh;       /* a check of Tailscale SSH, not a registration */
    bool ephemeral; /* the client keeps no state: its node goes with it */
    uint8_t machine_key[KEY_LEN], node_key[KEY_LEN];
    char *hostname, *os, *client_version, *source;
    struct strs request_tags;
    struct prefixes routes;
    int64_t created_ns, expires_ns;
    uint64_t ssh_source_id, ssh_target_id; /* node ids, for ssh */
    char *ssh_user;
    bool decided, accepted;
    uint64_t node_id; /* of a registration that was accepted */
};

/* An SSH session was accepted: it is not asked about again for the period of its rule, while the policy stays. id: of
 * the node that it comes from. */
struct ssh_approval {
    struct record r;
    uint64_t target_id;
    char *user;
    int64_t until_ns;
    uint64_t policy_id; /* of the text that was the policy; 0: none was */
};

/* A node that was deleted lately: its client is told so, and its addresses are not given out again yet. */
struct deleted_node {
    struct record r; /* id: of the node */
    uint8_t node_key[KEY_LEN];
    struct addr ipv4, ipv6; /* bits 0: none */
    int64_t time_ns;
};

/* A call of an administrator that carried a token and was answered: the same call with the same token is answered
 * likewise, and not done again. Tokens themselves are not kept. */
struct admin_call {
    struct record r;          /* its id is 0: the token is the key */
    uint8_t token[KEY_LEN];   /* digest of the token and of who used it */
    uint8_t request[KEY_LEN]; /* digest of what was asked */
    int64_t time_ns;
    uint64_t object_id, object_version;
    struct strs events;   /* RUN.SEQ of each */
    char *text, *inverse; /* of the first of them; of the call */
    char *object;         /* the object as it was answered: a message (server/core/message) as base64; "": none was */
    char *secret;         /* what was made, sealed with the token; "": nothing secret was answered */
};

/* A record of defaults with one reference; then by kind. */
struct record *record_new(enum record_kind kind);
struct user *user_new(void);
struct preauth_key *preauth_key_new(void);
struct api_key *api_key_new(void);
struct oauth_client *oauth_client_new(void);
struct oauth_token *oauth_token_new(void);
struct webhook *webhook_new(void);
struct node *node_new(void);
struct event *event_new(void);
struct policy_text *policy_text_new(void);
struct primary *primary_new(void);
struct via_primary *via_primary_new(void);
struct prefix_settings *prefix_settings_new(void); /* as configured in every respect */
struct server_message *server_message_new(void);
struct history *history_new(void);
struct pending *pending_new(void);
struct ssh_approval *ssh_approval_new(void);
struct deleted_node *deleted_node_new(void);
struct admin_call *admin_call_new(void);
struct dns_settings *dns_settings_new(void);

/* A deep copy with one reference and the version raised by one, to be changed and then published. */
void *record_edit(const void *record); /* of any kind */
struct user *user_edit(const struct user *u);
struct preauth_key *preauth_key_edit(const struct preauth_key *k);
struct api_key *api_key_edit(const struct api_key *k);
struct oauth_client *oauth_client_edit(const struct oauth_client *c);
struct webhook *webhook_edit(const struct webhook *w);
struct node *node_edit(const struct node *n);
struct event *event_edit(const struct event *e);
struct prefix_settings *prefix_settings_edit(const struct prefix_settings *s);
struct pending *pending_edit(const struct pending *p);

/* Members of a prefix_rule. */
enum rule_member {
    RULE_FAILBACK = 1,
    RULE_KEEP = 2,
    RULE_HOLD_DOWN = 4,
    RULE_FAILBACK_DELAY = 8,
    RULE_PROBE = 16,
    RULE_NEAREST = 32
};
unsigned prefix_rule_difference(const struct prefix_rule *a, const struct prefix_rule *b);
unsigned prefix_rule_own(const struct prefix_rule *rule); /* those that are not as configured for all */
/* Takes over the members given of from; those in reset become as configured. */
void prefix_rule_apply(struct prefix_rule *to, const struct prefix_rule *from, unsigned given, unsigned reset);
/* Whether the members given may be set for p: ERR_INVALID. */
int prefix_rule_check(const struct prefix *p, const struct prefix_rule *rule, unsigned given,
                      struct err *e) WARN_UNUSED;
/* What the settings of a prefix (NULL: it has none) and the configuration make together. */
struct prefix_rule prefix_rule_of(const struct prefix_settings *settings, const struct prefix_rule *configured);

/* Counting, safe from any thread. record_unref(NULL) does nothing; the last reference frees. */
void *record_ref(const void *record);
void record_unref(const void *record);

/* The record of that id in an array of pointers to records, which is in order of their ids; NULL: none. *at (NULL is
 * allowed) tells where it stands. */
void *record_find(const void *records, size_t count, uint64_t id, size_t *at);

void node_live_release(struct node_live *live);
void node_live_copy(struct node_live *to, const struct node_live *from); /* to must be zeroed or released */

/* Derived. Effective routes: available and approved, on an authorized node; subnet ones without 0.0.0.0/0 and ::/0. */
void node_effective(const struct node *n, struct prefixes *out); /* released first */
bool node_is_tagged(const struct node *n);
bool node_is_exit(const struct node *n);          /* both exit routes are effective */
bool node_has_subnet_route(const struct node *n); /* at least one effective prefix that is no exit route */
bool node_is_expired(const struct node *n, int64_t now_ns);

/* What one prefix does on one node. */
enum route_state {
    ROUTE_NONE,      /* neither advertised nor approved */
    ROUTE_AVAILABLE, /* advertised, not approved */
    ROUTE_APPROVED,  /* approved, not advertised (or one half of an exit node without the other) */
    ROUTE_STANDBY,   /* effective, another node serves, or nobody yet */
    ROUTE_SERVING,
    ROUTE_OFFLINE,   /* effective, but the node is offline or expired */
    ROUTE_UNHEALTHY, /* effective, but the node answers no probe */
    ROUTE_STATES
};
const char *route_state_name(int state); /* "serving", ... as in the API; "none" for what is no state */

/* Approvals with who gave them, so that both stay in step; false: it was, or was not, approved before. */
bool node_approve(struct node *n, const struct prefix *p, const char *by);
bool node_disapprove(struct node *n, const struct prefix *p);
/* A login name, an API key's description, "policy"; "" for what is not approved, or was before this was kept. */
const char *node_approver(const struct node *n, const struct prefix *p);

/* The name that policies, tables and user profiles show: email, name, provider id or id. */
const char *user_login(const struct user *u);
const char *user_display(const struct user *u);
const char *user_role_name(int role);

/* "mkey:", "nodekey:", "discokey:" and 64 hexadecimal digits. */
#define KEY_TEXT_MAX 80
char *key_format(const char *prefix, const uint8_t key[KEY_LEN], char text[KEY_TEXT_MAX]);
int key_parse(const char *prefix, const char *text, uint8_t out[KEY_LEN], const char *field, struct err *e) WARN_UNUSED;
bool key_is_zero(const uint8_t key[KEY_LEN]);

#endif
