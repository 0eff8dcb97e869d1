/* SPDX-License-Identifier: BSD-3-Clause */
/* What helps while the policy is typed: the names that may stand at the cursor, why something is a problem, the mend
 * that it offers, the bracket that belongs to another. */
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>

#include "base/array.h"
#include "base/mem.h"
#include "base/str.h"
#include "console/app/app.h"
#include "console/dialogs/dialog.h"
#include "console/policy/policy_page.h"
#include "console/text/outline.h"

#define OFFERED_MAX 500

enum name_source {
    FROM_USERS = 1,
    FROM_GROUPS = 2,
    FROM_TAGS = 4,
    FROM_HOSTS = 8,
    FROM_NODES = 16,
    FROM_ROUTES = 32,
    WITH_PORTS = 64, /* each name is followed by ports */
    FROM_ALL = FROM_USERS | FROM_GROUPS | FROM_TAGS | FROM_HOSTS | FROM_NODES,
    FROM_OWNERS = FROM_USERS | FROM_GROUPS | FROM_TAGS,
};

#define SOURCES "* autogroup:member autogroup:tagged autogroup:admin autogroup:owner autogroup:danger-all"
#define TARGETS "* autogroup:self autogroup:internet autogroup:member autogroup:tagged"

/* What may stand where; '*' in a path is any key. */
static const struct offer {
    const char *path;
    bool key;
    unsigned from;
    const char *words; /* separated by blanks */
} offers[] = {
    {"", true, 0, "groups hosts tagOwners acls grants ssh autoApprovers nodeAttrs tests sshTests randomizeClientPort"},
    {"groups", true, 0, "group:"},
    {"groups/*/[]", false, FROM_USERS, ""},
    {"hosts/*", false, FROM_NODES | FROM_ROUTES, ""},
    {"tagOwners", true, FROM_TAGS, "tag:"},
    {"tagOwners/*/[]", false, FROM_OWNERS, "autogroup:member autogroup:admin autogroup:owner"},
    {"acls/[]", true, 0, "action src dst proto"},
    {"acls/[]/action", false, 0, "accept"},
    {"acls/[]/proto", false, 0, "tcp udp icmp sctp gre esp ah igmp ipv6-icmp"},
    {"acls/[]/src/[]", false, FROM_ALL, SOURCES},
    {"acls/[]/dst/[]", false, FROM_ALL | WITH_PORTS, TARGETS},
    {"grants/[]", true, 0, "src dst ip app via"},
    {"grants/[]/src/[]", false, FROM_ALL, SOURCES},
    {"grants/[]/dst/[]", false, FROM_ALL | FROM_ROUTES, TARGETS},
    {"grants/[]/ip/[]", false, 0,
     "* tcp:22 tcp:80 tcp:443 tcp:3389 tcp:5432 udp:53 tcp:* udp:* icmp:* 22 53 80 443 3389 5432"},
    {"grants/[]/via/[]", false, FROM_TAGS, ""},
    {"ssh/[]", true, 0, "action src dst users checkPeriod acceptEnv"},
    {"ssh/[]/action", false, 0, "accept check"},
    {"ssh/[]/src/[]", false, FROM_OWNERS, "autogroup:member autogroup:tagged"},
    {"ssh/[]/dst/[]", false, FROM_USERS | FROM_TAGS, "autogroup:self autogroup:member autogroup:tagged"},
    {"ssh/[]/users/[]", false, 0, "root autogroup:nonroot localpart:*@"},
    {"ssh/[]/checkPeriod", false, 0, "always 1h 12h 20h 168h"},
    {"autoApprovers", true, 0, "routes exitNode"},
    {"autoApprovers/routes", true, FROM_ROUTES, ""},
    {"autoApprovers/routes/*/[]", false, FROM_OWNERS, "autogroup:member autogroup:tagged"},
    {"autoApprovers/exitNode/[]", false, FROM_OWNERS, "autogroup:member autogroup:tagged"},
    {"nodeAttrs/[]", true, 0, "target attr app"},
    {"nodeAttrs/[]/target/[]", false, FROM_ALL, "* autogroup:member autogroup:tagged autogroup:admin"},
    {"nodeAttrs/[]/attr/[]", false, 0,
     "drive:access drive:share disable-ipv4 magicdns-aaaa randomize-client-port suggest-exit-node"},
    {"tests/[]", true, 0, "src accept deny proto"},
    {"tests/[]/src", false, FROM_ALL, ""},
    {"tests/[]/proto", false, 0, "tcp udp sctp"},
    {"tests/[]/accept/[]", false, FROM_ALL | WITH_PORTS, ""},
    {"tests/[]/deny/[]", false, FROM_ALL | WITH_PORTS, ""},
    {"sshTests/[]", true, 0, "src dst accept deny check"},
    {"sshTests/[]/src", false, FROM_ALL, ""},
    {"sshTests/[]/dst/[]", false, FROM_ALL, "autogroup:self"},
    {"sshTests/[]/accept/[]", false, 0, "root"},
    {"sshTests/[]/deny/[]", false, 0, "root"},
    {"sshTests/[]/check/[]", false, 0, "root"},
};
static const char usual_ports[] = "* 22 53 80 443 3389 5432 8080";

