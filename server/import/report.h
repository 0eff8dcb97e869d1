/* SPDX-License-Identifier: BSD-3-Clause */
/* Private to import: what happens to each object, for the person who imports. */
#ifndef SERVER_IMPORT_REPORT_H
#define SERVER_IMPORT_REPORT_H

#include <stdio.h>

#include "base/str.h"

enum report_kind {
    REPORT_KEYS,
    REPORT_USER,
    REPORT_NODE,
    REPORT_ROUTE,
    REPORT_PREAUTH_KEY,
    REPORT_API_KEY,
    REPORT_OAUTH_CLIENT,
    REPORT_POLICY,
    REPORT_TABLE,
    REPORT_COLUMN,
    REPORT_MIGRATION,
    REPORT_CONFIGURATION,
    REPORT_KINDS
};

enum report_verdict {
    REPORT_TAKEN,
    REPORT_CHANGED, /* imported with a difference */
    REPORT_LEFT,    /* not imported */
    REPORT_FAULT,   /* prevents the whole import */
    REPORT_VERDICTS
};

struct report_line {
    enum report_verdict verdict;
    enum report_kind kind;
    char *text;
};

struct report {
    size_t counts[REPORT_KINDS][REPORT_VERDICTS];
    struct report_line *items;
    size_t len, cap;
};

/* Adds one object: "17 (laptop)", "" if its kind is enough; format (NULL: none) is the reason. */
void report_add(struct report *r, enum report_verdict verdict, enum report_kind kind, const char *object,
                const char *format, ...) PRINTF_LIKE(5, 6);
size_t report_faults(const struct report *r);
/* all: also lists objects that are imported unchanged. */
void report_print(const struct report *r, bool all, FILE *out);
/* Prints the faults alone. */
void report_print_faults(const struct report *r, FILE *out);
void report_release(struct report *r);

#endif
