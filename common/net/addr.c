/* SPDX-License-Identifier: BSD-3-Clause */
#include "net/addr.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

#include "base/str.h"

_Static_assert(ADDR_TEXT_MAX == INET6_ADDRSTRLEN, "the longest text of an address");

int addr_parse(const char *text, struct addr *out, struct err *e)
{
    static const uint8_t mapped[12] = {[10] = 0xff, [11] = 0xff};
    struct addr a = {.bits = 32};

    if (inet_pton(AF_INET, text, a.bytes) != 1) {
        a = (struct addr){.bits = 128};
        if (inet_pton(AF_INET6, text, a.bytes) != 1 || memcmp(a.bytes, mapped, sizeof(mapped)) == 0)
            return err_set(e, ERR_INVALID, "'%.60s' is not an IP address", text);
    }
    *out = a;
    return 0;
}

char *addr_format(const struct addr *a, char text[ADDR_TEXT_MAX])
{
    if (a->bits == 32 || a->bits == 128)
        inet_ntop(a->bits == 32 ? AF_INET : AF_INET6, a->bytes, text, ADDR_TEXT_MAX);
    else
        text[0] = '\0';
    return text;
}

int addr_cmp(const struct addr *a, const struct addr *b)
{
    return a->bits != b->bits ? (a->bits < b->bits ? -1 : 1) : memcmp(a->bytes, b->bytes, sizeof(a->bytes));
}

bool addr_eq(const struct addr *a, const struct addr *b)
{
    return addr_cmp(a, b) == 0;
}

bool addr_next(struct addr *a)
{
    for (unsigned i = a->bits / 8U; i-- > 0;)
        if (++a->bytes[i] != 0)
            return true;
    return false;
}

bool addr_previous(struct addr *a)
{
    for (unsigned i = a->bits / 8U; i-- > 0;)
        if (a->bytes[i]-- != 0)
            return true;
    return false;
}

int addr_port_parse(const char *text, struct addr_port *out, struct err *e)
{
    char host[ADDR_TEXT_MAX];
    const char *colon = strrchr(text, ':'), *start = text, *end = colon;
    uint64_t port;
    struct addr_port a;

    if (!colon || str_u64(colon + 1, 0, 65535, &port, "port", NULL) < 0)
        goto bad;
    bool bracketed = *text == '[';
    if (bracketed) {
        start++;
        end--;
        if (end < start || *end != ']')
            goto bad;
    }
    if ((size_t)(end - start) >= sizeof(host))
        goto bad;
    memcpy(host, start, (size_t)(end - start));
    host[end - start] = '\0';
    if (addr_parse(host, &a.addr, NULL) < 0 || bracketed != (a.addr.bits == 128))
        goto bad;
    a.port = (uint16_t)port;
    *out = a;
    return 0;
bad:
    return err_set(e, ERR_INVALID, "'%.60s' is not an address and port such as 192.0.2.1:41641", text);
}

char *addr_port_format(const struct addr_port *a, char text[ADDR_PORT_TEXT_MAX])
{
    char host[ADDR_TEXT_MAX];

    addr_format(&a->addr, host);
    snprintf(text, ADDR_PORT_TEXT_MAX, a->addr.bits == 128 ? "[%s]:%u" : "%s:%u", host, (unsigned)a->port);
    return text;
}

bool addr_port_eq(const struct addr_port *a, const struct addr_port *b)
{
    return a->port == b->port && addr_eq(&a->addr, &b->addr);
}

bool addr_is_loopback(const struct addr *a)
{
    static const uint8_t one[16] = {[15] = 1};

    return a->bits == 32 ? a->bytes[0] == 127 : a->bits == 128 && memcmp(a->bytes, one, sizeof(one)) == 0;
}
