/* SPDX-License-Identifier: BSD-3-Clause */
/* The tailnet as readers see it. The core publishes; everyone else pins a snapshot, reads it as long as they like and
 * unpins it. Nothing in a snapshot ever changes. Beside it is a log of changes, so that a reader that knows what it
 * sent its client at change N can find what to send now without comparing tailnets. */
#ifndef SERVER_TAILNET_TAILNET_H
#define SERVER_TAILNET_TAILNET_H

#include "model/record.h"

#define TAILNET_BLOCK     64    /* nodes per block; also the unit of shared peer chunks */
#define TAILNET_LOG       65536 /* changes kept; a reader further behind compares visible sets */
#define TAILNET_SLOT_NONE UINT32_MAX

/* A node at one version. */
struct tailnet_node {
    atomic_uint refs;
    uint32_t slot;    /* small index; not reused while any reader can still see the old owner */
    uint64_t version; /* number of the change that made it: equal versions are equal bytes, and caches key on it */
    const struct node *record;
    const struct user *user; /* NULL: tagged */
    struct node_live live;
    struct prefixes serving; /* subnet prefixes that it is elected for; exit routes are not elected */
    bool expired;
};

/* TAILNET_BLOCK slots, NULL where empty. Snapshots share a block while none of its nodes changed. */
struct tailnet_block {
    atomic_uint refs;
    uint64_t version; /* increases with every change that peers can see: equal versions are equal bytes */
    uint64_t exits;   /* bits: nodes of the block whose exit routes are effective */
    const struct tailnet_node *nodes[TAILNET_BLOCK];
};

/* A host behind a prefix that answers pings. */
struct probe_target {
    struct prefix prefix;
    struct addr target;
};

/* What is the same for everyone; all from the configuration except dns_own. JSON texts are in the protocol's form. */
struct tailnet_settings {
    atomic_uint refs;
    uint64_t dns_version, derp_version; /* change numbers; the former also covers domain and logtail */
    char *server_url;                   /* without a trailing slash */
    char *domain;                       /* host part of server_url: MapResponse.Domain */
    char *base_domain;                  /* of MagicDNS names, "" if none */
    char *dns_json;                     /* tailcfg.DNSConfig */
    const struct dns_settings *dns_own; /* the part of it that an administrator set; NULL: none ever was */
    char *derp_json;                    /* tailcfg.DERPMap */
    bool taildrop, randomize_client_port, logtail, auto_update;
    struct probe_target *probes; /* configured, for prefixes without a target of their own */
    size_t probe_count;
    struct prefix_rule routing; /* for prefixes without settings of their own */
    bool strict_relay;          /* derp.server.legacy_clients: false */
};

/* Which router serves which viewer, for a prefix served by the nearest router. Immutable and reference-counted. */
struct nearest_prefix {
    struct prefix prefix;
    uint32_t primary;    /* slot of the elected router, which serves viewers without another */
    uint32_t *routers;   /* by the viewer's slot: its router's slot, TAILNET_SLOT_NONE: the primary */
    int64_t *moved_ms;   /* likewise: when it last moved (mono), INT64_MIN: never; NULL: none did */
    size_t viewers;      /* length of both arrays */
    uint64_t *serving;   /* bits by slot: nodes that occur in routers */
    size_t words;        /* length of serving */
    atomic_uint *shares; /* how many lists share these arrays and texts; NULL: only this one */
    char *actor;         /* the administrator whose change moved the viewers at acted_ms; NULL: none */
    int64_t acted_ms;
};
struct tailnet_nearest {
    atomic_uint refs;
    char *ended_by; /* who made the change that ended nearest routing of the last such prefixes; NULL: no one */
    size_t len;
    struct nearest_prefix items[]; /* by prefix */
};
struct tailnet_nearest *tailnet_nearest_new(size_t len);
struct tailnet_nearest *tailnet_nearest_ref(struct tailnet_nearest *n); /* NULL stays NULL */
void tailnet_nearest_unref(struct tailnet_nearest *n);                  /* NULL is allowed */
/* Makes *to equal to *from, sharing its arrays: nothing about the prefix has changed. */
void tailnet_nearest_share(struct nearest_prefix *to, const struct nearest_prefix *from);
/* NULL: one router serves the prefix for all viewers. */
const struct nearest_prefix *tailnet_nearest_find(const struct tailnet_nearest *n, const struct prefix *p);
/* The slot of the router that serves the viewer: its own, or the primary. */
uint32_t nearest_router(const struct nearest_prefix *p, uint32_t viewer);
/* Whether the node serves some viewers as the nearest router. */
bool nearest_serves(const struct nearest_prefix *p, uint32_t router);
/* The prefixes that it serves in this way; out is released first. */
void tailnet_nearest_serving(const struct tailnet_nearest *n, uint32_t router, struct prefixes *out);

