// The errors that choose a job's path, for processors that do without bullmq, and how those of any
// library are told: by name. A processor has its own copy of bullmq, so classes say nothing.
// CommonJS, so that processors of both kinds can have them.
'use strict';

class PathError extends Error {
  constructor(message) {
    super(message);
    this.name = new.target.name;
  }
}

/** No further attempt. */
class UnrecoverableError extends PathError {
  constructor(message = 'bullmq:unrecoverable') {
    super(message);
  }
}

/** After job.moveToDelayed(); or with `delayMs`: the worker moves the job. */
class DelayedError extends PathError {
  constructor(message = 'bullmq:movedToDelayed', delayMs = undefined) {
    super(message);
    this.delayMs = delayMs;
  }
}

/** After job.moveToWait(). */
class WaitingError extends PathError {
  constructor(message = 'bullmq:movedToWait') {
    super(message);
  }
}

/** After job.moveToWaitingChildren() said true. */
class WaitingChildrenError extends PathError {
  constructor(message = 'bullmq:movedToWaitingChildren') {
    super(message);
  }
}

/** The queue is limited for `delayMs`, the job goes back to wait; without it the queue was limited
 *  by queue.rateLimit(). */
class RateLimitError extends PathError {
  constructor(message = 'bullmq:rateLimitExceeded', delayMs = undefined) {
    super(message);
    this.delayMs = delayMs;
  }
}

const PATHS = new Map(
  [UnrecoverableError, DelayedError, WaitingError, WaitingChildrenError, RateLimitError].map(
    (kind) => [kind.name, new kind().message],
  ),
);

function classNames(error) {
  const names = [];
  for (let at = Object.getPrototypeOf(error); at !== null; at = Object.getPrototypeOf(at))
    if (Object.hasOwn(at, 'constructor')) names.push(at.constructor?.name);
  return names;
}

/**
 * The name of the path: the error's own, that of a class it extends, or, where names were lost to a
 * minifier, the one whose standard text it has. Undefined: an ordinary failure.
 */
function pathOf(error) {
  if (error === null || typeof error !== 'object') return undefined;
  for (const name of [error.name, ...classNames(error)]) if (PATHS.has(name)) return name;
  for (const [name, text] of PATHS) if (error.message === text) return name;
  return undefined;
}

/** A class that did not set a name has that of the one it extends. */
function ownName(error) {
  const name = error.name ?? 'Error';
  return String(name === 'Error' ? (error.constructor?.name ?? name) : name);
}

/** What was thrown, as the protocol's name, message, stack and delayMs. */
function describe(thrown) {
  if (thrown === null || typeof thrown !== 'object') {
    const message = String(thrown);
    return { name: 'Error', message, stack: `Error: ${message}` };
  }
  const path = pathOf(thrown);
  const text = { name: path ?? ownName(thrown), message: String(thrown.message ?? '') };
  if (typeof thrown.stack === 'string') text.stack = thrown.stack;
  if (path !== undefined && Number.isFinite(thrown.delayMs))
    text.delayMs = Math.max(0, Math.round(thrown.delayMs));
  return text;
}

module.exports = {
  DelayedError,
  RateLimitError,
  UnrecoverableError,
  WaitingChildrenError,
  WaitingError,
  describe,
  pathOf,
};
