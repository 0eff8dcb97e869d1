/* SPDX-License-Identifier: BSD-3-Clause */
/* Private to netmap: a session, and what its receiver was sent. */
#ifndef SERVER_NETMAP_SENT_H
#define SERVER_NETMAP_SENT_H

#include "netmap/access.h"
#include "netmap/cache.h"
#include "netmap/client_messages.h"

struct sent_view { /* of a peer that was not shown whole */
    uint32_t slot;
    uint64_t hash;
};

struct exit_choice { /* an exit node that the receiver may choose */
    uint32_t slot;
    uint64_t id;
    uint32_t priority;
};

struct netmap_session {
    struct netmap *nm;
    struct netmap_client client;
    const struct node *self; /* as last sent, for the goodbye */
    uint64_t cursor;         /* the change up to which everything was sent */
    bool started, gone, self_changed;
    bool authorized;  /* as last sent */
    bool tagged_sent; /* the profile of tagged devices */
    uint64_t self_hash, ssh_version, dns_hash;
    struct { /* bits */
        uint64_t *words;
        size_t len;
    } peers, users; /* by slot; by user id */
    VEC(struct sent_view) views;
    VEC(struct exit_choice) exits;
    bool exits_changed;              /* a change that was not sent yet */
    struct tailnet_nearest *nearest; /* nearest routers, as sent */
    struct sent_filter filter;
    struct sent_messages messages;
};

bool sent_peer(const struct netmap_session *s, uint32_t slot);
void set_sent_peer(struct netmap_session *s, uint32_t slot, bool sent);
/* Marks all nodes of a block; blocks: the number of blocks, so that the bit set grows only once. */
void set_sent_block(struct netmap_session *s, size_t block, uint64_t mask, size_t blocks);
bool sent_user(const struct netmap_session *s, uint64_t id);
void set_sent_user(struct netmap_session *s, uint64_t id);

void nearest_sent(struct netmap_session *s, const struct tailnet_snapshot *snapshot);
uint64_t sent_view(const struct netmap_session *s, uint32_t slot);
void set_sent_view(struct netmap_session *s, uint32_t slot, uint64_t hash);

#endif
