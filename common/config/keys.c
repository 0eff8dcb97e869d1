/* SPDX-License-Identifier: BSD-3-Clause */
/* All keys, in the order of the example file. */
#include "config/keys.h"

#include <stddef.h>

#include "base/array.h"

#define AT(member)  .offset = offsetof(struct config, member)
#define NOWHERE     .nowhere = true
#define MS          INT64_C(1000000)
#define SEC         INT64_C(1000000000)
#define HOUR        (INT64_C(3600) * SEC)
#define LONG        (INT64_C(100) * 365 * 24 * HOUR)
#define FLAT        offsetof(struct config, oidc.flat)
#define GROUP       "oidc."
#define MAX_REGIONS 65535

/* clang-format off */
const struct config_key config_keys[] = {
    {"server_url", .type = TYPE_URL, AT(server_url), .fallback = "$url", .example = "http://192.168.1.10:8080",
     .help = "The URL that clients are told to use, with http:// or https:// and without a path. Without it the first private address of this machine is taken. It must not be the MagicDNS domain or a name below it."},
    {"listen_addr", .type = TYPE_LISTEN, AT(listen_addr), .fallback = "0.0.0.0:8080",
     .help = "Address and port for clients, the API and web pages. ':8080' listens on every address of both families."},
    {"metrics_listen_addr", .type = TYPE_LISTEN, AT(metrics_listen_addr), .fallback = "", .example = "127.0.0.1:9090",
     .help = "Address and port of /metrics and /health, plain HTTP. Empty: none. Do not expose it to the internet."},
    {"unix_socket", .type = TYPE_TEXT, AT(unix_socket), .fallback = "$socket", .example = "/run/headway/headway.sock",
     .help = "The socket of the command line and the console: whoever can open it administers the tailnet."},
    {"unix_socket_permission", .type = TYPE_MODE, AT(unix_socket_permission), .fallback = "0770", .live = true,
     .help = "Permission bits of the socket, octal."},
    {"trusted_proxies", .type = TYPE_PREFIXES, AT(trusted_proxies), .fallback = "",
     .help = "Prefixes of reverse proxies whose X-Forwarded-For is trusted, or X-Real-IP or True-Client-IP without it: a proxy sets or removes all three. 0.0.0.0/0 and ::/0 are not allowed. See headway-proxy(7)."},
    {"tls_cert_path", .type = TYPE_PATH, AT(tls_cert_path), .fallback = "",
     .help = "Certificate (with its chain, PEM) for listen_addr. A changed file is read without a restart."},
    {"tls_key_path", .type = TYPE_PATH, AT(tls_key_path), .fallback = "", .help = "Private key (PEM) of that certificate."},
    {"tls_letsencrypt_hostname", .type = TYPE_TEXT, AT(acme.hostname), .fallback = "", .example = "vpn.example.com",
     .help = "Get a certificate for this host name by ACME (Let's Encrypt), and serve listen_addr with it. Ordered and renewed in the background by the program uacme. Not together with tls_cert_path. See CERTIFICATES in headway.yaml(5)."},
    {"tls_letsencrypt_challenge_type", .type = TYPE_WORD, AT(acme.challenge_type), .fallback = "HTTP-01", .words = "HTTP-01|TLS-ALPN-01",
     .help = "How the authority checks the name: HTTP-01 by a request to tls_letsencrypt_listen, which must be reached from the internet on port 80; TLS-ALPN-01 by a handshake with listen_addr, which must be reached on port 443."},
    {"tls_letsencrypt_listen", .type = TYPE_LISTEN, AT(acme.listen), .fallback = ":http",
     .help = "Address and port that answers HTTP-01; everything else is redirected to server_url. Not used with TLS-ALPN-01."},
    {"tls_letsencrypt_cache_dir", .type = TYPE_PATH, AT(acme.cache_dir), .fallback = "$state/cache",
     .help = "Where the certificate and the account with the authority are kept. One of headscale's is taken over as it is."},
    {"acme_url", .type = TYPE_URL, AT(acme.url), .fallback = "https://acme-v02.api.letsencrypt.org/directory",
     .help = "The directory of the authority. After a change a certificate of the new one is ordered."},
    {"acme_email", .type = TYPE_TEXT, AT(acme.email), .fallback = "", .example = "admin@example.com",
     .help = "Where the authority may write to about the account. Optional."},
    {"http.cors_origins", .type = TYPE_ORIGINS, AT(http.cors_origins), .fallback = "", .example = "https://ui.example.com",
     .help = "Origins whose pages may read what this server answers to a browser: 'https://host' or 'https://host:port' each, or '*' for all. Who may ask what is decided by the API key as always."},

    {"noise.private_key_path", .type = TYPE_PATH, AT(noise.private_key_path), .fallback = "$state/noise_private.key",
     .help = "The private key of the server, created if it is missing. Keep it: clients do not accept another one."},
    {"prefixes.v4", .type = TYPE_PREFIX, AT(prefixes.v4), .fallback = "100.64.0.0/10",
     .help = "The range of the nodes' IPv4 addresses. If only one of v4 and v6 is set, the other family is not used."},
    {"prefixes.v6", .type = TYPE_PREFIX, AT(prefixes.v6), .fallback = "fd7a:115c:a1e0::/48",
     .help = "The range of the nodes' IPv6 addresses."},
    {"prefixes.allocation", .type = TYPE_ENUM, AT(prefixes.allocation), .fallback = "sequential", .words = "sequential|random",
     .help = "How the next address is chosen."},

    {"derp.server.enabled", .type = TYPE_BOOL, AT(derp.server.enabled), .fallback = "true",
     .help = "The built-in relay and STUN."},
    {"derp.server.region_id", .type = TYPE_INT, AT(derp.server.region_id), .fallback = "999", .min = 1, .max = MAX_REGIONS,
     .help = "Number of the built-in region; it replaces one of the same number from derp.urls and derp.paths."},
    {"derp.server.region_code", .type = TYPE_TEXT, AT(derp.server.region_code), .fallback = "headway",
     .help = "Short name of the built-in region."},
    {"derp.server.region_name", .type = TYPE_TEXT, AT(derp.server.region_name), .fallback = "Headway Embedded DERP",
     .help = "Long name of the built-in region."},
    {"derp.server.verify_clients", .type = TYPE_BOOL, AT(derp.server.verify_clients), .fallback = "true",
     .help = "Only nodes of this tailnet may use the relay."},
    {"derp.server.listen_addr", .type = TYPE_LISTEN, AT(derp.server.listen_addr), .fallback = "0.0.0.0:8443",
     .help = "Address and port of the relay's own TLS listener."},
    {"derp.server.advertise_port", .type = TYPE_INT, AT(derp.server.advertise_port), .fallback = "0", .max = 65535, .live = true,
     .help = "TCP port on which clients reach the relay. 0: the port of derp.server.listen_addr or, behind a proxy (server_url is https, tls_cert_path and tls_letsencrypt_hostname are empty), the port of server_url; the proxy must then forward /derp."},
    {"derp.server.legacy_clients", .type = TYPE_BOOL, AT(derp.server.legacy_clients), .fallback = "true", .live = true,
     .help = "Tell clients that cannot pin the relay's own certificate (capability version below 115) not to verify it. Relayed packets are encrypted by WireGuard in any case."},
    {"derp.server.per_client_rate_limit_bytes_per_sec", .type = TYPE_INT, AT(derp.server.rate), .fallback = "0", .max = INT64_C(1) << 40, .live = true,
     .help = "Maximum rate in bytes per second at which the relay reads from one client, which is told the limit. 0: no limit."},
    {"derp.server.per_client_rate_burst_bytes", .type = TYPE_INT, AT(derp.server.burst), .fallback = "0", .max = INT64_C(1) << 40, .live = true,
     .help = "Burst in bytes that a client may send above that rate. Values below 65573 mean 65573."},
    {"derp.server.stun_listen_addr", .type = TYPE_LISTEN, AT(derp.server.stun_listen_addr), .fallback = ":3478",
     .help = "Address and port of STUN (UDP)."},
    {"derp.server.private_key_path", .type = TYPE_PATH, AT(derp.server.private_key_path), .fallback = "$state/derp_server_private.key",
     .help = "The private key of the relay, created if it is missing. It must differ from the noise key."},
    {"derp.server.automatically_add_embedded_derp_region", .type = TYPE_BOOL, AT(derp.server.automatically_add_embedded_derp_region), .fallback = "true", .live = true,
     .help = "Add the built-in region to the map. If false, derp.paths must name a file that contains it."},
    {"derp.server.ipv4", .type = TYPE_ADDR, AT(derp.server.ipv4), .fallback = "", .live = true,
     .help = "IPv4 address of the built-in relay as clients see it. Empty: the address of the host in server_url."},
    {"derp.server.ipv6", .type = TYPE_ADDR, AT(derp.server.ipv6), .fallback = "", .live = true, .help = "IPv6 address of the built-in relay as clients see it."},
    {"derp.server.stun.enabled", .type = TYPE_BOOL, NOWHERE, .fallback = "true", .use = KEY_NO_EFFECT,
     .help = "STUN follows derp.server.enabled."},
    {"derp.urls", .type = TYPE_URLS, AT(derp.urls), .fallback = "", .example = "https://controlplane.tailscale.com/derpmap/default", .live = true,
     .help = "DERP maps (JSON) to fetch. The last valid map is kept on disk."},
    {"derp.paths", .type = TYPE_LIST, AT(derp.paths), .fallback = "", .live = true,
     .help = "DERP maps (YAML or JSON) to read; a later source overrides a region of an earlier one."},
    {"derp.auto_update_enabled", .type = TYPE_BOOL, AT(derp.auto_update_enabled), .fallback = "false", .example = "true", .live = true,
     .help = "Fetch and read the maps again regularly."},
    {"derp.update_frequency", .type = TYPE_DURATION, AT(derp.update_frequency), .fallback = "3h", .min = 60 * SEC, .max = LONG, .live = true,
     .help = "How often the maps are fetched."},

    {"node.approval", .type = TYPE_WORD, AT(node.approval), .fallback = "off", .words = "off|on", .live = true,
     .help = "New machines wait until an administrator approves them; keys made without --no-preauthorized let theirs in."},
    {"node.expiry", .type = TYPE_DURATION, AT(node.expiry), .fallback = "0", .max = LONG, .live = true,
     .help = "How long a login is valid; 0: for ever. Tagged nodes do not expire."},
    {"node.ephemeral.inactivity_timeout", .type = TYPE_DURATION, AT(node.ephemeral_inactivity_timeout), .fallback = "120s", .example = "30m", .max = LONG, .live = true,
     .help = "How long an ephemeral node may be offline before it is removed; more than 65s."},
    {"node.offline_grace", .type = TYPE_DURATION, AT(node.offline_grace), .fallback = "5s", .max = 3600 * SEC, .live = true,
     .help = "How long a node whose connection closed still counts as online, when no other router can serve its prefixes."},
    {"node.routes.ha.ping_interval", .type = TYPE_DURATION, AT(node.ha.ping_interval), .fallback = "1s", .max = 3600 * SEC, .live = true,
     .help = "How often a node with an approved and advertised route is pinged, at least 100ms; others are every 30s. 0: no node is, and one that vanishes without a word counts as online until TCP gives its connection up, which takes minutes."},
    {"node.routes.ha.ping_timeout", .type = TYPE_DURATION, AT(node.ha.ping_timeout), .fallback = "1800ms", .min = 200 * MS, .max = 3600 * SEC, .live = true,
     .help = "How long such a node may be silent before it counts as offline and another router takes over."},
    {"node.routes.ha.settle_time", .type = TYPE_DURATION, AT(node.ha.settle_time), .fallback = "15s", .max = 3600 * SEC, .live = true,
     .help = "How long a prefix waits for the router that served it last, after the daemon has started."},
    {"node.routes.ha.failback", .type = TYPE_ENUM, AT(node.ha.failback), .fallback = "sticky", .words = "sticky|oldest|priority", .live = true,
     .help = "What happens when a better router than the one that serves a prefix is well again. sticky: nothing; oldest: the router that joined first takes over; priority: the one with the highest priority does. 'headway routes set' says otherwise for one prefix, here and in the next four."},
    {"node.routes.ha.keep", .type = TYPE_BOOL, AT(node.ha.keep), .fallback = "false", .live = true,
     .help = "Whether a prefix that no router can serve stays with its last router, so that traffic to it is dropped, instead of being withdrawn, so that it may take another route."},
    {"node.routes.ha.hold_down", .type = TYPE_DURATION, AT(node.ha.hold_down), .fallback = "30s", .max = 3600 * SEC, .live = true,
     .help = "How long a prefix stays with a router that took it over, unless that router fails or is drained."},
    {"node.routes.ha.failback_delay", .type = TYPE_DURATION, AT(node.ha.failback_delay), .fallback = "5m", .max = 24 * HOUR, .live = true,
     .help = "How long a better router must be well before it takes over; not with sticky."},
    {"node.routes.ha.nearest", .type = TYPE_BOOL, AT(node.ha.nearest), .fallback = "false", .live = true,
     .help = "Whether each client is served by the router of a prefix that is nearest to it, by what the clients measured to relays, instead of all by one. For prefixes whose routers lead to the same network from different sites; it takes two relay regions."},
    {"node.routes.ha.probe_interval", .type = TYPE_DURATION, AT(node.ha.probe_interval), .fallback = "10s", .max = LONG, .live = true,
     .help = "How often routers are probed through their client; 0: never, otherwise at least 2s."},
    {"node.routes.ha.probe_timeout", .type = TYPE_DURATION, AT(node.ha.probe_timeout), .fallback = "5s", .min = 1 * SEC, .max = LONG, .live = true,
     .help = "How long to wait for the answer to a probe; less than the interval."},
    {"node.routes.probe.enabled", .type = TYPE_BOOL, AT(node.probe.enabled), .fallback = "true", .live = true,
     .help = "Whether the clients of routers and exit nodes are asked for their health, and the targets of prefixes that have one are probed."},
    {"node.routes.probe.health_interval", .type = TYPE_DURATION, AT(node.probe.health_interval), .fallback = "1h", .max = LONG, .live = true,
     .help = "How often a router is asked for its health beside the times when its routes change or a probe fails; 0: only then, otherwise at least 10s."},
    {"node.routes.probe.read_back", .type = TYPE_BOOL, AT(node.probe.read_back), .fallback = "true", .live = true,
     .help = "Whether nodes are asked, after a prefix moved to another router, which one they use now, and a sample of them whether they accept routes."},
    {"node.routes.probe.interval", .type = TYPE_DURATION, AT(node.probe.interval), .fallback = "5s", .min = 1 * SEC, .max = 3600 * SEC, .live = true,
     .help = "How often the target behind a prefix is probed through its router."},
    {"node.routes.probe.timeout", .type = TYPE_DURATION, AT(node.probe.timeout), .fallback = "2s", .min = 500 * MS, .max = 10 * SEC, .live = true,
     .help = "How long to wait for the answer of the target."},
    {"node.routes.probe.fall", .type = TYPE_INT, AT(node.probe.fall), .fallback = "3", .min = 1, .max = 100, .live = true,
     .help = "How many rounds in a row must find no answer until a router counts as one that does not forward."},
    {"node.routes.probe.rise", .type = TYPE_INT, AT(node.probe.rise), .fallback = "3", .min = 1, .max = 100, .live = true,
     .help = "How many rounds in a row must find an answer until it counts as one that does again."},
    {"node.routes.probe.targets", .type = TYPE_MAP, AT(node.probe.targets), .fallback = "", .live = true,
     .help = "Hosts that answer pings behind prefixes: each prefix with an address in it. 'headway routes set --probe' comes before."},
    {"node.routes.probe.control_lost", .type = TYPE_DURATION, AT(node.probe.control_lost), .fallback = "10m", .max = LONG, .live = true,
     .help = "How long a router that lost its control connection keeps prefixes whose targets other nodes still reach through it; 0: no longer than others."},

    {"database.type", .type = TYPE_WORD, AT(database.type), .fallback = "sqlite", .words = "sqlite|sqlite3|postgres",
     .help = "The database engine: sqlite (or sqlite3), or postgres: see headway-database(7)."},
    {"database.sqlite.path", .type = TYPE_PATH, AT(database.sqlite_path), .fallback = "$state/db.sqlite", .help = "The database file."},
    {"database.sqlite.write_ahead_log", .type = TYPE_BOOL, AT(database.write_ahead_log), .fallback = "true",
     .help = "No effect: the write-ahead log is always on."},
    {"database.sqlite.wal_autocheckpoint", .type = TYPE_INT, AT(database.wal_autocheckpoint), .fallback = "1000", .max = 1000000,
     .help = "Number of pages in the write-ahead log after which it is written to the database."},
    {"database.postgres.host", .type = TYPE_TEXT, AT(database.postgres.host), .fallback = "", .help = "The server: a name or address, a list of them that is tried in order, or the directory of a Unix socket."},
    {"database.postgres.port", .type = TYPE_INT, AT(database.postgres.port), .fallback = "5432", .max = 65535, .help = "Its port."},
    {"database.postgres.name", .type = TYPE_TEXT, AT(database.postgres.name), .fallback = "", .help = "The database. headway's tables are in a schema of their own, headway."},
    {"database.postgres.user", .type = TYPE_TEXT, AT(database.postgres.user), .fallback = "", .help = "The role to connect as."},
    {"database.postgres.pass", .type = TYPE_TEXT, AT(database.postgres.pass), .fallback = "", .secret = true, .help = "Its password. Empty: where libpq looks, as in the file that PGPASSFILE names."},
    {"database.postgres.ssl", .type = TYPE_TEXT, AT(database.postgres.ssl), .fallback = "false", .help = "Whether to use TLS: false, true (where the server offers it), or a word of libpq's sslmode, such as verify-full."},
    {"database.postgres.options", .type = TYPE_TEXT, AT(database.postgres.options), .fallback = "", .secret = true,
     .help = "More of a libpq connection string, such as sslrootcert=/etc/ssl/db.pem. The other keys come before what stands here."},
    {"database.postgres.max_open_conns", .type = TYPE_INT, AT(database.postgres.max_open_conns), .fallback = "10", .max = 100000, .help = "At least 3: headway opens two connections, and one more while it makes a backup."},
    {"database.debug", .type = TYPE_BOOL, NOWHERE, .fallback = "false", .use = KEY_NO_EFFECT, .help = "No effect: belongs to headscale's database layer."},
    {"database.gorm.prepare_stmt", .type = TYPE_BOOL, NOWHERE, .fallback = "false", .use = KEY_NO_EFFECT, .help = "No effect: belongs to headscale's database layer."},
    {"database.gorm.parameterized_queries", .type = TYPE_BOOL, NOWHERE, .fallback = "false", .use = KEY_NO_EFFECT, .help = "No effect: belongs to headscale's database layer."},
    {"database.gorm.skip_err_record_not_found", .type = TYPE_BOOL, NOWHERE, .fallback = "false", .use = KEY_NO_EFFECT, .help = "No effect: belongs to headscale's database layer."},
    {"database.gorm.slow_threshold", .type = TYPE_INT, NOWHERE, .fallback = "0", .max = INT64_MAX, .use = KEY_NO_EFFECT, .help = "No effect: belongs to headscale's database layer."},
    {"database.postgres.max_idle_conns", .type = TYPE_INT, NOWHERE, .fallback = "10", .max = 100000, .use = KEY_NO_EFFECT, .help = "No effect: headway keeps its connections."},
    {"database.postgres.conn_max_idle_time_secs", .type = TYPE_INT, NOWHERE, .fallback = "3600", .max = INT32_MAX, .use = KEY_NO_EFFECT, .help = "No effect: headway keeps its connections."},

    {"log.level", .type = TYPE_WORD, AT(log.level), .fallback = "info", .words = "trace|debug|info|warn|error|fatal|panic|disabled", .live = true,
     .help = "The least severe messages that are logged."},
    {"log.format", .type = TYPE_WORD, AT(log.format), .fallback = "text", .words = "text|json", .help = "The format of the log: text or JSON."},

    {"policy.mode", .type = TYPE_WORD, AT(policy.mode), .fallback = "file", .words = "file|database",
     .help = "Where the policy is kept. 'file' with an empty policy.path means the database."},
    {"policy.path", .type = TYPE_PATH, AT(policy.path), .fallback = "",
     .help = "The policy file (HuJSON) in file mode; read again on SIGHUP."},
    {"policy.domains", .type = TYPE_DOMAINS, AT(policy.domains), .fallback = "", .live = true,
     .help = "The mail domains of the tailnet, for user@ and localpart: in policies. Empty: those of its users."},

    {"dns.magic_dns", .type = TYPE_BOOL, AT(dns.magic_dns), .fallback = "true", .live = true, .help = "Give nodes the names NAME.BASE_DOMAIN. This key, dns.override_local_dns, dns.nameservers and dns.search_domains hold until something else is set with 'headway dns set'."},
    {"dns.base_domain", .type = TYPE_TEXT, AT(dns.base_domain), .fallback = "headway.internal", .example = "example.com",
     .help = "The domain of these names. It must not be the host of server_url or a parent domain of it."},
    {"dns.override_local_dns", .type = TYPE_BOOL, AT(dns.override_local_dns), .fallback = "true", .live = true,
     .help = "Clients use dns.nameservers.global for all names, instead of the name servers of their network. Requires at least one of them."},
    {"dns.nameservers.global", .type = TYPE_SERVERS, AT(dns.global), .fallback = "", .example = "1.1.1.1 2606:4700:4700::1111", .live = true,
     .help = "Name servers for everything: addresses or https URLs (DNS over HTTPS). NextDNS is told the name, the system and the address of each device, unless the policy says otherwise."},
    {"dns.nameservers.split", .type = TYPE_SPLIT, AT(dns.split), .fallback = "", .live = true,
     .help = "Name servers for single domains: a map from domain to a list of them."},
    {"dns.search_domains", .type = TYPE_DOMAINS, AT(dns.search_domains), .fallback = "", .live = true, .help = "Further search domains, after base_domain."},
    {"dns.extra_records", .type = TYPE_RECORDS, AT(dns.extra_records), .fallback = "", .live = true,
     .help = "More names, in any domain: a list of {name, type, value} with type A or AAAA."},
    {"dns.extra_records_path", .type = TYPE_PATH, AT(dns.extra_records_path), .fallback = "",
     .help = "A JSON file with such a list, read again when it changes. Excludes dns.extra_records."},

    {"logtail.enabled", .type = TYPE_BOOL, AT(logtail), .fallback = "false", .help = "Let clients send their logs to Tailscale."},
    {"taildrop.enabled", .type = TYPE_BOOL, AT(taildrop), .fallback = "true", .help = "Let clients send files to each other."},
    {"auto_update.enabled", .type = TYPE_BOOL, AT(auto_update), .fallback = "false", .help = "Let new nodes update their client automatically."},
    {"randomize_client_port", .type = TYPE_BOOL, AT(randomize_client_port), .fallback = "false", .help = "Let clients use a random UDP port instead of 41641."},

    {"cli.address", .type = TYPE_TEXT, AT(cli.address), .fallback = "", .help = "The daemon that the headway command talks to: https://HOST[:PORT]. Empty: the Unix socket on this machine."},
    {"cli.api_key", .type = TYPE_TEXT, AT(cli.api_key), .fallback = "", .secret = true, .help = "The API key for that address."},
    {"cli.timeout", .type = TYPE_DURATION, AT(cli.timeout), .fallback = "5s", .min = 1 * MS, .max = HOUR, .help = "How long the headway command waits for a connection and an answer."},
    {"cli.insecure", .type = TYPE_BOOL, AT(cli.insecure), .fallback = "false", .help = "Do not verify the certificate of the daemon."},

    {"tuning.batch_change_delay", .type = TYPE_DURATION, AT(tuning.batch_change_delay), .fallback = "800ms", .max = HOUR, .use = KEY_NO_EFFECT, .help = "Changes are gathered for a few milliseconds."},
    {"tuning.notifier_send_timeout", .type = TYPE_DURATION, NOWHERE, .fallback = "800ms", .max = HOUR, .use = KEY_NO_EFFECT, .help = "No effect: internal to headscale."},
    {"tuning.node_mapsession_buffered_chan_size", .type = TYPE_INT, NOWHERE, .fallback = "30", .max = INT32_MAX, .use = KEY_NO_EFFECT, .help = "No effect: internal to headscale."},
    {"tuning.batcher_workers", .type = TYPE_INT, AT(tuning.session_threads), .fallback = "0", .max = 256,
     .help = "Number of threads that serve clients; 0: one per processor."},
    {"tuning.register_cache_expiration", .type = TYPE_DURATION, AT(tuning.register_cache_expiration), .fallback = "15m", .min = 1 * SEC, .max = LONG, .live = true,
     .help = "How long an interactive login waits for approval."},
    {"tuning.register_cache_max_entries", .type = TYPE_INT, AT(tuning.register_cache_max_entries), .fallback = "1024", .min = 1, .max = 1000000, .live = true,
     .help = "How many logins may wait for approval; SSH sessions that wait have half of these places at most."},
    {"tuning.register_cache_cleanup", .type = TYPE_DURATION, NOWHERE, .fallback = "20m", .max = LONG, .use = KEY_NO_EFFECT, .help = "No effect: internal to headscale."},
    {"tuning.node_store_batch_size", .type = TYPE_INT, NOWHERE, .fallback = "100", .min = 1, .max = INT32_MAX, .use = KEY_NO_EFFECT, .help = "No effect: internal to headscale."},
    {"tuning.node_store_batch_timeout", .type = TYPE_DURATION, NOWHERE, .fallback = "500ms", .max = HOUR, .use = KEY_NO_EFFECT, .help = "No effect: internal to headscale."},

    {"disable_check_updates", .type = TYPE_BOOL, NOWHERE, .fallback = "true", .use = KEY_NO_EFFECT, .help = "No effect: headway never checks for updates."},
    {"grpc_listen_addr", .type = TYPE_LISTEN, NOWHERE, .fallback = "", .use = KEY_NO_EFFECT, .help = "No effect: there is no gRPC; the API is HTTP on listen_addr."},
    {"grpc_allow_insecure", .type = TYPE_BOOL, NOWHERE, .fallback = "false", .use = KEY_NO_EFFECT, .help = "No effect: there is no gRPC."},
    {"preauth_keys.revoked_retention", .type = TYPE_DURATION, AT(preauth_keys.revoked_retention), .fallback = "168h", .max = LONG, .live = true,
     .help = "How long pre-auth keys that were revoked (by Tailscale's API v2) stay listed. 0: for good."},

    {"webhooks.allow_private", .type = TYPE_PREFIXES, AT(webhooks.allow_private), .fallback = "", .example = "192.168.10.5/32", .live = true,
     .help = "Prefixes that webhooks may be sent to although they are private, this machine's own or the tailnet's. Everything else that is not of the public internet is refused, whatever the name of the receiver means."},
    {"webhooks.timeout", .type = TYPE_DURATION, AT(webhooks.timeout), .fallback = "10s", .min = 1 * SEC, .max = 60 * SEC, .live = true,
     .help = "How long a receiver has to answer."},
    {"webhooks.max_age", .type = TYPE_DURATION, AT(webhooks.max_age), .fallback = "72h", .min = 60 * SEC, .max = LONG, .live = true,
     .help = "How long an event is kept for a receiver that fails. It is dropped then, which the journal and the receiver are told."},
    {"webhooks.max_events", .type = TYPE_INT, AT(webhooks.max_events), .fallback = "10000", .min = 1, .max = 1000000, .live = true,
     .help = "How many events are kept for a receiver that fails; the oldest are dropped."},

    {"oidc.enabled", .type = TYPE_BOOL, NOWHERE, .fallback = "false", .use = KEY_NO_EFFECT, .help = "No effect: oidc.issuer decides."},
    {"oidc.only_start_if_oidc_is_available", .type = TYPE_BOOL, AT(oidc.only_start_if_oidc_is_available), .fallback = "true",
     .help = "Do not start unless each provider answers. If false, people wait for an administrator while it does not. See headway-login(7) for all of these."},
    {"oidc.issuer", .type = TYPE_URL, AT(oidc.flat.issuer), .fallback = "",
     .help = "The OpenID provider that people log in with; empty: none. The provider must know server_url with /oidc/callback at its end as a redirect URI."},
    {"oidc.name", .type = TYPE_TEXT, AT(oidc.flat.name), .fallback = "default",
     .help = "What this provider is called in policies, lists and commands."},
    {"oidc.client_id", .type = TYPE_TEXT, AT(oidc.flat.client_id), .fallback = "", .help = "The name that the provider gave to this server."},
    {"oidc.client_secret", .type = TYPE_TEXT, AT(oidc.flat.client_secret), .fallback = "", .secret = true, .help = "And its secret. Excludes client_secret_path."},
    {"oidc.client_secret_path", .type = TYPE_TEXT, AT(oidc.flat.client_secret_path), .fallback = "", .help = "A file that holds the secret; $NAME in the path is taken from the environment."},
    {"oidc.scope", .type = TYPE_LIST, AT(oidc.flat.scope), .fallback = "openid profile email", .help = "What the provider is asked to tell."},
    {"oidc.extra_params", .type = TYPE_MAP, AT(oidc.flat.extra_params), .fallback = "", .help = "More parameters of the link to the provider, by name, such as domain_hint."},
    {"oidc.allowed_domains", .type = TYPE_LIST, .limits = true, AT(oidc.flat.allowed_domains), .fallback = "", .help = "Only people whose mail address is in one of these domains may log in. Empty: all."},
    {"oidc.allowed_users", .type = TYPE_LIST, .limits = true, AT(oidc.flat.allowed_users), .fallback = "", .help = "Only these mail addresses may log in. Empty: all."},
    {"oidc.allowed_groups", .type = TYPE_LIST, .limits = true, AT(oidc.flat.allowed_groups), .fallback = "", .help = "Only members of one of these groups may log in. Empty: all."},
    {"oidc.email_verified_required", .type = TYPE_WORD, AT(oidc.flat.email_verified_required), .fallback = "true", .words = "true|false|if-present",
     .help = "Whether a mail address counts only where the provider says that it is verified. if-present: also where the provider says nothing about it, as Entra does."},
    {"oidc.use_expiry_from_token", .type = TYPE_BOOL, AT(oidc.flat.use_expiry_from_token), .fallback = "false", .help = "A login ends when the token that it was made with does, which is often after minutes, instead of after node.expiry."},
    {"oidc.pkce.enabled", .type = TYPE_BOOL, AT(oidc.flat.pkce_enabled), .fallback = "false", .help = "Require PKCE. Where the provider says that it takes S256, it is used in any case."},
    {"oidc.pkce.method", .type = TYPE_WORD, AT(oidc.flat.pkce_method), .fallback = "S256", .words = "S256|plain", .help = "How the code challenge is made."},
    {"oidc.groups_claim", .type = TYPE_TEXT, AT(oidc.flat.groups_claim), .fallback = "groups", .help = "The claim that holds the groups: a name, or names with dots between them for a member of an object. A text, a list, or an object of which the names count."},
    {"oidc.email_claim", .type = TYPE_TEXT, AT(oidc.flat.email_claim), .fallback = "email", .help = "The claim that holds the mail address."},
    {"oidc.subject_claim", .type = TYPE_TEXT, AT(oidc.flat.subject_claim), .fallback = "sub", .help = "The claim that a user is known by. For Entra, oid keeps users when the application is registered anew."},
    {"oidc.refresh_interval", .type = TYPE_DURATION, AT(oidc.flat.refresh_interval), .fallback = "0", .max = LONG,
     .help = "How often the provider is asked whether a user is still one, which takes a refresh token (scope offline_access); 0: never. Who is not is suspended."},
    {"oidc.groups_max_age", .type = TYPE_DURATION, AT(oidc.flat.groups_max_age), .fallback = "0", .max = LONG, .help = "How long the groups of a user count without another login or refresh; 0: until one says otherwise."},
    {"oidc.providers", .type = TYPE_PROVIDERS, AT(oidc.providers), .fallback = "", .help = "More providers: a list of objects with a name and the keys above, without oidc. in front. People choose one. The redirect URI of each has its name at its end, as in /oidc/callback/NAME."},
};

