/* SPDX-License-Identifier: BSD-3-Clause */
/* The text as it is: whether it differs from the server's, when it is checked and kept as a draft, and what is asked of
 * the server about it. Typing starts a clock; when it rang a thread checks the text and writes the draft. */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "console/app/app.h"
#include "console/policy/policy_page.h"

#define CHECK_MS  150  /* after the last key */
#define LATEST_MS 1000 /* after the first one: who never rests is checked, and kept, too */

struct policy_page *policy_page_of(const struct app *app)
{
    return view_state(app, &policy_view);
}

bool policy_page_modified(struct app *app)
{
    struct policy_page *d = policy_page_of(app);

    if (d->compared != d->editor.text.serial)
        d->modified = d->loaded && !textbuf_equals(&d->editor.text, d->base, d->base_len);
    d->compared = d->editor.text.serial;
    return d->modified;
}

/* ---- drafts and checks ---- */

void policy_page_drafts(struct app *app, const char *state_dir)
{
    policy_page_of(app)->draft = draft_path(state_dir);
    drafts_find(state_dir, &policy_page_of(app)->drafts);
}

char *policy_page_server(const struct app *app)
{
    const char *url = app->model.server.url;

    return mem_format("%s%s%s", url ? url : "", app->address ? " " : "", app->address ? app->address : "");
}

bool policy_page_keep(struct app *app)
{
    struct policy_page *d = policy_page_of(app);
    struct err e;
    size_t len;

    if (!d->draft)
        return false;
    if (!policy_page_modified(app)) {
        draft_remove(d->draft); /* also one whose end the checker had no time for */
        return false;
    }
    char *text = textbuf_copy(&d->editor.text, &len);
    char *server = policy_page_server(app);
    int r = draft_write(d->draft, server, d->version, text, len, &e);
    free(server);
    free(text);
    return r == 0;
}

void policy_page_checked(struct app *app, struct check_result *result)
{
    struct policy_page *d = policy_page_of(app);

    if (result->trouble)
        app_flash(app, ROLE_WARN, "%s", result->trouble);
    /* An answer about an older text says nothing about this one. */
    if (result->serial == d->editor.text.serial) {
        policy_problems_release(&d->problems);
        d->problems = result->problems;
        result->problems = (struct policy_problems){0};
        vec_release(&d->changes);
        d->changes.items = result->changes.items;
        d->changes.len = result->changes.len;
        d->changes.cap = result->changes.cap;
        result->changes.items = NULL;
        d->checked = result->serial;
        d->broken = policy_problems_fatal(&d->problems);
    }
    check_result_release(result);
}

static void list_users(const struct app *app, struct strs *out)
{
    const struct row_table *t = model_table(&app->model, ROW_USER);

    for (size_t i = 0; i < t->rows.len; i++) {
        const struct api_user *u = &((const struct m_user *)t->rows.items[i])->api;

        if (t->rows.items[i]->gone_ms)
            continue;
        strs_push(out, u->name);
        strs_push(out, u->email ? u->email : "");
        strs_push(out, u->provider_id ? u->provider_id : "");
    }
}

void policy_page_check(struct app *app)
{
    struct policy_page *d = policy_page_of(app);
    bool modified = policy_page_modified(app), keep = d->draft && (modified || d->draft_written);
    struct check_job job = {.serial = d->editor.text.serial, .version = d->version};
    struct check_result result;

    d->check_ms = d->since_ms = 0;
    job.text = textbuf_copy(&d->editor.text, &job.len);
    if (modified && d->base) {
        job.base = mem_alloc(d->base_len + 1);
        job.base_len = d->base_len;
        memcpy(job.base, d->base, d->base_len);
    }
    job.draft = keep ? mem_strdup(d->draft) : NULL;
    job.server = policy_page_server(app);
    list_users(app, &job.users);
    /* What is as the server has it again needs no draft. */
    job.remove = !modified;
    d->draft_written = keep && modified;
    d->sent = job.serial;
    if (d->checker)
        checker_send(d->checker, &job);
    else if (check_do(&job, &result))
        policy_page_checked(app, &result);
}

/* What is saved needs no draft. */
static void drop_draft(struct app *app)
{
    struct policy_page *d = policy_page_of(app);
    struct check_job job = {.remove = true};
    struct check_result result;

    if (!d->draft_written)
        return;
    job.draft = mem_strdup(d->draft);
    d->draft_written = false;
    if (d->checker)
        checker_send(d->checker, &job);
    else if (check_do(&job, &result))
        check_result_release(&result);
}

void policy_page_changed(struct app *app)
{
    struct policy_page *d = policy_page_of(app);
    int64_t now = app->at.now_ms;

    if (!d->since_ms)
        d->since_ms = now;
    d->check_ms = now + CHECK_MS < d->since_ms + LATEST_MS ? now + CHECK_MS : d->since_ms + LATEST_MS;
}

/* ---- requests ---- */

void policy_page_send(struct app *app, enum policy_request call, const char *method, const char *path, const char *body)
{
    struct policy_page *d = policy_page_of(app);
    struct app_request request = {.id = app->next_request++,
                                  .method = method,
                                  .path = path,
                                  .body = body ? body : "",
                                  .version = call == POLICY_REQUEST_SAVE ? d->version : 0,
                                  .match = call == POLICY_REQUEST_SAVE,
                                  .result = ROW_KINDS,
                                  .whole = true};

    d->calls[call] = request.id;
    app->net.send(app->net.context, &request);
}

static void send_text(struct app *app, enum policy_request call, const char *method, const char *path)
{
    struct buf body = BUF_INIT(0);
    struct json_out o = JSON_OUT(&body);
    const struct policy_page *d = policy_page_of(app);
    size_t len;
    char *text = textbuf_copy(&d->editor.text, &len);

    json_open(&o, '{');
    json_key(&o, "policy");
    json_strn(&o, text, len);
    if (call == POLICY_REQUEST_SAVE && d->note)
        json_put_str(&o, "note", d->note);
    json_close(&o, '}');
    policy_page_send(app, call, method, path, buf_text(&body));
    buf_release(&body);
    free(text);
}

void policy_page_preview(struct app *app)
{
    policy_page_of(app)->reviewed = policy_page_of(app)->editor.text.serial;
    send_text(app, POLICY_REQUEST_PREVIEW, "POST", "/api/headway/policy/preview");
}

void policy_page_save(struct app *app)
{
    send_text(app, POLICY_REQUEST_SAVE, "PUT", "/api/headway/policy");
}

void policy_page_base(struct app *app, const char *text, size_t len, uint64_t version)
{
    struct policy_page *d = policy_page_of(app);
    char *copy = mem_alloc(len + 1);

    memcpy(copy, text, len);
    free(d->base);
    d->base = copy;
    d->base_len = len;
    d->version = d->base_version = version;
    d->loaded = true;
    d->behind = false;
    d->compared = d->editor.text.serial - 1;
    if (!policy_page_modified(app))
        drop_draft(app);
}

void policy_page_look(struct app *app, enum policy_question look_for)
{
    struct policy_page *d = policy_page_of(app);

    d->before = d->mode == POLICY_EDIT ? POLICY_EDIT : POLICY_READ;
    d->mode = POLICY_REVIEW;
    d->pane = PANE_TEXT;
    d->look = true;
    d->look_for = look_for;
}
