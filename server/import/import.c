/* SPDX-License-Identifier: BSD-3-Clause */
#include "import/import.h"

#include <limits.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/mem.h"
#include "import/place.h"
#include "import/read.h"
#include "import/report.h"
#include "model/events.h"

struct job {
    const struct import_options *options;
    FILE *out, *errors;
    struct config *headscale; /* NULL: only the database was given */
    const char *noise_key, *derp_key;
    char *database; /* headscale's file, absolute; NULL: PostgreSQL */
    bool busy;      /* headscale seems to be running */
    struct import_place place;
    struct reading reading;
    struct buf config_text;
};

static int say(struct job *j, const struct err *e)
{
    file_say(j->errors, "headwayd import", e->message);
    return 1;
}

/* ---- what is read ---- */

/* The path with links and the working directory resolved. */
static char *absolute(const char *path)
{
    char *real = realpath(path, NULL);
    char *copy = mem_strdup(real ? real : path);

    free(real);
    return copy;
}

/* Settings that headway cannot use are no reason to stop: only the locations are needed. */
static int load_config(struct job *j, struct err *e)
{
    char *path = absolute(j->options->config);
    struct strs problems = {0};
    int rc = config_load(path, &j->headscale, &problems, e);

    if (rc < 0) {
        rc = access(path, R_OK) < 0 ? rc : 0;
        if (rc == 0)
            (void)!config_load_for_client(path, &j->headscale, NULL);
        if (rc == 0)
            *e = (struct err){0};
        for (size_t i = 0; rc == 0 && i < problems.len; i++)
            if (!strstr(problems.items[i], "database.type"))
                report_add(&j->reading.report, REPORT_LEFT, REPORT_CONFIGURATION, "", "%s", problems.items[i]);
    }
    strs_release(&problems);
    free(path);
    return rc;
}

static int find_source(struct job *j, struct err *e)
{
    const struct import_options *o = j->options;
    int rc = o->config ? load_config(j, e) : 0;

    if (rc < 0)
        return rc;
    const struct config *c = j->headscale;
    if (!o->database && !c)
        return err_set(e, ERR_INVALID,
                       "name headscale's configuration with --config, or its files with --database and "
                       "--noise-key");
    if (o->database)
        j->database = absolute(o->database);
    else if (!config_is_postgres(c) && strs_has(&c->given, "database.sqlite.path"))
        j->database = absolute(c->database.sqlite_path);
    else if (!config_is_postgres(c))
        return err_set(e, ERR_INVALID, "%s names no database: give it with --database", c->file);
    j->noise_key = o->noise_key                                         ? o->noise_key
                   : c && strs_has(&c->given, "noise.private_key_path") ? c->noise.private_key_path
                                                                        : NULL;
    j->derp_key = o->derp_key                                                ? o->derp_key
                  : c && strs_has(&c->given, "derp.server.private_key_path") ? c->derp.server.private_key_path
                                                                             : NULL;
    if (!j->noise_key)
        return err_set(e, ERR_INVALID,
                       "the server's private key is needed, by which clients know it: give it with --noise-key");
    return 0;
}

static bool answers(const char *socket_path)
{
    struct sockaddr_un at = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    bool runs = fd >= 0 && str_copy(at.sun_path, sizeof(at.sun_path), socket_path) &&
                connect(fd, (struct sockaddr *)&at, sizeof(at)) == 0;

    if (fd >= 0)
        close(fd);
    return runs;
}

static int open_source(struct job *j, struct err *e)
{
    int rc = j->database ? source_open_sqlite(j->database, &j->busy, &j->reading.source, e)
                         : source_open_postgres(j->headscale, &j->reading.source, e);

    if (rc == 0 && j->headscale && strs_has(&j->headscale->given, "unix_socket") && answers(j->headscale->unix_socket))
        j->busy = true;
    if (rc == 0 && j->busy && !j->options->dry_run)
        rc = err_set(e, ERR_CONFLICT, "headscale still runs with %s: stop it first, or what happens now would be lost",
                     j->reading.source->name);
    return rc;
}

