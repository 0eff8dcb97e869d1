/* SPDX-License-Identifier: BSD-3-Clause */
/* headscale's database in PostgreSQL, read in one read-only transaction. */
#include <libpq-fe.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/array.h"
#include "base/mem.h"
#include "import/source.h"

#define CONNECT_SECONDS "10"
#define BYTEA_OID       17

struct postgres_source {
    struct source source; /* first */
    PGconn *db;
};

/* The server's message is untrusted, and cut at the end of its first line. */
static int say(const struct source *s, const char *what, const char *message, struct err *e)
{
    char *line = mem_strndup(message ? message : "", strcspn(message ? message : "", "\r\n"));
    char *clean = str_clean(line, 160);
    int rc = err_set(e, ERR_UNAVAILABLE, "%s: %s%s", s->name, what, clean);

    free(clean);
    free(line);
    return rc;
}

static void close_postgres(struct source *source)
{
    struct postgres_source *s = (struct postgres_source *)source;

    PQfinish(s->db);
    free(s);
}

static int run(struct source *source, const char *sql, const char *parameter, PGresult **out, struct err *e)
{
    PGconn *db = ((struct postgres_source *)source)->db;
    PGresult *r = PQexecParams(db, sql, parameter ? 1 : 0, NULL, &parameter, NULL, NULL, 0);
    ExecStatusType status = PQresultStatus(r);

    if (status == PGRES_TUPLES_OK || status == PGRES_COMMAND_OK) {
        *out = r;
        return 0;
    }
    int rc = say(source, "", PQresultErrorMessage(r), e);
    PQclear(r);
    return rc;
}

static int read_names(struct source *source, const char *sql, const char *parameter, struct strs *out, struct err *e)
{
    PGresult *r = NULL;
    int rc = run(source, sql, parameter, &r, e);

    for (int i = 0; rc == 0 && i < PQntuples(r); i++)
        strs_push(out, PQgetvalue(r, i, 0));
    PQclear(r);
    return rc;
}

/* Real tables only: a view would run somebody else's code. */
static int list_tables(struct source *source, struct strs *out, struct err *e)
{
    return read_names(source,
                      "SELECT tablename::text FROM pg_tables WHERE schemaname = current_schema() ORDER BY 1 "
                      "LIMIT 10000",
                      NULL, out, e);
}

static int list_columns(struct source *source, const char *table, struct strs *out, struct err *e)
{
    return read_names(source,
                      "SELECT column_name::text FROM information_schema.columns WHERE table_schema = current_schema() "
                      "AND table_name = $1",
                      table, out, e);
}

/* All values arrive as UTF-8 text; bytea is decoded. *bytes is the decoded value, for PQfreemem. */
static void take_value(const PGresult *r, int row, int column, struct source_value *out, unsigned char **bytes)
{
    *bytes = NULL;
    *out = (struct source_value){.kind = SOURCE_NULL, .text = ""};
    if (PQgetisnull(r, row, column))
        return;
    out->kind = SOURCE_TEXT;
    out->text = PQgetvalue(r, row, column);
    out->len = (size_t)PQgetlength(r, row, column);
    if (PQftype(r, column) == BYTEA_OID) {
        *bytes = PQunescapeBytea((const unsigned char *)out->text, &out->len);
        out->text = *bytes ? (const char *)*bytes : "";
    }
}

/* Row by row: the server may have more than fits into memory. */
static int read_rows(struct source *source, const char *sql, const struct source_table *t, source_row *each, void *arg,
                     struct err *e)
{
    PGconn *db = ((struct postgres_source *)source)->db;
    int rc = 0;
    PGresult *r;

    if (PQsendQuery(db, sql) != 1 || PQsetSingleRowMode(db) != 1)
        return say(source, "", PQerrorMessage(db), e);
    while ((r = PQgetResult(db))) {
        struct source_value values[SOURCE_COLUMNS_MAX];
        unsigned char *bytes[SOURCE_COLUMNS_MAX] = {NULL};
        ExecStatusType status = PQresultStatus(r);
        if (rc == 0 && status != PGRES_SINGLE_TUPLE && status != PGRES_TUPLES_OK)
            rc = say(source, "", PQresultErrorMessage(r), e);
        for (int row = 0; rc == 0 && row < PQntuples(r); row++) {
            for (size_t i = 0; i < t->count; i++)
                take_value(r, row, (int)i, &values[i], &bytes[i]);
            rc = each(arg, values, e);
            for (size_t i = 0; i < t->count; i++)
                PQfreemem(bytes[i]);
        }
        PQclear(r);
    }
    return rc;
}

/* Tables are this program's names. */
static int64_t read_sequence(struct source *source, const char *table)
{
    char sql[256];
    PGresult *r = NULL;
    int64_t found = 0;

    snprintf(sql, sizeof(sql), "SELECT coalesce(pg_sequence_last_value(pg_get_serial_sequence('%s', 'id')), 0)", table);
    if (run(source, sql, NULL, &r, NULL) == 0 && PQntuples(r) == 1)
        found = strtoll(PQgetvalue(r, 0, 0), NULL, 10);
    PQclear(r);
    return found;
}

static int begin(struct source *source, struct err *e)
{
    static const char *const commands[] = {
        "SET client_encoding = 'UTF8'",  "SET timezone = 'UTC'",
        "SET datestyle = 'ISO'",         "SET bytea_output = 'hex'",
        "SET statement_timeout = '60s'", "BEGIN ISOLATION LEVEL REPEATABLE READ, READ ONLY",
    };
    PGresult *r;

    for (size_t i = 0; i < ARRAY_LEN(commands); i++) {
        int rc = run(source, commands[i], NULL, &r, e);
        if (rc < 0)
            return rc;
        PQclear(r);
    }
    return list_tables(source, &source->tables, e);
}

int source_open_postgres(const struct config *c, struct source **out, struct err *e)
{
    static const struct source_calls calls = {.close = close_postgres,
                                              .tables = list_tables,
                                              .columns = list_columns,
                                              .rows = read_rows,
                                              .sequence = read_sequence};
    static const char *const names[] = {
        "host", "port", "dbname", "user", "password", "sslmode", "connect_timeout", "application_name", NULL};
    struct postgres_source *s = mem_alloc(sizeof(*s));
    char port[8];
    int rc = 0;

    snprintf(port, sizeof(port), "%lld", (long long)c->database.postgres.port);
    const char *const values[] = {c->database.postgres.host,
                                  port,
                                  c->database.postgres.name,
                                  c->database.postgres.user,
                                  c->database.postgres.pass,
                                  *config_sslmode(c) ? config_sslmode(c) : "prefer",
                                  CONNECT_SECONDS,
                                  "headway import",
                                  NULL};
    s->source.calls = &calls;
    s->source.name = source_name(c);
    s->db = PQconnectdbParams(names, values, 0);
    if (!s->db || PQstatus(s->db) != CONNECTION_OK)
        rc = say(&s->source, "cannot connect: ", s->db ? PQerrorMessage(s->db) : "no memory", e);
    if (rc == 0)
        rc = begin(&s->source, e);
    strs_sort(&s->source.tables);
    if (rc < 0) {
        source_close(&s->source);
        return rc;
    }
    *out = &s->source;
    return 0;
}
