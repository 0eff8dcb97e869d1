/* SPDX-License-Identifier: BSD-3-Clause */
/* Connections: made and waited for with time limits, and errors that tell people what to do. */
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/array.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "store/postgres/pg.h"

#define OLDEST_SERVER 140000

void pg_place_take(struct pg_place *place, const struct store_postgres *with)
{
    place->host = mem_strdup(with->host);
    place->port = with->port ? mem_format("%u", with->port) : mem_strdup("");
    place->name = mem_strdup(with->name);
    place->user = mem_strdup(with->user);
    place->pass = mem_strdup(with->pass);
    place->sslmode = mem_strdup(with->sslmode);
    place->options = mem_strdup(with->options);
    place->called = mem_format("PostgreSQL database %.60s on %.80s", *with->name ? with->name : "(default)",
                               *with->host ? with->host : "this machine");
    memcpy(place->noise_key, with->noise_key, KEY_LEN);
}

void pg_place_release(struct pg_place *place)
{
    free(place->host);
    free(place->port);
    free(place->name);
    free(place->user);
    free(place->pass);
    free(place->sslmode);
    free(place->options);
    free(place->called);
}

/* ---- errors ---- */

static const struct {
    const char *state; /* prefix of an SQLSTATE; the first match counts */
    int code;
    const char *advice;
} states[] = {
    {"23", ERR_CONFLICT, ""},
    {"53100", ERR_UNAVAILABLE, "the server's disk is full, nothing was changed"},
    {"53", ERR_UNAVAILABLE, ""},
    {"57", ERR_UNAVAILABLE, ""},
    {"58", ERR_UNAVAILABLE, ""},
    {"08", ERR_UNAVAILABLE, ""},
    {"55P03", ERR_UNAVAILABLE, "another program has locked a table"},
    {"25006", ERR_UNAVAILABLE, "the server is a standby and cannot write"},
    {"25P0", ERR_UNAVAILABLE, ""},
    {"42501", ERR_UNAVAILABLE, ""},
    {"40", ERR_UNAVAILABLE, ""},
    {"XX001", ERR_IO, "the database is damaged: restore a backup"},
    {"XX002", ERR_IO, "the database is damaged: restore a backup"},
};

/* The server's text is cut after its first line, and may hold anything. */
static char *first_line(const char *message)
{
    char *line = mem_strndup(message ? message : "", strcspn(message ? message : "", "\r\n"));
    char *clean = str_clean(line, 160);

    free(line);
    return clean;
}

int pg_error(struct pg_conn *c, const PGresult *r, const char *doing, struct err *e)
{
    const char *state = r ? PQresultErrorField(r, PG_DIAG_SQLSTATE) : NULL;
    const char *severity = r ? PQresultErrorField(r, PG_DIAG_SEVERITY_NONLOCALIZED) : NULL;
    const char *primary = r ? PQresultErrorField(r, PG_DIAG_MESSAGE_PRIMARY) : NULL;
    char *line = first_line(primary ? primary : c->db ? PQerrorMessage(c->db) : "");
    const char *called = c->place->called, *advice = "";
    int code = state ? ERR_IO : ERR_UNAVAILABLE;

    for (size_t i = 0; state && i < ARRAY_LEN(states); i++)
        if (str_starts(state, states[i].state)) {
            code = states[i].code;
            advice = states[i].advice;
            break;
        }
    if (!pg_alive(c) || (severity && !str_eq(severity, "ERROR"))) {
        code = ERR_UNAVAILABLE;
        pg_disconnect(c);
    }
    if (code == ERR_CONFLICT)
        err_set(e, ERR_CONFLICT, "%s", line);
    else if (*advice)
        err_set(e, (enum err_code)code, "%s: %s", called, advice);
    else
        err_set(e, (enum err_code)code, "%s: cannot %s: %s", called, doing, *line ? line : "it does not answer");
    free(line);
    return code;
}

/* ---- connections ---- */

static void take_notice(void *arg, const PGresult *r)
{
    struct pg_conn *c = arg;
    const char *state = PQresultErrorField(r, PG_DIAG_SQLSTATE);
    char *line = first_line(PQresultErrorMessage(r));

    log_debug("store", "%s says: %s", c->place->called, line);
    if (state && str_starts(state, "57"))
        c->warned = true;
    free(line);
}

/* libpq applies its own timeout to each host of a list. Fixed parameters come last, because the last one counts. */
static PGconn *connect_place(const struct pg_place *p, const char *purpose)
{
    char *program = mem_format("headway %s", purpose);
    const char *names[16], *values[16];
    size_t n = 0;
    const char *const pairs[][2] = {
        {"dbname", p->options}, /* a whole connection string, expanded; later parameters override it */
        {"dbname", p->name},
        {"host", p->host},
        {"port", p->port},
        {"user", p->user},
        {"password", p->pass},
        {"sslmode", p->sslmode},
        {"target_session_attrs", "read-write"},
        {"connect_timeout", "2"},
        {"tcp_user_timeout", "5000"},
        {"keepalives_idle", "5"},
        {"application_name", program},
        {"client_encoding", "UTF8"},
    };

    for (size_t i = 0; i < ARRAY_LEN(pairs); i++)
        if (*pairs[i][1]) {
            names[n] = pairs[i][0];
            values[n++] = pairs[i][1];
        }
    names[n] = values[n] = NULL;
    PGconn *db = PQconnectdbParams(names, values, 1);
    free(program);
    return db;
}

