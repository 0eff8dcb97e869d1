/* SPDX-License-Identifier: BSD-3-Clause */
/* Bytes of messages: appended to a buffer, and read with each length checked before use. */
#ifndef SERVER_CORE_MESSAGE_VALUES_H
#define SERVER_CORE_MESSAGE_VALUES_H

#include "base/buf.h"
#include "net/prefixes.h"

void put_number(struct buf *out, uint64_t number); /* big-endian, without leading zeros */
void put_length(struct buf *out, size_t len);
void put_addr(struct buf *out, const struct addr *a);
void put_prefix(struct buf *out, const struct prefix *p);

struct reader {
    const uint8_t *at, *end;
    size_t *room; /* bytes of memory that the rest of the message may still use */
};

/* False: not valid bytes for one. */
bool get_number(const struct reader *all, uint64_t max, uint64_t *out);
bool get_length(struct reader *r, size_t *out);       /* of what follows; all of it is present */
bool get_part(struct reader *r, struct reader *part); /* preceded by its length */
bool get_addr(const struct reader *all, struct addr *out);
bool get_prefix(const struct reader *all, struct prefix *out);
bool take_room(const struct reader *r, size_t bytes); /* false: less than that is left, and none afterwards */

/* The layout of MEMBER_ARRAY, MEMBER_LIST and MEMBER_RECORDS; an array ends before cap. */
struct item_list {
    char *items;
    size_t len, cap;
};

#endif
