/* SPDX-License-Identifier: BSD-3-Clause */
/* The policy in Tailscale's API v2: the text itself, identified by its hash. */
#include <stdlib.h>
#include <string.h>

#include "api/request/args.h"
#include "api/request/heavy.h"
#include "api/request/reply.h"
#include "api/request/request.h"
#include "api/resources/policy.h"
#include "api/resources/tables.h"
#include "crypto/crypto.h"

#define HUJSON    "application/hujson"
#define ETAG_MAX  (2 * CRYPTO_HASH_LEN + 3)
#define WORDS_MAX (64 * 1024)

/* What applies without a policy, written as one. */
static const char allow_all[] = "// No policy is stored: everything is allowed.\n"
                                "{\n"
                                "\t\"acls\": [\n"
                                "\t\t{\"action\": \"accept\", \"src\": [\"*\"], \"dst\": [\"*:*\"]},\n"
                                "\t],\n"
                                "}\n";

static const char *text_in_force(const struct tailnet_snapshot *s)
{
    return s->policy && *s->policy->text ? s->policy->text : allow_all;
}

static char *etag_of(const char *text, char out[ETAG_MAX])
{
    uint8_t digest[CRYPTO_HASH_LEN];
    struct buf b = BUF_INIT(ETAG_MAX);

    crypto_sha256(text, strlen(text), digest);
    buf_addc(&b, '"');
    crypto_hex(&b, digest, sizeof(digest));
    buf_addc(&b, '"');
    str_copy(out, ETAG_MAX, buf_text(&b));
    buf_release(&b);
    return out;
}

static enum http_flow reply_text(struct rest_request *r, const char *text)
{
    bool plain = !r->http.accept || !strstr(r->http.accept, HUJSON);
    struct buf *out = http_reply(&r->http, 200, plain ? HTTP_JSON : HUJSON);
    char etag[ETAG_MAX];

    http_header(&r->http, "ETag", arena_strdup(&r->http.arena, etag_of(text, etag)));
    if (!plain || !policy_text_plain(text, out))
        buf_adds(out, text);
    return HTTP_DONE;
}

static enum http_flow acl_get(struct rest_request *r)
{
    return reply_text(r, text_in_force(r->s));
}

/* If-Match holds a hash, "*", or "ts-default" for no policy at all. When the policy is replaced, the version that
 * matched is compared again. */
static bool matches(struct rest_request *r)
{
    const char *want = r->http.if_match;
    const char *text = text_in_force(r->s);
    char etag[ETAG_MAX];

    if (!want || str_eq(want, "*"))
        return true;
    r->has_match = true;
    r->match = r->s->policy ? r->s->policy->r.version : 0;
    if (str_eq(want, "ts-default") || str_eq(want, "\"ts-default\""))
        return text == allow_all;
    return str_eq(want, etag_of(text, etag));
}

static enum http_flow refuse_match(struct rest_request *r)
{
    return reply_code(r, ERR_PRECONDITION, "precondition failed, invalid old hash");
}

/* Reads the body as the text of a policy. */
static int read_policy(struct rest_request *r)
{
    r->admin.text = buf_text(&r->http.body);
    if (strlen(r->admin.text) != r->http.body.len)
        return err_set(&r->err, ERR_INVALID, "the policy holds a NUL byte");
    if (r->http.body.len > POLICY_TEXT_MAX)
        return err_set(&r->err, ERR_TOOBIG, "the policy is longer than %d bytes", POLICY_TEXT_MAX);
    if (!r->admin.text[strspn(r->admin.text, " \t\r\n")])
        return err_set(&r->err, ERR_INVALID, "the body is empty: the text of the policy is expected");
    return 0;
}

static enum http_flow acl_changed(struct rest_request *r)
{
    const struct policy_text *p = r->admin.record;

    if (r->admin.call.code == ERR_PRECONDITION)
        return refuse_match(r);
    if (r->admin.call.code < 0)
        return reply_problems(r, &r->admin.call.err, &r->admin.problems);
    return reply_text(r, p ? p->text : r->admin.text);
}