void pg_disconnect(struct pg_conn *c)
{
    PQfinish(c->db);
    c->db = NULL;
}

bool pg_alive(const struct pg_conn *c)
{
    return c->db && PQstatus(c->db) == CONNECTION_OK;
}

bool pg_still_there(struct pg_conn *c)
{
    /* The server's last messages arrive before the end of the connection. */
    for (int i = 0; i < 4 && pg_alive(c); i++) {
        struct pollfd p = {.fd = PQsocket(c->db), .events = POLLIN};
        if (poll(&p, 1, 0) <= 0)
            return true;
        if (!PQconsumeInput(c->db))
            return false;
    }
    return pg_alive(c);
}

static int check_server(struct pg_conn *c, struct err *e)
{
    int version = PQserverVersion(c->db);

    if (version >= OLDEST_SERVER)
        return 0;
    err_set(e, ERR_UNSUPPORTED, "%s: the server is PostgreSQL %d; headway needs at least %d", c->place->called,
            version / 10000, OLDEST_SERVER / 10000);
    pg_disconnect(c);
    return ERR_UNSUPPORTED;
}

/* libpq's own message would quote the text, which may contain a password. */
static bool check_options(const struct pg_place *place)
{
    char *why = NULL;
    PQconninfoOption *options = PQconninfoParse(place->options, &why);
    bool good = options || !*place->options;

    PQconninfoFree(options);
    PQfreemem(why);
    return good;
}

int pg_connect(struct pg_conn *c, const struct pg_place *place, const char *purpose, struct err *e)
{
    static const char settings[] =
        "SET search_path=headway; SET timezone='UTC'; SET bytea_output=hex; SET standard_conforming_strings=on; "
        "SET default_transaction_isolation='read committed'; SET client_min_messages=warning; SET lock_timeout='2s'; "
        "SET statement_timeout=0; "
        /* If the role or the server does not wait for its disk, this session does. */
        "SELECT set_config('synchronous_commit','on',false) WHERE current_setting('synchronous_commit')='off'";

    pg_disconnect(c);
    *c = (struct pg_conn){.place = place, .wait_ms = 10000};
    if (!check_options(place))
        return err_field(e, ERR_INVALID, "database.postgres.options",
                         "database.postgres.options: this is no connection string of libpq");
    c->db = connect_place(place, purpose);
    if (!pg_alive(c)) {
        char *line = first_line(c->db ? PQerrorMessage(c->db) : "no memory");
        err_set(e, ERR_UNAVAILABLE, "%s: cannot connect: %s", place->called, line);
        free(line);
        pg_disconnect(c);
        return ERR_UNAVAILABLE;
    }
    PQsetNoticeReceiver(c->db, take_notice, c);
    PQsetnonblocking(c->db, 1);
    int code = check_server(c, e);
    if (code == 0 && (code = pg_execute(c, settings, e)) < 0)
        pg_disconnect(c);
    return code;
}

/* ---- waiting ---- */

/* Sends what is left and reads input until there is a result. */
static bool wait_for_result(struct pg_conn *c, int64_t until_ms)
{
    for (;;) {
        int unsent = PQflush(c->db);
        struct pollfd p = {.fd = PQsocket(c->db), .events = (short)(POLLIN | (unsent ? POLLOUT : 0))};
        int64_t left = until_ms - clock_mono_ms();
        if (unsent < 0)
            return false;
        if (!PQisBusy(c->db))
            return true;
        if (p.fd < 0 || left <= 0)
            return false;
        int ready = poll(&p, 1, (int)left);
        if (ready < 0 && errno != EINTR)
            return false;
        if (ready > 0 && (p.revents & ~POLLOUT) && !PQconsumeInput(c->db))
            return false;
    }
}

PGresult *pg_next(struct pg_conn *c)
{
    if (!c->db)
        return NULL;
    if (!wait_for_result(c, clock_mono_ms() + c->wait_ms)) {
        pg_disconnect(c);
        return NULL;
    }
    return PQgetResult(c->db);
}

int pg_execute(struct pg_conn *c, const char *sql, struct err *e)
{
    PGresult *r;
    int code = 0;

    if (!c->db || !PQsendQuery(c->db, sql))
        return pg_error(c, NULL, "write", e);
    while ((r = pg_next(c))) {
        ExecStatusType status = PQresultStatus(r);
        if (code == 0 && status != PGRES_COMMAND_OK && status != PGRES_TUPLES_OK)
            code = pg_error(c, r, "write", e);
        PQclear(r);
    }
    return code == 0 && !pg_alive(c) ? pg_error(c, NULL, "write", e) : code;
}

int pg_number(struct pg_conn *c, const char *sql, int64_t fallback, int64_t *out, struct err *e)
{
    PGresult *r;
    int code = 0;

    *out = fallback;
    if (!c->db || !PQsendQuery(c->db, sql))
        return pg_error(c, NULL, "read", e);
    while ((r = pg_next(c))) {
        ExecStatusType status = PQresultStatus(r);
        if (code == 0 && status != PGRES_COMMAND_OK && status != PGRES_TUPLES_OK)
            code = pg_error(c, r, "read", e);
        if (status == PGRES_TUPLES_OK && PQntuples(r) && !PQgetisnull(r, 0, 0))
            *out = strtoll(PQgetvalue(r, 0, 0), NULL, 10);
        PQclear(r);
    }
    return code == 0 && !pg_alive(c) ? pg_error(c, NULL, "read", e) : code;
}
