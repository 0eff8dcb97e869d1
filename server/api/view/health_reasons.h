/* SPDX-License-Identifier: BSD-3-Clause */
/* What is wrong with the tailnet and the server: one list for /health, the API, the command line and the console. */
#ifndef SERVER_API_VIEW_HEALTH_REASONS_H
#define SERVER_API_VIEW_HEALTH_REASONS_H

#include "api/view/view.h"
#include "model/api_health.h"

#define HEALTH_REASONS_MAX 100 /* listed; all are counted */

/* The report over the view's snapshot; database: it answers, and the last write succeeded. Memory from the arena.
 * Visits every node. */
void show_health(struct api_view *v, struct api *api, bool database, struct arena *a, struct api_health *out);

#endif
