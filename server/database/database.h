/* SPDX-License-Identifier: BSD-3-Clause */
/* The database that a configuration names: looked at, opened, moved. */
#ifndef SERVER_DATABASE_DATABASE_H
#define SERVER_DATABASE_DATABASE_H

#include <stdio.h>

#include "config/config.h"
#include "store/store.h"

/* What a start would stumble over, as lines "KEY: TEXT" with their place in the configuration; *image as store_check
 * leaves it. One of PostgreSQL that cannot be reached is a problem for who tests only: a start waits for it. */
void database_check(const struct config *c, bool test, struct store_image *image, struct strs *problems);
/* The policy's file. One that cannot be used keeps the daemon from starting (problems) unless the database holds one
 * that an earlier start took from it (notes). image: what was read of the database. */
void database_check_policy(const struct config *c, const struct store_image *image, struct strs *problems,
                           struct strs *notes);
/* Opens it; waits for one of PostgreSQL that cannot be reached, until SIGTERM or SIGINT, which are blocked, comes. */
int database_open(const struct config *c, const uint8_t noise_key[KEY_LEN], struct store **out,
                  struct err *e) WARN_UNUSED;
/* from, to: "sqlite:FILE" and "postgres", the one of the configuration, in either order. Says what was moved. */
int database_migrate(const struct config *c, const char *from, const char *to, FILE *out, struct err *e) WARN_UNUSED;

#endif
