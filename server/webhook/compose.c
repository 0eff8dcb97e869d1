/* SPDX-License-Identifier: BSD-3-Clause */
/* Journal entries as receivers get them: an array of events in Tailscale's form, whose data are all texts, or a message
 * for a chat service. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "model/events.h"
#include "webhook/state.h"
#include "json/json.h"

static const char dropped_type[] = "eventsDropped";

/* ---- which entries ---- */

bool compose_is_news(const char *kind)
{
    for (size_t i = 0; i < webhook_type_count; i++)
        if (str_eq(event_kind((enum event_id)webhook_types[i].event), kind))
            return true;
    return false;
}

/* NULL: there is none. */
static json_t *read_detail(const struct event *e)
{
    json_t *detail = NULL;

    return *e->detail && json_read(e->detail, strlen(e->detail), strlen(e->detail), "detail", &detail, NULL) == 0
               ? detail
               : NULL;
}

/* For kinds of entry that are sent only in some cases. */
static bool applies(const struct webhook_type *t, const struct event *e)
{
    bool subnet = str_eq(t->name, "subnetIPForwardingNotEnabled"),
         exit = str_eq(t->name, "exitNodeIPForwardingNotEnabled");

    if (t->event != EVENT_ROUTE_ADVERTISED && !subnet && !exit)
        return true;
    json_t *detail = read_detail(e);
    bool holds = t->event == EVENT_ROUTE_ADVERTISED
                     ? json_array_size(json_object_get(detail, "waiting")) > 0
                     : str_eq(json_text(detail, "code", ""), WARNING_FORWARDING_OFF) &&
                           json_is_true(json_object_get(detail, subnet ? "subnet" : "exit"));
    json_decref(detail);
    return holds;
}

/* A webhook gets events about itself, none about other webhooks; a deleted one gets only its own deletion. */
static bool concerns(const struct webhook *w, const struct webhook_type *t, const struct event *e)
{
    if (t->category)
        return !w->deleted_ns;
    return str_eq(e->object, "webhook") && e->object_id == w->r.id &&
           (t->event == EVENT_WEBHOOK_DELETED) == (w->deleted_ns != 0);
}

const struct webhook_type *compose_type(const struct webhook *w, const struct event *e)
{
    for (size_t i = 0; i < webhook_type_count; i++) {
        const struct webhook_type *t = &webhook_types[i];
        if (str_eq(event_kind((enum event_id)t->event), e->kind) && webhook_subscribes(&w->subscriptions, t) &&
            concerns(w, t, e) && applies(t, e))
            return t;
    }
    return NULL;
}

/* ---- events ---- */

struct composing {
    const struct webhook *w;
    const struct config *c;
    const struct tailnet_snapshot *s;
    char *tailnet;
};

/* The MagicDNS domain, otherwise the server's name. */
static char *name_of_tailnet(const struct config *c)
{
    char *name = *c->dns.base_domain ? mem_strdup(c->dns.base_domain) : webhook_host(c->server_url);

    if (!*c->dns.base_domain && *name != '[')
        name[strcspn(name, ":")] = '\0';
    return name;
}

static void put_list(struct json_out *o, const char *name, const json_t *list)
{
    struct buf all = BUF_INIT(0);

    for (size_t i = 0; i < json_array_size(list); i++)
        buf_addf(&all, "%s%s", i ? ", " : "", json_string_value(json_array_get(list, i)));
    if (all.len)
        json_put_str(o, name, buf_text(&all));
    buf_release(&all);
}

static void put_node(struct json_out *o, const struct composing *by, const struct event *e)
{
    const struct tailnet_node *n = snapshot_node_by_id(by->s, e->object_id);
    const char *domain = by->c->dns.base_domain;
    char *name = mem_format("%s%s%s", e->object_name, *domain ? "." : "", domain), time[TIME_TEXT_MAX];

    json_put_id(o, "nodeID", e->object_id);
    json_put_str(o, "deviceName", name);
    free(name);
    if (!n)
        return;
    json_put_str(o, "managedBy", node_is_tagged(n->record) ? "tagged-devices" : n->user ? user_login(n->user) : "");
    if (n->record->expiry_ns)
        json_put_str(o, "expiration", time_format(n->record->expiry_ns, time));
}

/* The entry's data for programs. */
static void put_detail(struct json_out *o, const struct event *e)
{
    static const struct {
        const char *from, *to;
    } texts[] = {{"fromName", "from"}, {"toName", "to"}, {"cause", "cause"}};
    bool role = str_eq(e->kind, event_kind(EVENT_USER_ROLE));
    json_t *detail = read_detail(e);

    put_list(o, "prefixes", json_object_get(detail, "prefixes"));
    put_list(o, "waiting", json_object_get(detail, "waiting"));
    for (size_t i = 0; i < ARRAY_LEN(texts); i++)
        if (*json_text(detail, texts[i].from, ""))
            json_put_str(o, texts[i].to, json_text(detail, texts[i].from, ""));
    if (role) {
        json_put_str(o, "oldRoles", json_text(detail, "from", ""));
        json_put_str(o, "newRoles", json_text(detail, "to", ""));
    }
    json_decref(detail);
}

