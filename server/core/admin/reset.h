/* SPDX-License-Identifier: BSD-3-Clause */
/* Resetting members of settings to the configuration. */
#ifndef SERVER_CORE_ADMIN_RESET_H
#define SERVER_CORE_ADMIN_RESET_H

#include "core/core.h"

/* The i-th member of settings: its name, NULL after the last, and its bit. */
typedef const char *admin_member(size_t i, unsigned *bit);
/* Reads "reset", a list of such names, into out->reset; none of them may be in out->given. */
int admin_get_reset(const json_t *object, admin_member *member, struct core_admin *out, struct err *e) WARN_UNUSED;

#endif