struct policy_view; /* policy/policy.h */

struct tailnet_snapshot {
    atomic_uint refs;
    uint64_t seq;       /* the change up to which it is current */
    int64_t wall_ns;    /* when it was published */
    size_t block_count; /* all slots are below block_count * TAILNET_BLOCK */
    struct tailnet_block **blocks;
    size_t node_count, online_count;
    size_t ranked_exits; /* exit nodes whose priority is not the default: clients are steered by priority if there are
                            any */
    const struct user **users; /* by id, ascending; likewise the next seven */
    size_t user_count;
    const struct preauth_key **preauth_keys;
    size_t preauth_key_count;
    const struct api_key **api_keys;
    size_t api_key_count;
    const struct identity **identities; /* by id */
    size_t identity_count;
    const struct oauth_client **oauth_clients;
    size_t oauth_client_count;
    const struct oauth_token **oauth_tokens;
    size_t oauth_token_count;
    const struct webhook **webhooks; /* including deleted ones */
    size_t webhook_count;
    const struct pending **pendings;
    size_t pending_count;
    const struct primary **primaries; /* elected routers by prefix */
    size_t primary_count;
    const struct via_primary **via_primaries; /* likewise within groups of via, by prefix and tags */
    size_t via_primary_count;
    const struct prefix_settings **prefix_settings; /* by prefix */
    size_t prefix_settings_count;
    struct tailnet_nearest *nearest; /* NULL: no prefix is served by the nearest router */
    struct tailnet_settings *settings;
    const struct server_message *message;   /* for the users of all clients; NULL or without text: none */
    const struct policy_text *policy;       /* NULL: none, everything is allowed */
    uint64_t users_version, policy_version; /* change numbers */
    uint64_t event_run, event_seq;          /* the newest journal entry that it contains */
};

/* What a change touched. CHANGE_WHOLE sends whole nodes again; the patch bits fit tailcfg.PeerChange. */
enum change_mask {
    CHANGE_ADDED = 1 << 0,
    CHANGE_REMOVED = 1 << 1,
    CHANGE_WHOLE = 1 << 2,     /* anything that no patch can express: see the table in tailnet/difference.c */
    CHANGE_ONLINE = 1 << 3,    /* Online and LastSeen */
    CHANGE_ENDPOINTS = 1 << 4, /* also the home relay */
    CHANGE_KEYS = 1 << 5,      /* node key, disco key, key expiry: a re-login */
    CHANGE_SELF = 1 << 6,      /* only what the node itself is told */
    CHANGE_POLICY = 1 << 7,    /* tailnet-wide from here on: slot is TAILNET_SLOT_NONE */
    CHANGE_DNS = 1 << 8,
    CHANGE_DERP = 1 << 9,
    CHANGE_USERS = 1 << 10,    /* profiles */
    CHANGE_MESSAGE = 1 << 11,  /* the server's message to all clients */
    CHANGE_STEERING = 1 << 12, /* exit nodes are now chosen by priority, or no longer are */
    CHANGE_NEAREST = 1 << 13,  /* some viewers are now served by other routers */
};
#define CHANGE_VOLATILE (CHANGE_ONLINE | CHANGE_ENDPOINTS)

struct change {
    uint64_t seq;
    uint64_t node_id;
    uint32_t slot;
    uint32_t mask;
    bool route_moved; /* a serving prefix was gained or lost with this change: never waits for a round */
    bool reachable;   /* its first home relay or DiscoKey: before peers know it, they cannot reach the node */
};

struct tailnet;

struct tailnet *tailnet_new(void);
void tailnet_free(struct tailnet *t); /* after its readers are gone */