const struct config_old config_olds[] = {
    {"ephemeral_node_inactivity_timeout", "node.ephemeral.inactivity_timeout", OLD_ALIAS, NULL, NULL},
    {"oidc.expiry", "node.expiry", OLD_ALIAS, NULL, NULL},
    {"acl_policy_path", "policy.path", OLD_REMOVED, NULL, NULL},
    {"dns_config.magic_dns", "dns.magic_dns", OLD_IGNORED, NULL, NULL},
    {"dns_config.base_domain", "dns.base_domain", OLD_IGNORED, NULL, NULL},
    {"dns_config.override_local_dns", "dns.override_local_dns", OLD_IGNORED, NULL, NULL},
    {"dns_config.nameservers", "dns.nameservers.global", OLD_IGNORED, NULL, NULL},
    {"dns_config.restricted_nameservers", "dns.nameservers.split", OLD_IGNORED, NULL, NULL},
    {"dns_config.domains", "dns.search_domains", OLD_IGNORED, NULL, NULL},
    {"dns_config.extra_records", "dns.extra_records", OLD_REMOVED, NULL, NULL},
    {"dns_config.use_username_in_magic_dns", NULL, OLD_REMOVED, "false", "the names of nodes are NAME.BASE_DOMAIN"},
    {"dns.use_username_in_magic_dns", NULL, OLD_REMOVED, "false", "the names of nodes are NAME.BASE_DOMAIN"},
    {"oidc.strip_email_domain", NULL, OLD_REMOVED, "false", "users keep the names that they have, and new ones get their whole mail address"},
    {"oidc.map_legacy_users", NULL, OLD_REMOVED, "false", "a user is known by issuer and subject"},
};
/* clang-format on */

