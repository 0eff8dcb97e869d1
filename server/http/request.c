/* SPDX-License-Identifier: BSD-3-Clause */
/* The way of a request through the room: who asks, what for, may they, is it well-formed; then its handler. */
#include <stdlib.h>

#include "base/array.h"
#include "http/private.h"

static void finish(struct request *r)
{
    struct http *h = r->h;

    count_answer(h, r);
    if (r->s)
        tailnet_unpin(r->s);
    r->s = NULL;
    tailnet_unpin(r->after);
    r->after = NULL;
    pthread_mutex_lock(&h->lock);
    if (--h->active == 0)
        pthread_cond_broadcast(&h->idle);
    pthread_mutex_unlock(&h->lock);
    r->answered(r);
}

static void run_continuation(struct work *work)
{
    struct request *r = CONTAINER_OF(work, struct request, work);

    if (r->then(r) == DONE)
        finish(r);
}

enum flow request_later(struct request *r, struct workers *by, handler *then)
{
    r->then = then;
    r->work.run = run_continuation;
    workers_add(by, &r->work);
    return LATER;
}

/* On the core's thread. */
static void core_answered(struct core_call *call)
{
    struct request *r = call->owner;

    r->after = tailnet_pin(r->h->with.tailnet);
    request_later(r, &r->h->fast, r->then);
}

enum flow request_admin(struct request *r, handler *then)
{
    r->then = then;
    r->admin.call.done = core_answered;
    r->admin.call.owner = r;
    r->admin.actor = r->who.actor;
    r->admin.dry_run = r->dry_run;
    r->admin.has_match = r->has_match;
    r->admin.match = r->match;
    core_admin(r->h->with.core, &r->admin);
    return LATER;
}

/* ---- reading ---- */

static int refuse_path(struct request *r, const char *path, const char *allow)
{
    bool v1 = str_starts(path, "/api/") && !str_starts(path, "/api/headway");
    static const struct route plain = {.dialect = DIALECT_TEXT}, old = {.dialect = DIALECT_V1},
                              ours = {.dialect = DIALECT_HEADWAY};

    r->route = v1 ? &old : str_starts(path, "/api/headway") ? &ours : &plain;
    if (!*allow)
        return err_set(&r->err, ERR_MISSING, v1 ? "Not Found" : "there is nothing at %.120s", path);
    reply_header(r, "Allow", allow);
    r->wrong_method = true;
    return err_set(&r->err, ERR_UNSUPPORTED, "Method Not Allowed: %s is for %s", path, allow);
}

static int find_route(struct request *r)
{
    const char *question = strchrnul(r->target, '?');
    char *path = arena_strndup(&r->arena, r->target, (size_t)(question - r->target));
    char allow[64];
    bool malformed;

    r->route = router_find(r->method, path, r->door, &r->arena, r->params, allow, &malformed);
    if (malformed)
        return err_set(&r->err, ERR_INVALID, "the path holds a malformed escape, or no UTF-8: %.120s", path);
    if (!r->route)
        return refuse_path(r, path, allow);
    return query_parse(&r->arena, *question ? question + 1 : "", r->query, &r->query_count, &r->err);
}

static struct log_limit wrong_keys;

/* Everything below /api asks for the key first, as headscale's gateway did: a stranger learns nothing of what exists.
 */
static int authenticate(struct request *r)
{
    bool api = str_starts(r->target, "/api/") && r->door != DOOR_METRICS;

    if (r->door == DOOR_UNIX) {
        auth_peer(r->peer_fd, &r->who);
        return 0;
    }
    if (!api || (r->route && r->route->need == NEED_NOTHING && r->route->run))
        return 0;
    int code = auth_bearer(r->h->auth, r->s, r->authorization, clock_wall_ns(), &r->who, &r->err);
    if (code == 0)
        core_apikey_seen(r->h->with.core, r->who.key_id);
    else if (r->authorization)
        log_limited(&wrong_keys, 5, LOG_LEVEL_WARN, "http", "%s came with an API key that is unknown or expired",
                    r->peer);
    return code;
}

