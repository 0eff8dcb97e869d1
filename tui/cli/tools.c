/* SPDX-License-Identifier: BSD-3-Clause */
/* Functions shared by the command families: calls, questions, finding what a user means. */
#include <ctype.h>
#include <stdarg.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/mem.h"
#include "cli/command.h"
#include "net/prefixes.h"
#include "policy/policy.h"

json_t *cli_call(struct cli *c, const char *method, json_t *body, const char *path_format, ...)
{
    char path[4096];
    struct err e = {0};
    json_t *answer = NULL;
    va_list args;

    va_start(args, path_format);
    int n = vsnprintf(path, sizeof(path), path_format, args);
    va_end(args);
    if (n < 0 || (size_t)n >= sizeof(path))
        cli_failf(c, "an argument is too long");
    else if (client_json(c->client, method, path, body, &answer, &e) < 0 && client_words(c->client))
        output_error(&c->out, client_words(c->client));
    else if (e.code)
        cli_fail(c, &e);
    json_decref(body);
    return answer;
}

bool cli_confirm(struct cli *c, const char *format, ...)
{
    static const char *const yes[] = {"y", "yes", "sure"};
    char question[1024], word[32] = "";
    struct buf safe = BUF_INIT(0);
    va_list args;

    if (c->out.force)
        return true;
    va_start(args, format);
    vsnprintf(question, sizeof(question), format, args);
    va_end(args);
    str_safe(&safe, question, strlen(question));
    fflush(stdout);
    fprintf(stderr, "%s [y/n] ", buf_text(&safe));
    fflush(stderr);
    buf_release(&safe);
    if (scanf("%31s", word) != 1)
        return false;
    for (size_t i = 0; i < 3; i++)
        if (strcasecmp(word, yes[i]) == 0)
            return true;
    return false;
}

int cli_done(struct cli *c, json_t *answer, const char *line, const char *member, const struct api_shape *shape)
{
    if (!answer)
        return 1;
    output_result(&c->out, line, member ? json_object_get(answer, member) : answer, shape);
    json_decref(answer);
    return 0;
}

bool cli_read_list(struct cli *c, const json_t *answer, const struct listing *l, bool exact, struct api_list *out)
{
    if (api_read_list(l->shape, json_object_get(answer, l->member), out, exact ? API_LENIENT : API_FOR_TERMINAL,
                      NULL) == 0)
        return true;
    cli_failf(c, "%s answered without a list of %s: is it headway?", client_target(c->client), l->member);
    return false;
}

int cli_show_list(struct cli *c, json_t *answer, const struct listing *l)
{
    struct api_list list = {0};
    struct text_table t;
    bool ok = answer && cli_read_list(c, answer, l, false, &list);

    if (ok && c->out.form != OUTPUT_HUMAN) {
        output_value(&c->out, json_object_get(answer, l->member), l->shape);
    } else if (ok) {
        table_init(&t, l->heads, l->columns);
        for (size_t i = 0; i < list.len; i++)
            l->row(&t, (const char *)list.items + i * l->size);
        table_print(&t, &c->out);
        table_release(&t);
    }
    api_release_list(l->shape, &list);
    json_decref(answer);
    return ok ? 0 : 1;
}

static bool is_id(uint64_t id, const char *text)
{
    uint64_t number;

    return str_u64(text, 1, UINT64_MAX, &number, "id", NULL) == 0 && number == id;
}

/* How well a user matches the text; 0: not at all. */
static int user_fits(const struct api_user *user, const char *text)
{
    return !*text ? 0 : str_eq(user->name, text) ? 3 : is_id(user->id, text) ? 2 : str_eq(user->email, text) ? 1 : 0;
}

bool cli_find_user(struct cli *c, const char *text, struct api_user *out)
{
    json_t *answer = cli_call(c, "GET", NULL, "/api/v1/user");
    struct api_list list = {0};
    struct api_user *found = NULL;
    int best = 0;

    *out = (struct api_user){0};
    if (answer && cli_read_list(c, answer, &user_listing, true, &list)) {
        for (size_t i = 0; i < list.len; i++) {
            struct api_user *user = api_at(&list, struct api_user, i);
            if (user_fits(user, text) > best) {
                best = user_fits(user, text);
                found = user;
            }
        }
        if (found) {
            *out = *found;
            *found = (struct api_user){0};
        } else {
            cli_failf(c, "user not found: %s: see 'headway users list'", text);
        }
    }
    api_release_list(&api_user_shape, &list);
    json_decref(answer);
    return found != NULL;
}

