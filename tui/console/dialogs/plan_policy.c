/* SPDX-License-Identifier: BSD-3-Clause */
/* A plan that puts another policy in force, as taking one back does: who gains and who loses access is asked of the
 * server and said before. */
#include "base/mem.h"
#include "console/app/app.h"
#include "console/dialogs/plan.h"
#include "json/json.h"

void plan_policy_ask(struct app *app, struct plan *plan, const char *inverse)
{
    json_t *call = NULL;

    if (json_read_large(inverse, strlen(inverse), 16U << 20, "inverse", &call, NULL) < 0)
        return;
    const json_t *policy = json_object_get(json_object_get(call, "body"), "policy");
    if (json_is_string(policy)) {
        struct buf body = BUF_INIT(0);
        struct json_out o = JSON_OUT(&body);

        json_open(&o, '{');
        json_key(&o, "policy");
        json_strn(&o, json_string_value(policy), json_string_length(policy));
        json_close(&o, '}');
        struct app_request request = {.id = app->next_request++,
                                      .method = "POST",
                                      .path = "/api/headway/policy/preview",
                                      .body = buf_text(&body),
                                      .whole = true,
                                      .result = ROW_KINDS};
        plan->policy_request = request.id;
        app->net.send(app->net.context, &request);
        buf_release(&body);
    }
    json_decref(call);
}

static char *count_pairs(uint64_t lost, uint64_t gained)
{
    return mem_format("policy: %llu pair%s of devices lose%s access, %llu gain%s it", (unsigned long long)lost,
                      lost == 1 ? "" : "s", lost == 1 ? "s" : "", (unsigned long long)gained, gained == 1 ? "s" : "");
}

bool plan_policy_reply(struct plan *plan, uint64_t id, const struct reply *reply)
{
    struct api_preview p;

    if (!plan->policy_request || plan->policy_request != id)
        return false;
    plan->policy_request = 0;
    free(plan->note);
    if (!reply->json || reply->status < 200 || reply->status >= 300 ||
        api_read(&api_preview_shape, reply->json, &p, API_FOR_TERMINAL, NULL) < 0) {
        plan->note = mem_format("what changes for whom is not known: %s",
                                *reply->e.message ? reply->e.message : "the server did not say");
        return true;
    }
    plan->note = count_pairs(p.totals.pairs_lost, p.totals.pairs_gained);
    if (policy_opens_much(p.totals.pairs_gained, p.cost.nodes)) {
        plan->risk = RISK_TYPE;
        mem_replace(&plan->word, "OPEN");
    }
    api_release(&api_preview_shape, &p);
    return true;
}

bool policy_opens_much(uint64_t gained, uint64_t nodes)
{
    return gained >= 4 && gained * 4 >= nodes * (nodes ? nodes - 1 : 0);
}
