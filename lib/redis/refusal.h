/* What an error reply of Redis says, read from its text. Any thread. */
#ifndef BW_REDIS_REFUSAL_H
#define BW_REDIS_REFUSAL_H

#include <stdbool.h>

#include <bulwark/error.h>

/* The user may not use the command, or the server does not have it: as opposed to "not
 * now". */
bool bw_refusal_is_for_good(const char *text);

/* A password was given to a server that has none, and serves all the same: as BullMQ's
 * client does, we go on. */
bool bw_refusal_is_needless_password(const char *text);

/* This server serves nobody at present (a replica now, or still loading): the command was
 * not executed, and the link leads nowhere. Before Redis 7 the code stands within a
 * script's own error. */
bool bw_refusal_is_away(const char *text);

/* A script call: the server as a whole refuses for now (OOM, MISCONF, READONLY, BUSY,
 * LOADING …), so nothing was done, and the same call may succeed later. False: it refuses
 * this call (WRONGTYPE, NOPERM …), and will again. BMQ-171 */
bool bw_refusal_passes(const char *text);

/* BW_EREDIS with what the reply means for somebody who connects: in our words where the
 * refusal is a known one, else in Redis's own. */
void bw_refusal_explain(struct bw_error *err, const char *text);

/* The same for the answer to a command that carries a secret: some servers repeat the
 * arguments, so their words are never shown. */
void bw_refusal_explain_secret(struct bw_error *err, const char *text);

#endif
