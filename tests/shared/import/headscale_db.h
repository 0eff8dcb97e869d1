/* SPDX-License-Identifier: BSD-3-Clause */
/* Databases as releases of headscale create them, from their documented schemas and formats of values. */
#ifndef TESTS_SHARED_IMPORT_HEADSCALE_DB_H
#define TESTS_SHARED_IMPORT_HEADSCALE_DB_H

/* The tables of headscale 0.MINOR (23 to 30) in a new SQLite file, or as statements for PostgreSQL. */
void headscale_db_make(const char *path, int minor);
char *headscale_db_postgres(int minor); /* caller frees */
/* Runs statements; fails the test if one of them fails. */
void headscale_db_sql(const char *path, const char *format, ...) __attribute__((format(printf, 2, 3)));

#endif
