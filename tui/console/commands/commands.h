/* SPDX-License-Identifier: BSD-3-Clause */
/* The functions behind the table of commands. */
#ifndef TUI_CONSOLE_COMMANDS_COMMANDS_H
#define TUI_CONSOLE_COMMANDS_COMMANDS_H

#include "console/app/app.h"

/* movement.c */
void cmd_down(struct app *app, const char *arg);
void cmd_up(struct app *app, const char *arg);
void cmd_first(struct app *app, const char *arg);
void cmd_last_row(struct app *app, const char *arg);
void cmd_half_down(struct app *app, const char *arg);
void cmd_half_up(struct app *app, const char *arg);
void cmd_page_down(struct app *app, const char *arg);
void cmd_page_up(struct app *app, const char *arg);
void cmd_fold(struct app *app, const char *arg);
void cmd_unfold(struct app *app, const char *arg);
void cmd_open(struct app *app, const char *arg);
void cmd_escape(struct app *app, const char *arg);
void cmd_close(struct app *app, const char *arg);
void cmd_next_sub(struct app *app, const char *arg);
void cmd_previous_sub(struct app *app, const char *arg);
void cmd_nodes(struct app *app, const char *arg);
void cmd_routes(struct app *app, const char *arg);
void cmd_events(struct app *app, const char *arg);
void cmd_users(struct app *app, const char *arg);
void cmd_keys(struct app *app, const char *arg);
void cmd_pending(struct app *app, const char *arg);
void cmd_node(struct app *app, const char *arg);
void cmd_last_view(struct app *app, const char *arg);
void cmd_back(struct app *app, const char *arg);
void cmd_forward(struct app *app, const char *arg);
void cmd_routes_of(struct app *app, const char *arg);
void cmd_events_of(struct app *app, const char *arg);

/* list.c */
void cmd_filter(struct app *app, const char *arg);
void cmd_narrow(struct app *app, const char *arg);
void cmd_sort(struct app *app, const char *arg);
void cmd_reverse(struct app *app, const char *arg);
void cmd_mark(struct app *app, const char *arg);
void cmd_range(struct app *app, const char *arg);
void cmd_invert(struct app *app, const char *arg);
void cmd_mark_by(struct app *app, const char *arg);
void cmd_clear_marks(struct app *app, const char *arg);
void cmd_prompt(struct app *app, const char *arg);
void cmd_help(struct app *app, const char *arg);
void cmd_why(struct app *app, const char *arg);
void cmd_peek(struct app *app, const char *arg);
void cmd_freeze(struct app *app, const char *arg);
void cmd_follow(struct app *app, const char *arg);
void cmd_messages(struct app *app, const char *arg);
void cmd_server(struct app *app, const char *arg);
void cmd_set(struct app *app, const char *arg);
void cmd_retry(struct app *app, const char *arg);
void cmd_repaint(struct app *app, const char *arg);
void cmd_suspend(struct app *app, const char *arg);
void cmd_quit(struct app *app, const char *arg);
void cmd_plan(struct app *app, const char *arg);

/* route_changes.c */
void cmd_approve(struct app *app, const char *arg);
void cmd_approve_all(struct app *app, const char *arg);
void cmd_revoke(struct app *app, const char *arg);
void cmd_primary(struct app *app, const char *arg);
void cmd_undo(struct app *app, const char *arg);
void cmd_repeat(struct app *app, const char *arg);
const char *refuse_approve(struct app *app);
const char *refuse_revoke(struct app *app);
const char *refuse_primary(struct app *app);
const char *refuse_undo(struct app *app);
const char *refuse_repeat(struct app *app);

/* object_changes.c */
const char *row_label(const struct row *row);
const char *row_path(enum row_kind kind); /* its place below /api/headway; NULL: none of its own */
uint64_t row_version(const struct row *row);
/* The rows that an action of a whole object is for; the open node where there is no list. */
void whole_targets(struct app *app, struct rows *out);
void cmd_expire(struct app *app, const char *arg);
void cmd_rename(struct app *app, const char *arg);
void cmd_delete(struct app *app, const char *arg);
void cmd_reject(struct app *app, const char *arg);
void cmd_admit(struct app *app, const char *arg);

/* node_changes.c */
void cmd_tags(struct app *app, const char *arg);
void cmd_drain(struct app *app, const char *arg);
const char *refuse_tags(struct app *app);
const char *refuse_drain(struct app *app);

/* column_chooser.c */
void cmd_columns(struct app *app, const char *arg);

/* copy.c */
void cmd_copy(struct app *app, const char *arg);

/* create.c */
void cmd_new(struct app *app, const char *arg);

/* policy_commands.c and policy_questions.c */
void cmd_policy(struct app *app, const char *arg);
void cmd_edit(struct app *app, const char *arg);
void cmd_edit_again(struct app *app, const char *arg);
void cmd_leave_editor(struct app *app, const char *arg);
void cmd_editor_undo(struct app *app, const char *arg);
void cmd_editor_redo(struct app *app, const char *arg);
void cmd_outside(struct app *app, const char *arg);
void cmd_find(struct app *app, const char *arg);
void cmd_find_next(struct app *app, const char *arg);
void cmd_find_previous(struct app *app, const char *arg);
void cmd_go_line(struct app *app, const char *arg);
void cmd_next_problem(struct app *app, const char *arg);
void cmd_review(struct app *app, const char *arg);
void cmd_save(struct app *app, const char *arg);
void cmd_pane(struct app *app, const char *arg);
void cmd_adopt(struct app *app, const char *arg);
void cmd_revert(struct app *app, const char *arg);
void cmd_explain(struct app *app, const char *arg);
const char *refuse_edit(struct app *app);
const char *refuse_review(struct app *app);
const char *refuse_save(struct app *app);
const char *refuse_adopt(struct app *app);
const char *refuse_revert(struct app *app);

#endif
