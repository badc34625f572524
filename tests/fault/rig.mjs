// What the fault tests share: a Redis that can be stopped and come back with its data, the daemon
// from outside, and a runner with a summary.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { request } from 'node:http';
import { tmpdir } from 'node:os';
import path from 'node:path';

import { bullmq, Redis } from '../peer/peer.mjs';
import { freePort, startProcess, until } from '../peer/server.mjs';

export { freePort, until };
export const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

const BIN = process.env.BULWARK_BIN;
if (!BIN) {
    console.error('BULWARK_BIN must name the program under test');
    process.exit(2);
}
// Sanitizers make the program slower.
export const SLOWNESS = process.env.BULWARK_SANITIZE ? 4 : 1;
// A busy machine, and a program that is slow, make everything late: deadlines of the tests are stretched.
export const PATIENCE = process.env.BULWARK_SANITIZE ? 8 : 4;
// What users are promised is held to the word where a test has the machine for itself.
export const PROMISE = process.env.BULWARK_ALONE ? SLOWNESS : PATIENCE;

const folder = mkdtempSync(path.join(tmpdir(), 'bulwark-fault-'));
process.once('exit', () => rmSync(folder, { recursive: true, force: true }));

/** A redis-server that keeps what it acknowledged: stop() and start() as often as needed. */
export class PersistentRedis {
    /** `args`: further ones of the server. */
    static async create(args = []) {
        const redis = new PersistentRedis();
        redis.port = await freePort();
        redis.args = args;
        redis.folder = mkdtempSync(path.join(folder, 'redis-'));
        await redis.start();
        return redis;
    }

    get url() {
        return `redis://127.0.0.1:${this.port}/0`;
    }

    get connection() {
        return { host: '127.0.0.1', port: this.port };
    }

    async start() {
        this.child = startProcess(process.env.REDIS_SERVER ?? 'redis-server', ['--port', String(this.port), '--bind',
            '127.0.0.1', '--dir', this.folder, '--save', '', '--appendonly', 'yes',
            '--appendfsync', 'always', '--maxmemory-policy', 'noeviction', ...this.args],
            { stdio: ['ignore', 'ignore', 'inherit'] });
        const probe = new Redis(this.port, '127.0.0.1', { retryStrategy: () => 20 });
        probe.on('error', () => {}); // refused until it listens
        const info = () => probe.info('persistence').catch(() => ''); // not yet
        await until(async () => (await info()).includes('loading:0'), 'Redis');
        probe.disconnect();
    }

    async stop() {
        this.child.kill('SIGTERM');
        await this.child.exited;
    }

    signal(name) {
        this.child.kill(name);
    }

    /** A replica of the server at this port from now on; returns once it is in step, and its file, too. */
    async follow(port) {
        const client = new Redis(this.port, '127.0.0.1');
        await client.call('replicaof', '127.0.0.1', port);
        await until(async () => {
            const info = await client.info();
            return ['master_link_status:up', 'aof_rewrite_in_progress:0', 'aof_rewrite_scheduled:0', 'aof_enabled:1']
                .every((line) => info.includes(line));
        }, 'a replica', 30000 * PATIENCE);
        client.disconnect();
    }

    /** Until what it was told so far is with its replica. */
    async replicated() {
        const client = new Redis(this.port, '127.0.0.1');
        await until(async () => await client.wait(1, 1000) === 1, 'the replica', 30000 * PATIENCE);
        client.disconnect();
    }

    async promote() {
        const client = new Redis(this.port, '127.0.0.1');
        await client.call('replicaof', 'no', 'one');
        client.disconnect();
    }
}

/** `bulwark` with these arguments, until it ends: {code, stdout, stderr}. */
export async function bulwark(args, env = {}) {
    const child = startProcess(BIN, args, { env: { PATH: process.env.PATH, ...env } });
    const out = { stdout: '', stderr: '' };
    child.stdout.on('data', (data) => (out.stdout += data));
    child.stderr.on('data', (data) => (out.stderr += data));
    return { code: await child.exited, ...out };
}

let files = 0;
export function writeConfig(config) {
    const file = path.join(folder, `config-${files++}.json`);
    writeFileSync(file, typeof config === 'string' ? config : JSON.stringify(config));
    return file;
}

