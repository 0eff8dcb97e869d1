/* SPDX-License-Identifier: BSD-3-Clause */
/* A whole daemon's inside without its doors: store, core and HTTP room in a folder of its own, and a client that speaks
 * HTTP to them with plain sockets. */
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

/* api_begin in two parts: all that is needed, and the start itself. */
void api_prepare(struct api_fixture *f, const char *extra);
void api_go(struct api_fixture *f);
void api_begin(struct api_fixture *f, const char *extra); /* extra: more lines of configuration, "" for none */
void api_end(struct api_fixture *f);
/* The setup and teardown of most tests: a user named alice is there. */
int api_setup(struct api_fixture *f);
int api_teardown(struct api_fixture *f);

/* A connection to the unix socket, or (public) through the door of strangers. */
int api_connect(struct api_fixture *f, bool public_door);
/* Sends text as it is. */
void api_send(int fd, const char *text, size_t len);
/* Reads one answer with Content-Length; the caller owns the text of the body. head may be NULL. Fails the test when
 * nothing comes within some seconds. */
int api_answer(int fd, struct buf *head, struct buf *body);

struct api_call {
    const char *method, *target, *body; /* body NULL: none */
    const char *headers;                /* "Name: value\r\n"..., NULL: none */
    bool public_door;
};
/* One request, one answer: the status, and its JSON (NULL: none), which the caller owns. */
int api_ask(struct api_fixture *f, const struct api_call *call, json_t **json);

/* The most common: over the unix socket; fails the test unless the status is the given one. */
json_t *api_expect(struct api_fixture *f, int status, const char *method, const char *target, const char *body);

/* The text json[object][key]; "": none. Borrowed. */
const char *api_text_in(const json_t *json, const char *object, const char *key);

/* A registered node of the user with that name, advertising routes (NULL ends), online when session is not NULL. */
uint64_t api_node(struct api_fixture *f, const char *user, const char *name, const char *const *routes,
                  uint64_t *session);

#endif
