/* A Redis script, embedded at build time (scripts/embed-lua makes the table from lua/).
 */
#ifndef BW_REDIS_SCRIPT_H
#define BW_REDIS_SCRIPT_H

#include <stddef.h>

struct bw_script {
    const char *name; /* file name without .lua */
    const char *sha1; /* 40 hex digits */
    const unsigned char *text;
    size_t len;
    size_t key_count; /* as its head says */
};

/* Generated into scripts.h and scripts.c: `extern const struct bw_script
 * bw_script_<name>;` for each script, and all of them: */
extern const struct bw_script *const bw_scripts[];
extern const size_t bw_script_count;

#endif
