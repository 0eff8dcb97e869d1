/* SPDX-License-Identifier: BSD-3-Clause */
/* One table of messages: each row decides when it applies to a node, and is withdrawn when it no longer does. */
#include "netmap/client_messages.h"

#include "base/array.h"
#include "base/clock.h"
#include "base/map.h"

#define MESSAGES_SINCE 117 /* tailcfg.CapabilityVersion with DisplayMessages */
#define PREFIXES_NAMED 4   /* per text */

struct message {
    enum message_severity severity;
    bool cuts_off; /* ImpactsConnectivity: the node's purpose is defeated */
    const char *title;
    struct buf text;
    const char *label; /* of a button that opens url; NULL: none */
    struct buf url;
};

struct message_facts {
    const struct tailnet_snapshot *s;
    const struct netmap_access *access;
    const struct tailnet_node *self;
    uint32_t *exit_slot;
};

static void not_approved(const struct message_facts *f, struct message *m)
{
    if (f->self->record->authorized)
        return;
    buf_adds(&m->text, f->self->record->authorized_ns ? "An administrator took its approval back."
                                                      : "An administrator must approve it before it reaches anybody.");
    m->label = "How to approve it";
    buf_addf(&m->url, "%s/admin", f->s->settings->server_url);
}

static void key_expires(const struct message_facts *f, struct message *m)
{
    char when[TIME_TEXT_MAX];
    enum key_end end = tailnet_key_end(f->self->record, f->s->wall_ns);

    if (f->self->expired || end == KEY_END_FAR)
        return;
    m->severity = end == KEY_END_DAY ? SEVERITY_HIGH : SEVERITY_LOW;
    m->cuts_off = end == KEY_END_DAY;
    time_format(f->self->record->expiry_ns, when);
    buf_addf(&m->text, "At %.10s %.5s UTC this machine must log in again: run tailscale up --force-reauth before.",
             when, when + 11);
}

static void add_prefix(struct buf *out, const struct prefix *p, size_t n)
{
    char text[PREFIX_TEXT_MAX];

    if (prefix_is_exit(p) && p->addr.bits == 128)
        return; /* the other half of an exit node */
    buf_addf(out, "%s%s", n ? ", " : "", prefix_is_exit(p) ? "the exit node" : prefix_format(p, text));
}

static void routes_wait(const struct message_facts *f, struct message *m)
{
    const struct node *n = f->self->record;
    size_t waiting = 0;

    if (!n->authorized)
        return;
    for (size_t i = 0; i < n->available.len; i++) {
        const struct prefix *p = &n->available.items[i];
        if (prefixes_has(&n->approved, p))
            continue;
        if (waiting < PREFIXES_NAMED)
            add_prefix(&m->text, p, m->text.len);
        waiting++;
    }
    if (waiting > PREFIXES_NAMED)
        buf_addf(&m->text, " and %zu more", waiting - PREFIXES_NAMED);
    if (waiting)
        buf_adds(&m->text, ": nobody can use this until an administrator approves it.");
}

static const struct tailnet_node *find_exit(const struct message_facts *f, uint64_t id)
{
    const struct tailnet_node *n = snapshot_node(f->s, *f->exit_slot);

    if (!n || n->record->r.id != id)
        n = snapshot_node_by_id(f->s, id);
    if (n)
        *f->exit_slot = n->slot;
    return n;
}

/* The exit node of Hostinfo.ExitNodeID; older clients do not report it. */
static void exit_node_down(const struct message_facts *f, struct message *m)
{
    uint64_t id = f->self->record->exit_node_id;

    if (!id || !f->self->record->authorized)
        return;
    const struct tailnet_node *exit = find_exit(f, id);
    if (!exit || !access_visible(f->access, f->self, exit))
        buf_adds(&m->text, "The exit node that this machine uses is not there any more: choose another one.");
    else if (!node_is_exit(exit->record))
        buf_addf(&m->text, "%s is no exit node any more: choose another one.", exit->record->given_name);
    else if (!exit->live.online || exit->expired)
        buf_addf(&m->text, "%s is %s: this machine reaches nothing through it. Choose another exit node, or none.",
                 exit->record->given_name, exit->expired ? "logged out" : "offline");
    else if (!exit->live.healthy)
        buf_addf(&m->text, "%s does not answer: choose another exit node, or none.", exit->record->given_name);
}

/* The client's own report, returned to its user with what does not work because of it. */
static void forwarding_off(const struct message_facts *f, struct message *m)
{
    struct prefixes effective = {0};

    node_effective(f->self->record, &effective);
    if (effective.len && node_warnings_has(&f->self->live.warnings, WARNING_FORWARDING_OFF))
        buf_adds(&m->text, "This machine is a router, but its system forwards no packets: see "
                           "https://tailscale.com/s/ip-forwarding.");
    prefixes_release(&effective);
}

