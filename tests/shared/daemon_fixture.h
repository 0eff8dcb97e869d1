/* SPDX-License-Identifier: BSD-3-Clause */
/* A daemon that is whole but for HTTP, and clients at its door, driven from the test's thread. For cmocka tests: what
 * goes wrong fails the test. Include cmocka.h first. */
#ifndef TESTS_SHARED_HOUSE_H
#define TESTS_SHARED_HOUSE_H

#include <pthread.h>
#include <time.h>

#include "base/mem.h"
#include "base/vec.h"
#include "config/config.h"
#include "core/core.h"
#include "shared/ts_client.h"
#include "store/store.h"
#include "json/json.h"

#define HOUSE_WAIT_SECONDS 20

extern struct house {
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
} house;

int house_set_up(void **state); /* cmocka's group fixtures */
int house_tear_down(void **state);
int house_admin(struct core_admin *a); /* answered: its code; release it */
void house_delete(uint64_t node_id);

extern pthread_mutex_t house_lock; /* of what other threads tell the test */
extern pthread_cond_t house_changed;
void house_set(bool *flag); /* under the lock, and wakes who waits */

/* Waits for a condition under the lock. */
#define HOUSE_WAIT(condition)                                                                                          \
    do {                                                                                                               \
        struct timespec until;                                                                                         \
        clock_gettime(CLOCK_REALTIME, &until);                                                                         \
        until.tv_sec += HOUSE_WAIT_SECONDS;                                                                            \
        pthread_mutex_lock(&house_lock);                                                                               \
        int late = 0;                                                                                                  \
        while (!(condition) && !late)                                                                                  \
            late = pthread_cond_timedwait(&house_changed, &house_lock, &until);                                        \
        pthread_mutex_unlock(&house_lock);                                                                             \
        if (late)                                                                                                      \
            fail_msg("waited %d s for %s", HOUSE_WAIT_SECONDS, #condition);                                            \
    } while (0)

struct guest {
    struct ts_client_options options;
    struct ts_client *ts;
    uint8_t node_key[KEY_LEN], disco_key[KEY_LEN];
    char name[32];
    unsigned version;
    bool open, closed, replied, ended;
    int status; /* of the last call */
    struct buf answer;
    /* what the loop's thread is asked to do */
    const char *method, *path;
    char *body;
    int32_t stream;
    struct buf part; /* of the message that is being received */
    VEC(char *) messages;
    size_t read; /* of them */
};

void guest_start(struct guest *c, const char *name); /* fresh keys, and connected */
void guest_stop(struct guest *c);
void guest_leave(struct guest *c); /* stopped, and its node deleted */
void guest_connect(struct guest *c);
void guest_disconnect(struct guest *c);
uint64_t guest_id(const struct guest *c); /* of its node */

/* Calls; the body becomes the guest's. guest_call waits for the answer, guest_begin_call sets replied. */
void guest_begin_call(struct guest *c, const char *method, const char *path, char *body);
int guest_call(struct guest *c, const char *method, const char *path, char *body);
/* A body with the guest's keys; more members by format, each with a comma in front. */
char *guest_request(const struct guest *c, const char *format, ...) __attribute__((format(printf, 2, 3)));
json_t *guest_answer(const struct guest *c); /* of the last call; the caller's */
void guest_assert_answer(const struct guest *c, const char *member, const char *want);
void guest_join(struct guest *c); /* registers with the key */

/* The stream; hostinfo: more members of it, each with a comma in front. */
void guest_poll(struct guest *c, const char *hostinfo);
json_t *guest_hear(struct guest *c);                 /* the next message; the caller's */
void guest_hears(struct guest *c, const char *part); /* waits until an unread message has it; they stay unread */
void guest_ignore_all(struct guest *c);

#endif
