/* SPDX-License-Identifier: BSD-3-Clause */
/* Undoes an entry of the journal. */
#include <stdlib.h>

#include "api/change/change.h"
#include "api/request/args.h"
#include "api/request/reply.h"
#include "api/request/request.h"
#include "api/resources/policy.h"
#include "api/resources/tables.h"
#include "api/view/objects.h"
#include "api/view/operations.h"
#include "base/vec.h"

/* Entries of one change are undone together: the inverse lists them all, unless it is the entry's alone. */
static int find_parts(struct rest_request *r, const struct event *e, const json_t *inverse)
{
    const json_t *names = json_object_get(inverse, "events");
    uint64_t first = e->r.id, last = e->r.id;
    struct event **events = NULL;
    size_t count = 0;
    bool gone = false;

    for (size_t i = 0; i < json_array_size(names); i++) {
        struct api_event_id id;
        const char *text = json_string_value(json_array_get(names, i));
        if (!text || api_event_id_parse(text, &id, &r->err) < 0 || id.run != e->run)
            return err_set(&r->err, ERR_INTERNAL, "the journal's entry %s is damaged", r->http.params[0]);
        first = id.seq < first ? id.seq : first;
        last = id.seq > last ? id.seq : last;
    }
    if (last - first >= EVENTS_PAGE_MAX)
        return err_set(&r->err, ERR_INTERNAL, "the journal's entry %s is damaged", r->http.params[0]);
    int code = store_events(r->api->with.store, e->run, 0, last + 1, (size_t)(last - first + 1), &events, &count, &gone,
                            &r->err);
    for (size_t i = 0; code == 0 && i < count; i++)
        if (events[i]->run == e->run && events[i]->r.id >= first && str_eq(events[i]->inverse, e->inverse))
            vec_push(&r->admin.undoes, record_ref(events[i]));
    for (size_t i = 0; i < count; i++)
        record_unref(events[i]);
    free(events);
    return code;
}

static enum http_flow undo_with(struct rest_request *r, const struct event *e)
{
    json_t *inverse = NULL;

    if (e->undone_by)
        return reply_code(r, ERR_CONFLICT, "%s was already undone, by event %llu.%llu", r->http.params[0],
                          (unsigned long long)e->undone_run, (unsigned long long)e->undone_by);
    if (!*e->inverse)
        return reply_code(r, ERR_CONFLICT, "%s (%.120s) cannot be undone", r->http.params[0], e->text);
    int code = operation_read(&r->http.arena, e->inverse, &inverse, &r->admin, &r->err);
    json_decref(r->json);
    r->json = inverse; /* owns the texts */
    if (code < 0 || find_parts(r, e, inverse) < 0)
        return reply_error(r, &r->err);
    return r->admin.op == ADMIN_POLICY_SET ? policy_change(r) : change(r, r->admin.op);
}

/* The entry itself is the last one before its successor. */
static enum http_flow find_undone(struct rest_request *r)
{
    const struct api_event_id *id = r->state;
    struct event **events = NULL;
    size_t count = 0;
    bool gone = false;
    enum http_flow flow;

    if (store_events(r->api->with.store, id->run, 0, id->seq + 1, 1, &events, &count, &gone, &r->err) < 0)
        return reply_error(r, &r->err);
    if (gone || count != 1 || events[0]->run != id->run || events[0]->r.id != id->seq)
        flow = reply_code(r, ERR_MISSING, "the journal has no event %s", r->http.params[0]);
    else
        flow = undo_with(r, events[0]);
    for (size_t i = 0; i < count; i++)
        record_unref(events[i]);
    free(events);
    return flow;
}

static enum http_flow undo(struct rest_request *r)
{
    struct api_event_id *id = arena_alloc(&r->http.arena, sizeof(*id));

    if (api_event_id_parse(r->http.params[0], id, &r->err) < 0)
        return reply_error(r, &r->err);
    if (id->seq >= INT64_MAX)
        return reply_code(r, ERR_MISSING, "the journal has no event %s", r->http.params[0]);
    r->state = id;
    return request_later(r, HTTP_DISK, find_undone);
}

static const struct api_endpoint rows[] = {
    {HEADWAY("POST", "/undo/{event}"), .run = undo, .need = NEED_ADMIN, .scope = SCOPE_ALL, .body = "",
     .query = "dry_run:bool", .answer = "Change result:object", .help = "Takes an entry of the journal back"},
};
const struct http_table journal_table = API_TABLE(rows);
