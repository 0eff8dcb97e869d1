/* SPDX-License-Identifier: BSD-3-Clause */
/* Who reaches what. common/policy writes it, cell by cell; here is what readers show of it. */
#include "model/api_past.h"
#include "model/shape_fields.h"

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
