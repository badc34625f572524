/* Does a server that does not answer TLS speak plain Redis? One that does waits for a
 * line which a TLS greeting never ends, so silence is all that TLS ever gets: it is asked
 * in plain, over a link of its own, with PING and nothing else. On the loop's thread. */
#ifndef BW_REDIS_PLAIN_PROBE_H
#define BW_REDIS_PLAIN_PROBE_H

#include <sys/socket.h>

struct bw_loop;
struct bw_plain_probe;

/* `found` is called once the server has answered as Redis does, and never otherwise; it
 * may end the probe. NULL: it cannot be asked. */
struct bw_plain_probe *bw_plain_probe_start(struct bw_loop *loop,
                                            const struct sockaddr_storage *address,
                                            socklen_t len, void (*found)(void *arg),
                                            void *arg);
void bw_plain_probe_end(struct bw_plain_probe **probep);

#endif
