/* The engine's effects on the real PostgreSQL pool, Redis connection and Telegram client.
 */
#ifndef WORKFLOW_ADAPTER_H
#define WORKFLOW_ADAPTER_H

#include <bulwark/error.h>

#include "workflow/engine/effects.h"

struct pg_pool;
struct tg_client;
struct web_client;

struct wf_adapter; /* constant once made; any thread */

/* The clients are borrowed. New: wf_adapter_destroy(). */
struct wf_adapter *wf_adapter_create(struct bw_worker *worker, struct pg_pool *pg,
                                     struct bw_redis *redis, struct tg_client *telegram,
                                     struct web_client *web,
                                     const struct bw_clock *clock);
/* Where jobs that no job asks for are added (add_jobs); borrowed, before the first. */
void wf_adapter_produce(struct wf_adapter *adapter, struct bw_redis *redis,
                        const char *prefix);
void wf_adapter_destroy(struct wf_adapter **adapterp);

const struct wf_effects *wf_adapter_effects(const struct wf_adapter *adapter);
/* Calls of which no answer is awaited by anybody; to be 0 before the clients end. */
unsigned wf_adapter_pending(const struct wf_adapter *adapter);

#endif
