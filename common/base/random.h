/* SPDX-License-Identifier: BSD-3-Clause */
/* Random bytes from the kernel, suitable for keys. Never fails: the process stops if there are none. */
#ifndef COMMON_BASE_RANDOM_H
#define COMMON_BASE_RANDOM_H

#include <stddef.h>
#include <stdint.h>

void random_bytes(void *out, size_t len);
uint64_t random_below(uint64_t bound); /* uniform in [0, bound); 0 for bound 0 */

#endif
