// workflow.mjs --bulwark PROGRAM [--messages N] [--people N] [--shops N] [--concurrency N] [--check]
//
// The workflow engine on the reference mix: 70 % callbacks and messages of known users, 20 % resumes of
// waiting executions, 10 % users never seen before. A producer written with BullMQ, one bulwark, a private
// Redis, a private PostgreSQL and the stand-in for the Bot API share this machine; called by scripts/bench.
//
// First a few people talk alone, so that each message's round trips to the database are known; then all
// at once. --check exits with 1 when a warm message takes more than 2 round trips in the mean, a cold one
// more than 5, or the caches answer less than 90 % of what they are asked. These are counts: they are the
// same on every machine.
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

import { Postgres } from '../fault/postgres.mjs';
import { bullmq, Redis } from '../peer/peer.mjs';
import { freePort, startProcess, startRedis, until } from '../peer/server.mjs';
import { cpuModel, cpuMs, peakMb } from './process.mjs';

const file = (name) => fileURLToPath(new URL(name, import.meta.url));
const QUEUE = 'workflow-processing';
const PATIENCE_MS = 60000;
const WARM = 2;
const COLD = 5;
const HITS = 90;

function options() {
    const { values } = parseArgs({
        options: {
            bulwark: { type: 'string', default: process.env.BULWARK_BIN },
            messages: { type: 'string', default: '20000' },
            people: { type: 'string', default: '200' }, // who talk at the same time
            shops: { type: 'string', default: '10' },
            concurrency: { type: 'string', default: '64' },
            check: { type: 'boolean', default: false },
        },
    });
    const numbers = ['messages', 'people', 'shops', 'concurrency'].map((name) => {
        const number = Number(values[name]);
        if (!Number.isInteger(number) || number < 1)
            throw new Error(`--${name} must be a whole number above 0`);
        return [name, number];
    });
    if (!values.bulwark) throw new Error('--bulwark must name the program');
    return { ...values, ...Object.fromEntries(numbers) };
}

// --- who says what: ten messages each, one new, two that resume a wait, seven others

const CUSTOMER = [
    { text: '/start', cold: true },
    { press: 'level' }, // resumes the menu
    { text: '/help' },
    { press: 'level' },
    { text: 'promo' },
    { text: 'XMAS' }, // resumes the question
    { text: '/help' },
    { press: 'account' },
    { text: 'hello again' },
    { press: 'spend:50' },
];
const STRANGER = [
    { text: '/start', cold: true },
    { contact: true, cold: true }, // resumes; the account is found and linked
    { text: '/start' },
    { press: 'level' }, // resumes the menu
    { text: '/help' },
    { press: 'account' },
    { press: 'level' },
    { text: 'hello again' },
    { text: '/help' },
    { press: 'level' },
];
const EVERY_STRANGER = 4;

const isStranger = (i) => i % EVERY_STRANGER === EVERY_STRANGER - 1;

/** Person i: shop 0 belongs to those who talk alone. */
function person(i, shop) {
    const stranger = isStranger(i);
    return {
        id: `user-${i}`,
        shop,
        chat: 700000000 + i,
        phone: String(79000000000 + i),
        stranger,
        steps: stranger ? STRANGER : CUSTOMER,
    };
}

let lastUpdate = 1000;

function updateOf({ chat, phone }, step) {
    const update_id = ++lastUpdate;
    const from = { id: chat, is_bot: false, first_name: 'Ann', username: `ann${chat}` };
    const message = {
        message_id: update_id,
        date: Math.floor(Date.now() / 1000),
        from,
        chat: { id: chat, first_name: 'Ann', type: 'private' },
    };
    if (step.press !== undefined)
        return {
            update_id,
            callback_query: {
                id: String(update_id),
                chat_instance: '1',
                data: step.press,
                from,
                message,
            },
        };
    if (step.contact)
        return {
            update_id,
            message: {
                ...message,
                contact: { phone_number: phone, first_name: 'Ann', user_id: chat },
            },
        };
    return { update_id, message: { ...message, text: step.text } };
}

function jobData(someone, step) {
    const start = step.text === '/start' ? 'start' : 'message';
    return {
        type: 'heavy_workflow_execution',
        projectId: `shop-${someone.shop}`,
        executionId: randomUUID(),
        context: { update: updateOf(someone, step) },
        trigger: step.press !== undefined ? 'callback' : start,
        timestamp: Date.now(),
    };
}

// --- what they find

const quoted = (value) => `'${JSON.stringify(value).replace(/'/g, "''")}'`;

