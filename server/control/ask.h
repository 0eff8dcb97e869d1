/* SPDX-License-Identifier: BSD-3-Clause */
/* Questions to clients: sent in the node's map stream, answered by a post inside Noise. */
#ifndef SERVER_CONTROL_ASK_H
#define SERVER_CONTROL_ASK_H

#include "control/sessions.h"

void ask_stop(struct control *c); /* ends all open questions */

rpc_handler handle_answer;                       /* POST QUESTION_URL_PATH ID */
size_t ask_body_max(struct rpc *rpc, void *arg); /* rpc_server_options.body_max */

#endif
