// processors.mjs --bulwark PROGRAM [--jobs N] [--rounds N] [--concurrency N] [--processes N]
//
// A processor of Node that does nothing, behind bulwark in a few processes and in BullMQ's own sandbox (one
// process a job at once), in turn on one private Redis; called by scripts/bench. A run warms the programs up,
// measures how fast a backlog is worked off, and then how long single jobs take from their add to their end.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

import { bullmq, Redis } from '../peer/peer.mjs';
import { freePort, startProcess, startRedis, until } from '../peer/server.mjs';
import { cpuModel } from './process.mjs';

const QUEUE = 'bench';
const SINGLES = 100;
const PATIENCE_MS = 120000;
const at = (file) => fileURLToPath(new URL(file, import.meta.url));

function options() {
    const { values } = parseArgs({
        options: {
            bulwark: { type: 'string' },
            jobs: { type: 'string', default: '4000' },
            rounds: { type: 'string', default: '3' },
            concurrency: { type: 'string', default: '32' },
            processes: { type: 'string', default: '4' },
        },
    });
    const numbers = Object.entries(values)
        .filter(([name]) => name !== 'bulwark')
        .map(([name, text]) => {
            if (!/^[1-9]\d*$/.test(text))
                throw new Error(`--${name} must be a whole number above 0`);
            return [name, Number(text)];
        });
    return { bulwark: values.bulwark, ...Object.fromEntries(numbers) };
}

/** How to start a worker on the queue. */
function contenders({ bulwark, concurrency, processes }, url, folder) {
    const shim = at('../../worker/shims/node/bin/bulwark-processor');
    return {
        BullMQ: async () => [
            process.execPath,
            [at('node_sandbox.mjs'), url, QUEUE, String(concurrency)],
        ],
        bulwark: async () => {
            const config = path.join(folder, 'bulwark.json');
            const handler = { exec: [shim, at('noop_processor.cjs')], processes };
            writeFileSync(
                config,
                JSON.stringify({
                    redis: { url },
                    http: { listen: `127.0.0.1:${await freePort()}` },
                    queues: [{ name: QUEUE, handler, concurrency }],
                }),
            );
            return [bulwark, ['run', '--config', config]];
        },
    };
}

function median(numbers) {
    const sorted = [...numbers].sort((a, b) => a - b);
    const middle = sorted.length >> 1;
    return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

const done = (queue, count) =>
    until(async () => (await queue.getCompletedCount()) >= count, `${count} jobs`, PATIENCE_MS);

/** Milliseconds from the first start to the last end of a backlog. */
async function backlog(redis, queue, jobs) {
    await queue.pause();
    const added = await queue.addBulk(
        Array.from({ length: jobs }, (_, n) => ({ name: 'noop', data: { n } })),
    );
    const before = await queue.getCompletedCount();
    await queue.resume();
    await done(queue, before + jobs);
    const times = await Promise.all(
        [added[0], added.at(-1)].map(({ id }) =>
            redis.hmget(`bull:${QUEUE}:${id}`, 'processedOn', 'finishedOn'),
        ),
    );
    const [, last] = await redis.zrange(`bull:${QUEUE}:completed`, -1, -1, 'WITHSCORES');
    return Number(last) - Number(times[0][0]);
}

async function single(queue) {
    const before = await queue.getCompletedCount();
    const start = process.hrtime.bigint();
    await queue.add('noop', {});
    await done(queue, before + 1);
    return Number(process.hrtime.bigint() - start) / 1e6;
}

async function run(redis, queue, [command, args], { jobs, concurrency }) {
    const child = startProcess(command, args, {
        stdio: ['ignore', 'ignore', 'inherit'],
        env: { ...process.env, BULWARK_LOG_LEVEL: 'warning' },
    });
    try {
        await backlog(redis, queue, concurrency * 4); // starts and warms the programs
        const ms = await backlog(redis, queue, jobs);
        const singles = [];
        for (let i = 0; i < SINGLES; i++) singles.push(await single(queue));
        return { rate: (jobs / ms) * 1000, latency: median(singles) };
    } finally {
        child.kill('SIGTERM');
        await child.exited;
        await queue.obliterate({ force: true });
    }
}

const row = (round, name, { rate, latency }) =>
    `${round.padEnd(10)}${name.padEnd(10)}${rate.toFixed(0).padStart(8)}${latency.toFixed(2).padStart(14)}`;

async function main() {
    const opts = options();
    const server = await startRedis();
    const folder = mkdtempSync(path.join(tmpdir(), 'bulwark-bench-'));
    process.once('exit', () => rmSync(folder, { recursive: true, force: true }));
    const redis = new Redis(server.url(0), { maxRetriesPerRequest: null });
    const { Queue } = await bullmq('6');
    const queue = new Queue(QUEUE, { connection: redis });
    console.log(
        `${opts.jobs} jobs, concurrency ${opts.concurrency}, ${opts.processes} processes behind bulwark;` +
            ` Node ${process.versions.node}; ${cpuModel()}\n`,
    );
    console.log(`${''.padEnd(20)}  jobs/s    ms a single job`);
    const programs = contenders(opts, server.url(0), folder);
    const runs = { BullMQ: [], bulwark: [] };
    for (let round = 1; round <= opts.rounds; round++) {
        for (const [name, command] of Object.entries(programs)) {
            runs[name].push(await run(redis, queue, await command(), opts));
            console.log(row(`round ${round}`, name, runs[name].at(-1)));
        }
    }
    const middle = ([rate, latency]) => ({ rate: median(rate), latency: median(latency) });
    const [node, ours] = ['BullMQ', 'bulwark'].map((name) =>
        middle([runs[name].map((r) => r.rate), runs[name].map((r) => r.latency)]),
    );
    console.log(`\n${row('median', 'BullMQ', node)}\n${row('median', 'bulwark', ours)}`);
    console.log(
        `\nbulwark does ${(ours.rate / node.rate).toFixed(2)} × the jobs a second of BullMQ's sandbox;` +
            ` a single job takes ${(ours.latency / node.latency).toFixed(2)} of its time.`,
    );
    await queue.close();
    redis.disconnect();
    await server.stop();
}

await main();
process.exit(0);
