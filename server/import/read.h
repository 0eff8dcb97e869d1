/* SPDX-License-Identifier: BSD-3-Clause */
/* Private to import: from headscale's tables to records, kind by kind. What one kind finds, the later ones use. */
#ifndef SERVER_IMPORT_READ_H
#define SERVER_IMPORT_READ_H

#include "base/map.h"
#include "base/vec.h"
#include "import/report.h"
#include "import/source.h"
#include "policy/policy.h"
#include "store/store.h"

/* Of the routes table of releases before 0.26. */
struct old_routes {
    struct prefixes advertised, enabled, primary;
};

struct reading {
    struct source *source;
    const struct config *config; /* headscale's; NULL: only the database was named */
    struct report report;
    bool tags_are_forced;  /* up to 0.27: what the host asks for, and its key's tags, count beside the stored ones */
    bool routes_are_apart; /* up to 0.25 */
    VEC(struct user *) users;
    VEC(struct preauth_key *) preauth_keys;
    VEC(struct preauth_key *) unused_keys; /* that are left, but nodes point at */
    VEC(struct api_key *) api_keys;
    VEC(struct oauth_client *) oauth_clients;
    VEC(struct node *) nodes;
    VEC(struct node *) nodes_left; /* not taken, but maps point at them */
    VEC(struct node_live) lives;   /* one a node */
    VEC(struct primary *) primaries;
    struct policy_text *stored_policy;      /* NULL: none, or a file's */
    struct map user_by_id, key_by_id;       /* of records */
    struct map user_names;                  /* of the system's own */
    struct map key_tags;                    /* by pre-auth key: struct strs, of 0.23 */
    struct map old_routes;                  /* by node */
    struct map names, addresses, node_keys; /* of nodes so far */
    struct policy *policy;
    struct policy_user *policy_users; /* that the view borrows */
    struct policy_view *view;         /* NULL: no policy */
};

/* Each returns an error for the database as a whole; what is wrong with a row is a fault of the report. */
int read_users(struct reading *r, struct err *e) WARN_UNUSED;
int read_preauth_keys(struct reading *r, struct err *e) WARN_UNUSED;
int read_api_keys(struct reading *r, struct err *e) WARN_UNUSED;
int read_oauth(struct reading *r, struct err *e) WARN_UNUSED;
int read_policy(struct reading *r, struct err *e) WARN_UNUSED;
int read_old_routes(struct reading *r, struct err *e) WARN_UNUSED;
int read_nodes(struct reading *r, struct err *e) WARN_UNUSED;

/* All of it, in that order. ERR_UNSUPPORTED where the database is not headscale's, or of a release before 0.23. */
int read_all(struct reading *r, struct err *e) WARN_UNUSED;
/* The release that wrote it, "0.28". */
const char *read_release(struct reading *r);
/* Gives the records to image, with the numbers that the next ones are to have. */
void read_take_image(struct reading *r, struct store_image *image);
void reading_release(struct reading *r);

#endif
