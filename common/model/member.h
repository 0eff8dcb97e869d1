/* SPDX-License-Identifier: BSD-3-Clause */
/* Tables that describe the members of a struct: what the store keeps of records, and what messages carry of calls and
 * publications. */
#ifndef COMMON_MODEL_MEMBER_H
#define COMMON_MODEL_MEMBER_H

#include <stddef.h>

enum member_type {
    MEMBER_U64,
    MEMBER_TIME, /* int64_t */
    MEMBER_U32,
    MEMBER_BOOL,
    MEMBER_ENUM,
    MEMBER_TEXT,      /* char *, never NULL */
    MEMBER_KEY,       /* KEY_LEN bytes */
    MEMBER_ADDR,      /* struct addr; bits 0: none */
    MEMBER_PREFIX,    /* struct prefix */
    MEMBER_STRS,      /* struct strs */
    MEMBER_PREFIXES,  /* struct prefixes */
    MEMBER_ENDPOINTS, /* of the struct node_live that is the member */
    /* Only in messages. */
    MEMBER_U16,
    MEMBER_MAYBE,  /* char *, or NULL */
    MEMBER_CHARS,  /* char[max] */
    MEMBER_ARRAY,  /* T *, followed by a size_t */
    MEMBER_LIST,   /* VEC(T) */
    MEMBER_RECORD, /* a reference, or NULL */
    MEMBER_RECORDS /* VEC() of references */
};
#define MEMBER_COLUMN_TYPES (MEMBER_ENDPOINTS + 1)

struct members;

struct member {
    const char *name;
    enum member_type type;
    size_t at;                /* offset in the struct */
    unsigned max;             /* MEMBER_ENUM: the greatest value; MEMBER_CHARS: the size */
    unsigned since;           /* of a column: the schema version that added it; 0: with its table */
    const char *initial;      /* SQL: the value in rows of earlier versions */
    const struct members *of; /* the items of a MEMBER_ARRAY or MEMBER_LIST */
};

/* The members of a whole struct, with its size. */
struct members {
    const struct member *items;
    size_t count, size;
};

#endif
