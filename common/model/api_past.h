/* SPDX-License-Identifier: BSD-3-Clause */
/* Objects of the HTTP API that look back: the tailnet of a moment, who served a prefix, how busy the journal was. */
#ifndef COMMON_MODEL_API_PAST_H
#define COMMON_MODEL_API_PAST_H

#include "model/api.h"

/* The tailnet of a moment. Its nodes are struct api_node without what is not kept: keys, endpoints, relays. */
struct api_primary {
    struct prefix prefix;
    uint64_t node;
    const char *name;
    int64_t since_ns;
};
struct api_past {
    int64_t time_ns, since_ns; /* the moment; the oldest one that is known */
    struct api_list nodes, users, primaries, prefixes;
    struct api_policy policy;
};

/* Who served a prefix: each change, newest first. */
struct api_move {
    struct api_event_id event;
    int64_t time_ns;
    uint64_t from, to;               /* node ids, 0: nobody */
    const char *from_name, *to_name; /* as they were called then, or NULL */
    const char *cause;               /* or NULL: not noted */
    const char *actor;               /* an administrator, or "server" */
    uint64_t detection_ms;           /* after the last sign of life of the router that went away; 0: not known */
    uint64_t convergence_ms;         /* until all clients that were asked used the new router; 0: not known */
    const char *text;
};
struct api_route_history {
    struct prefix prefix;
    struct api_list moves;    /* struct api_move */
    uint64_t flips;           /* of them: from one router to another */
    struct api_event_id next; /* where to go on with before=; none: there is nothing older */
};

/* How busy the journal was: entries by spans of time that follow one another. */
struct api_event_count {
    int64_t time_ns; /* its beginning */
    uint64_t count;
};
struct api_event_counts {
    int64_t from_ns;
    uint64_t step;          /* seconds */
    struct api_list counts; /* struct api_event_count, of spans with entries */
};

/* How it was: what is counted at a time, and what happened since the sample before. */
struct api_sample {
    int64_t time_ns;
    uint64_t nodes, online;
    uint64_t events;      /* entries of the journal */
    uint64_t failovers;   /* prefixes that moved */
    bool database_ok;     /* it answered */
    uint64_t database_ms; /* and took so long */
};
struct api_samples {
    uint64_t interval;       /* seconds from one to the next */
    struct api_list samples; /* struct api_sample, the last hour's, oldest first */
};

extern const struct api_shape api_past_shape, api_past_node_shape, api_primary_shape, api_move_shape,
    api_route_history_shape, api_event_counts_shape, api_samples_shape;

#endif
