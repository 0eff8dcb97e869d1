/* SPDX-License-Identifier: BSD-3-Clause */
/* What several families need: calls, questions, finding what a person means. */
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

static bool is_number(const char *text)
{
    uint64_t number;

    return str_u64(text, 0, UINT64_MAX, &number, "id", NULL) == 0;
}

json_t *cli_find_user(struct cli *c, const char *text)
{
    static const char *const members[] = {"name", "id", "email"};
    json_t *answer = cli_call(c, "GET", NULL, "/api/v1/user"), *found = NULL, *user;
    size_t i;

    if (!answer)
        return NULL;
    for (size_t m = 0; m < 3 && !found; m++)
        json_array_foreach(json_object_get(answer, "users"), i, user)
        {
            if (*text && str_eq(json_text(user, members[m], ""), text) && (m != 1 || is_number(text))) {
                found = json_incref(user);
                break;
            }
        }
    if (!found)
        cli_failf(c, "user not found: %s: 'headway users list' shows them", text);
    json_decref(answer);
    return found;
}

static bool has_address(const json_t *node, const struct addr *addr)
{
    struct addr mine;
    json_t *item;
    size_t i;

    json_array_foreach(json_object_get(node, "ipAddresses"), i,
                       item) if (addr_parse(json_string_value(item), &mine, NULL) == 0 &&
                                 addr_eq(&mine, addr)) return true;
    return false;
}

/* How well a node fits what was typed: 0 not at all. */
static int node_fits(const json_t *node, const char *text, const struct addr *addr)
{
    const char *given = json_text(node, "givenName", "");
    size_t len = strlen(given);

    if (str_eq(json_text(node, "id", ""), text))
        return 4;
    if (addr)
        return has_address(node, addr) ? 4 : 0;
    if (strcasecmp(given, text) == 0)
        return 3;
    if (len && strncasecmp(given, text, len) == 0 && text[len] == '.')
        return 2;
    return strcasecmp(json_text(node, "name", ""), text) == 0 ? 1 : 0;
}

json_t *cli_find_node(struct cli *c, const char *text)
{
    json_t *answer = cli_call(c, "GET", NULL, "/api/v1/node"), *found = NULL, *node;
    struct addr addr;
    bool is_addr = addr_parse(text, &addr, NULL) == 0;
    int best = 0, count = 0;
    size_t i;

    if (!answer)
        return NULL;
    json_array_foreach(json_object_get(answer, "nodes"), i, node)
    {
        int fits = node_fits(node, text, is_addr ? &addr : NULL);
        if (fits > best) {
            best = fits;
            found = node;
            count = 0;
        }
        count += fits && fits == best;
    }
    if (count > 1)
        cli_failf(c, "%d nodes are called %s: give the id instead, 'headway nodes list' shows it", count, text);
    else if (!found)
        cli_failf(c, "node not found: %s: 'headway nodes list' shows them", text);
    found = count == 1 ? json_incref(found) : NULL;
    json_decref(answer);
    return found;
}

char *cli_expiry(struct cli *c, const char *flag)
{
    const char *text = flags_text(&c->flags, flag);
    char time[TIME_TEXT_MAX];
    int64_t ns = 0, when;
    struct err e = {0};

    if (duration_parse(text, &ns, flag, &e) < 0 || __builtin_add_overflow(clock_wall_ns(), ns, &when)) {
        cli_failf(c, "parsing duration: not a valid duration string: \"%s\": write it as 30m, 24h or 90d", text);
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

    if (r == 0 && strlen(buf_text(&text)) != text.len)
        r = err_set(&e, ERR_INVALID, "%s holds a zero byte: it is not text", path);
    if (r < 0) {
        cli_failf(c, "reading %s: %s", what, e.message);
        buf_release(&text);
        return NULL;
    }
    return buf_take(&text);
}

json_t *json_list(const struct strs *texts)
{
    json_t *list = json_array();

    for (size_t i = 0; texts && i < texts->len; i++)
        json_array_append_new(list, json_string(texts->items[i]));
    return list;
}
