/* SPDX-License-Identifier: BSD-3-Clause */
#include "console/app/command.h"

#include <ctype.h>

#include "base/array.h"
#include "base/str.h"
#include "console/commands/commands.h"

#define ROUTES_OF_ANY (IN_NODES | IN_NODE | IN_ROUTES | IN_PREFIXES)
#define CHANGE        (NEED_ROW | NEED_WRITE)
#define CHANGES       (CHANGE | FOR_MARKED)

/* clang-format off */
static const struct console_command commands[] = {
    {"down", "j Down", NULL, "one row down", NULL, IN_ANY, 0, RISK_NONE, 0, cmd_down, NULL},
    {"up", "k Up", NULL, "one row up", NULL, IN_ANY, 0, RISK_NONE, 0, cmd_up, NULL},
    {"first", "g Home", NULL, "the first row", NULL, IN_ANY, 0, RISK_NONE, 0, cmd_first, NULL},
    {"last-row", "G End", NULL, "the last row", NULL, IN_ANY, 0, RISK_NONE, 0, cmd_last_row, NULL},
    {"half-down", "Ctrl-D", NULL, "half a screen down", NULL, IN_ANY, 0, RISK_NONE, 0, cmd_half_down, NULL},
    {"half-up", "Ctrl-U", NULL, "half a screen up", NULL, IN_ANY, 0, RISK_NONE, 0, cmd_half_up, NULL},
    {"page-down", "PgDn Ctrl-F", NULL, "a screen down", NULL, IN_ANY, 0, RISK_NONE, 0, cmd_page_down, NULL},
    {"page-up", "PgUp Ctrl-B", NULL, "a screen up", NULL, IN_ANY, 0, RISK_NONE, 0, cmd_page_up, NULL},
    {"fold", "h Left", NULL, "fold the group", NULL, IN_ROUTES, 0, RISK_NONE, 0, cmd_fold, NULL},
    {"unfold", "l Right", NULL, "open the group", NULL, IN_ROUTES, 0, RISK_NONE, 0, cmd_unfold, NULL},
    {"open", "Enter", "open", "open what the cursor is on", NULL, IN_LISTS | IN_NODE, NEED_ROW, RISK_NONE, 1, cmd_open, NULL},
    {"escape", "Esc", NULL, "one step back: range, filter, view", NULL, IN_ANY, 0, RISK_NONE, 0, cmd_escape, NULL},
    {"close", "q", NULL, "close the view; in the first one quit", NULL, IN_ANY, 0, RISK_NONE, 0, cmd_close, NULL},
    {"next", "Tab", "next", "the next part of the view", NULL, IN_ROUTES | IN_PREFIXES | IN_KEYS, 0, RISK_NONE, 6, cmd_next_sub, NULL},

    {"previous", "Shift-Tab", NULL, "the part before", NULL, IN_ROUTES | IN_PREFIXES | IN_KEYS, 0, RISK_NONE, 0, cmd_previous_sub, NULL},
    {"nodes", "1", NULL, "all nodes", "[FILTER]", IN_ANY, 0, RISK_NONE, 0, cmd_nodes, NULL},
    {"routes", "2", NULL, "routes by node, by prefix, those with several routers, exit nodes", "[node|prefix|ha|exit] [FILTER]", IN_ANY, 0, RISK_NONE, 0, cmd_routes, NULL},
    {"policy", "4", NULL, "the access policy", NULL, IN_ANY, 0, RISK_NONE, 0, cmd_policy, NULL},
    {"events", "5", NULL, "the journal", "[FILTER]", IN_ANY, 0, RISK_NONE, 0, cmd_events, NULL},
    {"users", "6", NULL, "all users", "[FILTER]", IN_ANY, 0, RISK_NONE, 0, cmd_users, NULL},
    {"keys", "7", NULL, "pre-auth keys and API keys", "[pre-auth|api] [FILTER]", IN_ANY, 0, RISK_NONE, 0, cmd_keys, NULL},
    {"pending", "8", NULL, "who waits to be let in", NULL, IN_ANY, 0, RISK_NONE, 0, cmd_pending, NULL},
    {"node", "", NULL, "open one node by its name", "NAME", IN_ANY, 0, RISK_NONE, 0, cmd_node, NULL},
    {"last", "-", NULL, "the view before this one", NULL, IN_ANY, 0, RISK_NONE, 0, cmd_last_view, NULL},
    {"back", "[", NULL, "back in the history of views", NULL, IN_ANY, 0, RISK_NONE, 0, cmd_back, NULL},
    {"forward", "]", NULL, "forward again", NULL, IN_ANY, 0, RISK_NONE, 0, cmd_forward, NULL},
    {"routes-of", "r", "routes", "the routes of this node", NULL, IN_NODES | IN_NODE, NEED_ROW, RISK_NONE, 5, cmd_routes_of, NULL},
    {"events-of", "L", "events", "the events of this object", NULL, ROUTES_OF_ANY | IN_USERS, NEED_ROW, RISK_NONE, 12, cmd_events_of, NULL},

    {"approve", "a", "approve", "approve the routes that wait; on a registration: let it in", NULL, ROUTES_OF_ANY, CHANGES, RISK_NONE, 2, cmd_approve, refuse_approve},
    {"approve-all", "A", "all", "approve all that waits on the node", NULL, IN_ROUTES | IN_NODE, CHANGE, RISK_NONE, 4, cmd_approve_all, refuse_approve},
    {"admit", "a Enter", "approve", "let the node join, for a user that you choose", "[USER]", IN_PENDING, CHANGE, RISK_ASK, 2, cmd_admit, NULL},
    {"reject", "x", "reject", "refuse the registration", NULL, IN_PENDING, CHANGES, RISK_ASK, 3, cmd_reject, NULL},
    {"revoke", "x", "revoke", "take back the approval of a route", NULL, IN_ROUTES | IN_PREFIXES | IN_NODE, CHANGES, RISK_ASK, 3, cmd_revoke, refuse_revoke},
    {"primary", "f", "primary", "let this node serve the prefix", NULL, IN_ROUTES | IN_PREFIXES | IN_NODE, CHANGE, RISK_ASK, 4, cmd_primary, refuse_primary},
    {"expire", "x", "expire", "end the node's or the key's validity now", NULL, IN_NODES | IN_KEYS, CHANGES, RISK_ASK, 6, cmd_expire, NULL},
    {"rename", "n", "rename", "give it another name", NULL, IN_NODES | IN_NODE | IN_USERS, CHANGE, RISK_NONE, 7, cmd_rename, NULL},
    {"delete", "d Del", "delete", "delete for good", NULL, IN_NODES | IN_NODE | IN_USERS | IN_KEYS, CHANGES, RISK_TYPE, 9, cmd_delete, NULL},
    {"tags", "t", "tags", "set the node's tags; +TAG adds one, -TAG takes one away", "[TAG ...]", IN_NODES | IN_NODE, CHANGES, RISK_NONE, 7, cmd_tags, refuse_tags},
    {"drain", "o", "out of service", "let other routers serve, or let this one serve again", NULL, ROUTES_OF_ANY, CHANGES, RISK_ASK, 8, cmd_drain, refuse_drain},
    {"new", "N", "new", "make a user or a key", "[NAME]", IN_USERS | IN_KEYS, NEED_WRITE, RISK_NONE, 2, cmd_new, NULL},
    {"repeat", ".", NULL, "do the last change again, to what the cursor or the marks are on", NULL, IN_ANY, NEED_WRITE, RISK_NONE, 0, cmd_repeat, refuse_repeat},
    {"undo", "u", NULL, "take back your last change; in the events: this one", NULL, IN_ANY, NEED_WRITE, RISK_ASK, 20, cmd_undo, refuse_undo},
    {"plan", "P", NULL, "show what the next action would do before it is done", NULL, IN_ANY, 0, RISK_NONE, 0, cmd_plan, NULL},

    {"mark", "Space", "mark", "mark and go down", NULL, IN_LISTS | IN_NODE, NEED_ROW, RISK_NONE, 10, cmd_mark, NULL},
    {"range", "v", NULL, "mark a range: movement extends it, Esc ends it", NULL, IN_LISTS | IN_NODE, NEED_ROW, RISK_NONE, 0, cmd_range, NULL},
    {"invert", "*", NULL, "invert the marks of what is shown", NULL, IN_LISTS | IN_NODE, 0, RISK_NONE, 0, cmd_invert, NULL},
    {"mark-by", "+", NULL, "mark what a filter finds", "FILTER", IN_LISTS, 0, RISK_NONE, 0, cmd_mark_by, NULL},
    {"unmark", "\\", NULL, "clear all marks", NULL, IN_LISTS | IN_NODE, 0, RISK_NONE, 0, cmd_clear_marks, NULL},
    {"filter", "/", "filter", "show only what matches", "FILTER", IN_LISTS, 0, RISK_NONE, 11, cmd_filter, NULL},
    {"narrow", "&", NULL, "only what belongs to the same owner, node or kind", NULL, IN_LISTS, NEED_ROW, RISK_NONE, 0, cmd_narrow, NULL},
    {"sort", "s", NULL, "sort by the next column, or by the one named", "[COLUMN]", IN_LISTS, 0, RISK_NONE, 0, cmd_sort, NULL},
    {"reverse", "S", NULL, "turn the order around", NULL, IN_LISTS, 0, RISK_NONE, 0, cmd_reverse, NULL},
    {"columns", "c", NULL, "choose the columns and their order", "[COLUMN ...]", IN_LISTS, 0, RISK_NONE, 0, cmd_columns, NULL},
    {"follow", "F", "follow", "stay at the newest event", NULL, IN_EVENTS, 0, RISK_NONE, 3, cmd_follow, NULL},

    {"edit", "e Enter", "edit", "edit the policy", NULL, IN_POLICY, 0, RISK_NONE, 1, cmd_edit, refuse_edit},
    {"review", "Ctrl-S", "review, save", "show what the changed policy would do, then save it", NULL, IN_POLICY | IN_EDIT, 0, RISK_NONE, 2, cmd_review, refuse_review},
    {"save", "Enter", "save", "save the policy; where access is lost, a word has to be typed", NULL, IN_REVIEW, NEED_WRITE, RISK_NONE, 1, cmd_save, refuse_save},
    {"pane", "Tab", "access, text", "the other half of the review: access, or the text", NULL, IN_REVIEW, 0, RISK_NONE, 2, cmd_pane, NULL},
    {"edit-again", "e", "edit", "back to the text", NULL, IN_REVIEW, 0, RISK_NONE, 3, cmd_edit_again, NULL},
    {"editor", "Ctrl-E", "$EDITOR", "edit the policy with $VISUAL, $EDITOR or vi", NULL, IN_POLICY | IN_EDIT, 0, RISK_NONE, 6, cmd_outside, refuse_edit},
    {"problem", "F8 Ctrl-N", "problem", "the next problem of the policy", NULL, IN_POLICY | IN_EDIT, 0, RISK_NONE, 4, cmd_next_problem, NULL},
    {"find", "/", "find", "find a text in the policy", "TEXT", IN_POLICY, 0, RISK_NONE, 5, cmd_find, NULL},
    {"find-next", "n F3", NULL, "the next place of the text that was looked for", NULL, IN_POLICY, 0, RISK_NONE, 0, cmd_find_next, NULL},
    {"find-previous", "N", NULL, "the place before", NULL, IN_POLICY, 0, RISK_NONE, 0, cmd_find_previous, NULL},
    {"find-text", "Ctrl-F", "find", "find a text", NULL, IN_EDIT, 0, RISK_NONE, 5, cmd_find, NULL},
    {"find-again", "F3", NULL, "the next place of the text that was looked for", NULL, IN_EDIT, 0, RISK_NONE, 0, cmd_find_next, NULL},
    {"line", "Ctrl-G", NULL, "go to a line of the policy", "NUMBER", IN_POLICY | IN_EDIT, 0, RISK_NONE, 0, cmd_go_line, NULL},
    {"adopt", "a", "adopt", "copy the policy of the file into the database", NULL, IN_POLICY, NEED_WRITE, RISK_ASK, 7, cmd_adopt, refuse_adopt},
    {"revert", "D", "drop changes", "give up what is not saved", NULL, IN_POLICY, 0, RISK_ASK, 8, cmd_revert, refuse_revert},
    {"explain", "=", "explain", "say whether one reaches another, and why", "SRC DST[:PORT]", IN_ANY, 0, RISK_NONE, 14, cmd_explain, NULL},
    {"leave", "Esc Ctrl-C", "leave", "leave the editor; the text is kept", NULL, IN_EDIT, 0, RISK_NONE, 1, cmd_leave_editor, NULL},
    {"take-back", "Ctrl-Z", "undo", "take back what was typed", NULL, IN_EDIT, 0, RISK_NONE, 3, cmd_editor_undo, NULL},
    {"again", "Ctrl-Y", NULL, "do again what was taken back", NULL, IN_EDIT, 0, RISK_NONE, 0, cmd_editor_redo, NULL},
    {"editor-help", "F1", NULL, "what can be done in the editor", NULL, IN_EDIT, 0, RISK_NONE, 0, cmd_help, NULL},
    {"editor-repaint", "Ctrl-L", NULL, "draw the screen again", NULL, IN_EDIT, 0, RISK_NONE, 0, cmd_repaint, NULL},

    {"why", "w", "why", "why it is as it is", NULL, IN_LISTS | IN_NODE, NEED_ROW, RISK_NONE, 5, cmd_why, NULL},
    {"copy", "y", NULL, "copy the name, the address, the row, JSON or a command", NULL, IN_LISTS | IN_NODE, NEED_ROW, RISK_NONE, 0, cmd_copy, NULL},
    {"peek", "p", NULL, "the pane at the right, on wide screens", NULL, IN_ANY, 0, RISK_NONE, 0, cmd_peek, NULL},
    {"freeze", "z", NULL, "hold the screen still, or resume", NULL, IN_ANY, 0, RISK_NONE, 0, cmd_freeze, NULL},
    {"retry", "R", NULL, "connect again now", NULL, IN_ANY, 0, RISK_NONE, 0, cmd_retry, NULL},
    {"command", ":", "cmd", "the command prompt", NULL, IN_ANY, 0, RISK_NONE, 13, cmd_prompt, NULL},
    {"help", "? F1", NULL, "what can be done here", NULL, IN_ANY, 0, RISK_NONE, 0, cmd_help, NULL},
    {"messages", "", NULL, "all messages of this session", NULL, IN_ANY, 0, RISK_NONE, 0, cmd_messages, NULL},
    {"server", "", NULL, "go to another server of your list", "[NAME]", IN_ANY, 0, RISK_NONE, 0, cmd_server, NULL},
    {"set", "", NULL, "theme dark, light or mono; mouse on or off", "OPTION VALUE", IN_ANY, 0, RISK_NONE, 0, cmd_set, NULL},
    {"repaint", "Ctrl-L", NULL, "draw the screen again", NULL, IN_ANY, 0, RISK_NONE, 0, cmd_repaint, NULL},
    {"suspend", "Ctrl-Z", NULL, "back to the shell for a while", NULL, IN_ANY, 0, RISK_NONE, 0, cmd_suspend, NULL},
    {"quit", "Ctrl-C", NULL, "leave the console", NULL, IN_ANY, 0, RISK_NONE, 0, cmd_quit, NULL},
};
/* clang-format on */

