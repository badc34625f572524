// drain.mjs --bulwark PROGRAM [--jobs N] [--rounds N] [--concurrency N]
//
// How fast a backlog is worked off, BullMQ's Worker and ours in turn on one private Redis; called by
// scripts/bench. A run begins with the worker connected and idle on a paused queue that is full, and
// is measured from the resume: first job's processedOn to last job's finishedOn, CPU of the worker
// and of Redis in between, the worker's peak memory.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

import { bullmq, Redis } from '../peer/peer.mjs';
import { freePort, startProcess, startRedis, until } from '../peer/server.mjs';
import { cpuModel, cpuMs, peakMb } from './process.mjs';

const here = path.dirname(fileURLToPath(import.meta.url));
const QUEUE = 'bench';
const KEY = `bull:${QUEUE}:`;
const TEMPLATE_DB = 1;
const CHUNK = 1000;
const PATIENCE_MS = 120000;

function options() {
    const { values } = parseArgs({
        options: {
            bulwark: { type: 'string' },
            jobs: { type: 'string', default: '40000' },
            rounds: { type: 'string', default: '5' },
            concurrency: { type: 'string', default: '100' },
        },
    });
    const [jobs, rounds, concurrency] = ['jobs', 'rounds', 'concurrency'].map((name) => {
        const number = Number(values[name]);
        if (!Number.isInteger(number) || number < 1)
            throw new Error(`--${name} must be a whole number above 0`);
        return number;
    });
    return { bulwark: values.bulwark, jobs, rounds, concurrency };
}

/** The two contenders: how to start a worker on the queue. */
function contenders({ bulwark, concurrency }, url, folder) {
    return {
        BullMQ: async () => [
            process.execPath,
            [path.join(here, 'node_noop.mjs'), url, QUEUE, String(concurrency)],
        ],
        bulwark: async () => {
            const config = path.join(folder, 'bulwark.json');
            writeFileSync(
                config,
                JSON.stringify({
                    redis: { url },
                    http: { listen: `127.0.0.1:${await freePort()}` },
                    queues: [{ name: QUEUE, handler: 'noop', concurrency }],
                }),
            );
            return [bulwark, ['run', '--config', config]];
        },
    };
}

/** Adds the jobs once, on a database of their own; every run starts from a copy. */
async function makeTemplate(server, jobs) {
    const { Queue } = await bullmq('6');
    const connection = new Redis(server.url(TEMPLATE_DB), { maxRetriesPerRequest: null });
    const queue = new Queue(QUEUE, { connection });
    for (let i = 0; i < jobs; i += CHUNK) {
        const chunk = Array.from({ length: Math.min(CHUNK, jobs - i) }, (_, n) => ({
            name: 'noop',
            data: { n: i + n },
        }));
        await queue.addBulk(chunk);
    }
    await queue.pause();
    await queue.close();
    connection.disconnect();
}

async function refill(redis) {
    await redis.flushdb();
    await redis.select(TEMPLATE_DB);
    const keys = await redis.keys('*');
    for (let i = 0; i < keys.length; i += CHUNK) {
        const pipeline = redis.pipeline();
        for (const key of keys.slice(i, i + CHUNK)) pipeline.call('COPY', key, key, 'DB', 0);
        await pipeline.exec();
    }
    await redis.select(0);
}

async function info(redis, section, field) {
    return (await redis.info(section)).match(new RegExp(`^${field}:(.*?)\\r?$`, 'm'))[1];
}

async function redisCpuMs(redis) {
    return (
        1000 *
        (Number(await info(redis, 'cpu', 'used_cpu_user')) +
            Number(await info(redis, 'cpu', 'used_cpu_sys')))
    );
}

async function blocked(redis) {
    return Number(await info(redis, 'clients', 'blocked_clients')) > 0;
}

function usage(redis, pid) {
    return redisCpuMs(redis).then((redisMs) => ({ worker: cpuMs(pid), redis: redisMs }));
}

