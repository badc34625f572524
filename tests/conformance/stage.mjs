// One run of a scenario on one side: a database, BullMQ's own Queue as the producer, and the
// workers of that side.
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import readline from 'node:readline';

import { Redis } from '../peer/peer.mjs';
import { startProcess, until } from '../peer/server.mjs';
import { LibraryClient } from './clients.mjs';
import { dump, mask } from './dump.mjs';
import { view } from './view.mjs';

const QUEUE = 'conf';
const EXIT_MS = 15000;

/** A worker program that waits for its configuration line; `again`: for another one once stopped. */
class WorkerProcess {
    constructor(command, again) {
        this.again = again;
        this.child = startProcess(command[0], command.slice(1), {
            stdio: ['pipe', 'pipe', 'inherit'],
        });
        this.child.stdin.on('error', () => {}); // it died: `exited` tells
        this.expected = [];
        readline.createInterface({ input: this.child.stdout }).on('line', (line) => {
            if (line === 'stopping') this.heard();
            else this.expected.shift()?.(line);
        });
    }

    /** Sends the configuration; resolves with the program's first line. */
    begin(config) {
        this.stopping = new Promise((resolve) => (this.heard = resolve));
        return this.say(JSON.stringify(config));
    }

    say(line) {
        const first = new Promise((resolve) => this.expected.push(resolve));
        this.child.stdin.write(`${line}\n`);
        const early = this.child.exited.then((code) => {
            throw new Error(`the worker program ended early: ${code}`);
        });
        early.catch(() => {});
        return Promise.race([first, early]);
    }

    /** Lets running jobs finish; throws unless the program ends well. */
    async stop() {
        const late = new Promise((resolve) => setTimeout(resolve, EXIT_MS, 'not at all').unref());
        if (this.again) {
            const said = await Promise.race([this.say('stop'), late]);
            if (said !== 'stopped') throw new Error(`the worker program stopped with ${said}`);
            return;
        }
        await this.end(late);
    }

    async end(late) {
        this.child.stdin.end();
        const code = await Promise.race([this.child.exited, late]);
        if (code !== 0) {
            this.child.kill('SIGKILL');
            throw new Error(`the worker program ended with ${code}`);
        }
    }

    async leave() {
        if (this.again && (await this.say('leave')) !== 'stopped')
            throw new Error('the worker program did not leave');
        await this.kill(); // the handler may wait for ever
    }

    async kill() {
        this.child.kill('SIGKILL');
        await this.child.exited;
    }
}

/**
 * Who works: the command of its worker program, and the client that performs Stage.op(). A program that
 * serves one configuration after the other (`again`) is used again, of others one is kept warm.
 */
export class Side {
    constructor(name, command, database, { client = new LibraryClient(), again = false } = {}) {
        this.name = name;
        this.command = command;
        this.database = database;
        this.client = client;
        this.again = again;
        this.spares = [];
        this.warm();
    }

    warm() {
        if (this.spares.length === 0) this.spares.push(new WorkerProcess(this.command, this.again));
    }

    take() {
        this.warm();
        const program = this.spares.pop();
        if (!this.again) this.warm();
        return program;
    }

    async stop(program) {
        await program.stop();
        if (program.again) this.spares.push(program);
    }

    async end() {
        await Promise.all(this.spares.map((program) => program.kill()));
        await this.client.end();
    }
}

export class Stage {
    /** `line` is '6' or '5', `library` its module, `url` the side's database. */
    constructor(side, line, library, url) {
        this.side = side;
        this.line = line;
        this.library = library;
        this.url = url;
        this.redis = new Redis(url, { maxRetriesPerRequest: null });
        this.gates = mkdtempSync(path.join(tmpdir(), 'bulwark-gates-'));
        this.workers = [];
        this.prefix = 'bull';
        this.name = QUEUE;
        this.ignored = [];
        this.settles = true;
        this.since = Date.now();
        this.opened = [];
        this.queues = new Map();
        this.results = [];
    }

    connectionOptions() {
        return { connection: this.redis, prefix: this.prefix };
    }

    /** BullMQ's Queue of the line; `name` for a further queue. */
    queueOf(name) {
        const queue = new this.library.Queue(name, this.connectionOptions());
        queue.on('error', () => {}); // reported where it is awaited
        this.opened.push(queue);
        return queue;
    }

