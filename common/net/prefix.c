/* SPDX-License-Identifier: BSD-3-Clause */
#include "net/prefix.h"

#include <stdio.h>
#include <string.h>

/* Parses "0".."max" without sign, blanks or leading zeros; -1 otherwise. */
static int length_parse(const char *text, int max)
{
    size_t digits = strspn(text, "0123456789");
    int n = 0;

    if (digits == 0 || digits > 3 || text[digits] != '\0' || (digits > 1 && text[0] == '0'))
        return -1;
    for (size_t i = 0; i < digits; i++)
        n = n * 10 + (text[i] - '0');
    return n <= max ? n : -1;
}

/* The bits of byte i that belong to a prefix of this length. */
static uint8_t byte_mask(unsigned length, unsigned i)
{
    unsigned kept = length > i * 8 ? length - i * 8 : 0;

    return (uint8_t)(kept >= 8 ? 0xff : 0xff00U >> kept);
}

void prefix_shorten(struct prefix *p, uint8_t bits)
{
    p->bits = bits;
    for (unsigned i = 0; i < sizeof(p->addr.bytes); i++)
        p->addr.bytes[i] &= byte_mask(bits, i);
}

int prefix_parse(const char *text, struct prefix *out, bool *masked, struct err *e)
{
    char host[ADDR_TEXT_MAX];
    const char *slash = strchr(text, '/');
    size_t n = slash ? (size_t)(slash - text) : strlen(text);
    struct prefix p;

    if (n >= sizeof(host))
        return err_set(e, ERR_INVALID, "'%.60s' is not a prefix: too long", text);
    memcpy(host, text, n);
    host[n] = '\0';
    if (addr_parse(host, &p.addr, NULL) < 0)
        return err_set(e, ERR_INVALID, "'%s' is not a prefix: '%s' is no IPv4 or IPv6 address", text, host);

    int length = slash ? length_parse(slash + 1, p.addr.bits) : p.addr.bits;
    if (length < 0)
        return err_set(e, ERR_INVALID, "'%.60s' is not a prefix: the length must be 0 to %d", text, p.addr.bits);
    struct addr whole = p.addr;
    prefix_shorten(&p, (uint8_t)length);
    if (masked)
        *masked = !addr_eq(&whole, &p.addr);
    *out = p;
    return 0;
}

int prefix_parse_route(const char *text, struct prefix *out, struct err *e)
{
    struct prefix p;

    if (prefix_parse(text, &p, NULL, e) < 0)
        return ERR_INVALID;
    if (!strchr(text, '/'))
        return err_set(e, ERR_INVALID, "'%.60s' is not a prefix: its length is missing, as in 10.0.0.0/8", text);
    *out = p;
    return 0;
}

char *prefix_format(const struct prefix *p, char text[PREFIX_TEXT_MAX])
{
    char host[ADDR_TEXT_MAX];

    snprintf(text, PREFIX_TEXT_MAX, "%s/%u", addr_format(&p->addr, host), p->bits);
    return text;
}

int prefix_cmp(const struct prefix *a, const struct prefix *b)
{
    int order = addr_cmp(&a->addr, &b->addr);

    return order ? order : (a->bits > b->bits) - (a->bits < b->bits);
}

bool prefix_covers(const struct prefix *outer, const struct prefix *inner)
{
    if (outer->addr.bits != inner->addr.bits || outer->bits > inner->bits)
        return false;
    for (unsigned i = 0; i < sizeof(outer->addr.bytes); i++)
        if ((inner->addr.bytes[i] & byte_mask(outer->bits, i)) != outer->addr.bytes[i])
            return false;
    return true;
}

bool prefix_is_exit(const struct prefix *p)
{
    return p->bits == 0;
}
