/* SPDX-License-Identifier: BSD-3-Clause */
/* Users and the providers that know them. */
#ifndef SERVER_CORE_ADMIN_LOGIN_H
#define SERVER_CORE_ADMIN_LOGIN_H

#include "core/core.h"

void login_run(struct core_state *s, struct core_call *call);
/* At start: groups of providers that are no longer configured end. */
void logins_forget(struct core_state *s);
/* Whom the provider calls so; NULL: nobody. An issuer's slash at its end makes no difference. */
const struct identity *identity_find(struct core_state *s, const char *provider, const char *issuer,
                                     const char *subject);
/* The user is found by this identity from now on even without it, or is not found any more. */
void identity_name_user(struct core_state *s, const struct identity *i, struct user *u, bool named);
/* With their identities, the groups that came by them, or all of them where identity is NULL. */
void identities_remove(struct core_state *s, uint64_t user_id);
struct identity *identity_make(struct core_state *s, uint64_t user_id, const char *provider, const char *issuer,
                               const char *subject);
/* The groups of the user without those of the provider. */
void groups_drop(struct strs *groups, const char *provider);

#endif
