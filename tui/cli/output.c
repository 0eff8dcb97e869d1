/* SPDX-License-Identifier: BSD-3-Clause */
/* JSON with tabs and sorted keys, YAML as Go's library writes it, and the forms of headscale 0.29. */
#include "cli/output.h"

#include <ctype.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "base/array.h"
#include "base/clock.h"
#include "base/mem.h"

void output_init(struct output *o, const char *form, FILE *out, FILE *err)
{
    const char *old = getenv("HEADWAY_OUTPUT"), *no_color = getenv("NO_COLOR"), *forced = getenv("CLICOLOR_FORCE");
    struct winsize size;

    *o = (struct output){.out = out, .err = err};
    o->form = str_eq(form, "json")        ? OUTPUT_JSON
              : str_eq(form, "json-line") ? OUTPUT_JSON_LINE
              : str_eq(form, "yaml")      ? OUTPUT_YAML
                                          : OUTPUT_HUMAN;
    o->old = old && str_eq(old, "0.29");
    o->terminal = isatty(fileno(out)) == 1;
    o->color = !(no_color && *no_color) && (o->terminal || (forced && *forced && !str_eq(forced, "0")));
    if (o->terminal && ioctl(fileno(out), TIOCGWINSZ, &size) == 0)
        o->columns = size.ws_col;
}

/* ---- JSON ---- */

/* Go's encoder escapes what could end a script in a web page; scripts compare bytes. */
static void write_text(struct buf *out, const char *text, size_t len)
{
    struct buf plain = BUF_INIT(0);
    struct json_out o = JSON_OUT(&plain);

    json_strn(&o, text, len);
    for (size_t i = 0; i < plain.len; i++) {
        char c = plain.data[i];
        if (c == '<' || c == '>' || c == '&')
            buf_addf(out, "\\u%04x", (unsigned)c);
        else
            buf_addc(out, c);
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

/* The keys of an object: sorted, or as they were put in. The caller frees the array. */
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

static void write_scalar(struct buf *out, const json_t *value)
{
    if (json_is_string(value))
        write_text(out, json_string_value(value), json_string_length(value));
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
            write_text(out, keys[i], strlen(keys[i]));
            buf_adds(out, depth < 0 ? ":" : ": ");
            write_json(out, json_object_get(value, keys[i]), sorted, inner);
        }
        line_break(out, depth);
        buf_addc(out, '}');
        free(keys);
    } else if (json_is_array(value) || json_is_object(value)) {
        buf_adds(out, json_is_array(value) ? "[]" : "{}");
    } else {
        write_scalar(out, value);
    }
}

/* ---- YAML ---- */

static bool looks_like_time(const char *text)
{
    int64_t ns;

    return strlen(text) >= 20 && text[4] == '-' && text[10] == 'T' && time_parse(text, &ns, "time", NULL) == 0;
}

static bool is_plain(const char *text)
{
    static const char *const words[] = {"true", "false", "null", "yes", "no", "on", "off", "y", "n", "~"};
    size_t len = strlen(text);

    if (len == 0 || text[0] == ' ' || text[len - 1] == ' ' || text[len - 1] == ':' ||
        strchr("-?:,[]{}#&*!|>'\"%@`", text[0]) || strstr(text, ": ") || strstr(text, " #"))
        return false;
    for (const char *at = text; *at; at++)
        if ((unsigned char)*at < 32 || *at == 127)
            return false;
    for (size_t i = 0; i < ARRAY_LEN(words); i++)
        if (strcasecmp(text, words[i]) == 0)
            return false;
    /* what would be read back as a number, but an address or a time */
    return strspn(text, "0123456789.+-eExXoO_") != len || (strchr(text, '.') && strchr(strchr(text, '.') + 1, '.'));
}

static void yaml_scalar(struct buf *out, const json_t *value)
{
    const char *text = json_string_value(value);

    if (text && (is_plain(text) || looks_like_time(text)))
        buf_adds(out, text);
    else
        write_scalar(out, value);
}

/* The old form's keys are lower-cased names of Go fields, which have no underscores. */
static void yaml_key(struct buf *out, const char *key, bool old)
{
    for (; *key; key++)
        if (*key != '_' || !old)
            buf_addc(out, (char)tolower((unsigned char)*key));
}

