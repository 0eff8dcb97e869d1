/* SPDX-License-Identifier: BSD-3-Clause */
/* The pieces that both forms of a packet filter are written from. */
#ifndef COMMON_POLICY_VIEW_FILTER_RULES_H
#define COMMON_POLICY_VIEW_FILTER_RULES_H

#include "policy/view/view.h"

/* Appends a JSON text or member of a list, with a comma in front unless the buffer ends in an opening bracket. */
void emit_comma(struct buf *out);
void emit_text(struct buf *out, const char *text);

/* What a unit's service opens on this node: members of DstPorts. Appends nothing when that is nothing. */
void emit_ports(const struct policy_view *v, const struct vnode *n, const struct policy_unit *u,
                const struct policy_service *s, struct buf *out);
/* What a unit's capabilities are granted on: members of CapGrant. */
void emit_grants(const struct policy_view *v, const struct vnode *n, const struct policy_unit *u, struct buf *out);
/* What connectors of an app must let in: a client answers name resolution only to whom it would accept a packet from to
 * port 53 of 0.0.0.0 (ipnlocal, offersExitNodeOrAppConnectorAndPeerHasAutogroupInternet). */
void emit_resolving(const struct policy_unit *u, struct buf *out);
/* One whole rule from its parts; cap: dst is a CapGrant list. */
void emit_rule(struct buf *out, const char *sources, int proto, const char *dst, bool cap);

/* The devices of the node's user that are the sources of a unit of autogroup:self; none when the unit does not concern
 * the node. */
void self_sources(const struct policy_view *v, const struct vnode *n, const struct policy_unit *u,
                  struct id_list *slots);
void emit_addresses(const struct vnode *n, struct buf *out);

#endif
