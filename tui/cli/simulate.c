/* SPDX-License-Identifier: BSD-3-Clause */
/* The effect of changes on routes, computed by the server without making them; and dry runs. */
#include "cli/simulate.h"

#include <stdlib.h>

#include "base/array.h"
#include "base/mem.h"
#include "net/prefixes.h"
#include "net/via6.h"

#define NODES_SHOWN 100 /* sets of nodes shown to people; machines get all */

enum value_form {
    VALUE_NODE,     /* NODE */
    VALUE_PREFIXES, /* NODE=PREFIX,... */
    VALUE_NUMBER,   /* NODE=N */
    VALUE_NEW,      /* NAME=tag:x|USER,PREFIX,... */
    VALUE_SET,      /* PREFIX, with the flags of `routes set` */
};

static const struct {
    const char *flag; /* also the kind of change */
    enum value_form form;
} questions[] = {
    {"add", VALUE_NEW},
    {"down", VALUE_NODE},
    {"up", VALUE_NODE},
    {"silent", VALUE_NODE},
    {"drain", VALUE_NODE},
    {"undrain", VALUE_NODE},
    {"expire", VALUE_NODE},
    {"delete", VALUE_NODE},
    {"authorize", VALUE_NODE},
    {"unauthorize", VALUE_NODE},
    {"advertise", VALUE_PREFIXES},
    {"withdraw", VALUE_PREFIXES},
    {"approve", VALUE_PREFIXES},
    {"revoke", VALUE_PREFIXES},
    {"primary", VALUE_PREFIXES},
    {"priority", VALUE_NUMBER},
    {"set", VALUE_SET},
};

/* ---- how a prefix is served ---- */

static const struct {
    const char *flag, *member;
    bool is_switch;
} settings[] = {{"failback", "failback", false},
                {"keep", "keep", true},
                {"nearest", "nearest", true},
                {"hold-down", "holdDown", false},
                {"failback-delay", "failbackDelay", false},
                {"probe", "probe", false}};
#define SHARED_SETTINGS (ARRAY_LEN(settings) - 1) /* all but the probe */

bool cli_prefix_settings_given(const struct cli *c)
{
    for (size_t i = 0; i < SHARED_SETTINGS; i++)
        if (flags_given(&c->flags, settings[i].flag))
            return true;
    return flags_switch(&c->flags, "reset");
}

json_t *cli_prefix_settings(struct cli *c, bool probe)
{
    bool reset = flags_switch(&c->flags, "reset");
    json_t *body = json_object(), *list = json_array();

    for (size_t i = 0; i < (probe ? ARRAY_LEN(settings) : SHARED_SETTINGS); i++) {
        const char *flag = settings[i].flag;
        if (!flags_given(&c->flags, flag)) {
            if (reset)
                json_array_append_new(list, json_string(settings[i].member));
            continue;
        }
        if (str_eq(settings[i].member, "probe") && str_eq(flags_text(&c->flags, flag), "none")) {
            json_array_append_new(list, json_string("probe"));
            continue;
        }
        json_object_set_new(body, settings[i].member,
                            settings[i].is_switch ? json_boolean(flags_switch(&c->flags, flag))
                                                  : json_string(flags_text(&c->flags, flag)));
    }
    if (json_array_size(list))
        json_object_set(body, "reset", list);
    json_decref(list);
    if (json_object_size(body))
        return body;
    json_decref(body);
    cli_failf(c, "name what to set: --failback, --keep, --hold-down, --failback-delay, --nearest%s or --reset",
              probe ? ", --probe" : "");
    return NULL;
}

/* ---- the question ---- */

/* An item after NODE=: a prefix, or for a new node its tags or its user. */
static bool add_item(struct cli *c, json_t *change, enum value_form form, const char *item)
{
    struct prefix prefix;

    if (prefix_parse_route(item, &prefix, NULL) == 0) {
        json_array_append_new(json_object_get(change, "prefixes"), json_string(item));
    } else if (str_eq(json_text(change, "kind", ""), "primary") && str_starts(item, "tag:")) {
        char *via = mem_format("%s%s%s", json_text(change, "via", ""), json_object_get(change, "via") ? "," : "", item);
        json_object_set_new(change, "via", json_string(via));
        free(via);
    } else if (form == VALUE_NEW && str_starts(item, "tag:")) {
        json_array_append_new(json_object_get(change, "tags"), json_string(item));
    } else if (form == VALUE_NEW && *item && !strchr(item, '/')) {
        json_object_set_new(change, "user", json_string(item));
    } else {
        cli_failf(c, "parsing route: '%s' is not a prefix such as 10.0.0.0/8", item);
        return false;
    }
    return true;
}

