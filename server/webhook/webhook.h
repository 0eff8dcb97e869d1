/* SPDX-License-Identifier: BSD-3-Clause */
/* Webhooks: receivers of others are told by POST what happened in the tailnet, in the form of Tailscale's webhooks
 * (https://tailscale.com/kb/1213/webhooks). What is sent comes from the journal, and the record of each webhook holds
 * up to which entry it was told everything: nothing is lost by an end of the daemon or of the receiver, and after a
 * crash an event may come twice.
 *
 * One thread knows who is to be told something; deliveries are made by workers, one at a time for each webhook, with
 * workers of their own for those that failed last, so that a receiver that hangs delays nobody else's. */
#ifndef SERVER_WEBHOOK_WEBHOOK_H
#define SERVER_WEBHOOK_WEBHOOK_H

#include "config/config.h"
#include "core/core.h"
#include "store/store.h"
#include "tailnet/tailnet.h"

struct webhooks;

struct webhooks_options { /* all outlive it; a reference of config is taken */
    const struct config *config;
    struct core *core;
    struct tailnet *tailnet;
    struct store *store;
};
/* Makes the key that secrets are encrypted with, beside the noise key, where it is missing. */
int webhooks_start(const struct webhooks_options *options, struct webhooks **out, struct err *e) WARN_UNUSED;
void webhooks_stop(struct webhooks *w); /* deliveries that are under way are made again after the next start */
void webhooks_reload(struct webhooks *w, const struct config *config);

/* A new secret, encrypted as a record keeps it; the caller's. */
char *webhooks_new_secret(struct webhooks *w);
/* The secret of a record; the caller's, who wipes it. NULL: it was encrypted with another key. */
char *webhooks_secret(struct webhooks *w, const struct webhook *record);

struct webhooks_counters {
    uint64_t deliveries, failures, events;
};
void webhooks_counters(struct webhooks *w, struct webhooks_counters *out);

#endif
