/* SPDX-License-Identifier: BSD-3-Clause */
/* The table of keys as text for people: the example file with all keys, and the middle part of headway.yaml(5). */
#ifndef TESTS_SHARED_CONFIG_PAGES_H
#define TESTS_SHARED_CONFIG_PAGES_H

#include "base/buf.h"

void config_example(struct buf *out);
void config_manual(struct buf *out);

#endif
