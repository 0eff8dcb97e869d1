/* SPDX-License-Identifier: BSD-3-Clause */
/* Reading HuJSON step by step, inside lang: a state that can be copied, tried and gone on from elsewhere. */
#ifndef COMMON_POLICY_LANG_HUJSON_READER_H
#define COMMON_POLICY_LANG_HUJSON_READER_H

#include "policy/lang/hujson.h"

enum hujson_state { HUJSON_WANT_VALUE, HUJSON_WANT_ITEM, HUJSON_AFTER_NAME, HUJSON_AFTER_VALUE, HUJSON_DONE };

struct hujson_frame {
    bool object;
    bool doubtful; /* what stands in it is guessed: its names are not compared */
    size_t count;
    size_t item;              /* where its newest member or element begins */
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
    struct hujson *child; /* that is being read; NULL: nothing is kept of it */
    size_t last;          /* where the newest name, string or word begins */
    int code;
};

/* text, len, arena and why are set. */
int hujson_begin(struct hujson_reader *r);
/* A name, a value that holds no others, a bracket or a comma. A failure leaves the state as it was before. */
int hujson_step(struct hujson_reader *r);
/* Are two members of an object called the same? *why tells of the first such pair in the order of names. */
int hujson_names(struct hujson_reader *r, const struct hujson *object);

#endif
