/* SPDX-License-Identifier: BSD-3-Clause */
/* Builds the libyaml document that JSON and TOML are read into; its nodes know their lines. Private to this room. */
#ifndef COMMON_CONFIG_TREE_H
#define COMMON_CONFIG_TREE_H

#include <stdbool.h>
#include <stddef.h>
#include <yaml.h>

#define TREE_NODES_MAX 500000 /* each takes about 150 bytes of memory */

void tree_start(yaml_document_t *doc);
/* The number of the new node; the first one is the root. 0 if there are too many. */
int tree_scalar(yaml_document_t *doc, const char *text, size_t len, bool quoted, unsigned line);
int tree_list(yaml_document_t *doc, unsigned line);
int tree_map(yaml_document_t *doc, unsigned line);
/* Return false if there are too many nodes; an item or value of 0 fails likewise. */
bool tree_append(yaml_document_t *doc, int list, int item);
bool tree_put(yaml_document_t *doc, int map, const char *key, size_t len, int value, unsigned line); /* the key's */

#endif
