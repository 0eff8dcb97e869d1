/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef SERVER_RELAY_CALL_H
#define SERVER_RELAY_CALL_H

#include "loop/loop.h"

/* Runs run(arg) on a running loop and waits until it is done; from another thread. */
void call_on_loop(struct loop *l, void (*run)(void *arg), void *arg);

#endif
