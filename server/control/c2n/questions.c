/* SPDX-License-Identifier: BSD-3-Clause */
#include "control/c2n/questions.h"

#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/buf.h"
#include "base/clock.h"
#include "base/mem.h"
#include "base/random.h"
#include "base/str.h"

#define TIMEOUT_MS  10000
#define TIMEOUT_MAX 60000 /* the time that a client gives its handler */
#define BODY_MAX    (64u << 10)
#define REQUEST_MAX (256u << 10)

void questions_init(struct questions *qs)
{
    *qs = (struct questions){0};
    pthread_mutex_init(&qs->lock, NULL);
}

void questions_release(struct questions *qs)
{
    map_release(&qs->open);
    map_release(&qs->nodes);
    map_release(&qs->actors);
    pthread_mutex_destroy(&qs->lock);
}

bool question_id_read(const char *text, uint8_t id[QUESTION_ID_LEN])
{
    return crypto_unhex(text, strlen(text), id, QUESTION_ID_LEN);
}

/* ---- one question ---- */

/* What is put into the request line must not end it. */
static bool is_word(const char *text)
{
    for (const char *c = text; *c; c++)
        if (*c <= ' ' || *c > '~')
            return false;
    return *text;
}

static int write_request(const struct control_question *q, unsigned timeout_ms, struct question *out, struct err *e)
{
    struct buf b = BUF_INIT(REQUEST_MAX);
    const char *method = q->method ? q->method : q->body ? "POST" : "GET";

    if (!is_word(method) || !is_word(q->path) || *q->path != '/')
        return err_set(e, ERR_INVALID, "'%.60s %.60s' is no request to a client", method, q->path);
    buf_addf(&b, "%s %s HTTP/1.1\r\nHost: client\r\nC2n-Handler-Timeout: %ums\r\n", method, q->path, timeout_ms);
    if (q->body)
        buf_addf(&b, "Content-Length: %zu\r\nContent-Type: application/json\r\n", q->body_len);
    buf_adds(&b, "\r\n");
    if (q->body)
        buf_add(&b, q->body, q->body_len);
    if (b.failed) {
        buf_release(&b);
        return err_set(e, ERR_TOOBIG, "a request to a client may take %u bytes", REQUEST_MAX);
    }
    out->payload_len = b.len;
    out->payload = buf_take(&b);
    return 0;
}

/* tailcfg.PingType; the texts outlive every question. */
static const char *ping_type(const char *name)
{
    static const char *const types[] = {"disco", "TSMP", "ICMP", "peerapi"};

    for (size_t i = 0; i < ARRAY_LEN(types); i++)
        if (str_eq(types[i], name))
            return types[i];
    return NULL;
}

int question_new(const struct control_question *q, struct question **out, struct err *e)
{
    unsigned timeout_ms = q->timeout_ms ? q->timeout_ms : TIMEOUT_MS;
    int code = 0;

    if (timeout_ms > TIMEOUT_MAX || q->max > CONTROL_ANSWER_MAX || (!q->ping && !q->path))
        return err_set(e, ERR_INVALID, "a question to a client is out of its bounds");
    struct question *made = mem_alloc(sizeof(*made));
    random_bytes(made->id, sizeof(made->id));
    made->node_id = q->node_id;
    made->deadline = clock_mono_ms() + timeout_ms;
    made->max = q->max ? q->max : BODY_MAX;
    made->done = q->done;
    made->arg = q->arg;
    made->target = q->target;
    made->actor = q->actor ? mem_strdup(q->actor) : NULL;
    if (!q->ping)
        code = write_request(q, timeout_ms, made, e);
    else if ((made->ping = ping_type(q->ping)) == NULL)
        code = err_set(e, ERR_INVALID, "clients know no ping '%.20s'", q->ping);
    if (code < 0) {
        question_free(made);
        return code;
    }
    *out = made;
    return 0;
}

void question_free(struct question *q)
{
    if (!q)
        return;
    free(q->payload);
    free(q->actor);
    free(q);
}

/* ---- the table ---- */

static uintptr_t open_of_node(const struct questions *qs, const struct question *q)
{
    return (uintptr_t)map_getu(&qs->nodes, q->node_id);
}

static uintptr_t open_of_actor(const struct questions *qs, const struct question *q)
{
    return q->actor ? (uintptr_t)map_get(&qs->actors, q->actor, strlen(q->actor)) : 0;
}