size_t commands_count(void)
{
    return ARRAY_LEN(commands);
}

const struct console_command *commands_at(size_t i)
{
    return &commands[i];
}

/* Calls use for each key of the command until it returns true. */
static bool each_key(const struct console_command *c, bool (*use)(const char *name, void *arg), void *arg)
{
    const char *at = c->keys;
    char name[KEY_NAME_MAX];

    while (*at) {
        size_t len = strcspn(at, " ");

        memcpy(name, at, len < sizeof(name) ? len : sizeof(name) - 1);
        name[len < sizeof(name) ? len : sizeof(name) - 1] = '\0';
        if (use(name, arg))
            return true;
        at += len + (at[len] == ' ');
    }
    return false;
}

static bool is_key(const char *name, void *arg)
{
    return key_named(name) == *(int *)arg;
}

const struct console_command *commands_for_key(unsigned where, int key)
{
    for (size_t i = 0; i < commands_count(); i++)
        if ((commands[i].where & where) && each_key(&commands[i], is_key, &key))
            return &commands[i];
    return NULL;
}

const struct console_command *commands_find(const char *name, size_t len)
{
    const struct console_command *found = NULL;

    for (size_t i = 0; i < commands_count(); i++) {
        if (strncmp(commands[i].name, name, len) != 0)
            continue;
        if (!commands[i].name[len])
            return &commands[i];
        if (found)
            return NULL;
        found = &commands[i];
    }
    return len ? found : NULL;
}

