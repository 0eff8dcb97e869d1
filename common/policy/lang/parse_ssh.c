/* SPDX-License-Identifier: BSD-3-Clause */
/* The section ssh. */
#include <stdio.h>
#include <string.h>

#include "base/array.h"
#include "base/clock.h"
#include "policy/lang/parse.h"

#define PERIOD_DEFAULT (12 * 3600 * NS_PER_SECOND)
#define PERIOD_MAX     (168 * 3600 * NS_PER_SECOND)

enum {
    SSH_ACTION,
    SSH_SRC,
    SSH_DST,
    SSH_USERS,
    SSH_PERIOD,
    SSH_ENV,
    SSH_RECORDER,
    SSH_ENFORCE,
    SSH_POSTURE,
    SSH_COUNT
};
static const struct policy_field ssh_fields[SSH_COUNT] = {
    [SSH_ACTION] = {"action", NULL},
    [SSH_SRC] = {"src", NULL},
    [SSH_DST] = {"dst", NULL},
    [SSH_USERS] = {"users", NULL},
    [SSH_PERIOD] = {"checkPeriod", NULL},
    [SSH_ENV] = {"acceptEnv", NULL},
    [SSH_RECORDER] = {"recorder", "session recording is not supported by this server"},
    [SSH_ENFORCE] = {"enforceRecorder", "session recording is not supported by this server"},
    [SSH_POSTURE] = {"srcPosture", "device posture is not supported by this server"},
};

/* ---- Go durations ---- */

static int unit_ns(const char *text, size_t len, int64_t *ns)
{
    static const struct {
        const char *name;
        int64_t ns;
    } units[] = {{"ns", 1},       {"us", 1000},         {"\xc2\xb5s", 1000},       {"\xce\xbcs", 1000},
                 {"ms", 1000000}, {"s", NS_PER_SECOND}, {"m", 60 * NS_PER_SECOND}, {"h", 3600 * NS_PER_SECOND}};

    for (size_t i = 0; i < ARRAY_LEN(units); i++)
        if (strlen(units[i].name) == len && memcmp(units[i].name, text, len) == 0) {
            *ns = units[i].ns;
            return 0;
        }
    return -1;
}

/* Reads one piece such as "1.5h" at *at; the value saturates far above every limit. Returns 0, or -1 with why
 * filled. */
static int period_piece(const char **at, const char *whole, double *ns, char *why, size_t size)
{
    size_t before = strspn(*at, "0123456789"), fraction = 0;
    double value = 0, scale = 1;
    int64_t unit;

    for (size_t i = 0; i < before; i++)
        value = value * 10 + ((*at)[i] - '0');
    *at += before;
    if (**at == '.') {
        fraction = strspn(*at + 1, "0123456789");
        for (size_t i = 1; i <= fraction; i++)
            value += ((*at)[i] - '0') * (scale /= 10);
        *at += fraction + 1;
    }
    size_t len = strcspn(*at, "0123456789.");
    if (before + fraction == 0 || len == 0) {
        snprintf(why, size,
                 before + fraction == 0 ? "time: invalid duration \"%.80s\""
                                        : "time: missing unit in duration \"%.80s\"",
                 whole);
        return -1;
    }
    if (unit_ns(*at, len, &unit) < 0) {
        snprintf(why, size, "time: unknown unit \"%.*s\" in duration \"%.80s\"", (int)(len < 40 ? len : 40), *at,
                 whole);
        return -1;
    }
    *at += len;
    *ns += value * (double)unit;
    return 0;
}

static int period_parse(const char *text, int64_t *out, char *why, size_t size)
{
    const char *at = text;
    bool negative = *at == '-';
    double ns = 0;

    if (*at == '-' || *at == '+')
        at++;
    if (strcmp(at, "0") == 0) {
        *out = 0;
        return 0;
    }
    if (!*at) {
        snprintf(why, size, "time: invalid duration \"%.80s\"", text);
        return -1;
    }
    while (*at)
        if (period_piece(&at, text, &ns, why, size) < 0)
            return -1;
    if (ns > 9e18) {
        snprintf(why, size, "time: invalid duration \"%.80s\"", text);
        return -1;
    }
    *out = negative ? -(int64_t)ns : (int64_t)ns;
    return 0;
}

