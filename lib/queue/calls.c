/* What the calls share: KEYS and small arguments. */
#include "queue/calls_impl.h"

/* A code of lib/spec/bullmq.md §0 is one of ours, moved down (bulwark/error.h). */
#define BW_EJOB_BASE (BW_EJOB_MISSING + 1)

void bw_cmd_text(struct bw_cmd *cmd, struct bw_text text)
{
    bw_cmd_arg(cmd, text.data != NULL ? text.data : "", text.len);
}

void bw_cmd_flag(struct bw_cmd *cmd, bool flag)
{
    bw_cmd_arg(cmd, flag ? "1" : "0", 1);
}

void bw_cmd_key(struct bw_cmd *cmd, const struct bw_keys *keys, enum bw_key key)
{
    bw_cmd_arg(cmd, keys->text[key], keys->len[key]);
}

void bw_cmd_queue_script(struct bw_cmd *cmd, const struct bw_script *script,
                         const struct bw_keys *keys)
{
    bw_cmd_script(cmd, script, 1);
    bw_cmd_key(cmd, keys, BW_KEY_BASE);
}

int bw_script_code(int64_t number)
{
    if (number >= 0)
        return BW_OK;
    return number >= -11 ? BW_EJOB_BASE + (int)number : BW_EPROTO;
}