const size_t config_key_count = ARRAY_LEN(config_keys);
const size_t config_old_count = ARRAY_LEN(config_olds);

const struct config_key *key_find(const char *name)
{
    for (size_t i = 0; i < config_key_count; i++)
        if (str_eq(config_keys[i].name, name))
            return &config_keys[i];
    return NULL;
}

const struct config_old *old_find(const char *name)
{
    for (size_t i = 0; i < config_old_count; i++)
        if (str_eq(config_olds[i].name, name))
            return &config_olds[i];
    return NULL;
}

static bool below(const char *name, const char *prefix)
{
    size_t len = strlen(prefix);

    return strncmp(name, prefix, len) == 0 && name[len] == '.';
}

bool key_has_child(const char *prefix)
{
    for (size_t i = 0; i < config_key_count; i++)
        if (below(config_keys[i].name, prefix))
            return true;
    for (size_t i = 0; i < config_old_count; i++)
        if (below(config_olds[i].name, prefix))
            return true;
    return false;
}

/* The length of the first count parts of a dotted name. */
static size_t parts_len(const char *name, size_t count)
{
    const char *at = name;

    for (; *at; at++)
        if (*at == '.' && --count == 0)
            break;
    return (size_t)(at - name);
}

static const char *last_part(const char *name)
{
    const char *dot = strrchr(name, '.');

    return dot ? dot + 1 : name;
}