/* If headscale has not made the relay's key yet, headway will make it. */
static void report_keys(struct job *j)
{
    report_add(&j->reading.report, REPORT_TAKEN, REPORT_KEYS, j->noise_key, "the server's, by which clients know it");
    if (j->derp_key && access(j->derp_key, F_OK) < 0)
        j->derp_key = NULL;
    if (j->derp_key)
        report_add(&j->reading.report, REPORT_TAKEN, REPORT_KEYS, j->derp_key, "the relay's");
}

/* What headway does not do with headscale's settings. */
static void report_notes(struct job *j)
{
    for (size_t i = 0; j->headscale && i < j->headscale->notes.len; i++)
        if (!str_starts(j->headscale->notes.items[i], "database."))
            report_add(&j->reading.report, REPORT_LEFT, REPORT_CONFIGURATION, "", "%s", j->headscale->notes.items[i]);
}

/* Settings of an existing configuration that differ from headscale's: clients may notice some. */
static void report_config(struct job *j)
{
    struct strs live = {0}, restart = {0};

    if (j->place.write_config) {
        place_config_text(&j->place, j->headscale, &j->reading.report, &j->config_text);
        report_add(&j->reading.report, REPORT_TAKEN, REPORT_CONFIGURATION, j->headscale->file, "as %s",
                   j->place.config);
    } else if (j->headscale && j->place.kept) {
        config_diff(j->headscale, j->place.kept, &live, &restart);
        for (size_t i = 0; i < live.len; i++)
            strs_push(&restart, live.items[i]);
        for (size_t i = 0; i < restart.len; i++)
            if (!str_starts(restart.items[i], "database.") && !str_ends(restart.items[i], "private_key_path") &&
                !str_starts(restart.items[i], "unix_socket"))
                report_add(&j->reading.report, REPORT_LEFT, REPORT_CONFIGURATION, restart.items[i],
                           "%s has another value", j->place.config);
    }
    strs_release(&live);
    strs_release(&restart);
}

/* ---- what is written ---- */

static struct event *make_event(const struct job *j, const struct store_image *image, const char *release)
{
    struct event *e = event_new();

    e->run = 1;
    e->r.id = 1;
    e->time_ns = clock_wall_ns();
    mem_replace(&e->kind, event_kind(EVENT_SERVER_IMPORTED));
    mem_replace(&e->actor, "import");
    mem_replace(&e->object, "server");
    free(e->text);
    e->text = mem_format("imported %zu nodes, %zu users, %zu pre-auth keys and %zu API keys of headscale %s from %s",
                         image->node_count, image->user_count, image->preauth_key_count, image->api_key_count, release,
                         j->reading.source->name);
    e->by_admin = true;
    return e;
}

static int write_all(struct job *j, const struct place_files *files, const struct store_image *image,
                     const struct event *event, struct strs *written, struct err *e)
{
    int rc = file_make_parents(j->place.database, 0750, e);

    if (rc == 0)
        rc = store_import(files->part, image, j->reading.source->name, event, e);
    if (rc < 0)
        return rc;
    rc = place_put(&j->place, files, written, e);
    if (rc < 0)
        unlink(files->part);
    return rc;
}

static void print_end(struct job *j, const struct strs *written)
{
    if (j->options->dry_run) {
        fputs("Nothing was written: this was a dry run.\n", j->out);
        if (j->busy)
            fputs("headscale runs: stop it before the import.\n", j->out);
        return;
    }
    for (size_t i = 0; i < written->len; i++)
        file_say(j->out, "Written", written->items[i]);
    if (j->headscale && (j->place.write_config || j->place.kept))
        fprintf(j->out, "headscale's files are as they were. Start headwayd with %s; headscale must not run again.\n",
                j->place.config);
    else
        fprintf(j->out, "headscale's files are as they were. Start headwayd with a configuration that names %s.\n",
                j->place.database);
}

