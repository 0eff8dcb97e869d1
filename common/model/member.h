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
    MEMBER_TYPES
};

struct member {
    const char *name;
    enum member_type type;
    size_t at;           /* offset in the struct */
    unsigned max;        /* of MEMBER_ENUM: the greatest */
    unsigned since;      /* of a column: version of the schema; 0: of the table */
    const char *initial; /* SQL: what rows of before that version hold */
};

#endif
