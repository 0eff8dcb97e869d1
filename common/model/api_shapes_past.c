/* SPDX-License-Identifier: BSD-3-Clause */
/* Objects about the past: the tailnet at a given time, the history of a prefix. */
#include "model/api_past.h"
#include "model/shape_fields.h"

static const struct api_field past_node_fields[] = {
    OWN(api_node, "id", id, KIND_ID),
    OWN(api_node, "givenName", given_name, KIND_TEXT),
    OWN(api_node, "name", hostname, KIND_TEXT),
    OWN(api_node, "user", user, ONE(api_user_shape)),
    OWN(api_node, "tags", tags, KIND_TEXTS),
    OWN(api_node, "ipAddresses", addrs, KIND_ADDRS),
    OWN(api_node, "online", online, KIND_BOOL),
    OWN(api_node, "healthy", healthy, KIND_BOOL),
    OWN(api_node, "expiry", expiry_ns, KIND_TIME),
    OWN(api_node, "expired", expired, KIND_BOOL),
    OWN(api_node, "loggedOut", logged_out, KIND_BOOL),
    OWN(api_node, "ephemeral", ephemeral, KIND_BOOL),
    OWN(api_node, "needsApproval", needs_approval, KIND_BOOL),
    OWN(api_node, "approvalAt", approval_ns, KIND_TIME),
    OWN(api_node, "approvalBy", approval_by, KIND_TEXT_OR_NULL),
    OWN(api_node, "draining", draining, KIND_BOOL),
    OWN(api_node, "priority", priority, KIND_U64),
    OWN(api_node, "createdAt", created_ns, KIND_TIME),
    OWN(api_node, "os", os, KIND_TEXT),
    OWN(api_node, "osVersion", os_version, KIND_TEXT),
    OWN(api_node, "clientVersion", client_version, KIND_TEXT),
    OWN(api_node, "approvedRoutes", approved, KIND_PREFIXES),
    OWN(api_node, "availableRoutes", available, KIND_PREFIXES),
    OWN(api_node, "subnetRoutes", serving, KIND_PREFIXES),
    OWN(api_node, "removedRoutes", removed, KIND_PREFIXES),
    OWN(api_node, "exitNode", exit_node, KIND_BOOL),
    OWN(api_node, "routes", routes, MANY(api_route_shape)),
};
const struct api_shape api_past_node_shape = SHAPE(api_node, "node", past_node_fields);

/* Includes members that otherwise only lists of users have. */
static const struct api_words roles = {user_role_name, ROLE_OWNER + 1};
static const struct api_field past_user_fields[] = {
    OWN(api_user, "id", id, KIND_ID),
    OWN(api_user, "name", name, KIND_TEXT),
    OWN(api_user, "createdAt", created_ns, KIND_CREATED),
    OWN(api_user, "displayName", display_name, KIND_TEXT),
    OWN(api_user, "email", email, KIND_TEXT),
    OWN(api_user, "providerId", provider_id, KIND_TEXT),
    OWN(api_user, "provider", provider, KIND_TEXT),
    OWN(api_user, "profilePicUrl", picture_url, KIND_TEXT),
    OWN(api_user, "role", role, WORD(roles)),
    OWN(api_user, "version", version, KIND_U64),
    OWN(api_user, "suspendedAt", suspended_ns, KIND_TIME),
    OWN(api_user, "suspendedBy", suspended_by, KIND_TEXT),
    OWN(api_user, "providerGroups", groups, KIND_TEXTS),
};
static const struct api_shape past_user_shape = SHAPE(api_user, "user", past_user_fields);

static const struct api_field primary_fields[] = {
    OWN(api_primary, "prefix", prefix, KIND_PREFIX),
    OWN(api_primary, "node", node, KIND_ID),
    OWN(api_primary, "name", name, KIND_TEXT),
    OWN(api_primary, "since", since_ns, KIND_TIME),
};
const struct api_shape api_primary_shape = SHAPE(api_primary, "primary router", primary_fields);

static const struct api_field nearest_fields[] = {
    OWN(api_nearest, "prefix", prefix, KIND_PREFIX),
    OWN(api_nearest, "router", router, KIND_ID),
    OWN(api_nearest, "name", name, KIND_TEXT),
    OWN(api_nearest, "nodes", nodes, KIND_TEXTS),
};
const struct api_shape api_nearest_shape = SHAPE(api_nearest, "nearest router", nearest_fields);

static const struct api_field past_fields[] = {
    OWN(api_past, "time", time_ns, KIND_TIME),
    OWN(api_past, "since", since_ns, KIND_TIME),
    OWN(api_past, "nodes", nodes, MANY(api_past_node_shape)),
    OWN(api_past, "users", users, MANY(past_user_shape)),
    OWN(api_past, "primaries", primaries, MANY(api_primary_shape)),
    OWN(api_past, "prefixes", prefixes, MANY(api_prefix_shape)),
    OWN(api_past, "nearest", nearest, MANY(api_nearest_shape)),
    OWN(api_past, "policy", policy, PART(api_policy_shape)),
    OWN(api_past, "dns", dns, KIND_JSON),
};
const struct api_shape api_past_shape = SHAPE(api_past, "state", past_fields);

