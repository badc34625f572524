#include "redis/tls.h"

#include <arpa/inet.h>
#include <errno.h>
#include <limits.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include <bulwark/thread.h>

#include "base/alloc.h"

struct bw_tls {
    struct bw_tls *next;
    unsigned holders;
    char *ca_file; /* NULL: the system's */
    SSL_CTX *context;
};

struct bw_tls_session {
    SSL *ssl;
    bool wants_write;
    bool failed; /* then OpenSSL forbids even a farewell */
    bool up;
};

/* The text of what OpenSSL noted last; its queue is emptied. */
static int tls_failed(struct bw_error *err, int code, const char *what)
{
    unsigned long number = ERR_get_error();
    const char *reason = ERR_reason_error_string(number);

    ERR_clear_error();
    return bw_error_set(err, code, "%s: %s", what,
                        reason != NULL ? reason : "the peer hung up");
}

/* --- the socket under OpenSSL: as its own, but a closed peer raises no SIGPIPE */

static int socket_write(BIO *bio, const char *data, int len)
{
    int fd = (int)(intptr_t)BIO_get_data(bio);
    ssize_t put = send(fd, data, (size_t)len, MSG_NOSIGNAL);

    BIO_clear_retry_flags(bio);
    if (put < 0 && (errno == EAGAIN || errno == EINTR))
        BIO_set_retry_write(bio);
    return (int)put;
}

static int socket_read(BIO *bio, char *data, int len)
{
    int fd = (int)(intptr_t)BIO_get_data(bio);
    ssize_t got = recv(fd, data, (size_t)len, 0);

    BIO_clear_retry_flags(bio);
    if (got < 0 && (errno == EAGAIN || errno == EINTR))
        BIO_set_retry_read(bio);
    return (int)got;
}

static long socket_ctrl(BIO *bio, int command, long number, void *pointer)
{
    (void)bio;
    (void)number;
    (void)pointer;
    return command == BIO_CTRL_FLUSH || command == BIO_CTRL_DUP ? 1 : 0;
}

static pthread_once_t method_once = PTHREAD_ONCE_INIT;
static BIO_METHOD *method; /* lives as long as the process; NULL: no memory for it */

static void free_method(void)
{
    BIO_meth_free(method);
}

static void make_method(void)
{
    int type = BIO_get_new_index();

    method =
        type != -1 ? BIO_meth_new(type | BIO_TYPE_SOURCE_SINK, "bulwark socket") : NULL;
    if (method == NULL)
        return;
    (void)BIO_meth_set_write(method, socket_write); /* these only store a pointer */
    (void)BIO_meth_set_read(method, socket_read);
    (void)BIO_meth_set_ctrl(method, socket_ctrl);
    OPENSSL_atexit(free_method);
}

static BIO *socket_bio(int fd)
{
    BIO *bio;

    bw_thread_check(pthread_once(&method_once, make_method), "pthread_once");
    bio = method != NULL ? BIO_new(method) : NULL;
    if (bio == NULL)
        return NULL;
    BIO_set_data(bio, (void *)(intptr_t)fd);
    BIO_set_init(bio, 1);
    return bio;
}

/* --- contexts */

static struct bw_mutex contexts_mtx = {
    PTHREAD_MUTEX_INITIALIZER
}; /* guards contexts and holders */
static struct bw_tls *contexts;

static bool same_file(const char *a, const char *b)
{
    return a == NULL || b == NULL ? a == b : strcmp(a, b) == 0;
}

static int trust(SSL_CTX *context, const char *ca_file, struct bw_error *err)
{
    if (ca_file == NULL) {
        if (SSL_CTX_set_default_verify_paths(context) == 1)
            return BW_OK;
        return tls_failed(err, BW_ESYSTEM, "the system's certificates");
    }
    if (SSL_CTX_load_verify_locations(context, ca_file, NULL) == 1)
        return BW_OK;
    (void)tls_failed(err, BW_EINVAL, "certificates");
    return bw_error_prefix(err, "%s", ca_file);
}

static void tls_free(struct bw_tls *tls)
{
    SSL_CTX_free(tls->context);
    free(tls->ca_file);
    free(tls);
}

static int tls_create(struct bw_tls **tlsp, const char *ca_file, struct bw_error *err)
{
    struct bw_tls *tls = bw_calloc(1, sizeof *tls);
    int rc;

    if (tls == NULL)
        return bw_error_set(err, BW_ENOMEM, "out of memory");
    tls->context = SSL_CTX_new(TLS_client_method());
    if (ca_file != NULL)
        tls->ca_file = bw_strdup(ca_file);
    if (tls->context == NULL || (ca_file != NULL && tls->ca_file == NULL)) {
        tls_free(tls);
        return bw_error_set(err, BW_ENOMEM, "out of memory");
    }
    SSL_CTX_set_verify(tls->context, SSL_VERIFY_PEER, NULL);
    (void)SSL_CTX_set_mode(tls->context, SSL_MODE_ENABLE_PARTIAL_WRITE |
                                             SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER |
                                             SSL_MODE_RELEASE_BUFFERS);
    if (SSL_CTX_set_min_proto_version(tls->context, TLS1_2_VERSION) != 1)
        rc = tls_failed(err, BW_ESYSTEM, "TLS");
    else
        rc = trust(tls->context, ca_file, err);
    if (rc != BW_OK) {
        tls_free(tls);
        return rc;
    }
    *tlsp = tls;
    return BW_OK;
}

