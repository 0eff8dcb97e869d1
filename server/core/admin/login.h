/* SPDX-License-Identifier: BSD-3-Clause */
/* Users and their identities at providers. */
#ifndef SERVER_CORE_ADMIN_LOGIN_H
#define SERVER_CORE_ADMIN_LOGIN_H

#include "core/core.h"

void login_run(struct core_state *s, struct core_call *call);
/* At start: drops the groups of providers that are no longer configured. */
void logins_forget(struct core_state *s);
/* The identity of this name at the provider; NULL: none. A trailing slash of the issuer is ignored. */
const struct identity *identity_find(struct core_state *s, const char *provider, const char *issuer,
                                     const char *subject);
/* named: sets the user's provider_id to this identity if they have none; else clears it if it is this identity. */
void identity_name_user(struct core_state *s, const struct identity *i, struct user *u, bool named);
/* Removes them with the groups that came from them, or all of the user's if identity is NULL. */
void identities_remove(struct core_state *s, uint64_t user_id);
struct identity *identity_make(struct core_state *s, uint64_t user_id, const char *provider, const char *issuer,
                               const char *subject);
/* Removes the provider's groups from the user's. */
void groups_drop(struct strs *groups, const char *provider);

#endif
