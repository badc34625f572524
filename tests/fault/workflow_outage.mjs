// Redis, PostgreSQL and the worker go away in every way amid conversations with a purchase each. What the
// database or Redis recorded as done is not done again: nothing is paid twice, and a message goes out twice
// (or is missing) only where its answer was never recorded, as telegram.unknown_sends says; those are counted
// by the execution's log. worker/workflow/spec/workflow.md §3.9, WF-163, WF-164, WF-165.
//   node workflow_outage.mjs [--chats 12] [--seed 1] [--faults 4]
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
const FAULTS = option('--faults', 4);
const QUEUE = 'workflow-processing';
const LOCK_MS = 2000;

/** Numbers from 0 to 1, the same for the same seed. */
function dice(seed) {
    let state = seed * 2654435761 % 4294967296;
    return () => {
        state = (state * 1664525 + 1013904223) % 4294967296;
        return state / 4294967296;
    };
}

const node = (id, type, config) => ({ id, type, data: { label: id, config: { [type]: config } } });
const nodes = [node('t', 'trigger.command', { command: '/buy' }), node('a', 'message', { text: 'one' }),
    node('q', 'action.database_query', { query: 'spend_bonus', assignTo: 'spend',
        parameters: { userId: '{{userId}}', amount: '50', description: 'Coffee' } }),
    node('b', 'message', { text: 'Left {{spend.remaining}}' }),
    node('w', 'message', { text: 'Name?', waitForInput: true }), node('c', 'message', { text: 'two' }),
    node('d', 'message', { text: 'three' })];
const TEXTS = ['one', 'Left 80', 'Name?', 'two', 'three'];

/** A way to Redis that can be cut, for the caches or for the queue alone. */
async function startLink(port) {
    const sockets = new Set();
    let open = true;
    const server = createServer((from) => {
        if (!open) return from.destroy();
        const to = connect(port, '127.0.0.1');
        for (const [one, other] of [[from, to], [to, from]]) {
            sockets.add(one);
            one.on('error', () => {}); // cut on purpose
            one.on('close', () => { sockets.delete(one); other.destroy(); });
            one.pipe(other);
        }
        return undefined;
    });
    await new Promise((resolve) => { server.listen(0, '127.0.0.1', resolve); });
    return { port: server.address().port,
        cut() { open = false; for (const socket of sockets) socket.destroy(); },
        mend() { open = true; },
        stop() { this.cut(); server.close(); } };
}

