/* SPDX-License-Identifier: BSD-3-Clause */
/* The defaults that depend on the machine. */
#include <arpa/inet.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/array.h"
#include "base/mem.h"
#include "config/keys.h"

#define SYSTEM_STATE "/var/lib/headway"
#define SYSTEM_RUN   "/run/headway"

/* The first of the directories that systemd lists, separated by colons. */
static char *first_of(const char *list)
{
    return mem_strndup(list, strcspn(list, ":"));
}

static char *user_state_dir(void)
{
    const char *state = getenv("XDG_STATE_HOME"), *home = getenv("HOME");

    if (state && *state == '/')
        return mem_format("%s/headway", state);
    return mem_format("%s/.local/state/headway", home && *home ? home : "");
}

char *config_default_state_dir(void)
{
    const char *given = getenv("STATE_DIRECTORY");

    if (given && *given)
        return first_of(given);
    return geteuid() == 0 ? mem_strdup(SYSTEM_STATE) : user_state_dir();
}

char *config_default_socket(void)
{
    const char *given = getenv("RUNTIME_DIRECTORY");
    char *dir = given && *given ? first_of(given) : geteuid() == 0 ? mem_strdup(SYSTEM_RUN) : user_state_dir();
    char *path = mem_format("%s/headway.sock", dir);

    free(dir);
    return path;
}

/* Bridges and tunnels of containers and VPNs have no address that other machines can reach. */
static bool is_virtual(const char *name)
{
    static const char *const starts[] = {"docker", "br-", "veth", "virbr", "tailscale", "tun", "wg", "cni", "flannel"};

    for (size_t i = 0; i < ARRAY_LEN(starts); i++)
        if (str_starts(name, starts[i]))
            return true;
    return false;
}

static bool is_private(uint32_t a)
{
    return a >> 24 == 10 || a >> 20 == (172 << 4 | 1) || a >> 16 == (192 << 8 | 168);
}

void first_address(char *text, size_t size)
{
    struct ifaddrs *all = NULL;
    int best = 0;

    str_copy(text, size, "127.0.0.1");
    if (getifaddrs(&all) < 0)
        return;
    for (const struct ifaddrs *i = all; i; i = i->ifa_next) {
        if (!i->ifa_addr || i->ifa_addr->sa_family != AF_INET || !(i->ifa_flags & IFF_UP) ||
            (i->ifa_flags & IFF_LOOPBACK))
            continue;
        struct sockaddr_in in;
        memcpy(&in, i->ifa_addr, sizeof(in));
        int score = 1 + (is_private(ntohl(in.sin_addr.s_addr)) ? 1 : 0) + (is_virtual(i->ifa_name) ? 0 : 2);
        if (score > best && inet_ntop(AF_INET, &in.sin_addr, text, (socklen_t)size))
            best = score;
    }
    freeifaddrs(all);
}

/* The address of the public listener as other machines in the network can reach it. */
static char *default_url(const struct config *c)
{
    struct config_listen listen = {.port = 8080};
    const char *scheme = *c->tls_cert_path ? "https" : "http";
    char address[64];

    if (*c->acme.hostname && config_listen_parse(c->listen_addr, "listen_addr", &listen, NULL) == 0)
        return listen.port == 443 ? mem_format("https://%s", c->acme.hostname)
                                  : mem_format("https://%s:%u", c->acme.hostname, listen.port);
    if (config_listen_parse(c->listen_addr, "listen_addr", &listen, NULL) < 0 || !*listen.host ||
        str_eq(listen.host, "0.0.0.0") || str_eq(listen.host, "::"))
        first_address(address, sizeof(address));
    else if (!str_copy(address, sizeof(address), listen.host))
        return mem_strdup("");
    return mem_format(strchr(address, ':') ? "%s://[%s]:%u" : "%s://%s:%u", scheme, address, listen.port);
}

char *default_text(const struct config *c, const struct config_key *key)
{
    if (str_eq(key->fallback, "$url"))
        return default_url(c);
    if (str_eq(key->fallback, "$socket"))
        return config_default_socket();
    if (str_starts(key->fallback, "$state/"))
        return mem_format("%s%s", c->state_dir, key->fallback + strlen("$state"));
    return mem_strdup(key->fallback);
}

int config_listen_parse(const char *text, const char *field, struct config_listen *out, struct err *e)
{
    const char *colon = strrchr(text, ':');
    const char *host = text, *end = colon;
    uint64_t port = 0;

    if (!colon)
        return err_field(e, ERR_INVALID, field, "%s: '%.60s' has no port; write it as 0.0.0.0:8080 or :8080", field,
                         text);
    if (*host == '[') {
        if (end == host || end[-1] != ']')
            return err_field(e, ERR_INVALID, field, "%s: '%.60s' has a bracket that is not closed", field, text);
        host++;
        end--;
    } else if (memchr(host, ':', (size_t)(end - host))) {
        return err_field(e, ERR_INVALID, field, "%s: '%.60s': an IPv6 address needs brackets, as in [::]:8080", field,
                         text);
    }
    if ((size_t)(end - host) >= sizeof(out->host))
        return err_field(e, ERR_INVALID, field, "%s: '%.60s' is too long", field, text);
    if (str_eq(colon, ":http"))
        port = 80;
    else if (str_eq(colon, ":https"))
        port = 443;
    else if (str_u64(colon + 1, 0, 65535, &port, field, NULL) < 0)
        return err_field(e, ERR_INVALID, field, "%s: '%.60s' does not end in a port from 0 to 65535", field, text);
    memcpy(out->host, host, (size_t)(end - host));
    out->host[end - host] = '\0';
    out->port = (uint16_t)port;
    return 0;
}
