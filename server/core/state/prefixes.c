/* SPDX-License-Identifier: BSD-3-Clause */
#include "core/state/prefixes.h"

#include <stdlib.h>

#include "core/state/state.h"

struct prefix_rule prefix_rule_configured(const struct config *config)
{
    return (struct prefix_rule){.failback = (enum route_failback)config->node.ha.failback,
                                .keep = config->node.ha.keep ? PREFIX_KEEP : PREFIX_WITHDRAW,
                                .hold_down_ns = config->node.ha.hold_down,
                                .failback_delay_ns = config->node.ha.failback_delay,
                                .nearest = config->node.ha.nearest ? PREFIX_NEAREST : PREFIX_ONE_FOR_ALL};
}

static struct record_pair *find(struct core_state *s, const struct prefix *p, bool make)
{
    struct record_pair *c = map_get(&s->prefix_settings, p, sizeof(*p));

    if (!c && make) {
        c = mem_alloc(sizeof(*c));
        map_put(&s->prefix_settings, p, sizeof(*p), c);
    }
    return c;
}

static void drop_if_empty(struct core_state *s, const struct prefix *p, struct record_pair *c)
{
    if (c->work || c->published)
        return;
    map_del(&s->prefix_settings, p, sizeof(*p));
    free(c);
}

const struct prefix_settings *prefix_settings_find(struct core_state *s, const struct prefix *p)
{
    const struct record_pair *c = find(s, p, false);

    return c ? c->work : NULL;
}

void prefix_settings_work(struct core_state *s, const struct prefix_settings *settings, bool remove)
{
    const struct prefix p = settings->prefix;
    struct record_pair *c = find(s, &p, true);
    const void *old = c->work;

    c->work = remove ? NULL : record_ref(settings);
    record_unref(old);
    drop_if_empty(s, &p, c);
}

static void tell_routes(struct core_state *s, const struct prefix *p, const struct prefix_settings *settings)
{
    struct prefix_rule configured = prefix_rule_configured(s->config), rule = prefix_rule_of(settings, &configured);

    routes_set_rule(s->routes, p, settings ? &rule : NULL);
    s->elect = true;
}

void prefix_settings_publish(struct core_state *s, const struct prefix_settings *settings, bool remove)
{
    const struct prefix p = settings->prefix;
    struct record_pair *c = find(s, &p, true);
    const void *old = c->published;

    c->published = remove ? NULL : record_ref(settings);
    tell_routes(s, &p, c->published);
    s->prefix_settings_dirty = true;
    record_unref(old);
    drop_if_empty(s, &p, c);
}

static int by_prefix(const void *a, const void *b)
{
    const struct prefix_settings *const *x = a, *const *y = b;

    return prefix_cmp(&(*x)->prefix, &(*y)->prefix);
}

const struct prefix_settings **prefix_settings_list(struct core_state *s, size_t *count)
{
    const struct prefix_settings **items = mem_alloc((s->prefix_settings.len + 1) * sizeof(*items));

    *count = 0;
    for (struct map_entry *e = map_first(&s->prefix_settings); e; e = map_next(&s->prefix_settings, e))
        if (((const struct record_pair *)e->value)->published)
            items[(*count)++] = ((const struct record_pair *)e->value)->published;
    qsort(items, *count, sizeof(*items), by_prefix);
    return items;
}

void prefix_settings_reload(struct core_state *s)
{
    struct prefix_rule configured = prefix_rule_configured(s->config);

    routes_set_defaults(s->routes, &configured);
    for (struct map_entry *e = map_first(&s->prefix_settings); e; e = map_next(&s->prefix_settings, e)) {
        const struct prefix_settings *published = ((const struct record_pair *)e->value)->published;
        if (published)
            tell_routes(s, &published->prefix, published);
    }
    s->elect = true;
}

void prefix_settings_reset(struct core_state *s)
{
    for (struct map_entry *e = map_first(&s->prefix_settings); e; e = map_next(&s->prefix_settings, e)) {
        struct record_pair *c = e->value;
        record_unref(c->work);
        c->work = record_ref(c->published);
    }
}

void prefix_settings_release(struct core_state *s)
{
    for (struct map_entry *e = map_first(&s->prefix_settings); e; e = map_next(&s->prefix_settings, e)) {
        struct record_pair *c = e->value;
        record_unref(c->work);
        record_unref(c->published);
        free(c);
    }
    map_release(&s->prefix_settings);
}
