/* SPDX-License-Identifier: BSD-3-Clause */
#include "console/settings/settings.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <yaml.h>

#include "base/array.h"
#include "base/file.h"
#include "base/mem.h"
#include "console/screen/key.h"
#include "console/screen/theme.h"

#define SETTINGS_MAX (256U << 10)
#define PROBLEMS_MAX 20
#define KEYS_MAX     500

struct settings_reader {
    struct settings *out;
    const char *path;
    yaml_document_t *doc;
};

static void problem(struct settings_reader *r, unsigned line, const char *format, ...) PRINTF_LIKE(3, 4);
static void problem(struct settings_reader *r, unsigned line, const char *format, ...)
{
    char text[300];
    va_list args;

    va_start(args, format);
    vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    if (r->out->problems.len >= PROBLEMS_MAX)
        return;
    struct buf safe = BUF_INIT(0);
    buf_addf(&safe, "%s, line %u: ", r->path, line);
    str_safe(&safe, text, strlen(text));
    strs_push(&r->out->problems, buf_text(&safe));
    buf_release(&safe);
}

static unsigned line_of(const yaml_node_t *node)
{
    return (unsigned)node->start_mark.line + 1;
}

/* A text without NUL; NULL for anything else. */
static const char *text_of(const yaml_node_t *node)
{
    if (!node || node->type != YAML_SCALAR_NODE)
        return NULL;
    const char *text = (const char *)node->data.scalar.value;
    return strlen(text) == node->data.scalar.length ? text : NULL;
}

typedef void (*read_setting)(struct settings_reader *r, const char *name, const yaml_node_t *value, unsigned line,
                             void *arg);

/* Visits each member of a map; duplicate names are errors. */
static void each_member(struct settings_reader *r, const yaml_node_t *map, read_setting read, void *arg)
{
    struct strs seen = {0};

    for (yaml_node_pair_t *p = map->data.mapping.pairs.start; p < map->data.mapping.pairs.top; p++) {
        const yaml_node_t *key = yaml_document_get_node(r->doc, p->key);
        const char *name = text_of(key);

        if (!name || strlen(name) > 100)
            problem(r, line_of(key), "a name must be a short text");
        else if (strs_has(&seen, name))
            problem(r, line_of(key), "%s stands here twice", name);
        else
            read(r, name, yaml_document_get_node(r->doc, p->value), line_of(key), arg);
        if (name && seen.len < KEYS_MAX)
            strs_push(&seen, name);
    }
    strs_release(&seen);
}

static const char *want_text(struct settings_reader *r, const char *name, const yaml_node_t *value, unsigned line)
{
    const char *text = text_of(value);

    if (!text)
        problem(r, line, "%s: a text is wanted", name);
    return text;
}

static bool want_map(struct settings_reader *r, const char *name, const yaml_node_t *value, unsigned line)
{
    if (value->type != YAML_MAPPING_NODE)
        problem(r, line, "%s: names and values are wanted", name);
    return value->type == YAML_MAPPING_NODE;
}

/* ---- keys, filters ---- */

static void read_keys(struct settings_reader *r, const char *name, const yaml_node_t *value, unsigned line, void *arg)
{
    const char *keys = want_text(r, name, value, line), *at = keys;

    (void)arg;
    if (!keys)
        return;
    while (*(at += strspn(at, " "))) {
        size_t len = strcspn(at, " ");
        char *key = mem_strndup(at, len);
        bool known = key_named(key) >= 0;

        if (!known)
            problem(r, line, "%s: there is no key '%s'", name, key);
        free(key);
        if (!known)
            return;
        at += len;
    }
    if (r->out->keys.len < KEYS_MAX)
        vec_push(&r->out->keys, ((struct setting_keys){mem_strdup(name), mem_strdup(keys), line}));
}

static void read_filter(struct settings_reader *r, const char *name, const yaml_node_t *value, unsigned line, void *arg)
{
    const char *text = want_text(r, name, value, line);
    struct err e = {0};

    (void)arg;
    if (!text)
        return;
    if (!*text)
        problem(r, line, "%s: an empty filter", name);
    else if (saved_filter_set(&r->out->filters, name, text, &e) < 0)
        problem(r, line, "%s", e.message);
    else
        r->out->filters.items[r->out->filters.len - 1].configured = true;
}

/* ---- themes ---- */

static bool read_word(const char *word, size_t len, struct theme_change *out)
{
    static const struct {
        const char *word;
        unsigned look;
    } looks[] = {{"bold", LOOK_BOLD}, {"dim", LOOK_DIM}, {"underline", LOOK_UNDERLINE}, {"reverse", LOOK_REVERSE}};
    char *end;

    if (len == 7 && word[0] == '#' && strspn(word + 1, "0123456789abcdefABCDEF") >= 6) {
        out->rgb = (uint32_t)strtoul(word + 1, &end, 16);
        out->basic = theme_nearest_16(out->rgb);
        return true;
    }
    for (size_t i = 0; i < ARRAY_LEN(looks); i++)
        if (strlen(looks[i].word) == len && strncmp(looks[i].word, word, len) == 0) {
            out->look |= looks[i].look;
            return true;
        }
    return false;
}

struct theme_reading {
    int base;
    VEC(struct theme_change) changes;
};

