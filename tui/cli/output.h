/* SPDX-License-Identifier: BSD-3-Clause */
/* Output of commands: objects as JSON or YAML in headscale's formats, or tables and lines for people. Private to this
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
    bool old;      /* HEADWAY_OUTPUT=0.29, or unset and invoked as headscale */
    bool stacked;  /* tables have one address, tag or route per line, as in headscale since 0.29 */
    bool terminal; /* out is a terminal */
    bool color;
    size_t columns; /* of the terminal; 0: unlimited */
    bool force;     /* do not ask for confirmation */
};

/* Initializes from the format's name ("": for people), the environment and the files. */
void output_init(struct output *o, const char *form, FILE *out, FILE *err);

/* Prints value in a format for machines, or line for people. shape: for headscale 0.29's format; NULL: it has none. */
void output_result(const struct output *o, const char *line, const json_t *value, const struct api_shape *shape);
/* Prints value in a format for machines, or its members, one per line, for people. */
void output_value(const struct output *o, const json_t *value, const struct api_shape *shape);
void output_error(const struct output *o, const char *message);
/* Prints a text of several lines, made safe if out is a terminal. */
void output_text(const struct output *o, const char *text);

/* Appends a value in the given format. */
void output_write(struct buf *out, enum output_form form, bool old, const json_t *value, const struct api_shape *shape);

/* A time for people: "2006-01-02 15:04:05" in UTC; none if 0. Returns text or none. */
#define OUTPUT_TIME_MAX 32
char *output_time(int64_t ns, const char *none, char text[OUTPUT_TIME_MAX]);

/* ---- tables ---- */

enum text_color { COLOR_PLAIN, COLOR_GOOD, COLOR_BAD, COLOR_WARN };

struct table_field {
    struct strs parts; /* joined by ", ", or one per line on narrow terminals */
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
/* Each adds the next field; texts are made safe. */
void table_text(struct text_table *t, const char *text, enum text_color color);
void table_number(struct text_table *t, uint64_t number);
void table_bool(struct text_table *t, bool value);
void table_texts(struct text_table *t, const struct strs *texts);
void table_prefixes(struct text_table *t, const struct prefixes *prefixes);
void table_addrs(struct text_table *t, const struct api_addrs *addrs);
void table_time(struct text_table *t, int64_t ns, const char *none, bool past_is_bad);
/* On narrow terminals lists are printed one element per line and long texts wrapped; a table that still does not fit is
 * printed as records, one field per line. */
void table_print(const struct text_table *t, const struct output *o);
/* Prints a remark on a table to stderr, wrapped like the table's texts. */
void table_remark(const char *text, const struct output *o);

#endif
