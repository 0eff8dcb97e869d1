/* SPDX-License-Identifier: BSD-3-Clause */
#include "config/document.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/mem.h"
#include "base/str.h"
#include "config/json_document.h"
#include "config/toml.h"

#define BRACKETS_MAX   200
#define MERGE_DEPTH    32
#define MERGE_COMPARES 1000000u /* of keys, in one document */

/* Errors in the encoding have an offset instead of a mark. */
static unsigned problem_line(const yaml_parser_t *parser, const char *text, size_t len)
{
    unsigned line = (unsigned)parser->problem_mark.line + 1, column;

    if (parser->error == YAML_READER_ERROR)
        str_place(text, len, parser->problem_offset < len ? parser->problem_offset : len, &line, &column);
    return line;
}

/* Is the line indented with a tab? That is the most common mistake, and libyaml explains it badly. */
static bool is_tabbed(const char *text, size_t len, unsigned line)
{
    const char *at = text, *end = text + len;

    for (; line > 1 && at; line--)
        if ((at = memchr(at, '\n', (size_t)(end - at))))
            at++;
    while (at && at < end && *at == ' ')
        at++;
    return at && at < end && *at == '\t';
}

static int refuse(const yaml_parser_t *parser, const char *text, size_t len, unsigned *line, struct err *e)
{
    *line = problem_line(parser, text, len);
    if (is_tabbed(text, len, *line))
        return err_set(e, ERR_INVALID, "the line is indented by a tab: YAML takes blanks only");
    return err_set(e, ERR_INVALID, "%s%s%s", parser->problem ? parser->problem : "this is not YAML",
                   parser->context ? " " : "", parser->context ? parser->context : "");
}

/* The line where another document begins, 0 if there is none: a second document would be silently ignored. */
static unsigned next_document(yaml_parser_t *parser, const char *text, size_t len)
{
    yaml_document_t doc;

    if (!yaml_parser_load(parser, &doc))
        return problem_line(parser, text, len);
    const yaml_node_t *root = yaml_document_get_root_node(&doc);
    unsigned line = root ? (unsigned)root->start_mark.line + 1 : 0;
    yaml_document_delete(&doc);
    return line;
}

/* The line where too many brackets are open, 0 if none: libyaml checks all open brackets at each token. Those in
 * strings and comments count as well; nobody opens that many there. */
static unsigned deep_line(const char *text, size_t len)
{
    unsigned line = 1, depth = 0;

    for (size_t i = 0; i < len; i++) {
        line += text[i] == '\n';
        if (text[i] == '[' || text[i] == '{')
            depth++;
        else if (depth && (text[i] == ']' || text[i] == '}'))
            depth--;
        if (depth > BRACKETS_MAX)
            return line;
    }
    return 0;
}

/* ---- merge keys: "<<: *anchor" (yaml.org/type/merge.html), as headscale's reader takes them ---- */

enum key_merge_state { MERGE_NOT_YET, MERGE_BEGUN, MERGE_DONE };

struct key_merge {
    yaml_document_t *doc;
    uint8_t *states;   /* by node */
    unsigned compares; /* so far */
    unsigned *line;
    struct err *e;
};

static int refuse_merge(struct key_merge *m, const yaml_node_t *at, const char *why)
{
    *m->line = (unsigned)at->start_mark.line + 1;
    return err_set(m->e, ERR_INVALID, "<<: %s", why);
}

/* A quoted key is an ordinary one. */
static bool is_merge_key(const yaml_node_t *key)
{
    return key->type == YAML_SCALAR_NODE && key->data.scalar.style == YAML_PLAIN_SCALAR_STYLE &&
           strcmp((const char *)key->data.scalar.value, "<<") == 0;
}

/* Keys of a configuration are case-insensitive. */
static bool has_key(struct key_merge *m, const yaml_node_t *map, const yaml_node_t *key)
{
    if (key->type != YAML_SCALAR_NODE)
        return false;
    for (yaml_node_pair_t *p = map->data.mapping.pairs.start; p < map->data.mapping.pairs.top; p++) {
        const yaml_node_t *mine = yaml_document_get_node(m->doc, p->key);
        m->compares++;
        if (mine->type == YAML_SCALAR_NODE && mine->data.scalar.length == key->data.scalar.length &&
            strcasecmp((const char *)mine->data.scalar.value, (const char *)key->data.scalar.value) == 0)
            return true;
    }
    return false;
}

static int merge_map(struct key_merge *m, int map, unsigned depth);