static void set_open(struct questions *qs, const struct question *q, uintptr_t of_node, uintptr_t of_actor)
{
    if (of_node)
        map_putu(&qs->nodes, q->node_id, (void *)of_node);
    else
        map_delu(&qs->nodes, q->node_id);
    if (q->actor && of_actor)
        (void)map_put(&qs->actors, q->actor, strlen(q->actor), (void *)of_actor);
    else if (q->actor)
        (void)map_del(&qs->actors, q->actor, strlen(q->actor));
}

int questions_add(struct questions *qs, struct question *q, struct err *e)
{
    int code = 0;

    pthread_mutex_lock(&qs->lock);
    if (open_of_node(qs, q) >= QUESTIONS_NODE) {
        code = err_set(e, ERR_BUSY, "the node's client has %d questions to answer already", QUESTIONS_NODE);
    } else if (open_of_actor(qs, q) >= QUESTIONS_ACTOR) {
        code = err_set(e, ERR_BUSY, "%.60s has asked %d clients that have not answered yet", q->actor, QUESTIONS_ACTOR);
    } else if (qs->open.len >= QUESTIONS_MAX) {
        code = err_set(e, ERR_BUSY, "%d questions to clients wait for their answers already", QUESTIONS_MAX);
    } else {
        map_put(&qs->open, q->id, sizeof(q->id), q);
        set_open(qs, q, open_of_node(qs, q) + 1, open_of_actor(qs, q) + 1);
        qs->counts.asked++;
    }
    pthread_mutex_unlock(&qs->lock);
    return code;
}

/* Call with the lock held. */
static struct question *find(struct questions *qs, const uint8_t id[QUESTION_ID_LEN], const uint8_t *machine_key)
{
    struct question *q = map_get(&qs->open, id, QUESTION_ID_LEN);

    return q && (!machine_key || memcmp(q->machine_key, machine_key, KEY_LEN) == 0) ? q : NULL;
}

/* Call with the lock held. */
static void close_one(struct questions *qs, struct question *q)
{
    map_del(&qs->open, q->id, sizeof(q->id));
    set_open(qs, q, open_of_node(qs, q) - 1, open_of_actor(qs, q) - 1);
}

size_t questions_expect(struct questions *qs, const char *text, const uint8_t machine_key[KEY_LEN])
{
    uint8_t id[QUESTION_ID_LEN];
    size_t max = 0;

    if (!question_id_read(text, id))
        return 0;
    pthread_mutex_lock(&qs->lock);
    struct question *q = find(qs, id, machine_key);
    if (q && !q->answering) {
        q->answering = true;
        max = q->max;
    }
    pthread_mutex_unlock(&qs->lock);
    return max;
}

struct question *questions_take(struct questions *qs, const uint8_t id[QUESTION_ID_LEN],
                                const uint8_t machine_key[KEY_LEN])
{
    pthread_mutex_lock(&qs->lock);
    struct question *q = find(qs, id, machine_key);
    if (q)
        close_one(qs, q);
    pthread_mutex_unlock(&qs->lock);
    return q;
}

struct question *questions_overdue(struct questions *qs, int64_t now)
{
    struct question *list = NULL;

    pthread_mutex_lock(&qs->lock);
    for (struct map_entry *e = map_first(&qs->open); e; e = map_next(&qs->open, e)) {
        struct question *q = e->value;
        if (q->deadline <= now) {
            q->next = list;
            list = q;
        }
    }
    for (struct question *q = list; q; q = q->next)
        close_one(qs, q);
    pthread_mutex_unlock(&qs->lock);
    return list;
}

void question_finish(struct questions *qs, struct question *q, const struct control_answer *answer)
{
    pthread_mutex_lock(&qs->lock);
    if (answer->code == 0)
        qs->counts.answered++;
    else if (answer->code == ERR_TIMEOUT)
        qs->counts.silent++;
    else if (answer->code == ERR_UNSUPPORTED)
        qs->counts.unsupported++;
    else
        qs->counts.failed++;
    pthread_mutex_unlock(&qs->lock);
    q->done(q->arg, answer);
    question_free(q);
}

void questions_count(struct questions *qs, struct question_counts *out)
{
    pthread_mutex_lock(&qs->lock);
    *out = qs->counts;
    out->open = (unsigned)qs->open.len;
    pthread_mutex_unlock(&qs->lock);
}