static void from_administrator(const struct message_facts *f, struct message *m)
{
    const struct server_message *now = f->s->message;

    if (!now || !*now->text)
        return;
    m->severity = now->severity;
    buf_adds(&m->text, now->text);
    if (*now->url) {
        m->label = "Read more";
        buf_adds(&m->url, now->url);
    }
}

/* Its name on the wire; its severity unless it sets one itself; its title; a function that decides who gets it with
 * which text, and ends it by leaving the text empty. */
static const struct {
    const char *id;
    enum message_severity severity;
    bool cuts_off;
    const char *title;
    void (*write)(const struct message_facts *f, struct message *m);
} table[CLIENT_MESSAGE_KINDS] = {
    {"not-approved", SEVERITY_HIGH, true, "This machine is not approved", not_approved},
    {"key-expires", SEVERITY_LOW, false, "The key of this machine expires soon", key_expires},
    {"routes-not-approved", SEVERITY_LOW, false, "Routes of this machine wait for approval", routes_wait},
    {"exit-node-down", SEVERITY_HIGH, true, "The exit node is down", exit_node_down},
    {"forwarding-off", SEVERITY_MEDIUM, false, "IP forwarding is off", forwarding_off},
    {"server-message", SEVERITY_MEDIUM, false, "A message from the administrator", from_administrator},
};

static void write_message(const struct message_facts *f, size_t kind, struct message *m)
{
    *m = (struct message){
        .severity = table[kind].severity, .cuts_off = table[kind].cuts_off, .title = table[kind].title};
    table[kind].write(f, m);
}

static void message_release(struct message *m)
{
    buf_release(&m->text);
    buf_release(&m->url);
}

static uint64_t hash_of(const struct message *m)
{
    if (!m->text.len)
        return 0;
    uint64_t hash = map_hash(m->text.data, m->text.len) * 31 + map_hash(m->url.data, m->url.len);
    return hash * 8 + (uint64_t)m->severity * 2 + m->cuts_off + 1;
}

static void put_display(struct json_out *o, const struct message *m)
{
    if (!m->text.len) {
        json_nil(o);
        return;
    }
    json_open(o, '{');
    json_put_str(o, "Title", m->title);
    json_put_str(o, "Text", buf_text(&m->text));
    json_put_str(o, "Severity", message_severity_name((int)m->severity));
    if (m->cuts_off)
        json_put_bool(o, "ImpactsConnectivity", true);
    if (m->label) {
        json_key(o, "PrimaryAction");
        json_open(o, '{');
        json_put_str(o, "URL", buf_text(&m->url));
        json_put_str(o, "Label", m->label);
        json_close(o, '}');
    }
    json_close(o, '}');
}

/* A patch by id: ids that are not named stay as they are. */
static void put_changed(struct json_out *o, const struct message *messages, const struct sent_messages *sent)
{
    json_key(o, "DisplayMessages");
    json_open(o, '{');
    for (size_t i = 0; i < ARRAY_LEN(table); i++)
        if (hash_of(&messages[i]) != sent->hash[i]) {
            json_key(o, table[i].id);
            put_display(o, &messages[i]);
        }
    json_close(o, '}');
}

/* All messages, each time. */
static void put_health(struct json_out *o, const struct message *messages)
{
    json_key(o, "Health");
    json_open(o, '[');
    for (size_t i = 0; i < ARRAY_LEN(table); i++)
        if (messages[i].text.len) {
            char *text = mem_format("%s: %s", messages[i].title, buf_text(&messages[i].text));
            json_str(o, text);
            free(text);
        }
    json_close(o, ']');
}

bool put_messages(struct json_out *o, const struct netmap_access *a, const struct tailnet_node *self,
                  unsigned cap_version, struct sent_messages *sent)
{
    struct message_facts facts = {a->snapshot, a, self, &sent->exit_slot};
    struct message messages[ARRAY_LEN(table)];
    bool differs = false;

    for (size_t i = 0; i < ARRAY_LEN(table); i++) {
        write_message(&facts, i, &messages[i]);
        differs = differs || hash_of(&messages[i]) != sent->hash[i];
    }
    if (differs && cap_version >= MESSAGES_SINCE)
        put_changed(o, messages, sent);
    else if (differs)
        put_health(o, messages);
    for (size_t i = 0; i < ARRAY_LEN(table); i++) {
        sent->hash[i] = hash_of(&messages[i]);
        message_release(&messages[i]);
    }
    return differs;
}
