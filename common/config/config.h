/* SPDX-License-Identifier: BSD-3-Clause */
/* The configuration: headscale's keys with the same meaning, and a few of our own, in YAML, TOML or JSON. Both programs
 * read it: the daemon for everything, the command line for the socket and the address that it talks to.
 *
 * One table (keys.c) holds each key's name, type, default, limits and explanation; reading, environment overrides, the
 * commented example and headway.yaml(5) come from it. In the daemon this room alone knows libyaml.
 *
 * A struct config is filled once and never changes; a reload makes a new one. Texts are never NULL; a path is absolute
 * or relative to the working directory (a relative one in the file has got the file's directory in front). Durations
 * are nanoseconds. */
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

struct config_record { /* one of dns.extra_records */
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

struct config_provider { /* of OpenID Connect; see headway.yaml(5) */
    char *name;          /* of letters, digits, '-' and '_', unique */
    char *issuer, *client_id, *client_secret, *client_secret_path, *pkce_method;
    char *groups_claim, *email_claim, *subject_claim; /* names, or paths with dots */
    char *email_verified_required;                    /* "true", "false", "if-present" */
    struct strs scope, allowed_domains, allowed_users, allowed_groups;
    struct config_pairs extra_params;
    bool use_expiry_from_token, pkce_enabled;
    int64_t refresh_interval, groups_max_age; /* 0: not done; groups are kept */
};

struct config_providers {
    struct config_provider *items;
    size_t len, cap;
};

struct config {
    atomic_uint refs;
    char *file;        /* what was read, "" without a file */
    struct strs notes; /* sentences for the start log: keys without effect, defaults that a person should know */
    unsigned *lines;   /* of the keys in the file, in the order of the table of keys; 0: it is not there */
    struct strs given; /* sorted: the keys that the file or the environment set */
    char *state_dir;   /* where files without a path of their own live: certificates, DERP maps, copies */
    char *server_url;  /* without a slash at its end */
    char *listen_addr; /* the public door, host:port as config_listen_parse reads it; never "" */
    char *metrics_listen_addr; /* "": off */
    struct prefixes trusted_proxies;
    struct {
        struct strs cors_origins; /* "https://host:port", or "*" */
    } http;
    char *tls_cert_path, *tls_key_path; /* both or none */
    char *unix_socket;
    int64_t unix_socket_permission; /* mode bits */
    struct {
        char *private_key_path;
    } noise;
    struct {
        struct prefix v4, v6; /* addr.bits 0: family not used; at least one is */
        int64_t allocation;   /* enum config_allocation */
    } prefixes;
    struct {
        struct {
            bool enabled, verify_clients, legacy_clients;
            bool automatically_add_embedded_derp_region;
            int64_t region_id;
            int64_t advertise_port; /* 0: see relay_advertised_read */
            int64_t rate, burst;    /* bytes a second from one client, and at once; rate 0: no limit */
            char *region_code, *region_name;
            char *listen_addr, *stun_listen_addr; /* never "" while enabled */
            char *private_key_path, *ipv4, *ipv6;
        } server;
        struct strs urls, paths;
        bool auto_update_enabled;
        int64_t update_frequency;
    } derp;
    struct {
        char *approval; /* "on": new machines wait for an administrator; "off" */
        int64_t expiry; /* of keys of untagged nodes; 0: never */
        int64_t ephemeral_inactivity_timeout;
        int64_t offline_grace; /* a closed connection of a node that nobody can stand in for */
        struct {
            int64_t probe_interval, probe_timeout; /* of the HEAD and c2n probe; interval 0: off */
            int64_t ping_interval, ping_timeout;   /* for every node with an effective route */
            int64_t failback;                      /* enum route_failback, as in model/record.h */
            bool keep;                             /* who served last keeps a prefix that nobody can serve */
            bool nearest;                          /* each viewer is served by the router that is nearest to it */
            int64_t hold_down, failback_delay;
            int64_t settle_time; /* after a start, before a prefix moves away from its last router */
        } ha;
        struct {
            bool enabled;                /* health of routers and forwarding probes, both */
            bool read_back;              /* which router nodes use after a move */
            int64_t health_interval;     /* of questions for the health of routers; 0: only when something happens */
            int64_t interval, timeout;   /* of forwarding probes */
            int64_t rise, fall;          /* rounds in a row until a verdict */
            struct config_pairs targets; /* prefix, a host behind it */
            int64_t control_lost; /* that a router without a control connection keeps what it forwards; 0: none */
        } probe;
    } node;
    struct {
        char *type, *sqlite_path;
        bool write_ahead_log;
        int64_t wal_autocheckpoint;
        struct {
            char *host, *name, *user, *pass, *ssl; /* ssl: "true", "false" or a word of libpq's sslmode */
            char *options;
            int64_t port, max_open_conns;
        } postgres;
    } database;
    struct {
        char *level, *format;
    } log;
    struct {
        char *mode, *path;   /* config_policy_is_file says which holds */
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
        char *address, *api_key; /* address "": the unix socket */
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
        struct config_provider flat; /* the one whose keys stand alone; without an issuer there is none */
        struct config_providers providers;
    } oidc; /* config_provider reads both */
    struct {
        int64_t revoked_retention; /* 0: for good */
    } preauth_keys;
    struct {
        struct prefixes allow_private; /* that webhooks may be sent to although they are not of the public internet */
        int64_t timeout;               /* of a delivery */
        int64_t max_age, max_events;   /* of what waits for a receiver that fails */
    } webhooks;
    struct { /* hostname "": none is ordered */
        char *url, *email, *hostname, *cache_dir, *challenge_type, *listen;
    } acme;
};

/* Finds the file: path if it is not NULL, else $HEADWAY_CONFIG, $HEADSCALE_CONFIG,
 * ~/.config/headway/config.yaml, /etc/headway/config.yaml; none at all is no error. Reads it, then the environment
 * (HEADWAY_DNS_BASE_DOMAIN, else HEADSCALE_...), fills in defaults and checks what can be checked without side effects.
 * All mistakes are appended to problems (may be NULL) as "FILE:LINE: KEY: text", the first one is also in *e.
 * The caller owns one reference of *out. */
int config_load(const char *path, struct config **out, struct strs *problems, struct err *e) WARN_UNUSED;

/* What is wrong with a key, as "FILE:LINE: TEXT" where the file gives it; the caller's. */
char *config_place(const struct config *c, const char *key, const char *text);
/* Adds "FILE:LINE: KEY: TEXT". */
void config_problem(const struct config *c, struct strs *problems, const char *key, const char *text);

/* The same for a program that wants to know little of it, where the daemon is: *out is given also where something is
 * wrong, with the defaults in place of what could not be read. */
int config_load_for_client(const char *path, struct config **out, struct err *e) WARN_UNUSED;

/* The same from text, as if read from a file called name; for tests and fuzzing. name's directory is put in front of
 * relative paths. */
int config_parse(const char *text, size_t len, const char *name, struct config **out, struct strs *problems,
                 struct err *e) WARN_UNUSED;

/* What a start needs of the machine and config_load does not look at: certificate and key can be read,
 * directories of state and socket can be written or made; with ports, that nobody else listens on them: the daemon that
 * answers on the configured socket is asked which are its own. Changes nothing. */
int config_check(const struct config *c, bool ports, struct strs *problems, struct err *e) WARN_UNUSED;
void config_listens(const struct config *c, struct strs *out); /* adds what is listened at: "tcp 0.0.0.0:8080" */

bool config_is_nameserver(const char *text); /* an address or an https URL */
bool config_is_domain(const char *text);     /* of labels with letters, digits, "-" and "_"; it may end in a dot */
/* dns.override_local_dns as it is with name servers: where nothing is configured it is true. */
bool config_overrides_dns(const struct config *c);

/* NULL, or what clients cannot use in the record. */
const char *config_record_fault(const struct config_record *r);
/* Names may be written in capitals, and with the dot of the root at their end; clients ask in lower case and without it.
 * name is a domain. */
void config_domain_normal(char *name);

struct config *config_ref(const struct config *c);
void config_unref(const struct config *c); /* NULL is allowed */

/* The names of the keys whose values differ: those that take effect at once to live, those that need a restart to
 * restart. Both are released first. */
void config_diff(const struct config *was, const struct config *is, struct strs *live, struct strs *restart);

/* Gives fresh the values of was for all keys that need a restart, so that a reload applies none of a change halfway.
 * Before others see fresh; config_diff comes first. */
void config_keep_until_restart(const struct config *was, struct config *fresh);

/* The keys that were given as a YAML file with the same meaning, without comments. overrides take the place of what was
 * given, or of nothing: value is YAML, NULL leaves the key out. */
struct config_override {
    const char *key, *value;
};
void config_write(const struct config *c, const struct config_override *overrides, size_t count, struct buf *out);

/* All keys with their values as an object of objects, for people who ask what is in force; secrets are hidden. */
struct json_out;
void config_describe(const struct config *c, struct json_out *o);

#define CONFIG_SYSTEM_FILE "/etc/headway/config.yaml"
/* Where a configuration of headway's own is, or would be looked for if there were one; the caller's. */
char *config_default_file(void);

/* The policy is a file's and read-only; otherwise it is in the database. */
bool config_policy_is_file(const struct config *c);

/* The OpenID providers, from 0; NULL: there are no more. */
const struct config_provider *config_provider(const struct config *c, size_t i);

bool config_serves_tls(const struct config *c);     /* listen_addr has a certificate, of files or ordered */
bool config_acme_listens(const struct config *c);   /* for challenges, on acme.listen */
bool config_is_postgres(const struct config *c);    /* the database is one of PostgreSQL */
const char *config_sslmode(const struct config *c); /* database.postgres.ssl for libpq; "": its default */

/* Splits "host:port", ":8080", "[::]:443", ":http". A host of "" means all addresses of both
 * families. ERR_INVALID names the field. */
struct config_listen {
    char host[256];
    uint16_t port;
};
int config_listen_parse(const char *text, const char *field, struct config_listen *out, struct err *e) WARN_UNUSED;

/* Where the daemon keeps its state and its socket when nothing says so: /var/lib/headway and /run/headway as root or
 * under systemd, else below ~/.local/state/headway. The caller owns the text. */
char *config_default_state_dir(void);
char *config_default_socket(void);

/* A YAML document (of at most 4 MiB) as compact JSON: what other rooms read of YAML goes through here. Plain scalars
 * become numbers, booleans and null where they look like one; map keys are texts. ERR_INVALID names the line. */
int config_yaml_json(const char *text, size_t len, struct buf *json, struct err *e) WARN_UNUSED;

#endif