async function converse(cleanup, policy, seed) {
    const random = dice(seed);
    const redis = await PersistentRedis.create();
    cleanup(() => redis.stop());
    const pg = await Postgres.create();
    cleanup(() => pg.stop());
    const bot = await startBotApi();
    cleanup(() => bot.stop());
    installWorkflow(pg, { nodes, edges: nodes.slice(1).map(({ id }, i) => ({ source: nodes[i].id, target: id })) });
    pg.sql(`insert into users (id, project_id, first_name, telegram_id, is_active, updated_at)
        select 'u' || n, 'P', 'Ann', n, true, now() from generate_series(1, ${CHATS}) n;
        insert into bonuses (id, user_id, amount, created_at)
        select 'b' || n, 'u' || n, 130, now() - interval '1 day' from generate_series(1, ${CHATS}) n`);
    const links = { queue: await startLink(redis.port), caches: await startLink(redis.port) };
    cleanup(() => Object.values(links).forEach((link) => link.stop()));
    const queue = await openQueue(redis, QUEUE);
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

    let quiet = false; // what is added now would be lost, and nobody could know of it
    const faults = {
        async 'Redis is killed'() { redis.signal('SIGKILL'); await redis.child.exited; await sleep(600); await redis.start(); },
        async 'Redis is frozen'() { redis.signal('SIGSTOP'); await sleep(600 + 2000 * random()); redis.signal('SIGCONT'); },
        async 'Redis comes back older'() {
            const aof = path.join(redis.folder, 'appendonlydir');
            quiet = true;
            await sleep(200); // what is being added is there
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
        async 'PostgreSQL is killed'() { await pg.stop(); await sleep(800); await pg.start(); },
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
    const say = async (chat, text) => {
        await until(() => !quiet, 'a Redis that keeps what is added', 30000 * PATIENCE);
        await queue.add('heavy_workflow_execution', { projectId: 'P', executionId: '',
        context: { update: { update_id: ++updates, message: { message_id: updates, date: 1, text,
            from: { id: chat, first_name: 'Ann' }, chat: { id: chat, type: 'private' } } } } });
    };
    // Asked by one program at a time, which may hang with its server: this process carries the links, too.
    let states = new Map();
    let watching = true;
    const look = () => new Promise((resolve) => {
        execFile('psql', ['-X', '-q', '-A', '-t', '-c', `select telegram_chat_id, string_agg(status || ' ' ||
            coalesce(wait_type, ''), ',') from workflow_executions group by 1`, pg.url], { timeout: 2000 },
        (error, stdout) => {
            if (!error)
                states = new Map(stdout.split('\n').filter(Boolean).map((line) => line.split('|')));
            resolve();
        });
    });
    const watcher = (async () => {
        while (watching) { await look(); await sleep(200); }
    })();
    cleanup(() => { watching = false; return watcher; });
    const state = (chat) => states.get(String(chat)) ?? '';
    const talk = async (chat) => {
        const settled = async (wanted) => {
            for (;;) {
                if (wanted.test(state(chat)) || !watching) return;
                await sleep(250);
            }
        };
        await sleep(random() * FAULTS * 1500);
        await say(chat, '/buy');
        await settled(/waiting input/);
        await say(chat, 'Ann');
        await settled(/^completed $/);
    };
    const names = Object.keys(faults);
    let over = false;
    const trouble = (async () => {
        for (let i = 0; i < FAULTS; i++) {
            const name = names[(i + seed) % names.length];
            await sleep(300 + 500 * random());
            await faults[name]();
            const ready = () => daemon.http('GET', '/readyz').then(({ status }) => status === 200, () => false);
            await until(ready, `readiness after: ${name}`, 20000 * PATIENCE);
        }
        over = true;
    })();
    const all = Promise.all(Array.from({ length: CHATS }, (_, i) => talk(i + 1)));
    await trouble;
    let ended = false;
    all.then(() => { ended = true; }, () => {});
    await until(() => over && ended, 'every conversation', 60000 * PATIENCE).catch((error) => {
        const open = Array.from({ length: CHATS }, (_, i) => [i + 1, state(i + 1)]).filter(([, s]) => s !== 'completed ');
        throw new Error(`${error.message}: ${JSON.stringify(open)}`);
    });
    await until(async () => {
        const { active, waiting, delayed } = await queue.getJobCounts('active', 'waiting', 'delayed');
        return active + waiting + delayed === 0;
    }, 'an empty queue', 30000 * PATIENCE);

    assert.equal(pg.sql(`select count(*), count(distinct user_id), sum(amount) from transactions where type = 'SPEND'`),
        `${CHATS}|${CHATS}|${CHATS * 50}.00`, 'each paid once');
    assert.equal(pg.sql(`select count(*), min(status), max(status) from workflow_executions`),
        `${CHATS}|completed|completed`);
    const unknown = Number(pg.sql(`select count(*) from workflow_logs where message like 'The message may have been sent%'`));
    let missing = 0;
    let twice = 0;
    for (let chat = 1; chat <= CHATS; chat++)
        for (const text of TEXTS) {
            const times = bot.sent().filter(({ params }) => Number(params.chat_id) === chat && params.text === text).length;
            missing += times === 0 ? 1 : 0;
            twice += Math.max(0, times - 1);
        }
    console.log(`        ${policy}, seed ${seed}: ${unknown} unknown, ${missing} missing, ${twice} twice`);
    if (policy === 'drop') {
        assert.equal(twice, 0, 'nothing goes out twice');
        assert.ok(missing <= unknown, `${missing} are missing, ${unknown} were unknown`);
    } else {
        assert.equal(missing, 0, 'nothing is missing');
        assert.ok(twice <= unknown, `${twice} went out twice, ${unknown} were unknown`);
    }
    assert.equal(await queue.getFailedCount(), 0);
}

test('drop', (cleanup) => converse(cleanup, 'drop', SEED));
test('resend', (cleanup) => converse(cleanup, 'resend', SEED + 5));

await runAll();
