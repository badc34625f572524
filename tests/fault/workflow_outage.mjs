// Redis, PostgreSQL and the worker go away in every way amid conversations with a purchase each. What the
// database or Redis recorded as done is not done again: nothing is paid twice, and a message goes out twice
// (or is missing) only where its answer was never recorded, as telegram.unknown_sends says; those are counted
// by the execution's log, message by message. worker/workflow/spec/workflow.md §3.9, WF-163, WF-164, WF-165.
//
// A database that comes back older has lost what jobs that are over have written, and nobody else has it. What it
// had is read from it once it is gone: a conversation may end early, and a purchase be missing, only where the
// database had it and lost it; nothing is sent or paid again there either.
//   node workflow_outage.mjs [--chats 12] [--seed 1] [--faults 6]
// Each kind of fault comes once in the two tests of the short form.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { cpSync, rmSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import path from 'node:path';

import { installWorkflow, Postgres, startBotApi } from './postgres.mjs';
import { Daemon, openQueue, PATIENCE, PersistentRedis, runAll, sleep, test, until } from './rig.mjs';

const option = (name, otherwise) => {
    const at = process.argv.indexOf(name);
    return at < 0 ? otherwise : Number(process.argv.splice(at, 2)[1]);
};
const CHATS = option('--chats', 12);
const SEED = option('--seed', 1);
const FAULTS = option('--faults', 6);
const QUEUE = 'workflow-processing';
const LOCK_MS = 2000;
// Killed servers lose nothing that the kernel has: no need to wait for the disk.
const REDIS_ARGS = ['--repl-diskless-sync-delay', '0', '--appendfsync', 'no'];

/** Numbers from 0 to 1, the same for the same seed. */
function dice(seed) {
    let state = seed * 2654435761 % 4294967296;
    return () => {
        state = (state * 1664525 + 1013904223) % 4294967296;
        return state / 4294967296;
    };
}

const node = (id, type, config) => ({ id, type, data: { label: id, config: { [type]: config } } });
// Who answers a wait that the database has lost is asked what he means.
const other = [node('o', 'trigger.message', {}), node('x', 'message', { text: 'What?' })];
const buy = [node('t', 'trigger.command', { command: '/buy' }), node('a', 'message', { text: 'one' }),
    node('q', 'action.database_query', { query: 'spend_bonus', assignTo: 'spend',
        parameters: { userId: '{{userId}}', amount: '50', description: 'Coffee' } }),
    node('b', 'message', { text: 'Left {{spend.remaining}}' }),
    node('w', 'message', { text: 'Name?', waitForInput: true }), node('c', 'message', { text: 'two' }),
    node('d', 'message', { text: 'three' })];
const chain = (nodes) => nodes.slice(1).map(({ id }, i) => ({ source: nodes[i].id, target: id }));
/** What is sent, by node, in order; the first ones before the wait. */
const TEXTS = { a: 'one', b: 'Left 80', w: 'Name?', c: 'two', d: 'three' };
const BEFORE_WAIT = 3;

/** A way to Redis that can be cut, for the caches or for the queue alone, and lead to another one (`to`). */
async function startLink(to) {
    const sockets = new Set();
    let open = true;
    const link = {
        to,
        cut() { open = false; for (const socket of sockets) socket.destroy(); },
        mend() { open = true; },
        stop() { this.cut(); server.close(); },
    };
    const server = createServer((near) => {
        if (!open) return near.destroy();
        const far = connect(link.to, '127.0.0.1');
        for (const [one, other] of [[near, far], [far, near]]) {
            sockets.add(one);
            one.on('error', () => {}); // cut on purpose
            one.on('close', () => { sockets.delete(one); other.destroy(); });
            one.pipe(other);
        }
        return undefined;
    });
    await new Promise((resolve) => { server.listen(0, '127.0.0.1', resolve); });
    link.port = server.address().port;
    return link;
}

/** What a database holds of the conversations: states and customers' purchases by chat, messages whose answer
 *  was not recorded. */
const BOOKS = {
    states: `select telegram_chat_id, string_agg(concat_ws(' ', status, wait_type), ',')
        from workflow_executions where id not in (select execution_id from workflow_logs where node_id = 'x')
        group by 1`,
    purchases: `select substr(user_id, 2), external_id from transactions where type = 'SPEND'`,
    unknown: `select e.telegram_chat_id || ' ' || l.node_id, l.execution_id || ' ' || l.step || ' ' || l."timestamp"
        from workflow_logs l join workflow_executions e on e.id = l.execution_id
        where l.message like 'The message may have been sent%'`,
};
const pairs = (text) => text.split('\n').filter(Boolean).map((line) => line.split('|'));
function readBooks(pg) {
    const read = (name) => pairs(pg.sql(BOOKS[name]));
    return { states: new Map(read('states')), purchases: read('purchases'), unknown: read('unknown') };
}

