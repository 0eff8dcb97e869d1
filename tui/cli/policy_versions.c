/* SPDX-License-Identifier: BSD-3-Clause */
/* Previous versions of the policy. */
#include "cli/command.h"

#include <stdlib.h>

#include "base/array.h"
#include "base/mem.h"
#include "base/text_diff.h"

/* ---- log ---- */

static void version_row(struct text_table *t, const void *object)
{
    const struct api_policy_version *v = object;

    table_number(t, v->version);
    table_time(t, v->updated_ns, "-", false);
    table_text(t, *v->author ? v->author : "-", COLOR_PLAIN);
    table_text(t, v->current ? "in force" : "", COLOR_GOOD);
    table_text(t, v->note, COLOR_PLAIN);
}

int cli_policy_log(struct cli *c)
{
    static const char *const heads[] = {"Version", "Saved", "By", "Now", "Note"};
    static const struct listing listing = {.member = "versions",
                                           .shape = &api_policy_version_shape,
                                           .size = sizeof(struct api_policy_version),
                                           .heads = heads,
                                           .columns = ARRAY_LEN(heads),
                                           .row = version_row};

    return cli_show_list(c,
                         cli_call(c, "GET", NULL, "/api/headway/policy/versions?limit=%llu",
                                  (unsigned long long)flags_number(&c->flags, "limit")),
                         &listing);
}

/* ---- diff ---- */

static bool read_policy(struct cli *c, const char *path, struct api_policy *out)
{
    json_t *answer = cli_call(c, "GET", NULL, "%s", path);
    struct err e;
    bool ok = answer && api_read(&api_policy_shape, answer, out, API_LENIENT, &e) == 0;

    if (answer && !ok)
        cli_fail(c, &e);
    json_decref(answer);
    return ok;
}

/* A version by number; NULL: the one in force. */
static bool read_version(struct cli *c, const char *number, struct api_policy *out)
{
    char *path = mem_strdup("/api/headway/policy");
    uint64_t version = 0;
    struct err e;

    if (number && str_u64(number, 1, INT64_MAX, &version, "version", &e) < 0) {
        free(path);
        cli_fail(c, &e);
        return false;
    }
    if (number) {
        free(path);
        path = mem_format("/api/headway/policy/versions/%llu", (unsigned long long)version);
    }
    bool ok = read_policy(c, path, out);
    free(path);
    return ok;
}

static void print_difference(const struct cli *c, const struct api_policy *old, const struct api_policy *fresh)
{
    struct buf out = BUF_INIT(0);
    struct diff d;

    textdiff(old->text, strlen(old->text), fresh->text, strlen(fresh->text), &d);
    if (!d.gone && !d.came) {
        fprintf(c->out.out, "Versions %llu and %llu have the same text.\n", (unsigned long long)old->version,
                (unsigned long long)fresh->version);
    } else {
        buf_addf(&out, "--- version %llu\n+++ version %llu\n", (unsigned long long)old->version,
                 (unsigned long long)fresh->version);
        for (size_t i = 0; i < d.len; i++) {
            if (d.items[i].sign == '@') {
                buf_adds(&out, "...\n");
                continue;
            }
            buf_addc(&out, d.items[i].sign);
            buf_add(&out, d.items[i].text, d.items[i].len);
            buf_addc(&out, '\n');
        }
        output_text(&c->out, buf_text(&out));
    }
    vec_release(&d);
    buf_release(&out);
}

int cli_policy_diff(struct cli *c)
{
    const char *first = c->args->len ? c->args->items[0] : NULL, *second = c->args->len > 1 ? c->args->items[1] : NULL;
    struct api_policy old = {0}, fresh = {0};
    char before[24];

    if (!read_version(c, second, &fresh))
        return 1;
    if (!first && fresh.version < 2) {
        api_release(&api_policy_shape, &fresh);
        return cli_failf(c, "there is no version before %llu", (unsigned long long)fresh.version);
    }
    snprintf(before, sizeof(before), "%llu", (unsigned long long)fresh.version - 1);
    bool ok = read_version(c, first ? first : before, &old);
    if (ok)
        print_difference(c, &old, &fresh);
    api_release(&api_policy_shape, &old);
    api_release(&api_policy_shape, &fresh);
    return ok ? 0 : 1;
}

/* ---- restore ---- */

/* What restoring it would grant and revoke, as a question. */
static bool is_wanted(struct cli *c, uint64_t version, const char *text)
{
    struct api_preview p = {0};
    json_t *answer = cli_call(c, "POST", json_pack("{s:s}", "policy", text), "/api/headway/policy/preview");
    bool yes = false;

    if (answer && api_read(&api_preview_shape, answer, &p, API_FOR_TERMINAL, NULL) == 0) {
        yes = cli_confirm(c, "Restore version %llu of the policy? %llu pairs of devices lose access, %llu gain it",
                          (unsigned long long)version, (unsigned long long)p.totals.pairs_lost,
                          (unsigned long long)p.totals.pairs_gained);
        api_release(&api_preview_shape, &p);
    }
    json_decref(answer);
    return yes;
}

int cli_policy_restore(struct cli *c)
{
    struct api_policy policy = {0};

    if (!read_version(c, c->args->items[0], &policy))
        return 1;
    uint64_t version = policy.version;
    bool wanted = is_wanted(c, version, policy.text);
    api_release(&api_policy_shape, &policy);
    if (!wanted)
        return 1;
    char *line = mem_format("Version %llu is the policy again", (unsigned long long)version);
    const char *note = flags_text(&c->flags, "note");
    int status = cli_done(c,
                          cli_call(c, "POST", *note ? json_pack("{s:s}", "note", note) : NULL,
                                   "/api/headway/policy/versions/%llu/restore", (unsigned long long)version),
                          line, NULL, NULL);
    free(line);
    return status;
}
