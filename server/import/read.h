/* SPDX-License-Identifier: BSD-3-Clause */
/* Private to import: converts headscale's tables to records, kind by kind. Later kinds use the results of earlier
 * ones. */
#ifndef SERVER_IMPORT_READ_H
#define SERVER_IMPORT_READ_H

#include "base/map.h"
#include "base/vec.h"
#include "import/report.h"
#include "import/source.h"
#include "policy/policy.h"
#include "store/store.h"

/* From the routes table of releases before 0.26. */
struct old_routes {
    struct prefixes advertised, enabled, primary;
};

struct reading {
    struct source *source;
    const struct config *config; /* headscale's; NULL: only the database was given */
    struct report report;
    bool tags_are_forced; /* up to 0.27: tags requested by the host, and those of its key, count besides the stored ones
                           */
    bool routes_are_apart; /* up to 0.25 */
    VEC(struct user *) users;
    VEC(struct preauth_key *) preauth_keys;
    VEC(struct preauth_key *) unused_keys; /* not imported, but nodes point to them */
    VEC(struct api_key *) api_keys;
    VEC(struct oauth_client *) oauth_clients;
    VEC(struct node *) nodes;
    VEC(struct node *) nodes_left; /* not imported, but maps point to them */
    VEC(struct node_live) lives;   /* one per node */
    VEC(struct primary *) primaries;
    struct policy_text *stored_policy;      /* NULL: none, or in a file */
    struct map user_by_id, key_by_id;       /* records */
    struct map user_names;                  /* of local users */
    struct map key_tags;                    /* by pre-auth key: struct strs, in 0.23 */
    struct map old_routes;                  /* by node */
    struct map names, addresses, node_keys; /* of the nodes read so far */
    struct policy *policy;
    struct policy_user *policy_users; /* borrowed by the view */
    struct policy_view *view;         /* NULL: no policy */
};

/* Each returns an error if the database as a whole cannot be read; errors in a row are faults in the report. */
int read_users(struct reading *r, struct err *e) WARN_UNUSED;
int read_preauth_keys(struct reading *r, struct err *e) WARN_UNUSED;
int read_api_keys(struct reading *r, struct err *e) WARN_UNUSED;
int read_oauth(struct reading *r, struct err *e) WARN_UNUSED;
int read_policy(struct reading *r, struct err *e) WARN_UNUSED;
int read_old_routes(struct reading *r, struct err *e) WARN_UNUSED;
int read_nodes(struct reading *r, struct err *e) WARN_UNUSED;

/* Reads everything, in that order. ERR_UNSUPPORTED if the database is not headscale's, or of a release before 0.23. */
int read_all(struct reading *r, struct err *e) WARN_UNUSED;
/* The release that wrote it, as "0.28". */
const char *read_release(struct reading *r);
/* Moves the records to image, with the next free numbers. */
void read_take_image(struct reading *r, struct store_image *image);
void reading_release(struct reading *r);

#endif
