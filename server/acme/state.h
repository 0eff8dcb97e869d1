/* SPDX-License-Identifier: BSD-3-Clause */
/* Private to this room. */
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
    struct front *front; /* for HTTP-01; NULL: none */
    struct acme_port port;
    struct acme_challenges challenges;
    struct uacme uacme; /* used by the thread only */
    char *record_path;
    struct thread thread;
    pthread_mutex_t lock; /* guards what follows */
    pthread_cond_t wake;
    bool stopping;
    struct acme_record record;  /* written by the thread only */
    int64_t begins_ns, ends_ns; /* of the certificate; 0: there is none */
    uint64_t issued, failed;
};

/* When the next order is due; call with the lock held. */
int64_t acme_due(const struct acme *a, int64_t now_ns);
/* The thread. */
void *acme_work(void *arg);

#endif
