/* SPDX-License-Identifier: BSD-3-Clause */
/* Webhooks: reports events of the tailnet to receivers by POST, in the form of Tailscale's webhooks
 * (https://tailscale.com/kb/1213/webhooks). Events come from the journal, and each webhook's record holds the last
 * entry that was delivered: nothing is lost if the daemon or the receiver stops, and after a crash an event may be sent
 * twice.
 *
 * One thread schedules; workers make the deliveries, one at a time per webhook. Webhooks that failed last have workers
 * of their own, so that a receiver that hangs delays no others. */
#ifndef SERVER_WEBHOOK_WEBHOOK_H
#define SERVER_WEBHOOK_WEBHOOK_H

#include "config/config.h"
#include "core/core.h"
#include "store/store.h"
#include "tailnet/tailnet.h"

struct webhooks;

struct webhooks_options { /* all must outlive it; takes a reference of config */
    const struct config *config;
    struct core *core;
    struct tailnet *tailnet;
    struct store *store;
};
/* Makes the key that encrypts the secrets, beside the noise key, if it is missing. */
int webhooks_start(const struct webhooks_options *options, struct webhooks **out, struct err *e) WARN_UNUSED;
void webhooks_stop(struct webhooks *w); /* deliveries in progress are repeated after the next start */
void webhooks_reload(struct webhooks *w, const struct config *config);

/* A new secret, encrypted as records keep it; caller frees. */
char *webhooks_new_secret(struct webhooks *w);
/* The secret of a record; the caller wipes and frees it. NULL: it was encrypted with another key. */
char *webhooks_secret(struct webhooks *w, const struct webhook *record);

struct webhooks_counters {
    uint64_t deliveries, failures, events;
};
void webhooks_counters(struct webhooks *w, struct webhooks_counters *out);

#endif
