/* SPDX-License-Identifier: BSD-3-Clause */
/* Reads TOML 1.0 as a document. *line is the line of the error. On success the caller deletes *doc. Private to this
 * room. */
#ifndef COMMON_CONFIG_TOML_H
#define COMMON_CONFIG_TOML_H

#include <yaml.h>

#include "base/err.h"

int toml_document(const char *text, size_t len, yaml_document_t *doc, unsigned *line, struct err *e) WARN_UNUSED;

#endif