/* Formats a duration as Go does: 168h0m1s from a second on; shorter ones in the largest unit that fits. */
static const char *period_format(int64_t ns, char *out, size_t size)
{
    uint64_t left = (uint64_t)(ns < 0 ? -ns : ns);
    char seconds[40];

    snprintf(seconds, sizeof(seconds), "%.9g", (double)(left % (60 * (uint64_t)NS_PER_SECOND)) / 1e9);
    uint64_t minutes = left / (60 * (uint64_t)NS_PER_SECOND);
    if (left < (uint64_t)NS_PER_SECOND && left)
        snprintf(out, size, "%s%.9g%s", ns < 0 ? "-" : "",
                 left < 1000      ? (double)left
                 : left < 1000000 ? (double)left / 1e3
                                  : (double)left / 1e6,
                 left < 1000      ? "ns"
                 : left < 1000000 ? "\xc2\xb5s"
                                  : "ms");
    else if (minutes >= 60)
        snprintf(out, size, "%s%lluh%llum%ss", ns < 0 ? "-" : "", (unsigned long long)(minutes / 60),
                 (unsigned long long)(minutes % 60), seconds);
    else if (minutes)
        snprintf(out, size, "%s%llum%ss", ns < 0 ? "-" : "", (unsigned long long)minutes, seconds);
    else
        snprintf(out, size, "%s%ss", ns < 0 ? "-" : "", seconds);
    return out;
}

static int parse_period(struct policy_parser *x, const struct hujson *v, struct policy_ssh_rule *r)
{
    char why[200], shown[60];

    r->period_ns = PERIOD_DEFAULT;
    if (!v)
        return 0;
    if (field_kind(x, v, HUJSON_STRING, "checkPeriod") < 0)
        return ERR_INVALID;
    if (!r->check)
        problem_at(x->problems, x->text, x->len, v->start, true, "checkPeriod is only valid with action \"check\"");
    if (strcmp(v->text, "always") == 0) {
        r->period_ns = 0;
        return 0;
    }
    if (period_parse(v->text, &r->period_ns, why, sizeof(why)) < 0)
        return parse_error(x, v->start, "%s", why);
    if (r->period_ns < 0)
        return parse_error(x, v->start, "checkPeriod %s must be a positive duration",
                           period_format(r->period_ns, shown, sizeof(shown)));
    if (r->period_ns > PERIOD_MAX)
        return parse_error(x, v->start, "checkPeriod %s is above the max (168h)",
                           period_format(r->period_ns, shown, sizeof(shown)));
    return 0;
}

/* ---- entries ---- */

static int add_user(struct policy_parser *x, void *arg, const char *text, size_t offset)
{
    struct policy_ssh_rule *r = arg;
    const char *name;

    if (!text_trim(&x->p->arena, text, &name))
        return parse_too_big(x, offset);
    if (!*name || str_eq(name, "*"))
        return parse_error(x, offset, "user \"%s\" is not valid", name);
    const char *at = str_starts(name, "localpart:") ? strrchr(name, '@') : NULL;
    size_t local = at ? (size_t)(at - name) - strlen("localpart:") : 0;
    if (at && local == 1 && name[strlen("localpart:")] == '*' && at[1]) {
        struct policy_domain_use use = {at + 1, offset, false};
        vec_push(&x->p->domain_uses, use);
        vec_push(&r->localparts, at + 1);
        return 0;
    }
    if (at && at[1] && strchr(name, '*')) { /* another glob: its domain is checked nevertheless */
        const char *first = strchr(name, '@');
        if (strncmp(name, "localpart:*@", 12) == 0) {
            struct policy_domain_use use = {first + 1, offset, false};
            vec_push(&x->p->domain_uses, use);
        }
    }
    vec_push(&r->users, name);
    return 0;
}

static int add_env(struct policy_parser *x, void *arg, const char *text, size_t offset)
{
    struct policy_ssh_rule *r = arg;

    if (!*text)
        return parse_error(x, offset, "acceptEnv values cannot be empty");
    vec_push(&r->env, text);
    return 0;
}

static int add_src(struct policy_parser *x, void *arg, const char *text, size_t offset)
{
    struct policy_ssh_rule *r = arg;
    struct policy_selector a;

    if (selector_parse(x, PLACE_SSH_SRC, text, offset, &a) < 0)
        return ERR_INVALID;
    vec_push(&r->src, a);
    return 0;
}

