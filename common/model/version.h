/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef COMMON_MODEL_VERSION_H
#define COMMON_MODEL_VERSION_H

extern const char *const headway_version; /* from git, or from the tarball: set by the Makefile */

#endif
