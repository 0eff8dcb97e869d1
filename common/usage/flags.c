/* SPDX-License-Identifier: BSD-3-Clause */
#include "usage/flags.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/mem.h"

void flags_release(struct flags *f)
{
    for (size_t i = 0; i < f->value_count; i++)
        strs_release(&f->values[i].texts);
    free(f->values);
    f->values = NULL;
    f->value_count = 0;
    strs_release(&f->args);
}

void flags_add_table(struct flags *f, const struct flag *table)
{
    assert(f->table_count < FLAG_TABLES_MAX);
    f->tables[f->table_count++] = table;
}

/* Finds a flag by its long name (len bytes), or by its letter if name is NULL. */
static const struct flag *lookup(const struct flags *f, const char *name, size_t len, char letter)
{
    for (size_t t = 0; t < f->table_count; t++)
        for (const struct flag *flag = f->tables[t]; flag->kind != FLAG_NONE; flag++)
            if (name ? strlen(flag->name) == len && strncmp(flag->name, name, len) == 0 : flag->letter == letter)
                return flag;
    return NULL;
}

static const struct flag *by_name(const struct flags *f, const char *name)
{
    return lookup(f, name, strlen(name), 0);
}

const struct flag *flags_find(const struct flags *f, const char *word)
{
    if (word[0] != '-' || !word[1])
        return NULL;
    if (word[1] == '-')
        return lookup(f, word + 2, strcspn(word + 2, "="), 0);
    return lookup(f, NULL, 0, word[1]);
}

bool flags_takes_next(const struct flags *f, const char *word)
{
    const struct flag *flag = flags_find(f, word);

    if (!flag || flag->kind == FLAG_SWITCH)
        return false;
    return word[1] == '-' ? !strchr(word, '=') : !word[2];
}

/* "-i, --identifier", as messages show a flag. */
static const char *shown(const struct flag *flag, char *text, size_t size)
{
    if (flag->letter)
        snprintf(text, size, "-%c, --%s", flag->letter, flag->name);
    else
        snprintf(text, size, "--%s", flag->name);
    return text;
}

static bool word_in(const char *words, const char *value)
{
    size_t len = strlen(value);

    for (;; words++) {
        size_t n = strcspn(words, "|");
        if (n == len && strncmp(words, value, n) == 0)
            return true;
        words += n;
        if (!*words)
            return false;
    }
}

static struct flag_value *value_of(struct flags *f, const struct flag *flag)
{
    for (size_t i = 0; i < f->value_count; i++)
        if (f->values[i].flag == flag)
            return &f->values[i];
    f->values = mem_resize(f->values, f->value_count + 1, sizeof(*f->values));
    f->values[f->value_count] = (struct flag_value){.flag = flag};
    return &f->values[f->value_count++];
}

static void split(struct strs *out, const char *value)
{
    for (const char *at = value; *at;) {
        size_t n = strcspn(at, ",");
        char *one = mem_strndup(at, n);
        strs_push(out, one);
        free(one);
        at += n + (at[n] == ',');
    }
}

static int set(struct flags *f, const struct flag *flag, const char *value, struct err *e)
{
    const struct flag *target = flag->same_as ? by_name(f, flag->same_as) : flag;
    char name[64];
    uint64_t number;

    assert(target);
    if (flag->kind == FLAG_NUMBER && str_u64(value, 0, UINT64_MAX, &number, flag->name, NULL) < 0)
        return err_field(e, ERR_INVALID, flag->name, "invalid argument \"%.80s\" for \"%s\" flag: not a number", value,
                         shown(flag, name, sizeof(name)));
    if (flag->kind == FLAG_SWITCH && !word_in("true|false|1|0", value))
        return err_field(e, ERR_INVALID, flag->name, "invalid argument \"%.80s\" for \"%s\" flag: not true or false",
                         value, shown(flag, name, sizeof(name)));
    if (flag->words && !flag->open && !word_in(flag->words, value))
        return err_field(e, ERR_INVALID, flag->name, "invalid argument \"%.80s\" for \"%s\" flag: not one of %s", value,
                         shown(flag, name, sizeof(name)), flag->words + (*flag->words == '|'));
    struct flag_value *v = value_of(f, target);
    if (target->kind == FLAG_LIST)
        split(&v->texts, value);
    else
        strs_push(&v->texts, value);
    return 0;
}

/* --name, --name=value, --name value. Returns the number of words used, or an error. */
static int parse_long(struct flags *f, int count, char *const *words, struct err *e)
{
    const char *name = words[0] + 2, *equals = strchr(name, '=');
    size_t len = strcspn(name, "=");
    const struct flag *flag = lookup(f, name, len, 0);
    int r;

    if (!flag)
        return err_set(e, ERR_INVALID, "unknown flag: --%.*s", (int)(len < 60 ? len : 60), name);
    if (equals || flag->kind == FLAG_SWITCH) {
        r = set(f, flag, equals ? equals + 1 : "true", e);
        return r < 0 ? r : 1;
    }
    if (count < 2)
        return err_field(e, ERR_INVALID, flag->name, "flag needs an argument: --%s", flag->name);
    r = set(f, flag, words[1], e);
    return r < 0 ? r : 2;
}

