/* Everything of libbulwark: BullMQ queues for C. */
#ifndef BULWARK_BULWARK_H
#define BULWARK_BULWARK_H

#include <bulwark/api.h>
#include <bulwark/buf.h>
#include <bulwark/error.h>
#include <bulwark/flow.h>
#include <bulwark/job.h>
#include <bulwark/log.h>
#include <bulwark/queue.h>
#include <bulwark/redis.h>
#include <bulwark/thread.h>
#include <bulwark/time.h>
#include <bulwark/worker.h>

#endif
