/* SPDX-License-Identifier: BSD-3-Clause */
#include "core/message/values.h"

#include <string.h>

#define LENGTH_BYTES 4

void put_number(struct buf *out, uint64_t number)
{
    for (int shift = 56; shift >= 0; shift -= 8)
        if (number >> shift)
            buf_addc(out, (char)(number >> shift));
}

void put_length(struct buf *out, size_t len)
{
    while (len > 0x7f) {
        buf_addc(out, (char)(len | 0x80));
        len >>= 7;
    }
    buf_addc(out, (char)len);
}

void put_addr(struct buf *out, const struct addr *a)
{
    buf_add(out, a->bytes, a->bits / 8);
}

void put_prefix(struct buf *out, const struct prefix *p)
{
    if (!p->addr.bits)
        return;
    buf_addc(out, (char)p->bits);
    put_addr(out, &p->addr);
}

bool get_number(const struct reader *all, uint64_t max, uint64_t *out)
{
    uint64_t number = 0;

    if (all->end - all->at > 8)
        return false;
    for (const uint8_t *at = all->at; at < all->end; at++)
        number = number << 8 | *at;
    *out = number;
    return number <= max;
}

bool get_length(struct reader *r, size_t *out)
{
    size_t len = 0;

    for (unsigned i = 0; i < LENGTH_BYTES && r->at < r->end; i++) {
        uint8_t byte = *r->at++;
        len |= (size_t)(byte & 0x7f) << (7 * i);
        if (!(byte & 0x80)) {
            *out = len;
            return len <= (size_t)(r->end - r->at);
        }
    }
    return false;
}

bool get_part(struct reader *r, struct reader *part)
{
    size_t len;

    if (!get_length(r, &len))
        return false;
    *part = (struct reader){r->at, r->at + len, r->room};
    r->at += len;
    return true;
}

bool get_addr(const struct reader *all, struct addr *out)
{
    size_t len = (size_t)(all->end - all->at);

    *out = (struct addr){0};
    if (len != 0 && len != 4 && len != 16)
        return false;
    out->bits = (uint8_t)(len * 8);
    if (len)
        memcpy(out->bytes, all->at, len);
    return true;
}

bool get_prefix(const struct reader *all, struct prefix *out)
{
    *out = (struct prefix){0};
    if (all->at == all->end)
        return true;
    struct reader addr = {all->at + 1, all->end, all->room};
    if (!get_addr(&addr, &out->addr) || !out->addr.bits || *all->at > out->addr.bits)
        return false;
    out->bits = out->addr.bits;
    prefix_shorten(out, *all->at);
    return memcmp(out->addr.bytes, all->at + 1, out->addr.bits / 8) == 0;
}

bool take_room(const struct reader *r, size_t bytes)
{
    bool enough = bytes <= *r->room;

    *r->room = enough ? *r->room - bytes : 0;
    return enough;
}
