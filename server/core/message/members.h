/* SPDX-License-Identifier: BSD-3-Clause */
/* What calls and publications are made of, by their tables: copied and released, and written as bytes and read again.
 *
 * A struct is written as its members one after another: a number for the name (three bytes), the length of the value (7
 * bits a byte, low ones first, the high bit says that more follow), the value. Numbers are big-endian without zeros
 * before them, a list is each item with its length. Who reads leaves out members that it does not know, and those that
 * are not there keep what they are by default, so that neighbouring versions understand each other. */
#ifndef SERVER_CORE_MESSAGE_MEMBERS_H
#define SERVER_CORE_MESSAGE_MEMBERS_H

#include "base/array.h"
#include "base/buf.h"
#include "model/member.h"
#include "model/record.h"

#define MESSAGE_MAX (16u * 1024 * 1024) /* bytes of one that comes from another daemon */

#define MEMBER_ROW(type, member, kind)                                                                                 \
    {                                                                                                                  \
#member, MEMBER_##kind, offsetof(struct type, member), 0, 0, NULL, NULL                                        \
    }
#define MEMBER_ROW_ENUM(type, member, greatest)                                                                        \
    {                                                                                                                  \
#member, MEMBER_ENUM, offsetof(struct type, member), greatest, 0, NULL, NULL                                   \
    }
#define MEMBER_ROW_CHARS(type, member)                                                                                 \
    {                                                                                                                  \
#member, MEMBER_CHARS, offsetof(struct type, member), sizeof(((struct type *)0)->member), 0, NULL, NULL        \
    }
#define MEMBER_ROW_OF(type, member, kind, table)                                                                       \
    {                                                                                                                  \
#member, MEMBER_##kind, offsetof(struct type, member), 0, 0, NULL, &(table)                                    \
    }
#define MEMBERS(type, table)                                                                                           \
    {                                                                                                                  \
        table, ARRAY_LEN(table), sizeof(struct type)                                                                   \
    }

/* The members of from, with all that they point to, into an object where they are unset; records are referenced. */
void members_copy(const struct members *m, void *to, const void *from);
/* The same without a copy: from has none of them any more. */
void members_move(const struct members *m, void *to, void *from);
/* Lets go of what they point to; they are unset then. */
void members_release(const struct members *m, void *object);

void members_encode(const struct members *m, const void *object, struct buf *out);
/* Into an object that is zeroed. ERR_INVALID names the member that holds what it cannot, ERR_TOOBIG: it would take much
 * more memory than it has bytes. What was read so far is to be released. */
int members_decode(const struct members *m, const void *bytes, size_t len, void *object, struct err *e) WARN_UNUSED;

/* A record with its kind. The caller owns the reference. */
void record_encode(const void *record, struct buf *out);
int record_decode(const void *bytes, size_t len, const void **out, struct err *e) WARN_UNUSED;

/* The number that stands for a name in messages. */
uint32_t member_number(const char *name);

#endif
