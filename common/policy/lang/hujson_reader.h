/* SPDX-License-Identifier: BSD-3-Clause */
/* A step-by-step parser of HuJSON, private to lang: its state can be copied, tried out and resumed at another place. */
#ifndef COMMON_POLICY_LANG_HUJSON_READER_H
#define COMMON_POLICY_LANG_HUJSON_READER_H

#include "policy/lang/hujson.h"

enum hujson_state { HUJSON_WANT_VALUE, HUJSON_WANT_ITEM, HUJSON_AFTER_NAME, HUJSON_AFTER_VALUE, HUJSON_DONE };

struct hujson_frame {
    bool object;
    bool doubtful; /* its contents are guessed: names are not compared */
    size_t count;
    size_t item;              /* start of its newest member or element */
    struct hujson *v, **link; /* NULL: nothing is kept */
};

struct hujson_reader {
    const char *text;
    size_t len, at;
    struct arena *arena;
    struct hujson_error *why;
    struct hujson_frame frames[HUJSON_DEPTH];
    size_t depth;
    enum hujson_state state;
    struct hujson *child; /* being read; NULL: it is not kept */
    size_t last;          /* start of the newest name, string or word */
    int code;
};

/* The caller has set text, len, arena and why. */
int hujson_begin(struct hujson_reader *r);
/* Reads a name, a scalar, a bracket or a comma. On failure the state is unchanged. */
int hujson_step(struct hujson_reader *r);
/* ERR_INVALID if two members of the object have the same name; *why names the first such pair in the order of names. */
int hujson_names(struct hujson_reader *r, const struct hujson *object);

#endif