static size_t next_indent(size_t indent)
{
    return 4 * ((indent + 4) / 4);
}

static void write_yaml(struct buf *out, const json_t *value, bool sorted, size_t indent, bool in_list);

static void yaml_member(struct buf *out, const json_t *value, bool sorted, size_t indent)
{
    bool nested =
        (json_is_array(value) && json_array_size(value)) || (json_is_object(value) && json_object_size(value));

    if (nested) {
        buf_addc(out, '\n');
        write_yaml(out, value, sorted, next_indent(indent), false);
    } else {
        buf_addc(out, ' ');
        write_yaml(out, value, sorted, indent, false);
    }
}

/* in_list: the first line follows "- " and is not indented. */
static void write_yaml(struct buf *out, const json_t *value, bool sorted, size_t indent, bool in_list)
{
    if (json_is_array(value) && json_array_size(value)) {
        for (size_t i = 0; i < json_array_size(value); i++) {
            buf_addf(out, "%*s- ", in_list && i == 0 ? 0 : (int)indent, "");
            write_yaml(out, json_array_get(value, i), sorted, indent + 2, true);
        }
    } else if (json_is_object(value) && json_object_size(value)) {
        const char **keys = keys_of(value, sorted);
        for (size_t i = 0; keys[i]; i++) {
            buf_addf(out, "%*s", in_list && i == 0 ? 0 : (int)indent, "");
            yaml_key(out, keys[i], !sorted);
            buf_addc(out, ':');
            yaml_member(out, json_object_get(value, keys[i]), sorted, indent);
        }
        free(keys);
    } else {
        if (json_is_array(value) || json_is_object(value))
            buf_adds(out, json_is_array(value) ? "[]" : "{}");
        else
            yaml_scalar(out, value);
        buf_addc(out, '\n');
    }
}

/* ---- the forms ---- */

void output_write(struct buf *out, enum output_form form, bool old, const json_t *value, enum shape shape)
{
    json_t *other = old && shape != SHAPE_PLAIN ? output_old(value, shape, form == OUTPUT_YAML) : NULL;
    const json_t *shown = other ? other : value;
    bool sorted = !other;

    switch (form) {
    case OUTPUT_JSON:
        write_json(out, shown, sorted, 0);
        break;
    case OUTPUT_JSON_LINE:
        write_json(out, shown, sorted, -1);
        break;
    case OUTPUT_YAML:
    case OUTPUT_HUMAN:
        write_yaml(out, shown, sorted, 0, false);
        break;
    }
    if (form != OUTPUT_HUMAN)
        buf_addc(out, '\n');
    json_decref(other);
}

void output_value(const struct output *o, const json_t *value, enum shape shape)
{
    struct buf text = BUF_INIT(0);

    output_write(&text, o->form, o->old, value, shape);
    fputs(buf_text(&text), o->out);
    fflush(o->out);
    buf_release(&text);
}

void output_result(const struct output *o, const char *line, const json_t *value, enum shape shape)
{
    if (o->form == OUTPUT_HUMAN)
        fprintf(o->out, "%s\n", line);
    else
        output_value(o, value, shape);
}

void output_error(const struct output *o, const char *message)
{
    struct buf safe = BUF_INIT(0), text = BUF_INIT(0);

    for (const char *line = message;;) { /* a policy's errors are one a line */
        size_t len = strcspn(line, "\n");
        str_safe(&safe, line, len);
        if (!line[len])
            break;
        line += len + 1;
        buf_adds(&safe, *line == '\t' ? "\n\t" : "\n");
        line += *line == '\t';
    }
    if (o->form == OUTPUT_HUMAN) {
        fprintf(o->err, "Error: %s\n", buf_text(&safe));
    } else {
        json_t *object = json_pack("{s:s}", "error", buf_text(&safe));
        output_write(&text, o->form, false, object, SHAPE_PLAIN);
        fputs(buf_text(&text), o->err);
        json_decref(object);
    }
    buf_release(&safe);
    buf_release(&text);
}
