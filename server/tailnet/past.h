/* SPDX-License-Identifier: BSD-3-Clause */
/* What is kept of nodes, users and elections for looking back, and the tailnet at a past time rebuilt from it. An image
 * holds what administrators and elections decide and whether a node was online, but not its endpoints or relay. */
#ifndef SERVER_TAILNET_PAST_H
#define SERVER_TAILNET_PAST_H

#include "tailnet/tailnet.h"

/* An image as a JSON object, appended to out. Equal objects have equal images. */
void past_node(const struct tailnet_node *n, struct buf *out);
void past_user(const struct user *u, struct buf *out);
void past_primary(const struct primary *p, struct buf *out);
void past_via_primary(const struct via_primary *p, struct buf *out);
void past_via_key(const struct prefix *p, const char *tags,
                  struct buf *out); /* the image's key; replaces what out holds */

/* For a prefix served by its nearest router: which router serves which viewer, without the viewers that the primary
 * serves by default. One image holds all viewers, another those that moved since; for those the second overrides the
 * first. */
struct past_viewer {
    uint64_t viewer, router; /* ids; router 0: the primary */
};
void past_nearest(const struct tailnet_snapshot *s, const struct nearest_prefix *p, struct buf *out);
void past_nearest_moves(const struct past_viewer *moves, size_t count, struct buf *out);
/* Calls visit for each viewer in an image of either kind. */
typedef void past_visit(void *arg, uint64_t viewer, uint64_t router);
int past_nearest_read(const char *image, past_visit *visit, void *arg, struct err *e) WARN_UNUSED;

/* The images of everything in a snapshot. The caller owns the records (past_release). */
struct past_images {
    struct history **items;
    size_t len, cap;
};
void past_take(const struct tailnet_snapshot *s, struct past_images *out);
void past_release(struct past_images *images);

/* The tailnet that the images describe at a past time (which decides whose keys had expired); settings are the present
 * ones. The caller unpins it. ERR_IO names the image if one is damaged. */
int past_snapshot(struct history *const *images, size_t count, const struct policy_text *policy,
                  struct tailnet_settings *settings, int64_t at_ns, struct tailnet_snapshot **out,
                  struct err *e) WARN_UNUSED;

#endif
