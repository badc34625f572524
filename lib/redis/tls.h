/* TLS for a connection to Redis: the only user of OpenSSL.
 *
 * A context holds the trusted certificates and is shared by all connections of the
 * process that name the same file; it is counted, any thread. A session belongs to one
 * connection's thread. */
#ifndef BW_REDIS_TLS_H
#define BW_REDIS_TLS_H

#include <stdbool.h>
#include <stddef.h>

#include <bulwark/error.h>

struct bw_tls;
struct bw_tls_session;

/* `ca_file` NULL: the system's certificates. BW_EINVAL: the file cannot be used. */
BW_MUSTCHECK int bw_tls_get(struct bw_tls **tlsp, const char *ca_file,
                            struct bw_error *err);
void bw_tls_put(struct bw_tls **tlsp);

/* Over the connected socket `fd`, which stays the caller's. The peer must prove to be
 * `host`, a name or an address. */
BW_MUSTCHECK int bw_tls_session_create(struct bw_tls_session **sessionp,
                                       struct bw_tls *tls, int fd, const char *host,
                                       struct bw_error *err);
void bw_tls_session_destroy(struct bw_tls_session **sessionp);

/* None blocks. `*done`, `*got` and `*put` stay false or 0 when the socket has to get
 * ready first. An end of the stream is BW_EIO. */
BW_MUSTCHECK int bw_tls_handshake(struct bw_tls_session *session, bool *done,
                                  struct bw_error *err);
BW_MUSTCHECK int bw_tls_read(struct bw_tls_session *session, void *data, size_t cap,
                             size_t *got, struct bw_error *err);
BW_MUSTCHECK int bw_tls_write(struct bw_tls_session *session, const void *data,
                              size_t len, size_t *put, struct bw_error *err);
/* True when the call that could not go on waits for room to send. */
bool bw_tls_wants_write(const struct bw_tls_session *session);

#endif
