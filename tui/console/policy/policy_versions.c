/* SPDX-License-Identifier: BSD-3-Clause */
/* The texts that were the policy: listed, compared with the one in force, and taken up again, which is an edit like any
 * other: it is reviewed before it is saved. */
#include <stdio.h>
#include <stdlib.h>

#include "base/mem.h"
#include "console/app/app.h"
#include "console/app/dispatch.h"
#include "console/dialogs/dialog.h"
#include "console/policy/policy_page.h"

/* ---- asking for one ---- */

static void fetch(struct app *app, const char *number, bool restore)
{
    char path[80];
    uint64_t version;
    struct err e;

    if (str_u64(number, 1, INT64_MAX, &version, "version", &e) < 0) {
        dialog_refuse(app, "%s", e.message);
        return;
    }
    snprintf(path, sizeof(path), "/api/headway/policy/versions/%llu", (unsigned long long)version);
    policy_page_of(app)->restoring = restore;
    policy_page_send(app, POLICY_REQUEST_VERSION, "GET", path, NULL);
}

static const char *refuse_restore(struct app *app)
{
    if (policy_page_of(app)->file)
        return "the policy is read from a file (policy.mode)";
    if (policy_page_modified(app))
        return "the text here has unsaved changes: save or discard ({revert}) them first";
    return app_why_not_write(app);
}

static void cmd_diff(struct app *app, const char *arg)
{
    fetch(app, arg, false);
}

static void cmd_restore(struct app *app, const char *arg)
{
    fetch(app, arg, true);
}

static const char *refuse_loaded(struct app *app)
{
    return policy_page_of(app)->loaded ? NULL : "the policy is not loaded yet";
}

/* ---- the list ---- */

/* "41 d" or "41 r". */
static void act_on_version(struct app *app, const char *value)
{
    const char *why = str_ends(value, "r") ? refuse_restore(app) : NULL;
    char *number = mem_strndup(value, strcspn(value, " "));

    if (why)
        app_flash(app, ROLE_WARN, "restore: %s", why);
    else
        fetch(app, number, str_ends(value, "r"));
    free(number);
}

static void choose_version(struct app *app, const char *number)
{
    char *title = mem_format("version %s of the policy", number), *key;

    dialog_choice(app, title, "Enter choose   Esc cancel", act_on_version);
    key = mem_format("%s d", number);
    dialog_add_choice(app, key, "show how it differs from the one in force");
    free(key);
    key = mem_format("%s r", number);
    dialog_add_choice(app, key, "restore it: reviewed before it is saved");
    free(key);
    free(title);
}

void policy_versions_list(struct app *app, const json_t *answer)
{
    struct api_policy_versions v;
    char when[AGO_MAX];

    if (api_read(&api_policy_versions_shape, answer, &v, API_FOR_TERMINAL, NULL) < 0)
        return;
    dialog_choice(app, "versions of the policy", "Enter compare or restore   Esc cancel", choose_version);
    for (size_t i = 0; i < v.versions.len; i++) {
        const struct api_policy_version *one = api_at(&v.versions, struct api_policy_version, i);
        char *key = mem_format("%llu", (unsigned long long)one->version);
        char *text = mem_format("%s  %s  %s%s", key, timestamp_text(one->updated_ns, app->at.now_ns, when),
                                *one->author ? one->author : "-", one->current ? "  in force" : "");
        if (*one->note) {
            char *with = mem_format("%s  %s", text, one->note);
            free(text);
            text = with;
        }
        dialog_add_choice(app, key, text);
        free(text);
        free(key);
    }
    api_release(&api_policy_versions_shape, &v);
}

void policy_versions_take(struct app *app, const json_t *answer)
{
    struct policy_page *d = policy_page_of(app);
    struct api_policy policy;

    if (api_read(&api_policy_shape, answer, &policy, API_STRICT, NULL) < 0)
        return;
    size_t len = strlen(policy.text);
    const char *why = d->restoring ? refuse_restore(app) : NULL;
    if (why) {
        app_flash(app, ROLE_WARN, "restore: %s", why);
    } else if (!d->restoring) {
        review_difference(&d->panes[PANE_TEXT], policy.text, len, d->base, d->base_len);
        policy_page_look(app, QUESTION_NOTHING);
    } else if (editor_swap(&d->editor, policy.text, len)) {
        policy_page_changed(app);
        app_flash(app, ROLE_INFO, "asking the server what it would change ...");
        policy_page_preview(app);
    }
    api_release(&api_policy_shape, &policy);
}

static void cmd_log(struct app *app, const char *arg)
{
    (void)arg;
    policy_page_send(app, POLICY_REQUEST_LOG, "GET", "/api/headway/policy/versions?limit=200", NULL);
}

bool policy_page_words(struct app *app, bool named, const char *text)
{
    struct policy_page *d = policy_page_of(app);
    static const char *const words[] = {"log", "diff", "restore"};
    size_t len = strcspn(text, " ");
    bool known = false;

    (void)named;
    for (size_t i = 0; i < sizeof(words) / sizeof(*words); i++)
        known |= strlen(words[i]) == len && strncmp(words[i], text, len) == 0;
    mem_replace(&d->asked, text);
    if (!known) {
        app_flash(app, ROLE_WARN, "policy: '%.40s' is not log, diff VERSION or restore VERSION", text);
        free(d->asked);
        d->asked = NULL;
    } else if (d->loaded) {
        policy_page_ask(app);
    }
    return true;
}

void policy_page_ask(struct app *app)
{
    struct policy_page *d = policy_page_of(app);
    char *text = d->asked;

    d->asked = NULL;
    if (!text)
        return;
    size_t len = strcspn(text, " ");
    command_run(app, commands_find(app, text, len), text + len + strspn(text + len, " "));
    free(text);
}

static const struct console_command commands[] = {
    {.name = "log",
     .keys = "L",
     .hint = "versions",
     .help = "list the texts that were the policy, to compare or restore one",
     .where = IN_POLICY,
     .rank = 6,
     .run = cmd_log,
     .refuse = refuse_loaded},
    {.name = "diff",
     .keys = "",
     .help = "show how a version of the policy differs from the one in force",
     .args = "VERSION",
     .where = IN_POLICY,
     .run = cmd_diff,
     .refuse = refuse_loaded},
    {.name = "restore",
     .keys = "",
     .help = "take up a version of the policy again: reviewed before it is saved",
     .args = "VERSION",
     .where = IN_POLICY,
     .needs = NEED_WRITE | NO_REPEAT,
     .run = cmd_restore,
     .refuse = refuse_restore},
};

const struct command_table policy_version_commands = {.items = commands, .len = sizeof(commands) / sizeof(*commands)};
