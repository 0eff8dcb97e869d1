/* SPDX-License-Identifier: BSD-3-Clause */
/* Who reaches what. common/policy writes it, cell by cell; here is what readers show of it. */
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
