/* SPDX-License-Identifier: BSD-3-Clause */
/* The members of objects about routes that are computed on request. */
#include "model/shape_fields.h"

static const struct api_field prefix_fields[] = {
    OWN(api_simulated_prefix, "prefix", prefix, KIND_PREFIX),
    OWN(api_simulated_prefix, "via", via, KIND_TEXT_OR_NULL),
    OWN(api_simulated_prefix, "outcome", outcome, KIND_TEXT),
    OWN(api_simulated_prefix, "from", from, KIND_ID),
    OWN(api_simulated_prefix, "fromName", from_name, KIND_TEXT_OR_NULL),
    OWN(api_simulated_prefix, "to", to, KIND_ID),
    OWN(api_simulated_prefix, "toName", to_name, KIND_TEXT_OR_NULL),
    OWN(api_simulated_prefix, "reason", reason, KIND_TEXT),
    OWN(api_simulated_prefix, "laterName", later_name, KIND_TEXT_OR_NULL),
    OWN(api_simulated_prefix, "laterSeconds", later_seconds, KIND_U64),
    OWN(api_simulated_prefix, "candidates", candidates, KIND_U64),
    OWN(api_simulated_prefix, "gain", gain, KIND_U64),
    OWN(api_simulated_prefix, "lose", lose, KIND_U64),
    OWN(api_simulated_prefix, "move", move, KIND_U64),
    OWN(api_simulated_prefix, "coveredBy", covered_by, KIND_TEXT_OR_NULL),
    OWN(api_simulated_prefix, "coveredByName", covered_by_name, KIND_TEXT_OR_NULL),
};
static const struct api_shape prefix_shape = SHAPE(api_simulated_prefix, "prefix", prefix_fields);

static const struct api_field exit_fields[] = {
    OWN(api_simulated_exit, "node", node, KIND_ID),        OWN(api_simulated_exit, "name", name, KIND_TEXT),
    OWN(api_simulated_exit, "kind", kind, KIND_TEXT),      OWN(api_simulated_exit, "viewers", viewers, KIND_U64),
    OWN(api_simulated_exit, "without", without, KIND_U64), OWN(api_simulated_exit, "inUse", in_use, KIND_U64),
};
static const struct api_shape exit_shape = SHAPE(api_simulated_exit, "exit node", exit_fields);

static const struct api_field way_fields[] = {
    OWN(api_simulated_way, "prefix", prefix, KIND_PREFIX),
    OWN(api_simulated_way, "exit", exit, KIND_BOOL),
    OWN(api_simulated_way, "kind", kind, KIND_TEXT),
    OWN(api_simulated_way, "fromName", from_name, KIND_TEXT_OR_NULL),
    OWN(api_simulated_way, "toName", to_name, KIND_TEXT_OR_NULL),
};
static const struct api_shape way_shape = SHAPE(api_simulated_way, "change", way_fields);

static const struct api_field viewers_fields[] = {
    OWN(api_simulated_viewers, "viewers", viewers, PART(api_names_shape)),
    OWN(api_simulated_viewers, "online", online, KIND_U64),
    OWN(api_simulated_viewers, "noExit", no_exit, KIND_BOOL),
    OWN(api_simulated_viewers, "changes", changes, MANY(way_shape)),
};
static const struct api_shape viewers_shape = SHAPE(api_simulated_viewers, "nodes", viewers_fields);

static const struct api_field cut_off_fields[] = {
    OWN(api_simulated_cut_off, "user", user, KIND_TEXT),
    OWN(api_simulated_cut_off, "prefix", prefix, KIND_PREFIX),
    OWN(api_simulated_cut_off, "exit", exit, KIND_BOOL),
};
static const struct api_shape cut_off_shape = SHAPE(api_simulated_cut_off, "user", cut_off_fields);

