// A job as BullMQ's processors know it; what it does goes through the worker.

// Options that BullMQ stores under short names.
const SHORT_OPTIONS = {
  kl: 'keepLogs',
  fpof: 'failParentOnFailure',
  cpof: 'continueParentOnFailure',
  idof: 'ignoreDependencyOnFailure',
  rdof: 'removeDependencyOnFailure',
  de: 'deduplication',
};

function longOptions(stored) {
  return Object.fromEntries(
    Object.entries(stored ?? {}).map(([name, value]) => [SHORT_OPTIONS[name] ?? name, value]),
  );
}

export class Job {
  #wire;

  /**
   * `wire` is {send(message), request(method, params), moveToDelayed(timestamp)} of this job;
   * `hello` names the queue.
   */
  constructor(wire, message, hello) {
    this.#wire = wire;
    this.id = message.id;
    this.name = message.name;
    this.data = message.data;
    this.opts = longOptions(message.opts);
    this.token = message.token;
    this.timestamp = message.timestamp;
    this.delay = message.delay ?? 0;
    this.priority = message.priority ?? 0;
    this.attemptsMade = message.attemptsMade ?? 0;
    this.attemptsStarted = message.attemptsStarted ?? 1;
    this.stalledCounter = message.stalledCounter ?? 0;
    this.processedOn = message.processedOn;
    this.progress = message.progress ?? 0;
    this.parent = message.parent ?? undefined;
    this.parentKey = this.parent && `${this.parent.queueKey}:${this.parent.id}`;
    this.repeatJobKey = message.repeatJobKey;
    this.deduplicationId = message.deduplicationId;
    this.returnvalue = null;
    this.stacktrace = [];
    this.discarded = false;
    this.queueName = hello.queue;
    this.prefix = hello.prefix;
    this.queueQualifiedName = `${hello.prefix}:${hello.queue}`;
  }

  async updateProgress(value) {
    this.progress = value;
    this.#wire.send({ type: 'progress', value });
  }

  async log(row) {
    this.#wire.send({ type: 'log', row: String(row) });
  }

  async updateData(value) {
    this.data = value;
    this.#wire.send({ type: 'data', value });
  }

  getChildrenValues() {
    return this.#wire.request('childrenValues', {});
  }

  getIgnoredChildrenFailures() {
    return this.#wire.request('ignoredChildrenFailures', {});
  }

  getState() {
    return this.#wire.request('state', {});
  }

  /**
   * To be followed by `throw new DelayedError()`. Done when the attempt ends, however it does: the
   * job is the processor's until then, and may be given the data of its next step.
   */
  async moveToDelayed(timestamp) {
    this.#wire.moveToDelayed(timestamp);
  }

  /** To be followed by `throw new WaitingError()`. */
  async moveToWait() {
    await this.#wire.request('moveToWait', {});
  }

  /** True: it waits now; to be followed by `throw new WaitingChildrenError()`. */
  moveToWaitingChildren(_token, opts = undefined) {
    const child = opts?.child;
    return this.#wire.request(
      'moveToWaitingChildren',
      child === undefined ? {} : { child: `${child.queue}:${child.id}` },
    );
  }

  extendLock(_token, durationMs) {
    return this.#wire.request('extendLock', { durationMs });
  }

  /** Not BullMQ's: adds a job to a queue of the same Redis without a connection of one's own. */
  addJob(queue, name, data, opts = {}) {
    return this.#wire.request('addJob', { queue, name, data, opts });
  }

  /** Should this attempt fail, it is the last. */
  discard() {
    this.discarded = true;
  }

  toJSON() {
    return { ...this };
  }

  asJSON() {
    return this.toJSON();
  }
}
