// bulwark-processor [--concurrency N] FILE
//
// Runs the BullMQ processor in FILE for a queue of the worker daemon bulwark. --concurrency lowers
// the jobs that this program gets at once.
import { parseArgs } from 'node:util';

import { Channel } from './channel.mjs';
import { loadProcessor } from './load.mjs';
import { Session } from './session.mjs';

function die(code, message) {
  console.error(`bulwark-processor: ${message}`);
  process.exit(code);
}

function options() {
  try {
    const { values, positionals } = parseArgs({
      allowPositionals: true,
      options: { concurrency: { type: 'string' }, 'protocol-fd': { type: 'string', default: '1' } },
    });
    const concurrency = values.concurrency === undefined ? undefined : Number(values.concurrency);
    if (positionals.length !== 1) throw new Error('which file? bulwark-processor FILE');
    if (concurrency !== undefined && !(Number.isInteger(concurrency) && concurrency > 0))
      throw new Error('--concurrency: must be a whole number from 1 on');
    return { file: positionals[0], concurrency, fd: Number(values['protocol-fd']) };
  } catch (error) {
    return die(2, error.message);
  }
}

const { file, concurrency, fd } = options();
// Started without the shell wrapper stdout is the protocol's: what JavaScript prints goes elsewhere.
process.stdout.write = process.stderr.write.bind(process.stderr);

const processor = await loadProcessor(file).catch((error) => die(1, error.stack));
const channel = new Channel(fd);
const session = new Session(channel, processor, concurrency);
channel.receive(
  process.stdin,
  (message) => session.take(message),
  () => session.lost(),
);
