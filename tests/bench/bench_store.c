/* SPDX-License-Identifier: BSD-3-Clause */
/* What keeping things costs: durable groups one by one and in a queue, soft state, and reading all of it at a
 * start; SQLite and PostgreSQL side by side. */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/mem.h"
#include "shared/postgres/pg_server.h"
#include "store/store.h"

#define NODES 10000

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t wake = PTHREAD_COND_INITIALIZER;
static size_t answered;

static void done(void *arg, int code, const struct err *e)
{
    (void)arg;
    if (code < 0) {
        fprintf(stderr, "%s\n", e->message);
        exit(1);
    }
    pthread_mutex_lock(&lock);
    answered++;
    pthread_cond_signal(&wake);
    pthread_mutex_unlock(&lock);
}

static void wait_for(size_t count)
{
    pthread_mutex_lock(&lock);
    while (answered < count)
        pthread_cond_wait(&wake, &lock);
    answered -= count;
    pthread_mutex_unlock(&lock);
}

static struct node *node_number(uint64_t id)
{
    struct node *n = node_new();
    char name[32], text[1200];

    n->r.id = id;
    for (size_t i = 0; i < KEY_LEN; i++)
        n->machine_key[i] = n->node_key[i] = n->disco_key[i] = (uint8_t)(id >> (i % 8 * 8));
    snprintf(name, sizeof(name), "host-%llu", (unsigned long long)id);
    mem_replace(&n->given_name, name);
    mem_replace(&n->hostname, name);
    strs_push(&n->tags, "tag:bench");
    n->ipv4 = (struct addr){.bits = 32, .bytes = {100, 64, (uint8_t)(id >> 8), (uint8_t)id}};
    snprintf(text, sizeof(text), "{\"Hostname\":\"%s\",\"Fill\":\"%01000d\"}", name, 7);
    mem_replace(&n->hostinfo, text);
    return n;
}

/* A registration: a node and its journal entry. */
static void submit(struct store *s, uint64_t run, uint64_t id)
{
    struct node *n = node_number(id);
    struct event *v = event_new();

    v->run = run;
    v->r.id = id;
    mem_replace(&v->kind, "node.registered");
    mem_replace(&v->text, "host registered with a key");
    store_submit(s, 0, (struct store_write[]){{.record = n}, {.record = v}}, 2, done, NULL);
    record_unref(n);
    record_unref(v);
}

enum { STEPS = 4, ENGINES = 2 };
static const char *const steps[STEPS] = {"200 registrations one by one, each durable", "9,800 registrations in a queue",
                                         "soft state of 10,000 nodes, and closing", "a start with 10,000 nodes"};
static const size_t counts[STEPS] = {200, NODES - 200, NODES, NODES};
static double took_us[ENGINES][STEPS]; /* each */

/* path NULL: the server's database. */
static void open_store(const char *path, struct store **s)
{
    static const uint8_t key[KEY_LEN] = {1};
    const struct store_postgres with = {.host = path ? "" : pg_server_folder(),
                                        .name = "postgres",
                                        .user = PG_SERVER_USER,
                                        .pass = "",
                                        .sslmode = "disable",
                                        .options = "",
                                        .noise_key = key};
    struct err e;

    if ((path ? store_open(path, s, &e) : store_open_postgres(&with, s, &e)) == 0)
        return;
    fprintf(stderr, "%s\n", e.message);
    exit(1);
}

static void note(const char *path, size_t step, int64_t since_us)
{
    took_us[path ? 0 : 1][step] = (double)(clock_mono_us() - since_us) / (double)counts[step];
}

static void run(const char *path)
{
    struct node_live live = {.last_seen_ns = 1, .net_info = (char[]){"{\"PreferredDERP\":1}"}, .source = (char[]){""}};
    struct store_image image;
    struct store *s;
    struct err e;
    int64_t start;

    open_store(path, &s);
    start = clock_mono_us();
    for (uint64_t id = 1; id <= 200; id++) {
        submit(s, 1, id);
        wait_for(1);
    }
    note(path, 0, start);
    start = clock_mono_us();
    for (uint64_t id = 201; id <= NODES; id++)
        submit(s, 1, id);
    wait_for(NODES - 200);
    note(path, 1, start);
    for (uint64_t id = 1; id <= NODES; id++)
        store_live(s, id, &live);
    start = clock_mono_us();
    store_close(s);
    note(path, 2, start);
    start = clock_mono_us();
    open_store(path, &s);
    if (store_load(s, &image, &e) < 0) {
        fprintf(stderr, "%s\n", e.message);
        exit(1);
    }
    note(path, 3, start);
    store_image_release(&image);
    store_close(s);
}

static void run_sqlite(void)
{
    static const char *const ends[] = {"", "-wal", "-shm", ".lock"};
    char folder[] = "/var/tmp/headway-bench.XXXXXX", *path;

    if (!mkdtemp(folder))
        exit(1);
    path = mem_format("%s/db", folder);
    run(path);
    for (size_t i = 0; i < 4; i++) {
        char *file = mem_format("%s%s", path, ends[i]);
        unlink(file);
        free(file);
    }
    rmdir(folder);
    free(path);
}

int main(void)
{
    run_sqlite();
    bool both = pg_server_start();
    if (both) {
        run(NULL);
        pg_server_stop();
    }
    printf("%-46s %14s%s\n", "us each", "SQLite", both ? "     PostgreSQL" : "");
    for (size_t i = 0; i < STEPS; i++) {
        printf("%-46s %14.1f", steps[i], took_us[0][i]);
        if (both)
            printf(" %14.1f", took_us[1][i]);
        printf("\n");
    }
    return 0;
}
