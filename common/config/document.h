/* SPDX-License-Identifier: BSD-3-Clause */
/* A file in any of the three languages as a libyaml document, whose nodes know their lines. Private to this room. */
#ifndef COMMON_CONFIG_DOCUMENT_H
#define COMMON_CONFIG_DOCUMENT_H

#include <yaml.h>

#include "base/err.h"

#define DOCUMENT_MAX (4u << 20) /* bytes */

/* Chooses the language by the file name: .json, .toml, or YAML for everything else. On success the caller deletes *doc.
 * *line is the line of the error; 0 if the message gives it or it is unknown. */
int document_read(const char *name, const char *text, size_t len, yaml_document_t *doc, unsigned *line,
                  struct err *e) WARN_UNUSED;

#endif
