/* SPDX-License-Identifier: BSD-3-Clause */
/* The server's findings about routes ("routes check"): problems and surprises, each with a word for lists and advice.
 */
#ifndef TUI_CONSOLE_MODEL_FINDINGS_H
#define TUI_CONSOLE_MODEL_FINDINGS_H

#include "console/model/model.h"

/* Takes ownership of the list, which is complete: rows it does not name have no findings. Listeners are notified of
 * rows whose findings changed. */
void model_take_findings(struct model *m, struct api_list *problems);

const char *finding_word(const char *code);   /* "no standby"; static */
const char *finding_advice(const char *code); /* a sentence without its end, or ""; static */

/* Appends the finding and its advice as a line for dialog_text, warnings marked '!'. */
void finding_text(const struct api_route_problem *p, struct buf *out);
/* Appends such lines for a route, leaving out what is obvious there (node 0: all routers of the prefix; prefix NULL:
 * all routes of the node). Returns their number. */
size_t findings_of(const struct model *m, uint64_t node, const char *prefix, struct buf *out);

#endif
