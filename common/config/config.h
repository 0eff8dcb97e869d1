/* SPDX-License-Identifier: BSD-3-Clause */
/* The configuration: headscale's keys with the same meaning and a few of headway's own, in YAML, TOML or JSON. Both
 * programs read it: the daemon for everything, the command line for the socket and the address to connect to. One table
 * (keys.c) defines the name, type, default, limits and explanation of each key; reading, environment variables, the
 * commented example and headway.yaml(5) derive from it. Only this room of the daemon uses libyaml. A struct config is
 * filled once and then never changes; a reload makes a new one. Strings are never NULL; paths are absolute or relative
 * to the working directory (a relative path in the file is prefixed with the file's directory). Durations are in
 * nanoseconds. */
#ifndef COMMON_CONFIG_CONFIG_H
#define COMMON_CONFIG_CONFIG_H

#include <stdatomic.h>

#include "base/str.h"
#include "net/prefixes.h"

enum config_allocation { ALLOCATE_SEQUENTIAL, ALLOCATE_RANDOM };

struct config_split {
    char *domain; /* lower case */
    struct strs servers;
};

struct config_splits {
    struct config_split *items;
    size_t len, cap;
};

struct config_record { /* an item of dns.extra_records */
    char *name, *type, *value;
};

struct config_records {
    struct config_record *items;
    size_t len, cap;
};

struct config_pair {
    char *name, *value;
};

struct config_pairs {
    struct config_pair *items;
    size_t len, cap;
};

struct config_provider { /* an OpenID Connect provider; see headway.yaml(5) */
    char *name;          /* letters, digits, '-' and '_'; unique */
    char *issuer, *client_id, *client_secret, *client_secret_path, *pkce_method;
    char *groups_claim, *email_claim, *subject_claim; /* names, or dotted paths */
    char *email_verified_required;                    /* "true", "false", "if-present" */
    struct strs scope, allowed_domains, allowed_users, allowed_groups;
    struct config_pairs extra_params;
    bool use_expiry_from_token, pkce_enabled;
    int64_t refresh_interval, groups_max_age; /* 0: no refresh; groups never expire */
};

struct config_providers {
    struct config_provider *items;
    size_t len, cap;
};