/* How well a node matches the text; 0: not at all. */
static int node_fits(const struct api_node *node, const char *text, const struct addr *addr)
{
    size_t len = strlen(node->given_name);

    if (is_id(node->id, text))
        return 4;
    if (addr)
        return addr_eq(&node->addrs.v4, addr) || addr_eq(&node->addrs.v6, addr) ? 4 : 0;
    if (strcasecmp(node->given_name, text) == 0)
        return 3;
    if (len && strncasecmp(node->given_name, text, len) == 0 && text[len] == '.')
        return 2;
    return strcasecmp(node->hostname, text) == 0 ? 1 : 0;
}

uint64_t cli_find_node(struct cli *c, const char *text)
{
    json_t *answer = cli_call(c, "GET", NULL, "/api/v1/node");
    struct api_list list = {0};
    struct addr addr;
    bool is_addr = addr_parse(text, &addr, NULL) == 0;
    int best = 0, count = 0;
    uint64_t found = 0;

    if (answer && cli_read_list(c, answer, &node_listing, true, &list)) {
        for (size_t i = 0; i < list.len; i++) {
            const struct api_node *node = api_at(&list, struct api_node, i);
            int fits = node_fits(node, text, is_addr ? &addr : NULL);
            if (fits > best) {
                best = fits;
                found = node->id;
                count = 0;
            }
            count += fits && fits == best;
        }
        if (count > 1)
            cli_failf(c, "%d nodes are called %s: use the id, see 'headway nodes list'", count, text);
        else if (!found)
            cli_failf(c, "node not found: %s: see 'headway nodes list'", text);
    }
    api_release_list(&api_node_shape, &list);
    json_decref(answer);
    return count == 1 ? found : 0;
}

char *cli_expiry(struct cli *c, const char *flag)
{
    const char *text = flags_text(&c->flags, flag);
    char time[TIME_TEXT_MAX];
    int64_t ns = 0, when;

    if (str_eq(text, "never"))
        return mem_strdup(text);
    if (duration_parse(text, &ns, flag, NULL) < 0 || __builtin_add_overflow(clock_wall_ns(), ns, &when)) {
        cli_failf(c, "parsing duration: not a valid duration string: \"%s\": write it as 30m, 24h or 90d, or never",
                  text);
        return NULL;
    }
    if (ns <= 0) {
        cli_failf(c, "--%s %s: the key would have expired already; write never for a key without an end", flag, text);
        return NULL;
    }
    return mem_strdup(time_format(when, time));
}

char *cli_segment(const char *text)
{
    struct buf out = BUF_INIT(0);

    client_escape(&out, text);
    return buf_take(&out);
}

char *cli_read_file(struct cli *c, const char *path, const char *what)
{
    struct buf text = BUF_INIT(POLICY_TEXT_MAX);
    bool input = str_eq(path, "-");
    struct err e;
    int r = input ? file_read_fd(STDIN_FILENO, "standard input", &text, &e) : file_read(path, FILE_ANY, &text, &e);

    if (r == ERR_TOOBIG)
        err_set(&e, ERR_TOOBIG, "%s has more than %u MiB", input ? "standard input" : path, POLICY_TEXT_MAX >> 20);
    unsigned line, column;
    str_place(buf_text(&text), text.len, strlen(buf_text(&text)), &line, &column);
    if (r == 0 && strlen(buf_text(&text)) != text.len)
        r = err_set(&e, ERR_INVALID, "%s holds a zero byte in line %u, column %u: it is not text", path, line, column);
    if (r < 0) {
        cli_failf(c, "reading %s: %s", what, e.message);
        buf_release(&text);
        return NULL;
    }
    return buf_take(&text);
}

json_t *cli_json_list(const struct strs *texts)
{
    json_t *list = json_array();

    for (size_t i = 0; texts && i < texts->len; i++)
        json_array_append_new(list, json_string(texts->items[i]));
    return list;
}
