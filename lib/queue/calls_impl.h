/* Pieces that the files calls_*.c build commands from; for those only. */
#ifndef BW_QUEUE_CALLS_IMPL_H
#define BW_QUEUE_CALLS_IMPL_H

#include "queue/calls.h"

struct bw_script;

/* Absent is sent as the empty string. */
void bw_cmd_text(struct bw_cmd *cmd, struct bw_text text);
void bw_cmd_flag(struct bw_cmd *cmd, bool flag); /* '1' or '0' */
void bw_cmd_key(struct bw_cmd *cmd, const struct bw_keys *keys, enum bw_key key);
/* A call of a script whose one key is the queue's base. */
void bw_cmd_queue_script(struct bw_cmd *cmd, const struct bw_script *script,
                         const struct bw_keys *keys);

/* The settings of groups, as the scripts that include groups.lua take them. */
void bw_cmd_groups(struct bw_cmd *cmd, const struct bw_groups *groups);

#endif