bool key_nearest(const char *name, char *out, size_t size)
{
    size_t count = 1, least = strlen(name) / 3 + 2;
    char cut[128];
    bool found = false;

    for (const char *at = name; *at; at++)
        count += *at == '.';
    for (size_t i = 0; i < config_key_count; i++) {
        const char *key = config_keys[i].name;
        size_t len = parts_len(key, count);
        memcpy(cut, key, len);
        cut[len] = '\0';
        size_t d = str_distance(name, cut);
        if (d < least) {
            least = d;
            found = str_copy(out, size, cut);
        }
    }
    for (size_t i = 0; i < config_key_count && !found; i++)
        if (str_eq(last_part(config_keys[i].name), last_part(name)))
            found = str_copy(out, size, config_keys[i].name);
    return found;
}

const struct config_key *provider_key(size_t i)
{
    for (size_t k = 0; k < config_key_count; k++) {
        const struct config_key *key = &config_keys[k];
        if (!key->nowhere && key->offset >= FLAT && key->offset < FLAT + sizeof(struct config_provider) && i-- == 0)
            return key;
    }
    return NULL;
}

const char *provider_key_name(const struct config_key *key)
{
    return key->name + strlen(GROUP);
}

void *provider_member(const struct config_provider *p, const struct config_key *key)
{
    return (char *)(uintptr_t)p + (key->offset - FLAT);
}

const struct config_provider *config_provider(const struct config *c, size_t i)
{
    if (*c->oidc.flat.issuer && i-- == 0)
        return &c->oidc.flat;
    return i < c->oidc.providers.len ? &c->oidc.providers.items[i] : NULL;
}