/* Old web interfaces compare this body with the word; whoever asks for JSON gets JSON. */
static enum flow refuse_stranger(struct request *r)
{
    if (str_starts(r->target, "/api/headway") || (r->accept && strstr(r->accept, "json")))
        reply_error(r, &r->err);
    else
        reply_text(r, 401, "Unauthorized");
    reply_header(r, "WWW-Authenticate", "Bearer");
    return DONE;
}

static int read_if_match(struct request *r)
{
    const char *text = r->if_match;
    char digits[24];
    size_t len = text ? strlen(text) : 0;

    if (!text || str_eq(text, "*"))
        return 0;
    if (len >= 2 && len < sizeof(digits) && text[0] == '"' && text[len - 1] == '"') {
        memcpy(digits, text + 1, len - 2);
        digits[len - 2] = '\0';
        if (str_u64(digits, 0, UINT64_MAX, &r->match, "If-Match", NULL) == 0) {
            r->has_match = true;
            return 0;
        }
    }
    return err_field(&r->err, ERR_INVALID, "If-Match", "If-Match must be a version in quotes, such as \"7\": %.60s",
                     text);
}

static int read_body(struct request *r)
{
    bool lenient = r->route->dialect != DIALECT_HEADWAY;
    int code;

    if (r->too_large)
        return err_set(&r->err, ERR_TOOBIG, "the body is larger than %d bytes", BODY_MAX);
    if (!r->body.len || (lenient && !r->route->takes))
        return 0;
    code = json_read(r->body.data, r->body.len, BODY_MAX, "the body", &r->json, &r->err);
    if (code < 0)
        return code;
    if (json_is_null(r->json)) {
        json_decref(r->json);
        r->json = NULL;
    }
    if (r->json && !json_is_object(r->json))
        return err_set(&r->err, ERR_INVALID, "the body must be a JSON object");
    return lenient ? 0 : args_known(r, r->route->takes);
}

static int read_headway(struct request *r)
{
    int code = read_if_match(r);

    if (code == 0 && r->route->dialect == DIALECT_HEADWAY)
        code = arg_query(r, "dry_run") ? arg_bool(r, "dry_run", &r->dry_run) : 0;
    return code;
}

static int may(struct request *r)
{
    if (r->route->need == NEED_ADMIN && r->who.read_only && !r->dry_run)
        return err_set(&r->err, ERR_DENIED, "the API key '%.80s' may only read", r->who.actor);
    return 0;
}

static enum flow begin(struct request *r)
{
    int found = find_route(r);

    if (authenticate(r) < 0)
        return refuse_stranger(r);
    if (found < 0 || read_body(r) < 0 || read_headway(r) < 0 || may(r) < 0)
        return reply_error(r, &r->err);
    return r->route->run(r);
}

static void start(struct work *work)
{
    struct request *r = CONTAINER_OF(work, struct request, work);

    r->s = tailnet_pin(r->h->with.tailnet);
    if (begin(r) == DONE)
        finish(r);
}

void request_start(struct request *r)
{
    pthread_mutex_lock(&r->h->lock);
    r->h->active++;
    pthread_mutex_unlock(&r->h->lock);
    r->began_us = clock_mono_us();
    r->work.run = start;
    workers_add(&r->h->fast, &r->work);
}

void request_free(struct request *r)
{
    core_admin_release(&r->admin);
    json_decref(r->json);
    arena_release(&r->arena);
    buf_release(&r->body);
    buf_release(&r->out);
    free(r->target);
    free(r->authorization);
    free(r->if_match);
    free(r->last_event_id);
    free(r->accept);
    free(r->forwarded_for);
    if (r->stream) {
        stream_closed(r->stream);
        stream_unref(r->stream);
    }
    free(r);
}
