#include "workflow/authoring/check/check_reach.h"

#include <stdlib.h>
#include <string.h>

#include "workflow/authoring/check/site.h"
#include "workflow/authoring/check/site.h"
#include "workflow/authoring/leads.h"
#include "workflow/base/mem.h"

/* A walk over the graph; each node is entered once. */
struct walk {
    const struct wf_graph *graph;
    bool *seen;
    size_t *open; /* entered, but not left yet */
    size_t open_count;
};

static void walk_init(struct walk *walk, const struct wf_graph *graph)
{
    walk->graph = graph;
    walk->seen = wf_alloc((graph->node_count + 1) * sizeof(*walk->seen));
    walk->open = wf_alloc((graph->node_count + 1) * sizeof(*walk->open));
    walk->open_count = 0;
}

static void walk_fini(struct walk *walk)
{
    free(walk->seen);
    free(walk->open);
}

static void walk_enter(void *arg, size_t index)
{
    struct walk *walk = arg;

    if (walk->seen[index])
        return;
    walk->seen[index] = true;
    walk->open[walk->open_count++] = index;
}

static void walk_all(struct walk *walk)
{
    while (walk->open_count > 0) {
        size_t index = walk->open[--walk->open_count];

        wf_leads_each(walk->graph, &walk->graph->nodes[index], walk_enter, walk);
    }
}

/* --- nodes that no run comes to */

/* What an event or a clock starts at: the entry, and every trigger. */
static void walk_from_triggers(struct walk *walk)
{
    const struct wf_graph *graph = walk->graph;

    if (graph->entry != NULL)
        walk_enter(walk, (size_t)(graph->entry - graph->nodes));
    for (size_t i = 0; i < graph->node_count; i++) {
        if (strncmp(graph->nodes[i].type, "trigger.", strlen("trigger.")) == 0)
            walk_enter(walk, i);
    }
    walk_all(walk);
}

/* --- loops that nothing ends */

struct stops {
    bool *can; /* a run at the node can get to where it waits or ends */
    bool found;
};

static void see_target(void *arg, size_t target)
{
    struct stops *stops = arg;

    stops->found = stops->found || stops->can[target];
}

static void find_stops(const struct wf_graph *graph, struct stops *stops)
{
    bool changed = true;

    for (size_t i = 0; i < graph->node_count; i++)
        stops->can[i] = wf_leads_stop(graph, &graph->nodes[i]);
    while (changed) {
        changed = false;
        for (size_t i = graph->node_count; i-- > 0;) {
            if (stops->can[i])
                continue;
            stops->found = false;
            wf_leads_each(graph, &graph->nodes[i], see_target, stops);
            stops->can[i] = stops->found;
            changed = changed || stops->found;
        }
    }
}

/* Whether the walk from behind the node comes back to it; marks all it comes to. */
static bool comes_back(struct walk *walk, size_t index)
{
    wf_leads_each(walk->graph, &walk->graph->nodes[index], walk_enter, walk);
    walk_all(walk);
    return walk->seen[index];
}

static void check_loops(const struct wf_graph *graph, const bool *reached,
                        struct wf_problems *problems)
{
    struct stops stops = { wf_alloc((graph->node_count + 1) * sizeof(bool)), false };
    bool *told = wf_alloc((graph->node_count + 1) * sizeof(*told));

    find_stops(graph, &stops);
    for (size_t i = 0; i < graph->node_count; i++) {
        struct walk walk;

        if (!reached[i] || stops.can[i] || told[i])
            continue;
        walk_init(&walk, graph);
        if (comes_back(&walk, i)) {
            struct wf_site site = { graph, &graph->nodes[i], problems, NULL };

            wf_site_problem(&site, "connections",
                            "a loop without end: nothing in it waits, ends or leads out");
            for (size_t j = 0; j < graph->node_count; j++)
                told[j] = told[j] || walk.seen[j];
        }
        walk_fini(&walk);
    }
    free(stops.can);
    free(told);
}

void wf_check_reach(const struct wf_graph *graph, struct wf_problems *problems)
{
    struct walk walk;

    walk_init(&walk, graph);
    walk_from_triggers(&walk);
    for (size_t i = 0; i < graph->node_count; i++) {
        struct wf_site site = { graph, &graph->nodes[i], problems, NULL };

        if (!walk.seen[i])
            wf_site_problem(&site, NULL, "unreachable: no trigger leads to it");
    }
    check_loops(graph, walk.seen, problems);
    walk_fini(&walk);
}
