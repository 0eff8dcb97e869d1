/* SPDX-License-Identifier: BSD-3-Clause */
/* The import of a headscale tailnet (releases 0.23 to 0.30, in SQLite or PostgreSQL) into a database of headway's own:
 * keys, users, nodes, routes, tags, API keys and the policy, so that no client notices. What is read is only read. What
 * is written is written as a whole or not at all. headway-migrate(7) tells the story. */
#ifndef SERVER_IMPORT_IMPORT_H
#define SERVER_IMPORT_IMPORT_H

#include <stdio.h>

#include "config/config.h"
#include "usage/flags.h"

struct import_options {
    const char *config;                          /* headscale's; NULL: database and noise_key are given */
    const char *database, *noise_key, *derp_key; /* files; they go before what config says. NULL: as it says */
    const char *to;                              /* headway's configuration; NULL: where it usually is */
    const char *state_dir;                       /* for the database and the keys; NULL: as that configuration says */
    bool dry_run;
    bool all; /* the report names each object that is taken as it was */
};

/* Reports to out, and what keeps it from being done to errors; the exit status of a program. */
int import_run(const struct import_options *o, FILE *out, FILE *errors);

/* The same by its options, but -c, which every command has. */
extern const struct flag import_options[];
int import_command(const struct flags *flags);
bool import_flag_given(const struct flags *flags);

/* What to do about a configuration whose database is headscale's: the command, or that it was done. The caller's; NULL:
 * it is no database of headscale. */
char *import_advice(const struct config *c);

/* For who starts as headscale does, with the configuration that is named (NULL: none): the file to use instead, the
 * caller's; NULL: none. Where headscale's tailnet was imported it is headway's configuration, which is noted. Where it
 * was not and nothing of headway's is there it is headscale's own, for which there is advice: who starts a server of
 * headscale's wants no empty tailnet. */
char *import_find_config(const char *named, FILE *notes);

#endif
