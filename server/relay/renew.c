/* SPDX-License-Identifier: BSD-3-Clause */
#include "relay/renew.h"

#include <stdlib.h>

#include "base/log.h"
#include "base/str.h"

/* Call with the lock held. */
int relay_add_names(struct relay *r, struct loop_tls *tls, struct err *e)
{
    int rc = 0;

    if (r->own.pem)
        rc = loop_tls_add_pem(tls, r->own.is.name, r->own.pem, r->own.pem, e);
    if (rc == 0 && r->own.old_pem)
        rc = loop_tls_add_pem(tls, r->own.old.name, r->own.old_pem, r->own.old_pem, e);
    return rc;
}

bool relay_renew(struct relay *r)
{
    struct own_certificate fresh = {0}, before;
    struct err e = {0};

    if (!r->own.pem)
        return false;
    int rc = own_certificate_load(r->options.config->state_dir, r->host, &fresh, &e);
    if (rc < 0)
        log_error("relay", "the relay's certificate stays as it is: %s", e.message);
    if (rc < 0 || str_eq(fresh.pem, r->own.pem)) {
        own_certificate_release(&fresh);
        return false;
    }
    pthread_mutex_lock(&r->lock);
    before = r->own;
    r->own = fresh;
    rc = loop_tls_add_pem(r->tls, "", fresh.pem, fresh.pem, &e);
    if (rc == 0)
        rc = relay_add_names(r, r->tls, &e);
    if (rc == 0 && r->other_tls)
        rc = relay_add_names(r, r->other_tls, &e);
    if (rc < 0)
        r->own = before;
    pthread_mutex_unlock(&r->lock);
    own_certificate_release(rc < 0 ? &fresh : &before);
    if (rc < 0)
        log_error("relay", "the relay's certificate stays as it is: %s", e.message);
    else
        log_info("relay", "the relay's certificate is that for %s now", fresh.is.name);
    return rc == 0;
}