unsigned commands_where(const struct app *app)
{
    static const unsigned where[LIST_COUNT] = {
        [LIST_NODES] = IN_NODES,   [LIST_ROUTES] = IN_ROUTES, [LIST_PREFIXES] = IN_PREFIXES,
        [LIST_EVENTS] = IN_EVENTS, [LIST_USERS] = IN_USERS,   [LIST_PREAUTH] = IN_KEYS,
        [LIST_HA] = IN_PREFIXES,   [LIST_EXIT] = IN_ROUTES,   [LIST_PENDING] = IN_PENDING,
        [LIST_API] = IN_KEYS,      [LIST_DETAIL] = IN_NODE,
    };

    if (app->place.view == VIEW_POLICY)
        return policy_page_where(app);
    return where[app_list_id(app)];
}

const char *command_refusal(struct app *app, const struct console_command *c)
{
    if (!(c->where & commands_where(app)))
        return "it does not work in this view";
    if (c->needs & NEED_ROW) {
        const struct row *row = app_list(app)->cursor;
        bool whole_node = app->place.view == VIEW_NODE;

        if (!row && !(whole_node && app_node(app)))
            return "there is nothing here to do it with";
        if (row && row->gone_ms && (c->needs & NEED_WRITE))
            return "it was deleted a moment ago";
    }
    if (c->needs & NEED_WRITE) {
        const char *why = app_why_not_write(app);

        if (why)
            return why;
    }
    return c->refuse ? c->refuse(app) : NULL;
}

