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
    {&api_snapshot_shape, sizeof(struct api_snapshot)}, {&api_node_shape, sizeof(struct api_node)},
    {&api_user_shape, sizeof(struct api_user)},         {&api_preauth_key_shape, sizeof(struct api_preauth_key)},
    {&api_api_key_shape, sizeof(struct api_api_key)},   {&api_pending_shape, sizeof(struct api_pending)},
    {&api_prefix_shape, sizeof(struct api_prefix)},     {&api_event_shape, sizeof(struct api_event)},
    {&api_changes_shape, sizeof(struct api_changes)},
};

static void read_write_read(const struct api_shape *shape, size_t size, const json_t *json)
{
    void *object = mem_alloc(size);
    struct buf b = BUF_INIT(0);
    struct json_out o = JSON_OUT(&b);
    json_t *again = NULL;

    if (api_read(shape, json, object, NULL) == 0) {
        api_write(&o, shape, object, API_HEADWAY_TOP);
        api_release(shape, object);
        if (json_read(buf_text(&b), b.len, (size_t)1 << 30, "what was written", &again, NULL) < 0 ||
            api_read(shape, again, object, NULL) < 0)
            abort();
        api_release(shape, object);
        json_decref(again);
    }
    buf_release(&b);
    free(object);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    json_t *json;

    if (json_read((const char *)data, size, 1 << 20, "the answer", &json, NULL) < 0)
        return 0;
    for (size_t i = 0; i < ARRAY_LEN(shapes); i++)
        read_write_read(shapes[i].shape, shapes[i].size, json);
    json_decref(json);
    return 0;
}
