/* SPDX-License-Identifier: BSD-3-Clause */
/* YAML by libyaml. A document is loaded whole (bounded) and walked once; only names that the table knows are followed,
 * so that aliases cannot make the walk longer than the table. */
#include <stdarg.h>
#include <stdio.h>
#include <strings.h>
#include <yaml.h>

#include "base/array.h"
#include "base/mem.h"
#include "base/vec.h"
#include "config/keys.h"
#include "json/json.h"

#define YAML_MAX     (4u << 20)
#define KEY_NAME_MAX 128
#define DEPTH_MAX    32

static bool is_null(const yaml_node_t *node)
{
    static const char *const words[] = {"", "~", "null", "Null", "NULL"};
    const char *text = (const char *)node->data.scalar.value;

    if (node->type != YAML_SCALAR_NODE || node->data.scalar.style != YAML_PLAIN_SCALAR_STYLE)
        return false;
    for (size_t i = 0; i < ARRAY_LEN(words); i++)
        if (str_eq(text, words[i]))
            return true;
    return false;
}

/* Nothing, however it is written: null, "", [] or {}. */
static bool is_empty(const yaml_node_t *node)
{
    switch (node->type) {
    case YAML_SCALAR_NODE:
        return is_null(node) || node->data.scalar.length == 0;
    case YAML_SEQUENCE_NODE:
        return node->data.sequence.items.start == node->data.sequence.items.top;
    case YAML_MAPPING_NODE:
        return node->data.mapping.pairs.start == node->data.mapping.pairs.top;
    default:
        return false;
    }
}

static unsigned line_of(const yaml_node_t *node)
{
    return (unsigned)node->start_mark.line + 1;
}

/* The text of a scalar, NULL for anything else or one that holds a NUL. */
static const char *scalar(const yaml_node_t *node)
{
    const char *text;

    if (!node || node->type != YAML_SCALAR_NODE)
        return NULL;
    text = (const char *)node->data.scalar.value;
    return strlen(text) == node->data.scalar.length ? text : NULL;
}

void raw_release(struct raw_value *v)
{
    for (size_t i = 0; i < v->len; i++) {
        free(v->items[i].name);
        strs_release(&v->items[i].values);
        for (size_t j = 0; j < v->items[i].fields.len; j++) {
            free(v->items[i].fields.items[j].name);
            free(v->items[i].fields.items[j].value);
        }
        free(v->items[i].fields.items);
    }
    free(v->items);
    free(v->text);
    *v = (struct raw_value){0};
}

static struct raw_item *add_item(struct raw_value *v, const char *name, unsigned line)
{
    struct raw_item *item = vec_add(v);

    *item = (struct raw_item){.name = mem_strdup(name), .line = line};
    return item;
}

/* One member of a map: a scalar, or a list of scalars. */
static bool member(yaml_document_t *doc, struct raw_value *v, const char *name, const yaml_node_t *node)
{
    struct raw_item *item = add_item(v, name, line_of(node));

    if (scalar(node)) {
        if (!is_null(node))
            strs_push(&item->values, scalar(node));
        return true;
    }
    if (node->type != YAML_SEQUENCE_NODE)
        return false;
    for (yaml_node_item_t *i = node->data.sequence.items.start; i < node->data.sequence.items.top; i++) {
        const char *text = scalar(yaml_document_get_node(doc, *i));
        if (!text)
            return false;
        strs_push(&item->values, text);
    }
    return true;
}

static bool object(yaml_document_t *doc, struct raw_value *v, const yaml_node_t *node)
{
    struct raw_item *item = add_item(v, "", line_of(node));

    for (yaml_node_pair_t *p = node->data.mapping.pairs.start; p < node->data.mapping.pairs.top; p++) {
        const char *name = scalar(yaml_document_get_node(doc, p->key));
        const char *text = scalar(yaml_document_get_node(doc, p->value));
        if (!name || !text)
            return false;
        const yaml_node_t *value = yaml_document_get_node(doc, p->value);
        struct config_pair pair = {mem_strdup(name), mem_strdup(is_null(value) ? "" : text)};
        vec_push(&item->fields, pair);
    }
    return true;
}