/* headscale has ordered certificates, and headway is to continue with them. */
static bool has_certificates(const struct job *j)
{
    return j->headscale && *j->headscale->acme.hostname &&
           (j->place.write_config || (j->place.kept && *j->place.kept->acme.hostname));
}

static int write_image(struct job *j, const char *release, struct err *e)
{
    struct store_image image;
    struct strs written = {0};
    char *part = mem_format("%s.import-%ld", j->place.database, (long)getpid());
    struct place_files files = {.noise_key = j->noise_key,
                                .derp_key = j->derp_key,
                                .config = j->place.write_config ? &j->config_text : NULL,
                                .part = part};

    if (has_certificates(j)) {
        files.cache = j->headscale->acme.cache_dir;
        files.host = j->headscale->acme.hostname;
    }
    read_take_image(&j->reading, &image);
    struct event *event = make_event(j, &image, release);
    int rc = place_try(&j->place, &files, e);
    if (rc == 0)
        rc = j->options->dry_run ? store_import(":memory:", &image, j->reading.source->name, event, e)
                                 : write_all(j, &files, &image, event, &written, e);
    if (rc == 0) {
        fprintf(j->out, "headscale %s: %s\n", release, j->reading.source->name);
        report_print(&j->reading.report, j->options->all, j->out);
        print_end(j, &written);
    }
    record_unref(event);
    store_image_release(&image);
    strs_release(&written);
    free(part);
    return rc;
}

/* ---- a second run ---- */

static bool is_done(struct job *j, struct err *e)
{
    char *origin = NULL, text[TIME_TEXT_MAX];
    int64_t when = 0;

    if (access(j->place.database, F_OK) < 0)
        return false;
    char *source = j->database ? mem_strdup(j->database) : source_name(j->headscale);
    if (store_imported(j->place.database, &origin, &when) && str_eq(origin, source))
        fprintf(j->out, "%s was imported from %s on %s already: nothing was changed.\n", j->place.database, origin,
                time_format(when / NS_PER_SECOND * NS_PER_SECOND, text));
    else
        err_set(e, ERR_CONFLICT,
                "%s exists, and is another tailnet's: stop headwayd and move it away, or name another place with "
                "--state",
                j->place.database);
    free(source);
    free(origin);
    return true;
}

static int import(struct job *j, struct err *e)
{
    int rc = find_source(j, e);

    if (rc == 0)
        rc = place_find(j->headscale, j->options->to, j->options->state_dir, &j->place, e);
    if (rc == 0 && j->database && str_eq(j->database, j->place.database))
        rc = err_set(e, ERR_CONFLICT, "%s: headscale's database stays as it is: let headway's be another file",
                     j->database);
    if (rc < 0 || is_done(j, e))
        return rc < 0 ? rc : (int)e->code;
    if ((rc = open_source(j, e)) < 0)
        return rc;
    j->reading.config = j->headscale;
    rc = read_all(&j->reading, e);
    if (rc == 0) {
        report_keys(j);
        report_config(j);
        report_notes(j);
    }
    size_t faults = report_faults(&j->reading.report);
    report_print_faults(&j->reading.report, j->errors);
    if (rc == 0 && faults)
        rc = err_set(e, ERR_INVALID, "nothing was written: %zu %s", faults,
                     faults == 1 ? "value of headscale's cannot be taken" : "values of headscale's cannot be taken");
    return rc == 0 ? write_image(j, read_release(&j->reading), e) : rc;
}

int import_run(const struct import_options *o, FILE *out, FILE *errors)
{
    struct job j = {.options = o, .out = out, .errors = errors};
    struct err e = {0};
    int rc = import(&j, &e);

    if (rc < 0)
        (void)say(&j, &e);
    reading_release(&j.reading);
    place_release(&j.place);
    buf_release(&j.config_text);
    config_unref(j.headscale);
    free(j.database);
    return rc < 0;
}
