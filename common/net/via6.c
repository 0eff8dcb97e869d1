/* SPDX-License-Identifier: BSD-3-Clause */
#include "net/via6.h"

#include <stdio.h>
#include <string.h>

#define SITE_AT 8 /* offset in bytes */
#define IPV4_AT 12

static const uint8_t range[SITE_AT] = {0xfd, 0x7a, 0x11, 0x5c, 0xa1, 0xe0, 0x0b, 0x1a};

bool via6_contains(const struct prefix *p)
{
    return p->addr.bits == 128 && p->bits >= 8 * SITE_AT && memcmp(p->addr.bytes, range, sizeof(range)) == 0;
}

bool via6_decode(const struct prefix *p, uint32_t *site, struct prefix *v4)
{
    const uint8_t *b = p->addr.bytes;

    if (!via6_contains(p) || p->bits < 8 * IPV4_AT)
        return false;
    *site =
        (uint32_t)b[SITE_AT] << 24 | (uint32_t)b[SITE_AT + 1] << 16 | (uint32_t)b[SITE_AT + 2] << 8 | b[SITE_AT + 3];
    *v4 = (struct prefix){.addr = {.bits = 32}, .bits = (uint8_t)(p->bits - 8 * IPV4_AT)};
    memcpy(v4->addr.bytes, b + IPV4_AT, 4);
    return true;
}

int via6_encode(uint64_t site, const struct prefix *v4, struct prefix *out, struct err *e)
{
    if (site > VIA6_SITE_MAX)
        return err_set(e, ERR_INVALID, "a site is a number from 0 to %d", VIA6_SITE_MAX);
    if (v4->addr.bits != 32)
        return err_set(e, ERR_INVALID, "a site has IPv4 networks, such as 10.1.1.0/24");
    *out = (struct prefix){.addr = {.bits = 128}, .bits = (uint8_t)(8 * IPV4_AT + v4->bits)};
    memcpy(out->addr.bytes, range, sizeof(range));
    out->addr.bytes[SITE_AT + 2] = (uint8_t)(site >> 8);
    out->addr.bytes[SITE_AT + 3] = (uint8_t)site;
    memcpy(out->addr.bytes + IPV4_AT, v4->addr.bytes, 4);
    return 0;
}

char *prefix_show(const struct prefix *p, char text[PREFIX_SHOWN_MAX])
{
    char inner[PREFIX_TEXT_MAX];
    struct prefix v4;
    uint32_t site;

    prefix_format(p, text);
    if (via6_decode(p, &site, &v4))
        snprintf(text + strlen(text), PREFIX_SHOWN_MAX - strlen(text), " (site %u, %s)", (unsigned)site,
                 prefix_format(&v4, inner));
    return text;
}