/** A running daemon and its log. */
export class Daemon {
    /** `program` is the one under test, or an installed copy. */
    static start(config, args = [], program = BIN, env = {}) {
        const daemon = new Daemon();
        daemon.file = writeConfig(config);
        daemon.lines = [];
        daemon.child = startProcess(program, ['run', '--config', daemon.file, '--log-format', 'json',
            ...args], { stdio: ['ignore', 'inherit', 'pipe'], env: { PATH: process.env.PATH, ...env } });
        daemon.exited = daemon.child.exited;
        let rest = '';
        daemon.child.stderr.on('data', (data) => {
            const lines = (rest + data).split('\n');
            rest = lines.pop();
            for (const line of lines)
                daemon.take(line);
        });
        return daemon;
    }

    take(line) {
        try {
            this.lines.push(JSON.parse(line));
        } catch {
            this.lines.push({ level: 'raw', message: line }); // a sanitizer speaks
            console.error(line);
        }
    }

    rewrite(config) {
        writeFileSync(this.file, JSON.stringify(config));
    }

    signal(name) {
        this.child.kill(name);
    }

    /** The first log line with this message from line `from` on. */
    logged(message, from = 0) {
        return until(() => this.lines.slice(from).find((line) => line.message === message),
            `the log line "${message}"`, 10000 * PATIENCE);
    }

    async http(method, target, headers = {}) {
        const { listen } = await this.logged('status server listens');
        const [host, port] = listen.split(/:(?=\d+$)/);
        return new Promise((resolve, reject) => {
            const call = request({ host, port, method, path: target, headers, agent: false },
                (response) => {
                    let text = '';
                    response.on('data', (data) => (text += data));
                    response.on('end', () => resolve({ status: response.statusCode,
                        type: response.headers['content-type'], headers: response.headers, text,
                        get json() { return JSON.parse(text); } }));
                });
            call.on('error', reject);
            call.end();
        });
    }

    /** Exit code, or the signal that ended it; throws when it takes longer than `ms`. */
    async ended(ms) {
        const late = Symbol('late');
        const code = await Promise.race([this.exited, sleep(ms).then(() => late)]);
        if (code === late) {
            this.signal('SIGKILL');
            throw new Error(`did not end within ${ms} ms`);
        }
        return code;
    }
}

/** A configuration with one queue `q` on `redis`. */
export function oneQueue(redis, queue = {}, rest = {}) {
    return { redis: { url: redis.url }, http: { listen: '127.0.0.1:0' },
        queues: [{ name: 'q', handler: 'noop', concurrency: 50, ...queue }], ...rest };
}

export async function openQueue(redis, name = 'q') {
    const { Queue } = await bullmq('6');
    const queue = new Queue(name, { connection: { ...redis.connection, maxRetriesPerRequest: null,
        retryStrategy: () => 50 } });
    queue.on('error', () => {}); // Redis is taken away on purpose
    await queue.waitUntilReady();
    return queue;
}

export function addJobs(queue, count, opts = {}) {
    return queue.addBulk(Array.from({ length: count },
        (_, i) => ({ name: 'job', data: { i }, opts })));
}

/** How often each job is named by an event of this kind. */
export async function eventCounts(redis, kind, name = 'q') {
    const client = new Redis(redis.port, '127.0.0.1');
    const counts = new Map();
    for (const [, fields] of await client.xrange(`bull:${name}:events`, '-', '+')) {
        const event = Object.fromEntries(fields.flatMap((f, i) => (i % 2 ? [] : [[f, fields[i + 1]]])));
        if (event.event === kind)
            counts.set(event.jobId, (counts.get(event.jobId) ?? 0) + 1);
    }
    client.disconnect();
    return counts;
}

export async function keys(redis, pattern) {
    const client = new Redis(redis.port, '127.0.0.1');
    const found = await client.keys(pattern);
    client.disconnect();
    return found;
}

const tests = [];
export const test = (name, run) => tests.push({ name, run });

/** Runs every test, then `after`, prints a summary, ends the program. An argument picks tests by a part of
 *  their name. */
export async function runAll(after = () => {}) {
    let failed = 0;
    const picked = tests.filter(({ name }) => name.includes(process.argv[2] ?? ''));
    for (const { name, run } of picked) {
        const start = Date.now();
        const cleanups = [];
        try {
            await run((cleanup) => cleanups.push(cleanup));
            console.log(`ok      ${name} (${Date.now() - start} ms)`);
        } catch (error) {
            failed++;
            console.log(`FAILED  ${name}: ${error.stack}`);
        }
        for (const cleanup of cleanups.reverse())
            await Promise.resolve(cleanup()).catch(() => {});
    }
    await after();
    console.log(`${picked.length - failed} of ${picked.length} passed`);
    process.exit(failed || !picked.length ? 1 : 0);
}
