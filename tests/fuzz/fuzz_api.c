/* SPDX-License-Identifier: BSD-3-Clause */
/* What a server answers, as the console and the command line read it: every shape reads any JSON or refuses it, and
 * what it read is written and read again. */
#include <stdlib.h>

#include "base/array.h"
#include "base/mem.h"
#include "model/api.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct {
    const struct api_shape *shape;
    size_t size;
} shapes[] = {
    {&api_snapshot_shape, sizeof(struct api_snapshot)},
    {&api_node_shape, sizeof(struct api_node)},
    {&api_user_shape, sizeof(struct api_user)},
    {&api_preauth_key_shape, sizeof(struct api_preauth_key)},
    {&api_api_key_shape, sizeof(struct api_api_key)},
    {&api_pending_shape, sizeof(struct api_pending)},
    {&api_prefix_shape, sizeof(struct api_prefix)},
    {&api_event_shape, sizeof(struct api_event)},
    {&api_changes_shape, sizeof(struct api_changes)},
    {&api_node_route_shape, sizeof(struct api_node_route)},
    {&api_route_problem_shape, sizeof(struct api_route_problem)},
    {&api_page_shape, sizeof(struct api_page)},
    {&api_whoami_shape, sizeof(struct api_whoami)},
    {&api_change_shape, sizeof(struct api_change)},
    {&api_policy_shape, sizeof(struct api_policy)},
    {&api_check_shape, sizeof(struct api_check)},
    {&api_explanation_shape, sizeof(struct api_explanation)},
    {&api_reach_shape, sizeof(struct api_reach)},
    {&api_policy_versions_shape, sizeof(struct api_policy_versions)},
    {&api_preview_shape, sizeof(struct api_preview)},
    {&api_exit_shape, sizeof(struct api_exit)},
};

static void read_write_read(const struct api_shape *shape, size_t size, const json_t *json, enum api_reading how)
{
    void *object = mem_alloc(size);
    struct buf b = BUF_INIT(0);
    struct json_out o = JSON_OUT(&b);
    json_t *again = NULL;
    int read = api_read(shape, json, object, how, NULL);

    if (read == 0) {
        api_write(&o, shape, object, API_HEADWAY_TOP);
        api_release(shape, object);
        if (json_read(buf_text(&b), b.len, (size_t)1 << 30, "what was written", &again, NULL) < 0 ||
            api_read(shape, again, object, API_STRICT, NULL) < 0)
            abort();
        api_release(shape, object);
        json_decref(again);
    } else if (how == API_LENIENT && json_is_object(json)) {
        abort();
    }
    buf_release(&b);
    free(object);
}

/* Whatever a server sends, nothing of it steers a terminal. */
static void read_for_terminal(const struct api_shape *shape, size_t size, const json_t *json)
{
    void *object = mem_alloc(size);
    struct buf b = BUF_INIT(0), safe = BUF_INIT(0);
    struct json_out o = JSON_OUT(&b);

    if (api_read(shape, json, object, API_FOR_TERMINAL, NULL) == 0) {
        api_write(&o, shape, object, API_HEADWAY_TOP);
        str_safe(&safe, buf_text(&b), b.len);
        if (!str_eq(buf_text(&safe), buf_text(&b)))
            abort();
        api_release(shape, object);
    } else if (json_is_object(json)) {
        abort();
    }
    buf_clear(&b);
    o = (struct json_out)JSON_OUT(&b);
    api_write_029(&o, shape, json, true);
    buf_release(&b);
    buf_release(&safe);
    free(object);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    json_t *json;

    if (json_read((const char *)data, size, 1 << 20, "the answer", &json, NULL) < 0)
        return 0;
    for (size_t i = 0; i < ARRAY_LEN(shapes); i++) {
        read_write_read(shapes[i].shape, shapes[i].size, json, API_STRICT);
        read_write_read(shapes[i].shape, shapes[i].size, json, API_LENIENT);
        read_for_terminal(shapes[i].shape, shapes[i].size, json);
    }
    json_decref(json);
    return 0;
}
