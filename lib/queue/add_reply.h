/* What the scripts that add jobs reply. */
#ifndef BW_QUEUE_ADD_REPLY_H
#define BW_QUEUE_ADD_REPLY_H

#include <bulwark/error.h>
#include <bulwark/redis.h>

/* BW_OK when it is a job's id; else the code, and its text in `err`. */
BW_MUSTCHECK int bw_add_reply_decode(const struct bw_reply *reply, struct bw_error *err);

#endif