/* Adds the keys of one map to another, unless it has them. */
static int merge_from(struct key_merge *m, int map, int from, unsigned depth)
{
    const yaml_node_t *source = yaml_document_get_node(m->doc, from);

    if (source->type != YAML_MAPPING_NODE)
        return refuse_merge(m, source, "needs a map, or a list of maps");
    if (m->states[from] == MERGE_BEGUN)
        return refuse_merge(m, source, "the map is merged into itself");
    int r = merge_map(m, from, depth + 1);
    for (size_t i = 0; r == 0 && i < (size_t)(source->data.mapping.pairs.top - source->data.mapping.pairs.start); i++) {
        const yaml_node_pair_t pair = source->data.mapping.pairs.start[i];
        if (!has_key(m, yaml_document_get_node(m->doc, map), yaml_document_get_node(m->doc, pair.key)) &&
            !yaml_document_append_mapping_pair(m->doc, map, pair.key, pair.value))
            abort();
        if (m->compares > MERGE_COMPARES)
            r = refuse_merge(m, source, "too many keys are merged");
    }
    return r;
}

/* Removes the merge key from the map; *from is its value, 0 if there is none. ERR_INVALID if there are two. */
static int take_merge(struct key_merge *m, yaml_node_t *map, int *from)
{
    yaml_node_pair_t *p = map->data.mapping.pairs.start;

    *from = 0;
    while (p < map->data.mapping.pairs.top) {
        const yaml_node_t *key = yaml_document_get_node(m->doc, p->key);
        if (!is_merge_key(key)) {
            p++;
            continue;
        }
        if (*from)
            return refuse_merge(m, key, "stands here twice: give it a list of maps");
        *from = p->value;
        memmove(p, p + 1, (size_t)(map->data.mapping.pairs.top - p - 1) * sizeof(*p));
        map->data.mapping.pairs.top--;
    }
    return 0;
}

static int merge_map(struct key_merge *m, int map, unsigned depth)
{
    yaml_node_t *node = yaml_document_get_node(m->doc, map);
    int from, r;

    if (m->states[map] == MERGE_DONE)
        return 0;
    if (depth > MERGE_DEPTH)
        return refuse_merge(m, node, "nested too deep");
    m->states[map] = MERGE_BEGUN;
    r = take_merge(m, node, &from);
    const yaml_node_t *value = from ? yaml_document_get_node(m->doc, from) : NULL;
    if (r == 0 && value && value->type == YAML_SEQUENCE_NODE)
        for (yaml_node_item_t *i = value->data.sequence.items.start; r == 0 && i < value->data.sequence.items.top; i++)
            r = merge_from(m, map, *i, depth);
    else if (r == 0 && value)
        r = merge_from(m, map, from, depth);
    m->states[map] = MERGE_DONE;
    return r;
}

static int merge_all(yaml_document_t *doc, unsigned *line, struct err *e)
{
    int count = (int)(doc->nodes.top - doc->nodes.start), r = 0;
    struct key_merge m = {.doc = doc, .states = mem_alloc((size_t)count + 1), .line = line, .e = e};

    for (int i = 1; r == 0 && i <= count; i++)
        if (yaml_document_get_node(doc, i)->type == YAML_MAPPING_NODE)
            r = merge_map(&m, i, 0);
    free(m.states);
    return r;
}

static int read_yaml(const char *text, size_t len, yaml_document_t *doc, unsigned *line, struct err *e)
{
    yaml_parser_t parser;
    int rc = 0;

    if ((*line = deep_line(text, len)))
        return err_set(e, ERR_INVALID, "nested more than %d deep", BRACKETS_MAX);
    if (!yaml_parser_initialize(&parser))
        abort();
    yaml_parser_set_input_string(&parser, (const unsigned char *)text, len);
    if (!yaml_parser_load(&parser, doc)) {
        rc = refuse(&parser, text, len, line, e);
    } else if (yaml_document_get_root_node(doc) && (*line = next_document(&parser, text, len))) {
        rc = err_set(e, ERR_INVALID, "a second document begins here, behind '---' or '...': only one is read");
        yaml_document_delete(doc);
    } else if ((rc = merge_all(doc, line, e)) < 0) {
        yaml_document_delete(doc);
    }
    yaml_parser_delete(&parser);
    return rc;
}

static bool is_extension(const char *name, const char *extension)
{
    size_t n = strlen(name), m = strlen(extension);

    return n > m && strcasecmp(name + n - m, extension) == 0;
}

int document_read(const char *name, const char *text, size_t len, yaml_document_t *doc, unsigned *line, struct err *e)
{
    static const char mark[] = "\xef\xbb\xbf"; /* the byte order mark; libyaml handles it itself */
    size_t front = len >= 3 && memcmp(text, mark, 3) == 0 ? 3 : 0;

    *line = 0;
    if (len > DOCUMENT_MAX)
        return err_set(e, ERR_TOOBIG, "the file has more than %u bytes", DOCUMENT_MAX);
    if (is_extension(name, ".json"))
        return json_document(text + front, len - front, doc, e);
    if (is_extension(name, ".toml"))
        return toml_document(text + front, len - front, doc, line, e);
    return read_yaml(text, len, doc, line, e);
}
