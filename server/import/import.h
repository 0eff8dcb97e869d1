/* SPDX-License-Identifier: BSD-3-Clause */
/* Imports a headscale tailnet (releases 0.23 to 0.30, in SQLite or PostgreSQL) into a database of headway's own: keys,
 * users, nodes, routes, tags, API keys and the policy, so that no client notices. The source is never written to; the
 * result is written completely or not at all. See headway-migrate(7). */
#ifndef SERVER_IMPORT_IMPORT_H
#define SERVER_IMPORT_IMPORT_H

#include <stdio.h>

#include "config/config.h"
#include "usage/flags.h"

struct import_options {
    const char *config;                          /* headscale's; NULL: database and noise_key are given */
    const char *database, *noise_key, *derp_key; /* files; they override config. NULL: as it says */
    const char *to;                              /* headway's configuration; NULL: the default location */
    const char *state_dir;                       /* for the database and the keys; NULL: as that configuration says */
    bool dry_run;
    bool all; /* the report also lists objects that are imported unchanged */
};

/* Writes the report to out, and what prevents the import to errors; returns the exit status of a program. */
int import_run(const struct import_options *o, FILE *out, FILE *errors);

/* The same, by its options, except -c, which every command has. */
extern const struct flag import_options[];
int import_command(const struct flags *flags);
bool import_flag_given(const struct flags *flags);

/* What to do about a configuration whose database is headscale's: the command, or that it was done already. Caller
 * frees; NULL: it is not a database of headscale. */
char *import_advice(const struct config *c);

/* For a start in headscale's manner, with the named configuration (NULL: none): the file to use instead; caller frees,
 * NULL: none. If headscale's tailnet was imported, it is headway's configuration, and a note reports so. If it was not,
 * and there is nothing of headway's, it is headscale's own, for which there is advice: starting a headscale server
 * should not produce an empty tailnet. */
char *import_find_config(const char *named, FILE *notes);

#endif