void command_run(struct app *app, const struct console_command *c, const char *arg)
{
    const char *why = command_refusal(app, c);

    if (why) {
        app_flash(app, ROLE_WARN, "%s: %s", c->name, why);
        return;
    }
    /* Undo is no action of its own kind: repeated it takes back the change before. */
    if ((c->needs & NEED_WRITE) && c->run != cmd_undo && c->run != cmd_repeat) {
        app->repeat = c;
        app_repeat_with(app, arg ? arg : "");
    }
    c->run(app, arg ? arg : "");
}

struct key_list {
    struct buf *out;
    bool first_only;
};

static bool add_key(const char *name, void *arg)
{
    struct key_list *list = arg;

    buf_addf(list->out, "%s%s", list->out->len ? " " : "", str_eq(name, "Space") ? "Spc" : name);
    return list->first_only;
}

void command_keys(const struct console_command *c, bool first_only, struct buf *out)
{
    struct key_list list = {.out = out, .first_only = first_only};

    buf_clear(out);
    each_key(c, add_key, &list);
}

static const struct {
    unsigned where;
    const char *title;
} places[] = {
    {IN_NODES, "List of nodes"},
    {IN_NODE, "One node"},
    {IN_ROUTES, "Routes by node, exit nodes"},
    {IN_PREFIXES, "Routes by prefix, several routers"},
    {IN_EVENTS, "Journal"},
    {IN_PENDING, "Registrations that wait"},
    {IN_USERS, "List of users"},
    {IN_KEYS, "Lists of keys"},
    {IN_POLICY, "Policy"},
    {IN_EDIT, "Policy, in its editor"},
    {IN_REVIEW, "Policy, before it is saved"},
};

