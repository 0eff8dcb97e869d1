/* SPDX-License-Identifier: BSD-3-Clause */
/* The policy's text. The core decides whether one is accepted, also if it is only checked. */
#include <stdlib.h>

#include "api/change/change.h"
#include "api/request/args.h"
#include "api/request/heavy.h"
#include "api/request/reply.h"
#include "api/request/request.h"
#include "api/resources/policy.h"
#include "api/resources/tables.h"
#include "api/view/objects.h"
#include "base/file.h"

#define PROBLEMS_MAX (64 * 1024)

static enum http_flow reply_policy(struct rest_request *r, const struct api_policy *policy)
{
    struct json_out o = reply_json(r);

    api_write(&o, &api_policy_shape, policy, scope_of(r));
    return HTTP_DONE;
}

/* The policy in the database, or the empty one. */
static struct api_policy stored_policy(const struct policy_text *p)
{
    return (struct api_policy){.text = p ? p->text : "",
                               .updated_ns = p ? p->updated_ns : 0,
                               .version = p ? p->r.version : 0,
                               .mode = "database"};
}

static enum http_flow read_file(struct rest_request *r)
{
    const char *path = r->state;
    struct buf text = BUF_INIT(POLICY_TEXT_MAX);
    struct err why;

    if (file_read(path, FILE_ANY, &text, &why) < 0)
        reply_code(r, ERR_IO, "reading policy file: %s", why.message);
    else
        reply_policy(r, &(struct api_policy){.text = buf_text(&text), .mode = "file"});
    buf_release(&text);
    return HTTP_DONE;
}

static enum http_flow policy_get(struct rest_request *r)
{
    const struct config *c = api_config(r->api);
    bool file = config_policy_is_file(c);
    char *path = arena_strdup(&r->http.arena, c->policy.path);
    const struct policy_text *p = r->s->policy;

    config_unref(c);
    if (file) {
        r->state = path;
        return request_later(r, HTTP_DISK, read_file);
    }
    struct api_policy stored = stored_policy(p);
    if (p || r->endpoint->dialect == DIALECT_HEADWAY) /* somebody set an empty one */
        return reply_policy(r, &stored);
    return reply_code(r, ERR_MISSING, "acl policy not found"); /* headscale's message, which clients know */
}

void write_findings(struct json_out *o, const struct policy_problems *found)
{
    json_key(o, "findings");
    json_open(o, '[');
    for (size_t i = 0; i < found->len; i++) {
        const struct policy_problem *p = &found->items[i];
        struct api_finding finding = {
            .line = p->line, .column = p->column, .severity = p->warning ? "warning" : "error", .message = p->text};
        api_write(o, &api_finding_shape, &finding, API_HEADWAY);
    }
    json_close(o, ']');
}

/* headscale's web interfaces decide by the first words of a message what to show beside the editor. */
static const char *words_of(struct rest_request *r, const char *text)
{
    static const char plain[] = "parsing policy: ", expected[] = "parsing policy from bytes: ";
    struct buf words = BUF_INIT(0);

    if (r->endpoint->dialect == DIALECT_V1 && !str_starts(text, expected)) {
        buf_adds(&words, expected);
        text += str_starts(text, plain) ? strlen(plain) : 0;
    }
    buf_adds(&words, text);
    const char *whole = arena_strdup(&r->http.arena, buf_text(&words));
    buf_release(&words);
    return whole;
}

/* All problems of a policy, one sentence per line. */
enum http_flow reply_problems(struct rest_request *r, const struct err *e, const struct policy_problems *problems)
{
    struct buf words = BUF_INIT(PROBLEMS_MAX);

    if (policy_problems_fatal(problems)) {
        policy_problems_text(problems, &words);
        r->words = words_of(r, buf_text(&words));
    }
    buf_release(&words);
    return reply_error(r, e);
}

/* Answers 412, with the current policy. */
static enum http_flow reply_policy_changed(struct rest_request *r)
{
    struct buf current = BUF_INIT(0);
    struct json_out o = JSON_OUT(&current);

    tailnet_unpin(r->s);
    r->s = tailnet_pin(r->api->with.tailnet);
    struct api_policy stored = stored_policy(r->s->policy);
    api_write(&o, &api_policy_shape, &stored, API_HEADWAY);
    reply_error_with(r, &r->admin.call.err, buf_text(&current));
    buf_release(&current);
    return HTTP_DONE;
}

static enum http_flow refused(struct rest_request *r)
{
    if (r->admin.call.code == ERR_PRECONDITION && r->endpoint->dialect == DIALECT_HEADWAY)
        return reply_policy_changed(r);
    return reply_problems(r, &r->admin.call.err, &r->admin.problems);
}

static enum http_flow set_done(struct rest_request *r)
{
    const struct policy_text *p = r->admin.record;

    if (r->admin.call.code < 0)
        return refused(r);
    if (r->endpoint->dialect == DIALECT_V1)
        return reply_policy(r, &(struct api_policy){.text = p ? p->text : r->admin.text,
                                                    .updated_ns = p ? p->updated_ns : clock_wall_ns(),
                                                    .mode = "database"});
    struct json_out o = reply_json(r);
    json_open(&o, '{');
    write_change(&o, &r->admin);
    json_key(&o, "result");
    json_nil(&o);
    write_findings(&o, &r->admin.problems);
    json_close(&o, '}');
    return HTTP_DONE;
}

