/* SPDX-License-Identifier: BSD-3-Clause */
/* Bytes of messages: written at the end of a buffer, read with each length checked before it is used. */
#ifndef SERVER_CORE_MESSAGE_VALUES_H
#define SERVER_CORE_MESSAGE_VALUES_H

#include "base/buf.h"
#include "net/prefixes.h"

void put_number(struct buf *out, uint64_t number); /* big-endian, without zeros before it */
void put_length(struct buf *out, size_t len);
void put_addr(struct buf *out, const struct addr *a);
void put_prefix(struct buf *out, const struct prefix *p);

struct reader {
    const uint8_t *at, *end;
    size_t *room; /* bytes of memory that what is read may still take */
};

/* False: these bytes are none. */
bool get_number(const struct reader *all, uint64_t max, uint64_t *out);
bool get_length(struct reader *r, size_t *out);       /* of what follows, all of which is there */
bool get_part(struct reader *r, struct reader *part); /* with its length before it */
bool get_addr(const struct reader *all, struct addr *out);
bool get_prefix(const struct reader *all, struct prefix *out);
bool take_room(const struct reader *r, size_t bytes); /* false: there is not so much, and none any more */

/* What MEMBER_ARRAY, MEMBER_LIST and MEMBER_RECORDS are; an array ends before cap. */
struct item_list {
    char *items;
    size_t len, cap;
};

#endif
