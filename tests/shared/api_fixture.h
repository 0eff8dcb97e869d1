/* SPDX-License-Identifier: BSD-3-Clause */
/* The daemon except for its listeners: store, core and HTTP room in a temporary folder, and a client that speaks HTTP
 * to them over plain sockets. */
#ifndef TESTS_SHARED_API_FIXTURE_H
#define TESTS_SHARED_API_FIXTURE_H

#include "api/api.h"
#include "shared/store_fixture.h"
#include "json/json.h"

struct api_fixture {
    struct fixture store;
    struct config *config;
    struct tailnet *tailnet;
    struct core *core;
    struct api *api;
    char socket[120];
};

/* The two parts of api_begin: preparation, and the start. */
void api_prepare(struct api_fixture *f, const char *extra);
void api_go(struct api_fixture *f);
void api_begin(struct api_fixture *f, const char *extra); /* extra: additional lines of configuration, "" for none */
void api_end(struct api_fixture *f);
/* Setup and teardown of most tests, with a user named alice. */
int api_setup(struct api_fixture *f);
int api_teardown(struct api_fixture *f);

/* Connects to the Unix socket or, if public_door, to the public listener. */
int api_connect(struct api_fixture *f, bool public_door);
/* Sends text unchanged. */
void api_send(int fd, const char *text, size_t len);
/* Reads one answer with Content-Length; the caller owns the text of the body. head may be NULL. Fails the test if
 * nothing arrives within some seconds. */
int api_answer(int fd, struct buf *head, struct buf *body);

struct api_call {
    const char *method, *target, *body; /* body NULL: none */
    const char *headers;                /* "Name: value\r\n"..., NULL: none */
    bool public_door;
};
/* Sends one request and reads the answer: returns the status, and its JSON (NULL: none), which the caller owns. */
int api_ask(struct api_fixture *f, const struct api_call *call, json_t **json);

/* The common form, over the Unix socket: fails the test unless the answer has the given status. */
json_t *api_expect(struct api_fixture *f, int status, const char *method, const char *target, const char *body);

/* The string json[object][key], borrowed; "" if absent. */
const char *api_text_in(const json_t *json, const char *object, const char *key);

/* Registers a node of the named user, which advertises routes (ending in NULL) and is online if session is not NULL. */
uint64_t api_node(struct api_fixture *f, const char *user, const char *name, const char *const *routes,
                  uint64_t *session);

#endif
