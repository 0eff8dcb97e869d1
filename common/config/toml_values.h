/* SPDX-License-Identifier: BSD-3-Clause */
/* Unquoted values of TOML. Private to this room. */
#ifndef COMMON_CONFIG_TOML_VALUES_H
#define COMMON_CONFIG_TOML_VALUES_H

#include <stdbool.h>

#include "base/buf.h"

/* Reads one number, boolean, date or time from the start of text and writes it as in YAML: without '_' and '+', 0x and
 * 0b as decimal; 0o is kept, because permission bits are written that way. *len is the length of the value, even if it
 * is invalid. */
bool toml_plain(const char *text, size_t size, struct buf *out, size_t *len);

void toml_utf8(struct buf *out, uint32_t rune);

#endif
