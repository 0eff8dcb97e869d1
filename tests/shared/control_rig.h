/* SPDX-License-Identifier: BSD-3-Clause */
/* The public listener, the lower half of control with a few calls, and clients that the test's thread controls. For
 * cmocka: errors fail the test. */
#ifndef TESTS_SHARED_CONTROL_RIG_H
#define TESTS_SHARED_CONTROL_RIG_H

#include <semaphore.h>
#include <stdatomic.h>

#include "base/buf.h"
#include "front/front.h"
#include "rpc/rpc.h"
#include "shared/client/ts_client.h"

#define RIG_WAIT_SECONDS 20

extern struct rig {
    /* Set before rig_set_up; all are optional. */
    const char *cert_path, *key_path;
    struct prefixes trusted_proxies;
    unsigned head_ms, heads_max, stall_ms;
    struct rpc_times times;
    void (*other)(void *arg, int fd, const struct addr_port *peer, bool reserved);

    struct loops *loops; /* two: clients are on the second */
    struct rpc_server *server;
    struct front *front;
    uint8_t public_key[32];
    atomic_bool all_known;  /* all machines are known */
    atomic_bool known_here; /* the address of connecting clients is that of a known node */

    /* What the server's handlers saw last. */
    sem_t closed, written;
    _Atomic(struct rpc *) stream;
    _Atomic enum rpc_end why;
    atomic_uint pulls;
    atomic_uint answered, lost; /* PINGs of connections with an owner; owner 1 answers, 2 does not */
    char path[256], query[256], method[16], peer[ADDR_PORT_TEXT_MAX];
} rig;

/* cmocka's group and test fixtures. rig_after waits until everything that the test left behind is gone. */
int rig_set_up(void **state);
int rig_tear_down(void **state);
int rig_before(void **state);
int rig_after(void **state);

void rig_wait(sem_t *s); /* fails the test after RIG_WAIT_SECONDS */

/* The calls:
 *   POST, HEAD /machine/echo    answers with the body
 *   POST /machine/talk?N,SIZE   a stream of N messages, one a pull, and ",e": it ends after them
 *   any /machine/busy/...       429 */

/* Makes the stream in rig.stream send one more message; on its loop's thread. */
void rig_more(void *rpc);

struct rig_client {
    struct ts_client_options o;
    struct ts_client *ts;
    sem_t open, closed, replied, ended; /* replied: a call was answered, or a complete message arrived */
    const char *why;                    /* when closed */
    int status;
    uint32_t error;
    struct buf answer;
    unsigned messages;
    size_t bytes;
    int32_t stream;
    const char *method, *path, *body;
    size_t body_len;
};

void rig_client_init(struct rig_client *c); /* o may be changed afterwards */
void rig_client_dial(struct rig_client *c);
void rig_client_connect(struct rig_client *c); /* rig_client_init, rig_client_dial, and waits until it is open */
void rig_client_disconnect(struct rig_client *c);
void rig_client_call(struct rig_client *c, const char *method, const char *path, const char *body, size_t len);
void rig_client_stream(struct rig_client *c, const char *path);

#endif
