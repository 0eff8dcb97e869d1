/* SPDX-License-Identifier: BSD-3-Clause */
/* Listening sockets, including those that outlive the daemon. The service manager keeps a copy of each (FDSTORE of
 * sd_notify(3)) and hands it to the next daemon (sd_listen_fds(3)): between the two no client is refused, new
 * connections wait in the kernel. A refusal is costly: an official client with an http:// address and no dial plan yet
 * dials again only ten seconds later. */
#include "front/sockets.h"

#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <systemd/sd-daemon.h>
#include <unistd.h>

#include "base/log.h"
#include "base/mem.h"
#include "base/str.h"
#include "config/config.h"
#include "front/front.h"

#define KEPT_MAX     16
#define DROP_WAIT_US 2000000

struct kept {
    int fd;
    char *name;
    bool used;   /* a front listens on it */
    bool stored; /* the manager has it */
};

/* Per process, as LISTEN_FDS is; only the thread that starts and stops the rooms uses it. */
static struct kept kept[KEPT_MAX];
static size_t kept_count;

/* ---- Kept ones ---- */

static bool bound_to(int fd, struct addr_port *out)
{
    union address at = {0};
    socklen_t len = sizeof(at);

    if (getsockname(fd, &at.any, &len) < 0 || (at.any.sa_family != AF_INET && at.any.sa_family != AF_INET6))
        return false;
    from_sockaddr(&at, out);
    return true;
}

static char *where(int fd, char text[ADDR_PORT_TEXT_MAX])
{
    struct addr_port at = {0};

    (void)bound_to(fd, &at);
    return addr_port_format(&at, text);
}

static bool is_any(const struct addr *a)
{
    return addr_eq(a, &(struct addr){.bits = a->bits});
}

/* For the IPv6 wildcard address only: whether IPv4 connections are taken too. */
static bool takes_both(int fd)
{
    int only = 1;
    socklen_t len = sizeof(only);

    return getsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &only, &len) == 0 && !only;
}

static void keep(int fd, const char *name, bool used)
{
    if (kept_count < KEPT_MAX)
        kept[kept_count++] = (struct kept){.fd = fd, .name = mem_strdup(name), .used = used, .stored = !used};
}

static void forget(size_t i)
{
    free(kept[i].name);
    kept[i] = kept[--kept_count];
}

/* A stored socket is closed in the manager too; a socket unit's own stays open there. */
static void drop(size_t i)
{
    char text[ADDR_PORT_TEXT_MAX];

    log_info("front", "nothing listens on %s any more", where(kept[i].fd, text));
    sd_notifyf(0, "FDSTOREREMOVE=1\nFDNAME=%s", kept[i].name);
    close(kept[i].fd);
    forget(i);
    /* Once the manager has closed it, its port can be bound again. */
    sd_notify_barrier(0, DROP_WAIT_US);
}

/* A kept socket of the same port but another address would block a new one. */
static int take_kept(const union address *want, bool both)
{
    struct addr_port asked, at;

    from_sockaddr(want, &asked);
    for (size_t i = kept_count; i-- > 0;) {
        if (kept[i].used || !bound_to(kept[i].fd, &at) || at.port != asked.port)
            continue;
        if (addr_eq(&at.addr, &asked.addr) && (!is_any(&at.addr) || takes_both(kept[i].fd) == both)) {
            kept[i].used = true;
            return kept[i].fd;
        }
        drop(i);
    }
    return -1;
}

void front_kept_begin(void)
{
    char **names = NULL;
    int n = sd_listen_fds_with_names(1, &names);

    for (int i = 0; i < n; i++) {
        int fd = SD_LISTEN_FDS_START + i;
        if (kept_count < KEPT_MAX && sd_is_socket(fd, AF_UNSPEC, SOCK_STREAM, 1) > 0 &&
            fcntl(fd, F_SETFL, O_NONBLOCK) == 0) {
            keep(fd, names[i], false);
        } else {
            log_warn("front", "descriptor \"%s\" of the service manager is no socket that listens: it is not used",
                     names[i]);
            close(fd);
        }
        free(names[i]);
    }
    free(names);
}