static struct bw_tls *find_context(const char *ca_file)
{
    struct bw_tls *tls = contexts;

    while (tls != NULL && !same_file(tls->ca_file, ca_file))
        tls = tls->next;
    return tls;
}

int bw_tls_get(struct bw_tls **tlsp, const char *ca_file, struct bw_error *err)
{
    struct bw_tls *tls;
    int rc = BW_OK;

    bw_mutex_lock(&contexts_mtx);
    tls = find_context(ca_file);
    if (tls == NULL) {
        rc = tls_create(&tls, ca_file, err);
        if (rc == BW_OK) {
            tls->next = contexts;
            contexts = tls;
        }
    }
    if (rc == BW_OK) {
        tls->holders++;
        *tlsp = tls;
    }
    bw_mutex_unlock(&contexts_mtx);
    return rc;
}

void bw_tls_put(struct bw_tls **tlsp)
{
    struct bw_tls *tls = *tlsp, **at = &contexts;

    if (tls == NULL)
        return;
    *tlsp = NULL;
    bw_mutex_lock(&contexts_mtx);
    if (--tls->holders == 0) {
        while (*at != tls)
            at = &(*at)->next;
        *at = tls->next;
        tls_free(tls);
    }
    bw_mutex_unlock(&contexts_mtx);
}

/* --- sessions */

static bool is_address(const char *host)
{
    struct in6_addr space;

    return inet_pton(AF_INET, host, &space) == 1 ||
           inet_pton(AF_INET6, host, &space) == 1;
}

static bool expect_host(SSL *ssl, const char *host)
{
    if (is_address(host))
        return X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(ssl), host) == 1;
    return SSL_set1_host(ssl, host) == 1 && SSL_set_tlsext_host_name(ssl, host) == 1;
}

int bw_tls_session_create(struct bw_tls_session **sessionp, struct bw_tls *tls, int fd,
                          const char *host, struct bw_error *err)
{
    struct bw_tls_session *session = bw_calloc(1, sizeof *session);
    BIO *bio;

    if (session == NULL)
        return bw_error_set(err, BW_ENOMEM, "out of memory");
    session->ssl = SSL_new(tls->context);
    bio = session->ssl != NULL ? socket_bio(fd) : NULL;
    if (bio != NULL)
        SSL_set_bio(session->ssl, bio, bio); /* takes it */
    if (bio == NULL || !expect_host(session->ssl, host)) {
        bw_tls_session_destroy(&session);
        return tls_failed(err, BW_ENOMEM, "TLS");
    }
    SSL_set_connect_state(session->ssl);
    *sessionp = session;
    return BW_OK;
}

void bw_tls_session_destroy(struct bw_tls_session **sessionp)
{
    struct bw_tls_session *session = *sessionp;

    if (session == NULL)
        return;
    *sessionp = NULL;
    if (session->ssl != NULL && session->up && !session->failed)
        (void)SSL_shutdown(session->ssl); /* a farewell; nobody waits for the answer */
    ERR_clear_error();
    SSL_free(session->ssl);
    free(session);
}

/* What a call that did not succeed means: BW_OK to wait, or the failure. */
static int judge(struct bw_tls_session *session, int result, struct bw_error *err)
{
    long verdict;

    session->wants_write = false;
    switch (SSL_get_error(session->ssl, result)) {
    case SSL_ERROR_WANT_READ:
        return BW_OK;
    case SSL_ERROR_WANT_WRITE:
        session->wants_write = true;
        return BW_OK;
    case SSL_ERROR_ZERO_RETURN:
        return bw_error_set(err, BW_EIO, "Redis closed the connection");
    default:
        break;
    }
    session->failed = true;
    verdict = SSL_get_verify_result(session->ssl);
    if (verdict != X509_V_OK) {
        ERR_clear_error();
        return bw_error_set(err, BW_EIO, "the server's certificate is refused: %s",
                            X509_verify_cert_error_string(verdict));
    }
    return tls_failed(err, BW_EIO, "TLS");
}

int bw_tls_handshake(struct bw_tls_session *session, bool *done, struct bw_error *err)
{
    int result;

    ERR_clear_error();
    result = SSL_do_handshake(session->ssl);
    *done = session->up = result == 1;
    session->wants_write = false;
    return *done ? BW_OK : judge(session, result, err);
}

int bw_tls_read(struct bw_tls_session *session, void *data, size_t cap, size_t *got,
                struct bw_error *err)
{
    int result;

    ERR_clear_error();
    result = SSL_read_ex(session->ssl, data, cap, got);
    session->wants_write = false;
    if (result == 1)
        return BW_OK;
    *got = 0;
    return judge(session, result, err);
}

int bw_tls_write(struct bw_tls_session *session, const void *data, size_t len,
                 size_t *put, struct bw_error *err)
{
    int result;

    ERR_clear_error();
    result = SSL_write_ex(session->ssl, data, len, put);
    session->wants_write = false;
    if (result == 1)
        return BW_OK;
    *put = 0;
    return judge(session, result, err);
}

bool bw_tls_wants_write(const struct bw_tls_session *session)
{
    return session->wants_write;
}
