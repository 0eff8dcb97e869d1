/* SPDX-License-Identifier: BSD-3-Clause */
/* The building blocks of both forms of a packet filter. */
#ifndef COMMON_POLICY_VIEW_FILTER_RULES_H
#define COMMON_POLICY_VIEW_FILTER_RULES_H

#include "policy/view/view.h"

/* Appends a JSON text or member of a list, preceded by a comma unless the buffer ends in an opening bracket. */
void emit_comma(struct buf *out);
void emit_text(struct buf *out, const char *text);

/* Appends what a unit's services open on this node, as members of DstPorts; possibly nothing. */
void emit_ports(const struct policy_view *v, const struct vnode *n, const struct policy_unit *u,
                const struct policy_service *s, struct buf *out);
/* Appends the destinations of a unit's capabilities, as members of CapGrant. */
void emit_grants(const struct policy_view *v, const struct vnode *n, const struct policy_unit *u, struct buf *out);
/* Appends what connectors of an app must let in: a client resolves names only for peers from which it would accept a
 * packet to port 53 of 0.0.0.0 (ipnlocal, offersExitNodeOrAppConnectorAndPeerHasAutogroupInternet). */
void emit_resolving(const struct policy_unit *u, struct buf *out);
/* Appends a whole rule made of its parts; cap: dst is a CapGrant list. */
void emit_rule(struct buf *out, const char *sources, int proto, const char *dst, bool cap);

/* The devices of the node's user that are sources of an autogroup:self unit; none if the unit does not concern the
 * node. */
void self_sources(const struct policy_view *v, const struct vnode *n, const struct policy_unit *u,
                  struct id_list *slots);
void emit_addresses(const struct vnode *n, struct buf *out);

#endif
