/* SPDX-License-Identifier: BSD-3-Clause */
#include "api/view/as_approved.h"

#include <stdlib.h>
#include <string.h>

#include "api/view/objects.h"
#include "base/mem.h"
#include "config/config.h"

static void approve_all(struct as_approved *x)
{
    size_t count = x->input.tailnet.node_count;

    x->routes = mem_alloc((count + 1) * sizeof(*x->routes));
    for (size_t i = 0; i < count; i++) {
        const struct node *n = x->input.from[i]->record;
        struct policy_node *seen = &x->input.nodes[i];
        if (!n->available.len)
            continue;
        prefixes_copy(&x->routes[i], &n->available);
        for (size_t k = 0; k < n->approved.len; k++)
            prefixes_add(&x->routes[i], &n->approved.items[k]);
        seen->routes = seen->serving = x->routes[i].items;
        seen->route_count = seen->serving_count = x->routes[i].len;
    }
}

void as_approved_make(struct as_approved *x, struct api *api, const struct tailnet_snapshot *s)
{
    struct policy_problems problems = {0};

    if (x->made)
        return;
    x->made = true;
    x->open = !s->policy || !*s->policy->text;
    if (!x->open && policy_parse(s->policy->text, strlen(s->policy->text), &x->policy, &problems) == 0) {
        const struct config *config = api_config(api);
        tailnet_policy_input_init(&x->input, s, &config->prefixes.v4, &config->prefixes.v6);
        config_unref(config);
        approve_all(x);
        x->view = policy_view_bounded(x->policy, &x->input.tailnet, NULL, &problems);
    }
    policy_problems_release(&problems);
}

void as_approved_release(struct as_approved *x)
{
    policy_view_free(x->view);
    for (size_t i = 0; x->routes && i < x->input.tailnet.node_count; i++)
        prefixes_release(&x->routes[i]);
    if (x->routes)
        tailnet_policy_input_release(&x->input);
    free(x->routes);
    policy_unref(x->policy);
    *x = (struct as_approved){0};
}