static bool add_number(struct cli *c, json_t *change, const char *text)
{
    uint64_t value = NODE_PRIORITY_DEFAULT;
    struct err e;

    if (!str_eq(text, "default") && str_u64(text, 0, NODE_PRIORITY_MAX, &value, "priority", &e) < 0) {
        cli_fail(c, &e);
        return false;
    }
    return json_object_set_new(change, "priority", json_integer((json_int_t)value)) == 0;
}

/* NULL, with an error printed, on failure. */
json_t *cli_set_change(struct cli *c, const char *text)
{
    struct prefix prefix;
    json_t *change;

    if (prefix_parse_route(text, &prefix, NULL) < 0) {
        cli_failf(c, "parsing route: '%s' is not a prefix such as 10.0.0.0/8", text);
        return NULL;
    }
    change = cli_prefix_settings(c, false);
    if (change) {
        json_object_set_new(change, "kind", json_string("set"));
        json_object_set_new(change, "prefixes", json_pack("[s]", text));
    }
    return change;
}

/* NULL, with an error printed, on failure. */
static json_t *read_value(struct cli *c, const char *kind, enum value_form form, const char *text)
{
    const char *equals = form == VALUE_NODE ? NULL : strchr(text, '=');
    json_t *change;
    bool ok = true;

    if (form == VALUE_SET)
        return cli_set_change(c, text);
    if (form != VALUE_NODE && (!equals || equals == text || !equals[1])) {
        cli_failf(c, "--%s '%s': write it as %s", kind, text,
                  form == VALUE_NEW      ? "NAME=tag:TAG,PREFIX or NAME=USER,PREFIX"
                  : form == VALUE_NUMBER ? "NODE=PRIORITY"
                                         : "NODE=PREFIX,...");
        return NULL;
    }
    change = json_pack("{s:s, s:s%, s:[], s:[]}", "kind", kind, "node", text,
                       equals ? (size_t)(equals - text) : strlen(text), "prefixes", "tags");
    if (change && form == VALUE_NUMBER)
        ok = add_number(c, change, equals + 1);
    for (const char *at = form == VALUE_NUMBER ? NULL : equals; change && ok && at && *at;) {
        size_t len = strcspn(++at, ",");
        char *item = mem_strndup(at, len);
        ok = add_item(c, change, form, item);
        free(item);
        at += len;
    }
    if (!change)
        cli_failf(c, "--%s: '%s' is not valid UTF-8", kind, text);
    if (ok)
        return change;
    json_decref(change);
    return NULL;
}

static bool add_policy(struct cli *c, json_t *body)
{
    char *text = cli_read_file(c, flags_text(&c->flags, "policy"), "policy file");
    json_t *value = text ? json_string(text) : NULL;

    if (text && !value)
        cli_failf(c, "reading policy file: %s is not valid UTF-8", flags_text(&c->flags, "policy"));
    free(text);
    return value && json_object_set_new(body, "policy", value) == 0;
}

static json_t *read_question(struct cli *c)
{
    json_t *changes = json_array(), *body = json_pack("{s:o}", "changes", changes);

    for (size_t i = 0; i < ARRAY_LEN(questions); i++) {
        const struct strs *given = flags_list(&c->flags, questions[i].flag);
        for (size_t k = 0; given && k < given->len; k++) {
            json_t *change = read_value(c, questions[i].flag, questions[i].form, given->items[k]);
            if (!change) {
                json_decref(body);
                return NULL;
            }
            json_array_append_new(changes, change);
        }
    }
    if (cli_prefix_settings_given(c) && !flags_given(&c->flags, "set")) {
        json_decref(body);
        cli_failf(c, "--failback, --keep and the like say how the prefixes of --set are served: name them with --set");
        return NULL;
    }
    if (flags_given(&c->flags, "policy") && !add_policy(c, body)) {
        json_decref(body);
        return NULL;
    }
    if (json_array_size(changes) || flags_given(&c->flags, "policy"))
        return body;
    json_decref(body);
    cli_failf(c, "name at least one change, such as --down NODE: see 'headway routes simulate --help'");
    return NULL;
}

