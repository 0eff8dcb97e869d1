/* SPDX-License-Identifier: BSD-3-Clause */
/* What keeping things costs: durable groups one by one and in a queue, soft state, and reading all of it at a start. */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/mem.h"
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

static void line(const char *what, int64_t us, double count)
{
    printf("%-52s %10.1f ms in all %10.1f us each\n", what, (double)us / 1000, (double)us / count);
}

static void run(const char *path)
{
    struct node_live live = {.last_seen_ns = 1, .net_info = (char[]){"{\"PreferredDERP\":1}"}, .source = (char[]){""}};
    struct store_image image;
    struct store *s;
    struct err e;
    int64_t start;

    if (store_open(path, &s, &e) < 0) {
        fprintf(stderr, "%s\n", e.message);
        exit(1);
    }
    start = clock_mono_us();
    for (uint64_t id = 1; id <= 200; id++) {
        submit(s, 1, id);
        wait_for(1);
    }
    line("200 registrations one by one, each durable", clock_mono_us() - start, 200);
    start = clock_mono_us();
    for (uint64_t id = 201; id <= NODES; id++)
        submit(s, 1, id);
    wait_for(NODES - 200);
    line("9,800 registrations in a queue", clock_mono_us() - start, NODES - 200);
    for (uint64_t id = 1; id <= NODES; id++)
        store_live(s, id, &live);
    start = clock_mono_us();
    store_close(s);
    line("soft state of 10,000 nodes, and closing", clock_mono_us() - start, NODES);
    start = clock_mono_us();
    if (store_open(path, &s, &e) < 0 || store_load(s, &image, &e) < 0) {
        fprintf(stderr, "%s\n", e.message);
        exit(1);
    }
    line("a start with 10,000 nodes", clock_mono_us() - start, NODES);
    store_image_release(&image);
    store_close(s);
}

int main(void)
{
    static const char *const ends[] = {"", "-wal", "-shm", ".lock"};
    char folder[] = "/var/tmp/headway-bench.XXXXXX", *path;

    if (!mkdtemp(folder))
        return 1;
    path = mem_format("%s/db", folder);
    run(path);
    for (size_t i = 0; i < 4; i++) {
        char *file = mem_format("%s%s", path, ends[i]);
        unlink(file);
        free(file);
    }
    rmdir(folder);
    free(path);
    return 0;
}