void front_kept_end(void)
{
    char state[128];

    for (size_t i = kept_count; i-- > 0;) {
        if (!kept[i].used) {
            drop(i);
        } else if (!kept[i].stored) {
            snprintf(state, sizeof(state), "FDSTORE=1\nFDNAME=%s", kept[i].name);
            kept[i].stored = sd_pid_notify_with_fds(0, 0, state, &kept[i].fd, 1) > 0;
        }
    }
}

/* ---- Opening ---- */

/* The first address of a name. */
static int look_up(const char *host, struct addr *out, struct err *e)
{
    const struct addrinfo wants = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_PASSIVE};
    struct addrinfo *found = NULL;
    struct addr_port a = {0};
    union address at = {0};
    int why = getaddrinfo(host, NULL, &wants, &found);

    if (why == 0 && found->ai_addrlen <= sizeof(at)) {
        memcpy(&at, found->ai_addr, found->ai_addrlen);
        from_sockaddr(&at, &a);
    }
    if (found)
        freeaddrinfo(found);
    *out = a.addr;
    return a.addr.bits ? 0
                       : err_field(e, ERR_INVALID, "listen_addr", "\"%s\" has no address: %s", host,
                                   why ? gai_strerror(why) : "none is known");
}

static int parse_listen(const char *text, union address *out, socklen_t *len, struct err *e)
{
    struct config_listen where;
    struct addr a = {.bits = 128}; /* all addresses of both families */
    int rc = config_listen_parse(text, "listen_addr", &where, e);

    if (rc == 0 && *where.host && addr_parse(where.host, &a, NULL) < 0)
        rc = look_up(where.host, &a, e);
    if (rc < 0)
        return rc;
    *out = (union address){0};
    if (a.bits == 128) {
        out->in6.sin6_family = AF_INET6;
        out->in6.sin6_port = htons(where.port);
        memcpy(&out->in6.sin6_addr, a.bytes, 16);
        *len = sizeof(out->in6);
    } else {
        out->in.sin_family = AF_INET;
        out->in.sin_port = htons(where.port);
        memcpy(&out->in.sin_addr, a.bytes, 4);
        *len = sizeof(out->in);
    }
    return 0;
}

/* The name for the manager, without the characters that sd_notify(3) forbids. */
static void keep_opened(int fd)
{
    char text[ADDR_PORT_TEXT_MAX], name[ADDR_PORT_TEXT_MAX + 8];

    snprintf(name, sizeof(name), "tcp-%s", where(fd, text));
    for (char *c = name; *c; c++)
        if (*c == ':')
            *c = '_';
    keep(fd, name, true);
}

int listen_open(const char *text, struct err *e)
{
    static const int on = 1, off = 0;
    union address at;
    socklen_t len = 0;
    bool both = text[0] == ':'; /* as config_listen_parse reads it */

    int rc = parse_listen(text, &at, &len, e);
    if (rc < 0)
        return rc;
    int fd = socket(at.any.sa_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0 && at.any.sa_family == AF_INET6 && both) {
        /* a machine without IPv6 */
        at = (union address){.in = {.sin_family = AF_INET, .sin_port = at.in6.sin6_port}};
        len = sizeof(at.in);
        both = false;
        fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    }
    if (fd < 0)
        return err_set(e, ERR_IO, "cannot listen on %s: %s", text, strerror(errno));
    int before = take_kept(&at, both);
    if (before >= 0) {
        close(fd);
        return before;
    }
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
    if (at.any.sa_family == AF_INET6)
        setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, both ? &off : &on, sizeof(on));
    if (bind(fd, &at.any, len) < 0 || listen(fd, 65535) < 0) {
        rc = err_set(e, ERR_IO, "cannot listen on %s: %s", text, strerror(errno));
        close(fd);
        return rc;
    }
    keep_opened(fd);
    return fd;
}

unsigned listen_port(int fd)
{
    struct addr_port at;

    return bound_to(fd, &at) ? at.port : 0;
}

void listen_close(int fd)
{
    for (size_t i = kept_count; i-- > 0;)
        if (kept[i].fd == fd)
            forget(i);
    close(fd);
}