/* ---- the answer ---- */

static enum text_color outcome_color(const char *outcome)
{
    return str_eq(outcome, "unserved") || str_eq(outcome, "dropped") ? COLOR_BAD
           : str_eq(outcome, "moves")                                ? COLOR_WARN
                                                                     : COLOR_PLAIN;
}

static void add_count(struct buf *b, uint64_t count, const char *one, const char *many)
{
    if (count)
        buf_addf(b, "%s%llu %s", b->len ? ", " : "", (unsigned long long)count, count == 1 ? one : many);
}

static void put_prefix(struct text_table *t, const struct api_simulated_prefix *p)
{
    struct buf text = BUF_INIT(0), nodes = BUF_INIT(0);
    char prefix[PREFIX_SHOWN_MAX];

    buf_addf(&text, "%s%s%s", prefix_show(&p->prefix, prefix), *p->via ? " via " : "", p->via);
    table_text(t, buf_text(&text), COLOR_PLAIN);
    table_text(t, p->outcome, outcome_color(p->outcome));
    table_text(t, p->from_name, COLOR_PLAIN);
    table_text(t, p->to_name, COLOR_PLAIN);
    add_count(&nodes, p->move, "moves", "move");
    add_count(&nodes, p->lose, "loses it", "lose it");
    add_count(&nodes, p->gain, "gains it", "gain it");
    table_text(t, buf_text(&nodes), COLOR_PLAIN);
    buf_clear(&text);
    buf_adds(&text, p->reason);
    if (*p->later_name)
        buf_addf(&text, "%s%s takes over after %llu s", text.len ? "; " : "", p->later_name,
                 (unsigned long long)p->later_seconds);
    if (*p->covered_by)
        buf_addf(&text, "%s%s of %s takes its traffic", text.len ? "; " : "", p->covered_by, p->covered_by_name);
    else if (p->candidates == 1 && !*p->via)
        buf_addf(&text, "%sno other router is left", text.len ? "; " : "");
    table_text(t, buf_text(&text), COLOR_PLAIN);
    buf_release(&text);
    buf_release(&nodes);
}

static void put_prefixes(const struct cli *c, const struct api_list *prefixes)
{
    static const char *const heads[] = {"Prefix", "Outcome", "Before", "After", "Nodes", "Reason"};
    struct text_table t;

    table_init(&t, heads, ARRAY_LEN(heads));
    for (size_t i = 0; i < prefixes->len; i++)
        put_prefix(&t, api_at(prefixes, struct api_simulated_prefix, i));
    table_print(&t, &c->out);
    table_release(&t);
}

static void put_exits(const struct cli *c, const struct api_list *exits)
{
    static const char *const heads[] = {"Exit node", "Nodes", "Left without any", "In use by"};
    struct text_table t;

    table_init(&t, heads, ARRAY_LEN(heads));
    for (size_t i = 0; i < exits->len; i++) {
        const struct api_simulated_exit *x = api_at(exits, struct api_simulated_exit, i);
        struct buf nodes = BUF_INIT(0);
        bool lose = str_eq(x->kind, "loses");
        add_count(&nodes, x->viewers, lose ? "loses it" : "gains it", lose ? "lose it" : "gain it");
        table_text(&t, x->name, COLOR_PLAIN);
        table_text(&t, buf_text(&nodes), lose ? COLOR_WARN : COLOR_PLAIN);
        table_number(&t, x->without);
        table_number(&t, x->in_use);
        buf_release(&nodes);
    }
    table_print(&t, &c->out);
    table_release(&t);
}

/* "a, b and 3 more" */
static void add_names(struct buf *b, const struct api_names *names)
{
    size_t shown = names->names.len;

    for (size_t i = 0; i < shown; i++)
        buf_addf(b, "%s%s", i ? ", " : "", names->names.items[i]);
    if (names->count > shown)
        buf_addf(b, " and %llu more", (unsigned long long)(names->count - shown));
}

