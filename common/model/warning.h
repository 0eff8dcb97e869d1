/* SPDX-License-Identifier: BSD-3-Clause */
/* Problems of a node that is online: reported by its client, or found by probes. This is live state: it is never
 * stored, but collected anew after each start. */
#ifndef COMMON_MODEL_WARNING_H
#define COMMON_MODEL_WARNING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define WARNINGS_MAX     16  /* per source */
#define WARNING_CODE_MAX 64  /* bytes */
#define WARNING_TEXT_MAX 240 /* bytes */

#define WARNING_FORWARDING_OFF "ip-forwarding-off" /* as named by clients */

enum warning_source {
    WARNING_FLAGS,  /* MapRequest.DebugFlags */
    WARNING_CLIENT, /* /debug/health of the client */
};

struct node_warning {
    enum warning_source source;
    char *code; /* "ip-forwarding-off": an identifier for programs */
    char *text; /* one sentence without a full stop */
    int64_t since_ns;
};

struct node_warnings {
    struct node_warning *items;
    size_t len, cap;
};

void node_warnings_release(struct node_warnings *w);
void node_warnings_copy(struct node_warnings *to, const struct node_warnings *from); /* to is released first */
/* Adds a warning with a copy of text from a client, sanitised and truncated; false if there is no room or the code is
 * already present. */
bool node_warnings_add(struct node_warnings *w, enum warning_source source, const char *code, const char *text,
                       int64_t since_ns);
bool node_warnings_has(const struct node_warnings *w, const char *code);
/* Removes one warning and keeps the order of the rest. */
void node_warnings_remove(struct node_warnings *w, size_t i);

/* Translates a flag of a client's map request ("warn-ip-forwarding-off") into a code and a sentence; false if it is not
 * a warning. */
bool warning_of_flag(const char *flag, const char **code, const char **text);

#endif