static int add_dst(struct policy_parser *x, void *arg, const char *text, size_t offset)
{
    struct policy_ssh_rule *r = arg;
    struct policy_selector a;

    if (selector_parse(x, PLACE_SSH_DST, text, offset, &a) < 0)
        return ERR_INVALID;
    vec_push(&r->dst, a);
    return 0;
}

/* Checks which sources may be combined with which destinations. */
static int check_pairs(struct policy_parser *x, const struct policy_ssh_rule *r)
{
    const struct policy_principal *all = x->p->principals.items;
    bool tags = false;

    for (size_t i = 0; i < r->src.len; i++) {
        enum policy_principal_kind kind = all[r->src.items[i].principal].kind;
        tags |= kind == PRINCIPAL_TAG || kind == PRINCIPAL_TAGGED;
    }
    for (size_t i = 0; i < r->dst.len && r->src.len; i++) {
        const struct policy_selector *d = &r->dst.items[i];
        switch (all[d->principal].kind) {
        case PRINCIPAL_USER:
            if (tags)
                return parse_error(x, d->offset,
                                   "tags in SSH source cannot access user-owned devices (%s); use autogroup:tagged or "
                                   "specific tags as destinations instead",
                                   d->text);
            for (size_t j = 0; j < r->src.len; j++)
                if (r->src.items[j].principal != d->principal)
                    return parse_error(x, d->offset,
                                       "user destination requires source to contain only that same user \"%s\"; use "
                                       "autogroup:self instead for same-user SSH access",
                                       d->text);
            break;
        case PRINCIPAL_SELF:
            if (tags)
                return parse_error(
                    x, d->offset,
                    "autogroup:self destination requires source to contain only users or groups, not tags "
                    "or autogroup:tagged");
            break;
        case PRINCIPAL_MEMBER:
            if (tags)
                return parse_error(x, d->offset,
                                   "tags in SSH source cannot access autogroup:member (user-owned devices)");
            break;
        default:
            break;
        }
    }
    return 0;
}

static int parse_action(struct policy_parser *x, const struct hujson *v, size_t offset, struct policy_ssh_rule *r)
{
    const char *action = "";

    if (v && field_kind(x, v, HUJSON_STRING, "action") < 0)
        return ERR_INVALID;
    if (v && !text_trim(&x->p->arena, v->text, &action))
        return parse_too_big(x, offset);
    if (!*action)
        return parse_error(x, v ? v->start : offset, "action must be specified");
    r->check = str_eq(action, "check");
    if (!r->check && !str_eq(action, "accept"))
        return parse_error(x, v->start, "\"%s\" is not a valid action", action);
    return 0;
}

static void parse_entry(struct policy_parser *x, const struct hujson *v, struct policy_ssh_rule *r)
{
    const struct hujson *f[SSH_COUNT];

    size_t errors = x->errors;

    if (fields_read(x, v, ssh_fields, SSH_COUNT, false, f) < 0)
        return;
    (void)parse_action(x, f[SSH_ACTION], v->start, r);
    if (!f[SSH_USERS] || (f[SSH_USERS]->kind == HUJSON_ARRAY && f[SSH_USERS]->count == 0))
        parse_error(x, v->start, "users must be specified");
    (void)field_strings(x, f[SSH_USERS], "users", add_user, r);
    (void)parse_period(x, f[SSH_PERIOD], r);
    (void)field_strings(x, f[SSH_ENV], "acceptEnv", add_env, r);
    (void)field_strings(x, f[SSH_SRC], "src", add_src, r);
    (void)field_strings(x, f[SSH_DST], "dst", add_dst, r);
    if (errors == x->errors)
        (void)check_pairs(x, r);
}

void parse_ssh(struct policy_parser *x, const struct hujson *list)
{
    size_t index = 0;

    if (!list || field_kind(x, list, HUJSON_ARRAY, "ssh") < 0)
        return;
    for (const struct hujson *e = list->first; e; e = e->next, index++) {
        struct policy_ssh_rule r = {.index = index, .offset = e->start};

        parse_entry(x, e, &r);
        vec_push(&x->p->ssh, r);
    }
}