static void add_way(struct buf *b, const struct api_simulated_way *w)
{
    char prefix[PREFIX_SHOWN_MAX];

    if (w->exit)
        buf_addf(b, "%s exit node %s", w->kind, *w->from_name ? w->from_name : w->to_name);
    else if (str_eq(w->kind, "moves"))
        buf_addf(b, "moves %s from %s to %s", prefix_show(&w->prefix, prefix), w->from_name, w->to_name);
    else
        buf_addf(b, "%s %s of %s", w->kind, prefix_show(&w->prefix, prefix), *w->from_name ? w->from_name : w->to_name);
}

static void put_viewers(const struct cli *c, const struct api_list *viewers)
{
    static const char *const heads[] = {"Nodes", "Online", "What changes for them"};
    struct text_table t;

    table_init(&t, heads, ARRAY_LEN(heads));
    for (size_t i = 0; i < viewers->len && i < NODES_SHOWN; i++) {
        const struct api_simulated_viewers *row = api_at(viewers, struct api_simulated_viewers, i);
        struct buf text = BUF_INIT(0);
        struct strs ways = {0};
        add_names(&text, &row->viewers);
        table_text(&t, buf_text(&text), COLOR_PLAIN);
        table_number(&t, row->online);
        for (size_t k = 0; k < row->changes.len; k++) {
            buf_clear(&text);
            add_way(&text, api_at(&row->changes, struct api_simulated_way, k));
            strs_push(&ways, buf_text(&text));
        }
        if (row->no_exit)
            strs_push(&ways, "has no exit node left");
        table_texts(&t, &ways);
        strs_release(&ways);
        buf_release(&text);
    }
    table_print(&t, &c->out);
    table_release(&t);
    if (viewers->len > NODES_SHOWN)
        fprintf(c->out.out, "and %zu more sets of nodes: see --output json\n", viewers->len - NODES_SHOWN);
}

static void put_cut_off(const struct cli *c, const struct api_list *cut_off)
{
    static const char *const heads[] = {"User without a way", "To"};
    struct text_table t;

    table_init(&t, heads, ARRAY_LEN(heads));
    for (size_t i = 0; i < cut_off->len; i++) {
        const struct api_simulated_cut_off *x = api_at(cut_off, struct api_simulated_cut_off, i);
        char prefix[PREFIX_SHOWN_MAX];
        table_text(&t, x->user, COLOR_BAD);
        table_text(&t, x->exit ? "the internet by an exit node" : prefix_show(&x->prefix, prefix), COLOR_PLAIN);
    }
    table_print(&t, &c->out);
    table_release(&t);
}

static void put_summary(const struct cli *c, const struct api_simulated_totals *t)
{
    struct buf b = BUF_INIT(0);

    add_count(&b, t->move, "node moves to another router", "nodes move to other routers");
    add_count(&b, t->lose, "node loses a way", "nodes lose a way");
    add_count(&b, t->gain, "node gains one", "nodes gain one");
    add_count(&b, t->unserved, "prefix is left without a router", "prefixes are left without a router");
    add_count(&b, t->approved, "route is approved by the policy", "routes are approved by the policy");
    fprintf(c->out.out, "%s%s. Nothing was changed.\n", b.len ? buf_text(&b) : "No node would notice",
            t->incomplete ? "; not all could be compared in time" : "");
    buf_release(&b);
}

static void put_answer(const struct cli *c, const struct api_simulation *s)
{
    const struct {
        const struct api_list *list;
        void (*put)(const struct cli *c, const struct api_list *list);
    } parts[] = {
        {&s->prefixes, put_prefixes}, {&s->exits, put_exits}, {&s->viewers, put_viewers}, {&s->cut_off, put_cut_off}};

    for (size_t i = 0; i < s->findings.len; i++) {
        const struct api_finding *f = api_at(&s->findings, struct api_finding, i);
        cli_note(c, str_eq(f->severity, "warning") ? "Warning" : "Problem", f->message);
    }
    for (size_t i = 0; i < ARRAY_LEN(parts); i++)
        if (parts[i].list->len) {
            parts[i].put(c, parts[i].list);
            fputc('\n', c->out.out);
        }
    put_summary(c, &s->totals);
}

json_t *cli_node_change(const char *kind, uint64_t node, json_t *prefixes)
{
    char id[24];

    snprintf(id, sizeof(id), "%llu", (unsigned long long)node);
    return json_pack("{s:s, s:s, s:o}", "kind", kind, "node", id, "prefixes",
                     prefixes ? json_incref(prefixes) : json_array());
}