static const struct api_field policy_version_fields[] = {
    OWN(api_policy_version, "version", version, KIND_U64),  OWN(api_policy_version, "updatedAt", updated_ns, KIND_TIME),
    OWN(api_policy_version, "author", author, KIND_TEXT),   OWN(api_policy_version, "note", note, KIND_TEXT),
    OWN(api_policy_version, "current", current, KIND_BOOL),
};
const struct api_shape api_policy_version_shape = SHAPE(api_policy_version, "version", policy_version_fields);

static const struct api_field policy_versions_fields[] = {
    OWN(api_policy_versions, "versions", versions, MANY(api_policy_version_shape)),
    OWN(api_policy_versions, "next", next, KIND_U64),
};
const struct api_shape api_policy_versions_shape = SHAPE(api_policy_versions, "versions", policy_versions_fields);

static const struct api_field move_fields[] = {
    OWN(api_move, "event", event, KIND_EVENT_ID),
    OWN(api_move, "time", time_ns, KIND_TIME),
    OWN(api_move, "from", from, KIND_ID),
    OWN(api_move, "fromName", from_name, KIND_TEXT_OR_NULL),
    OWN(api_move, "to", to, KIND_ID),
    OWN(api_move, "toName", to_name, KIND_TEXT_OR_NULL),
    OWN(api_move, "cause", cause, KIND_TEXT_OR_NULL),
    OWN(api_move, "via", via, KIND_TEXT_OR_NULL),
    OWN(api_move, "nearest", nearest, KIND_BOOL),
    OWN(api_move, "actor", actor, KIND_TEXT),
    OWN(api_move, "detectionMs", detection_ms, KIND_U64),
    OWN(api_move, "convergenceMs", convergence_ms, KIND_U64),
    OWN(api_move, "text", text, KIND_TEXT),
};
const struct api_shape api_move_shape = SHAPE(api_move, "change of a primary router", move_fields);

static const struct api_field route_history_fields[] = {
    OWN(api_route_history, "prefix", prefix, KIND_PREFIX),
    OWN(api_route_history, "moves", moves, MANY(api_move_shape)),
    OWN(api_route_history, "flips", flips, KIND_U64),
    OWN(api_route_history, "next", next, KIND_EVENT_ID),
};
const struct api_shape api_route_history_shape = SHAPE(api_route_history, "route history", route_history_fields);

static const struct api_field event_count_fields[] = {
    OWN(api_event_count, "time", time_ns, KIND_TIME),
    OWN(api_event_count, "count", count, KIND_U64),
};
static const struct api_shape event_count_shape = SHAPE(api_event_count, "count of events", event_count_fields);

static const struct api_field event_counts_fields[] = {
    OWN(api_event_counts, "from", from_ns, KIND_TIME),
    OWN(api_event_counts, "step", step, KIND_U64),
    OWN(api_event_counts, "counts", counts, MANY(event_count_shape)),
};
const struct api_shape api_event_counts_shape = SHAPE(api_event_counts, "counts of events", event_counts_fields);

static const struct api_field sample_fields[] = {
    OWN(api_sample, "time", time_ns, KIND_TIME),          OWN(api_sample, "nodes", nodes, KIND_U64),
    OWN(api_sample, "online", online, KIND_U64),          OWN(api_sample, "events", events, KIND_U64),
    OWN(api_sample, "failovers", failovers, KIND_U64),    OWN(api_sample, "databaseOk", database_ok, KIND_BOOL),
    OWN(api_sample, "databaseMs", database_ms, KIND_U64), OWN(api_sample, "pushes", pushes, KIND_U64),
    OWN(api_sample, "sentBytes", sent_bytes, KIND_U64),   OWN(api_sample, "medianUs", median_us, KIND_U64),
};
static const struct api_shape sample_shape = SHAPE(api_sample, "sample", sample_fields);

static const struct api_field samples_fields[] = {
    OWN(api_samples, "interval", interval, KIND_U64),
    OWN(api_samples, "samples", samples, MANY(sample_shape)),
};
const struct api_shape api_samples_shape = SHAPE(api_samples, "samples", samples_fields);

static const struct api_field round_trip_fields[] = {
    OWN(api_round_trip, "time", time_ns, KIND_TIME),
    OWN(api_round_trip, "us", us, KIND_U64),
    OWN(api_round_trip, "lost", lost, KIND_BOOL),
};
static const struct api_shape round_trip_shape = SHAPE(api_round_trip, "round trip", round_trip_fields);

static const struct api_field relay_latency_fields[] = {
    OWN(api_relay_latency, "region", region, KIND_U64),
    OWN(api_relay_latency, "name", name, KIND_TEXT),
    OWN(api_relay_latency, "us", us, KIND_U64),
};
static const struct api_shape relay_latency_shape = SHAPE(api_relay_latency, "relay", relay_latency_fields);

