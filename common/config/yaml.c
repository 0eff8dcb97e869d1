/* SPDX-License-Identifier: BSD-3-Clause */
/* Finds the keys in a document. It is loaded whole (with a limit) and walked once; only names in the table are
 * followed, and the amount copied is limited, so that aliases cannot expand it. */
#include <stdarg.h>
#include <stdio.h>
#include <strings.h>

#include "base/array.h"
#include "base/mem.h"
#include "base/vec.h"
#include "config/document.h"
#include "config/keys.h"
#include "json/json.h"

#define COPIED_MAX   (2 * DOCUMENT_MAX)
#define NESTED_MAX   (64U << 10) /* bytes of a list or map within an object */
#define KEY_NAME_MAX 128
#define PRIVATE      "x-" /* prefix of top-level keys that only hold anchors for others */
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

/* null, "", [] or {}. */
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

/* The text of a scalar; NULL for anything else, or if it contains a NUL. */
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

/* ---- values ---- */

struct walk {
    yaml_document_t *doc;
    struct yaml_sink *sink;
    size_t copied; /* bytes of text: aliases may repeat one string many times */
};

static const yaml_node_t *node_of(const struct walk *w, int i)
{
    return yaml_document_get_node(w->doc, i);
}

/* The text of a scalar, within the limit for copying; otherwise NULL. */
static const char *text_of(struct walk *w, const yaml_node_t *node)
{
    const char *text = scalar(node);

    if (text)
        w->copied += node->data.scalar.length + 1;
    return w->copied <= COPIED_MAX ? text : NULL;
}

static struct raw_item *add_item(struct raw_value *v, const char *name, unsigned line)
{
    struct raw_item *item = vec_add(v);

    *item = (struct raw_item){.name = mem_strdup(name), .line = line};
    return item;
}

/* A member of a map: a scalar, or a list of scalars. */
static bool member(struct walk *w, struct raw_value *v, const char *name, const yaml_node_t *node)
{
    struct raw_item *item = add_item(v, name, line_of(node));
    const char *text = text_of(w, node);

    if (text) {
        if (!is_null(node))
            strs_push(&item->values, text);
        return true;
    }
    if (node->type != YAML_SEQUENCE_NODE)
        return false;
    for (yaml_node_item_t *i = node->data.sequence.items.start; i < node->data.sequence.items.top; i++) {
        if (!(text = text_of(w, node_of(w, *i))))
            return false;
        strs_push(&item->values, text);
    }
    return true;
}

static int node_json(yaml_document_t *doc, const yaml_node_t *node, unsigned depth, struct json_out *o, struct err *e);

/* The value of a member of an object, caller frees: a string, or a list or map as JSON. NULL if it is too large. */
static char *member_text(struct walk *w, const yaml_node_t *node)
{
    struct buf json = BUF_INIT(NESTED_MAX);
    struct json_out o = JSON_OUT(&json);
    const char *text = node->type == YAML_SCALAR_NODE ? text_of(w, node) : NULL;
    char *nested = NULL;

    if (node->type == YAML_SCALAR_NODE)
        return text ? mem_strdup(is_null(node) ? "" : text) : NULL;
    if (node_json(w->doc, node, 0, &o, NULL) == 0 && !json.failed)
        nested = mem_strdup(buf_text(&json));
    w->copied += json.len;
    buf_release(&json);
    return nested;
}

static bool object(struct walk *w, struct raw_value *v, const yaml_node_t *node)
{
    struct raw_item *item = add_item(v, "", line_of(node));

    for (yaml_node_pair_t *p = node->data.mapping.pairs.start; p < node->data.mapping.pairs.top; p++) {
        const char *name = text_of(w, node_of(w, p->key));
        char *text = name && w->copied <= COPIED_MAX ? member_text(w, node_of(w, p->value)) : NULL;
        if (!text)
            return false;
        struct config_pair pair = {mem_strdup(name), text};
        vec_push(&item->fields, pair);
    }
    return true;
}

static bool map_to_raw(struct walk *w, const yaml_node_t *node, struct raw_value *v)
{
    v->shape = RAW_MAP;
    for (yaml_node_pair_t *p = node->data.mapping.pairs.start; p < node->data.mapping.pairs.top; p++) {
        const char *name = text_of(w, node_of(w, p->key));
        if (!name || !member(w, v, name, node_of(w, p->value)))
            return false;
    }
    return true;
}

