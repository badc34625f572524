/* Long messages in parts Telegram takes. §5.2.1. Pure. */
#ifndef WORKFLOW_SPLIT_H
#define WORKFLOW_SPLIT_H

#include <stddef.h>

/* Bytes of the first part of a non-empty text: at most 4096 UTF-16 units, cut behind a
 * line or a word where there is one in the second half. */
size_t wf_split_message(const char *text);

#endif
