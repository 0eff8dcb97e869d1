/* SPDX-License-Identifier: BSD-3-Clause */
/* How the tables of members are written. */
#ifndef COMMON_MODEL_SHAPE_FIELDS_H
#define COMMON_MODEL_SHAPE_FIELDS_H

#include <stddef.h>

#include "base/array.h"
#include "model/shape.h"

/* The last argument is an initialiser with what belongs to it, which takes no parentheses. */
/* NOLINTBEGIN(bugprone-macro-parentheses) */
/* A member of headscale's, with the name that its command line had for it up to 0.29. */
#define V1(type, json, before, member, what)                                                                           \
    {                                                                                                                  \
        .name = (json), .old = (before), .offset = offsetof(struct type, member), .kind = what, .scope = API_V1        \
    }
/* The same object has this one on /api/headway only. */
#define MORE(type, json, member, what)                                                                                 \
    {                                                                                                                  \
        .name = (json), .offset = offsetof(struct type, member), .kind = what, .scope = API_HEADWAY                    \
    }
/* A member of an object that headscale does not have. */
#define OWN(type, json, member, what)                                                                                  \
    {                                                                                                                  \
        .name = (json), .offset = offsetof(struct type, member), .kind = what, .scope = API_V1                         \
    }
/* Only where it stands for itself. */
#define TOP(type, json, member, what)                                                                                  \
    {                                                                                                                  \
        .name = (json), .offset = offsetof(struct type, member), .kind = what, .scope = API_HEADWAY_TOP                \
    }
/* NOLINTEND(bugprone-macro-parentheses) */
/* Kinds with what they are of. */
#define WORD(list) KIND_WORD, .words = &(list)
#define ONE(of)    KIND_ONE, .shape = &(of)
#define PART(of)   KIND_PART, .shape = &(of)
#define MANY(of)   KIND_MANY, .shape = &(of)
#define SHAPE(type, label, table)                                                                                      \
    {                                                                                                                  \
        .what = (label), .size = sizeof(struct type), .fields = (table), .count = ARRAY_LEN(table)                     \
    }

#endif
