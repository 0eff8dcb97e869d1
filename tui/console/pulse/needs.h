/* SPDX-License-Identifier: BSD-3-Clause */
/* Finding what needs somebody in the objects that the console holds. */
#ifndef TUI_CONSOLE_PULSE_NEEDS_H
#define TUI_CONSOLE_PULSE_NEEDS_H

#include "console/app/view.h"
#include "model/api_health.h"

/* Where to go for a kind of trouble: the view's part under a filter. */
struct need_place {
    const struct console_view *view;
    const char *part, *filter;
};

/* What brings the rows of ROW_NEED up to date: all that there is now, and what is over. reasons: what the server says,
 * struct api_health_reason; NULL: it is about the past, of which not all is known. */
void needs_find(const struct model *m, const struct api_list *reasons, int64_t now_ns, struct model_delta *out);
/* By its code; NULL: nowhere in particular. */
const struct need_place *needs_place(const char *code);

#endif
