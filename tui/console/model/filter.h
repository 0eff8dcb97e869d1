/* SPDX-License-Identifier: BSD-3-Clause */
/* The filter language: words that must all hold. word, key:value, !not, a|b, ~regex, seen>7d, exp<3d,
 * key=value (the whole text, or one of its words), ip:100.64.0.0/16 (lies within), route~10.20.0.0/16 (overlaps), @name
 * (a saved filter). A word without capitals ignores case. */
#ifndef TUI_CONSOLE_MODEL_FILTER_H
#define TUI_CONSOLE_MODEL_FILTER_H

#include <stdint.h>

#include "base/err.h"
#include "base/vec.h"
#include "console/model/model.h"
#include "net/prefix.h"

enum filter_kind {
    FILTER_TEXT,    /* key:value is looked for in a text */
    FILTER_STATE,   /* key:value begins one of the words of a text: those of the list's states */
    FILTER_SINCE,   /* key>7d: a time that lies further back */
    FILTER_UNTIL,   /* key<3d: a time that comes sooner */
    FILTER_NETWORK, /* key:PREFIX, key~PREFIX over prefixes or addresses, separated by blanks */
};

#define FILTER_NOW INT64_MAX /* a time getter's "at this moment", whatever the clock says */

struct filter_field {
    const char *name;
    enum filter_kind kind;
    void (*text)(const struct row *row, struct buf *out);
    int64_t (*time)(const struct row *row); /* wall_ns, 0: never */
};

struct filter_fields {
    const struct filter_field *items;
    size_t len;
    void (*words)(const struct row *row, struct buf *out); /* what a bare word is looked for in */
    const char *states; /* what a FILTER_STATE may say, separated by blanks; NULL: the list has none */
};

/* Filters that were given a name. */
struct saved_filter {
    char *name, *text;
    bool configured; /* it stands in the user's configuration */
};

struct saved_filters {
    struct saved_filter *items;
    size_t len, cap;
};

#define SAVED_FILTERS_MAX 200
#define SAVED_NAME_MAX    40

const char *saved_filter_find(const struct saved_filters *s, const char *name); /* its text; NULL: there is none */
/* Sets or, where text is "", forgets it. ERR_INVALID for a name with other signs than letters, digits, '-' and '_',
 * ERR_TOOBIG where there are too many. */
int saved_filter_set(struct saved_filters *s, const char *name, const char *text, struct err *e) WARN_UNUSED;
void saved_filters_release(struct saved_filters *s);

struct filter_term;

struct filter {
    struct filter_term *terms;
    size_t len, cap;
};

/* *at: the column (0 based) of the word that was not understood. saved may be NULL. *out is untouched on error. */
int filter_parse(const char *text, const struct filter_fields *fields, const struct saved_filters *saved,
                 struct filter *out, size_t *at, struct err *e) WARN_UNUSED;
void filter_release(struct filter *f);
/* "user=alice": the word of a filter that takes this value of a field and no longer one. */
void filter_exactly(const char *field, const char *value, struct buf *out);
bool filter_match(const struct filter *f, const struct filter_fields *fields, const struct row *row, int64_t now_ns);

#endif
