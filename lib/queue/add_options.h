/* What a producer asks for, checked and turned into what is stored. lib/spec/bullmq.md
 * §§1.1, 2.3, 3.1 */
#ifndef BW_QUEUE_ADD_OPTIONS_H
#define BW_QUEUE_ADD_OPTIONS_H

#include <stdbool.h>
#include <stdint.h>

#include <jansson.h>

#include <bulwark/error.h>
#include <bulwark/queue.h>
#include <bulwark/time.h>

struct bw_add_options {
    char *stored;              /* `opts` as the hash holds it: JSON, compact names */
    char *job_id;              /* custom id, or NULL */
    char *parent_key, *parent; /* or both NULL */
    char *dedup_id;            /* or NULL */
    char dedup_modes[5];       /* letters of lua/add.lua */
    int64_t dedup_ttl;         /* ms, 0: none */
    int64_t timestamp, delay, priority;
    bool lifo;
    bool has_children; /* it waits for them: the parent path */
};

/* What a job's place in a flow adds to its options. */
struct bw_add_place {
    const char *id;           /* of a job without a jobId of its own; or NULL */
    const char *parent_id;    /* or NULL: as the options say */
    const char *parent_queue; /* "prefix:queue" */
    bool has_children;
};

/* BW_EINVAL names the option that is refused; BW_ENOMEM. On failure nothing is owned. */
BW_MUSTCHECK int bw_add_options_parse(struct bw_add_options *options,
                                      const struct bw_add *add, struct bw_wall now,
                                      struct bw_error *err);
/* The same for a node of a flow. §8.1 */
BW_MUSTCHECK int bw_add_options_parse_node(struct bw_add_options *options,
                                           const struct bw_add *add, struct bw_wall now,
                                           const struct bw_add_place *place,
                                           struct bw_error *err);
/* New: a scheduler's template, checked, in the stored spelling but otherwise as given.
 * §9.1 */
BW_MUSTCHECK int bw_add_options_template(json_t **storedp, const struct bw_add *add,
                                         struct bw_error *err);
/* Borrowed: an option's public name by its stored one. */
const char *bw_option_public_name(const char *stored);
/* Harmless on a zeroed or finished struct. */
void bw_add_options_fini(struct bw_add_options *options);

/* §1.1; BW_EINVAL says why an id is refused. */
BW_MUSTCHECK int bw_job_id_check(const char *id, struct bw_error *err);

#endif