static const struct offer *offer_at(const struct outline_token *place)
{
    for (size_t i = 0; i < ARRAY_LEN(offers); i++)
        if (offers[i].key == place->key && outline_fits(offers[i].path, place->path))
            return &offers[i];
    return NULL;
}

/* ---- collecting ---- */

struct offered {
    struct strs words, notes;
    const char *typed; /* only what begins with it */
    size_t typed_len;
    bool ports;       /* stand there already */
    const char *tail; /* behind each name */
};

static void add(struct offered *o, const char *word, const char *tail, const char *note)
{
    if (o->words.len >= OFFERED_MAX || strncasecmp(word, o->typed, o->typed_len) != 0)
        return;
    char *whole = mem_format("%s%s", word, tail);
    bool known = false;
    for (size_t i = 0; i < o->words.len && !known; i++)
        known = str_eq(o->words.items[i], whole);
    if (!known) {
        strs_push(&o->words, whole);
        strs_push(&o->notes, note);
    }
    free(whole);
}

static void add_words(struct offered *o, const char *words, const char *tail)
{
    while (*words) {
        size_t len = strcspn(words, " ");
        char *word = mem_strndup(words, len);

        add(o, word, tail, "");
        free(word);
        words += len + (words[len] == ' ');
    }
}

struct names {
    struct offered *to;
    unsigned from;
};

/* The keys of three sections. */
static bool add_defined(void *arg, const struct outline_token *token)
{
    static const struct {
        const char *path, *note;
        unsigned from;
    } sections[] = {{"groups", "group", FROM_GROUPS}, {"tagOwners", "tag", FROM_TAGS}, {"hosts", "host", FROM_HOSTS}};
    struct names *n = arg;

    for (size_t i = 0; i < ARRAY_LEN(sections); i++)
        if (token->key && token->closed && token->len && (n->from & sections[i].from) &&
            str_eq(token->path, sections[i].path)) {
            char *name = mem_strndup(token->text, token->len);
            add(n->to, name, n->to->tail, sections[i].note);
            free(name);
        }
    return true;
}

/* What the text defines, and what the server's does: behind brackets that are not closed yet nothing is found. */
static void add_all_defined(const struct policy_page *d, struct names *names)
{
    struct textbuf base;

    outline_each(&d->editor.text, add_defined, names);
    textbuf_init(&base);
    textbuf_load(&base, d->base, d->base_len);
    outline_each(&base, add_defined, names);
    textbuf_release(&base);
}

