/* SPDX-License-Identifier: BSD-3-Clause */
#include "import/row.h"

#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/mem.h"

#define TAG_MAX   255 /* bytes */
#define SHOWN_MAX 60  /* bytes of a value in a message */

/* The value as messages show it. */
static void show(const struct source_value *v, char *out, size_t size)
{
    if (v->kind == SOURCE_NULL)
        str_copy(out, size, "NULL");
    else if (v->kind == SOURCE_NUMBER)
        snprintf(out, size, "%lld", (long long)v->number);
    else
        snprintf(out, size, "'%.*s'%s", v->len > SHOWN_MAX ? SHOWN_MAX : (int)v->len, v->text,
                 v->len > SHOWN_MAX ? "..." : "");
}

void row_fault(struct import_row *row, size_t column, const char *format, ...)
{
    char object[128], value[SHOWN_MAX + 16], reason[256];
    va_list args;

    va_start(args, format);
    vsnprintf(reason, sizeof(reason), format, args);
    va_end(args);
    show(&row->values[column], value, sizeof(value));
    if (row->id)
        snprintf(object, sizeof(object), "%llu", (unsigned long long)row->id);
    else
        str_copy(object, sizeof(object), "without an id");
    report_add(row->report, REPORT_FAULT, row->kind, object, "table %s, id %llu, column %s: %s %s", row->table->name,
               (unsigned long long)row->id, row->table->columns[column], value, reason);
    row->bad = true;
}

bool row_is_null(const struct import_row *row, size_t column)
{
    return row->values[column].kind == SOURCE_NULL;
}

/* A text that is a number counts as one: PostgreSQL sends only texts, and some files were edited by hand. */
static bool number_of(const struct source_value *v, int64_t *out)
{
    uint64_t number;

    if (v->kind == SOURCE_NUMBER) {
        *out = v->number;
        return true;
    }
    if (v->kind != SOURCE_TEXT || v->len > 20 || str_u64(v->text, 0, INT64_MAX, &number, "", NULL) < 0)
        return false;
    *out = (int64_t)number;
    return true;
}

bool row_begin(struct import_row *row, const struct source_table *table, const struct source_value *values,
               struct report *report, enum report_kind kind)
{
    int64_t id = 0;

    *row = (struct import_row){.table = table, .values = values, .report = report, .kind = kind};
    if (number_of(&values[0], &id) && id > 0 && id < INT64_MAX) {
        row->id = (uint64_t)id;
        return true;
    }
    row_fault(row, 0, "is no id");
    return false;
}

/* A number counts as a text where a column of SQLite converted digits to one. */
static char *text_of(const struct source_value *v, size_t *len)
{
    if (v->kind == SOURCE_NULL) {
        *len = 0;
        return mem_strdup("");
    }
    if (v->kind == SOURCE_NUMBER) {
        char *text = mem_format("%lld", (long long)v->number);
        *len = strlen(text);
        return text;
    }
    *len = v->len;
    return mem_strndup(v->text, v->len);
}

char *row_text(struct import_row *row, size_t column, size_t most)
{
    struct err why;
    size_t len;
    char *text = text_of(&row->values[column], &len);

    if (len > most)
        row_fault(row, column, "has more than %zu bytes", most);
    else if (strlen(text) != len || str_check(text, most, true, "", &why) < 0)
        row_fault(row, column, "is no text: it holds bytes that are not UTF-8, or control characters");
    else
        return text;
    free(text);
    return mem_strdup("");
}

char *row_clean_text(struct import_row *row, size_t column, size_t most, bool *changed)
{
    size_t len;
    char *text = text_of(&row->values[column], &len), *clean = str_clean(text, most);

    *changed = *changed || strlen(clean) != len || !str_eq(text, clean);
    free(text);
    return clean;
}

char *row_document(struct import_row *row, size_t column, size_t most)
{
    size_t len;
    char *text = text_of(&row->values[column], &len);

    if (len > most)
        row_fault(row, column, "has more than %zu bytes", most);
    else if (!str_utf8(text, len))
        row_fault(row, column, "is not UTF-8 text");
    else
        return text;
    free(text);
    return mem_strdup("");
}

uint64_t row_id(struct import_row *row, size_t column)
{
    int64_t number = 0;

    if (row_is_null(row, column))
        return 0;
    if (number_of(&row->values[column], &number) && number >= 0)
        return (uint64_t)number;
    row_fault(row, column, "is no id");
    return 0;
}

