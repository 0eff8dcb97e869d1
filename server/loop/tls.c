/* SPDX-License-Identifier: BSD-3-Clause */
/* Certificates: from files that may change, or made by the caller and selected by the name that the client asks for. */
#include <errno.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <openssl/err.h>
#include <openssl/pem.h>

#include "base/mem.h"
#include "base/str.h"
#include "base/vec.h"
#include "loop/wire.h"

struct named {
    char *name; /* "" for the first */
    SSL_CTX *ctx;
};

/* Distinguishes one version of a file from the next. */
struct print {
    ino_t inode;
    off_t size;
    struct timespec changed;
};

struct loop_tls {
    atomic_uint refs;
    pthread_mutex_t lock; /* protects certs, challenge and prints */
    VEC(struct named) certs;
    struct named challenge;     /* ctx NULL: none */
    char *cert_path, *key_path; /* NULL for certificates made by the caller */
    bool client;                /* for the client's side */
    struct print prints[2];
};

const char *loop_tls_reason(void)
{
    unsigned long code = ERR_get_error();
    const char *why = ERR_SYSTEM_ERROR(code) ? strerrordesc_np(ERR_GET_REASON(code)) : ERR_reason_error_string(code);

    ERR_clear_error();
    return why ? why : "no reason is known";
}

static int refuse(struct err *e, const char *what)
{
    return err_set(e, ERR_INVALID, "%s: %s", what, loop_tls_reason());
}

/* Only HTTP/1.1 is supported; without this answer Go's client could assume HTTP/2. */
static int choose_protocol(SSL *ssl, const unsigned char **out, unsigned char *out_len, const unsigned char *in,
                           unsigned int in_len, void *arg)
{
    static const unsigned char offered[] = "\x08http/1.1";

    (void)ssl;
    (void)arg;
    if (SSL_select_next_proto((unsigned char **)(uintptr_t)out, out_len, offered, sizeof(offered) - 1, in, in_len) !=
        OPENSSL_NPN_NEGOTIATED)
        return SSL_TLSEXT_ERR_NOACK;
    return SSL_TLSEXT_ERR_OK;
}

static int choose_certificate(SSL *ssl, int *alert, void *arg)
{
    struct loop_tls *tls = arg;
    const char *name = SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name);

    (void)alert;
    if (!name)
        return SSL_TLSEXT_ERR_NOACK;
    pthread_mutex_lock(&tls->lock);
    for (size_t i = 0; i < tls->certs.len; i++)
        if (tls->certs.items[i].name[0] && strcasecmp(tls->certs.items[i].name, name) == 0) {
            SSL_set_SSL_CTX(ssl, tls->certs.items[i].ctx);
            break;
        }
    pthread_mutex_unlock(&tls->lock);
    return SSL_TLSEXT_ERR_OK;
}

/* ---- the challenge of an authority (RFC 8737) ---- */

/* The extension that a validating authority sends: this protocol alone. */
static const unsigned char acme_protocols[] = "\x00\x0b\x0a"
                                              "acme-tls/1";
#define ACME_NAME_AT  3
#define ACME_NAME_LEN (sizeof(acme_protocols) - 1 - ACME_NAME_AT)

static int choose_acme(SSL *ssl, const unsigned char **out, unsigned char *out_len, const unsigned char *in,
                       unsigned int in_len, void *arg)
{
    (void)ssl;
    (void)in;
    (void)in_len;
    (void)arg;
    *out = acme_protocols + ACME_NAME_AT;
    *out_len = ACME_NAME_LEN;
    return SSL_TLSEXT_ERR_OK;
}

static int keep_certificate(SSL *ssl, int *alert, void *arg)
{
    (void)ssl;
    (void)alert;
    (void)arg;
    return SSL_TLSEXT_ERR_OK;
}

/* Whether the extension server_name holds this host name and nothing else. */
static bool asks_for(SSL *ssl, const char *name)
{
    const unsigned char *x;
    size_t len, name_len = strlen(name);

    return SSL_client_hello_get0_ext(ssl, TLSEXT_TYPE_server_name, &x, &len) == 1 && len == 5 + name_len && x[2] == 0 &&
           (size_t)(x[3] << 8 | x[4]) == name_len && strncasecmp((const char *)x + 5, name, name_len) == 0;
}

