/* SPDX-License-Identifier: BSD-3-Clause */
#include "control/c2n/outgoing.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

struct outgoing_question *outgoing_new(const struct question *q)
{
    struct outgoing_question *o = mem_alloc(sizeof(*o));

    memcpy(o->id, q->id, sizeof(o->id));
    o->types = q->ping ? q->ping : "c2n";
    if (q->ping)
        o->target = q->target;
    if (q->payload) {
        o->payload = mem_dup(q->payload, q->payload_len);
        o->payload_len = q->payload_len;
    }
    return o;
}

void outgoing_free(struct outgoing_question *q)
{
    if (q)
        free(q->payload);
    free(q);
}

void outgoing_write(struct netmap *nm, const struct outgoing_question *q, bool zstd, struct netmap_message *out)
{
    struct netmap_ping ping = {.types = q->types, .payload = q->payload, .payload_len = q->payload_len};
    struct buf url = BUF_INIT(0);

    buf_adds(&url, "https://unused" QUESTION_URL_PATH);
    crypto_hex(&url, q->id, sizeof(q->id));
    ping.url = buf_text(&url);
    if (q->target.bits)
        ping.target = &q->target;
    netmap_ping(nm, &ping, zstd, out);
    buf_release(&url);
}

void outgoing_drop(struct questions *qs, struct outgoing_question *list)
{
    for (struct outgoing_question *o = list, *next; o; o = next) {
        next = o->next;
        struct question *q = questions_take(qs, o->id, NULL);
        if (q)
            question_finish(qs, q, &(struct control_answer){.code = ERR_GONE, .body = ""});
        outgoing_free(o);
    }
}
