/* SPDX-License-Identifier: BSD-3-Clause */
/* What a stranger sends to the API: "METHOD TARGET\nBODY" is routed, its query and body are read, and each argument
 * that the route takes is asked for in every kind. */
#include <stdlib.h>

#include "http/private.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void ask_everything(struct request *r, const char *name)
{
    struct strs texts = {0};
    struct prefixes prefixes = {0};
    const struct user *user = NULL;
    const char *text = NULL;
    uint64_t id;
    int64_t when;
    bool flag, given;

    (void)(arg_text(r, name, &text) + arg_bool(r, name, &flag) + arg_id(r, name, &id) + arg_time(r, name, &when) +
           arg_texts(r, name, &texts, &given) + arg_prefixes(r, name, &prefixes, &given) + arg_user(r, name, &user));
    strs_release(&texts);
    prefixes_release(&prefixes);
}

static void ask_words(struct request *r, const char *words)
{
    while (words && *words) {
        size_t len = strcspn(words, " ");
        char *name = mem_strndup(words, len);
        ask_everything(r, name);
        free(name);
        words += len + strspn(words + len, " ");
    }
}

static void answer_error(const struct request *r)
{
    struct buf b = BUF_INIT(0);

    for (int dialect = DIALECT_TEXT; dialect <= DIALECT_HEADWAY; dialect++)
        error_write(&b, (enum dialect)dialect, 400, &r->err, NULL, NULL);
    html_escape(&b, r->err.message);
    buf_release(&b);
}

static void serve(const char *method, char *target, const char *body, size_t len, enum door door)
{
    static const struct tailnet_snapshot empty;
    struct request r = {.s = &empty, .door = door, .arena = ARENA_INIT(BODY_MAX)};
    char allow[64];
    bool malformed;
    char *query = strchr(target, '?');

    if (query)
        *query++ = '\0';
    r.route = router_find(method, target, door, &r.arena, r.params, allow, &malformed);
    if (query_parse(&r.arena, query ? query : "", r.query, &r.query_count, &r.err) < 0)
        answer_error(&r);
    if (r.route) {
        if (json_read(body, len, BODY_MAX, "the body", &r.json, &r.err) < 0 || !json_is_object(r.json)) {
            json_decref(r.json);
            r.json = NULL;
        }
        if (args_known(&r, r.route->takes) < 0)
            answer_error(&r);
        ask_words(&r, r.route->takes);
        ask_words(&r, r.route->query);
        answer_error(&r);
    }
    json_decref(r.json);
    arena_release(&r.arena);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *text = mem_strndup((const char *)data, size);
    size_t len = strlen(text), line = strcspn(text, "\n"), blank = strcspn(text, " ");

    if (blank < line) {
        const char *body = line < len ? text + line + 1 : "";
        text[line] = '\0';
        text[blank] = '\0';
        for (unsigned door = 1; door <= DOOR_METRICS; door <<= 1) {
            char *target = mem_strdup(text + blank + 1);
            serve(text, target, body, strlen(body), (enum door)door);
            free(target);
        }
    }
    free(text);
    return 0;
}
