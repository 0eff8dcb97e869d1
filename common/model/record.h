/* SPDX-License-Identifier: BSD-3-Clause */
/* The durable records of a tailnet. A record is filled by its creator and never changes once others can see it: a
 * change is a copy with a higher version. Records are reference-counted, because the core, snapshots, the store and
 * readers hold them at the same time. Strings are never NULL. Times are wall_ns, 0 for "never" or "not set". */
#ifndef COMMON_MODEL_RECORD_H
#define COMMON_MODEL_RECORD_H

#include <stdatomic.h>

#include "base/str.h"
#include "model/warning.h"
#include "net/prefixes.h"

#define KEY_LEN        32
#define AUTH_ID_LEN    38         /* "hskey-authreq-" and 24 hexadecimal digits */
#define TAGGED_USER_ID 2147455555 /* the pseudo user of tagged nodes, as in headscale */

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

/* The first member of each record, so that one function can count references to all of them. */
struct record {
    atomic_uint refs;
    enum record_kind kind;
    uint64_t id;      /* decimal in the API; of a RECORD_EVENT the sequence number */
    uint64_t version; /* counts administrative changes; compared with If-Match */
};

enum user_role { ROLE_MEMBER, ROLE_ADMIN, ROLE_OWNER };

struct user {
    struct record r;
    char *name, *display_name, *email, *provider_id, *provider, *picture_url;
    enum user_role role;
    int64_t created_ns;
    int64_t suspended_ns; /* since when its nodes count as logged out and it cannot log in; 0: not suspended */
    char *suspended_by;   /* the administrator, or "provider NAME", which lifts it at the next login; or "" */
    int64_t login_ns;     /* of the last login with a provider; 0: none */
    char *login_provider; /* the provider of that login, or "" */
    struct strs groups;   /* sorted, "GROUP@PROVIDER": the groups that the providers report */
};

/* The identity of a user at an OpenID provider. A user may have several. */
struct identity {
    struct record r;
    uint64_t user_id;
    char *provider;         /* its name in the configuration */
    char *issuer, *subject; /* as in its tokens */
    int64_t created_ns;
    int64_t login_ns;     /* of the last login; 0: linked by an administrator, not used yet */
    int64_t groups_ns;    /* when the provider last reported the groups; 0: never */
    char *refresh_token;  /* encrypted; "": none */
    int64_t refreshed_ns; /* when the provider last accepted it; 0: never */
    char *trouble;        /* why the last refresh failed, for people; or "" */
};

struct preauth_key {
    struct record r;
    uint64_t user_id;  /* 0: a tagged key without an owner */
    char *prefix;      /* 12 hexadecimal digits; "" for a legacy key */
    char *secret_hash; /* "sha256:HEX", or an imported "$2a$..." (bcrypt), or "plain:TEXT" of a legacy key */
    struct strs tags;  /* sorted, each with "tag:" */
    bool reusable, ephemeral, used, revoked;
    bool preauthorized; /* machines that it registers need no approval */
    int64_t expiration_ns, created_ns;
    int64_t revoked_ns; /* 0: not revoked, or revoked before this was recorded */
    char *description;
};

struct api_key {
    struct record r;
    char *prefix, *secret_hash; /* as above */
    char *description;
    bool read_only;
    int64_t expiration_ns, created_ns, last_seen_ns;
    uint64_t user_id; /* the owner of untagged pre-auth keys that are made with it through API v2; 0: none */
};

/* A program that fetches access tokens with its secret (RFC 6749, 4.4), and the most that these allow. */
struct oauth_client {
    struct record r;
    char *client_id;   /* 12 hexadecimal digits: the prefix of its secret */
    char *secret_hash; /* as above, or an imported "$argon2id$..." */
    char *description;
    struct strs scopes; /* sorted; unknown ones grant nothing */
    struct strs tags;   /* sorted: tags allowed on keys and nodes that it makes */
    int64_t created_ns, last_seen_ns;
};

