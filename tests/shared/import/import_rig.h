/* SPDX-License-Identifier: BSD-3-Clause */
/* A folder with headscale's files, and the output of the import. */
#ifndef TESTS_SHARED_IMPORT_IMPORT_RIG_H
#define TESTS_SHARED_IMPORT_IMPORT_RIG_H

#include <sys/types.h>

#include "import/import.h"

#define IMPORT_NOISE "privkey:00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"

struct import_rig {
    char folder[64], database[96], noise[96], config[96], to[96], state[96], taken[128];
    char *out, *errors; /* of the last import */
};

/* For cmocka: *state is the rig. It has a key and a configuration, and no database yet. */
int import_rig_setup(void **state);
int import_rig_teardown(void **state);
void import_rig_write(const char *path, const char *text, mode_t mode);
void import_rig_config(struct import_rig *v, const char *more); /* more: lines to append to the minimal configuration */
int import_rig_run_with(struct import_rig *v, const struct import_options *o); /* returns the exit status */
int import_rig_run(struct import_rig *v);
void import_rig_must_run(struct import_rig *v);
void import_rig_must_say(const char *text, const char *part); /* fails the test if part is not in text */

#endif
