/* SPDX-License-Identifier: BSD-3-Clause */
/* What the server finds wrong with routes, or surprising ("routes check"): each with a word for lists and with what to
 * do about it. */
#ifndef TUI_CONSOLE_MODEL_FINDINGS_H
#define TUI_CONSOLE_MODEL_FINDINGS_H

#include "console/model/model.h"

/* Takes over the list, which is whole: rows that it does not name have no findings. Rows whose findings change are
 * told. */
void model_take_findings(struct model *m, struct api_list *problems);

const char *finding_word(const char *code);   /* "no standby"; static */
const char *finding_advice(const char *code); /* a sentence without its end, or ""; static */

/* A line as in dialog_text, with what to do: a warning with '!', else one that is good to know. */
void finding_text(const struct api_route_problem *p, struct buf *out);
/* Such lines, without what is clear, for the route (node 0: of all routers of the prefix; prefix NULL: of all of the
 * node); returns how many.
 */
size_t findings_of(const struct model *m, uint64_t node, const char *prefix, struct buf *out);

#endif