/* -n value, -nvalue, -n=value, -abc. */
static int parse_short(struct flags *f, int count, char *const *words, struct err *e)
{
    for (const char *at = words[0] + 1; *at; at++) {
        const struct flag *flag = lookup(f, NULL, 0, *at);
        int r;
        if (!flag)
            return err_set(e, ERR_INVALID, "unknown shorthand flag: '%c' in %.60s", *at > ' ' && *at < 127 ? *at : '?',
                           words[0]);
        if (flag->kind == FLAG_SWITCH && at[1] != '=') {
            r = set(f, flag, "true", e);
            if (r < 0)
                return r;
            continue;
        }
        if (at[1]) {
            r = set(f, flag, at + 1 + (at[1] == '='), e);
            return r < 0 ? r : 1;
        }
        if (count < 2)
            return err_field(e, ERR_INVALID, flag->name, "flag needs an argument: '%c' in %.60s", *at, words[0]);
        r = set(f, flag, words[1], e);
        return r < 0 ? r : 2;
    }
    return 1;
}

int flags_parse(struct flags *f, int count, char *const *words, struct err *e)
{
    bool only_args = false;

    for (int i = 0; i < count;) {
        const char *word = words[i];
        int used = 1;
        if (only_args || word[0] != '-' || !word[1])
            strs_push(&f->args, word);
        else if (str_eq(word, "--"))
            only_args = true;
        else if (word[1] == '-')
            used = parse_long(f, count - i, words + i, e);
        else
            used = parse_short(f, count - i, words + i, e);
        if (used < 0)
            return used;
        i += used;
    }
    return 0;
}

int flags_check_required(const struct flags *f, struct err *e)
{
    struct strs missing = {0};
    struct buf names = BUF_INIT(0);

    for (size_t t = 0; t < f->table_count; t++)
        for (const struct flag *flag = f->tables[t]; flag->kind != FLAG_NONE; flag++)
            if ((flag->bits & FLAG_REQUIRED) && !flags_given(f, flag->name))
                strs_push(&missing, flag->name);
    strs_sort(&missing);
    for (size_t i = 0; i < missing.len; i++)
        buf_addf(&names, "%s\"%s\"", i ? ", " : "", missing.items[i]);
    int r = missing.len == 0
                ? 0
                : err_field(e, ERR_INVALID, missing.items[0], "required flag(s) %s not set", buf_text(&names));
    strs_release(&missing);
    buf_release(&names);
    return r;
}

static const struct flag_value *given(const struct flags *f, const char *name)
{
    for (size_t i = 0; i < f->value_count; i++)
        if (str_eq(f->values[i].flag->name, name))
            return &f->values[i];
    assert(by_name(f, name));
    return NULL;
}

bool flags_given(const struct flags *f, const char *name)
{
    return given(f, name) != NULL;
}

const char *flags_text(const struct flags *f, const char *name)
{
    const struct flag_value *v = given(f, name);
    const struct flag *flag = by_name(f, name);

    if (v && v->texts.len)
        return v->texts.items[v->texts.len - 1];
    return flag && flag->fallback ? flag->fallback : "";
}

bool flags_switch(const struct flags *f, const char *name)
{
    const char *text = flags_text(f, name);

    return str_eq(text, "true") || str_eq(text, "1");
}

uint64_t flags_number(const struct flags *f, const char *name)
{
    uint64_t number = 0;

    return str_u64(flags_text(f, name), 0, UINT64_MAX, &number, name, NULL) == 0 ? number : 0;
}

const struct strs *flags_list(const struct flags *f, const char *name)
{
    const struct flag_value *v = given(f, name);

    return v ? &v->texts : NULL;
}

bool flags_any_shown(const struct flag *table)
{
    for (const struct flag *flag = table; flag && flag->kind != FLAG_NONE; flag++)
        if (!(flag->bits & FLAG_HIDDEN))
            return true;
    return false;
}

static size_t help_left(const struct flag *flag, struct buf *out)
{
    size_t start = out->len;

    if (flag->letter)
        buf_addf(out, "  -%c, --%s", flag->letter, flag->name);
    else
        buf_addf(out, "      --%s", flag->name);
    if (flag->kind != FLAG_SWITCH)
        buf_addf(out, " %s", flag->value ? flag->value : "TEXT");
    return out->len - start;
}

void flags_help(const struct flag *table, struct buf *out)
{
    struct buf scratch = BUF_INIT(0);
    size_t widest = 0;

    for (const struct flag *flag = table; flag->kind != FLAG_NONE; flag++) {
        size_t n = flag->bits & FLAG_HIDDEN ? 0 : help_left(flag, &scratch);
        widest = n > widest ? n : widest;
    }
    buf_release(&scratch);
    for (const struct flag *flag = table; flag->kind != FLAG_NONE; flag++) {
        if (flag->bits & FLAG_HIDDEN)
            continue;
        size_t n = help_left(flag, out);
        buf_addf(out, "%*s   %s", (int)(widest - n), "", flag->help);
        if (flag->bits & FLAG_REQUIRED)
            buf_adds(out, " (required)");
        else if (flag->fallback && *flag->fallback && flag->kind != FLAG_SWITCH)
            buf_addf(out, " (default %s)", flag->fallback);
        buf_addc(out, '\n');
    }
}