function shopRows(i, workflow) {
    const [id, flow] = [`'shop-${i}'`, `'flow-${i}'`];
    return `insert into projects (id, name, webhook_secret, updated_at)
        values (${id}, 'Shop', 'secret-${i}', now());
        insert into bot_settings (id, project_id, bot_token, bot_username, updated_at)
        values ('bot-${i}', ${id}, '${900 + i}:AAA', 'bot${i}', now());
        insert into bonus_levels (id, project_id, name, min_amount, bonus_percent, payment_percent, "order",
            updated_at) values ('level-${i}', ${id}, 'Серебряный', 0, 5, 30, 0, now());
        insert into workflows (id, project_id, name, is_active, connections, updated_at)
        values (${flow}, ${id}, 'Loyalty', true, ${quoted(workflow.connections)}, now());
        insert into workflow_versions (id, workflow_id, version, nodes, entry_node_id, variables,
            is_active, created_at)
        values ('version-${i}', ${flow}, 1, ${quoted(workflow.nodes)}, '${workflow.entryNodeId}',
            ${quoted(workflow.variables)}, true, now() at time zone 'UTC' - interval '1 day');`;
}

function personRows({ id, shop, chat, phone, stranger }) {
    return `insert into users (id, project_id, first_name, phone, telegram_id, is_active, updated_at)
        values ('${id}', 'shop-${shop}', 'Ann', '+${phone}', ${stranger ? 'null' : chat}, ${!stranger}, now());
        insert into bonuses (id, user_id, amount, type, description)
        values ('bonus-${id}', '${id}', 500, 'PURCHASE', 'Purchase');`;
}

function fill(pg, shops, people) {
    const workflow = JSON.parse(
        readFileSync(file('../../scripts/demo.d/workflows/loyalty.json'), 'utf8'),
    );
    pg.sql(
        [
            "set timezone = 'UTC'; begin;",
            ...Array.from({ length: shops }, (_, i) => shopRows(i, workflow)),
            ...people.map(personRows),
            'commit; analyze;',
        ].join('\n'),
    );
}

// --- the programs

async function startApi() {
    const args = [file('../support/bot-api.mjs'), '--port', '0', '--keep', '100', '--with-stdin'];
    const child = startProcess(process.execPath, args, { stdio: ['pipe', 'pipe', 'inherit'] });
    const [line] = await once(child.stdout, 'data');
    return { child, url: `http://127.0.0.1:${JSON.parse(line).port}` };
}

async function startWorker(opts, { redis, pg, api, folder }) {
    const http = `127.0.0.1:${await freePort()}`;
    const config = path.join(folder, 'bulwark.json');
    writeFileSync(
        config,
        JSON.stringify({
            redis: { url: redis.url() },
            database: { url: pg.url },
            telegram: { apiUrl: api.url },
            http: { listen: http },
            queues: [{ name: QUEUE, handler: 'workflow', concurrency: opts.concurrency }],
            workflow: { 'ratelimit.bot': 1000000, 'ratelimit.user': 1000000 },
        }),
    );
    const child = startProcess(opts.bulwark, ['run', '--config', config], {
        stdio: ['ignore', 'ignore', 'inherit'],
        env: { PATH: process.env.PATH, BULWARK_LOG_LEVEL: 'error' },
    });
    const ask = (target) => fetch(`http://${http}${target}`);
    const ready = () =>
        ask('/readyz').then(
            (answer) => answer.ok,
            () => false,
        );
    await until(() => child.exitCode !== null || ready(), 'the worker');
    const figures = async () =>
        (await (await ask('/status')).json()).queues.find(({ name }) => name === QUEUE).figures;
    return { child, figures };
}

/** Adds a message and waits for its end; it must return true. */
class Producer {
    constructor({ Queue, QueueEvents }, url) {
        const connection = new Redis(url, { maxRetriesPerRequest: null });
        this.queue = new Queue(QUEUE, { connection });
        this.events = new QueueEvents(QUEUE, { connection, lastEventId: '0-0' });
        this.waiting = new Map();
        this.early = new Map();
        this.events.on('completed', ({ jobId, returnvalue }) => this.end(jobId, returnvalue));
        this.events.on('failed', ({ jobId, failedReason }) => this.end(jobId, failedReason));
    }

    end(id, outcome) {
        const done = this.waiting.get(id);
        this.waiting.delete(id);
        if (done === undefined) this.early.set(id, outcome);
        else done(outcome);
    }

    async say(someone, step) {
        const job = await this.queue.add('heavy_workflow_execution', jobData(someone, step), {
            attempts: 3,
            removeOnComplete: { count: 100 },
            removeOnFail: { count: 100 },
        });
        const outcome = await new Promise((resolve, reject) => {
            if (this.early.has(job.id)) {
                resolve(this.early.get(job.id));
                this.early.delete(job.id);
                return;
            }
            const timer = setTimeout(() => reject(new Error(`job ${job.id} never ended`)), PATIENCE_MS);
            this.waiting.set(job.id, (value) => {
                clearTimeout(timer);
                resolve(value);
            });
        });
        if (outcome !== true)
            throw new Error(`${JSON.stringify(step)} of chat ${someone.chat} ended with ${outcome}`);
    }
}

// --- measuring

const sum = (object) => Object.values(object ?? {}).reduce((a, b) => a + b, 0);
const trips = (figures) => figures.workflow_db_round_trips;

