// Newline-delimited JSON over file descriptors: lines come in from stdin, go out in batches.
import { writeSync } from 'node:fs';

const NEWLINE = 10;
const EAGAIN_PAUSE_MS = 1;
const pause = new Int32Array(new SharedArrayBuffer(4));

/** All of `text`, in order: a pipe that is full holds the program, which is what is wanted. */
function writeAll(fd, text) {
  let bytes = Buffer.from(text);
  while (bytes.length > 0) {
    try {
      bytes = bytes.subarray(writeSync(fd, bytes));
    } catch (error) {
      if (error.code !== 'EAGAIN') throw error;
      Atomics.wait(pause, 0, 0, EAGAIN_PAUSE_MS); // somebody made the descriptor non-blocking
    }
  }
}

export class Channel {
  #fd;
  #lines = [];
  #rest = []; // pieces of a line that has not ended

  constructor(fd) {
    this.#fd = fd;
  }

  /** Sent with everything else of this turn of the event loop. */
  send(message) {
    if (this.#lines.length === 0) setImmediate(() => this.flush());
    this.#lines.push(JSON.stringify(message));
  }

  flush() {
    if (this.#lines.length === 0) return;
    const text = `${this.#lines.join('\n')}\n`;
    this.#lines = [];
    try {
      writeAll(this.#fd, text);
    } catch (error) {
      console.error(`bulwark-processor: the worker is gone: ${error.message}`);
      process.exit(1);
    }
  }

  #feed(chunk, take) {
    let from = 0;
    for (let to; (to = chunk.indexOf(NEWLINE, from)) >= 0; from = to + 1) {
      this.#rest.push(chunk.subarray(from, to));
      const line = this.#rest.length === 1 ? this.#rest[0] : Buffer.concat(this.#rest);
      this.#rest = [];
      take(JSON.parse(line.toString()));
    }
    if (from < chunk.length) this.#rest.push(chunk.subarray(from));
  }

  /** `take` for each message, `ended` when the worker has closed its side. */
  receive(stream, take, ended) {
    stream.on('data', (chunk) => this.#feed(chunk, take));
    stream.once('end', ended);
  }
}