static void add_users(const struct app *app, struct offered *o)
{
    const struct row_table *users = model_table(&app->model, ROW_USER);

    for (size_t i = 0; i < users->rows.len; i++) {
        const struct api_user *u = &((const struct m_user *)users->rows.items[i])->api;
        char *name =
            u->email && *u->email ? mem_strdup(u->email) : mem_format("%s%s", u->name, strchr(u->name, '@') ? "" : "@");
        add(o, name, o->tail, "user");
        free(name);
    }
}

/* A device is named by its address: the policy knows no names of devices. */
static void add_nodes(const struct app *app, struct offered *o, unsigned from)
{
    const struct row_table *nodes = model_table(&app->model, ROW_NODE);
    size_t typed = o->typed_len;

    for (size_t i = 0; (from & FROM_TAGS) && i < nodes->rows.len; i++) {
        const struct strs *tags = &((const struct m_node *)nodes->rows.items[i])->api.tags;
        for (size_t k = 0; k < tags->len; k++)
            add(o, tags->items[k], o->tail, "tag");
    }
    for (size_t i = 0; (from & FROM_NODES) && i < nodes->rows.len; i++) {
        const struct m_node *n = (const struct m_node *)nodes->rows.items[i];
        if (!*n->ipv4)
            continue;
        /* Its name may be typed for its address. */
        if (typed && strncasecmp(n->api.given_name, o->typed, typed) == 0)
            o->typed_len = 0;
        add(o, n->ipv4, o->tail, n->api.given_name);
        o->typed_len = typed;
    }
}

static void add_routes(const struct app *app, struct offered *o)
{
    const struct row_table *prefixes = model_table(&app->model, ROW_PREFIX);
    char text[PREFIX_TEXT_MAX];

    for (size_t i = 0; i < prefixes->rows.len; i++) {
        const struct api_prefix *p = &((const struct m_prefix *)prefixes->rows.items[i])->api;
        if (!p->exit)
            add(o, prefix_format(&p->prefix, text), o->tail, "network");
    }
}

/* Whether ports are typed already: behind a colon that is not of the kind of name. */
static size_t before_ports(const char *typed, size_t len)
{
    for (size_t i = len; i > 0; i--)
        if (typed[i - 1] == ':') {
            size_t name = i - 1;
            bool kind = (name == 3 && !memcmp(typed, "tag", 3)) || (name == 5 && !memcmp(typed, "group", 5)) ||
                        (name == 9 && !memcmp(typed, "autogroup", 9)) || memchr(typed, '[', name);
            return kind || !name ? 0 : i;
        }
    return 0;
}

static void collect(struct app *app, const struct offer *offer, struct offered *o)
{
    size_t base = (offer->from & WITH_PORTS) ? before_ports(o->typed, o->typed_len) : 0;
    struct names names = {o, offer->from};

    if (base) {
        char *name = mem_strndup(o->typed, base);
        struct offered list = {.typed = o->typed + base, .typed_len = o->typed_len - base};
        add_words(&list, usual_ports, "");
        o->typed_len = 0;
        for (size_t i = 0; i < list.words.len; i++) {
            char *whole = mem_format("%s%s", name, list.words.items[i]);
            add(o, whole, "", "port");
            free(whole);
        }
        strs_release(&list.words);
        strs_release(&list.notes);
        free(name);
        return;
    }
    o->tail = (offer->from & WITH_PORTS) && !o->ports ? ":*" : "";
    add_words(o, offer->words, o->tail);
    add_all_defined(policy_page_of(app), &names);
    if (offer->from & FROM_USERS)
        add_users(app, o);
    if (offer->from & (FROM_NODES | FROM_TAGS))
        add_nodes(app, o, offer->from);
    if (offer->from & FROM_ROUTES)
        add_routes(app, o);
}

/* ---- putting in ---- */

/* Ports stand behind the cursor already: they stay. */
static bool ports_follow(const struct outline_token *place, struct text_pos at)
{
    size_t typed = at.at - place->from.at;

    return place->string && place->closed && typed && typed < place->len && place->text[typed] == ':';
}

