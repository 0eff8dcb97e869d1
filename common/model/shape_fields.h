/* SPDX-License-Identifier: BSD-3-Clause */
/* Macros for the tables of members. */
#ifndef COMMON_MODEL_SHAPE_FIELDS_H
#define COMMON_MODEL_SHAPE_FIELDS_H

#include <stddef.h>

#include "base/array.h"
#include "model/shape.h"

/* The last argument is an initialiser and what follows it, which cannot be parenthesised. */
/* NOLINTBEGIN(bugprone-macro-parentheses) */
/* A member of headscale's, with its name in the command line up to 0.29. */
#define V1(type, json, before, member, what)                                                                           \
    {                                                                                                                  \
        .name = (json), .old = (before), .offset = offsetof(struct type, member), .kind = what, .scope = API_V1        \
    }
/* A member of the same object that only /api/headway has. */
#define MORE(type, json, member, what)                                                                                 \
    {                                                                                                                  \
        .name = (json), .offset = offsetof(struct type, member), .kind = what, .scope = API_HEADWAY                    \
    }
/* A member of an object that headscale does not have. */
#define OWN(type, json, member, what)                                                                                  \
    {                                                                                                                  \
        .name = (json), .offset = offsetof(struct type, member), .kind = what, .scope = API_V1                         \
    }
/* A member that is only present at the top level. */
#define TOP(type, json, member, what)                                                                                  \
    {                                                                                                                  \
        .name = (json), .offset = offsetof(struct type, member), .kind = what, .scope = API_HEADWAY_TOP                \
    }
/* NOLINTEND(bugprone-macro-parentheses) */
/* Kinds with the shape or words that they refer to. */
#define WORD(list) KIND_WORD, .words = &(list)
#define ONE(of)    KIND_ONE, .shape = &(of)
#define PART(of)   KIND_PART, .shape = &(of)
#define MANY(of)   KIND_MANY, .shape = &(of)
#define SHAPE(type, label, table)                                                                                      \
    {                                                                                                                  \
        .what = (label), .size = sizeof(struct type), .fields = (table), .count = ARRAY_LEN(table)                     \
    }

#endif
