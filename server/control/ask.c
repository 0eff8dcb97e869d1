/* SPDX-License-Identifier: BSD-3-Clause */
/* The path of a question: control_ask opens it and posts it to the loop of the node's stream; the stream sends it after
 * its first map; the client posts its answer, possibly on another connection and loop. Whoever takes it out of the
 * table (the answer, its deadline, the end of the stream, the end of the daemon) finishes it. */
#include "control/ask.h"

#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/clock.h"
#include "base/mem.h"
#include "base/str.h"
#include "control/c2n/answer.h"
#include "control/takeover.h"

#define OVERDUE_MS 250 /* between checks for expired questions */

struct ask_call {
    struct session_group *group;
    uint64_t number;
    struct outgoing_question *question;
};

static void finish_with(struct control *c, struct question *q, int code)
{
    question_finish(&c->questions, q, &(struct control_answer){.code = code, .body = ""});
}

/* ---- sending ---- */

static void on_overdue(struct loop_timer *t)
{
    struct session_group *g = CONTAINER_OF(t, struct session_group, overdue);
    struct control *c = g->control;
    struct question_counts counts;

    for (struct question *q = questions_overdue(&c->questions, clock_mono_ms()), *next; q; q = next) {
        next = q->next;
        finish_with(c, q, ERR_TIMEOUT);
    }
    questions_count(&c->questions, &counts);
    if (counts.open && !atomic_load(&c->stopping))
        loop_timer_set(g->loop, &g->overdue, OVERDUE_MS, on_overdue);
}

static void run_ask(void *arg)
{
    struct ask_call *a = arg;
    struct session_group *g = a->group;

    bool stopping = atomic_load(&g->control->stopping);

    if (stopping || !session_ask(g, a->number, a->question))
        outgoing_drop(&g->control->questions, a->question);
    if (!stopping && !loop_timer_is_set(&g->overdue))
        loop_timer_set(g->loop, &g->overdue, OVERDUE_MS, on_overdue);
    control_end(g->control);
    free(a);
}

static int find_machine(struct control *c, struct question *q, struct err *e)
{
    const struct tailnet_snapshot *snapshot = tailnet_pin(c->options.tailnet);
    const struct tailnet_node *n = snapshot_node_by_id(snapshot, q->node_id);

    if (n)
        memcpy(q->machine_key, n->record->machine_key, KEY_LEN);
    tailnet_unpin(snapshot);
    return n ? 0 : err_set(e, ERR_MISSING, "node not found: %llu", (unsigned long long)q->node_id);
}

int control_ask(struct control *c, const struct control_question *question, struct err *e)
{
    struct question *q = NULL;
    int code = question_new(question, &q, e);

    if (code < 0)
        return code;
    struct stream_ref stream = takeover_stream(c, q->node_id);
    code = find_machine(c, q, e);
    if (code == 0 && !stream.number)
        code = err_set(e, ERR_GONE, "node %llu is not connected", (unsigned long long)q->node_id);
    if (code == 0 && atomic_load(&c->stopping))
        code = err_set(e, ERR_UNAVAILABLE, "the server is stopping");
    struct ask_call *a = mem_alloc(sizeof(*a));
    *a = (struct ask_call){stream.group, stream.number, outgoing_new(q)};
    if (code == 0)
        code = questions_add(&c->questions, q, e);
    if (code < 0) {
        question_free(q);
        outgoing_free(a->question);
        free(a);
        return code;
    }
    if (question->actor)
        core_node_asked(c->options.core, question->node_id, question->actor, question->ping ? "ping" : question->path);
    control_begin(c);
    loop_post(stream.group->loop, run_ask, a);
    return 0;
}

void ask_stop(struct control *c)
{
    for (struct question *q = questions_overdue(&c->questions, INT64_MAX), *next; q; q = next) {
        next = q->next;
        finish_with(c, q, ERR_UNAVAILABLE);
    }
}

/* ---- answers ---- */

static const char *id_of(const struct rpc *rpc)
{
    return rpc->path + strlen(QUESTION_URL_PATH);
}

size_t ask_body_max(struct rpc *rpc, void *arg)
{
    struct control *c = arg;

    if (!str_starts(rpc->path, QUESTION_URL_PATH))
        return 0;
    return questions_expect(&c->questions, id_of(rpc), rpc_conn_machine_key(rpc->conn));
}

void handle_answer(struct rpc *rpc, void *arg)
{
    struct control *c = arg;
    struct control_answer answer = {.code = ERR_TOOBIG, .body = ""};
    uint8_t id[QUESTION_ID_LEN];

    struct question *q =
        question_id_read(id_of(rpc), id) ? questions_take(&c->questions, id, rpc_conn_machine_key(rpc->conn)) : NULL;
    if (!q) {
        rpc_reply(rpc, 404, NULL, "", 0); /* late, or never asked: clients ignore the status */
        return;
    }
    if (rpc->body && q->ping)
        answer = (struct control_answer){.status = 200, .body = (const char *)rpc->body, .len = rpc->body_len};
    else if (rpc->body)
        c2n_answer_read((const char *)rpc->body, rpc->body_len, &answer);
    question_finish(&c->questions, q, &answer);
    rpc_reply(rpc, rpc->body ? 200 : 413, NULL, "", 0);
}
