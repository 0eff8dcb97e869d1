/* SPDX-License-Identifier: BSD-3-Clause */
/* What a command prints: objects as JSON or YAML in headscale's forms, or tables and lines for people. Private to this
 * room. */
#ifndef TUI_CLI_OUTPUT_H
#define TUI_CLI_OUTPUT_H

#include <stdio.h>

#include "base/str.h"
#include "model/api.h"
#include "json/json.h"

enum output_form { OUTPUT_HUMAN, OUTPUT_JSON, OUTPUT_JSON_LINE, OUTPUT_YAML };

struct output {
    FILE *out, *err;
    enum output_form form;
    bool old;      /* HEADWAY_OUTPUT=0.29, or called by headscale's name without it */
    bool stacked;  /* tables have one address, tag or route a line, as headscale's have since 0.29 */
    bool terminal; /* out is one */
    bool color;
    size_t columns; /* of the terminal; 0: unbounded */
    bool force;     /* asks nothing */
};

/* From the form's name ("" is for people), the environment and the files. */
void output_init(struct output *o, const char *form, FILE *out, FILE *err);

/* The value in a machine's form, or the line for people. shape is for headscale 0.29's form of it; NULL: it has none.
 */
void output_result(const struct output *o, const char *line, const json_t *value, const struct api_shape *shape);
/* The value in a machine's form; people get its members, one a line. */
void output_value(const struct output *o, const json_t *value, const struct api_shape *shape);
void output_error(const struct output *o, const char *message);
/* A text of several lines: as it is, but made safe where out is a terminal. */
void output_text(const struct output *o, const char *text);

/* A value as text. */
void output_write(struct buf *out, enum output_form form, bool old, const json_t *value, const struct api_shape *shape);

/* A time as people read it: "2006-01-02 15:04:05" in UTC; none for 0. */
#define OUTPUT_TIME_MAX 32
char *output_time(int64_t ns, const char *none, char text[OUTPUT_TIME_MAX]);

/* ---- tables ---- */

enum text_color { COLOR_PLAIN, COLOR_GOOD, COLOR_BAD, COLOR_WARN };

struct table_field {
    struct strs parts; /* joined by ", ", or one a line where the terminal is narrow */
    enum text_color color;
};

struct text_table {
    const char *const *heads;
    size_t width; /* columns */
    struct table_field *fields;
    size_t len, cap; /* fields */
};

void table_init(struct text_table *t, const char *const *heads, size_t width);
void table_release(struct text_table *t);
/* The next field; texts are made safe. */
void table_text(struct text_table *t, const char *text, enum text_color color);
void table_number(struct text_table *t, uint64_t number);
void table_bool(struct text_table *t, bool value);
void table_texts(struct text_table *t, const struct strs *texts);
void table_prefixes(struct text_table *t, const struct prefixes *prefixes);
void table_addrs(struct text_table *t, const struct api_addrs *addrs);
void table_time(struct text_table *t, int64_t ns, const char *none, bool past_is_bad);
/* Where the terminal is too narrow, lists stand one element a line, long texts are wrapped, and what does not fit even
 * so is written as one record a row, one field a line. */
void table_print(const struct text_table *t, const struct output *o);
/* A line beside a table, on the other stream, wrapped as the table's texts are. */
void table_remark(const char *text, const struct output *o);

#endif
