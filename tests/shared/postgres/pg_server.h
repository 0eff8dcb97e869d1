/* SPDX-License-Identifier: BSD-3-Clause */
/* A PostgreSQL server for one test: the distribution's package, in a temporary folder, on a Unix socket only, as an
 * unprivileged user. It ends with the test, however that ends. */
#ifndef TESTS_SHARED_PG_SERVER_H
#define TESTS_SHARED_PG_SERVER_H

#include <stdbool.h>

#define PG_SERVER_USER "headscale"

/* Starts it; false if no server is installed, in which case the reason was printed. Fails the test if it does not
 * start. */
bool pg_server_start(void);
void pg_server_stop(void);
/* Kills it at once, like a power failure; start it again afterwards. */
void pg_server_crash(void);
void pg_server_again(void);
/* Stops and continues all its processes. */
void pg_server_hang(bool hang);
const char *pg_server_folder(void); /* of the socket; the host for libpq */
/* Runs SQL, as a person would with psql; fails the test on an error. */
void pg_server_sql(const char *database, const char *sql);
/* The only value that a query returns, in a static buffer. */
const char *pg_server_value(const char *database, const char *sql);

#endif
