/* SPDX-License-Identifier: BSD-3-Clause */
/* A file in one of three languages as one kind of tree: a document of libyaml's, whose nodes know their lines. Private
 * to this room. */
#ifndef COMMON_CONFIG_DOCUMENT_H
#define COMMON_CONFIG_DOCUMENT_H

#include <yaml.h>

#include "base/err.h"

#define DOCUMENT_MAX (4u << 20) /* bytes */

/* By the end of the file's name: .json, .toml, and YAML for everything else. On success the caller deletes *doc. *line
 * is where the mistake is, 0 where the message says it or there is none. */
int document_read(const char *name, const char *text, size_t len, yaml_document_t *doc, unsigned *line,
                  struct err *e) WARN_UNUSED;

#endif
