// node_worker.mjs LINE
//
// BullMQ's Worker as a process. A line of JSON on stdin is a configuration:
//   {"redis", "prefix", "queue", "gates", "options", "add"}
// With "add" (a list of {name, data, opts}) it adds these jobs and prints the list of their ids (null
// where one was refused). Otherwise it prints "ready" and works until a line "stop" ("leave":
// by force) or the end of stdin; then it prints "stopping" once it takes no more jobs, and "stopped", and can be
// configured again: starting Node costs more than most scenarios.
// peer_worker.c speaks the same, but serves one configuration and stops at the end of stdin only.
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

async function work(library, config, connection, next) {
    const worker = new library.Worker(
        config.queue,
        processor(library, () => worker, config.gates),
        {
            settings: {
                backoffStrategy: (n, type, error) =>
                    error instanceof CustomBackoff ? error.ms : 0,
            },
            ...config.options,
            connection,
            prefix: config.prefix,
        },
    );
    worker.on('error', (error) => process.stderr.write(`${error.message}\n`));
    await worker.waitUntilReady();
    process.stdout.write('ready\n');
    const closed = worker.close((await next()) === 'leave');
    process.stdout.write('stopping\n');
    await closed;
    process.stdout.write('stopped\n');
}

const library = await bullmq(process.argv[2]);
const lines = readline.createInterface({ input: process.stdin })[Symbol.asyncIterator]();
const next = async () => (await lines.next()).value;
for (let line = await next(); line !== undefined; line = await next()) {
    const config = JSON.parse(line);
    const connection = new Redis(config.redis, { maxRetriesPerRequest: null });
    if (config.add !== undefined) await add(library, config, connection);
    else await work(library, config, connection, next);
    await connection.quit();
}
process.exit(0);
