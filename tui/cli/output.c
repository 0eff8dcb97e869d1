/* SPDX-License-Identifier: BSD-3-Clause */
/* JSON with tabs and sorted keys, YAML in the style of Go's library, and the formats of headscale 0.29. */
#include "cli/output.h"

#include <ctype.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "base/array.h"
#include "base/clock.h"
#include "base/mem.h"
#include "cli/cli.h"

void output_init(struct output *o, const char *form, FILE *out, FILE *err)
{
    const char *old = getenv("HEADWAY_OUTPUT"), *no_color = getenv("NO_COLOR"), *forced = getenv("CLICOLOR_FORCE");
    struct winsize size;

    *o = (struct output){.out = out, .err = err};
    o->form = str_eq(form, "json")        ? OUTPUT_JSON
              : str_eq(form, "json-line") ? OUTPUT_JSON_LINE
              : str_eq(form, "yaml")      ? OUTPUT_YAML
                                          : OUTPUT_HUMAN;
    o->old = old && *old ? str_eq(old, "0.29") : program_is_headscale();
    o->stacked = (old && *old) || program_is_headscale();
    o->terminal = isatty(fileno(out)) == 1;
    o->color = !(no_color && *no_color) && (o->terminal || (forced && *forced && !str_eq(forced, "0")));
    if (o->terminal && ioctl(fileno(out), TIOCGWINSZ, &size) == 0)
        o->columns = size.ws_col;
}

/* ---- JSON ---- */

/* Writes a character that would control a terminal as a JSON escape, which has the same meaning. */
static bool escape_steering(struct buf *out, const char *text, size_t n)
{
    struct buf safe = BUF_INIT(0);
    uint32_t point = (uint8_t)text[0] & (n == 1 ? 0x7fU : 0x7fU >> n);
    bool steers;

    str_safe(&safe, text, n);
    steers = safe.len != n;
    buf_release(&safe);
    for (size_t i = 1; i < n; i++)
        point = point << 6 | ((uint8_t)text[i] & 0x3f);
    if (steers)
        buf_addf(out, "\\u%04x", point); /* all of them are below U+10000 */
    return steers;
}

/* html: escape what could end a script in a web page, as Go's encoder does; scripts compare bytes. */
static void write_text(struct buf *out, const char *text, size_t len, bool html)
{
    struct buf plain = BUF_INIT(0);
    struct json_out o = JSON_OUT(&plain);

    json_strn(&o, text, len);
    for (size_t i = 0, n; i < plain.len; i += n) {
        uint8_t c = (uint8_t)plain.data[i];
        n = c < 0x80 ? 1 : c < 0xe0 ? 2 : c < 0xf0 ? 3 : 4;
        if (html && (c == '<' || c == '>' || c == '&'))
            buf_addf(out, "\\u%04x", (unsigned)c);
        else if ((c < 0x7f && n == 1) || !escape_steering(out, plain.data + i, n))
            buf_add(out, plain.data + i, n);
    }
    buf_release(&plain);
}

static void line_break(struct buf *out, int depth)
{
    if (depth < 0)
        return;
    buf_addc(out, '\n');
    for (int i = 0; i < depth; i++)
        buf_addc(out, '\t');
}

