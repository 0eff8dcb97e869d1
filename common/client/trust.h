/* SPDX-License-Identifier: BSD-3-Clause */
/* Which certificates are believed, of this room only. */
#ifndef CLIENT_TRUST_H
#define CLIENT_TRUST_H

#include <curl/curl.h>
#include <stdlib.h>

/* Where an organisation keeps its own authorities: SSL_CERT_FILE and SSL_CERT_DIR, which programs with OpenSSL and
 * those written in Go, headscale among them, look at; libcurl does not by itself. */
static inline void client_trust(CURL *easy)
{
    const char *file = getenv("SSL_CERT_FILE"), *folder = getenv("SSL_CERT_DIR");

    if (file && *file)
        curl_easy_setopt(easy, CURLOPT_CAINFO, file);
    if (folder && *folder)
        curl_easy_setopt(easy, CURLOPT_CAPATH, folder);
}

#endif