/* Before anything is chosen: when protocols are chosen, the certificate can no longer be changed. */
static int look_for_challenge(SSL *ssl, int *alert, void *arg)
{
    struct loop_tls *tls = arg;
    const unsigned char *x;
    size_t len;

    (void)alert;
    if (SSL_client_hello_get0_ext(ssl, TLSEXT_TYPE_application_layer_protocol_negotiation, &x, &len) != 1 ||
        len != sizeof(acme_protocols) - 1 || memcmp(x, acme_protocols, len) != 0)
        return SSL_CLIENT_HELLO_SUCCESS;
    pthread_mutex_lock(&tls->lock);
    if (tls->challenge.ctx && asks_for(ssl, tls->challenge.name))
        SSL_set_SSL_CTX(ssl, tls->challenge.ctx);
    pthread_mutex_unlock(&tls->lock);
    return SSL_CLIENT_HELLO_SUCCESS;
}

bool loop_tls_is_challenge(const SSL *ssl)
{
    const unsigned char *name;
    unsigned len;

    SSL_get0_alpn_selected(ssl, &name, &len);
    return len == ACME_NAME_LEN && memcmp(name, acme_protocols + ACME_NAME_AT, len) == 0 && SSL_is_init_finished(ssl);
}

/* ---- certificates ---- */

static SSL_CTX *new_ctx(struct loop_tls *tls, struct err *e)
{
    SSL_CTX *ctx = SSL_CTX_new(TLS_server_method());

    if (!ctx) {
        refuse(e, "cannot use TLS");
        return NULL;
    }
    SSL_CTX_set_min_proto_version(ctx, TLS1_2_VERSION);
    SSL_CTX_set_options(ctx, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION | SSL_OP_CIPHER_SERVER_PREFERENCE |
                                 SSL_OP_IGNORE_UNEXPECTED_EOF | SSL_OP_NO_TICKET | SSL_OP_PRIORITIZE_CHACHA);
    /* Thousands of connections idle for days: no sessions are kept, nor buffers: the stream frees them after each of
     * its operations (SSL_MODE_RELEASE_BUFFERS would free and allocate them for each record). */
    SSL_CTX_set_mode(ctx, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
    SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_OFF);
    SSL_CTX_set_num_tickets(ctx, 0);
    /* The traffic is other nodes' tunnels, encrypted already: the cheaper AES key size first, and ChaCha20 for clients
     * without AES in hardware. */
    SSL_CTX_set_ciphersuites(ctx, "TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256");
    SSL_CTX_set_alpn_select_cb(ctx, choose_protocol, NULL);
    SSL_CTX_set_tlsext_servername_callback(ctx, choose_certificate);
    SSL_CTX_set_tlsext_servername_arg(ctx, tls);
    SSL_CTX_set_client_hello_cb(ctx, look_for_challenge, tls);
    return ctx;
}

static char no_passphrase[] = ""; /* no one is there to type one */

static int use_pem(SSL_CTX *ctx, const char *cert_pem, const char *key_pem, struct err *e)
{
    BIO *certs = BIO_new_mem_buf(cert_pem, -1), *keys = BIO_new_mem_buf(key_pem, -1);
    X509 *cert = PEM_read_bio_X509(certs, NULL, NULL, NULL);
    EVP_PKEY *key = PEM_read_bio_PrivateKey(keys, NULL, NULL, no_passphrase);
    int rc = 0;

    if (!cert || SSL_CTX_use_certificate(ctx, cert) != 1)
        rc = refuse(e, "the certificate cannot be used");
    else if (!key || SSL_CTX_use_PrivateKey(ctx, key) != 1)
        rc = refuse(e, "the private key cannot be used with the certificate");
    X509_free(cert);
    EVP_PKEY_free(key);
    while (!rc && (cert = PEM_read_bio_X509(certs, NULL, NULL, NULL)))
        if (SSL_CTX_add0_chain_cert(ctx, cert) != 1) {
            X509_free(cert);
            rc = refuse(e, "a certificate of the chain cannot be used");
        }
    ERR_clear_error(); /* the end of the chain is reported as an error */
    BIO_free(certs);
    BIO_free(keys);
    return rc;
}

static struct loop_tls *tls_alloc(void)
{
    struct loop_tls *tls = mem_alloc(sizeof(*tls));

    atomic_init(&tls->refs, 1);
    pthread_mutex_init(&tls->lock, NULL);
    return tls;
}

