/* SPDX-License-Identifier: BSD-3-Clause */
#include "database/database.h"

#include <signal.h>
#include <stdlib.h>
#include <systemd/sd-daemon.h>
#include <time.h>

#include "base/file.h"
#include "base/log.h"
#include "control/control.h"
#include "core/core.h"
#include "import/import.h"

static struct store_postgres postgres_of(const struct config *c, const uint8_t *noise_key)
{
    return (struct store_postgres){.host = c->database.postgres.host,
                                   .port = (uint16_t)c->database.postgres.port,
                                   .name = c->database.postgres.name,
                                   .user = c->database.postgres.user,
                                   .pass = c->database.postgres.pass,
                                   .sslmode = config_sslmode(c),
                                   .options = c->database.postgres.options,
                                   .noise_key = noise_key};
}

/* ---- looking ---- */

static void check_postgres(const struct config *c, bool test, struct store_image *image, struct strs *problems)
{
    uint8_t key[KEY_LEN];
    struct err e;

    *image = (struct store_image){0};
    if (control_key_public(c->noise.private_key_path, key, &e) <
        0) /* reported already, or the daemon makes one at start */
        return;
    struct store_postgres with = postgres_of(c, key);
    int rc = store_check_postgres(&with, image, &e);
    if (rc < 0 && (test || rc != ERR_UNAVAILABLE))
        config_problem(c, problems, "database.postgres", e.message);
}

static void check_sqlite(const struct config *c, struct store_image *image, struct strs *problems)
{
    struct err e;

    if (store_check(c->database.sqlite_path, image, &e) == 0)
        return;
    char *advice = import_advice(c);
    config_problem(c, problems, "database.sqlite.path", advice ? advice : e.message);
    free(advice);
}

void database_check(const struct config *c, bool test, struct store_image *image, struct strs *problems)
{
    if (config_is_postgres(c))
        check_postgres(c, test, image, problems);
    else
        check_sqlite(c, image, problems);
}

static bool holds_policy(const struct config *c, const struct store_image *image)
{
    return config_is_postgres(c) ? image->policy_count && *image->policies[0]->text
                                 : store_holds_policy(c->database.sqlite_path);
}

void database_check_policy(const struct config *c, const struct store_image *image, struct strs *problems,
                           struct strs *notes)
{
    static struct user *const nobody[1];
    struct buf said = BUF_INIT(0);

    if (!config_policy_is_file(c))
        return;
    core_check_policy(c, !image->run ? NULL : image->users ? image->users : nobody, image->user_count, &said);
    if (said.len)
        config_problem(c, holds_policy(c, image) ? notes : problems, "policy.path", buf_text(&said));
    buf_release(&said);
}

/* ---- opening ---- */

static int open_postgres(const struct config *c, const uint8_t *noise_key, struct store **out, struct err *e)
{
    static struct log_limit limit;
    struct store_postgres with = postgres_of(c, noise_key);
    sigset_t ends;
    int rc;

    sigemptyset(&ends);
    sigaddset(&ends, SIGTERM);
    sigaddset(&ends, SIGINT);
    while ((rc = store_open_postgres(&with, out, e)) == ERR_UNAVAILABLE) {
        log_limited(&limit, 6, LOG_LEVEL_WARN, "start", "waiting for the database: %s", e->message);
        sd_notify(0, "EXTEND_TIMEOUT_USEC=30000000\nSTATUS=Waiting for the database");
        if (sigtimedwait(&ends, NULL, &(struct timespec){.tv_sec = 1}) > 0)
            return err_set(e, ERR_UNAVAILABLE, "stopped while it waited for the database");
    }
    return rc;
}

int database_open(const struct config *c, const uint8_t noise_key[KEY_LEN], struct store **out, struct err *e)
{
    const char *path = c->database.sqlite_path;
    int rc;

    if (config_is_postgres(c))
        return open_postgres(c, noise_key, out, e);
    return (rc = file_make_parents(path, 0750, e)) < 0 ? rc : store_open(path, out, e);
}

/* ---- moving ---- */

static const char *sqlite_file(const char *text)
{
    return text && str_starts(text, "sqlite:") && text[7] ? text + 7 : NULL;
}

int database_migrate(const struct config *c, const char *from, const char *to, FILE *out, struct err *e)
{
    bool up = to && str_eq(to, "postgres");
    const char *file = sqlite_file(up ? from : to);
    struct store_moved moved = {0};
    uint8_t key[KEY_LEN];
    int rc;

    if (!file || !from || !str_eq(up ? to : from, "postgres"))
        return err_set(e, ERR_INVALID,
                       "name what is moved: --from sqlite:FILE --to postgres, or --from postgres --to sqlite:FILE");
    if ((rc = control_key_public(c->noise.private_key_path, key, e)) < 0)
        return rc;
    struct store_postgres with = postgres_of(c, key);
    rc = up ? store_move_to_postgres(file, &with, &moved, e) : store_move_to_sqlite(&with, file, &moved, e);
    if (rc < 0)
        return rc;
    fprintf(out, "Moved %llu users, %llu nodes and %llu entries of the journal, and compared them.\n",
            (unsigned long long)moved.users, (unsigned long long)moved.nodes, (unsigned long long)moved.events);
    if (up)
        fprintf(out, "Set database.type to postgres, start headwayd, and put %s away: it grows old.\n", file);
    else
        fprintf(out, "Set database.type to sqlite and database.sqlite.path to that file, and start headwayd.\n");
    return 0;
}