/* An issued access token. It never changes: the client fetches another one before it expires. */
struct oauth_token {
    struct record r;
    uint64_t client; /* id of the client's record */
    char *prefix, *secret_hash;
    struct strs scopes, tags; /* those of the client, or fewer */
    int64_t expiration_ns, created_ns;
};

/* A server that receives events by POST, and the state of the deliveries. */
struct webhook {
    struct record r;
    char *url;
    char *provider;            /* "slack", ... as Tailscale names them; "": it receives the events themselves */
    struct strs subscriptions; /* sorted: types and categories of events */
    char *creator;             /* an actor as in the journal */
    char *secret;              /* encrypted: deliveries are signed with it */
    int64_t created_ns, modified_ns;
    int64_t deleted_ns;          /* when it was deleted, or 0; kept until that was delivered to it */
    uint64_t run, seq;           /* all events up to this journal entry are dealt with */
    int64_t tried_ns;            /* the last delivery; 0: none. The same holds for the next three */
    int64_t delivered_ns;        /* the last successful one */
    int64_t failing_ns;          /* the first failure after it; 0: the last delivery succeeded */
    int64_t next_ns;             /* the next attempt after a failure */
    uint32_t failures;           /* consecutive */
    uint32_t status;             /* HTTP status of the last delivery; 0: no answer */
    char *trouble;               /* why the last delivery failed, or "" */
    bool reported;               /* the failure is in the journal */
    uint64_t delivered, dropped; /* events; dropped: too old or too many, never sent */
    uint64_t dropped_said;       /* of those, the ones that the receiver was told about */
};

#define NODE_PRIORITY_DEFAULT 100
#define NODE_PRIORITY_MAX     1000

enum register_method { REGISTER_UNSPECIFIED, REGISTER_AUTH_KEY, REGISTER_CLI, REGISTER_OIDC };

struct node {
    struct record r;
    uint8_t machine_key[KEY_LEN], node_key[KEY_LEN], disco_key[KEY_LEN];
    char *hostname;   /* as reported by the client, made valid UTF-8 without control characters, at most 255 bytes */
    char *given_name; /* the MagicDNS label: unique in the tailnet, lower case, at most 63 bytes */
    bool name_given;  /* by an administrator: kept if the host name changes */
    uint64_t user_id; /* 0: tagged */
    struct strs tags; /* sorted; not empty: tagged */
    struct addr ipv4, ipv6; /* bits 0: none */
    enum register_method method;
    uint64_t preauth_key_id; /* 0: none, or the key was deleted */
    uint64_t unseen_login; /* the pre-auth key of a login that the client may not know of; 0: it has connected since */
    bool ephemeral, logged_out;
    bool authorized;       /* tailcfg.Node.MachineAuthorized; false: waits for approval, or approval was revoked */
    int64_t authorized_ns; /* the last decision about it, by an administrator or a key; 0: none */
    char *authorized_by;   /* the actor, or "" */
    int64_t created_ns, expiry_ns;
    int64_t expiring_ns;       /* the key expiry that the journal has announced; 0: none */
    struct prefixes available; /* advertised: Hostinfo.RoutableIPs */
    int64_t advertised_ns;     /* when that last changed; 0: before this was recorded */
    struct prefixes approved;  /* by an administrator or autoApprovers; kept when no longer advertised */
    struct strs approved_by;   /* the actors for each prefix of approved, in the same order; see node_approver */
    struct prefixes removed;   /* disapproved by an administrator: autoApprovers does not approve these again */
    struct strs request_tags;  /* Hostinfo.RequestTags */
    bool draining;             /* an administrator wants other nodes to serve its prefixes */
    uint32_t priority;         /* of a router or exit node, at most NODE_PRIORITY_MAX: higher is preferred */
    uint64_t exit_node_id;     /* the exit node that it uses: Hostinfo.ExitNodeID; 0: none */
    uint32_t cap_version;      /* tailcfg.CapabilityVersion of the client */
    /* The parts of Hostinfo that are shown or sent to peers. */
    char *os, *os_version, *client_version;
    char *hostinfo;      /* the whole Hostinfo except NetInfo as compact JSON, at most 16 KiB; "{}" if unknown */
    char *peer_hostinfo; /* the part that peers receive: OS, Hostname, Services, sshHostKeys, AppConnector */
};

