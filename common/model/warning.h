/* SPDX-License-Identifier: BSD-3-Clause */
/* What is wrong with a node although it is online: what its client says of itself, and what probes found. Live state:
 * known anew after each start, never stored. */
#ifndef COMMON_MODEL_WARNING_H
#define COMMON_MODEL_WARNING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define WARNINGS_MAX     16  /* of one source */
#define WARNING_CODE_MAX 64  /* bytes */
#define WARNING_TEXT_MAX 240 /* bytes */

#define WARNING_FORWARDING_OFF "ip-forwarding-off" /* as clients call it */

enum warning_source {
    WARNING_FLAGS,  /* MapRequest.DebugFlags */
    WARNING_CLIENT, /* /debug/health of the client */
};

struct node_warning {
    enum warning_source source;
    char *code; /* "ip-forwarding-off": a word for programs */
    char *text; /* one sentence without a dot at its end */
    int64_t since_ns;
};

struct node_warnings {
    struct node_warning *items;
    size_t len, cap;
};

void node_warnings_release(struct node_warnings *w);
void node_warnings_copy(struct node_warnings *to, const struct node_warnings *from); /* to is released first */
/* Copies what comes from a client, made clean and cut; false: there is no more room, or the code is there already. */
bool node_warnings_add(struct node_warnings *w, enum warning_source source, const char *code, const char *text,
                       int64_t since_ns);
bool node_warnings_has(const struct node_warnings *w, const char *code);
/* Removes one, keeping the order of the rest. */
void node_warnings_remove(struct node_warnings *w, size_t i);

/* A flag of a client's map request ("warn-ip-forwarding-off") as code and sentence; false: it is no warning. */
bool warning_of_flag(const char *flag, const char **code, const char **text);

#endif