bool row_bool(struct import_row *row, size_t column)
{
    static const char *const yes[] = {"1", "true", "t", "TRUE", "True"}, *const no[] = {"",  "0",     "false",
                                                                                        "f", "FALSE", "False"};
    const struct source_value *v = &row->values[column];

    if (v->kind == SOURCE_NULL)
        return false;
    if (v->kind == SOURCE_NUMBER && (v->number == 0 || v->number == 1))
        return v->number == 1;
    for (size_t i = 0; v->kind == SOURCE_TEXT && i < sizeof(yes) / sizeof(yes[0]); i++)
        if (str_eq(v->text, yes[i]))
            return true;
    for (size_t i = 0; v->kind == SOURCE_TEXT && i < sizeof(no) / sizeof(no[0]); i++)
        if (str_eq(v->text, no[i]))
            return false;
    row_fault(row, column, "is neither true nor false");
    return false;
}

/* ---- times ---- */

static bool digits(const char **at, int count, int *out)
{
    *out = 0;
    for (int i = 0; i < count; i++, (*at)++) {
        if (!isdigit((unsigned char)**at))
            return false;
        *out = *out * 10 + (**at - '0');
    }
    return true;
}

/* Days since 1970 of a date in the proleptic Gregorian calendar. */
static int64_t days_of(int year, int month, int day)
{
    int y = month <= 2 ? year - 1 : year, era = (y >= 0 ? y : y - 399) / 400, of_era = y - era * 400;
    int of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;

    return (int64_t)era * 146097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719468;
}

struct time_parts {
    int year, month, day, hour, minute, second, offset; /* offset: seconds east */
    int64_t fraction_ns;
};

static bool read_clock(const char **at, struct time_parts *p)
{
    if (!digits(at, 2, &p->hour) || *(*at)++ != ':' || !digits(at, 2, &p->minute))
        return false;
    if (**at != ':')
        return true;
    (*at)++;
    if (!digits(at, 2, &p->second))
        return false;
    if (**at != '.')
        return true;
    (*at)++;
    int64_t unit = NS_PER_SECOND / 10;
    if (!isdigit((unsigned char)**at))
        return false;
    for (; isdigit((unsigned char)**at); (*at)++, unit /= 10)
        p->fraction_ns += unit * (**at - '0');
    return true;
}

/* "", "Z", "+02:00", "+0200", "+00"; Go also wrote " +0200 CEST m=+1.5": what follows the offset is ignored. */
static bool read_offset(const char *at, struct time_parts *p)
{
    int hours, minutes = 0, sign;

    while (*at == ' ')
        at++;
    if (!*at || str_eq(at, "Z"))
        return true;
    if (*at != '+' && *at != '-')
        return false;
    sign = *at++ == '-' ? -1 : 1;
    if (!digits(&at, 2, &hours))
        return false;
    if (*at == ':')
        at++;
    if (isdigit((unsigned char)*at) && !digits(&at, 2, &minutes))
        return false;
    if (*at && *at != ' ')
        return false;
    p->offset = sign * (hours * 3600 + minutes * 60);
    return hours < 24 && minutes < 60;
}

static bool read_time(const char *text, struct time_parts *p)
{
    const char *at = text;

    *p = (struct time_parts){0};
    if (!digits(&at, 4, &p->year) || *at++ != '-' || !digits(&at, 2, &p->month) || *at++ != '-' ||
        !digits(&at, 2, &p->day))
        return false;
    if (*at == ' ' || *at == 'T') {
        at++;
        if (!read_clock(&at, p))
            return false;
    }
    return read_offset(at, p) && p->month >= 1 && p->month <= 12 && p->day >= 1 && p->day <= 31 && p->hour < 24 &&
           p->minute < 60 && p->second <= 60;
}

int64_t row_time(struct import_row *row, size_t column, int *year)
{
    const struct source_value *v = &row->values[column];
    struct time_parts p;

    if (year)
        *year = 0;
    if (v->kind == SOURCE_NULL)
        return 0;
    if (v->kind != SOURCE_TEXT || strlen(v->text) != v->len || v->len > 100 || !read_time(v->text, &p)) {
        row_fault(row, column, "is no time");
        return 0;
    }
    if (year)
        *year = p.year;
    int64_t seconds = days_of(p.year, p.month, p.day) * 86400 + p.hour * 3600 + p.minute * 60 + p.second - p.offset;
    if (seconds < 0)
        return 1;
    if (seconds >= INT64_MAX / NS_PER_SECOND)
        return INT64_MAX / NS_PER_SECOND * NS_PER_SECOND; /* the year 2262: nothing lasts longer here */
    seconds = seconds * NS_PER_SECOND + p.fraction_ns;
    return seconds > 0 ? seconds : 1;
}

/* ---- keys, addresses, lists ---- */

