// node_worker.mjs LINE
//
// BullMQ's Worker as a process. One line of JSON on stdin is its configuration:
//   {"redis", "prefix", "queue", "gates", "options", "add"}
// With "add" (a list of {name, data, opts}) it adds these jobs, prints the list of their ids (null
// where one was refused) and ends. Otherwise it prints "ready" and works until stdin ends.
// peer_worker.c speaks the same.
import readline from 'node:readline';

import { bullmq, Redis } from '../peer/peer.mjs';
import { CustomBackoff, processor } from './interpreter.mjs';

async function add(library, config, connection) {
    const queue = new library.Queue(config.queue, { connection, prefix: config.prefix });
    const ids = [];
    for (const { name, data, opts } of config.add)
        ids.push(
            await queue.add(name, data, opts).then(
                (job) => job.id,
                () => null,
            ),
        );
    await queue.close();
    process.stdout.write(`${JSON.stringify(ids)}\n`);
}

async function work(library, config, connection, stdinEnd) {
    const worker = new library.Worker(
        config.queue,
        processor(library, () => worker, config.gates),
        {
            ...config.options,
            connection,
            prefix: config.prefix,
            settings: {
                backoffStrategy: (n, type, error) =>
                    error instanceof CustomBackoff ? error.ms : 0,
            },
        },
    );
    worker.on('error', (error) => process.stderr.write(`${error.message}\n`));
    await worker.waitUntilReady();
    process.stdout.write('ready\n');
    await stdinEnd;
    await worker.close();
}

const library = await bullmq(process.argv[2]);
const input = readline.createInterface({ input: process.stdin });
const stdinEnd = new Promise((resolve) => input.once('close', resolve));
const line = await new Promise((resolve) => input.once('line', resolve));
const config = JSON.parse(line);
const connection = new Redis(config.redis, { maxRetriesPerRequest: null });
if (config.add !== undefined) await add(library, config, connection);
else await work(library, config, connection, stdinEnd);
await connection.quit();
process.exit(0);