/* State that changes often and is published before it is written. */
struct node_live {
    bool online;
    bool healthy;  /* false: it answers no probe, although a stream is open */
    bool flapping; /* it disconnected too often lately to be preferred in elections */
    int64_t last_seen_ns;
    int64_t since_ns;   /* of the last change between online and offline; 0: not since the start */
    uint32_t home_derp; /* region; 0: unknown */
    struct addr_port *endpoints;
    size_t endpoint_count;
    char *net_info; /* Hostinfo.NetInfo as compact JSON, "" if unknown */
    struct node_warnings warnings;
    struct prefixes unreachable; /* their probe target does not answer through it */
    struct prefixes carried;     /* kept without a control connection: their targets answer through it */
    /* To test a standby, one viewer is given a route to one probe target through this node, whatever the primary. 0:
     * none. */
    uint64_t probe_helper;
    struct addr probe_target;
    char *source; /* the address of its control connection, "" if none is open */
};

struct policy_text {
    struct record r;
    char *text;
    int64_t updated_ns;
    char *author; /* an actor as in the journal; "" in texts from before this was recorded */
    char *note;   /* the author's reason, or "" */
};

/* How an administrator constrains the next election, in a record that is not the result of one. */
enum primary_choice {
    PRIMARY_ELECTED,
    PRIMARY_HOLDS, /* the node serves until it cannot */
    PRIMARY_ONCE,  /* the node serves now, but failback may move the prefix */
};

/* The primary of a subnet prefix, kept so that a restart does not move the prefix. id: the node. */
struct primary {
    struct record r;
    struct prefix prefix;
    int64_t since_ns;
    char *actor;                /* the administrator who caused it, "": none. Not stored */
    uint64_t moves;             /* moves from one router to another since the start. Not stored */
    bool chosen;                /* by an administrator: it serves until it cannot, regardless of the failback */
    enum primary_choice choice; /* not stored */
};

/* The primary within a group of routers that grants name in via. id: the node. */
struct via_primary {
    struct record r;
    char *tags;  /* of the group, sorted: "tag:a, tag:b" */
    char *actor; /* as in struct primary; not stored */
    struct prefix prefix;
    int64_t since_ns;
    bool chosen;                /* as in struct primary */
    enum primary_choice choice; /* as in struct primary; not stored */
};

/* What happens to a prefix when a better router than its primary is healthy. */
enum route_failback {
    FAILBACK_STICKY,   /* nothing: the primary keeps it */
    FAILBACK_OLDEST,   /* the oldest router (by creation) becomes primary whenever it can serve */
    FAILBACK_PRIORITY, /* the router with the highest priority becomes primary; among equals the present one stays */
    FAILBACKS
};
const char *route_failback_name(int failback); /* "sticky", "oldest", "priority"; "" for any other value */

enum prefix_keep {
    PREFIX_WITHDRAW, /* without a candidate the prefix has no primary */
    PREFIX_KEEP,     /* without a candidate the last primary keeps it, so that traffic is dropped instead of routed
                        elsewhere; an unhealthy router is elected rather than none */
    PREFIX_KEEPS
};

enum prefix_nearest {
    PREFIX_ONE_FOR_ALL, /* the primary serves all viewers */
    PREFIX_NEAREST,     /* the nearest router serves each viewer; the primary serves the others */
    PREFIX_NEARESTS
};

/* How a prefix is served. In the settings of a prefix FAILBACKS, PREFIX_KEEPS, -1 and PREFIX_NEARESTS mean: as
 * configured for all prefixes. */
struct prefix_rule {
    enum route_failback failback;
    enum prefix_keep keep;
    int64_t hold_down_ns;      /* after a move, how long the prefix stays with its new router while that is healthy */
    int64_t failback_delay_ns; /* how long a router must have been healthy before it takes a prefix from a healthy one;
                                  approvals and choices by an administrator take effect at once */
    struct addr probe;         /* a host behind the prefix that answers pings, to test forwarding; bits 0: none */
    enum prefix_nearest nearest;
};

