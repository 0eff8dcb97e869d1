/* SPDX-License-Identifier: BSD-3-Clause */
/* The command-line parser of both programs. Options are defined in tables, which also produce the help, manual pages
 * and completion. The syntax is headscale's: --name VALUE, --name=VALUE, -n VALUE, -nVALUE, several short switches in
 * one word, options and arguments in any order; "--" ends the options. */
#ifndef COMMON_USAGE_FLAGS_H
#define COMMON_USAGE_FLAGS_H

#include "base/str.h"

enum flag_kind {
    FLAG_SWITCH, /* --name, --name=false */
    FLAG_TEXT,
    FLAG_NUMBER, /* decimal, unsigned 64 bits */
    FLAG_LIST,   /* comma-separated and repeatable; --name= is an empty list */
    FLAG_REPEAT, /* repeatable; commas have no special meaning */
    FLAG_NONE,   /* ends a table */
};

enum flag_bits {
    FLAG_REQUIRED = 1,
    FLAG_HIDDEN = 2, /* an older spelling: accepted but not shown */
};

struct flag {
    const char *name; /* without dashes */
    char letter;      /* 0: none */
    enum flag_kind kind;
    unsigned bits;
    const char *value;    /* "FILE": the name of the value in help texts */
    const char *fallback; /* the default, shown in help and returned by flags_text; NULL: none */
    const char *words;    /* "json|yaml": the accepted values; NULL: any. A leading "" also accepts an empty one */
    bool open;            /* words are only examples: other values are accepted */
    const char *same_as;  /* the flag of which this is another spelling */
    const char *help;
};

#define FLAGS_END                                                                                                      \
    {                                                                                                                  \
        .kind = FLAG_NONE                                                                                              \
    }
#define FLAG_TABLES_MAX 4

struct flag_value {
    const struct flag *flag;
    struct strs texts;
};

/* A parsed command line. */
struct flags {
    const struct flag *tables[FLAG_TABLES_MAX]; /* borrowed; each ends in FLAGS_END */
    size_t table_count;
    struct flag_value *values; /* only the flags that were given */
    size_t value_count;
    struct strs args;
};

void flags_release(struct flags *f); /* keeps the tables */
void flags_add_table(struct flags *f, const struct flag *table);

/* Parses count words. ERR_INVALID uses headscale's wording ("unknown flag: --x"). Does not check for required flags. */
int flags_parse(struct flags *f, int count, char *const *words, struct err *e) WARN_UNUSED;
/* ERR_INVALID: required flag(s) "key", "user" not set. */
int flags_check_required(const struct flags *f, struct err *e) WARN_UNUSED;

/* The flags that were given, by name; a name that is in no table is a programming error. Numbers are validated by
 * flags_parse. */
bool flags_given(const struct flags *f, const char *name);
bool flags_switch(const struct flags *f, const char *name);
const char *flags_text(const struct flags *f, const char *name);        /* the last one, its default, or "" */
uint64_t flags_number(const struct flags *f, const char *name);         /* its value, its default, or 0 */
const struct strs *flags_list(const struct flags *f, const char *name); /* NULL if it was not given */

/* The flag that a word such as "--config" or "-c" names, NULL if none: for code that looks for the command word. */
const struct flag *flags_find(const struct flags *f, const char *word);
/* Does the word take the next one as its value, being an option whose value is not in the same word? */
bool flags_takes_next(const struct flags *f, const char *word);

/* Does a table (may be NULL) contain a flag that is not hidden? */
bool flags_any_shown(const struct flag *table);

/* Appends "  -u, --user NAME   text" for each flag that is not hidden. */
void flags_help(const struct flag *table, struct buf *out);

#endif