static void read_role(struct settings_reader *r, const char *name, const yaml_node_t *value, unsigned line, void *arg)
{
    struct theme_reading *theme = arg;
    const char *text = want_text(r, name, value, line);
    int role = theme_role(name);
    struct theme_change change = {.role = (enum role)role, .rgb = NONE, .basic = -1};

    if (!text)
        return;
    if (str_eq(name, "base")) {
        struct err e = {0};
        int base = theme_choose(text, &e);

        if (base < 0)
            problem(r, line, "base: %s", e.message);
        else
            theme->base = base;
        return;
    }
    if (role < 0) {
        problem(r, line, "there is no role '%s'", name);
        return;
    }
    for (size_t len; *(text += strspn(text, " ")); text += len) {
        len = strcspn(text, " ");
        if (!read_word(text, len, &change)) {
            problem(r, line, "%s: #RRGGBB, bold, dim, underline and reverse are known, not '%.*s'", name, (int)len,
                    text);
            return;
        }
    }
    vec_push(&theme->changes, change);
}

static void read_theme(struct settings_reader *r, const char *name, const yaml_node_t *value, unsigned line, void *arg)
{
    struct theme_reading theme = {0};

    (void)arg;
    if (!want_map(r, name, value, line))
        return;
    each_member(r, value, read_role, &theme);
    if (theme_add(name, theme.base, theme.changes.items, theme.changes.len) < 0)
        problem(r, line, "there is a theme '%s' already, or there are too many", name);
    vec_release(&theme.changes);
}

/* ---- the whole file ---- */

static const struct {
    const char *name;
    size_t offset;
} switches[] = {{"mouse", offsetof(struct settings, mouse)},
                {"ascii", offsetof(struct settings, ascii)},
                {"plain", offsetof(struct settings, plain)}};

static const struct {
    const char *name;
    read_setting read;
} maps[] = {{"keys", read_keys}, {"filters", read_filter}, {"themes", read_theme}};

static const struct {
    const char *name;
    size_t offset;
} texts[] = {{"theme", offsetof(struct settings, theme)}, {"color", offsetof(struct settings, color)}};

static bool read_switch(struct settings_reader *r, const char *name, const yaml_node_t *value, unsigned line, size_t i)
{
    enum setting_switch *to = (enum setting_switch *)((char *)r->out + switches[i].offset);
    const char *text = want_text(r, name, value, line);

    if (text && !str_eq(text, "true") && !str_eq(text, "false"))
        problem(r, line, "%s: true or false, not '%s'", name, text);
    else if (text)
        *to = str_eq(text, "true") ? SETTING_ON : SETTING_OFF;
    return true;
}

static bool read_named(struct settings_reader *r, const char *name, const yaml_node_t *value, unsigned line)
{
    for (size_t i = 0; i < ARRAY_LEN(switches); i++)
        if (str_eq(switches[i].name, name))
            return read_switch(r, name, value, line, i);
    for (size_t i = 0; i < ARRAY_LEN(maps); i++)
        if (str_eq(maps[i].name, name)) {
            if (want_map(r, name, value, line))
                each_member(r, value, maps[i].read, NULL);
            return true;
        }
    for (size_t i = 0; i < ARRAY_LEN(texts); i++)
        if (str_eq(texts[i].name, name)) {
            const char *text = want_text(r, name, value, line);

            if (text)
                mem_replace((char **)((char *)r->out + texts[i].offset), text);
            return true;
        }
    return false;
}

static void read_top(struct settings_reader *r, const char *name, const yaml_node_t *value, unsigned line, void *arg)
{
    static const char *const names[] = {"theme", "color", "mouse", "ascii", "plain", "keys", "filters", "themes"};

    (void)arg;
    if (read_named(r, name, value, line))
        return;
    const char *near = str_nearest(name, names, ARRAY_LEN(names), sizeof(*names));
    problem(r, line, near ? "there is no setting '%s'; did you mean %s?" : "there is no setting '%s'", name, near);
}

void settings_parse(const char *text, size_t len, const char *path, struct settings *out)
{
    struct settings_reader r = {.out = out, .path = path};
    yaml_parser_t parser;
    yaml_document_t doc;

    if (!yaml_parser_initialize(&parser))
        return;
    yaml_parser_set_input_string(&parser, (const unsigned char *)text, len);
    if (!yaml_parser_load(&parser, &doc)) {
        problem(&r, (unsigned)parser.problem_mark.line + 1, "%s", parser.problem ? parser.problem : "not YAML");
        yaml_parser_delete(&parser);
        return;
    }
    r.doc = &doc;
    const yaml_node_t *root = yaml_document_get_root_node(&doc);
    if (root && root->type == YAML_MAPPING_NODE)
        each_member(&r, root, read_top, NULL);
    else if (root)
        problem(&r, line_of(root), "the file holds names and values, such as theme: light");
    yaml_document_delete(&doc);
    yaml_parser_delete(&parser);
    struct err e = {0};
    if (out->theme && theme_choose(out->theme, &e) < 0) {
        problem(&r, 1, "theme: %s", e.message);
        free(out->theme);
        out->theme = NULL;
    }
}

void settings_load(const char *path, struct settings *out)
{
    struct buf text = BUF_INIT(SETTINGS_MAX);
    struct err e = {0};
    int r = file_read(path, FILE_ANY, &text, &e);

    if (r == 0)
        settings_parse(buf_text(&text), text.len, path, out);
    else if (r != ERR_MISSING)
        strs_push(&out->problems, e.message);
    buf_release(&text);
}

void settings_release(struct settings *s)
{
    for (size_t i = 0; i < s->keys.len; i++) {
        free(s->keys.items[i].command);
        free(s->keys.items[i].keys);
    }
    vec_release(&s->keys);
    saved_filters_release(&s->filters);
    strs_release(&s->problems);
    free(s->theme);
    free(s->color);
}
