/* SPDX-License-Identifier: BSD-3-Clause */
/* Private to import: where headway's own files go, and how they get there. */
#ifndef SERVER_IMPORT_PLACE_H
#define SERVER_IMPORT_PLACE_H

#include "config/config.h"
#include "import/report.h"

struct import_place {
    char *config;        /* headway's */
    bool write_config;   /* there is none with settings yet */
    struct config *kept; /* otherwise: its contents; NULL: there is none */
    char *database, *noise_key, *derp_key;
    char *cache; /* for ordered certificates: a directory */
};

/* headscale: its configuration or NULL. to, state_dir: as in struct import_options. ERR_CONFLICT if a place is
 * headscale's own. */
int place_find(const struct config *headscale, const char *to, const char *state_dir, struct import_place *out,
               struct err *e) WARN_UNUSED;
void place_release(struct import_place *p);

/* headscale's configuration as headway's; reports what changes. */
void place_config_text(const struct import_place *p, const struct config *headscale, struct report *report,
                       struct buf *out);

/* Puts keys and the text of the configuration (NULL: none) in their places, and last the database, which was made at
 * part; written lists them. If one of them fails, none is left. */
struct place_files {
    const char *noise_key, *derp_key; /* sources; derp_key may be NULL */
    const char *cache, *host;         /* headscale's certificates, and their host; NULL: none */
    const struct buf *config;
    const char *part;
};
int place_put(const struct import_place *p, const struct place_files *files, struct strs *written,
              struct err *e) WARN_UNUSED;
/* Whether that would work: each place can be written, and nothing there would be lost. */
int place_try(const struct import_place *p, const struct place_files *files, struct err *e) WARN_UNUSED;

#endif
