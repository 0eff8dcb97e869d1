/* SPDX-License-Identifier: BSD-3-Clause */
/* Private to import: where headway's own files are to be, and how they get there. */
#ifndef SERVER_IMPORT_PLACE_H
#define SERVER_IMPORT_PLACE_H

#include "config/config.h"
#include "import/report.h"

struct import_place {
    char *config;        /* headway's */
    bool write_config;   /* there is none yet that says anything */
    struct config *kept; /* otherwise: what it says; NULL: there is none */
    char *database, *noise_key, *derp_key;
    char *cache; /* of certificates that are ordered: a folder */
};

/* headscale: its configuration or NULL. to, state_dir: as in struct import_options. ERR_CONFLICT where a place is
 * headscale's own. */
int place_find(const struct config *headscale, const char *to, const char *state_dir, struct import_place *out,
               struct err *e) WARN_UNUSED;
void place_release(struct import_place *p);

/* headscale's configuration as headway's; what changes is reported. */
void place_config_text(const struct import_place *p, const struct config *headscale, struct report *report,
                       struct buf *out);

/* Keys and the text of the configuration (NULL: none) come to their places, and last the database, which was made at
 * part; written names them. Where one of them fails none of them is there. */
struct place_files {
    const char *noise_key, *derp_key; /* from where; derp_key may be NULL */
    const char *cache, *host;         /* headscale's certificates, and for which name; NULL: it has none */
    const struct buf *config;
    const char *part;
};
int place_put(const struct import_place *p, const struct place_files *files, struct strs *written,
              struct err *e) WARN_UNUSED;
/* Whether that could work: each place can be written, and nothing stands there that would be lost. */
int place_try(const struct import_place *p, const struct place_files *files, struct err *e) WARN_UNUSED;

#endif
