/* SPDX-License-Identifier: BSD-3-Clause */
/* Random bytes of the kernel, good enough for keys. Never fails: without them the process stops. */
#ifndef COMMON_BASE_RANDOM_H
#define COMMON_BASE_RANDOM_H

#include <stddef.h>
#include <stdint.h>

void random_bytes(void *out, size_t len);
uint64_t random_below(uint64_t bound); /* uniform in [0, bound); 0 for bound 0 */

#endif