int loop_tls_add_pem(struct loop_tls *tls, const char *name, const char *cert_pem, const char *key_pem, struct err *e)
{
    SSL_CTX *ctx = new_ctx(tls, e), *old = NULL;

    if (!ctx)
        return ERR_INTERNAL;
    int rc = use_pem(ctx, cert_pem, key_pem, e);
    if (rc < 0) {
        SSL_CTX_free(ctx);
        return rc;
    }
    pthread_mutex_lock(&tls->lock);
    size_t i = 0;
    while (i < tls->certs.len && strcasecmp(tls->certs.items[i].name, name) != 0)
        i++;
    if (i < tls->certs.len) {
        old = tls->certs.items[i].ctx;
        tls->certs.items[i].ctx = ctx;
    } else {
        vec_push(&tls->certs, ((struct named){mem_strdup(name), ctx}));
    }
    pthread_mutex_unlock(&tls->lock);
    SSL_CTX_free(old);
    return 0;
}

static void replace_challenge(struct loop_tls *tls, struct named fresh)
{
    pthread_mutex_lock(&tls->lock);
    struct named old = tls->challenge;
    tls->challenge = fresh;
    pthread_mutex_unlock(&tls->lock);
    free(old.name);
    SSL_CTX_free(old.ctx);
}

int loop_tls_set_challenge(struct loop_tls *tls, const char *name, const char *pem, struct err *e)
{
    SSL_CTX *ctx = new_ctx(tls, e);
    int rc = ctx ? use_pem(ctx, pem, pem, e) : ERR_INTERNAL;

    if (rc < 0) {
        SSL_CTX_free(ctx);
        return rc;
    }
    SSL_CTX_set_alpn_select_cb(ctx, choose_acme, NULL);
    SSL_CTX_set_tlsext_servername_callback(ctx, keep_certificate);
    replace_challenge(tls, (struct named){mem_strdup(name), ctx});
    return 0;
}

void loop_tls_clear_challenge(struct loop_tls *tls)
{
    replace_challenge(tls, (struct named){0});
}

struct loop_tls *loop_tls_new_pem(const char *cert_pem, const char *key_pem, struct err *e)
{
    struct loop_tls *tls = tls_alloc();

    if (loop_tls_add_pem(tls, "", cert_pem, key_pem, e) == 0)
        return tls;
    loop_tls_free(tls);
    return NULL;
}

static int take_print(const char *path, struct print *out, struct err *e)
{
    struct stat st;

    if (stat(path, &st) < 0)
        return err_set(e, ERR_IO, "%s: %s", path, strerror(errno));
    *out = (struct print){st.st_ino, st.st_size, st.st_mtim};
    return 0;
}

static bool same_print(const struct print *a, const struct print *b)
{
    return a->inode == b->inode && a->size == b->size && a->changed.tv_sec == b->changed.tv_sec &&
           a->changed.tv_nsec == b->changed.tv_nsec;
}

static int refuse_key(const struct loop_tls *tls, struct err *e)
{
    unsigned long code = ERR_peek_error();
    bool other = ERR_GET_LIB(code) == ERR_LIB_X509 && ERR_GET_REASON(code) == X509_R_KEY_VALUES_MISMATCH;
    const char *why = loop_tls_reason();

    return other ? err_field(e, ERR_INVALID, "tls_key_path", "%s is not the private key of the certificate in %s",
                             tls->key_path, tls->cert_path)
                 : err_field(e, ERR_INVALID, "tls_key_path", "%s: no private key in PEM form can be read from it: %s",
                             tls->key_path, why);
}

static int load_files(struct loop_tls *tls, SSL_CTX **out, struct err *e)
{
    SSL_CTX *ctx = new_ctx(tls, e);
    int rc = ctx ? 0 : ERR_INTERNAL;

    if (!rc && SSL_CTX_use_certificate_chain_file(ctx, tls->cert_path) != 1)
        rc = err_field(e, ERR_INVALID, "tls_cert_path", "%s: no certificate in PEM form can be read from it: %s",
                       tls->cert_path, loop_tls_reason());
    if (!rc && SSL_CTX_use_PrivateKey_file(ctx, tls->key_path, SSL_FILETYPE_PEM) != 1)
        rc = refuse_key(tls, e);
    if (rc) {
        SSL_CTX_free(ctx);
        return rc;
    }
    *out = ctx;
    return 0;
}

