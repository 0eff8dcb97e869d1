/* SPDX-License-Identifier: BSD-3-Clause */
/* Where deliveries may go. People who may make webhooks must not reach, through this daemon, what only it can reach:
 * its own machine, its network, the tailnet. The check is on the address, just before connecting, so it does not matter
 * what a name resolves to or later resolves to. */
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/array.h"
#include "net/ranges.h"
#include "net/sockaddr.h"
#include "webhook/state.h"

/* Addresses outside the public internet: the registries of special purpose addresses (RFC 6890), multicast, IPv6
 * outside of 2000::/3. */
static const struct {
    const char *prefix, *what;
} special[] = {
    {"0.0.0.0/8", "this network"},
    {"10.0.0.0/8", "a private network"},
    {"100.64.0.0/10", "a carrier or a tailnet"},
    {"127.0.0.0/8", "this machine"},
    {"169.254.0.0/16", "this link"},
    {"172.16.0.0/12", "a private network"},
    {"192.0.0.0/24", "a protocol"},
    {"192.0.2.0/24", "documentation"},
    {"192.88.99.0/24", "a relay"},
    {"192.168.0.0/16", "a private network"},
    {"198.18.0.0/15", "a test network"},
    {"198.51.100.0/24", "documentation"},
    {"203.0.113.0/24", "documentation"},
    {"224.0.0.0/3", "no single machine"},
    {"::1/128", "this machine"},
    {"fe80::/10", "this link"},
    {"fc00::/7", "a private network"},
    {"2001::/23", "a protocol"},
    {"2001:db8::/32", "documentation"},
    {"3fff::/20", "documentation"},
};

/* Kinds of IPv6 address that contain an IPv4 address, which is checked instead, and its place in them. */
static const struct {
    const char *prefix;
    size_t at;
} embedding[] = {{"::ffff:0:0/96", 12}, {"::/96", 12}, {"64:ff9b::/96", 12}, {"2002::/16", 2}};

static bool is_within(const struct addr *a, const char *text)
{
    struct prefix p;

    return prefix_parse(text, &p, NULL, NULL) == 0 && prefix_has_addr(&p, a);
}

static bool is_permitted(const struct config *c, const struct addr *a)
{
    for (size_t i = 0; i < c->webhooks.allow_private.len; i++)
        if (prefix_has_addr(&c->webhooks.allow_private.items[i], a))
            return true;
    return false;
}

/* Whether it is an address of this machine, which the kernel then uses as the source, too. Deliveries to it would reach
 * what listens here without passing the firewall. */
static bool is_own(const struct addr *a)
{
    union address to = {0}, from = {0};
    socklen_t size = a->bits == 32 ? sizeof(to.in) : sizeof(to.in6), got = sizeof(from);
    struct addr_port source = {0};

    if (a->bits == 32) {
        to.in.sin_family = AF_INET;
        to.in.sin_port = htons(9);
        memcpy(&to.in.sin_addr, a->bytes, 4);
    } else {
        to.in6.sin6_family = AF_INET6;
        to.in6.sin6_port = htons(9);
        memcpy(&to.in6.sin6_addr, a->bytes, 16);
    }
    int fd = socket(to.any.sa_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return false;
    if (connect(fd, &to.any, size) == 0 && getsockname(fd, &from.any, &got) == 0)
        from_sockaddr(&from, &source);
    close(fd);
    return addr_eq(&source.addr, a);
}

/* What kind of address it is; NULL: an ordinary one of the internet. */
static const char *what_is(const struct config *c, const struct addr *a)
{
    if ((c->prefixes.v4.addr.bits && prefix_has_addr(&c->prefixes.v4, a)) ||
        (c->prefixes.v6.addr.bits && prefix_has_addr(&c->prefixes.v6, a)))
        return "the tailnet";
    for (size_t i = 0; i < ARRAY_LEN(special); i++)
        if (is_within(a, special[i].prefix))
            return special[i].what;
    if (a->bits == 128 && !is_within(a, "2000::/3"))
        return "no public network";
    return is_own(a) ? "this machine" : NULL;
}

int address_check(const struct config *c, const struct addr *a, struct err *e)
{
    struct addr inner = {0};
    char text[ADDR_TEXT_MAX];

    if (is_permitted(c, a))
        return 0;
    for (size_t i = 0; a->bits == 128 && !inner.bits && i < ARRAY_LEN(embedding); i++)
        if (!is_within(a, "::1/128") && is_within(a, embedding[i].prefix)) {
            inner.bits = 32;
            memcpy(inner.bytes, a->bytes + embedding[i].at, 4);
        }
    const char *what = what_is(c, inner.bits ? &inner : a);
    if (!what || (inner.bits && is_permitted(c, &inner)))
        return 0;
    return err_set(e, ERR_DENIED, "its address %s is of %s, which webhooks.allow_private does not permit",
                   addr_format(a, text), what);
}