/** Those of all books, each once: a map of sets. */
function together(books, name) {
    const all = new Map();
    for (const [key, value] of books.flatMap((book) => book[name]))
        all.set(key, (all.get(key) ?? new Set()).add(value));
    return all;
}

async function converse(cleanup, policy, seed) {
    const random = dice(seed);
    let redis = await PersistentRedis.create(REDIS_ARGS);
    cleanup(() => redis.stop());
    const pg = await Postgres.create();
    cleanup(() => pg.stop());
    const bot = await startBotApi();
    cleanup(() => bot.stop());
    installWorkflow(pg, { nodes: [...other, ...buy], edges: [...chain(other), ...chain(buy)] });
    pg.sql(`insert into users (id, project_id, first_name, telegram_id, is_active, updated_at)
        select 'u' || n, 'P', 'Ann', n, true, now() from generate_series(1, ${CHATS}) n;
        insert into bonuses (id, user_id, amount, created_at)
        select 'b' || n, 'u' || n, 130, now() - interval '1 day' from generate_series(1, ${CHATS}) n`);
    const links = { queue: await startLink(redis.port), caches: await startLink(redis.port),
        producers: await startLink(redis.port) };
    cleanup(() => Object.values(links).forEach((link) => link.stop()));
    const queue = await openQueue({ connection: { host: '127.0.0.1', port: links.producers.port } }, QUEUE);
    cleanup(() => queue.close());
    const config = { database: { url: pg.url }, telegram: { apiUrl: bot.url }, http: { listen: '127.0.0.1:0' },
        queues: [{ name: QUEUE, handler: 'workflow', concurrency: 8, lockDuration: LOCK_MS, stalledInterval: 500,
            maxStalledCount: 99 }, { name: 'workflow-delays', handler: 'workflow' }],
        workflow: { 'telegram.unknown_sends': policy, 'ratelimit.bot': 1000, 'ratelimit.chat_ms': 30,
            'database.timeout_ms': 1500 } };
    let daemon;
    const start = () => {
        daemon = Daemon.start(config, [], undefined, { REDIS_HOST: '127.0.0.1', REDIS_PORT: String(links.queue.port),
            REDIS_URL: `redis://127.0.0.1:${links.caches.port}/0` });
    };
    start();
    cleanup(() => daemon.signal('SIGKILL'));

    const timeline = []; // what was when, for whoever reads of a failure
    const lost = []; // the books of databases that are gone
    let quiet = false; // what is added now would be lost, and nobody could know of it
    let adding = 0;
    const hush = async () => {
        quiet = true;
        await until(() => adding === 0, 'what is being added', 30000 * PATIENCE);
    };
    const faults = {
        async 'Redis is killed'() { redis.signal('SIGKILL'); await redis.child.exited; await sleep(600); await redis.start(); },
        async 'Redis is frozen'() { redis.signal('SIGSTOP'); await sleep(600 + 2000 * random()); redis.signal('SIGCONT'); },
        async 'Redis comes back older'() {
            const aof = path.join(redis.folder, 'appendonlydir');
            await hush();
            cpSync(aof, `${aof}.old`, { recursive: true });
            await sleep(400);
            redis.signal('SIGKILL');
            await redis.child.exited;
            await sleep(2500); // runs go on without it, and end
            rmSync(aof, { recursive: true });
            cpSync(`${aof}.old`, aof, { recursive: true });
            rmSync(`${aof}.old`, { recursive: true });
            await redis.start();
            quiet = false;
        },
        async 'a replica that lags takes over from Redis'() {
            const replica = await PersistentRedis.create(REDIS_ARGS);
            const feed = await startLink(redis.port);
            await replica.follow(feed.port);
            await hush();
            await redis.replicated();
            feed.cut();
            await sleep(400);
            redis.signal('SIGKILL');
            await redis.child.exited;
            await sleep(1000 + 1500 * random()); // runs go on without it
            redis = replica;
            for (const link of Object.values(links)) link.to = replica.port;
            await sleep(500); // it can be read only
            await replica.promote();
            feed.stop();
            quiet = false;
        },
        async 'PostgreSQL is killed'() { await pg.stop(); await sleep(800); await pg.start(); },
        async 'PostgreSQL comes back older'() {
            const older = await pg.copy();
            await sleep(400);
            await pg.stop();
            const last = await pg.beside(pg.data);
            lost.push(readBooks(last));
            await last.stop();
            rmSync(pg.data, { recursive: true });
            pg.data = older;
            await pg.start();
        },
        async 'PostgreSQL is frozen'() { pg.signal('SIGSTOP'); await sleep(600 + 1500 * random()); pg.signal('SIGCONT'); },
        async 'the worker is killed'() { daemon.signal('SIGKILL'); await daemon.exited; start(); },
        async 'the worker is told to stop'() { daemon.signal('SIGTERM'); await daemon.exited; start(); },
        async 'the worker is paused beyond its locks'() {
            daemon.signal('SIGSTOP'); await sleep(LOCK_MS + 1000); daemon.signal('SIGCONT');
        },
        async 'the caches come back later'() {
            links.caches.cut(); links.queue.cut(); await sleep(500); links.queue.mend(); await sleep(3000); links.caches.mend();
        },
        async 'the queue comes back later'() {
            links.caches.cut(); links.queue.cut(); await sleep(500); links.caches.mend(); await sleep(1500); links.queue.mend();
        },
    };

    let updates = 0;
    const said = new Map(); // each chat's last job
    const say = async (chat, text) => {
        await until(() => !quiet, 'a Redis that keeps what is added', 60000 * PATIENCE);
        adding++;
        const job = await queue.add('heavy_workflow_execution', { projectId: 'P', executionId: '',
            context: { update: { update_id: ++updates, message: { message_id: updates, date: 1, text,
                from: { id: chat, first_name: 'Ann' }, chat: { id: chat, type: 'private' } } } } })
            .finally(() => { adding--; });
        said.set(chat, job);
        return job;
    };
    // Asked by one program at a time, which may hang with its server: this process carries the links, too.
    let states = new Map();
    let looks = 0;
    let watching = true;
    const look = () => new Promise((resolve) => {
        const began = lost.length;
        execFile('psql', ['-X', '-q', '-A', '-t', '-c', BOOKS.states, pg.url], { timeout: 2000 }, (error, stdout) => {
            if (!error && began === lost.length) {
                states = new Map(pairs(stdout));
                looks++;
            }
            resolve();
        });
    });
    const watcher = (async () => {
        while (watching) { await look(); await sleep(200); }
    })();
    cleanup(() => { watching = false; return watcher; });
    const state = (chat) => states.get(String(chat)) ?? '';
    const had = (chat, wanted) => lost.some((books) => wanted.test(books.states.get(String(chat)) ?? ''));
    const isOver = (job) => job.getState().then((is) => is === 'completed' || is === 'failed');
    /** False: the job is over, and a database that is gone had what it led to, or the wait that it answered. */
    const comesTo = async (chat, wanted, job) => {
        for (;;) {
            if (wanted.test(state(chat)) || !watching) return true;
            if (had(chat, /waiting input|completed/) && await isOver(job)) {
                const seen = looks;
                await until(() => looks > seen + 1, 'a look at the database', 30000 * PATIENCE); // begun after the end
                return wanted.test(state(chat));
            }
            await sleep(250);
        }
    };
    const rounds = Array.from({ length: FAULTS }, () => {
        const gate = {};
        gate.opens = new Promise((resolve) => { gate.open = resolve; });
        return gate;
    });
    const talking = new Set();
    const ended = new Set(); // conversations that the database has lost
    const talk = async (chat) => {
        await rounds[Math.floor(random() * FAULTS)].opens;
        await sleep(random() * 2500);
        talking.add(chat);
        if (!await comesTo(chat, /waiting input/, await say(chat, '/buy')) ||
            !await comesTo(chat, /^completed$/, await say(chat, 'Ann')))
            ended.add(chat);
        talking.delete(chat);
    };
    const names = Object.keys(faults);
    let over = false;
    const trouble = (async () => {
        for (let i = 0; i < FAULTS; i++) {
            const name = names[(i + seed) % names.length];
            rounds[i].open();
            const began = Date.now();
            await sleep(300 + 500 * random());
            await faults[name]();
            const ready = () => daemon.http('GET', '/readyz').then(({ status }) => status === 200, () => false);
            await until(ready, `readiness after: ${name}`, 20000 * PATIENCE);
            timeline.push([began, `${name}, for ${Date.now() - began} ms`]);
        }
        over = true;
    })();
    const all = Promise.all(Array.from({ length: CHATS }, (_, i) => talk(i + 1)));
    await trouble;
    let done = false;
    all.then(() => { done = true; }, () => {});
    await until(() => over && done, 'every conversation', 60000 * PATIENCE).catch(async (error) => {
        const open = [...talking].map((chat) => [chat, state(chat), said.get(chat)?.id]);
        for (const one of open.slice(0, 5)) {
            const job = said.get(one[0]);
            one.push(await job?.getState(), JSON.stringify(await queue.getJob(job?.id ?? '')), pg.sql(`select id, wait_payload - 'checkpoint'
                from workflow_executions where telegram_chat_id = '${one[0]}'`));
        }
        throw new Error(`${error.message}: ${open.length} open\n${open.slice(0, 20).map(String).join('\n')}\n${story(timeline, bot.sent(), open.map(([chat]) => chat))}`);
    });
    await all;
    await until(async () => {
        const { active, waiting, delayed } = await queue.getJobCounts('active', 'waiting', 'delayed');
        return active + waiting + delayed === 0;
    }, 'an empty queue', 30000 * PATIENCE);
    judge(policy, seed, { ended, had, lost, timeline, books: readBooks(pg), sent: bot.sent() });
    assert.equal(await queue.getFailedCount(), 0);
}

