/* A command being built: RESP text with its arguments counted. Storage of the caller. */
#ifndef BW_REDIS_CMD_H
#define BW_REDIS_CMD_H

#include <stddef.h>
#include <stdint.h>

#include <bulwark/buf.h>

struct bw_script;

struct bw_cmd {
    struct bw_buf body; /* arguments only; the head is made when it is sent */
    size_t count;
    int failed; /* BW_ENOMEM once an append failed; sending then fails with it */
    const struct bw_script *script; /* what NOSCRIPT asks for; NULL: no script call */
};

#define BW_CMD_INIT                                                                      \
    {                                                                                    \
        BW_BUF_INIT, 0, 0, NULL                                                          \
    }

void bw_cmd_arg(struct bw_cmd *cmd, const void *data, size_t len);
void bw_cmd_str(struct bw_cmd *cmd, const char *text); /* NULL is the empty string */
void bw_cmd_int(struct bw_cmd *cmd, int64_t number);
/* EVALSHA <sha> <key_count>; keys and arguments follow with the calls above. */
void bw_cmd_script(struct bw_cmd *cmd, const struct bw_script *script, size_t key_count);
void bw_cmd_clear(struct bw_cmd *cmd); /* keeps the memory for the next command */
void bw_cmd_fini(struct bw_cmd *cmd);

#endif