static const struct api_field node_round_trips_fields[] = {
    OWN(api_node_round_trips, "node", node, KIND_ID),
    OWN(api_node_round_trips, "last", last, PART(round_trip_shape)),
    OWN(api_node_round_trips, "roundTrips", round_trips, MANY(round_trip_shape)),
    OWN(api_node_round_trips, "relays", relays, MANY(relay_latency_shape)),
};
static const struct api_shape node_round_trips_shape =
    SHAPE(api_node_round_trips, "round trips of a node", node_round_trips_fields);

static const struct api_field round_trips_fields[] = {
    OWN(api_round_trips, "nodes", nodes, MANY(node_round_trips_shape)),
};
const struct api_shape api_round_trips_shape = SHAPE(api_round_trips, "round trips", round_trips_fields);

static const struct api_field end_fields[] = {
    OWN(api_reach_end, "kind", kind, KIND_TEXT),
    OWN(api_reach_end, "name", name, KIND_TEXT),
    OWN(api_reach_end, "nodes", nodes, KIND_U64),
    OWN(api_reach_end, "online", online, KIND_U64),
};
static const struct api_shape end_shape = SHAPE(api_reach_end, "end", end_fields);

static const struct api_field cell_fields[] = {
    OWN(api_reach_cell, "row", row, KIND_U64),        OWN(api_reach_cell, "column", column, KIND_U64),
    OWN(api_reach_cell, "all", all, KIND_BOOL),       OWN(api_reach_cell, "what", what, KIND_TEXTS),
    OWN(api_reach_cell, "line", line, KIND_U64),      OWN(api_reach_cell, "from", from, KIND_TEXT),
    OWN(api_reach_cell, "to", to, KIND_TEXT_OR_NULL), OWN(api_reach_cell, "router", router, KIND_TEXT_OR_NULL),
};
static const struct api_shape cell_shape = SHAPE(api_reach_cell, "cell", cell_fields);

static const struct api_field reach_fields[] = {
    OWN(api_reach, "cells", cells, MANY(cell_shape)),         OWN(api_reach, "rows", rows, MANY(end_shape)),
    OWN(api_reach, "columns", columns, MANY(end_shape)),      OWN(api_reach, "rows_total", rows_total, KIND_U64),
    OWN(api_reach, "columns_total", columns_total, KIND_U64), OWN(api_reach, "incomplete", incomplete, KIND_BOOL),
};
const struct api_shape api_reach_shape = SHAPE(api_reach, "reach", reach_fields);

static const struct api_field neighbour_fields[] = {
    OWN(api_neighbour, "kind", kind, KIND_TEXT),      OWN(api_neighbour, "name", name, KIND_TEXT),
    OWN(api_neighbour, "online", online, KIND_BOOL),  OWN(api_neighbour, "out", out, KIND_TEXTS),
    OWN(api_neighbour, "in", in, KIND_TEXTS),         OWN(api_neighbour, "out_line", out_line, KIND_U64),
    OWN(api_neighbour, "in_line", in_line, KIND_U64), OWN(api_neighbour, "out_all", out_all, KIND_BOOL),
    OWN(api_neighbour, "in_all", in_all, KIND_BOOL),  OWN(api_neighbour, "router", router, KIND_TEXT_OR_NULL),
};
static const struct api_shape neighbour_shape = SHAPE(api_neighbour, "neighbour", neighbour_fields);

static const struct api_field neighbours_fields[] = {
    OWN(api_neighbours, "nodes", nodes, KIND_U64),
    OWN(api_neighbours, "neighbours", neighbours, MANY(neighbour_shape)),
    OWN(api_neighbours, "total", total, KIND_U64),
    OWN(api_neighbours, "incomplete", incomplete, KIND_BOOL),
};
const struct api_shape api_neighbours_shape = SHAPE(api_neighbours, "neighbours", neighbours_fields);

static const struct api_field change_fields[] = {
    OWN(api_reach_change, "time", time_ns, KIND_TIME),      OWN(api_reach_change, "allowed", allowed, KIND_BOOL),
    OWN(api_reach_change, "fact", fact, KIND_TEXT),         OWN(api_reach_change, "line", line, KIND_U64),
    OWN(api_reach_change, "event", event, KIND_EVENT_ID),   OWN(api_reach_change, "actor", actor, KIND_TEXT_OR_NULL),
    OWN(api_reach_change, "text", text, KIND_TEXT_OR_NULL),
};
static const struct api_shape change_shape = SHAPE(api_reach_change, "change", change_fields);

static const struct api_field history_fields[] = {
    OWN(api_reach_history, "allowed", allowed, KIND_BOOL),
    OWN(api_reach_history, "changes", changes, MANY(change_shape)),
    OWN(api_reach_history, "back_to", back_to_ns, KIND_TIME),
    OWN(api_reach_history, "complete", complete, KIND_BOOL),
};
const struct api_shape api_reach_history_shape = SHAPE(api_reach_history, "history", history_fields);
