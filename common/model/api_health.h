/* SPDX-License-Identifier: BSD-3-Clause */
/* Objects of the API (model/api.h): how the tailnet and its server are, what clients are told of DNS, and how app
 * connectors are. */
#ifndef COMMON_MODEL_API_HEALTH_H
#define COMMON_MODEL_API_HEALTH_H

#include "model/api.h"

/* What is not well. The codes are those of server/api/view/health_reasons.c and stay what they are. */
struct api_health_reason {
    const char *code;        /* "prefix-unserved" */
    int severity;            /* enum event_weight: WEIGHT_WARN or WEIGHT_ALARM */
    const char *object;      /* what it is about: "server", "prefix", "node", "pending", "app", "relay", "login",
                                "certificate", "policy" */
    uint64_t object_id;      /* of a node, else 0 */
    const char *object_name; /* a name, a prefix, an auth id, a file */
    const char *text;        /* one sentence without a dot at its end */
    int64_t since_ns;        /* 0: not known */
};
/* The certificate of the public listener. */
struct api_certificate {
    const char *name;    /* the host that it is ordered for, or the file that it is in */
    bool automatic;      /* it is ordered and renewed by the server */
    int64_t ends_ns;     /* 0: there is none yet */
    int64_t renews_ns;   /* when the next one is ordered; 0: nobody does, or at once */
    const char *trouble; /* why the last order failed, or NULL */
};
struct api_health {
    bool database;      /* it answers, and the last write worked */
    const char *status; /* "pass", "degraded": there are reasons, "fail": the database does not work */
    int64_t time_ns;
    uint64_t count;                      /* of reasons */
    uint64_t unserved;                   /* prefixes that nobody serves; not written */
    struct api_certificate *certificate; /* NULL: the server has none */
    struct api_list reasons;             /* struct api_health_reason, the first 100, alarms first */
};

/* What app connectors connect to: an entry of nodeAttrs. */
struct api_app_connector {
    uint64_t node;
    const char *name;
    bool online, ready;      /* ready: names are resolved through it */
    const char *trouble;     /* why it is not ready, or NULL */
    struct prefixes learned; /* addresses that it advertises, for whichever app it learned them */
};
struct api_app {
    const char *name;
    struct strs tags, domains;  /* tags: of its connectors, or "*" */
    struct prefixes routes;     /* that its connectors advertise beside what they learn */
    struct api_list connectors; /* struct api_app_connector: nodes that have a tag of it */
    uint64_t ready, users;      /* connectors that are; nodes that are targets of the entry */
};

/* What clients are told of DNS, and where that comes from. */
struct api_dns_values {
    bool magic_dns, override_local;
    struct strs nameservers;
    const char *split; /* JSON: name servers by domain */
    struct strs search;
};
struct api_dns {
    struct api_dns_values now, configured; /* configured: as the configuration has it */
    struct strs set;                       /* members that an administrator set in its place */
    const char *base_domain;
    uint64_t extra_records;         /* of the configuration */
    const char *extra_records_path; /* the file that they are in; "": they are in the configuration itself */
    int64_t updated_ns;             /* when that was, 0: never */
    uint64_t version;
};

extern const struct api_shape api_dns_shape, api_dns_values_shape;
extern const struct api_shape api_certificate_shape, api_health_shape, api_health_reason_shape, api_app_shape;

#endif
