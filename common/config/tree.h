/* SPDX-License-Identifier: BSD-3-Clause */
/* What JSON and TOML are made into: a document of libyaml's, whose nodes know their lines. Private to this room. */
#ifndef COMMON_CONFIG_TREE_H
#define COMMON_CONFIG_TREE_H

#include <stdbool.h>
#include <stddef.h>
#include <yaml.h>

#define TREE_NODES_MAX 500000 /* each takes some 150 bytes of memory */

void tree_start(yaml_document_t *doc);
/* The number of the new node, the first one is the root; 0: there are too many. */
int tree_scalar(yaml_document_t *doc, const char *text, size_t len, bool quoted, unsigned line);
int tree_list(yaml_document_t *doc, unsigned line);
int tree_map(yaml_document_t *doc, unsigned line);
/* false: there are too many; an item or value of 0 is one too many. */
bool tree_append(yaml_document_t *doc, int list, int item);
bool tree_put(yaml_document_t *doc, int map, const char *key, size_t len, int value, unsigned line); /* the key's */

#endif