static int by_key(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* The keys of an object, sorted or in insertion order. The caller frees the array. */
static const char **keys_of(const json_t *object, bool sorted)
{
    const char **keys = mem_alloc((json_object_size(object) + 1) * sizeof(*keys));
    json_t *mutable = (json_t *)(uintptr_t)object;
    size_t n = 0;

    for (void *i = json_object_iter(mutable); i; i = json_object_iter_next(mutable, i))
        keys[n++] = json_object_iter_key(i);
    if (sorted && n)
        qsort(keys, n, sizeof(*keys), by_key);
    return keys;
}

static void write_scalar(struct buf *out, const json_t *value, bool html)
{
    if (json_is_string(value))
        write_text(out, json_string_value(value), json_string_length(value), html);
    else if (json_is_integer(value))
        buf_addf(out, "%lld", (long long)json_integer_value(value));
    else if (json_is_real(value))
        buf_addf(out, "%.15g", json_real_value(value));
    else
        buf_adds(out, json_is_true(value) ? "true" : json_is_false(value) ? "false" : "null");
}

/* depth < 0: on one line. */
static void write_json(struct buf *out, const json_t *value, bool sorted, int depth)
{
    int inner = depth < 0 ? depth : depth + 1;

    if (json_is_array(value) && json_array_size(value)) {
        for (size_t i = 0; i < json_array_size(value); i++) {
            buf_addc(out, i ? ',' : '[');
            line_break(out, inner);
            write_json(out, json_array_get(value, i), sorted, inner);
        }
        line_break(out, depth);
        buf_addc(out, ']');
    } else if (json_is_object(value) && json_object_size(value)) {
        const char **keys = keys_of(value, sorted);
        for (size_t i = 0; keys[i]; i++) {
            buf_addc(out, i ? ',' : '{');
            line_break(out, inner);
            write_text(out, keys[i], strlen(keys[i]), true);
            buf_adds(out, depth < 0 ? ":" : ": ");
            write_json(out, json_object_get(value, keys[i]), sorted, inner);
        }
        line_break(out, depth);
        buf_addc(out, '}');
        free(keys);
    } else if (json_is_array(value) || json_is_object(value)) {
        buf_adds(out, json_is_array(value) ? "[]" : "{}");
    } else {
        write_scalar(out, value, true);
    }
}

/* ---- YAML ---- */

/* In formats for machines every text is quoted, so that none reads as a number, a time or a boolean. */
static void yaml_scalar(struct buf *out, const json_t *value, enum output_form form)
{
    const char *text = json_string_value(value);

    if (text && *text && form == OUTPUT_HUMAN)
        str_safe(out, text, json_string_length(value));
    else
        write_scalar(out, value, false);
}

/* headscale 0.29's keys are lower-cased names of Go fields, which have no underscores. A key that is no name is quoted.
 */
static void yaml_key(struct buf *out, const char *key, bool old)
{
    static const char name[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-";

    if (!*key || key[strspn(key, name)]) {
        write_text(out, key, strlen(key), false);
        return;
    }
    for (; *key; key++)
        if (*key != '_' || !old)
            buf_addc(out, old ? (char)tolower((unsigned char)*key) : *key);
}

static size_t next_indent(size_t indent)
{
    return 4 * ((indent + 4) / 4);
}

struct yaml {
    enum output_form form;
    bool old;
};

static void write_yaml(struct buf *out, const struct yaml *y, const json_t *value, size_t indent, bool in_list);

static void yaml_member(struct buf *out, const struct yaml *y, const json_t *value, size_t indent)
{
    bool nested =
        (json_is_array(value) && json_array_size(value)) || (json_is_object(value) && json_object_size(value));

    if (nested) {
        buf_addc(out, '\n');
        write_yaml(out, y, value, next_indent(indent), false);
    } else {
        buf_addc(out, ' ');
        write_yaml(out, y, value, indent, false);
    }
}

/* in_list: the first line follows "- " and is not indented. */
static void write_yaml(struct buf *out, const struct yaml *y, const json_t *value, size_t indent, bool in_list)
{
    if (json_is_array(value) && json_array_size(value)) {
        for (size_t i = 0; i < json_array_size(value); i++) {
            buf_addf(out, "%*s- ", in_list && i == 0 ? 0 : (int)indent, "");
            write_yaml(out, y, json_array_get(value, i), indent + 2, true);
        }
    } else if (json_is_object(value) && json_object_size(value)) {
        const char **keys = keys_of(value, !y->old);
        for (size_t i = 0; keys[i]; i++) {
            buf_addf(out, "%*s", in_list && i == 0 ? 0 : (int)indent, "");
            yaml_key(out, keys[i], y->old);
            buf_addc(out, ':');
            yaml_member(out, y, json_object_get(value, keys[i]), indent);
        }
        free(keys);
    } else {
        if (json_is_array(value) || json_is_object(value))
            buf_adds(out, json_is_array(value) ? "[]" : "{}");
        else
            yaml_scalar(out, value, y->form);
        buf_addc(out, '\n');
    }
}

/* ---- the forms ---- */

/* Writes value in headscale 0.29's format, members in their order. */
static json_t *as_029(const json_t *value, const struct api_shape *shape, bool keep_empty)
{
    struct buf text = BUF_INIT(0);
    struct json_out o = JSON_OUT(&text);
    json_t *old = NULL;

    api_write_029(&o, shape, value, keep_empty);
    if (json_read_large(buf_text(&text), text.len, text.len, "the value", &old, NULL) < 0)
        old = json_null();
    buf_release(&text);
    return old;
}

void output_write(struct buf *out, enum output_form form, bool old, const json_t *value, const struct api_shape *shape)
{
    json_t *other = old && shape ? as_029(value, shape, form == OUTPUT_YAML) : NULL;
    const json_t *shown = other ? other : value;
    struct yaml yaml = {form, other != NULL};

    switch (form) {
    case OUTPUT_JSON:
        write_json(out, shown, !other, 0);
        break;
    case OUTPUT_JSON_LINE:
        write_json(out, shown, !other, -1);
        break;
    case OUTPUT_YAML:
    case OUTPUT_HUMAN:
        write_yaml(out, &yaml, shown, 0, false);
        break;
    }
    if (form != OUTPUT_HUMAN)
        buf_addc(out, '\n');
    json_decref(other);
}

void output_value(const struct output *o, const json_t *value, const struct api_shape *shape)
{
    struct buf text = BUF_INIT(0);

    output_write(&text, o->form, o->old, value, shape);
    fputs(buf_text(&text), o->out);
    buf_release(&text);
}

void output_result(const struct output *o, const char *line, const json_t *value, const struct api_shape *shape)
{
    struct buf safe = BUF_INIT(0);

    if (o->form == OUTPUT_HUMAN) {
        str_safe(&safe, line, strlen(line));
        fprintf(o->out, "%s\n", buf_text(&safe));
    } else {
        output_value(o, value, shape);
    }
    buf_release(&safe);
}

void output_text(const struct output *o, const char *text)
{
    struct buf safe = BUF_INIT(0);

    if (o->terminal)
        str_safe_lines(&safe, text);
    fputs(o->terminal ? buf_text(&safe) : text, o->out);
    buf_release(&safe);
}

void output_error(const struct output *o, const char *message)
{
    struct buf safe = BUF_INIT(0), text = BUF_INIT(0);

    str_safe_lines(&safe, message); /* the errors of a policy are one per line */
    if (o->form == OUTPUT_HUMAN) {
        fprintf(o->err, "Error: %s\n", buf_text(&safe));
    } else {
        json_t *object = json_pack("{s:s}", "error", buf_text(&safe));
        output_write(&text, o->form, false, object, NULL);
        fputs(buf_text(&text), o->err);
        json_decref(object);
    }
    buf_release(&safe);
    buf_release(&text);
}
