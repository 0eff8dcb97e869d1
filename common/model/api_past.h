/* SPDX-License-Identifier: BSD-3-Clause */
/* Objects of the HTTP API that look back: the tailnet of a moment, who served a prefix, how busy the journal was, when
 * a pair gained and lost its way; and the neighbours of one, now. */
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
/* A router that serves some nodes by being the nearest to them. */
struct api_nearest {
    struct prefix prefix;
    uint64_t router;
    const char *name;
    struct strs nodes; /* whom: their names */
};
struct api_past {
    int64_t time_ns, since_ns; /* the moment; the oldest one that is known */
    struct api_list nodes, users, primaries, prefixes;
    struct api_list nearest; /* struct api_nearest; the primary serves all others */
    struct api_policy policy;
    const char *dns; /* JSON: what clients were told of it; NULL: not kept then */
};

/* Who served a prefix: each change, newest first. */
struct api_move {
    struct api_event_id event;
    int64_t time_ns;
    uint64_t from, to;               /* node ids, 0: nobody */
    const char *from_name, *to_name; /* as they were called then, or NULL */
    const char *cause;               /* or NULL: not noted */
    const char *via;         /* within the group of grants with these tags as via, or NULL: for everybody else */
    bool nearest;            /* of those that it is the nearest router of; who serves the others stays */
    const char *actor;       /* an administrator, or "server" */
    uint64_t detection_ms;   /* after the last sign of life of the router that went away, or the first probe it lost; 0:
                                not known */
    uint64_t convergence_ms; /* until all clients that were asked used the new router; 0: not known */
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
    uint64_t pushes;      /* maps and changes that clients were sent */
    uint64_t sent_bytes;  /* all that clients were sent */
    uint64_t median_us;   /* of the round trips of control connections; 0: not known */
};
struct api_samples {
    uint64_t interval;       /* seconds from one to the next */
    struct api_list samples; /* struct api_sample, the last hour's, oldest first */
};

/* How long a client took to answer a PING of its control connection. */
struct api_round_trip {
    int64_t time_ns;
    uint64_t us;
    bool lost; /* it did not answer and was given up */
};
/* What a client measured to a relay. */
struct api_relay_latency {
    uint64_t region;
    const char *name; /* "" where it is not known */
    uint64_t us;
};
struct api_node_round_trips {
    uint64_t node;
    struct api_round_trip last;  /* time 0: none */
    struct api_list round_trips; /* struct api_round_trip, the last minutes', oldest first; only of nodes asked for */
    struct api_list relays;      /* struct api_relay_latency, likewise */
};
struct api_round_trips {
    struct api_list nodes; /* struct api_node_round_trips */
};

/* Whom one reaches, and by whom it is reached. */
struct api_neighbour {
    const char *kind; /* "node", "prefix", "exit" */
    const char *name;
    bool online;
    struct strs out, in;        /* what is reached of it, what it reaches: "any", "22", "tcp 443" */
    uint64_t out_line, in_line; /* of the policy, 0: none */
    bool out_all, in_all;       /* by one rule, for each node that it is about */
    const char *router;         /* to a network, or NULL */
};
struct api_neighbours {
    uint64_t nodes;             /* whose neighbours they are */
    struct api_list neighbours; /* struct api_neighbour */
    uint64_t total;
    bool incomplete; /* there was no time for all */
};

/* From a moment on; the entry of the journal says what happened then. */
struct api_reach_change {
    int64_t time_ns;
    bool allowed;
    const char *fact;          /* that decides it */
    uint64_t line;             /* of the policy of then, 0: none */
    struct api_event_id event; /* none: it is the oldest moment that was looked at */
    const char *actor, *text;  /* of the entry, or NULL */
};
struct api_reach_history {
    bool allowed;            /* now */
    struct api_list changes; /* struct api_reach_change, newest first */
    int64_t back_to_ns;      /* how far back it was looked */
    bool complete;           /* that is as far as anything is kept */
};

extern const struct api_shape api_neighbours_shape, api_reach_history_shape;
extern const struct api_shape api_past_shape, api_past_node_shape, api_primary_shape, api_nearest_shape, api_move_shape,
    api_route_history_shape, api_event_counts_shape, api_samples_shape, api_round_trips_shape;

#endif
