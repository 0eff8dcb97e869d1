/* SPDX-License-Identifier: BSD-3-Clause */
/* The filter language: terms that must all match. word, key:value, !not, a|b, ~regex, seen>7d, exp<3d,
 * key=value (the whole text or one of its words), ip:100.64.0.0/16 (contains), route~10.20.0.0/16 (overlaps), @name (a
 * saved filter). A word without capitals ignores case. */
#ifndef TUI_CONSOLE_MODEL_FILTER_H
#define TUI_CONSOLE_MODEL_FILTER_H

#include <stdint.h>

#include "base/err.h"
#include "base/vec.h"
#include "console/model/model.h"
#include "net/prefix.h"

enum filter_kind {
    FILTER_TEXT,    /* key:value is a substring of the text */
    FILTER_STATE,   /* key:value is a prefix of one of the text's words, the list's states */
    FILTER_SINCE,   /* key>7d: a time longer ago */
    FILTER_UNTIL,   /* key<3d: a time less far ahead */
    FILTER_NETWORK, /* key:PREFIX, key~PREFIX on prefixes or addresses separated by blanks */
};

#define FILTER_NOW INT64_MAX /* returned by a time getter for "now", whatever the clock says */

struct filter_field {
    const char *name;
    enum filter_kind kind;
    void (*text)(const struct row *row, struct buf *out);
    int64_t (*time)(const struct row *row); /* wall_ns, 0: never */
};

struct filter_fields {
    const struct filter_field *items;
    size_t len;
    void (*words)(const struct row *row, struct buf *out); /* the text that bare words are searched in */
    const char *states; /* valid values of FILTER_STATE, separated by blanks; NULL: none */
};

/* Named filters. */
struct saved_filter {
    char *name, *text;
    bool configured; /* from the user's configuration file */
};

struct saved_filters {
    struct saved_filter *items;
    size_t len, cap;
};

#define SAVED_FILTERS_MAX 200
#define SAVED_NAME_MAX    40

const char *saved_filter_find(const struct saved_filters *s, const char *name); /* its text; NULL: unknown */
/* Sets a filter, or deletes it if text is "". ERR_INVALID for a name with characters other than letters, digits, '-'
 * and
 * '_'; ERR_TOOBIG if there are too many. */
int saved_filter_set(struct saved_filters *s, const char *name, const char *text, struct err *e) WARN_UNUSED;
void saved_filters_release(struct saved_filters *s);

struct filter_term;

struct filter {
    struct filter_term *terms;
    size_t len, cap;
};

/* *at: on error, the column (from 0) of the invalid word. saved may be NULL. *out is untouched on error. */
int filter_parse(const char *text, const struct filter_fields *fields, const struct saved_filters *saved,
                 struct filter *out, size_t *at, struct err *e) WARN_UNUSED;
void filter_release(struct filter *f);
/* Appends a term that matches exactly this value: "user=alice". */
void filter_exactly(const char *field, const char *value, struct buf *out);
bool filter_match(const struct filter *f, const struct filter_fields *fields, const struct row *row, int64_t now_ns);

#endif