static enum http_flow acl_set(struct rest_request *r)
{
    const struct config *c = api_config(r->api);
    bool file = config_policy_is_file(c);

    config_unref(c);
    if (file)
        return reply_code(r, ERR_INVALID, "update is disabled for modes other than 'database'");
    if (read_policy(r) < 0)
        return reply_error(r, &r->err);
    if (!matches(r))
        return refuse_match(r);
    r->admin.op = ADMIN_POLICY_SET;
    return request_admin(r, acl_changed);
}

/* Always 200: clients check message. Line numbers in a composed text would mean nothing to them. */
static enum http_flow reply_verdict(struct rest_request *r, bool lines)
{
    struct buf words = BUF_INIT(WORDS_MAX);
    int code;

    policy_examine(r, &r->admin.problems, &code);
    struct json_out o = reply_json(r);
    json_open(&o, '{');
    if (code < 0) {
        policy_problems_text(&r->admin.problems, &words);
        json_put_str(&o, "message", lines ? buf_text(&words) : "test(s) failed");
        json_key(&o, "data");
        json_open(&o, '[');
        for (size_t i = 0; i < r->admin.problems.len; i++) {
            const struct policy_problem *p = &r->admin.problems.items[i];
            if (p->warning)
                continue;
            json_open(&o, '{');
            json_put_str(&o, "user", "");
            json_key(&o, "errors");
            json_open(&o, '[');
            json_str(&o, p->text);
            json_close(&o, ']');
            if (lines)
                json_put_u64(&o, "line", p->line);
            json_close(&o, '}');
        }
        json_close(&o, ']');
    }
    json_close(&o, '}');
    buf_release(&words);
    return HTTP_DONE;
}

static enum http_flow validate(struct rest_request *r)
{
    return reply_verdict(r, true);
}

/* The policy in force as an object, without its own tests. NULL: it cannot be parsed. */
static json_t *policy_without_tests(const struct tailnet_snapshot *s)
{
    const char *text = text_in_force(s);
    struct buf plain = BUF_INIT(0);
    json_t *policy = NULL;

    if (!policy_text_plain(text, &plain) ||
        json_read_large(buf_text(&plain), plain.len, plain.len, "the policy", &policy, NULL) < 0 ||
        !json_is_object(policy)) {
        json_decref(policy);
        policy = NULL;
    }
    json_object_del(policy, "tests");
    json_object_del(policy, "sshTests");
    buf_release(&plain);
    return policy;
}

/* A list of tests in HuJSON, as in a policy. NULL: it is not one. */
static json_t *tests_of(const char *text)
{
    struct buf plain = BUF_INIT(0);
    json_t *all = NULL;
    char *whole = mem_format("{\"tests\":%s\n}", text);

    if (policy_text_plain(whole, &plain) &&
        json_read_large(buf_text(&plain), plain.len, plain.len, "the tests", &all, NULL) < 0)
        all = NULL;
    json_t *tests = json_incref(json_object_get(all, "tests"));
    if (json_object_size(all) != 1 || !json_is_array(tests)) {
        json_decref(tests);
        tests = NULL;
    }
    json_decref(all);
    buf_release(&plain);
    free(whole);
    return tests;
}

/* Tests alone apply to the policy in force: it is checked with them in place of its own. */
static enum http_flow validate_tests(struct rest_request *r)
{
    json_t *tests = tests_of(r->admin.text), *policy = tests ? policy_without_tests(r->s) : NULL;
    char *text = NULL;

    if (policy) {
        json_object_set(policy, "tests", tests);
        text = json_compact(policy);
        r->admin.text = arena_strdup(&r->http.arena, text);
    }
    bool large = text && strlen(text) > POLICY_TEXT_MAX;
    json_decref(tests);
    json_decref(policy);
    free(text);
    if (!tests)
        return reply_code(r, ERR_INVALID, "the body is no list of tests");
    if (!policy || large)
        return reply_code(r, large ? ERR_TOOBIG : ERR_INVALID,
                          "the policy in force cannot be checked with these tests%s",
                          large ? ": together they are too long" : "");
    return reply_verdict(r, false);
}

