/* SPDX-License-Identifier: BSD-3-Clause */
/* The tables of members of calls and publications: used to copy and release them, and to write them as bytes and
 * read them.
 *
 * A struct is written as its members in sequence: a number for the name (three bytes), the length of the value (7
 * bits per byte, low ones first, the high bit means that more follow), the value. Numbers are big-endian without
 * leading zeros; a list is each item with its length. Readers skip members that they do not know, and absent members
 * keep their defaults, so that neighbouring versions understand each other. */
#ifndef SERVER_CORE_MESSAGE_MEMBERS_H
#define SERVER_CORE_MESSAGE_MEMBERS_H

#include "base/array.h"
#include "base/buf.h"
#include "model/member.h"
#include "model/record.h"

#define MESSAGE_MAX (16u * 1024 * 1024) /* bytes of a message from another daemon */

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

/* Copies the members of from, with all that they point to, into an object in which they are unset; records are
 * referenced. */
void members_copy(const struct members *m, void *to, const void *from);
/* The same without a copy: they are unset in from afterwards. */
void members_move(const struct members *m, void *to, void *from);
/* Frees what the members point to and unsets them. */
void members_release(const struct members *m, void *object);

void members_encode(const struct members *m, const void *object, struct buf *out);
/* Reads into a zeroed object. ERR_INVALID names the member whose value is invalid; ERR_TOOBIG: it would take far more
 * memory than it has bytes. The caller releases what was read before an error. */
int members_decode(const struct members *m, const void *bytes, size_t len, void *object, struct err *e) WARN_UNUSED;

/* A record with its kind. The caller owns the reference. */
void record_encode(const void *record, struct buf *out);
int record_decode(const void *bytes, size_t len, const void **out, struct err *e) WARN_UNUSED;

/* The number that stands for a name in messages. */
uint32_t member_number(const char *name);

#endif