/* Where the word goes: instead of the string at the cursor, or as one. */
static void put(struct app *app, const char *word)
{
    struct policy_page *d = policy_page_of(app);
    struct outline_token place;
    char path[OUTLINE_PATH];
    struct buf text = BUF_INIT(0);

    if (!outline_at(&d->editor.text, d->editor.at, &place, path))
        return;
    struct text_pos from = place.from, to = d->editor.at;
    bool ports = ports_follow(&place, to);
    if (place.string && place.closed && !ports)
        to.at = from.at + place.len;
    buf_addf(&text, "%s%s%s", place.string ? "" : "\"", word, place.string && place.closed ? "" : "\"");
    if (place.key && !(place.string && place.closed))
        buf_adds(&text, ": ");
    if (!editor_replace(&d->editor, from, to, buf_text(&text), text.len))
        app_flash(app, ROLE_WARN, "a policy has at most 4 MiB");
    if (place.string && place.closed && !ports)
        d->editor.at.at++; /* behind its quote */
    buf_release(&text);
    policy_page_changed(app);
}

static void chosen(struct app *app, const char *word)
{
    if (policy_page_of(app)->mode == POLICY_EDIT)
        put(app, word);
}

static void offer_all(struct app *app, const struct offered *o)
{
    dialog_choice(app, "names for this place", "Enter put in   Esc cancel", chosen);
    for (size_t i = 0; i < o->words.len; i++) {
        char *line = mem_format("%-34s %s", o->words.items[i], o->notes.items[i]);
        dialog_add_choice(app, o->words.items[i], line);
        free(line);
    }
}

static void cmd_complete(struct app *app, const char *arg)
{
    struct policy_page *d = policy_page_of(app);
    struct outline_token place;
    char path[OUTLINE_PATH];
    const struct offer *offer = NULL;

    (void)arg;
    if (outline_at(&d->editor.text, d->editor.at, &place, path))
        offer = offer_at(&place);
    if (!offer) {
        app_flash(app, ROLE_INFO, "no names are known for this place");
        return;
    }
    size_t typed = place.string ? d->editor.at.at - place.from.at : 0;
    char *text = mem_strndup(place.text, typed);
    struct offered o = {.typed = text, .typed_len = typed, .ports = ports_follow(&place, d->editor.at)};
    collect(app, offer, &o);
    if (!o.words.len)
        app_flash(app, ROLE_INFO, typed ? "no name begins with '%s'" : "no names are known for this place", text);
    else if (o.words.len == 1)
        put(app, o.words.items[0]);
    else
        offer_all(app, &o);
    strs_release(&o.words);
    strs_release(&o.notes);
    free(text);
}

/* ---- mending ---- */

/* The one under the cursor, else the first in its line, else the first behind it: one that says what was meant. */
static const struct policy_problem *mendable(const struct policy_page *d)
{
    const struct policy_problem *best = NULL;
    size_t line = d->editor.at.line + 1;

    for (size_t i = 0; i < d->problems.len; i++) {
        const struct policy_problem *p = &d->problems.items[i];
        if (p->fix && p->line >= line && (!best || p->line < best->line))
            best = p;
    }
    for (size_t i = 0; i < d->problems.len && !best; i++)
        if (d->problems.items[i].fix)
            best = &d->problems.items[i];
    return best;
}

static void cmd_mend(struct app *app, const char *arg)
{
    struct policy_page *d = policy_page_of(app);
    const struct policy_problem *p = mendable(d);

    (void)arg;
    if (d->checked != d->editor.text.serial) {
        app_flash(app, ROLE_INFO, "the text is being checked: a moment");
        return;
    }
    if (!p || p->line > d->editor.text.lines.len) {
        app_flash(app, ROLE_INFO, "%s", d->problems.len ? "no problem says what was meant" : "no known problems");
        return;
    }
    const struct edit_line *l = &d->editor.text.lines.items[p->line - 1];
    size_t from = p->column ? p->column - 1 : 0, len = strlen(p->wrong);
    const char *found = from < l->len ? memmem(l->bytes + from, l->len - from, p->wrong, len) : NULL;
    if (!found) {
        app_flash(app, ROLE_WARN, "the text has changed there");
        return;
    }
    from = (size_t)(found - l->bytes);
    char *said = mem_format("line %u: %s instead of %s", p->line, p->fix, p->wrong);
    if (editor_replace(&d->editor, (struct text_pos){p->line - 1, from}, (struct text_pos){p->line - 1, from + len},
                       p->fix, strlen(p->fix)))
        app_flash(app, ROLE_INFO, "%s ({take-back} takes it back)", said);
    free(said);
    policy_page_changed(app);
}

