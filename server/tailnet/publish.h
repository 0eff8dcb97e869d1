/* SPDX-License-Identifier: BSD-3-Clause */
/* How the core, and tests, make snapshots. A snapshot under construction belongs to its maker; publishing hands it
 * over. */
#ifndef SERVER_TAILNET_PUBLISH_H
#define SERVER_TAILNET_PUBLISH_H

#include "tailnet/tailnet.h"

/* A snapshot that shares everything with base (NULL: an empty tailnet) and can be changed until it is published. */
struct tailnet_snapshot *snapshot_edit(const struct tailnet_snapshot *base);

/* A node for a slot. Copies live and serving; takes references to record and user. */
struct tailnet_node *tailnet_node_new(uint32_t slot, uint64_t version, const struct node *record,
                                      const struct user *user, const struct node_live *live,
                                      const struct prefixes *serving, bool expired);
void tailnet_node_unref(const struct tailnet_node *n);

/* What readers must be told when b replaces a: enum change_mask, 0 if no one sees a difference. */
uint32_t tailnet_node_difference(const struct tailnet_node *a, const struct tailnet_node *b);

/* Puts a node in the slot (the snapshot takes the reference) or empties it (NULL). version is the change number and
 * equals n's own. It must be higher than those of the block's other changes; if it equals that of the previous node in
 * the slot, n must not differ from that node. */
void snapshot_set_node(struct tailnet_snapshot *s, uint32_t slot, struct tailnet_node *n, uint64_t version);

/* Replaces a list with count records, ordered by id or prefix; the snapshot takes references. */
void snapshot_set_users(struct tailnet_snapshot *s, const struct user *const *items, size_t count);
void snapshot_set_preauth_keys(struct tailnet_snapshot *s, const struct preauth_key *const *items, size_t count);
void snapshot_set_api_keys(struct tailnet_snapshot *s, const struct api_key *const *items, size_t count);
void snapshot_set_identities(struct tailnet_snapshot *s, const struct identity *const *items, size_t count);
void snapshot_set_oauth_clients(struct tailnet_snapshot *s, const struct oauth_client *const *items, size_t count);
void snapshot_set_webhooks(struct tailnet_snapshot *s, const struct webhook *const *items, size_t count);
void snapshot_set_oauth_tokens(struct tailnet_snapshot *s, const struct oauth_token *const *items, size_t count);
void snapshot_set_primaries(struct tailnet_snapshot *s, const struct primary *const *items, size_t count);
void snapshot_set_via_primaries(struct tailnet_snapshot *s, const struct via_primary *const *items, size_t count);
void snapshot_set_nearest(struct tailnet_snapshot *s, struct tailnet_nearest *nearest); /* takes the reference */
void snapshot_set_prefix_settings(struct tailnet_snapshot *s, const struct prefix_settings *const *items, size_t count);
void snapshot_set_pendings(struct tailnet_snapshot *s, const struct pending *const *items, size_t count);
void snapshot_set_settings(struct tailnet_snapshot *s, struct tailnet_settings *settings); /* takes a reference */
void snapshot_set_policy(struct tailnet_snapshot *s, const struct policy_text *policy);    /* takes a reference */

void snapshot_set_message(struct tailnet_snapshot *s, const struct server_message *message); /* takes a reference */

struct tailnet_settings *settings_new(void);
struct tailnet_settings *settings_edit(const struct tailnet_settings *s);
void settings_unref(struct tailnet_settings *s);

/* Makes s current and appends changes (their seq ascending, the last one s->seq) to the log, then wakes subscribers. */
void tailnet_publish(struct tailnet *t, struct tailnet_snapshot *s, const struct change *changes, size_t count);

/* The policy's view, for changing it or replacing it (free the old one); blocks readers meanwhile. tailnet_free frees
 * the last one. */
struct policy_view **tailnet_policy_write(struct tailnet *t);
void tailnet_policy_written(struct tailnet *t);

/* The index of keys that readers query without the core. */
void tailnet_set_key(struct tailnet *t, const uint8_t node_key[KEY_LEN], uint32_t slot); /* SLOT_NONE removes */
void tailnet_count_machine(struct tailnet *t, const uint8_t machine_key[KEY_LEN], int by);

#endif