int loop_tls_refresh(struct loop_tls *tls, struct err *e)
{
    struct print now[2];
    SSL_CTX *ctx = NULL;

    if (!tls->cert_path)
        return 0;
    if (take_print(tls->cert_path, &now[0], e) < 0 || take_print(tls->key_path, &now[1], e) < 0)
        return ERR_IO;
    pthread_mutex_lock(&tls->lock);
    bool same = same_print(&now[0], &tls->prints[0]) && same_print(&now[1], &tls->prints[1]);
    /* Remembered before the attempt: a broken pair is reported once, not at every check. */
    memcpy(tls->prints, now, sizeof(now));
    pthread_mutex_unlock(&tls->lock);
    if (same)
        return 0;
    int rc = load_files(tls, &ctx, e);
    if (rc < 0)
        return rc;
    pthread_mutex_lock(&tls->lock);
    if (!tls->certs.len)
        vec_push(&tls->certs, ((struct named){mem_strdup(""), NULL}));
    SSL_CTX *old = tls->certs.items[0].ctx;
    tls->certs.items[0].ctx = ctx;
    pthread_mutex_unlock(&tls->lock);
    SSL_CTX_free(old);
    return 1;
}

struct loop_tls *loop_tls_new(const char *cert_path, const char *key_path, struct err *e)
{
    struct loop_tls *tls = tls_alloc();

    tls->cert_path = mem_strdup(cert_path);
    tls->key_path = mem_strdup(key_path);
    if (loop_tls_refresh(tls, e) == 1)
        return tls;
    loop_tls_free(tls);
    return NULL;
}

static int64_t seconds_of(const ASN1_TIME *t)
{
    struct tm when;

    return ASN1_TIME_to_tm(t, &when) == 1 ? timegm(&when) : 0;
}

void loop_tls_validity(struct loop_tls *tls, int64_t *begins, int64_t *ends)
{
    *begins = *ends = 0;
    pthread_mutex_lock(&tls->lock);
    const X509 *cert = tls->certs.len ? SSL_CTX_get0_certificate(tls->certs.items[0].ctx) : NULL;
    if (cert) {
        *begins = seconds_of(X509_get0_notBefore(cert));
        *ends = seconds_of(X509_get0_notAfter(cert));
    }
    pthread_mutex_unlock(&tls->lock);
}

struct loop_tls *loop_tls_new_client(struct err *e)
{
    struct loop_tls *tls = tls_alloc();
    SSL_CTX *ctx = SSL_CTX_new(TLS_client_method());

    if (!ctx) {
        refuse(e, "cannot use TLS");
        loop_tls_free(tls);
        return NULL;
    }
    SSL_CTX_set_mode(ctx, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
    vec_push(&tls->certs, ((struct named){mem_strdup(""), ctx}));
    tls->client = true;
    return tls;
}

struct loop_tls *loop_tls_ref(struct loop_tls *tls)
{
    if (tls)
        atomic_fetch_add(&tls->refs, 1);
    return tls;
}

void loop_tls_unref(struct loop_tls *tls)
{
    if (!tls || atomic_fetch_sub(&tls->refs, 1) != 1)
        return;
    for (size_t i = 0; i < tls->certs.len; i++) {
        free(tls->certs.items[i].name);
        SSL_CTX_free(tls->certs.items[i].ctx);
    }
    vec_release(&tls->certs);
    free(tls->challenge.name);
    SSL_CTX_free(tls->challenge.ctx);
    pthread_mutex_destroy(&tls->lock);
    free(tls->cert_path);
    free(tls->key_path);
    free(tls);
}

void loop_tls_free(struct loop_tls *tls)
{
    loop_tls_unref(tls);
}

SSL *loop_tls_session(struct loop_tls *tls, struct loop_wire *wire, struct err *e)
{
    BIO *bio = loop_wire_bio(wire);

    pthread_mutex_lock(&tls->lock);
    SSL *ssl = SSL_new(tls->certs.items[0].ctx);
    pthread_mutex_unlock(&tls->lock);
    if (!ssl || !bio) {
        SSL_free(ssl);
        BIO_free(bio);
        refuse(e, "cannot start TLS");
        return NULL;
    }
    SSL_set_bio(ssl, bio, bio);
    if (tls->client)
        SSL_set_connect_state(ssl);
    else
        SSL_set_accept_state(ssl);
    return ssl;
}
