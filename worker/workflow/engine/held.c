#include "workflow/engine/held.h"

#include <stdlib.h>
#include <string.h>

#include "workflow/base/mem.h"

#define FORGET_MS 60000

struct wf_held_project {
    struct wf_held_project *next;
    struct bw_mono until;
    char id[];
};

void wf_held_init(struct wf_held *held)
{
    *held = (struct wf_held){ 0 };
    bw_mutex_init(&held->mutex);
}

static void drop(struct wf_held_project **at)
{
    struct wf_held_project *project = *at;

    *at = project->next;
    free(project);
}

void wf_held_fini(struct wf_held *held)
{
    while (held->projects != NULL)
        drop(&held->projects);
    bw_mutex_fini(&held->mutex);
}

const char *wf_held_label(enum wf_held_reason reason)
{
    static const char *const labels[] = {
#define X(name, label) label,
        WF_HELD_REASONS(X)
#undef X
    };

    return labels[reason];
}

void wf_held_set(struct wf_held *held, enum wf_held_reason reason, bool on)
{
    bw_mutex_lock(&held->mutex);
    held->all[reason] = on;
    bw_mutex_unlock(&held->mutex);
}

static struct wf_held_project **find(struct wf_held *held, const char *id)
{
    struct wf_held_project **at = &held->projects;

    bw_mutex_assert_held(&held->mutex);
    while (*at != NULL && strcmp((*at)->id, id) != 0)
        at = &(*at)->next;
    return at;
}

void wf_held_project(struct wf_held *held, const char *project, struct bw_mono until)
{
    struct wf_held_project **at;

    bw_mutex_lock(&held->mutex);
    at = find(held, project);
    if (*at == NULL) {
        size_t len = strlen(project) + 1;

        *at = wf_alloc(sizeof(**at) + len);
        memcpy((*at)->id, project, len);
    }
    (*at)->until = until;
    bw_mutex_unlock(&held->mutex);
}

bool wf_held_release(struct wf_held *held, const char *project)
{
    struct wf_held_project **at;
    bool was;

    bw_mutex_lock(&held->mutex);
    at = find(held, project);
    was = *at != NULL;
    if (was)
        drop(at);
    bw_mutex_unlock(&held->mutex);
    return was;
}

unsigned wf_held_count(struct wf_held *held, enum wf_held_reason reason,
                       struct bw_mono now)
{
    struct wf_held_project **at = &held->projects;
    unsigned count;

    bw_mutex_lock(&held->mutex);
    count = held->all[reason] ? 1 : 0;
    while (reason == WF_HELD_TOKEN && *at != NULL) {
        if (bw_mono_before(bw_mono_add_ms((*at)->until, FORGET_MS), now)) {
            drop(at);
            continue;
        }
        count++;
        at = &(*at)->next;
    }
    bw_mutex_unlock(&held->mutex);
    return count;
}
