/* SPDX-License-Identifier: BSD-3-Clause */
/* The one way to read a command line, for both programs. Options stand in tables; the same tables give help, manual
 * pages and completion. The forms are those of headscale: --name VALUE, --name=VALUE, -n VALUE, -nVALUE, several short
 * switches in one word, options and arguments mixed, "--" ends the options. */
#ifndef COMMON_USAGE_FLAGS_H
#define COMMON_USAGE_FLAGS_H

#include "base/str.h"

enum flag_kind {
    FLAG_SWITCH, /* --name, --name=false */
    FLAG_TEXT,
    FLAG_NUMBER, /* decimal, unsigned 64 bits */
    FLAG_LIST,   /* separated by commas, and repeatable; --name= is an empty list */
    FLAG_REPEAT, /* repeatable, commas mean nothing */
    FLAG_NONE,   /* ends a table */
};

enum flag_bits {
    FLAG_REQUIRED = 1,
    FLAG_HIDDEN = 2, /* an older spelling: accepted, not shown */
};

struct flag {
    const char *name; /* without dashes */
    char letter;      /* 0: none */
    enum flag_kind kind;
    unsigned bits;
    const char *value;    /* "FILE": what help calls the value */
    const char *fallback; /* shown as the default, and what flags_text gives; NULL: none */
    const char *words;    /* "json|yaml": what may be given; NULL: anything. "" at the front allows an empty one */
    bool open;            /* words are only examples: other values are allowed */
    const char *same_as;  /* the flag that this one is another spelling of */
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

/* A command line as it was read. */
struct flags {
    const struct flag *tables[FLAG_TABLES_MAX]; /* borrowed, each ends in FLAGS_END */
    size_t table_count;
    struct flag_value *values; /* only of what was given */
    size_t value_count;
    struct strs args;
};

void flags_release(struct flags *f); /* keeps the tables */
void flags_add_table(struct flags *f, const struct flag *table);

/* Reads count words. ERR_INVALID says what is wrong in the words of headscale ("unknown flag: --x"). Required flags are
 * not looked at. */
int flags_parse(struct flags *f, int count, char *const *words, struct err *e) WARN_UNUSED;
/* required flag(s) "key", "user" not set */
int flags_check_required(const struct flags *f, struct err *e) WARN_UNUSED;

/* What was given, by name; a name that is in no table is a programming error. A number is checked when it is read. */
bool flags_given(const struct flags *f, const char *name);
bool flags_switch(const struct flags *f, const char *name);
const char *flags_text(const struct flags *f, const char *name);        /* the last one; else its fallback; else "" */
uint64_t flags_number(const struct flags *f, const char *name);         /* else its fallback; else 0 */
const struct strs *flags_list(const struct flags *f, const char *name); /* NULL when it was not given */

/* The flag that a word such as "--config" or "-c" names, NULL for none; for whoever looks for the command word. */
const struct flag *flags_find(const struct flags *f, const char *word);
/* The word takes the next one as its value: an option with a value that is not in the same word. */
bool flags_takes_next(const struct flags *f, const char *word);

/* A table (NULL is allowed) has a flag that is not hidden. */
bool flags_any_shown(const struct flag *table);

/* "  -u, --user NAME   text" for each flag that is not hidden. */
void flags_help(const struct flag *table, struct buf *out);

#endif
