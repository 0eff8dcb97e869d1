/* SPDX-License-Identifier: BSD-3-Clause */
/* What a command prints: objects as JSON or YAML in headscale's forms, or tables and lines for people. Private to this
 * room. */
#ifndef TUI_CLI_OUTPUT_H
#define TUI_CLI_OUTPUT_H

#include <stdio.h>

#include "base/str.h"
#include "json/json.h"

enum output_form { OUTPUT_HUMAN, OUTPUT_JSON, OUTPUT_JSON_LINE, OUTPUT_YAML };

/* Objects that looked different in headscale 0.29. */
enum shape { SHAPE_PLAIN, SHAPE_NODE, SHAPE_USER, SHAPE_PREAUTHKEY, SHAPE_APIKEY };

struct output {
    FILE *out, *err;
    enum output_form form;
    bool old;      /* HEADWAY_OUTPUT=0.29 */
    bool terminal; /* out is one */
    bool color;
    size_t columns; /* of the terminal; 0: unbounded */
    bool force;     /* asks nothing */
};

/* From the form's name ("" is for people), the environment and the files. */
void output_init(struct output *o, const char *form, FILE *out, FILE *err);

/* The value in a machine's form, or the line for people. */
void output_result(const struct output *o, const char *line, const json_t *value, enum shape shape);
void output_value(const struct output *o, const json_t *value, enum shape shape); /* machine forms; YAML for people */
void output_error(const struct output *o, const char *message);

/* A value as text; for tests. form is not OUTPUT_HUMAN. */
void output_write(struct buf *out, enum output_form form, bool old, const json_t *value, enum shape shape);
/* The value as headscale 0.29 showed it; the caller owns it. With keep_empty empty members stay (YAML). */
json_t *output_old(const json_t *value, enum shape shape, bool keep_empty);

/* A time of the API as people read it: "2006-01-02 15:04:05" in UTC; none where there is none. Gives its nanoseconds, 0
 * where there is none. */
#define OUTPUT_TIME_MAX 32
int64_t output_time(const char *rfc3339, const char *none, char text[OUTPUT_TIME_MAX]);

/* ---- tables ---- */

enum cell_color { CELL_PLAIN, CELL_GOOD, CELL_BAD, CELL_WARN };

struct cell {
    struct strs parts; /* joined by ", ", or one a line where the terminal is narrow */
    enum cell_color color;
};

struct table {
    const char *const *heads;
    size_t width; /* columns */
    struct cell *cells;
    size_t len, cap; /* cells */
};

void table_init(struct table *t, const char *const *heads, size_t width);
void table_release(struct table *t);
void table_cell(struct table *t, const char *text, enum cell_color color); /* the next cell, made safe */
void table_list(struct table *t, const json_t *texts);                     /* an array of texts */
void table_time(struct table *t, const char *rfc3339, const char *none, bool past_is_bad);
void table_print(const struct table *t, const struct output *o);

#endif
