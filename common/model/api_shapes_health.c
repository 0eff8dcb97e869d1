/* SPDX-License-Identifier: BSD-3-Clause */
/* Objects about the state of the tailnet and the server, clients' DNS settings, and app connectors. */
#include "model/api_health.h"
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

static const struct api_field certificate_fields[] = {
    OWN(api_certificate, "name", name, KIND_TEXT),
    OWN(api_certificate, "automatic", automatic, KIND_BOOL),
    OWN(api_certificate, "ends", ends_ns, KIND_TIME),
    OWN(api_certificate, "renews", renews_ns, KIND_TIME),
    OWN(api_certificate, "trouble", trouble, KIND_TEXT_OR_NULL),
};
const struct api_shape api_certificate_shape = SHAPE(api_certificate, "certificate", certificate_fields);

static const struct api_field health_fields[] = {
    V1(api_health, "databaseConnectivity", "database_connectivity", database, KIND_BOOL),
    MORE(api_health, "status", status, KIND_TEXT),
    MORE(api_health, "time", time_ns, KIND_TIME),
    MORE(api_health, "count", count, KIND_U64),
    MORE(api_health, "certificate", certificate, ONE(api_certificate_shape)),
    MORE(api_health, "reasons", reasons, MANY(api_health_reason_shape)),
};
const struct api_shape api_health_shape = SHAPE(api_health, "health", health_fields);

static const struct api_field app_connector_fields[] = {
    OWN(api_app_connector, "node", node, KIND_ID),
    OWN(api_app_connector, "name", name, KIND_TEXT),
    OWN(api_app_connector, "online", online, KIND_BOOL),
    OWN(api_app_connector, "ready", ready, KIND_BOOL),
    OWN(api_app_connector, "trouble", trouble, KIND_TEXT_OR_NULL),
    OWN(api_app_connector, "learned", learned, KIND_PREFIXES),
};
static const struct api_shape app_connector_shape = SHAPE(api_app_connector, "connector", app_connector_fields);

static const struct api_field app_fields[] = {
    OWN(api_app, "name", name, KIND_TEXT),
    OWN(api_app, "tags", tags, KIND_TEXTS),
    OWN(api_app, "domains", domains, KIND_TEXTS),
    OWN(api_app, "routes", routes, KIND_PREFIXES),
    OWN(api_app, "connectors", connectors, MANY(app_connector_shape)),
    OWN(api_app, "ready", ready, KIND_U64),
    OWN(api_app, "users", users, KIND_U64),
};
const struct api_shape api_app_shape = SHAPE(api_app, "app", app_fields);

static const struct api_field dns_values_fields[] = {
    OWN(api_dns_values, "magicDNS", magic_dns, KIND_BOOL),
    OWN(api_dns_values, "overrideLocalDNS", override_local, KIND_BOOL),
    OWN(api_dns_values, "nameservers", nameservers, KIND_TEXTS),
    OWN(api_dns_values, "splitDNS", split, KIND_JSON),
    OWN(api_dns_values, "searchDomains", search, KIND_TEXTS),
};
const struct api_shape api_dns_values_shape = SHAPE(api_dns_values, "DNS", dns_values_fields);

static const struct api_field dns_fields[] = {
    OWN(api_dns, "magicDNS", now.magic_dns, KIND_BOOL),
    OWN(api_dns, "overrideLocalDNS", now.override_local, KIND_BOOL),
    OWN(api_dns, "nameservers", now.nameservers, KIND_TEXTS),
    OWN(api_dns, "splitDNS", now.split, KIND_JSON),
    OWN(api_dns, "searchDomains", now.search, KIND_TEXTS),
    OWN(api_dns, "set", set, KIND_TEXTS),
    OWN(api_dns, "configured", configured, PART(api_dns_values_shape)),
    OWN(api_dns, "baseDomain", base_domain, KIND_TEXT),
    OWN(api_dns, "extraRecords", extra_records, KIND_U64),
    OWN(api_dns, "extraRecordsPath", extra_records_path, KIND_TEXT),
    OWN(api_dns, "updatedAt", updated_ns, KIND_TIME),
    OWN(api_dns, "version", version, KIND_U64),
};
const struct api_shape api_dns_shape = SHAPE(api_dns, "DNS", dns_fields);