static bool list_to_raw(struct walk *w, const yaml_node_t *node, struct raw_value *v)
{
    v->shape = RAW_LIST;
    for (yaml_node_item_t *i = node->data.sequence.items.start; i < node->data.sequence.items.top; i++) {
        const yaml_node_t *item = node_of(w, *i);
        const char *text = text_of(w, item);
        if (item->type == YAML_MAPPING_NODE) {
            v->shape = RAW_OBJECTS;
            if (!object(w, v, item))
                return false;
        } else if (text) {
            strs_push(&add_item(v, "", line_of(item))->values, is_null(item) ? "" : text);
        } else {
            return false;
        }
    }
    return true;
}

/* Converts a value of any form that a key can have; false for any other form. */
static bool to_raw(struct walk *w, const yaml_node_t *node, struct raw_value *v)
{
    const char *text = text_of(w, node);

    if (node->type == YAML_MAPPING_NODE)
        return map_to_raw(w, node, v);
    if (node->type == YAML_SEQUENCE_NODE)
        return list_to_raw(w, node, v);
    v->shape = is_null(node) ? RAW_NULL : RAW_SCALAR;
    v->text = mem_strdup(text);
    return text != NULL;
}

/* ---- keys ---- */

static void walk(struct walk *w, const yaml_node_t *map, const char *prefix);

static void entry(struct walk *w, const char *name, const yaml_node_t *key, const yaml_node_t *node)
{
    struct yaml_sink *sink = w->sink;
    char near[KEY_NAME_MAX];

    if (key_find(name) || old_find(name)) {
        struct raw_value v = {0};
        if (to_raw(w, node, &v))
            sink->leaf(sink, name, &v, line_of(key));
        else if (w->copied > COPIED_MAX)
            sink->problem(sink, line_of(key), "%s: too long: all values together have more than %u bytes", name,
                          COPIED_MAX);
        else
            sink->problem(sink, line_of(key), "%s: this is not a value that the key can have", name);
        raw_release(&v);
    } else if (key_has_child(name)) {
        if (node->type == YAML_MAPPING_NODE)
            walk(w, node, name);
        else if (!is_empty(node))
            sink->problem(sink, line_of(key), "%s: has keys below it, but here is a value", name);
    } else if (str_starts(name, PRIVATE)) {
        return;
    } else if (key_nearest(name, near, sizeof(near))) {
        sink->problem(sink, line_of(key), "%s: unknown key, did you mean %s?", name, near);
    } else {
        sink->problem(sink, line_of(key), "%s: unknown key", name);
    }
}

static void walk(struct walk *w, const yaml_node_t *map, const char *prefix)
{
    struct strs seen = {0};

    for (yaml_node_pair_t *p = map->data.mapping.pairs.start; p < map->data.mapping.pairs.top; p++) {
        const yaml_node_t *key = node_of(w, p->key);
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
            w->sink->problem(w->sink, line_of(key), "%s%sa key must be a short text", prefix, *prefix ? ": " : "");
        else if (strs_has(&seen, name))
            w->sink->problem(w->sink, line_of(key), "%s: stands here twice", name);
        else
            entry(w, name, key, node_of(w, p->value));
        if (seen.len < config_key_count)
            strs_push(&seen, name);
    }
    strs_release(&seen);
}

void yaml_read(const char *file, const char *text, size_t len, struct yaml_sink *sink)
{
    yaml_document_t doc;
    struct walk w = {&doc, sink, 0};
    struct err why = {0};
    unsigned line;

    if (document_read(file, text, len, &doc, &line, &why) < 0) {
        sink->problem(sink, line, "%s", why.message);
        return;
    }
    yaml_node_t *root = yaml_document_get_root_node(&doc);
    if (root && root->type == YAML_MAPPING_NODE)
        walk(&w, root, "");
    else if (root && !is_null(root))
        sink->problem(sink, line_of(root), "the file must hold keys and values, such as server_url: http://...");
    yaml_document_delete(&doc);
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
    yaml_document_t doc;
    struct buf out = BUF_INIT(2 * DOCUMENT_MAX);
    struct json_out o = JSON_OUT(&out);
    unsigned line;
    int r = document_read("", text, len, &doc, &line, e);

    if (r < 0) {
        if (line)
            err_prefix(e, "line %u", line);
        return r;
    }
    yaml_node_t *root = yaml_document_get_root_node(&doc);
    if (root)
        r = node_json(&doc, root, 0, &o, e);
    else
        json_nil(&o);
    yaml_document_delete(&doc);
    if (r == 0 && out.failed)
        r = err_set(e, ERR_TOOBIG, "the document is too long");
    if (r == 0)
        buf_add(json, out.data, out.len);
    buf_release(&out);
    return r;
}
