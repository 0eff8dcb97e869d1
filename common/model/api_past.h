/* SPDX-License-Identifier: BSD-3-Clause */
/* Objects of the HTTP API about the past: the tailnet at a given time, the primaries of a prefix, the number of journal
 * entries, when a pair gained and lost access; and the present neighbours of a node or selector. */
#ifndef COMMON_MODEL_API_PAST_H
#define COMMON_MODEL_API_PAST_H

#include "model/api.h"

/* The tailnet at a given time. Its nodes are struct api_node without the members that are not kept: keys, endpoints,
 * relays. */
struct api_primary {
    struct prefix prefix;
    uint64_t node;
    const char *name;
    int64_t since_ns;
};
/* A router that serves some nodes because it is the nearest to them. */
struct api_nearest {
    struct prefix prefix;
    uint64_t router;
    const char *name;
    struct strs nodes; /* the names of those nodes */
};
struct api_past {
    int64_t time_ns, since_ns; /* the time asked for; the earliest time on record */
    struct api_list nodes, users, primaries, prefixes;
    struct api_list nearest; /* struct api_nearest; the primary serves all other nodes */
    struct api_policy policy;
    const char *dns; /* JSON: the DNS settings of clients; NULL: not recorded at that time */
};

/* The primaries of a prefix: each change, newest first. */
struct api_move {
    struct api_event_id event;
    int64_t time_ns;
    uint64_t from, to;               /* node ids; 0: none */
    const char *from_name, *to_name; /* their names at that time, or NULL */
    const char *cause;               /* NULL: not recorded */
    const char *via;       /* within the group of routers of grants with these tags in via; NULL: for all other nodes */
    bool nearest;          /* only for the nodes that it is the nearest router of; the primary of the others stays */
    const char *actor;     /* an administrator, or "server" */
    uint64_t detection_ms; /* since the last sign of life of the failed router, or its first lost probe; 0: unknown */
    uint64_t convergence_ms; /* until all clients that were asked used the new router; 0: unknown */
    const char *text;
};
struct api_route_history {
    struct prefix prefix;
    struct api_list moves;    /* struct api_move */
    uint64_t flips;           /* moves from one router to another */
    struct api_event_id next; /* the value of before= for the next page; none: nothing older */
};

/* The number of journal entries in consecutive intervals. */
struct api_event_count {
    int64_t time_ns; /* start of the interval */
    uint64_t count;
};
struct api_event_counts {
    int64_t from_ns;
    uint64_t step;          /* seconds */
    struct api_list counts; /* struct api_event_count, of intervals with entries */
};

/* A sample of the server's state: current numbers, and what happened since the previous sample. */
struct api_sample {
    int64_t time_ns;
    uint64_t nodes, online;
    uint64_t events;      /* entries of the journal */
    uint64_t failovers;   /* prefixes that moved */
    bool database_ok;     /* it responded */
    uint64_t database_ms; /* its response time */
    uint64_t pushes;      /* full maps and updates sent to clients */
    uint64_t sent_bytes;  /* everything sent to clients */
    uint64_t median_us;   /* of the round trips of control connections; 0: unknown */
    /* Since the sample before; 0: there were none. */
    uint64_t push_p99_us;                /* from a change until a client was told of it */
    uint64_t write_p50_us, write_p99_us; /* until a group of changes was durable */
    uint64_t wal_bytes;                  /* of SQLite's write-ahead log; 0 with PostgreSQL */
};
struct api_samples {
    uint64_t interval;       /* seconds between samples */
    int64_t backup_ns;       /* of the newest backup since the server started; 0: none */
    struct api_list samples; /* struct api_sample of the last hour, oldest first */
};

/* The time that a client took to answer a PING of its control connection. */
struct api_round_trip {
    int64_t time_ns;
    uint64_t us;
    bool lost; /* it did not answer in time */
};
/* A client's measurement of its latency to a relay. */
struct api_relay_latency {
    uint64_t region;
    const char *name; /* "" if unknown */
    uint64_t us;
};
struct api_node_round_trips {
    uint64_t node;
    struct api_round_trip last;  /* time 0: none */
    struct api_list round_trips; /* struct api_round_trip of the last minutes, oldest first; only for nodes asked for */
    struct api_list relays;      /* struct api_relay_latency; only for nodes asked for */
};
struct api_round_trips {
    struct api_list nodes; /* struct api_node_round_trips */
};

/* The neighbours of a node or selector: what it reaches, and what reaches it. */
struct api_neighbour {
    const char *kind; /* "node", "prefix", "exit" */
    const char *name;
    bool online;
    struct strs out, in;        /* the ports reached there, and the ports it reaches: "any", "22", "tcp 443" */
    uint64_t out_line, in_line; /* of the policy; 0: none */
    bool out_all, in_all;       /* by a single rule, for all nodes concerned */
    const char *router;         /* of a network, or NULL */
};
struct api_neighbours {
    uint64_t nodes;             /* the number of nodes whose neighbours are listed */
    struct api_list neighbours; /* struct api_neighbour */
    uint64_t total;
    bool incomplete; /* the time was not enough for all */
};

/* A change of access from a time on, with the journal entry that explains it. */
struct api_reach_change {
    int64_t time_ns;
    bool allowed;
    const char *fact;          /* that decides it */
    uint64_t line;             /* of the policy at that time; 0: none */
    struct api_event_id event; /* none: the earliest time that was examined */
    const char *actor, *text;  /* of the entry, or NULL */
};
struct api_reach_history {
    bool allowed;            /* now */
    struct api_list changes; /* struct api_reach_change, newest first */
    int64_t back_to_ns;      /* how far back the search went */
    bool complete;           /* the search reached the start of the records */
};

extern const struct api_shape api_neighbours_shape, api_reach_history_shape;
extern const struct api_shape api_past_shape, api_past_node_shape, api_primary_shape, api_nearest_shape, api_move_shape,
    api_route_history_shape, api_event_counts_shape, api_samples_shape, api_round_trips_shape;

#endif