/* ---- explaining ---- */

static void add_line(struct buf *out, const struct textbuf *t, unsigned line)
{
    if (!line || line > t->lines.len)
        return;
    const struct edit_line *l = &t->lines.items[line - 1];
    size_t from = 0;
    while (from < l->len && (l->bytes[from] == ' ' || l->bytes[from] == '\t'))
        from++;
    buf_addf(out, "line %u\t", line);
    str_safe(out, l->len ? l->bytes + from : "", l->len - from);
    buf_addc(out, '\n');
}

/* The problems of the cursor's line with the lines that they are about; else the next one behind it. */
static void cmd_explain(struct app *app, const char *arg)
{
    struct policy_page *d = policy_page_of(app);
    unsigned here = (unsigned)d->editor.at.line + 1, line = 0;
    struct buf text = BUF_INIT(0);

    (void)arg;
    for (size_t i = 0; i < d->problems.len; i++) {
        unsigned at = d->problems.items[i].line;
        if (at >= here && (!line || at < line))
            line = at;
    }
    for (size_t i = 0; i < d->problems.len; i++) {
        const struct policy_problem *p = &d->problems.items[i];
        const char *said = policy_page_problem_text(p);

        if (!line || p->line != line)
            continue;
        buf_addf(&text, "%u:%u\t", p->line, p->column);
        str_safe(&text, said, strlen(said));
        buf_addc(&text, '\n');
        add_line(&text, &d->editor.text, p->line);
        add_line(&text, &d->editor.text, p->cause);
        if (p->fix)
            buf_addf(&text, "mend\t%s\n",
                     d->mode == POLICY_EDIT ? "{mend} puts in what was probably meant" : "{edit}, then {mend}");
    }
    if (text.len)
        dialog_text(app, "why", buf_take(&text));
    else
        app_flash(app, ROLE_INFO, "%s", d->problems.len ? "no problem in this line or below" : "no known problems");
    buf_release(&text);
}

static void cmd_match(struct app *app, const char *arg)
{
    (void)arg;
    if (!editor_to_match(&policy_page_of(app)->editor))
        app_flash(app, ROLE_INFO, "no bracket here has another one");
}

static const struct console_command commands[] = {
    {.name = "complete",
     .keys = "Ctrl-Space Ctrl-O",
     .hint = "complete",
     .help = "the names that may stand at the cursor: users, groups, tags, hosts, nodes, keys, ports",
     .where = IN_EDIT,
     .rank = 5,
     .run = cmd_complete},
    {.name = "mend",
     .keys = "Alt-Enter Ctrl-R",
     .hint = "mend",
     .help = "replace a name that is wrong by the one that was probably meant",
     .where = IN_EDIT,
     .rank = 6,
     .run = cmd_mend},
    {.name = "problem-why",
     .keys = "w Alt-w",
     .help = "why this line is a problem, with the line that makes it one",
     .where = IN_POLICY,
     .run = cmd_explain},
    {.name = "problem-why-text",
     .keys = "Alt-w",
     .help = "why this line is a problem",
     .where = IN_EDIT,
     .run = cmd_explain},
    {.name = "bracket",
     .keys = "Ctrl-] Ctrl-B",
     .help = "go to the bracket that belongs to this one",
     .where = IN_EDIT,
     .run = cmd_match},
};

const struct command_table policy_typing_commands = {.items = commands, .len = ARRAY_LEN(commands)};
