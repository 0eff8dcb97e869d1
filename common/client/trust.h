/* SPDX-License-Identifier: BSD-3-Clause */
/* The trusted certificates; private to this room. */
#ifndef CLIENT_TRUST_H
#define CLIENT_TRUST_H

#include <curl/curl.h>
#include <stdlib.h>

/* Uses SSL_CERT_FILE and SSL_CERT_DIR, where an organisation keeps its own certificate authorities. Programs that use
 * OpenSSL and those written in Go, such as headscale, read them; libcurl does not by default. */
static inline void client_trust(CURL *easy)
{
    const char *file = getenv("SSL_CERT_FILE"), *folder = getenv("SSL_CERT_DIR");

    if (file && *file)
        curl_easy_setopt(easy, CURLOPT_CAINFO, file);
    if (folder && *folder)
        curl_easy_setopt(easy, CURLOPT_CAPATH, folder);
}

#endif