/** Round trips of each message of people who talk one after the other. */
async function alone(people, producer, worker) {
    const costs = [];
    for (const someone of people)
        for (const step of someone.steps) {
            const before = trips(await worker.figures());
            await producer.say(someone, step);
            costs.push({ step, trips: trips(await worker.figures()) - before });
        }
    return costs;
}

/** All people, `atOnce` of them at the same time, each message after the answer to the one before. */
async function together(people, atOnce, producer) {
    const left = [...people];
    const talk = async () => {
        for (let someone = left.shift(); someone !== undefined; someone = left.shift())
            for (const step of someone.steps) await producer.say(someone, step);
    };
    await Promise.all(Array.from({ length: atOnce }, talk));
}

function difference(after, before) {
    const classes = Object.keys(after.workflow_cache_hits);
    const diff = (name, key) => after[name][key] - (before[name]?.[key] ?? 0);
    return {
        trips: trips(after) - trips(before),
        classes: classes.map((key) => {
            const [hits, misses] = [diff('workflow_cache_hits', key), diff('workflow_cache_misses', key)];
            return { key, hits, asked: hits + misses };
        }),
    };
}

function rate(rows) {
    return (100 * sum(rows.map(({ hits }) => hits))) / sum(rows.map(({ asked }) => asked));
}

const name = (step) => step.text ?? step.press ?? 'contact';

function tellAlone(costs) {
    const [cold, warm] = [true, false].map((is) =>
        costs.filter(({ step }) => (step.cold ?? false) === is).map((cost) => cost.trips),
    );
    const mean = sum(warm) / warm.length;
    console.log(
        `one by one      ${costs.map((cost) => `${name(cost.step)} ${cost.trips}`).join(', ')}\n` +
            `                warm: ${mean.toFixed(2)} round trips in the mean, ${Math.max(...warm)} at most;` +
            ` cold: ${(sum(cold) / cold.length).toFixed(2)} in the mean, ${Math.max(...cold)} at most`,
    );
    return { warm: mean, cold: Math.max(...cold) };
}

function tellMix(mix, messages, seconds, used) {
    const classes = mix.classes
        .filter(({ asked }) => asked > 0)
        .map((row) => `${row.key} ${rate([row]).toFixed(1)} % of ${row.asked}`);
    console.log(
        `all at once     ${messages} messages in ${seconds.toFixed(1)} s: ${(messages / seconds).toFixed(0)} a second,` +
            ` ${((60 * messages) / seconds).toFixed(0)} a minute\n` +
            `worker          ${((used * 1000) / messages).toFixed(0)} µs of CPU a message\n` +
            `database        ${(mix.trips / messages).toFixed(2)} round trips a message\n` +
            `caches          ${rate(mix.classes).toFixed(1)} % hits: ${classes.join(', ')}`,
    );
}

function verdict({ warm, cold }, hits) {
    const wrong = [
        [warm > WARM, `a warm message takes ${warm.toFixed(2)} round trips, more than ${WARM}`],
        [cold > COLD, `a cold message takes ${cold} round trips, more than ${COLD}`],
        [hits < HITS, `the caches hit ${hits.toFixed(1)} %, less than ${HITS} %`],
    ].filter(([is]) => is);
    wrong.forEach(([, what]) => console.log(`WRONG: ${what}`));
    return wrong.length === 0 ? 0 : 1;
}

async function main() {
    const opts = options();
    const folder = mkdtempSync(path.join(tmpdir(), 'bulwark-bench-'));
    process.once('exit', () => rmSync(folder, { recursive: true, force: true }));
    const count = Math.max(1, Math.round(opts.messages / CUSTOMER.length));
    const few = [person(0, 0), person(EVERY_STRANGER - 1, 0)];
    const many = Array.from({ length: count }, (_, i) =>
        person(i + EVERY_STRANGER, 1 + (i % opts.shops)),
    );
    const [redis, pg, api] = await Promise.all([startRedis(), Postgres.create(), startApi()]);
    fill(pg, opts.shops + 1, [...few, ...many]);
    const worker = await startWorker(opts, { redis, pg, api, folder });
    const producer = new Producer(await bullmq('6'), redis.url());
    await producer.events.waitUntilReady();
    console.log(
        `${count * CUSTOMER.length} messages of ${count} people, ${opts.people} at the same time, in ` +
            `${opts.shops} shops; concurrency ${opts.concurrency}; ${cpuModel()}\n`,
    );

    const single = tellAlone(await alone(few, producer, worker));
    const [before, cpu, start] = [await worker.figures(), cpuMs(worker.child.pid), Date.now()];
    await together(many, opts.people, producer);
    const seconds = (Date.now() - start) / 1000;
    const used = cpuMs(worker.child.pid) - cpu;
    const mix = difference(await worker.figures(), before);
    tellMix(mix, count * CUSTOMER.length, seconds, used);
    console.log(`memory          ${peakMb(worker.child.pid).toFixed(1)} MB at most`);

    worker.child.kill('SIGTERM');
    await worker.child.exited;
    await pg.stop();
    return opts.check ? verdict(single, rate(mix.classes)) : 0;
}

process.exit(await main());
