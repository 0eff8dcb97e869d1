/* SPDX-License-Identifier: BSD-3-Clause */
/* The policy as Tailscale's API v2 has it: the text itself, named by its hash. */
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

/* What holds while there is no policy, as one. */
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

/* If-Match holds a hash, "*", or "ts-default" for no policy at all. What it held for is then compared again by version,
 * when the policy is replaced. */
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

/* The body, as a text that a policy may be. */
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

/* 200 in any case: who asks looks at message. */
static enum http_flow validate(struct rest_request *r)
{
    struct buf words = BUF_INIT(WORDS_MAX);
    int code;

    policy_examine(r, &r->admin.problems, &code);
    struct json_out o = reply_json(r);
    json_open(&o, '{');
    if (code < 0) {
        policy_problems_text(&r->admin.problems, &words);
        json_put_str(&o, "message", buf_text(&words));
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
            json_put_u64(&o, "line", p->line);
            json_close(&o, '}');
        }
        json_close(&o, ']');
    }
    json_close(&o, '}');
    buf_release(&words);
    return HTTP_DONE;
}

static enum http_flow acl_validate(struct rest_request *r)
{
    return read_policy(r) < 0 ? reply_error(r, &r->err) : heavy_later(r, validate);
}

static const struct api_endpoint rows[] = {
    {V2("GET", "/tailnet/-/acl"), .run = acl_get, .need = NEED_READ, .scope = SCOPE_POLICY_FILE, .id = "getACL",
     .query = "details:bool", .answer = "object", .help = "The policy's text; the ETag is its hash"},
    {V2("POST", "/tailnet/-/acl"), .http.body_max = POLICY_BODY_MAX, .run = acl_set, .need = NEED_ADMIN,
     .scope = SCOPE_POLICY_FILE, .raw = true, .id = "setACL", .answer = "object",
     .help = "Replaces the policy by the body (HuJSON), with If-Match only the one with that hash"},
    {V2("POST", "/tailnet/-/acl/validate"), .http.body_max = POLICY_BODY_MAX, .run = acl_validate, .need = NEED_READ,
     .scope = SCOPE_POLICY_FILE, .raw = true, .id = "validateACL", .answer = "message:text data:object[]",
     .help = "Checks a policy and changes nothing; an empty object: it would be accepted"},
};
const struct http_table v2_acl_table = API_TABLE(rows);