struct prefix_settings {
    struct record r; /* its id is 0: the prefix is the key */
    struct prefix prefix;
    struct prefix_rule rule;
};
/* An administrator's message to the users of all clients. id: 1, there is at most one. */
enum message_severity { SEVERITY_LOW, SEVERITY_MEDIUM, SEVERITY_HIGH };
struct server_message {
    struct record r;
    char *text; /* "": none */
    char *url;  /* of a page with more information, or "" */
    enum message_severity severity;
    int64_t updated_ns;
};
const char *message_severity_name(int severity); /* as in tailcfg.DisplayMessage */

/* The DNS settings of clients, apart from the domain of the tailnet and its records. */
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
/* The next word of an entry of split, first the domain; NULL after the last. The caller frees it. */
char *dns_split_word(const char **entry);
struct json_out;
/* Writes {"DOMAIN":[SERVER, ...]}; put writes a server, as json_str does. */
typedef void dns_server_write(struct json_out *o, const char *server);
void dns_split_write(struct json_out *o, const struct strs *split, dns_server_write *put);

/* The DNS settings that an administrator has overridden. id: 1, there is at most one. */
struct dns_settings {
    struct record r;
    unsigned set; /* enum dns_member: the members of values that are overridden */
    struct dns_values values;
    int64_t updated_ns;
};

/* The state of an object from a time on. Its state at a given time is in its newest record that is not later. */
enum history_kind {
    HISTORY_NODE,
    HISTORY_USER,
    HISTORY_PRIMARY,
    HISTORY_POLICY,
    HISTORY_VIA_PRIMARY,
    HISTORY_DNS,
    HISTORY_NEAREST,       /* which router serves which viewers of a prefix as the nearest */
    HISTORY_NEAREST_MOVES, /* viewers that moved since the last HISTORY_NEAREST */
    HISTORY_KINDS
};
struct history {
    struct record r; /* id: increases with time */
    int64_t time_ns;
    enum history_kind kind;
    char *key;   /* an id or a prefix; of a via_primary the prefix, a blank and the tags; "" for the policy and DNS */
    char *image; /* JSON, see server/tailnet/past.h; of the policy its id; "": deleted */
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
    uint64_t undone_run, undone_by; /* RUN and SEQ of the event that undid this one; 0: none */
    bool by_admin;                  /* caused by an administrator: kept apart from what clients cause */
};

/* A registration or an SSH session that waits for a decision, or was decided recently. */
struct pending {
    struct record r; /* id is 0: auth_id is the key */
    char *auth_id;
    bool ssh;       /* a check of Tailscale SSH, not a registration */
    bool ephemeral; /* the client keeps no state: its node is deleted when it disconnects */
    uint8_t machine_key[KEY_LEN], node_key[KEY_LEN];
    char *hostname, *os, *client_version, *source;
    struct strs request_tags;
    struct prefixes routes;
    int64_t created_ns, expires_ns;
    uint64_t ssh_source_id, ssh_target_id; /* node ids, for ssh */
    char *ssh_user;
    bool decided, accepted;
    uint64_t node_id; /* of an accepted registration */
};

/* An approved SSH session: during the period of its rule it needs no further approval, unless the policy changes. id:
 * the source node. */
struct ssh_approval {
    struct record r;
    uint64_t target_id;
    char *user;
    int64_t until_ns;
    uint64_t policy_id; /* the policy at that time; 0: none */
};

/* A recently deleted node: its client is informed, and its addresses are not reused yet. */
struct deleted_node {
    struct record r; /* id: the node's */
    uint8_t node_key[KEY_LEN];
    struct addr ipv4, ipv6; /* bits 0: none */
    int64_t time_ns;
};

/* An administrator's call that carried a token and was answered: the same call with the same token gets the same answer
 * and is not repeated. The tokens themselves are not stored. */
