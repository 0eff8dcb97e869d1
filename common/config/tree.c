/* SPDX-License-Identifier: BSD-3-Clause */
#include "config/tree.h"

#include <stdlib.h>

/* libyaml fails here only for want of memory. */
void tree_start(yaml_document_t *doc)
{
    if (!yaml_document_initialize(doc, NULL, NULL, NULL, 1, 1))
        abort();
}

static int placed(yaml_document_t *doc, int node, unsigned line)
{
    if (!node)
        abort();
    yaml_document_get_node(doc, node)->start_mark.line = line ? line - 1 : 0;
    return node;
}

static bool is_full(const yaml_document_t *doc)
{
    return doc->nodes.top - doc->nodes.start >= TREE_NODES_MAX;
}

int tree_scalar(yaml_document_t *doc, const char *text, size_t len, bool quoted, unsigned line)
{
    return is_full(doc)
               ? 0
               : placed(doc,
                        yaml_document_add_scalar(doc, NULL, (const yaml_char_t *)text, (int)len,
                                                 quoted ? YAML_DOUBLE_QUOTED_SCALAR_STYLE : YAML_PLAIN_SCALAR_STYLE),
                        line);
}

int tree_list(yaml_document_t *doc, unsigned line)
{
    return is_full(doc) ? 0 : placed(doc, yaml_document_add_sequence(doc, NULL, YAML_FLOW_SEQUENCE_STYLE), line);
}

int tree_map(yaml_document_t *doc, unsigned line)
{
    return is_full(doc) ? 0 : placed(doc, yaml_document_add_mapping(doc, NULL, YAML_BLOCK_MAPPING_STYLE), line);
}

bool tree_append(yaml_document_t *doc, int list, int item)
{
    return item && yaml_document_append_sequence_item(doc, list, item);
}

bool tree_put(yaml_document_t *doc, int map, const char *key, size_t len, int value, unsigned line)
{
    int name = value ? tree_scalar(doc, key, len, true, line) : 0;

    return name && yaml_document_append_mapping_pair(doc, map, name, value);
}