int cli_simulate(struct cli *c, json_t *body)
{
    struct api_simulation s;
    json_t *answer;
    struct err e;

    answer = cli_call(c, "POST", body, "/api/headway/routes/simulate");
    if (!answer)
        return 1;
    if (c->out.form != OUTPUT_HUMAN) {
        output_value(&c->out, answer, &api_simulation_shape);
    } else if (api_read(&api_simulation_shape, answer, &s, API_FOR_TERMINAL, &e) == 0) {
        put_answer(c, &s);
        api_release(&api_simulation_shape, &s);
    } else {
        json_decref(answer);
        return cli_fail(c, &e);
    }
    json_decref(answer);
    return 0;
}

int cli_changed(struct cli *c, json_t *answer, const char *line)
{
    return cli_changed_or_simulated(c, answer, line, NULL);
}

int cli_changed_or_simulated(struct cli *c, json_t *answer, const char *line, json_t *change)
{
    const char *text = json_text(answer, "text", "");
    bool dry = answer && flags_switch(&c->flags, "dry-run"), simulated = false;

    if (dry ? str_eq(text, API_CHANGE_NOTHING) : !json_is_string(json_object_get(answer, "event"))) {
        line = "Nothing to change";
    } else if (dry) {
        line = "Nothing was changed: this was a dry run";
        if (c->out.form == OUTPUT_HUMAN) {
            char *would = mem_format("It would be journalled as: %s\n", text);
            output_text(&c->out, would);
            free(would);
            simulated = change != NULL;
        }
    }
    if (simulated) {
        json_decref(answer);
        return cli_simulate(c, json_pack("{s:[o]}", "changes", change));
    }
    json_decref(change);
    return cli_done(c, answer, line, NULL, NULL);
}

int routes_simulate(struct cli *c)
{
    json_t *body = read_question(c);

    return body ? cli_simulate(c, body) : 1;
}

/* clang-format off */
const struct flag simulate_flags[] = {
    {"down", 0, FLAG_LIST, .value = "NODE", .help = "these nodes go offline"},
    {"up", 0, FLAG_LIST, .value = "NODE", .help = "these nodes come online"},
    {"silent", 0, FLAG_LIST, .value = "NODE", .help = "these nodes stay connected but answer no probe"},
    {"drain", 0, FLAG_LIST, .value = "NODE", .help = "these nodes are drained"},
    {"undrain", 0, FLAG_LIST, .value = "NODE", .help = "these nodes are put back into service"},
    {"approve", 0, FLAG_REPEAT, .value = "NODE=PREFIX,...", .help = "these routes of a node are approved"},
    {"revoke", 0, FLAG_REPEAT, .value = "NODE=PREFIX,...", .help = "the approval of these routes is revoked"},
    {"advertise", 0, FLAG_REPEAT, .value = "NODE=PREFIX,...", .help = "a node advertises these routes too"},
    {"withdraw", 0, FLAG_REPEAT, .value = "NODE=PREFIX,...", .help = "a node no longer advertises these routes"},
    {"primary", 0, FLAG_REPEAT, .value = "NODE=PREFIX,...", .help = "a node is made the one that serves these prefixes; with tag:TAG among them, within the group of a grant with that via"},
    {"priority", 0, FLAG_REPEAT, .value = "NODE=PRIORITY", .help = "this router or exit node has this priority, 0 to 1000"},
    {"expire", 0, FLAG_LIST, .value = "NODE", .help = "the keys of these nodes expire"},
    {"delete", 0, FLAG_LIST, .value = "NODE", .help = "these nodes are deleted"},
    {"authorize", 0, FLAG_LIST, .value = "NODE", .help = "these machines are approved"},
    {"unauthorize", 0, FLAG_LIST, .value = "NODE", .help = "the approval of these machines is taken back"},
    {"set", 0, FLAG_LIST, .value = "PREFIX", .help = "these prefixes are served as the next options say, as by 'routes set'"},
    PREFIX_SETTING_FLAGS,
    {"add", 0, FLAG_REPEAT, .value = "NAME=tag:TAG,PREFIX,...", .help = "a node that does not exist yet, with its tags or its user, comes online and advertises these routes"},
    {"policy", 0, FLAG_TEXT, .value = "FILE", .help = "the policy of this file is in force"},
    FLAGS_END};
/* clang-format on */