struct config {
    atomic_uint refs;
    char *file;        /* the file that was read, "" if none */
    struct strs notes; /* sentences for the log at the start: keys without effect, defaults worth knowing */
    unsigned *lines;   /* line numbers of the keys in the file, in the order of the table of keys; 0: not in the file */
    struct strs given; /* sorted: the keys set by the file or the environment */
    char *state_dir;   /* for files without a path of their own: certificates, DERP maps, copies */
    char *server_url;  /* without a trailing slash */
    char *listen_addr; /* the public listener, host:port as read by config_listen_parse; never "" */
    char *metrics_listen_addr; /* "": off */
    struct prefixes trusted_proxies;
    struct {
        struct strs cors_origins; /* "https://host:port", or "*" */
    } http;
    char *tls_cert_path, *tls_key_path; /* both or none */
    char *unix_socket;
    int64_t unix_socket_permission; /* permission bits */
    struct {
        char *private_key_path;
    } noise;
    struct {
        struct prefix v4, v6; /* addr.bits 0: family not used; at least one family is */
        int64_t allocation;   /* enum config_allocation */
    } prefixes;
    struct {
        struct {
            bool enabled, verify_clients, legacy_clients;
            bool automatically_add_embedded_derp_region;
            int64_t region_id;
            int64_t advertise_port; /* 0: see relay_advertised_read */
            int64_t rate, burst;    /* bytes per second from a client, and in a burst; rate 0: no limit */
            char *region_code, *region_name;
            char *listen_addr, *stun_listen_addr; /* never "" if enabled */
            char *private_key_path, *ipv4, *ipv6;
        } server;
        struct strs urls, paths;
        bool auto_update_enabled;
        int64_t update_frequency;
    } derp;
    struct {
        char *approval; /* "on": new machines wait for approval; or "off" */
        int64_t expiry; /* of the keys of untagged nodes; 0: never */
        int64_t ephemeral_inactivity_timeout;
        int64_t offline_grace; /* after a connection closes, for a node that no other node can replace */
        struct {
            int64_t probe_interval, probe_timeout; /* of the HEAD and c2n probes; interval 0: off */
            int64_t ping_interval, ping_timeout;   /* for each node with an effective route */
            int64_t failback;                      /* enum route_failback of model/record.h */
            bool keep;                             /* a prefix that no node can serve stays with its last primary */
            bool nearest;                          /* the nearest router serves each viewer */
            int64_t hold_down, failback_delay;
            int64_t settle_time; /* after a start, before a prefix moves away from its last primary */
        } ha;
        struct {
            bool enabled;                /* both health checks of routers and forwarding probes */
            bool read_back;              /* ask nodes which router they use after a move */
            int64_t health_interval;     /* between health checks of routers; 0: only after events */
            int64_t interval, timeout;   /* of forwarding probes */
            int64_t rise, fall;          /* consecutive rounds before a verdict */
            struct config_pairs targets; /* a prefix, and a host behind it */
            int64_t control_lost;        /* how long an offline router keeps what it still forwards; 0: as others */
        } probe;
    } node;
    struct {
        char *type, *sqlite_path;
        bool write_ahead_log;
        int64_t wal_autocheckpoint;
        struct {
            char *host, *name, *user, *pass, *ssl; /* ssl: "true", "false" or a value of libpq's sslmode */
            char *options;
            int64_t port, max_open_conns;
        } postgres;
    } database;
    struct {
        char *level, *format;
    } log;
    struct {
        char *mode, *path;   /* see config_policy_is_file */
        struct strs domains; /* mail domains of the tailnet; empty: those of its users */
    } policy;
    struct {
        bool magic_dns;
        char *base_domain; /* "" only without MagicDNS */
        bool override_local_dns;
        struct strs global; /* addresses or https URLs */
        struct config_splits split;
        struct strs search_domains;
        struct config_records extra_records;
        char *extra_records_path; /* "": none */
    } dns;
    bool logtail, taildrop, auto_update, randomize_client_port;
    struct {
        char *address, *api_key; /* address "": use the Unix socket */
        int64_t timeout;
        bool insecure;
    } cli;
    struct {
        int64_t batch_change_delay;
        int64_t register_cache_expiration, register_cache_max_entries;
        int64_t session_threads; /* 0: one per core */
    } tuning;
    struct {
        bool only_start_if_oidc_is_available;
        struct config_provider flat; /* the provider whose keys are directly under oidc; none if it has no issuer */
        struct config_providers providers;
    } oidc; /* use config_provider to read both */
    struct {
        int64_t revoked_retention; /* 0: forever */
    } preauth_keys;
    struct {
        struct prefixes allow_private; /* networks outside the public internet that webhooks may reach */
        int64_t timeout;               /* of one delivery */
        int64_t max_age, max_events;   /* of events that wait for a receiver that fails */
    } webhooks;
    struct { /* hostname "": no certificate is ordered */
        char *url, *email, *hostname, *cache_dir, *challenge_type, *listen;
    } acme;
};

/* Finds the file: path if not NULL, otherwise $HEADWAY_CONFIG, $HEADSCALE_CONFIG, ~/.config/headway/config.yaml or
 * /etc/headway/config.yaml; having none is not an error. Reads it, then the environment (HEADWAY_DNS_BASE_DOMAIN,
 * otherwise HEADSCALE_...), fills in defaults and checks everything that can be checked without side effects. All
 * problems are appended to problems (may be NULL) as "FILE:LINE: KEY: text"; the first one is also in *e. The caller
 * owns one reference to *out. */
int config_load(const char *path, struct config **out, struct strs *problems, struct err *e) WARN_UNUSED;

/* A problem with a key as "FILE:LINE: TEXT", or TEXT alone if the key is not in the file; caller frees. */
char *config_place(const struct config *c, const char *key, const char *text);
/* Appends "FILE:LINE: KEY: TEXT". */
void config_problem(const struct config *c, struct strs *problems, const char *key, const char *text);