void row_key(struct import_row *row, size_t column, const char *prefix, uint8_t out[KEY_LEN])
{
    const struct source_value *v = &row->values[column];
    struct err why;

    memset(out, 0, KEY_LEN);
    if (v->kind == SOURCE_NULL ||
        (v->kind == SOURCE_TEXT && (v->len == 0 || (v->len == strlen(prefix) && str_eq(v->text, prefix)))))
        return;
    if (v->kind != SOURCE_TEXT || strlen(v->text) != v->len || key_parse(prefix, v->text, out, "", &why) < 0) {
        memset(out, 0, KEY_LEN);
        row_fault(row, column, "is not '%s' and 64 hexadecimal digits", prefix);
    }
}

void row_addr(struct import_row *row, size_t column, uint8_t bits, struct addr *out)
{
    const struct source_value *v = &row->values[column];
    struct err why;

    *out = (struct addr){0};
    if (v->kind == SOURCE_NULL || (v->kind == SOURCE_TEXT && v->len == 0))
        return;
    if (v->kind != SOURCE_TEXT || strlen(v->text) != v->len || addr_parse(v->text, out, &why) < 0 ||
        out->bits != bits) {
        *out = (struct addr){0};
        row_fault(row, column, "is no IPv%d address", bits == 32 ? 4 : 6);
    }
}

static bool is_nothing(const struct source_value *v)
{
    return v->kind == SOURCE_NULL ||
           (v->kind == SOURCE_TEXT && (v->len == 0 || (v->len == 4 && str_eq(v->text, "null"))));
}

/* NULL if it is not one. */
static json_t *read_list(struct import_row *row, size_t column)
{
    const struct source_value *v = &row->values[column];
    json_t *list = NULL;

    if (is_nothing(v))
        return NULL;
    if (v->kind != SOURCE_TEXT || json_read(v->text, v->len, SOURCE_VALUE_MAX, "the list", &list, NULL) < 0 ||
        !json_is_array(list))
        row_fault(row, column, "is no JSON list");
    else if (json_array_size(list) > ROW_LIST_MAX)
        row_fault(row, column, "has more than %d items", ROW_LIST_MAX);
    else
        return list;
    json_decref(list);
    return NULL;
}

void row_tags(struct import_row *row, size_t column, struct strs *out, char bad[ROW_BAD_TAG_MAX])
{
    json_t *list = read_list(row, column), *item;
    char first[ROW_BAD_TAG_MAX / 2] = "";
    size_t i, count = 0;

    json_array_foreach(list, i, item)
    {
        const char *tag = json_string_value(item);
        if (tag && str_starts(tag, "tag:") && tag[4] && str_check(tag, TAG_MAX, false, "", NULL) == 0)
            strs_push(out, tag);
        else if (count++ == 0)
            str_copy(first, sizeof(first), tag && *tag ? tag : "(no text)");
    }
    text_end_whole(first);
    bad[0] = '\0';
    if (count > 1)
        snprintf(bad, ROW_BAD_TAG_MAX, "'%s' and %zu more are no tags", first, count - 1);
    else if (count)
        snprintf(bad, ROW_BAD_TAG_MAX, "'%s' is no tag", first);
    strs_sort(out);
    json_decref(list);
}

void row_strs(struct import_row *row, size_t column, struct strs *out)
{
    json_t *list = read_list(row, column), *item;
    size_t i;

    json_array_foreach(list, i, item)
    {
        const char *text = json_string_value(item);
        if (!text || str_check(text, ROW_TEXT_MAX, false, "", NULL) < 0) {
            row_fault(row, column, "holds something that is no text");
            break;
        }
        strs_push(out, text);
    }
    json_decref(list);
}

void row_prefixes(struct import_row *row, size_t column, struct prefixes *out)
{
    struct strs texts = {0};
    struct prefix p;
    struct err why;

    row_strs(row, column, &texts);
    for (size_t i = 0; i < texts.len; i++)
        if (prefix_parse(texts.items[i], &p, NULL, &why) < 0)
            row_fault(row, column, "holds '%.60s', which is no prefix", texts.items[i]);
        else
            prefixes_add(out, &p);
    strs_release(&texts);
}

json_t *row_object(struct import_row *row, size_t column, size_t most, bool *broken)
{
    const struct source_value *v = &row->values[column];
    json_t *root = NULL;
    struct err why;

    *broken = false;
    if (is_nothing(v))
        return NULL;
    if (v->kind == SOURCE_TEXT && json_read(v->text, v->len, most, "the object", &root, &why) == 0 &&
        json_is_object(root))
        return root;
    json_decref(root);
    *broken = true;
    return NULL;
}
