/* SPDX-License-Identifier: BSD-3-Clause */
/* Text for manual pages, which are generated from the tables that they describe. */
#ifndef COMMON_USAGE_MDOC_H
#define COMMON_USAGE_MDOC_H

#include "base/buf.h"

/* Appends plain text as lines of mdoc(7): a line for each sentence, broken before 80 columns, nothing taken for a
 * macro. */
void mdoc_text(struct buf *out, const char *text);

#endif
