/* What is done with an answer of Redis: scripts it does not know are loaded and called
 * again, errors that tell of a failover end the link, the rest goes to its command. */
#ifndef BW_REDIS_CONN_ANSWER_H
#define BW_REDIS_CONN_ANSWER_H

struct bw_conn;
struct bw_reply;

/* The next answer of this link. The link may have ended when this returns. */
void bw_conn_dispatch(struct bw_conn *conn, const struct bw_reply *reply);

#endif
