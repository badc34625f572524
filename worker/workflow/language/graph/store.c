#include "workflow/language/graph/store.h"

#include <stdint.h>
#include <string.h>

size_t wf_graph_index(const struct wf_graph_store *store, const char *id)
{
    size_t low = 0, high = store->node_count;

    while (low < high) {
        size_t middle = low + (high - low) / 2;
        int order = strcmp(id, store->nodes[store->by_id[middle]].id);

        if (order == 0)
            return store->by_id[middle];
        if (order < 0)
            high = middle;
        else
            low = middle + 1;
    }
    return SIZE_MAX;
}
