"""Jobs of a BullMQ queue in Python, behind the worker daemon bulwark.

One file of the standard library; copy it beside your processor, or put its folder on
PYTHONPATH.

    import bulwark_processor

    def process(job):
        job.log(f"resizing {job.data['file']}")
        job.update_progress(50)
        return {"ok": True}

    bulwark_processor.run(process)

and in bulwark's configuration:

    { "name": "images", "concurrency": 8,
      "handler": { "exec": ["python3", "images.py"] } }

A plain function runs in a thread for each job, at most `concurrency` of them (32 unless
told otherwise); an `async def` runs in one event loop, as many at once as the worker
sends. What is returned, as JSON, is the job's return value; an exception fails the job.
UnrecoverableError, DelayedError, WaitingError, WaitingChildrenError and RateLimitError
choose another path. print() goes to the worker's log: stdout belongs to the protocol.

Methods of a job that ask the worker something (children_values, move_to_delayed …) block
in a plain function and are awaited in an `async def`; all others return at once.
"""

import asyncio
import concurrent.futures
import inspect
import json
import os
import sys
import threading
import traceback

__all__ = [
    "DelayedError",
    "Job",
    "RateLimitError",
    "RequestError",
    "UnrecoverableError",
    "WaitingChildrenError",
    "WaitingError",
    "run",
]

PROTOCOL = 1
THREADS = 32


class PathError(Exception):
    """Chooses a job's path; known by the name of the class."""

    delay_ms = None


class UnrecoverableError(PathError):
    """The job fails, and no further attempt is made."""


class DelayedError(PathError):
    """Back to delayed: for delay_ms, or, without, after job.move_to_delayed()."""

    def __init__(self, message="moved to delayed", delay_ms=None):
        super().__init__(message)
        self.delay_ms = delay_ms


class WaitingError(PathError):
    """After job.move_to_wait()."""


class WaitingChildrenError(PathError):
    """After job.move_to_waiting_children() said True."""


class RateLimitError(PathError):
    """The queue is limited for delay_ms; the job goes back to wait, no attempt counted."""

    def __init__(self, message="rate limited", delay_ms=None):
        super().__init__(message)
        self.delay_ms = delay_ms


class RequestError(Exception):
    """The worker refused what a job asked for."""


PATHS = (UnrecoverableError, DelayedError, WaitingError, WaitingChildrenError, RateLimitError)


def _describe(error):
    """name, message, stack and delayMs of the protocol's `error`."""
    name = next((kind.__name__ for kind in PATHS if isinstance(error, kind)), None)
    text = {
        "name": name or type(error).__name__,
        "message": str(error) or type(error).__name__,
        "stack": "".join(traceback.format_exception(type(error), error, error.__traceback__)),
    }
    delay_ms = getattr(error, "delay_ms", None)
    if delay_ms is not None:
        text["delayMs"] = int(delay_ms)
    return text


class Job:
    """A job in the hands of its processor."""

    def __init__(self, session, message, answers):
        self._session = session
        self._seq = message["seq"]
        self._answers = answers  # from a concurrent future to what the processor gets
        self._cancelled = threading.Event()
        self.cancel_reason = None
        self.id = message["id"]
        self.name = message["name"]
        self.data = message.get("data")
        self.opts = message.get("opts") or {}
        self.token = message.get("token")
        self.timestamp = message.get("timestamp")
        self.delay = message.get("delay", 0)
        self.priority = message.get("priority", 0)
        self.attempts_made = message.get("attemptsMade", 0)
        self.attempts_started = message.get("attemptsStarted", 1)
        self.stalled_counter = message.get("stalledCounter", 0)
        self.processed_on = message.get("processedOn")
        self.progress = message.get("progress", 0)
        self.parent = message.get("parent")
        self.repeat_job_key = message.get("repeatJobKey")
        self.deduplication_id = message.get("deduplicationId")
        self.queue_name = session.hello["queue"]
        self.prefix = session.hello["prefix"]

    def update_progress(self, value):
        """A number or an object."""
        self._tell("progress", value=value)
        self.progress = value

    def log(self, row):
        self._tell("log", row=str(row))

    def update_data(self, value):
        self._tell("data", value=value)
        self.data = value

    @property
    def cancelled(self):
        """The job should stop: its time is up, its lock lost, or the worker is ending. An
        `async def` has its task cancelled without asking."""
        return self._cancelled.is_set()

    def wait_cancelled(self, timeout=None):
        """Plain functions: sleeps at most `timeout` seconds; True: cancelled."""
        return self._cancelled.wait(timeout)

    # --- questions: block, or are awaited

    def children_values(self):
        return self._ask("childrenValues")

    def ignored_children_failures(self):
        return self._ask("ignoredChildrenFailures")

    def state(self):
        return self._ask("state")

    def move_to_delayed(self, timestamp):
        """`timestamp` in ms since the epoch; then raise DelayedError."""
        return self._ask("moveToDelayed", timestamp=int(timestamp))

    def move_to_wait(self):
        """Then raise WaitingError."""
        return self._ask("moveToWait")

    def move_to_waiting_children(self):
        """True: raise WaitingChildrenError. False: there was nothing to wait for."""
        return self._ask("moveToWaitingChildren")

    def extend_lock(self, duration_ms):
        return self._ask("extendLock", durationMs=int(duration_ms))

    def add_job(self, queue, name, data=None, opts=None):
        """Adds a job to a queue of the same Redis; its id."""
        return self._ask(
            "addJob", queue=queue, name=name, data={} if data is None else data, opts=opts or {}
        )

    def _tell(self, kind, **fields):
        self._session.send({"type": kind, "seq": self._seq, **fields})

    def _ask(self, method, **params):
        return self._answers(self._session.request(self._seq, method, params))

    def _cancel(self, reason):
        self.cancel_reason = reason
        self._cancelled.set()


