/* SPDX-License-Identifier: BSD-3-Clause */
/* Reads JSON as a document; messages include the line. On success the caller deletes *doc. Private to this room. */
#ifndef COMMON_CONFIG_JSON_DOCUMENT_H
#define COMMON_CONFIG_JSON_DOCUMENT_H

#include <yaml.h>

#include "base/err.h"

int json_document(const char *text, size_t len, yaml_document_t *doc, struct err *e) WARN_UNUSED;

#endif
