/* SPDX-License-Identifier: BSD-3-Clause */
/* A complete daemon except for HTTP, and clients connected to it that the test's thread controls. For cmocka: errors
 * fail the test. Include cmocka.h first. */
#ifndef TESTS_SHARED_DAEMON_FIXTURE_H
#define TESTS_SHARED_DAEMON_FIXTURE_H

#include <pthread.h>
#include <time.h>

#include "base/mem.h"
#include "base/vec.h"
#include "config/config.h"
#include "core/core.h"
#include "shared/client/ts_client.h"
#include "store/store.h"
#include "json/json.h"

#define DAEMON_WAIT_SECONDS 20

extern struct test_daemon {
    struct config *config;
    struct store *store;
    struct tailnet *tailnet;
    struct core *core;
    struct netmap *netmap;
    struct loops *loops;
    struct control *control;
    struct front *front;
    uint8_t public_key[32];
    char *key; /* a reusable pre-auth key of alice */
    uint64_t alice;
} test_daemon;

int test_daemon_set_up(void **state); /* cmocka's group fixtures */
int test_daemon_tear_down(void **state);
int test_daemon_admin(struct core_admin *a); /* waits and returns the code; the caller releases the call */
void test_daemon_delete(uint64_t node_id);

extern pthread_mutex_t test_daemon_lock; /* for what other threads report to the test */
extern pthread_cond_t test_daemon_changed;
void test_daemon_set(bool *flag); /* takes the lock and wakes waiting threads */

/* Waits for a condition, which is tested under the lock. */
#define DAEMON_WAIT(condition)                                                                                         \
    do {                                                                                                               \
        struct timespec until;                                                                                         \
        clock_gettime(CLOCK_REALTIME, &until);                                                                         \
        until.tv_sec += DAEMON_WAIT_SECONDS;                                                                           \
        pthread_mutex_lock(&test_daemon_lock);                                                                         \
        int late = 0;                                                                                                  \
        while (!(condition) && !late)                                                                                  \
            late = pthread_cond_timedwait(&test_daemon_changed, &test_daemon_lock, &until);                            \
        pthread_mutex_unlock(&test_daemon_lock);                                                                       \
        if (late)                                                                                                      \
            fail_msg("waited %d s for %s", DAEMON_WAIT_SECONDS, #condition);                                           \
    } while (0)

struct test_client {
    struct ts_client_options options;
    struct ts_client *ts;
    uint8_t node_key[KEY_LEN], disco_key[KEY_LEN];
    char name[32];
    unsigned version;
    bool open, closed, replied, ended;
    int status; /* of the last call */
    struct buf answer;
    /* for the loop's thread */
    const char *method, *path;
    char *body;
    int32_t stream;
    struct buf part; /* of the message being received */
    VEC(char *) messages;
    size_t read; /* number of messages read */
};

void test_client_start(struct test_client *c, const char *name); /* with fresh keys, connected */
void test_client_stop(struct test_client *c);
void test_client_leave(struct test_client *c); /* stops it and deletes its node */
void test_client_connect(struct test_client *c);
void test_client_disconnect(struct test_client *c);
uint64_t test_client_id(const struct test_client *c); /* of its node */

/* Calls the server; the client takes ownership of the body. test_client_call waits for the answer,
 * test_client_begin_call only sets replied. */
void test_client_begin_call(struct test_client *c, const char *method, const char *path, char *body);
int test_client_call(struct test_client *c, const char *method, const char *path, char *body);
/* A body with the client's keys, and more members by format, each preceded by a comma. */
char *test_client_request(const struct test_client *c, const char *format, ...) __attribute__((format(printf, 2, 3)));
json_t *test_client_answer(const struct test_client *c); /* of the last call; caller frees */
void test_client_assert_answer(const struct test_client *c, const char *member, const char *want);
void test_client_join(struct test_client *c); /* registers with the key */

/* Opens the stream; hostinfo: more members of Hostinfo, each preceded by a comma. */
void test_client_poll(struct test_client *c, const char *hostinfo);
json_t *test_client_hear(struct test_client *c); /* the next message; caller frees */
void test_client_hears(struct test_client *c,
                       const char *part); /* waits until an unread message contains it; they remain unread */
void test_client_ignore_all(struct test_client *c);

#endif