def _value(message):
    if message.get("error") is None:
        return message.get("result")
    error = message["error"]
    text = error if isinstance(error, str) else error.get("message")
    if message.get("name") == "UnrecoverableError":  # there is no use in trying again
        raise UnrecoverableError(text)
    raise RequestError(text)


class _Session:
    """The conversation: the main thread reads, whoever has something to say writes."""

    def __init__(self, lines_in, lines_out):
        self.hello = None
        self._in = lines_in
        self._out = lines_out
        self._lock = threading.Lock()  # guards _out, _requests, _last_request, _jobs
        self._requests = {}
        self._last_request = 0
        self._jobs = {}

    def send(self, message):
        line = json.dumps(message, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
        with self._lock:
            self._write(line)

    def _write(self, line):
        self._out.write(line.encode() + b"\n")
        self._out.flush()

    def request(self, seq, method, params):
        future = concurrent.futures.Future()
        with self._lock:
            self._last_request += 1
            req = self._last_request
            self._requests[req] = future
        self.send({"type": "request", "seq": seq, "req": req, "method": method, "params": params})
        return future

    def answer(self, seq, outcome):
        """`outcome()` gives the return value or raises."""
        try:
            value = outcome()
            message = {"type": "result", "seq": seq}
            if value is not None:
                message["value"] = value
            self.send(message)
        except BaseException as error:  # sys.exit() in a thread, too, ends the job only
            self.send({"type": "error", "seq": seq, **_describe(error)})
        with self._lock:
            self._jobs.pop(seq, None)

    def read(self, start, ready):
        """Until the worker says close or has gone; True: it said close."""
        for line in self._in:
            message = json.loads(line)
            kind = message["type"]
            if kind == "hello":
                self._greet(message, ready)
            elif kind == "job":
                self._begin(message, start)
            elif kind == "cancel":
                self._cancel(message)
            elif kind == "reply":
                self._settle(message)
            elif kind == "close":
                return True
        return False

    def _greet(self, message, ready):
        if message.get("protocol") != PROTOCOL:
            sys.exit(f"bulwark_processor: protocol {message.get('protocol')} is not known here")
        self.hello = message
        self.send(ready)

    def _begin(self, message, start):
        job = start(message)
        with self._lock:
            self._jobs[message["seq"]] = job
        job.begin()

    def _cancel(self, message):
        with self._lock:
            job = self._jobs.get(message["seq"])
        if job is not None:
            job.cancel(message.get("reason"))

    def _settle(self, message):
        with self._lock:
            future = self._requests.pop(message["req"], None)
        if future is not None:
            try:
                future.set_result(_value(message))
            except Exception as error:
                future.set_exception(error)


class _Running:
    """A job and how it is begun and stopped; one of two kinds."""

    def __init__(self, job, begin, cancel):
        self._job = job
        self._stop = cancel
        self.begin = begin

    def cancel(self, reason):
        self._job._cancel(reason)
        self._stop()


def _run_threads(session, process, concurrency):
    pool = concurrent.futures.ThreadPoolExecutor(concurrency, "job")

    def start(message):
        job = Job(session, message, lambda future: future.result())

        def begin():
            pool.submit(session.answer, message["seq"], lambda: process(job))

        return _Running(job, begin, lambda: None)

    closed = session.read(start, {"type": "ready", "concurrency": concurrency})
    if closed:
        pool.shutdown(wait=True)
    return closed


def _run_loop(session, process, concurrency):
    loop = asyncio.new_event_loop()
    ready = {"type": "ready"}
    if concurrency is not None:
        ready["concurrency"] = concurrency

    def start(message):
        job = Job(session, message, lambda future: asyncio.wrap_future(future, loop=loop))
        tasks = []  # the one, once it is there; only the loop's thread looks

        def outcome(task):
            if task.cancelled():
                raise RuntimeError(job.cancel_reason or "cancelled")
            return task.result()

        def launch():
            task = loop.create_task(process(job))
            task.add_done_callback(
                lambda done: session.answer(message["seq"], lambda: outcome(done))
            )
            tasks.append(task)

        def begin():
            loop.call_soon_threadsafe(launch)

        def cancel():
            loop.call_soon_threadsafe(lambda: [task.cancel() for task in tasks])

        return _Running(job, begin, cancel)

    async def work():
        closed = await loop.run_in_executor(None, session.read, start, ready)
        if closed:
            others = asyncio.all_tasks() - {asyncio.current_task()}
            await asyncio.gather(*others, return_exceptions=True)
        return closed

    return loop.run_until_complete(work())


def run(process, concurrency=None):
    """Runs `process(job)` for each job until the worker ends it; does not return.

    `concurrency` lowers the number of jobs this program gets at once.
    """
    lines_in = os.fdopen(os.dup(0), "rb")
    lines_out = os.fdopen(os.dup(1), "wb")
    # Whatever prints, in Python, C or a child process, prints to the worker's log.
    os.dup2(2, 1)
    os.set_inheritable(lines_out.fileno(), False)
    devnull = os.open(os.devnull, os.O_RDONLY)
    os.dup2(devnull, 0)
    os.close(devnull)
    session = _Session(lines_in, lines_out)
    if inspect.iscoroutinefunction(process):
        closed = _run_loop(session, process, concurrency)
    else:
        closed = _run_threads(session, process, concurrency or THREADS)
    sys.stderr.flush()
    os._exit(0 if closed else 1)  # whatever threads the processor still has
