#include "redis/cmd.h"

#include <string.h>

#include <bulwark/error.h>

#include "codec/num.h"
#include "redis/script.h"

/* "$<len>\r\n<data>\r\n" */
void bw_cmd_arg(struct bw_cmd *cmd, const void *data, size_t len)
{
    char head[BW_NUM_LEN_MAX + 3];
    size_t head_len;
    char *at;

    if (cmd->failed != BW_OK)
        return;
    head[0] = '$';
    head_len = 1 + bw_num_format(head + 1, (int64_t)len);
    head[head_len++] = '\r';
    head[head_len++] = '\n';
    if (len > SIZE_MAX / 2 || bw_buf_reserve(&cmd->body, head_len + len + 2) != BW_OK) {
        cmd->failed = BW_ENOMEM;
        return;
    }
    at = cmd->body.data + cmd->body.len;
    memcpy(at, head, head_len);
    if (len != 0)
        memcpy(at + head_len, data, len);
    memcpy(at + head_len + len, "\r\n", 3); /* and the buffer's NUL */
    cmd->body.len += head_len + len + 2;
    cmd->count++;
}

void bw_cmd_str(struct bw_cmd *cmd, const char *text)
{
    bw_cmd_arg(cmd, text, text != NULL ? strlen(text) : 0);
}

void bw_cmd_int(struct bw_cmd *cmd, int64_t number)
{
    char text[BW_NUM_LEN_MAX];

    bw_cmd_arg(cmd, text, bw_num_format(text, number));
}

void bw_cmd_script(struct bw_cmd *cmd, const struct bw_script *script, size_t key_count)
{
    cmd->script = script;
    bw_cmd_str(cmd, "EVALSHA");
    bw_cmd_arg(cmd, script->sha1, 40);
    bw_cmd_int(cmd, (int64_t)key_count);
}

void bw_cmd_clear(struct bw_cmd *cmd)
{
    bw_buf_clear(&cmd->body);
    cmd->count = 0;
    cmd->failed = BW_OK;
    cmd->script = NULL;
}

void bw_cmd_fini(struct bw_cmd *cmd)
{
    bw_buf_fini(&cmd->body);
    *cmd = (struct bw_cmd)BW_CMD_INIT;
}
