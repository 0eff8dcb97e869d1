/* SPDX-License-Identifier: BSD-3-Clause */
/* What is not well with the tailnet and with the server: the one list that /health, the API, the command line and the
 * console show. */
#ifndef SERVER_API_VIEW_HEALTH_REASONS_H
#define SERVER_API_VIEW_HEALTH_REASONS_H

#include "api/view/view.h"
#include "model/api_health.h"

#define HEALTH_REASONS_MAX 100 /* that are listed; all are counted */

/* The report as of the view's snapshot; database: it answers, and the last write worked. Memory from the arena. Looks
 * at every node. */
void show_health(struct api_view *v, struct api *api, bool database, struct arena *a, struct api_health *out);

#endif
