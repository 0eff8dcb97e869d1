/* SPDX-License-Identifier: BSD-3-Clause */
/* Objects of the API (model/api.h) about the state of the tailnet and the server, clients' DNS settings and app
 * connectors. */
#ifndef COMMON_MODEL_API_HEALTH_H
#define COMMON_MODEL_API_HEALTH_H

#include "model/api.h"

/* A health problem. The codes are defined in server/api/view/health_reasons.c and never change. */
struct api_health_reason {
    const char *code;   /* "prefix-unserved" */
    int severity;       /* enum event_weight: WEIGHT_WARN or WEIGHT_ALARM */
    const char *object; /* its subject: "server", "prefix", "node", "pending", "app", "relay", "login", "certificate",
                           "policy" */
    uint64_t object_id; /* of a node, otherwise 0 */
    const char *object_name; /* a name, a prefix, an auth id, a file */
    const char *text;        /* one sentence without a full stop */
    int64_t since_ns;        /* 0: unknown */
};
/* The certificate of the public listener. */
struct api_certificate {
    const char *name;    /* the host that it is ordered for, or the file that contains it */
    bool automatic;      /* ordered and renewed by the server */
    int64_t ends_ns;     /* 0: there is no certificate yet */
    int64_t renews_ns;   /* when the next one is ordered; 0: not at all, or at once */
    const char *trouble; /* why the last order failed, or NULL */
};
struct api_health {
    bool database;      /* it responds, and the last write succeeded */
    const char *status; /* "pass"; "degraded": there are reasons; "fail": the database does not work */
    int64_t time_ns;
    uint64_t count;                      /* number of reasons */
    uint64_t unserved;                   /* prefixes without a primary; not written */
    struct api_certificate *certificate; /* NULL: the server has none */
    struct api_list reasons;             /* struct api_health_reason, the first 100, alarms first */
};

/* An app connector, and the app: an entry of nodeAttrs. */
struct api_app_connector {
    uint64_t node;
    const char *name;
    bool online, ready;      /* ready: names are resolved through it */
    const char *trouble;     /* why it is not ready, or NULL */
    struct prefixes learned; /* addresses that it advertises, learned for any app */
};
struct api_app {
    const char *name;
    struct strs tags, domains;  /* tags: of its connectors, or "*" */
    struct prefixes routes;     /* that its connectors advertise in addition to what they learn */
    struct api_list connectors; /* struct api_app_connector: nodes with one of the tags */
    uint64_t ready, users;      /* connectors that are ready; nodes that are targets of the entry */
};

/* The DNS settings of clients, and where they come from. */
struct api_dns_values {
    bool magic_dns, override_local;
    struct strs nameservers;
    const char *split; /* JSON: name servers by domain */
    struct strs search;
};
struct api_dns {
    struct api_dns_values now, configured; /* configured: from the configuration */
    struct strs set;                       /* members that an administrator has overridden */
    const char *base_domain;
    uint64_t extra_records;         /* in the configuration */
    const char *extra_records_path; /* the file that contains them; "": the configuration itself */
    int64_t updated_ns;             /* time of the last override; 0: never */
    uint64_t version;
};

extern const struct api_shape api_dns_shape, api_dns_values_shape;
extern const struct api_shape api_certificate_shape, api_health_shape, api_health_reason_shape, api_app_shape;

#endif
