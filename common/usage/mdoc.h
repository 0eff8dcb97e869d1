/* SPDX-License-Identifier: BSD-3-Clause */
/* Text for the manual pages, which are generated from the tables that they describe. */
#ifndef COMMON_USAGE_MDOC_H
#define COMMON_USAGE_MDOC_H

#include "base/buf.h"

/* Appends plain text as mdoc(7) input: each sentence starts a new line, lines are broken before column 80, and no word
 * is taken for a macro. */
void mdoc_text(struct buf *out, const char *text);

#endif
