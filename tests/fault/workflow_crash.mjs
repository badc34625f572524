// The worker killed at every place that matters while a customer spends bonuses, and started again:
// nothing is spent twice, and no message that was recorded as answered goes out twice
// (worker/workflow/spec/workflow.md §3.9).
//   node workflow_crash.mjs [--runs 24]
// A daemon built with BULWARK_FAULT_POINTS kills itself at the N-th pass of a point.
import assert from 'node:assert/strict';

import { Redis } from '../peer/peer.mjs';
import { installWorkflow, Postgres, startBotApi } from './postgres.mjs';
import { Daemon, openQueue, PATIENCE, PersistentRedis, runAll, test, until } from './rig.mjs';

const flag = process.argv.indexOf('--runs');
const RUNS = flag < 0 ? 24 : Number(process.argv.splice(flag, 2)[1]);
const SIDE_BY_SIDE = 4;
const POINTS = ['step', 'send-before', 'send-after', 'intent-before', 'checkpoint-before',
    'checkpoint-after', 'database', 'flush-before', 'flush-after', 'job-end'];
const ONCE = new Set(['flush-before', 'flush-after', 'job-end']); // passed once by this workflow
const KILLS = [1, 2, 3, 4].flatMap((pass) =>
    POINTS.filter((point) => pass === 1 || !ONCE.has(point)).map((point) => ({ point, pass })));
const POLICIES = ['drop', 'resend'];
const TEXTS = ['one', 'two', 'Spent 50, left 80.', 'three', 'four'];

const node = (id, type, config) => ({ id, type, data: { label: id, config: { [type]: config } } });
const ids = ['t', 'm1', 'm2', 'q', 'm3', 'm4', 'm5'];
const WORKFLOW = {
    nodes: [
        node('t', 'trigger.command', { command: '/spend' }),
        node('m1', 'message', { text: 'one' }),
        node('m2', 'message', { text: 'two' }),
        node('q', 'action.database_query', { query: 'spend_bonus', assignTo: 'spend',
            parameters: { userId: '{{userId}}', amount: '50', description: 'Coffee' } }),
        node('m3', 'message', { text: 'Spent {{spend.spent}}, left {{spend.remaining}}.' }),
        node('m4', 'message', { text: 'three' }),
        node('m5', 'message', { text: 'four' }),
    ],
    edges: ids.slice(1).map((target, i) => ({ source: ids[i], target })),
};
const CUSTOMER = `
    insert into users (id, project_id, first_name, telegram_id, is_active, updated_at)
        values ('u1', 'P', 'Ann', 42, true, now());
    insert into bonuses (id, user_id, amount, created_at)
        values ('b1', 'u1', 30, now() - interval '2 days'), ('b2', 'u1', 100, now() - interval '1 day');`;
const UPDATE = { update_id: 1, message: { message_id: 1, date: 1, text: '/spend',
    from: { id: 42, is_bot: false, first_name: 'Ann' }, chat: { id: 42, type: 'private' } } };

const asked = (pg, database, query) => pg.sql(`\\c ${database}\n${query};`).split('\n').at(-1);

/** Run `n` on the Redis database `slot`: {killed}, whether the point was passed so often. */
async function crash({ redis, pg, bot }, slot, n) {
    const { point, pass } = KILLS[n % KILLS.length]; // an odd number of them: each with both policies
    const policy = POLICIES[n % POLICIES.length];
    const name = `run ${n}: ${point}:${pass}, ${policy}`;
    const database = `crash_${n}`;
    pg.sql(`create database ${database} template postgres`);
    pg.sql(`\\c ${database}\nupdate bot_settings set bot_token = '${1000 + n}:AAA';`);
    const client = new Redis({ ...redis.connection, db: slot });
    await client.flushdb();
    client.disconnect();
    const queue = await openQueue({ connection: { ...redis.connection, db: slot } }, 'workflow-processing');
    const config = { redis: { url: redis.url.replace(/0$/, String(slot)) },
        database: { url: pg.url.replace(/postgres$/, database) },
        telegram: { apiUrl: bot.url }, http: { listen: '127.0.0.1:0' },
        queues: [{ name: 'workflow-processing', handler: 'workflow', lockDuration: 1000,
            stalledInterval: 300, maxStalledCount: 9 }],
        workflow: { 'telegram.unknown_sends': policy, 'ratelimit.chat_ms': 20 } };
    let daemon = Daemon.start(config, [], undefined, { BULWARK_FAULT: `${point}:${pass}` });
    try {
        const job = await queue.add('heavy_workflow_execution', { projectId: 'P', executionId: 'x',
            context: { update: UPDATE } }, { attempts: 3, backoff: 100 });
        let ended = false;
        const exit = daemon.exited.then((how) => { ended = true; return how; });
        await until(async () => ended || await job.isCompleted(), `${name}: the crash`, 20000 * PATIENCE);
        const killed = ended;
        if (killed) {
            assert.ok(![0, 1, 2, 75].includes(await exit), `${name}: it was killed, and did not end`);
            daemon = Daemon.start(config);
        }
        await until(() => job.isCompleted(), `${name}: the job's end`, 30000 * PATIENCE);

        assert.equal(asked(pg, database, 'select count(*), sum(amount) from transactions where type = \'SPEND\''),
            '1|50.00', `${name}: spent once`);
        assert.equal(asked(pg, database, 'select sum(amount) from bonuses'), '80.00', `${name}: the rest`);
        assert.equal(asked(pg, database, 'select count(*), min(status) from workflow_executions'),
            '1|completed', `${name}: the execution`);
        const sent = bot.sent().filter((call) => call.bot === String(1000 + n)).map(({ params }) => params.text);
        const counts = TEXTS.map((text) => sent.filter((one) => one === text).length);
        assert.equal(sent.length, counts.reduce((a, b) => a + b), `${name}: only these texts: ${sent}`);
        // One message is in doubt at most: it is missing, or out twice, as the policy says.
        const doubts = counts.filter((count) => count !== 1);
        assert.ok(doubts.length <= (killed ? 1 : 0), `${name}: ${counts}`);
        assert.ok(doubts.every((count) => count === (policy === 'drop' ? 0 : 2)), `${name}: ${counts}`);
        // A crash behind the record of an answer leaves no doubt.
        if (!['send-before', 'send-after', 'checkpoint-before', 'checkpoint-after'].includes(point))
            assert.equal(doubts.length, 0, `${name}: ${counts}`);
        return { killed };
    } finally {
        daemon.signal('SIGKILL');
        await daemon.exited;
        await queue.close();
        pg.sql(`drop database ${database} with (force)`);
    }
}

test(`${RUNS} crashes`, async (cleanup) => {
    const redis = await PersistentRedis.create();
    cleanup(() => redis.stop());
    const pg = await Postgres.create();
    cleanup(() => pg.stop());
    const bot = await startBotApi();
    cleanup(() => bot.stop());
    installWorkflow(pg, WORKFLOW);
    pg.sql(CUSTOMER);
    let next = 0;
    let killed = 0;
    const failures = [];
    await Promise.all(Array.from({ length: SIDE_BY_SIDE }, async (_, slot) => {
        while (next < RUNS) {
            try {
                const run = await crash({ redis, pg, bot }, slot, next++);
                if (run.killed)
                    killed++;
            } catch (error) {
                failures.push(error.message);
            }
        }
    }));
    console.log(`${killed} of ${RUNS} runs were killed, ${failures.length} failed`);
    assert.deepEqual(failures, []);
    assert.equal(killed, RUNS, 'every run was killed');
});

await runAll();
