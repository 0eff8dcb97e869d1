/* SPDX-License-Identifier: BSD-3-Clause */
/* The views of the console in the order of their tabs, and the tables of commands. A new view is a file with its
 * descriptor and a row here. */
#include "console/application.h"
#include "console/commands/copy.h"
#include "console/commands/create.h"
#include "console/commands/export.h"
#include "console/commands/general.h"
#include "console/commands/list.h"
#include "console/commands/movement.h"
#include "console/commands/node_changes.h"
#include "console/commands/object_changes.h"
#include "console/commands/open.h"
#include "console/commands/prefix_settings.h"
#include "console/commands/route_changes.h"
#include "console/commands/undo.h"
#include "console/past/past.h"
#include "console/policy/policy_page.h"
#include "console/pulse/pulse.h"
#include "console/reach/reach.h"
#include "console/routes/routes.h"
#include "console/tailnet/changes.h"
#include "console/tailnet/dns.h"
#include "console/tailnet/logins.h"
#include "console/tailnet/webhooks.h"
#include "console/views/events.h"
#include "console/views/keys.h"
#include "console/views/node.h"
#include "console/views/nodes.h"
#include "console/views/pending.h"
#include "console/views/users.h"

static const struct console_view *const views[] = {
    &nodes_view, /* the initial view */
    &routes_view, &reach_view, &policy_view,   &events_view, &users_view,       &keys_view,         &pending_view,
    &pulse_view,  &node_view,  &webhooks_view, &dns_view,    &past_policy_view, &past_unknown_view,
};

static const struct command_table *const commands[] = {
    &policy_version_commands,
    &policy_merge_commands,
    &policy_typing_commands,
    &movement_commands,
    &open_commands,
    &route_change_commands,
    &prefix_settings_commands,
    &object_change_commands,
    &node_change_commands,
    &create_commands,
    &tailnet_change_commands,
    &login_commands,
    &undo_commands,
    &list_commands,
    &copy_commands,
    &export_commands,
    &general_commands,
};

const struct console_tables console_tables = {
    .views = views,
    .view_count = sizeof(views) / sizeof(*views),
    .commands = commands,
    .command_tables = sizeof(commands) / sizeof(*commands),
};