/** The faults, and what was sent to these chats, in order: for whoever reads of a failure. */
function story(timeline, sent, chats) {
    const events = [...timeline];
    for (const chat of new Set(chats))
        events.push(...sent.filter(({ params }) => Number(params.chat_id) === Number(chat))
            .map(({ at, params }) => [Math.round(at), `chat ${chat} is sent "${params.text}"`]));
    return events.sort(([a], [b]) => a - b).map((event) => event.join(' ')).join('\n');
}

/** Holds what came out against what may be. */
function judge(policy, seed, { ended, had, lost, timeline, books, sent }) {
    const purchases = together([...lost, books], 'purchases');
    const unknown = together([...lost, books], 'unknown');
    const count = { unknown: [...unknown.values()].reduce((sum, { size }) => sum + size, 0), missing: 0, twice: 0,
        unpaid: 0 };
    const times = new Map();
    for (const { params } of sent) {
        const key = `${params.chat_id} ${params.text}`;
        times.set(key, (times.get(key) ?? 0) + 1);
    }
    const wrong = [];
    for (let chat = 1; chat <= CHATS; chat++) {
        const paid = books.purchases.filter(([of]) => Number(of) === chat).length;
        const hadPaid = lost.some((one) => one.purchases.some(([of]) => Number(of) === chat));
        const short = ended.has(chat) && !had(chat, /completed/);

        const asked = times.get(`${chat} What?`) ?? 0;

        if (asked > 0 && (!ended.has(chat) || asked > 1 + (unknown.get(`${chat} x`)?.size ?? 0)))
            wrong.push(`${chat} was asked ${asked} times`);
        count.unpaid += paid === 0 ? 1 : 0;
        if (paid > 1 || (paid === 0 && !hadPaid)) wrong.push(`${chat} paid ${paid} times`);
        if (purchases.get(String(chat))?.size !== 1) wrong.push(`${chat} paid under several names`);
        if (!ended.has(chat) && !had(chat, /completed/) && books.states.get(String(chat)) !== 'completed')
            wrong.push(`${chat} is ${books.states.get(String(chat))}`);
        for (const [i, [id, text]] of Object.entries(TEXTS).entries()) {
            const due = short && i >= BEFORE_WAIT ? 0 : 1;
            const is = times.get(`${chat} ${text}`) ?? 0;
            const doubts = unknown.get(`${chat} ${id}`)?.size ?? 0;
            const [least, most] = policy === 'drop' ? [due - doubts, due] : [due, due + doubts];

            count.missing += Math.max(0, due - is);
            count.twice += Math.max(0, is - due);
            if (is < least || is > most) wrong.push(`${chat} got "${text}" ${is} times, unknown ${doubts}`);
        }
    }
    console.log(`        ${policy}, seed ${seed}: ${count.unknown} unknown, ${count.missing} missing, ${
        count.twice} twice; the database lost ${ended.size} conversations and ${count.unpaid} purchases`);
    assert.equal(wrong.length, 0, `${wrong.join('\n')}\n${story(timeline, sent, wrong.map((line) => line.split(' ')[0]))}`);
}

test('drop', (cleanup) => converse(cleanup, 'drop', SEED));
test('resend', (cleanup) => converse(cleanup, 'resend', SEED + 6));

await runAll();