    /** The same Queue object each time. */
    queueNamed(name) {
        if (!this.queues.has(name)) this.queues.set(name, this.queueOf(name));
        return this.queues.get(name);
    }

    get queue() {
        return this.queueNamed(this.name);
    }

    get flows() {
        if (this.flowProducer === undefined) {
            this.flowProducer = new this.library.FlowProducer(this.connectionOptions());
            this.opened.push(this.flowProducer);
        }
        return this.flowProducer;
    }

    key(suffix, name = this.name) {
        return `${this.prefix}:${name}:${suffix}`;
    }

    /** Adds a job whose nth start runs steps[n - 1]; see interpreter.mjs. */
    add(name, steps, opts) {
        return this.queue.add(name, { do: steps }, opts);
    }

    /**
     * Performs an operation with the side's own library (ops_*.mjs, client_*.c). Resolves with
     * {ok: result} or {refused: number or true}, which is compared too.
     */
    async op(name, args = {}, queue = this.name) {
        const result = await this.side.client.run(this, name, queue, args);
        this.results.push([name, result]);
        return result;
    }

    config(more) {
        return {
            redis: this.url,
            prefix: this.prefix,
            queue: this.name,
            gates: this.gates,
            ...more,
        };
    }

    /** The side's own producer adds these; resolves with the ids, null where one was refused. */
    async produce(list) {
        const program = this.side.take();
        const line = await program.begin(this.config({ add: list }));
        await (program.again ? this.side.spares.push(program) : program.stop());
        return JSON.parse(line);
    }

    /**
     * Starts a worker of the side, options in BullMQ's spelling. The end of it: stop() waits for running
     * jobs, kill() is that of the process, leave() is BullMQ's close by force. (Ours hands its jobs back
     * when its time is up; to leave them it must be killed.)
     */
    async start(options = {}, queue = this.name) {
        const program = this.side.take();
        this.workers.push(program);
        await program.begin(this.config({ options, queue }));
        return {
            stop: () => this.side.stop(this.drop(program)),
            stopping: program.stopping, // it was told, and takes no more jobs
            kill: () => this.drop(program).kill(),
            leave: () => this.drop(program).leave(),
        };
    }

    drop(program) {
        this.workers = this.workers.filter((other) => other !== program);
        return program;
    }

    open(gate) {
        writeFileSync(path.join(this.gates, gate), '');
    }

    shut(gate) {
        if (existsSync(path.join(this.gates, gate))) rmSync(path.join(this.gates, gate));
    }

    until(condition, what) {
        return until(condition, `${what} (${this.side.name})`);
    }

    async count(event, name = this.name) {
        const entries = await this.redis.xrange(this.key('events', name), '-', '+');
        return entries.filter(([, fields]) => fields[1] === event).length;
    }

    /** Waits until `n` of this event were written. */
    seen(event, n = 1, name = this.name) {
        return this.until(async () => (await this.count(event, name)) >= n, `${n} × ${event}`);
    }

    /** Waits until `n` jobs are completed or finally failed. */
    finished(n, name = this.name) {
        return this.until(
            async () =>
                (await this.count('completed', name)) + (await this.count('failed', name)) >= n,
            `${n} finished jobs`,
        );
    }

    /** Waits for an idle worker to have consumed the markers. */
    async settle() {
        if (!this.settles || this.workers.length === 0) return;
        const marker = this.key('marker');
        await this.until(async () => !(await this.redis.exists(marker)), 'an idle worker');
    }

    /** The keys masked, and what BullMQ's own objects make of them. */
    async result(extra) {
        await this.settle();
        // Before the view: asking BullMQ for a list of states may touch keys.
        const raw = await dump(this.redis);
        const keys = mask(raw, {
            since: this.since,
            ignore: this.ignored,
            results: this.results,
            seen: await view(this.queue),
        });
        if (extra !== undefined) keys['(result)'] = { value: extra, pttl: -1 };
        return keys;
    }

    async end() {
        const ends = await Promise.allSettled(
            this.workers.map((worker) => this.side.stop(worker)),
        );
        await Promise.allSettled(this.opened.map((object) => object.close()));
        await this.redis.flushdb();
        this.redis.disconnect();
        rmSync(this.gates, { recursive: true, force: true });
        const failed = ends.find((end) => end.status === 'rejected');
        if (failed) throw failed.reason;
    }
}
