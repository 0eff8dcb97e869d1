/* SPDX-License-Identifier: BSD-3-Clause */
/* Certificates for tests. */
#ifndef TESTS_SHARED_TLS_FILES_H
#define TESTS_SHARED_TLS_FILES_H

/* Writes a new self-signed certificate for name and its key. Returns 0, or -1. */
int tls_files_write(const char *name, const char *cert_path, const char *key_path);

#endif
