/* SPDX-License-Identifier: BSD-3-Clause */
/* Tables that say what a struct holds, member by member: of records what the store keeps, of calls and publications
 * what a message carries. */
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
    MEMBER_ENDPOINTS, /* those of a struct node_live, which is the member */
    /* In messages alone. */
    MEMBER_U16,
    MEMBER_MAYBE,  /* char *, or NULL */
    MEMBER_CHARS,  /* char[max] */
    MEMBER_ARRAY,  /* T *, and a size_t behind it */
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
    unsigned max;             /* of MEMBER_ENUM the greatest, of MEMBER_CHARS its size */
    unsigned since;           /* of a column: version of the schema; 0: of the table */
    const char *initial;      /* SQL: what rows of before that version hold */
    const struct members *of; /* the items of MEMBER_ARRAY and MEMBER_LIST */
};

/* A whole struct of that size. */
struct members {
    const struct member *items;
    size_t count, size;
};

#endif