static enum http_flow acl_validate(struct rest_request *r)
{
    if (read_policy(r) < 0)
        return reply_error(r, &r->err);
    bool list = r->admin.text[strspn(r->admin.text, " \t\r\n")] == '[';
    return heavy_later(r, list ? validate_tests : validate);
}

/* ---- which rules are about somebody ---- */

static int match(struct rest_request *r, const struct policy *p, struct buf *out, struct policy_problems *problems)
{
    const char *type = arg_query(r, "type"), *text = arg_query(r, "previewFor");
    bool user = type && str_eq(type, "user");
    struct json_out o = JSON_OUT(out);
    struct tailnet_policy_input w;
    int code;

    if (!text || !*text || !(user || (type && str_eq(type, "ipport"))))
        return err_field(&r->err, ERR_INVALID, text && *text ? "type" : "previewFor",
                         "say for whom with type=user or type=ipport, and previewFor");
    policy_input_init(&w, r);
    struct policy_view *v = policy_view_now(r, p, &w, problems);
    json_open(&o, '{');
    json_key(&o, "matches");
    code = v ? policy_matches(v, user, text, &o, &r->err)
             : err_set(&r->err, ERR_TOOBIG, "the policy would take too long over this tailnet");
    if (code == 0) {
        json_put_str(&o, "type", type);
        json_put_str(&o, "previewFor", text);
        json_close(&o, '}');
    }
    policy_view_free(v);
    tailnet_policy_input_release(&w);
    return code;
}

static enum http_flow preview(struct rest_request *r)
{
    struct policy_problems problems = {0};
    struct policy *p = NULL;
    struct buf matches = BUF_INIT(0);
    int code = policy_parse(r->admin.text, strlen(r->admin.text), &p, &problems);

    if (code < 0)
        err_field(&r->err, (enum err_code)code, "policy", "the policy cannot be read");
    else
        code = match(r, p, &matches, &problems);
    if (code == 0) {
        struct json_out o = reply_json(r);
        json_raw(&o, buf_text(&matches), matches.len);
    } else {
        reply_problems(r, &r->err, &problems);
    }
    policy_problems_release(&problems);
    policy_unref(p);
    buf_release(&matches);
    return HTTP_DONE;
}

static enum http_flow acl_preview(struct rest_request *r)
{
    return read_policy(r) < 0 ? reply_error(r, &r->err) : heavy_later(r, preview);
}

static const struct api_endpoint rows[] = {
    {V2("GET", "/tailnet/-/acl"), .run = acl_get, .need = NEED_READ, .scope = SCOPE_POLICY_FILE, .id = "getACL",
     .query = "details:bool", .answer = "object", .help = "The policy's text; the ETag is its hash"},
    {V2("POST", "/tailnet/-/acl"), .http.body_max = POLICY_BODY_MAX, .run = acl_set, .need = NEED_ADMIN,
     .scope = SCOPE_POLICY_FILE, .raw = true, .id = "setACL", .answer = "object",
     .help = "Replaces the policy by the body (HuJSON), with If-Match only the one with that hash"},
    {V2("POST", "/tailnet/-/acl/validate"), .http.body_max = POLICY_BODY_MAX, .run = acl_validate, .need = NEED_READ,
     .scope = SCOPE_POLICY_FILE, .raw = true, .id = "validateACL", .answer = "message:text data:object[]",
     .help =
         "Checks a policy, or (a list) tests against the one in force, and changes nothing; an empty object: all is "
         "well"},
    {V2("POST", "/tailnet/-/acl/preview"), .http.body_max = POLICY_BODY_MAX, .run = acl_preview, .need = NEED_READ,
     .scope = SCOPE_POLICY_FILE, .raw = true, .id = "previewACL", .query = "type:text previewFor:text",
     .answer = "matches:object[] type:text previewFor:text",
     .help = "The rules of a policy that are about a user, or about an address and port"},
};
const struct http_table v2_acl_table = API_TABLE(rows);