static bool add_macro_key(const char *name, void *arg)
{
    struct buf *out = arg;

    /* In mdoc a backslash is written \e, and punctuation on its own would not be set as a word. */
    const char *between = out->data[out->len - 1] == ' ' ? "" : ", ";
    buf_addf(out, "%s%s%s", between, strlen(name) == 1 && ispunct((unsigned char)*name) ? "\\&" : "",
             str_eq(name, "\\") ? "\\e" : name);
    return false;
}

static void manual_item(const struct console_command *c, struct buf *out)
{
    buf_adds(out, ".It Sy ");
    if (*c->keys)
        each_key(c, add_macro_key, out);
    else
        buf_addf(out, "\\&:%s", c->name);
    buf_addf(out, "\n%s%s.\n", c->help,
             c->risk == RISK_TYPE  ? " (asks, and a word has to be typed)"
             : c->risk == RISK_ASK ? " (asks first)"
                                   : "");
}

static void manual_section(const char *title, unsigned where, bool everywhere, struct buf *out)
{
    buf_addf(out, ".Ss %s\n.Bl -tag -width Ds -compact\n", title);
    for (size_t i = 0; i < commands_count(); i++)
        if (everywhere ? (commands[i].where & IN_LISTS) == IN_LISTS
                       : (commands[i].where & where) && (commands[i].where & IN_LISTS) != IN_LISTS)
            manual_item(&commands[i], out);
    buf_adds(out, ".El\n");
}

void commands_manual(struct buf *out)
{
    buf_adds(out, ".Sh KEYS\n");
    manual_section("Everywhere", IN_ANY, true, out);
    for (size_t i = 0; i < ARRAY_LEN(places); i++)
        manual_section(places[i].title, places[i].where, false, out);
    buf_adds(out, ".Sh COMMANDS\nA colon opens the prompt; Tab and the right arrow take what is suggested.\n"
                  "A unique beginning of a name is enough.\n.Bl -tag -width Ds -compact\n");
    for (size_t i = 0; i < commands_count(); i++)
        buf_addf(out, ".It Ic %s%s%s\n%s.\n", commands[i].name, commands[i].args ? " " : "",
                 commands[i].args ? commands[i].args : "", commands[i].help);
    buf_adds(out, ".El\n");
}
