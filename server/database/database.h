/* SPDX-License-Identifier: BSD-3-Clause */
/* The database that a configuration names: checks, opens and moves it. */
#ifndef SERVER_DATABASE_DATABASE_H
#define SERVER_DATABASE_DATABASE_H

#include <stdio.h>

#include "config/config.h"
#include "store/store.h"

/* Adds what would make a start fail to problems, as lines "KEY: TEXT" with the place in the configuration; *image is
 * as store_check leaves it. A PostgreSQL server that cannot be reached is a problem only with test: a start waits
 * for it. */
void database_check(const struct config *c, bool test, struct store_image *image, struct strs *problems);
/* Checks the policy file. An unusable one stops the daemon from starting (problems) unless the database holds the
 * policy that an earlier start took from it (notes). image: what was read from the database. */
void database_check_policy(const struct config *c, const struct store_image *image, struct strs *problems,
                           struct strs *notes);
/* Opens the database; waits for a PostgreSQL server that cannot be reached, until SIGTERM or SIGINT, which must be
 * blocked, arrives. */
int database_open(const struct config *c, const uint8_t noise_key[KEY_LEN], struct store **out,
                  struct err *e) WARN_UNUSED;
/* Moves the database between "sqlite:FILE" and "postgres", the configured one, in either direction. Reports what was
 * moved to out. */
int database_migrate(const struct config *c, const char *from, const char *to, FILE *out, struct err *e) WARN_UNUSED;

#endif