/** Lets the idle worker go and waits for the end of the backlog. */
async function measure(redis, child, jobs) {
    const before = await usage(redis, child.pid);
    await redis.multi().hdel(`${KEY}meta`, 'paused').zadd(`${KEY}marker`, 0, '0').exec();
    await until(
        async () => {
            if (child.exitCode !== null)
                throw new Error(`the worker ended early: ${child.exitCode}`);
            await new Promise((resolve) => setTimeout(resolve, 20));
            return (await redis.zcard(`${KEY}completed`)) >= jobs;
        },
        'the end of the backlog',
        PATIENCE_MS,
    );
    const after = await usage(redis, child.pid);
    const first = Number(await redis.hget(`${KEY}1`, 'processedOn'));
    const last = Number((await redis.zrange(`${KEY}completed`, -1, -1, 'WITHSCORES'))[1]);
    return {
        rate: (jobs / (last - first)) * 1000,
        worker: ((after.worker - before.worker) * 1000) / jobs,
        redis: ((after.redis - before.redis) * 1000) / jobs,
        memory: peakMb(child.pid),
    };
}

async function run(redis, [command, args], jobs) {
    await refill(redis);
    const child = startProcess(command, args, {
        stdio: ['ignore', 'ignore', 'inherit'],
        env: { ...process.env, BULWARK_LOG_LEVEL: 'warning' },
    });
    try {
        await until(() => child.exitCode !== null || blocked(redis), 'an idle worker');
        return await measure(redis, child, jobs);
    } finally {
        child.kill('SIGTERM');
        await child.exited;
    }
}

const COLUMNS = [
    ['rate', 'jobs/s', 0],
    ['worker', 'worker µs/job', 1],
    ['redis', 'Redis µs/job', 1],
    ['memory', 'peak MB', 1],
];

function line(round, name, figures) {
    const cells = COLUMNS.map(([key, title, digits]) =>
        figures[key].toFixed(digits).padStart(title.length + 2),
    );
    return `${round.padEnd(8)}${name.padEnd(9)}${cells.join('')}`;
}

function median(numbers) {
    const sorted = [...numbers].sort((a, b) => a - b);
    const middle = sorted.length >> 1;
    return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

function medians(runs) {
    return Object.fromEntries(COLUMNS.map(([key]) => [key, median(runs.map((r) => r[key]))]));
}

function summary(node, ours) {
    console.log(line('median', 'BullMQ', node));
    console.log(line('median', 'bulwark', ours));
    const ratio = (value) => value.toFixed(2);
    console.log(
        `\nbulwark does ${ratio(ours.rate / node.rate)} × the jobs a second of BullMQ, with` +
            ` 1/${ratio(node.worker / ours.worker)} of the worker CPU a job,` +
            ` ${ratio(ours.redis / node.redis)} of the Redis CPU a job` +
            ` and 1/${ratio(node.memory / ours.memory)} of the memory.`,
    );
}

async function main() {
    const opts = options();
    const server = await startRedis(['--databases', '2']);
    const folder = mkdtempSync(path.join(tmpdir(), 'bulwark-bench-'));
    process.once('exit', () => rmSync(folder, { recursive: true, force: true }));
    const redis = new Redis(server.url(0));
    const version = createRequire(import.meta.url)(
        '../peer/node_modules/bullmq/package.json',
    ).version;
    console.log(
        `${opts.jobs} jobs, concurrency ${opts.concurrency}, default retention; BullMQ ${version}` +
            ` on Node ${process.versions.node}; Redis ${await info(redis, 'server', 'redis_version')};` +
            ` ${cpuModel()}\n`,
    );
    await makeTemplate(server, opts.jobs);

    const runs = { BullMQ: [], bulwark: [] };
    const programs = contenders(opts, server.url(0), folder);
    console.log(`${''.padEnd(17)}${COLUMNS.map(([, title]) => `  ${title}`).join('')}`);
    for (let round = 0; round <= opts.rounds; round++) {
        for (const [name, command] of Object.entries(programs)) {
            const figures = await run(redis, await command(), opts.jobs);
            console.log(line(round === 0 ? 'warm-up' : `round ${round}`, name, figures));
            if (round > 0) runs[name].push(figures);
        }
    }
    console.log('');
    summary(medians(runs.BullMQ), medians(runs.bulwark));
    redis.disconnect();
    await server.stop();
}

await main();
process.exit(0);
