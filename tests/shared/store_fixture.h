/* SPDX-License-Identifier: BSD-3-Clause */
/* A store in a temporary folder, and records to put into it. */
#ifndef TESTS_SHARED_STORE_FIXTURE_H
#define TESTS_SHARED_STORE_FIXTURE_H

#include "store/store.h"

/* The engine of fixtures: a server started by pg_server.h, or SQLite. */
void fixture_use_postgres(bool postgres);
bool fixture_is_postgres(void);

struct fixture {
    char folder[64], path[96];
    struct store *store;
};

/* Opens a store in a new folder below TMPDIR; fixture_end removes the folder. Fails the test on an error. */
void fixture_begin(struct fixture *f);
void fixture_open(struct fixture *f);
void fixture_close(struct fixture *f);
void fixture_end(struct fixture *f);
void fixture_remove_folder(const char *folder);

/* Submits and waits for the answer. */
int fixture_write(struct store *s, const struct store_write *writes, size_t count, struct err *e);
int fixture_put(struct store *s, const void *record, struct err *e);
/* The same for a record to which the caller keeps no reference; fails the test on an error. */
void fixture_put_only(struct store *s, void *record);
void fixture_remove(struct store *s, void *record);
void fixture_load(struct store *s, struct store_image *image);
/* Runs SQL on the database, as a person would with its shell. */
void fixture_sql(const char *path, const char *sql);
int fixture_try_open(struct fixture *f, struct store **out, struct err *e);
/* The only number that a query returns. */
int64_t fixture_number(struct fixture *f, const char *sql);
struct CMUnitTest;
/* Runs the tests over SQLite and then, if PostgreSQL is installed, those for both over PostgreSQL. */
int fixture_run_both(const struct CMUnitTest *sqlite_only, size_t count, const struct CMUnitTest *both,
                     size_t both_count);

struct user *sample_user(uint64_t id, const char *name);
struct node *sample_node(uint64_t id, uint64_t user_id); /* keys, name and addresses are derived from id */
struct event *sample_event(uint64_t run, uint64_t seq);
struct prefix sample_prefix(const char *text);

#endif
