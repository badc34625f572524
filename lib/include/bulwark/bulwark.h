/* Everything of libbulwark: BullMQ queues for C. */
#ifndef BULWARK_BULWARK_H
#define BULWARK_BULWARK_H

#include <bulwark/admin.h>
#include <bulwark/api.h>
#include <bulwark/buf.h>
#include <bulwark/cron.h>
#include <bulwark/error.h>
#include <bulwark/flow.h>
#include <bulwark/job.h>
#include <bulwark/log.h>
#include <bulwark/plugin.h>
#include <bulwark/queue.h>
#include <bulwark/queue_options.h>
#include <bulwark/redis.h>
#include <bulwark/scheduler.h>
#include <bulwark/stats.h>
#include <bulwark/time.h>
#include <bulwark/worker.h>

/* Its primitives have names that a compiler in strict ISO mode hides. */
#if defined(_POSIX_C_SOURCE) && _POSIX_C_SOURCE >= 200112L
#include <bulwark/thread.h>
#endif

#endif
