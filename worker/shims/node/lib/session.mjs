// One conversation with the worker: jobs come in, each runs the processor once and is answered once.
import { describe, pathOf, UnrecoverableError } from './errors.cjs';
import { Job } from './job.mjs';

export const PROTOCOL = 1;
const refusal = (text, name) =>
  name === 'UnrecoverableError' ? new UnrecoverableError(text) : new Error(text);
const BUILTIN_BACKOFFS = [undefined, 'fixed', 'exponential'];

export class Session {
  #channel;
  #processor;
  #concurrency;
  #hello = null;
  #running = new Map(); // seq → {aborter, answered, due}
  #requests = new Map(); // req → {resolve, reject}
  #lastRequest = 0;
  #closing = false;

  /** `processor` is {process, backoffStrategy}; see load.mjs. `concurrency` undefined: as told. */
  constructor(channel, processor, concurrency) {
    this.#channel = channel;
    this.#processor = processor;
    this.#concurrency = concurrency;
  }

  take(message) {
    switch (message.type) {
      case 'hello':
        return this.#greet(message);
      case 'job':
        return void this.#run(message);
      case 'cancel':
        return this.#running.get(message.seq)?.aborter.abort(message.reason ?? 'cancelled');
      case 'reply':
        return this.#settle(message);
      case 'close':
        this.#closing = true;
        return this.#leaveIfIdle();
      default: // events, and what later versions may say
    }
  }

  /** The worker has gone without a word: nobody takes an answer any more. */
  lost() {
    if (this.#closing) return;
    if (this.#running.size > 0) console.error('bulwark-processor: the worker is gone');
    process.exit(1);
  }

  #greet(message) {
    if (message.protocol !== PROTOCOL) {
      console.error(`bulwark-processor: protocol ${message.protocol} is not known here`);
      process.exit(1);
    }
    this.#hello = message;
    const ready = { type: 'ready' };
    if (this.#concurrency !== undefined) ready.concurrency = this.#concurrency;
    this.#channel.send(ready);
  }

  async #run(message) {
    const { seq } = message;
    const run = { aborter: new AbortController(), answered: false, due: undefined };
    const job = new Job(this.#wireOf(seq, run), message, this.#hello);
    let answer;
    this.#running.set(seq, run);
    try {
      const value = await this.#processor.process(job, message.token, run.aborter.signal);
      answer = { type: 'result', seq, value };
      JSON.stringify(answer); // a value that has no JSON is the processor's failure
    } catch (thrown) {
      answer = { type: 'error', seq, ...(await this.#failure(job, thrown)) };
    }
    if (run.due !== undefined) {
      const delayMs = Math.max(0, Math.round(run.due - Date.now()));
      answer = { type: 'error', seq, name: 'DelayedError', message: 'bullmq:movedToDelayed', delayMs };
    }
    run.answered = true;
    this.#running.delete(seq);
    this.#channel.send(answer);
    this.#leaveIfIdle();
  }

  async #failure(job, thrown) {
    const text = describe(thrown);
    const { backoffStrategy } = this.#processor;
    const type = job.opts.backoff?.type;
    if (pathOf(thrown) !== undefined) return text;
    if (job.discarded) return { ...text, name: 'UnrecoverableError' };
    if (backoffStrategy === undefined || BUILTIN_BACKOFFS.includes(type)) return text;
    try {
      const delayMs = await backoffStrategy(job.attemptsMade + 1, type, thrown, job);
      return { ...text, delayMs: Math.round(delayMs) };
    } catch (error) {
      return describe(error);
    }
  }

  #wireOf(seq, run) {
    return {
      send: (message) => {
        if (run.answered) console.error(`bulwark-processor: ${message.type} after the job's end`);
        else this.#channel.send({ ...message, seq });
      },
      moveToDelayed: (timestamp) => {
        run.due = Number(timestamp);
      },
      request: (method, params) => {
        if (run.answered) return Promise.reject(new Error(`${method}: the job has ended`));
        const req = ++this.#lastRequest;
        this.#channel.send({ type: 'request', seq, req, method, params });
        return new Promise((resolve, reject) => this.#requests.set(req, { resolve, reject }));
      },
    };
  }

  #settle({ req, result, error, name }) {
    const waiting = this.#requests.get(req);
    this.#requests.delete(req);
    if (error === undefined || error === null) waiting?.resolve(result);
    else waiting?.reject(refusal(typeof error === 'string' ? error : error.message, name));
  }

  #leaveIfIdle() {
    if (!this.#closing || this.#running.size > 0) return;
    this.#channel.flush();
    process.exit(0); // whatever the processor still holds open
  }
}
