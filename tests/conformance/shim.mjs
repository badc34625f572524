// One processor file of BullMQ's documented patterns, unchanged, on both sides: in the real Worker,
// and behind bulwark's exec handler and the Node shim. The keys left behind are compared whole.
import { createRequire } from 'node:module';
import { writeFileSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

import { bullmq, Redis } from '../peer/peer.mjs';
import { startProcess, startRedis, until } from '../peer/server.mjs';
import { compare, dump, mask } from './dump.mjs';

const here = (name) => fileURLToPath(new URL(name, import.meta.url));
const PROCESSOR = here('../peer/processors/steps.cjs');
const SHIM = here('../../worker/shims/node/bin/bulwark-processor');

const folder = mkdtempSync(path.join(tmpdir(), 'bulwark-shim-'));
process.once('exit', () => rmSync(folder, { recursive: true, force: true }));
const redis = await startRedis();
process.env.REDIS_PORT = String(redis.port); // what the processor file looks for
const connection = { host: '127.0.0.1', port: redis.port, maxRetriesPerRequest: null };
const { Queue, Worker } = await bullmq('6');

// So wide that only a processor's own rateLimit() is felt: without one a worker heeds none
// (lib/spec/bullmq.md §10.3).
const LIMITER = { max: 1000, duration: 5000 };

/** [job name, options, data]; one after the other, each until it has ended. */
const jobs = [
    ['progress', { attempts: 2 }, { text: 'Grüße 🔑' }],
    ['nothing'],
    ['retried', { attempts: 3, backoff: { type: 'fixed', delay: 20 } }],
    ['retried', { attempts: 3 }],
    ['failing', { attempts: 2 }],
    ['unrecoverable', { attempts: 5 }],
    ['subclass', { attempts: 5 }],
    ['delayed', { attempts: 2 }],
    ['waiting'],
    ['children'],
    ['tolerated'],
    ['spoilt', { attempts: 3, backoff: 10 }],
    ['limited'],
    ['limited', { priority: 3 }, { old: true }],
];

/** The real Worker with the file's function; resolves with how to stop it. */
async function startReference() {
    const processor = createRequire(import.meta.url)(PROCESSOR);
    const worker = new Worker('steps', processor, { connection, limiter: LIMITER });
    worker.on('error', (error) => console.error(`BullMQ: ${error.message}`));
    await worker.waitUntilReady();
    return () => worker.close();
}

async function startOurs() {
    const config = path.join(folder, 'bulwark.json');
    writeFileSync(config, JSON.stringify({ redis: { url: redis.url() }, http: { listen: 'off' },
        queues: [{ name: 'steps', limiter: LIMITER, handler: {
            exec: ['env', `REDIS_PORT=${redis.port}`, SHIM, PROCESSOR] } }] }));
    const daemon = startProcess(process.env.BULWARK_BIN, ['run', '--config', config],
        { stdio: ['ignore', 'inherit', 'inherit'], env: { PATH: process.env.PATH } });
    return async () => {
        daemon.kill('SIGTERM');
        const code = await daemon.exited;
        if (code !== 0) throw new Error(`the daemon ended with ${code}`);
    };
}

const kid = (job) => {
    if (job.data.bad) throw new Error('bad child');
    return { twice: job.data.value * 2 };
};

/** Plays all jobs in a fresh database; the masked keys. */
async function play(start) {
    const client = new Redis(redis.url(), { maxRetriesPerRequest: null });
    await client.flushall();
    const since = Date.now();
    const queue = new Queue('steps', { connection });
    const kids = new Worker('kid', kid, { connection });
    const stop = await start();
    for (const [name, opts = {}, data = {}] of jobs) {
        await kids.pause(); // the order of events must not hang on who is faster
        const job = await queue.add(name, data, opts);
        await until(async () => {
            const state = await job.getState();
            if (state === 'waiting-children' || name === 'spoilt') kids.resume();
            return ['completed', 'failed'].includes(state);
        }, `${name}, job ${job.id}`);
    }
    await stop();
    await kids.close();
    await queue.close();
    const result = mask(await dump(client), { since, ignore: ['meta', 'stalled-check', 'marker'] });
    client.disconnect();
    return result;
}

let failed = 1;
try {
    const theirs = await play(startReference);
    const ours = await play(startOurs);
    const hash = (id) => theirs[`bull:steps:${id}`].value;
    // The reference must have done what the patterns are about, or the comparison says nothing.
    for (const [id, text] of [[3, '"third time lucky"'], [8, '"finish"'], [9, '"again"'],
        [10, '{"bull:kid:kid-1":{"twice":2},"bull:kid:kid-2":{"twice":4}}'],
        [11, '{"bull:kid:kid-bad":"bad child"}'], [13, '"after the limit"'],
        [14, '"after the limit"']])
        if (hash(id).returnvalue !== text) throw new Error(`reference ${id}: ${hash(id).returnvalue}`);
    if (!/at least one failed child\. moveToWaitingChildren$/.test(hash(12).failedReason) || hash(12).atm !== '1')
        throw new Error(`reference 12: ${hash(12).failedReason}`); // BMQ-174
    const found = compare(ours, theirs);
    for (const line of found) console.log(`    ${line}`);
    failed = found.length;
    console.log(`${jobs.length} jobs, ${Object.keys(theirs).length} keys, ${failed} differences`);
} catch (error) {
    console.log(`FAILED  ${error.stack}`);
}
await redis.stop();
process.exit(failed ? 1 : 0);
