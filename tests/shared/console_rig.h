/* SPDX-License-Identifier: BSD-3-Clause */
/* The console's application for tests, without terminal and network: a clock under the test's control, a made-up
 * tailnet, keys as scripts, requests that are recorded instead of sent. */
#ifndef TESTS_SHARED_CONSOLE_RIG_H
#define TESTS_SHARED_CONSOLE_RIG_H

#include "console/application.h"

#define RIG_NOW_NS INT64_C(1772546580000000000) /* 2026-03-03 14:03 UTC */

struct rig_request {
    uint64_t id;
    char *method, *path, *body;
    uint64_t version;
    bool match, whole;
    enum row_kind result;
    int (*decode)(const json_t *root, struct model_delta *out, struct err *e);
};

struct rig {
    struct app app;
    int64_t now_ms;
    VEC(struct rig_request) sent;
    VEC(struct rig_request) asked; /* those without a waiting caller */
};

/* Connected, with the tailnet of rig_snapshot (additional nodes are made up as well). */
void rig_init(struct rig *r, size_t nodes);
void rig_release(struct rig *r);

void rig_json(struct rig *r, const char *message); /* a server-sent event */
void rig_keys(struct rig *r, const char *script);
void rig_answer(struct rig *r, size_t request, int status, const char *json);
/* Answers all pending requests without a waiting caller whose "METHOD PATH BODY" contains what; false if there are
 * none. */
bool rig_tell(struct rig *r, const char *what, int status, const char *json);
/* Draws, and answers the requests of the list in front if the snapshot does not contain it (app/asked.h). */
void rig_lists(struct rig *r);
size_t rig_last(const struct rig *r);     /* index of the newest request */
void rig_pass(struct rig *r, int64_t ms); /* advances the clock */
void rig_draw(struct rig *r, int rows, int cols);
char *rig_screen(struct rig *r, int rows, int cols); /* caller frees */
bool rig_shows(struct rig *r, const char *text);     /* on a screen of 80x24 */
/* Compares the screen with tests/console/golden/NAME.screen; UPDATE=1 writes that file, for review. */
bool rig_golden(struct rig *r, const char *name, int rows, int cols);
const char *rig_cursor(struct rig *r); /* the key of the row under the cursor, "" for none */

#endif
