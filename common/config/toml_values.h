/* SPDX-License-Identifier: BSD-3-Clause */
/* What stands in TOML without quotes. Private to this room. */
#ifndef COMMON_CONFIG_TOML_VALUES_H
#define COMMON_CONFIG_TOML_VALUES_H

#include <stdbool.h>

#include "base/buf.h"

/* Reads one number, truth, date or time from the start of text, and writes it as YAML would: without '_' and '+', 0x
 * and 0b as decimal; 0o stays, as permission bits are written so. *len: of what stands there, also where it is no
 * value. */
bool toml_plain(const char *text, size_t size, struct buf *out, size_t *len);

void toml_utf8(struct buf *out, uint32_t rune);

#endif
