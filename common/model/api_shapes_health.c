/* SPDX-License-Identifier: BSD-3-Clause */
/* How the tailnet and its server are. */
#include "model/shape_fields.h"

static const struct api_words severities = {event_weight_name, WEIGHT_ALARM + 1};

static const struct api_field reason_fields[] = {
    OWN(api_health_reason, "code", code, KIND_TEXT),
    OWN(api_health_reason, "severity", severity, WORD(severities)),
    OWN(api_health_reason, "object", object, KIND_TEXT),
    OWN(api_health_reason, "objectId", object_id, KIND_ID),
    OWN(api_health_reason, "objectName", object_name, KIND_TEXT),
    OWN(api_health_reason, "text", text, KIND_TEXT),
    OWN(api_health_reason, "since", since_ns, KIND_TIME),
};
const struct api_shape api_health_reason_shape = SHAPE(api_health_reason, "reason", reason_fields);

static const struct api_field health_fields[] = {
    V1(api_health, "databaseConnectivity", "database_connectivity", database, KIND_BOOL),
    MORE(api_health, "status", status, KIND_TEXT),
    MORE(api_health, "time", time_ns, KIND_TIME),
    MORE(api_health, "count", count, KIND_U64),
    MORE(api_health, "reasons", reasons, MANY(api_health_reason_shape)),
};
const struct api_shape api_health_shape = SHAPE(api_health, "health", health_fields);
