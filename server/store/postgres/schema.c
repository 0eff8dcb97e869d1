/* SPDX-License-Identifier: BSD-3-Clause */
/* The schema headway of a database: created and migrated inside one transaction. Besides the tables of every engine it
 * has one row with its owner and its version. */
#include "base/log.h"
#include "crypto/crypto.h"
#include "store/postgres/pg.h"

#define UPGRADE_WAIT_MS 600000 /* per step: an index reads large tables in full */

static const char server_table[] = "CREATE TABLE server(one boolean PRIMARY KEY DEFAULT true CHECK(one), \"schema\" "
                                   "int NOT NULL, oldest int NOT NULL, "
                                   "noise_key bytea NOT NULL, run bigint NOT NULL, leader text NOT NULL, pid int NOT "
                                   "NULL, \"commit\" bigint NOT NULL, "
                                   "beat timestamptz NOT NULL) WITH (fillfactor=10);\n";
/* Leaves room for frequently changed rows on their own page. */
static const char first_step[] = "ALTER TABLE node SET (fillfactor=80); ALTER TABLE node_live SET (fillfactor=80);\n";

static int check_empty(struct pg_conn *c, struct err *e)
{
    int64_t tables = 0;
    int code = pg_number(c,
                         "SELECT count(*) FROM pg_tables WHERE schemaname='public' AND tablename IN "
                         "('migrations','users','nodes')",
                         0, &tables, e);

    if (code == 0 && tables == 3)
        return err_set(
            e, ERR_UNSUPPORTED,
            "%s: this database is headscale's: 'headwayd import' takes it over, then 'headwayd migrate' moves "
            "it into PostgreSQL",
            c->place->called);
    return code;
}

static int check_owner(struct pg_conn *c, struct err *e)
{
    struct buf sql = BUF_INIT(0);
    int64_t same = 0;

    buf_adds(&sql, "SELECT count(*) FROM server WHERE noise_key='\\x");
    crypto_hex(&sql, c->place->noise_key, KEY_LEN);
    buf_adds(&sql, "'");
    int code = pg_number(c, buf_text(&sql), 0, &same, e);
    buf_release(&sql);
    if (code == 0 && !same)
        return err_set(
            e, ERR_UNSUPPORTED,
            "%s: it belongs to a server with another noise key: restore the file of noise.private_key_path, or "
            "name another database",
            c->place->called);
    return code;
}

/* Two builds between two releases may give one version to two schemas. */
static int check_columns(struct pg_conn *c, unsigned version, struct err *e)
{
    struct buf sql = BUF_INIT(0);
    const struct store_table *t;
    const struct member *column;
    int64_t first = -1;

    buf_adds(&sql, "SELECT min(n) FROM (VALUES");
    for (size_t i = 0; (column = schema_column(version, i, &t)); i++)
        buf_addf(&sql, "%s(%zu,'%s','%s')", i ? "," : "", i, t->name, column->name);
    buf_adds(&sql,
             ") AS wanted(n,t,c) WHERE NOT EXISTS(SELECT 1 FROM pg_attribute a JOIN pg_class r ON r.oid=a.attrelid "
             "JOIN pg_namespace s ON s.oid=r.relnamespace WHERE s.nspname='headway' AND r.relname=t AND a.attname=c "
             "AND NOT a.attisdropped)");
    int code = pg_number(c, buf_text(&sql), -1, &first, e);
    buf_release(&sql);
    if (code < 0 || first < 0 || !(column = schema_column(version, (size_t)first, &t)))
        return code;
    return err_set(e, ERR_UNSUPPORTED,
                   "%s: column %s of table %s is missing from schema %u: a headway from between two releases made this "
                   "database: run that one, or restore a backup",
                   c->place->called, column->name, t->name, version);
}

int pg_schema_check(struct pg_conn *c, unsigned *version, struct err *e)
{
    int64_t tables = 0, schema = 0, oldest = 0;
    unsigned newest = schema_newest();
    int code =
        pg_number(c, "SELECT count(*) FROM pg_tables WHERE schemaname='headway' AND tablename='server'", 0, &tables, e);

    *version = 0;
    if (code < 0)
        return code;
    if (!tables)
        return check_empty(c, e);
    if ((code = pg_number(c, "SELECT \"schema\" FROM server", 0, &schema, e)) < 0 ||
        (code = pg_number(c, "SELECT oldest FROM server", 0, &oldest, e)) < 0)
        return code;
    if (schema < 1)
        return err_set(e, ERR_UNSUPPORTED, "%s: its schema headway was not made by headway", c->place->called);
    if (oldest > (int64_t)newest)
        return err_set(e, ERR_UNSUPPORTED,
                       "%s: a newer headway wrote this database (schema %lld, this one knows %u): run that version",
                       c->place->called, (long long)schema, newest);
    *version = (unsigned)schema;
    code = check_owner(c, e);
    return code < 0 ? code : check_columns(c, *version, e);
}

static void add_server(struct pg_conn *c, struct buf *sql)
{
    buf_adds(sql, server_table);
    buf_adds(sql, first_step);
    buf_adds(sql, "INSERT INTO server VALUES(true,1,1,'\\x");
    crypto_hex(sql, c->place->noise_key, KEY_LEN);
    buf_adds(sql, "',0,'',0,0,clock_timestamp());\n");
}

int pg_schema_upgrade(struct pg_conn *c, struct err *e)
{
    struct buf sql = BUF_INIT(0);
    unsigned version = 0, newest = schema_newest();
    int code = pg_schema_check(c, &version, e);

    if (code < 0 || version >= newest)
        return code;
    if (version)
        log_info("store", "%s: migrating from schema %u to %u", c->place->called, version, newest);
    buf_adds(&sql, "BEGIN;\n" PG_NO_TRANSACTION_LIMIT ";\n");
    if (!version)
        buf_adds(&sql, "CREATE SCHEMA IF NOT EXISTS headway;\n");
    for (unsigned v = version + 1; v <= newest; v++) {
        schema_statements(&pg_dialect, v, &sql);
        if (v == 1)
            add_server(c, &sql);
    }
    buf_addf(&sql, "UPDATE server SET \"schema\"=%u, oldest=%u;\nCOMMIT", newest, newest);
    int64_t wait_ms = c->wait_ms;
    c->wait_ms = UPGRADE_WAIT_MS;
    code = pg_execute(c, buf_text(&sql), e);
    c->wait_ms = wait_ms;
    if (code < 0) {
        err_prefix(e, "schema version %u", newest);
        if (c->db && pg_execute(c, "ROLLBACK", NULL) < 0)
            pg_disconnect(c);
    }
    buf_release(&sql);
    return code;
}