static void put_data(struct json_out *o, const struct composing *by, const struct event *e)
{
    json_key(o, "data");
    json_open(o, '{');
    if (str_eq(e->object, "node"))
        put_node(o, by, e);
    else if (str_eq(e->object, "user"))
        json_put_str(o, "user", e->object_name);
    else if (str_eq(e->object, "prefix"))
        json_put_str(o, "prefix", e->object_name);
    else if (str_eq(e->object, "pending"))
        json_put_str(o, "authID", e->object_name);
    else if (str_eq(e->object, "webhook"))
        json_put_id(o, "endpointID", e->object_id);
    put_detail(o, e);
    json_put_str(o, "actor", e->actor);
    json_put_str(o, "url", by->c->server_url);
    json_close(o, '}');
}

/* e NULL: count events were dropped. */
static void write_event(struct buf *out, const struct composing *by, const struct compose_item *item, uint64_t count)
{
    const struct event *e = item->event;
    struct json_out o = JSON_OUT(out);
    char time[TIME_TEXT_MAX], text[128];

    snprintf(text, sizeof(text), "%llu event%s could not be delivered and will not be: see headway webhooks list",
             (unsigned long long)count, count == 1 ? "" : "s");
    json_open(&o, '{');
    json_put_str(&o, "timestamp", time_format(e ? e->time_ns : clock_wall_ns(), time));
    json_put_u64(&o, "version", 1);
    json_put_str(&o, "type", e ? item->type->name : dropped_type);
    json_put_str(&o, "tailnet", by->tailnet);
    json_put_str(&o, "message", e ? e->text : text);
    if (!e) {
        json_key(&o, "data");
        json_open(&o, '{');
        json_put_id(&o, "count", count);
        json_close(&o, '}');
    } else if (item->type->event != EVENT_WEBHOOK_TESTED) {
        put_data(&o, by, e);
    }
    json_close(&o, '}');
}

/* ---- chat services ---- */

/* Neutralizes what a node's name could do in a chat: notify everybody, or make links. */
static void add_escaped(struct buf *out, const char *text, const char *provider)
{
    bool html = str_eq(provider, "slack") || str_eq(provider, "googlechat");

    for (; *text; text++)
        if (html && strchr("&<>", *text))
            buf_adds(out, *text == '&' ? "&amp;" : *text == '<' ? "&lt;" : "&gt;");
        else if (*text == '@' && !html)
            buf_adds(out, "@\xe2\x80\x8b"); /* a zero-width space */
        else
            buf_addc(out, *text);
}

static void write_line(struct buf *out, const struct compose_item *item, uint64_t count, const char *provider)
{
    struct buf line = BUF_INIT(0);

    if (item->event)
        buf_addf(&line, "%s: %s", item->type->name, item->event->text);
    else
        buf_addf(&line, "%s: %llu events could not be delivered and will not be", dropped_type,
                 (unsigned long long)count);
    add_escaped(out, buf_text(&line), provider);
    buf_release(&line);
}

static void wrap_chat(struct buf *out, const char *text, const char *provider)
{
    struct json_out o = JSON_OUT(out);

    json_open(&o, '{');
    json_put_str(&o, str_eq(provider, "discord") ? "content" : "text", text);
    if (str_eq(provider, "discord")) { /* notifies nobody */
        json_key(&o, "allowed_mentions");
        json_raw(&o, "{\"parse\":[]}", strlen("{\"parse\":[]}"));
    }
    json_close(&o, '}');
}

/* ---- the whole ---- */

void compose(const struct webhook *w, const struct config *c, const struct tailnet_snapshot *s,
             const struct compose_item *items, size_t count, uint64_t dropped, struct composed *out)
{
    struct composing by = {w, c, s, name_of_tailnet(c)};
    const struct compose_item none = {0};
    struct buf all = BUF_INIT(0), one = BUF_INIT(0);
    size_t max = *w->provider ? COMPOSE_CHAT_MAX : COMPOSE_BYTES_MAX;

    out->events = 0;
    for (size_t i = 0; i < count + (dropped > 0); i++) {
        const struct compose_item *item = dropped && i == 0 ? &none : &items[i - (dropped > 0)];
        one.len = 0;
        if (*w->provider)
            write_line(&one, item, dropped, w->provider);
        else
            write_event(&one, &by, item, dropped);
        if (all.len && out->events && all.len + one.len + 1 > max)
            break;
        if (all.len)
            buf_addc(&all, *w->provider ? '\n' : ',');
        buf_add(&all, one.data, one.len);
        out->events += item->event != NULL;
    }
    if (*w->provider)
        wrap_chat(&out->body, buf_text(&all), w->provider);
    else
        buf_addf(&out->body, "[%s]", buf_text(&all));
    free(by.tailnet);
    buf_release(&one);
    buf_release(&all);
}
