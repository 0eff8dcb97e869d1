/* SPDX-License-Identifier: BSD-3-Clause */
/* Of this room only. */
#ifndef SERVER_ACME_STATE_H
#define SERVER_ACME_STATE_H

#include "acme/acme.h"
#include "acme/cache.h"
#include "acme/http_port.h"
#include "acme/schedule.h"
#include "acme/uacme.h"
#include "base/thread.h"
#include "front/front.h"

struct acme {
    const struct config *config;
    struct loop_tls *tls;
    struct front *front; /* of HTTP-01; NULL: there is none */
    struct acme_port port;
    struct acme_challenges challenges;
    struct uacme uacme; /* the thread's */
    char *record_path;
    struct thread thread;
    pthread_mutex_t lock; /* guards what follows */
    pthread_cond_t wake;
    bool stopping;
    struct acme_record record;  /* written by the thread only */
    int64_t begins_ns, ends_ns; /* of the certificate; 0: there is none */
    uint64_t issued, failed;
};

/* When the next order may be made; under the lock. */
int64_t acme_due(const struct acme *a, int64_t now_ns);
/* The thread. */
void *acme_work(void *arg);

#endif