/* Any value that a key can have; false for one that none has. */
static bool to_raw(yaml_document_t *doc, const yaml_node_t *node, struct raw_value *v)
{
    if (node->type == YAML_SCALAR_NODE) {
        v->shape = is_null(node) ? RAW_NULL : RAW_SCALAR;
        v->text = mem_strdup(scalar(node));
        return scalar(node) != NULL;
    }
    if (node->type == YAML_MAPPING_NODE) {
        v->shape = RAW_MAP;
        for (yaml_node_pair_t *p = node->data.mapping.pairs.start; p < node->data.mapping.pairs.top; p++) {
            const char *name = scalar(yaml_document_get_node(doc, p->key));
            if (!name || !member(doc, v, name, yaml_document_get_node(doc, p->value)))
                return false;
        }
        return true;
    }
    v->shape = RAW_LIST;
    for (yaml_node_item_t *i = node->data.sequence.items.start; i < node->data.sequence.items.top; i++) {
        const yaml_node_t *item = yaml_document_get_node(doc, *i);
        if (item->type == YAML_MAPPING_NODE) {
            v->shape = RAW_OBJECTS;
            if (!object(doc, v, item))
                return false;
        } else {
            if (!scalar(item))
                return false;
            strs_push(&add_item(v, "", line_of(item))->values, is_null(item) ? "" : scalar(item));
        }
    }
    return true;
}

static void walk(yaml_document_t *doc, const yaml_node_t *map, const char *prefix, struct yaml_sink *sink);

static void entry(yaml_document_t *doc, const char *name, const yaml_node_t *key, const yaml_node_t *node,
                  struct yaml_sink *sink)
{
    char near[KEY_NAME_MAX];

    if (key_find(name) || old_find(name)) {
        struct raw_value v = {0};
        if (to_raw(doc, node, &v))
            sink->leaf(sink, name, &v, line_of(key));
        else
            sink->problem(sink, line_of(key), "%s: this is not a value that the key can have", name);
        raw_release(&v);
    } else if (key_has_child(name)) {
        if (node->type == YAML_MAPPING_NODE)
            walk(doc, node, name, sink);
        else if (!is_empty(node))
            sink->problem(sink, line_of(key), "%s: has keys below it, but here is a value", name);
    } else if (key_nearest(name, near, sizeof(near))) {
        sink->problem(sink, line_of(key), "%s: unknown key, did you mean %s?", name, near);
    } else {
        sink->problem(sink, line_of(key), "%s: unknown key", name);
    }
}

static void walk(yaml_document_t *doc, const yaml_node_t *map, const char *prefix, struct yaml_sink *sink)
{
    struct strs seen = {0};

    for (yaml_node_pair_t *p = map->data.mapping.pairs.start; p < map->data.mapping.pairs.top; p++) {
        const yaml_node_t *key = yaml_document_get_node(doc, p->key);
        const char *text = scalar(key);
        char name[KEY_NAME_MAX];
        struct buf shown = BUF_INIT(1024);

        str_safe(&shown, text ? text : "", text ? strnlen(text, 60) : 0);
        int n = snprintf(name, sizeof(name), "%s%s%s", prefix, *prefix ? "." : "", buf_text(&shown));
        buf_release(&shown);
        for (char *c = name; *c; c++)
            if (*c >= 'A' && *c <= 'Z')
                *c = (char)(*c + ('a' - 'A'));
        if (!text || n < 0 || (size_t)n >= sizeof(name))
            sink->problem(sink, line_of(key), "%s%sa key must be a short text", prefix, *prefix ? ": " : "");
        else if (strs_has(&seen, name))
            sink->problem(sink, line_of(key), "%s: stands here twice", name);
        else
            entry(doc, name, key, yaml_document_get_node(doc, p->value), sink);
        if (seen.len < config_key_count)
            strs_push(&seen, name);
    }
    strs_release(&seen);
}

static const char *parser_problem(const yaml_parser_t *parser)
{
    return parser->problem ? parser->problem : "not YAML";
}

/* An error of the bytes has an offset instead of a mark. */
static unsigned problem_line(const yaml_parser_t *parser, const char *text, size_t len)
{
    unsigned line = (unsigned)parser->problem_mark.line + 1, column;

    if (parser->error == YAML_READER_ERROR)
        str_place(text, len, parser->problem_offset < len ? parser->problem_offset : len, &line, &column);
    return line;
}

/* The line where something follows the document that was read, 0 at the end of the text: of two documents one would be
 * forgotten without a word. */
static unsigned next_document(yaml_parser_t *parser, const char *text, size_t len)
{
    yaml_document_t doc;

    if (!yaml_parser_load(parser, &doc))
        return problem_line(parser, text, len);
    const yaml_node_t *root = yaml_document_get_root_node(&doc);
    unsigned line = root ? line_of(root) : 0;
    yaml_document_delete(&doc);
    return line;
}

