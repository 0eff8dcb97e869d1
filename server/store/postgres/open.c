/* SPDX-License-Identifier: BSD-3-Clause */
/* Opens and closes the database, and checks whether it answers. */
#include <stdlib.h>

#include "base/log.h"
#include "base/mem.h"
#include "base/thread.h"
#include "store/postgres/pg.h"

static void close_engine(struct engine *engine)
{
    struct pg_engine *en = (struct pg_engine *)engine;

    pg_disconnect(&en->writer);
    pg_disconnect(&en->reader);
    pthread_cond_destroy(&en->reader_free);
    pthread_mutex_destroy(&en->reader_lock);
    pthread_mutex_destroy(&en->writer_lock);
    pg_place_release(&en->place);
    free(en);
}

static void warn_unsafe(struct pg_engine *en)
{
    int64_t unsafe = 0;

    if (pg_number(&en->writer, "SELECT count(*) FROM pg_settings WHERE name='fsync' AND setting='off'", 0, &unsafe,
                  NULL) == 0 &&
        unsafe)
        log_warn("store", "%s: fsync is off: when its machine fails it may lose everything", en->place.called);
}

int pg_engine_open(const struct store_postgres *with, struct engine **out, struct engine_start *start, struct err *e)
{
    static const struct engine_calls calls = {
        .close = close_engine,
        .reach = pg_reach,
        .commit = pg_commit,
        .put_live = pg_put_live,
        .try_writing = pg_try_writing,
        .writing = pg_writing,
        .reading = pg_reading,
        .snapshot = pg_long_snapshot,
        .ping = pg_ping,
    };
    struct pg_engine *en = mem_alloc(sizeof(*en));
    int code;

    en->engine.calls = &calls;
    pthread_mutex_init(&en->reader_lock, NULL);
    thread_cond_init(&en->reader_free);
    pthread_mutex_init(&en->writer_lock, NULL);
    pg_place_take(&en->place, with);
    code = pg_lead_first(en, e);
    if (code == 0)
        warn_unsafe(en);
    start->run = en->run;
    start->first_seq = en->ids.next[RECORD_EVENT];
    *out = &en->engine;
    if (code < 0) {
        close_engine(&en->engine);
        *out = NULL;
    }
    return code;
}

/* ---- checking only ---- */

static int look(struct store_sql *db, void *arg, struct err *e)
{
    struct pg_conn *c = ((struct pg_lent *)db)->conn;
    struct store_image *image = arg;
    unsigned version = 0;
    int code = pg_schema_check(c, &version, e);

    image->run = version ? 0 : 1;
    if (code < 0 || version != schema_newest())
        return code;
    code = sql_load(db, image, e);
    if (code == 0)
        code = image_check(image, e);
    image->run = 1;
    return code;
}

int store_check_postgres(const struct store_postgres *with, struct store_image *image, struct err *e)
{
    struct pg_place place = {0};
    struct pg_conn c = {0};

    *image = (struct store_image){0};
    pg_place_take(&place, with);
    int code = pg_connect(&c, &place, "check", e);
    if (code == 0)
        code = pg_snapshot(&c, look, image, e);
    pg_disconnect(&c);
    pg_place_release(&place);
    return code;
}