struct admin_call {
    struct record r;          /* id is 0: the token is the key */
    uint8_t token[KEY_LEN];   /* digest of the token and its user */
    uint8_t request[KEY_LEN]; /* digest of the request */
    int64_t time_ns;
    uint64_t object_id, object_version;
    struct strs events;   /* RUN.SEQ of each event */
    char *text, *inverse; /* text of the first event; inverse of the call */
    char *object;         /* the object in the answer: a message (server/core/message) as base64; "": none */
    char *secret;         /* the secret in the answer, encrypted with the token; "": none */
};

/* A record with default values and one reference; below, the same for each kind. */
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
struct prefix_settings *prefix_settings_new(void); /* everything as configured */
struct server_message *server_message_new(void);
struct history *history_new(void);
struct pending *pending_new(void);
struct ssh_approval *ssh_approval_new(void);
struct deleted_node *deleted_node_new(void);
struct admin_call *admin_call_new(void);
struct dns_settings *dns_settings_new(void);

/* A deep copy with one reference and the next version, to be changed and then published. */
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

/* The members of a prefix_rule, as bits. */
enum rule_member {
    RULE_FAILBACK = 1,
    RULE_KEEP = 2,
    RULE_HOLD_DOWN = 4,
    RULE_FAILBACK_DELAY = 8,
    RULE_PROBE = 16,
    RULE_NEAREST = 32
};
unsigned prefix_rule_difference(const struct prefix_rule *a, const struct prefix_rule *b);
unsigned prefix_rule_own(const struct prefix_rule *rule); /* the members that differ from the configuration */
/* Copies the members in given from from; the members in reset return to the configured values. */
void prefix_rule_apply(struct prefix_rule *to, const struct prefix_rule *from, unsigned given, unsigned reset);
/* May the members in given be set for p? ERR_INVALID if not. */
int prefix_rule_check(const struct prefix *p, const struct prefix_rule *rule, unsigned given,
                      struct err *e) WARN_UNUSED;
/* The effective rule: the settings of a prefix (NULL: none) over the configuration. */
struct prefix_rule prefix_rule_of(const struct prefix_settings *settings, const struct prefix_rule *configured);

/* Reference counting, safe in any thread. record_unref(NULL) does nothing; dropping the last reference frees the
 * record. */
void *record_ref(const void *record);
void record_unref(const void *record);

/* Finds a record by its id in an array of pointers to records, sorted by id; NULL if there is none. *at (may be NULL)
 * is set to its index, or the one at which it belongs. */
void *record_find(const void *records, size_t count, uint64_t id, size_t *at);

void node_live_release(struct node_live *live);
void node_live_copy(struct node_live *to, const struct node_live *from); /* to must be zeroed or released */

/* Derived: the effective routes are available and approved, on an authorized node. Subnet routes exclude 0.0.0.0/0 and
 * ::/0. */
void node_effective(const struct node *n, struct prefixes *out); /* released first */
bool node_is_tagged(const struct node *n);
bool node_is_exit(const struct node *n);          /* both exit routes are effective */
bool node_has_subnet_route(const struct node *n); /* at least one effective prefix other than an exit route */
bool node_is_expired(const struct node *n, int64_t now_ns);

/* The state of a prefix on a node. */
enum route_state {
    ROUTE_NONE,      /* neither advertised nor approved */
    ROUTE_AVAILABLE, /* advertised, not approved */
    ROUTE_APPROVED,  /* approved, not advertised (or one half of an exit node without the other) */
    ROUTE_STANDBY,   /* effective, but another node or none is primary */
    ROUTE_SERVING,
    ROUTE_OFFLINE,   /* effective, but the node is offline or expired */
    ROUTE_UNHEALTHY, /* effective, but the node does not answer probes */
    ROUTE_STATES
};
const char *route_state_name(int state); /* "serving", ... as in the API; "none" for any other value */

/* Approve and disapprove a prefix, and keep the approvers consistent; false if there was nothing to change. */
bool node_approve(struct node *n, const struct prefix *p, const char *by);
bool node_disapprove(struct node *n, const struct prefix *p);
/* A login name, an API key's description, "policy"; "" if p is not approved or was before this was recorded. */
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