static const struct api_field totals_fields[] = {
    OWN(api_simulated_totals, "gain", gain, KIND_U64),
    OWN(api_simulated_totals, "lose", lose, KIND_U64),
    OWN(api_simulated_totals, "move", move, KIND_U64),
    OWN(api_simulated_totals, "unserved", unserved, KIND_U64),
    OWN(api_simulated_totals, "moved", moved, KIND_U64),
    OWN(api_simulated_totals, "cutOff", cut_off, KIND_U64),
    OWN(api_simulated_totals, "approved", approved, KIND_U64),
    OWN(api_simulated_totals, "incomplete", incomplete, KIND_BOOL),
};
static const struct api_shape totals_shape = SHAPE(api_simulated_totals, "totals", totals_fields);

static const struct api_field simulation_fields[] = {
    OWN(api_simulation, "findings", findings, MANY(api_finding_shape)),
    OWN(api_simulation, "prefixes", prefixes, MANY(prefix_shape)),
    OWN(api_simulation, "exits", exits, MANY(exit_shape)),
    OWN(api_simulation, "viewers", viewers, MANY(viewers_shape)),
    OWN(api_simulation, "cutOff", cut_off, MANY(cut_off_shape)),
    OWN(api_simulation, "approvals", approvals, MANY(api_approval_shape)),
    OWN(api_simulation, "totals", totals, PART(totals_shape)),
};
const struct api_shape api_simulation_shape = SHAPE(api_simulation, "simulation", simulation_fields);

static const struct api_field behind_fields[] = {
    OWN(api_behind, "node", node, KIND_ID),           OWN(api_behind, "name", name, KIND_TEXT),
    OWN(api_behind, "uses", uses, KIND_TEXT_OR_NULL), OWN(api_behind, "silent", silent, KIND_BOOL),
    OWN(api_behind, "seconds", seconds, KIND_U64),
};
static const struct api_shape behind_shape = SHAPE(api_behind, "node", behind_fields);

static const struct api_field followers_fields[] = {
    OWN(api_followers, "prefix", prefix, KIND_PREFIX),
    OWN(api_followers, "from", from, KIND_ID),
    OWN(api_followers, "fromName", from_name, KIND_TEXT_OR_NULL),
    OWN(api_followers, "to", to, KIND_ID),
    OWN(api_followers, "toName", to_name, KIND_TEXT_OR_NULL),
    OWN(api_followers, "actor", actor, KIND_TEXT_OR_NULL),
    OWN(api_followers, "movedAt", moved_ns, KIND_TIME),
    OWN(api_followers, "viewers", viewers, KIND_U64),
    OWN(api_followers, "asked", asked, KIND_U64),
    OWN(api_followers, "followed", followed, KIND_U64),
    OWN(api_followers, "unsupported", unsupported, KIND_U64),
    OWN(api_followers, "complete", complete, KIND_BOOL),
    OWN(api_followers, "ended", ended, KIND_BOOL),
    OWN(api_followers, "text", text, KIND_TEXT),
    OWN(api_followers, "behind", behind, MANY(behind_shape)),
};
const struct api_shape api_followers_shape = SHAPE(api_followers, "followers", followers_fields);

static const struct api_field difference_fields[] = {
    OWN(api_mismatch, "node", node, KIND_ID),
    OWN(api_mismatch, "name", name, KIND_TEXT),
    OWN(api_mismatch, "member", member, KIND_TEXT),
    OWN(api_mismatch, "has", has, KIND_TEXT_OR_NULL),
    OWN(api_mismatch, "should", should, KIND_TEXT_OR_NULL),
};
static const struct api_shape difference_shape = SHAPE(api_mismatch, "difference", difference_fields);

static const struct api_field diff_fields[] = {
    OWN(api_diff, "node", node, KIND_ID),    OWN(api_diff, "name", name, KIND_TEXT),
    OWN(api_diff, "peers", peers, KIND_U64), OWN(api_diff, "differences", differences, KIND_U64),
    OWN(api_diff, "text", text, KIND_TEXT),  OWN(api_diff, "rows", rows, MANY(difference_shape)),
};
const struct api_shape api_diff_shape = SHAPE(api_diff, "differences", diff_fields);