/* Reads the text in question into r->admin. */
static int read_text(struct rest_request *r)
{
    if (policy_arg(r, &r->admin.text) < 0)
        return r->err.code;
    if (!r->admin.text && r->json && r->endpoint->dialect == DIALECT_V1)
        r->admin.text = ""; /* programs in Go leave an empty text out */
    if (!r->admin.text)
        return err_field(&r->err, ERR_INVALID, "policy", "policy is missing: the text of the policy");
    return 0;
}

static bool in_file(struct rest_request *r)
{
    const struct config *c = api_config(r->api);
    bool file = config_policy_is_file(c);

    config_unref(c);
    return file;
}

static enum http_flow check_done(struct rest_request *r)
{
    int code = r->admin.call.code;

    if (code < 0 && (!r->admin.problems.len || r->endpoint->dialect == DIALECT_V1))
        return refused(r);
    if (r->endpoint->dialect == DIALECT_V1)
        return reply_object(r);
    struct json_out o = reply_json(r);
    json_open(&o, '{');
    json_put_bool(&o, "ok", code == 0);
    write_findings(&o, &r->admin.problems);
    json_close(&o, '}');
    return HTTP_DONE;
}

static void examine(struct rest_request *r)
{
    policy_examine(r, &r->admin.problems, &r->admin.call.code);
    if (r->admin.call.code < 0)
        r->admin.call.err = (struct err){.code = (enum err_code)r->admin.call.code, .message = "the policy is refused"};
}

/* A mere check runs on the thread for long computations: it delays no change. */
static enum http_flow check(struct rest_request *r)
{
    examine(r);
    return check_done(r);
}

static enum http_flow tried(struct rest_request *r)
{
    struct policy_problems *found = r->state;

    policy_problems_release(&r->admin.problems);
    r->admin.problems = *found;
    return set_done(r);
}

static enum http_flow try_set(struct rest_request *r)
{
    struct policy_problems *found = arena_alloc(&r->http.arena, sizeof(*found));

    examine(r);
    if (r->admin.call.code < 0)
        return refused(r);
    *found = r->admin.problems;
    r->admin.problems = (struct policy_problems){0};
    r->state = found;
    return request_admin(r, tried);
}

enum http_flow policy_change(struct rest_request *r)
{
    return r->dry_run ? heavy_later(r, try_set) : request_admin(r, set_done);
}

static enum http_flow policy_set(struct rest_request *r)
{
    if (in_file(r) && !r->dry_run)
        return reply_code(r, ERR_INVALID, "update is disabled for modes other than 'database'");
    if (read_text(r) < 0 || (r->endpoint->dialect == DIALECT_HEADWAY && arg_text(r, "note", &r->admin.note) < 0))
        return reply_error(r, &r->err);
    r->admin.op = ADMIN_POLICY_SET;
    return policy_change(r);
}

static enum http_flow policy_check(struct rest_request *r)
{
    return read_text(r) < 0 ? reply_error(r, &r->err) : heavy_later(r, check);
}

/* The core stores every policy that it takes from the file, so it suffices that one is in force. */
static enum http_flow policy_adopt(struct rest_request *r)
{
    const struct config *c = api_config(r->api);
    bool file = config_policy_is_file(c);
    const struct policy_text *p = r->s->policy;

    config_unref(c);
    if (!file)
        return reply_code(r, ERR_CONFLICT, "policy.mode is database: the policy is there already");
    if (!p)
        return reply_code(r, ERR_MISSING, "the file holds no policy");
    struct api_policy policy = stored_policy(p);
    policy.mode = "file";
    return reply_policy(r, &policy);
}

static const struct api_endpoint rows[] = {
    {V1("GET", "/policy"), .run = policy_get, .need = NEED_READ, .scope = SCOPE_POLICY_FILE, .id = "getPolicy",
     .answer = "Policy", .help = "The policy's text"},
    {V1("PUT", "/policy"), .http.body_max = POLICY_BODY_MAX, .run = policy_set, .need = NEED_ADMIN,
     .scope = SCOPE_POLICY_FILE, .id = "setPolicy", .body = "policy:text", .answer = "Policy",
     .help = "Replaces the policy"},
    {V1("POST", "/policy/check"), .http.body_max = POLICY_BODY_MAX, .run = policy_check, .need = NEED_READ,
     .scope = SCOPE_POLICY_FILE, .id = "checkPolicy", .body = "policy:text",
     .help = "Checks a policy and changes nothing"},
    {HEADWAY("GET", "/policy"), .run = policy_get, .need = NEED_READ, .scope = SCOPE_POLICY_FILE, .answer = "Policy",
     .help = "The policy's text and version"},
    {HEADWAY("PUT", "/policy"), .http.body_max = POLICY_BODY_MAX, .run = policy_set, .need = NEED_ADMIN,
     .scope = SCOPE_POLICY_FILE, .body = "policy:text note:text", .query = "dry_run:bool",
     .answer = "Change result:object findings:object[]", .help = "Replaces the policy"},
    {HEADWAY("POST", "/policy/check"), .http.body_max = POLICY_BODY_MAX, .run = policy_check, .need = NEED_READ,
     .scope = SCOPE_POLICY_FILE, .body = "policy:text", .answer = "Check",
     .help = "Checks a policy and changes nothing"},
    {HEADWAY("POST", "/policy/adopt"), .run = policy_adopt, .need = NEED_ADMIN, .scope = SCOPE_POLICY_FILE, .body = "",
     .answer = "Policy", .help = "Makes sure that the database holds the policy of the file"},
};
const struct http_table policy_table = API_TABLE(rows);
