/* The `stacktrace` field: a JSON array of texts, oldest first. lib/spec/bullmq.md §2.2 */
#include "queue/job.h"

#include <jansson.h>

#include "queue/json_text.h"

static json_t *load_array(const struct bw_text *old)
{
    if (old != NULL && old->data != NULL) {
        json_t *value = json_loadb(old->data, old->len, JSON_ALLOW_NUL, NULL);

        if (json_is_array(value))
            return value;
        json_decref(value); /* invalid: begin anew */
    }
    return json_array();
}

int bw_stacktrace_append(struct bw_buf *out, const struct bw_text *old,
                         const struct bw_text *entry, int64_t limit)
{
    json_t *entries = load_array(old);
    int rc = BW_ENOMEM;

    if (entries == NULL)
        return BW_ENOMEM;
    if (entry != NULL &&
        json_array_append_new(entries, bw_json_string(entry->data, entry->len)) != 0)
        goto out;
    if (limit == 0)
        (void)json_array_clear(entries); /* fails on a non-array only */
    while (limit > 0 && json_array_size(entries) > (size_t)limit)
        (void)json_array_remove(entries, 0);
    rc = bw_json_add(out, entries);
out:
    json_decref(entries);
    return rc;
}