/* Any thread. tailnet_pin never returns NULL. */
const struct tailnet_snapshot *tailnet_pin(struct tailnet *t);
void tailnet_unpin(const struct tailnet_snapshot *s);
const struct tailnet_snapshot *tailnet_ref(const struct tailnet_snapshot *s);

/* Copies the changes after seq up to and including until to out (an array of TAILNET_LOG is always enough) and returns
 * their number; -1 if seq is no longer in the log. */
long tailnet_changes(struct tailnet *t, uint64_t after, uint64_t until, struct change *out, size_t max);

/* The slot of a node key in the newest published state, or TAILNET_SLOT_NONE; for readers such as the relay that must
 * decide about a key without asking the core. The second function reports whether the machine key owns any node. */
uint32_t tailnet_find_key(struct tailnet *t, const uint8_t node_key[KEY_LEN]);
bool tailnet_knows_machine(struct tailnet *t, const uint8_t machine_key[KEY_LEN]);

/* The policy applied to the newest nodes; NULL: none, everything is allowed. It is updated in place, node by node, so
 * readers hold a lock on it: keep it brief, one answer at most. It may be ahead of a pinned snapshot, but never behind:
 * it changes before the consequences of the change are published. */
const struct policy_view *tailnet_policy_read(struct tailnet *t);
void tailnet_policy_done(struct tailnet *t);

/* wake is called on the publishing thread after each publication; it must only make a reader look again. */
void tailnet_subscribe(struct tailnet *t, void (*wake)(void *arg), void *arg);
void tailnet_unsubscribe(struct tailnet *t, void (*wake)(void *arg), void *arg);

/* A node of the snapshot; NULL if the slot is empty. snapshot_node_by_id searches an index of all nodes. */
const struct tailnet_node *snapshot_node(const struct tailnet_snapshot *s, uint32_t slot);
const struct tailnet_node *snapshot_node_by_id(const struct tailnet_snapshot *s, uint64_t id);
const struct user *snapshot_user(const struct tailnet_snapshot *s, uint64_t id);
const struct preauth_key *snapshot_preauth_key(const struct tailnet_snapshot *s, uint64_t id);
const struct api_key *snapshot_api_key(const struct tailnet_snapshot *s, uint64_t id);
const struct oauth_client *snapshot_oauth_client(const struct tailnet_snapshot *s, uint64_t id);
const struct webhook *snapshot_webhook(const struct tailnet_snapshot *s, uint64_t id);
const struct prefix_settings *snapshot_prefix_settings(const struct tailnet_snapshot *s, const struct prefix *p);
const struct pending *snapshot_pending(const struct tailnet_snapshot *s, const char *auth_id);

#define TAILNET_CAP_SAYS_EXIT 122 /* capability version from which clients report which exit node they use (1.86) */

/* Why the node cannot be used as an exit node now, as what happened to it ("went offline"); NULL: it can be. n NULL: it
 * was deleted. */
const char *tailnet_exit_end(const struct tailnet_node *n);

/* The key expiry that clients are sent, 0: never. They judge a key by this date alone, so a node that is logged out, or
 * whose user is suspended, is given a past one. */
int64_t tailnet_node_expiry(const struct tailnet_node *n);

/* How near the expiry of a node's key is, for warnings: within seven days, within one. A passed expiry still is
 * KEY_END_DAY until the node counts as expired. */
enum key_end { KEY_END_FAR, KEY_END_WEEK, KEY_END_DAY };
enum key_end tailnet_key_end(const struct node *n, int64_t now_ns);
int64_t tailnet_key_end_next(const struct node *n, int64_t now_ns); /* when that changes next; 0: never */

/* "given-name.base-domain." with the final dot, or the bare name if there is no base domain. */
void snapshot_fqdn(const struct tailnet_snapshot *s, const struct node *n, struct buf *out);

/* The slot of the router that serves the viewer instead of the primary because it is nearer; TAILNET_SLOT_NONE: the
 * primary does, or the router that a grant with via names, or no router may. policy NULL: none. */
uint32_t tailnet_nearer_router(const struct nearest_prefix *n, const struct policy_view *policy, uint32_t viewer);

/* Only for the publisher (the core) and tests: server/tailnet/publish.h. */

#endif