/* Like config_load(), for a program that only needs to find the daemon: *out is set even if there are errors, with
 * defaults for whatever could not be read. */
int config_load_for_client(const char *path, struct config **out, struct err *e) WARN_UNUSED;

/* Like config_load(), from text, as if read from a file called name; for tests and fuzzing. The directory of name is
 * prepended to relative paths. */
int config_parse(const char *text, size_t len, const char *name, struct config **out, struct strs *problems,
                 struct err *e) WARN_UNUSED;

/* Checks what config_load() does not: that the certificate and the key are readable, that the directories of the state
 * and the socket are writable or can be created and, if ports is set, that no other program listens on the ports. A
 * daemon that answers on the configured socket is asked which ports are its own. Changes nothing. */
int config_check(const struct config *c, bool ports, struct strs *problems, struct err *e) WARN_UNUSED;
void config_listens(const struct config *c, struct strs *out); /* appends each listener: "tcp 0.0.0.0:8080" */

bool config_is_nameserver(const char *text); /* an address or an https URL */
bool config_is_domain(const char *text);     /* labels of letters, digits, "-" and "_"; a trailing dot is allowed */
/* The effective value of dns.override_local_dns if there are name servers: true if it is not configured. */
bool config_overrides_dns(const struct config *c);

/* The part of the record that clients cannot use, for a message; NULL if there is none. */
const char *config_record_fault(const struct config_record *r);
/* Writes a domain in lower case and without a trailing dot, as clients ask for it. */
void config_domain_normal(char *name);

struct config *config_ref(const struct config *c);
void config_unref(const struct config *c); /* may be NULL */

/* The names of the keys whose values differ: in live those that take effect at once, in restart those that need a
 * restart. Both are released first. */
void config_diff(const struct config *was, const struct config *is, struct strs *live, struct strs *restart);

/* Copies to fresh the old values of all keys that need a restart, so that a reload never applies a change partly. To be
 * called before others see fresh, and after config_diff. */
void config_keep_until_restart(const struct config *was, struct config *fresh);

/* Writes the given keys as a YAML file with the same meaning, without comments. overrides replace or add values: value
 * is YAML; NULL omits the key. */
struct config_override {
    const char *key, *value;
};
void config_write(const struct config *c, const struct config_override *overrides, size_t count, struct buf *out);

/* The values of all keys, as an object of objects, for people who ask what is in effect; secrets are hidden. */
struct json_out;
void config_describe(const struct config *c, struct json_out *o);

#define CONFIG_SYSTEM_FILE "/etc/headway/config.yaml"
/* The path of headway's own configuration file, or the path where it would be looked for; caller frees. */
char *config_default_file(void);

/* Is the policy in a file, and therefore read-only? Otherwise it is in the database. */
bool config_policy_is_file(const struct config *c);

/* The i-th OpenID provider, from 0; NULL after the last. */
const struct config_provider *config_provider(const struct config *c, size_t i);

bool config_serves_tls(const struct config *c);     /* listen_addr has a certificate, from files or ACME */
bool config_acme_listens(const struct config *c);   /* on acme.listen, for challenges */
bool config_is_postgres(const struct config *c);    /* the database is PostgreSQL */
const char *config_sslmode(const struct config *c); /* database.postgres.ssl for libpq; "": its default */

/* Splits "host:port", ":8080", "[::]:443" or ":http". An empty host means all addresses of both families. ERR_INVALID
 * names the field. */
struct config_listen {
    char host[256];
    uint16_t port;
};
int config_listen_parse(const char *text, const char *field, struct config_listen *out, struct err *e) WARN_UNUSED;

/* The default places of the daemon's state and socket: /var/lib/headway and /run/headway as root or under systemd,
 * otherwise below ~/.local/state/headway. Caller frees. */
char *config_default_state_dir(void);
char *config_default_socket(void);

/* Converts a YAML document (of at most 4 MiB) to compact JSON, for rooms that read YAML. Plain scalars that look like
 * numbers, booleans or null become those; map keys become strings. ERR_INVALID names the line. */
int config_yaml_json(const char *text, size_t len, struct buf *json, struct err *e) WARN_UNUSED;

#endif