void yaml_read(const char *text, size_t len, struct yaml_sink *sink)
{
    yaml_parser_t parser;
    yaml_document_t doc;

    if (len > YAML_MAX || !yaml_parser_initialize(&parser)) {
        sink->problem(sink, 0, "the file has more than %u bytes", YAML_MAX);
        return;
    }
    yaml_parser_set_input_string(&parser, (const unsigned char *)text, len);
    if (!yaml_parser_load(&parser, &doc)) {
        sink->problem(sink, problem_line(&parser, text, len), "%s%s%s", parser_problem(&parser),
                      parser.context ? " " : "", parser.context ? parser.context : "");
        yaml_parser_delete(&parser);
        return;
    }
    yaml_node_t *root = yaml_document_get_root_node(&doc);
    if (root && root->type == YAML_MAPPING_NODE)
        walk(&doc, root, "", sink);
    else if (root && !is_null(root))
        sink->problem(sink, line_of(root), "the file must hold keys and values, such as server_url: http://...");
    yaml_document_delete(&doc);
    unsigned more = root ? next_document(&parser, text, len) : 0;
    if (more)
        sink->problem(sink, more, "a second document begins here, behind '---' or '...': only one is read");
    yaml_parser_delete(&parser);
}

/* ---- YAML as JSON ---- */

static bool looks_like_number(const char *text)
{
    const char *at = text + (*text == '-');
    size_t digits = strspn(at, "0123456789");

    if (digits == 0 || digits > 15 || (*at == '0' && digits > 1))
        return false;
    at += digits;
    if (*at == '.') {
        size_t more = strspn(at + 1, "0123456789");
        if (more == 0 || more > 15)
            return false;
        at += 1 + more;
    }
    return *at == '\0';
}

static void scalar_json(const yaml_node_t *node, struct json_out *o)
{
    const char *text = (const char *)node->data.scalar.value;
    bool plain = node->data.scalar.style == YAML_PLAIN_SCALAR_STYLE;

    if (is_null(node))
        json_nil(o);
    else if (plain && (strcasecmp(text, "true") == 0 || strcasecmp(text, "false") == 0))
        json_bool(o, strcasecmp(text, "true") == 0);
    else if (plain && looks_like_number(text))
        json_raw(o, text, strlen(text));
    else
        json_strn(o, text, node->data.scalar.length);
}

static int node_json(yaml_document_t *doc, const yaml_node_t *node, unsigned depth, struct json_out *o, struct err *e)
{
    int r = 0;

    if (depth > DEPTH_MAX)
        return err_set(e, ERR_TOOBIG, "line %u: nested more than %d deep", line_of(node), DEPTH_MAX);
    if (o->b->failed)
        return err_set(e, ERR_TOOBIG, "line %u: too long", line_of(node));
    if (node->type == YAML_SCALAR_NODE) {
        scalar_json(node, o);
    } else if (node->type == YAML_SEQUENCE_NODE) {
        json_open(o, '[');
        for (yaml_node_item_t *i = node->data.sequence.items.start; !r && i < node->data.sequence.items.top; i++)
            r = node_json(doc, yaml_document_get_node(doc, *i), depth + 1, o, e);
        json_close(o, ']');
    } else {
        json_open(o, '{');
        for (yaml_node_pair_t *p = node->data.mapping.pairs.start; !r && p < node->data.mapping.pairs.top; p++) {
            const char *key = scalar(yaml_document_get_node(doc, p->key));
            if (!key)
                return err_set(e, ERR_INVALID, "line %u: a key must be a text", line_of(node));
            json_key(o, key);
            r = node_json(doc, yaml_document_get_node(doc, p->value), depth + 1, o, e);
        }
        json_close(o, '}');
    }
    return r;
}

int config_yaml_json(const char *text, size_t len, struct buf *json, struct err *e)
{
    yaml_parser_t parser;
    yaml_document_t doc;
    struct buf out = BUF_INIT(2 * YAML_MAX);
    struct json_out o = JSON_OUT(&out);

    if (len > YAML_MAX || !yaml_parser_initialize(&parser))
        return err_set(e, ERR_TOOBIG, "more than %u bytes of YAML", YAML_MAX);
    yaml_parser_set_input_string(&parser, (const unsigned char *)text, len);
    if (!yaml_parser_load(&parser, &doc)) {
        int r = err_set(e, ERR_INVALID, "line %u: %s", problem_line(&parser, text, len), parser_problem(&parser));
        yaml_parser_delete(&parser);
        return r;
    }
    yaml_node_t *root = yaml_document_get_root_node(&doc);
    int r = 0;
    if (root)
        r = node_json(&doc, root, 0, &o, e);
    else
        json_nil(&o);
    yaml_document_delete(&doc);
    unsigned more = root && r == 0 ? next_document(&parser, text, len) : 0;
    if (more)
        r = err_set(e, ERR_INVALID, "line %u: a second document begins here: only one is read", more);
    yaml_parser_delete(&parser);
    if (r == 0 && out.failed)
        r = err_set(e, ERR_TOOBIG, "the document is too long");
    if (r == 0)
        buf_add(json, out.data, out.len);
    buf_release(&out);
    return r;
}
