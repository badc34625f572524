"""Does what the job's data says: {"do": [[step, …arguments], …]}. The same as steps.cjs.

python3 steps.py [async]
"""

import asyncio
import os
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "../../../../worker/shims/python"))

import bulwark_processor  # noqa: E402

ASK = {
    "childrenValues": "children_values",
    "ignoredChildrenFailures": "ignored_children_failures",
    "state": "state",
    "extendLock": "extend_lock",
    "moveToDelayed": "move_to_delayed",
    "moveToWait": "move_to_wait",
    "moveToWaitingChildren": "move_to_waiting_children",
    "addJob": "add_job",
}


def fields(job):
    return [job.id, job.name, job.data["more"], job.opts, job.token, job.timestamp, job.delay,
            job.priority, job.attempts_made, job.attempts_started, job.stalled_counter,
            job.processed_on, job.progress, job.parent, job.repeat_job_key, job.deduplication_id,
            job.queue_name, job.prefix]


def throw(name, message, delay_ms=None):
    kind = getattr(bulwark_processor, name, None) or type(name, (Exception,), {})
    error = kind(message)
    if delay_ms is not None:
        error.delay_ms = delay_ms
    raise error


def printed(text):
    print(text, flush=True)
    os.write(1, f"{text}\n".encode())
    os.system(f"echo '{text}'")


def step(job, name, args):
    """What the step leaves as value; None: nothing."""
    if name == "progress":
        job.update_progress(*args)
    elif name == "log":
        job.log(*args)
    elif name == "data":
        job.update_data(*args)
    elif name == "print":
        printed(*args)
    elif name == "reason":
        raise RuntimeError(job.cancel_reason)
    elif name == "fields":
        return fields(job)
    elif name == "throw":
        throw(*args)
    elif name == "nojson":
        return {1, 2}
    elif name == "exit":
        os._exit(*args)
    elif name == "return":
        return args[0]
    return None


def process(job):
    value = None
    for name, *args in job.data["do"]:
        if name == "ask":
            value = getattr(job, ASK[args[0]])(*args[1:])
        elif name == "sleep":
            time.sleep(args[0] / 1000)
        elif name == "cancelled":
            job.wait_cancelled(10)
        else:
            value = step(job, name, args)
    return value


async def process_async(job):
    value = None
    for name, *args in job.data["do"]:
        if name == "ask":
            value = await getattr(job, ASK[args[0]])(*args[1:])
        elif name == "sleep":
            await asyncio.sleep(args[0] / 1000)
        elif name == "cancelled":
            await asyncio.sleep(10)
        else:
            value = step(job, name, args)
    return value


if __name__ == "__main__":
    bulwark_processor.run(process_async if "async" in sys.argv else process)
