/* SPDX-License-Identifier: BSD-3-Clause */
#include "console/dialogs/plan.h"

#include "base/mem.h"

struct plan *plan_new(enum risk risk, const char *verb)
{
    struct plan *p = mem_alloc(sizeof(*p));

    p->risk = risk;
    p->verb = mem_strdup(verb);
    return p;
}

void plan_free(struct plan *p)
{
    if (!p)
        return;
    for (size_t i = 0; i < p->steps.len; i++) {
        free(p->steps.items[i].what);
        free(p->steps.items[i].before);
        free(p->steps.items[i].after);
        free(p->steps.items[i].outcome);
        free(p->steps.items[i].key);
        free(p->steps.items[i].node);
    }
    for (size_t i = 0; i < p->calls.len; i++) {
        free(p->calls.items[i].method);
        free(p->calls.items[i].path);
        free(p->calls.items[i].body);
        free(p->calls.items[i].message);
        free(p->calls.items[i].warnings);
    }
    plan_effects_release(&p->effects);
    line_release(&p->typed);
    vec_release(&p->steps);
    vec_release(&p->calls);
    strs_release(&p->events);
    free(p->verb);
    free(p->title);
    free(p->done);
    free(p->note);
    free(p->word);
    free(p->what);
    if (p->secret)
        explicit_bzero(p->secret, strlen(p->secret));
    free(p->secret);
    free(p);
}

size_t plan_add_request(struct plan *p, const char *method, char *path, char *body, uint64_t version,
                        enum row_kind result)
{
    vec_push(&p->calls, ((struct plan_request){.method = mem_strdup(method),
                                               .path = path,
                                               .body = body ? body : mem_strdup(""),
                                               .version = version,
                                               .result = result}));
    return p->calls.len - 1;
}

void plan_add_step(struct plan *p, size_t call, const struct row *row, const char *node, const char *what,
                   const char *before, const char *after)
{
    vec_push(&p->steps, ((struct plan_step){.call = call,
                                            .what = mem_strdup(what),
                                            .before = mem_strdup(before),
                                            .after = mem_strdup(after),
                                            .kind = row->kind,
                                            .key = mem_strdup(row->key),
                                            .node = node ? mem_strdup(node) : NULL}));
}

size_t plan_count(const struct plan *p, enum plan_request_state state)
{
    size_t count = 0;

    for (size_t i = 0; i < p->calls.len; i++)
        count += p->calls.items[i].state == state && !p->calls.items[i].left_out;
    return count;
}

bool plan_settled(const struct plan *p)
{
    return !plan_count(p, REQUEST_CHECKING) && !plan_count(p, REQUEST_APPLYING);
}
