// Two workers on one queue, many chats, their updates interleaved: what each chat is sent is in the order of
// its updates, and neither a bot nor a chat is ever sent more than Telegram allows, in whatever window of a
// second the stand-in counts what arrives.
//   node workflow_order.mjs [--chats 60] [--updates 360] [--bots 1]
import assert from 'node:assert/strict';

import { installWorkflow, Postgres, startBotApi } from './postgres.mjs';
import { Daemon, openQueue, PATIENCE, PersistentRedis, runAll, sleep, SLOWNESS, test, until } from './rig.mjs';

function option(name, value) {
    const at = process.argv.indexOf(`--${name}`);
    return at < 0 ? value : Number(process.argv.splice(at, 2)[1]);
}
const CHATS = option('chats', 60);
const UPDATES = option('updates', 360);
const BOTS = option('bots', 1);
const BOT_LIMIT = 30; // messages in a second
const CHAT_LIMIT = 1;
const WINDOW_MS = 1000;
const BULK = 500;

const node = (id, type, config) => ({ id, type, data: { label: id, config: { [type]: config } } });
const WORKFLOW = {
    nodes: [
        node('t', 'trigger.message', { pattern: '.*' }),
        node('c', 'trigger.callback', { callbackData: '.*' }),
        node('m', 'message', { text: '{{telegram.message.text}}{{telegram.callback.data}}' }),
    ],
    edges: [{ source: 't', target: 'm' }, { source: 'c', target: 'm' }],
};

/** As many projects of the same workflow, each with a bot of its own; P with bot 111 is there. */
function installBots(pg, bots) {
    for (let i = 1; i < bots; i++)
        pg.sql(`insert into projects (id, name, webhook_secret, updated_at)
            values ('P${i}', 'Demo', 'hook-P${i}', now());
            insert into bot_settings (id, project_id, bot_token, bot_username, updated_at)
            values ('bs${i}', 'P${i}', '${111 + i}:AAA', 'DemoBot${i}', now());
            insert into workflows (id, project_id, name, is_active, connections, updated_at)
            select 'W${i}', 'P${i}', name, is_active, connections, now() from workflows where id = 'W';
            insert into workflow_versions (id, workflow_id, version, nodes, entry_node_id, variables,
                settings, is_active, created_at)
            select 'v${i}', 'W${i}', version, nodes, entry_node_id, variables, settings, is_active, created_at
            from workflow_versions where id = 'v';`);
}

/** Update `n` of a chat; every third is a button. */
function job(n, chat, bots) {
    const bot = chat % bots;
    const person = { id: 1000 + chat, is_bot: false, first_name: 'Ann' };
    const message = { message_id: n, date: 1, from: person, chat: { id: person.id, type: 'private' } };
    const update = n % 3 === 0
        ? { update_id: n, callback_query: { id: String(n), from: person, data: `u${n}`, message } }
        : { update_id: n, message: { ...message, text: `u${n}` } };
    return { name: 'heavy_workflow_execution', opts: { attempts: 3 },
        data: { projectId: bot === 0 ? 'P' : `P${bot}`, executionId: `x${n}`, context: { update } } };
}

/** The most of these times, in order, that lie in any window, and how often there are more than `limit`. */
function crowd(times, limit) {
    let first = 0;
    let most = 0;
    let over = 0;
    for (let last = 0; last < times.length; last++) {
        while (times[last] - times[first] >= WINDOW_MS)
            first++;
        most = Math.max(most, last - first + 1);
        over += last - first + 1 > limit;
    }
    return { most, over };
}

/** Lists of what `valueOf` makes of the items, by what `keyOf` does. */
function grouped(items, keyOf, valueOf) {
    const groups = new Map();
    for (const item of items) {
        const key = keyOf(item);
        if (!groups.has(key))
            groups.set(key, []);
        groups.get(key).push(valueOf(item));
    }
    return groups;
}

/** The worst of the groups that `keyOf` makes. */
function crowds(calls, keyOf, limit) {
    const found = [...grouped(calls, keyOf, ({ at }) => at).values()]
        .map((times) => crowd(times.sort((a, b) => a - b), limit));
    return { most: Math.max(...found.map(({ most }) => most)), over: found.reduce((sum, { over }) => sum + over, 0) };
}

/** Adds the updates to a queue with two workers; checks what the chats were sent. */
async function serve(cleanup, { chats, updates, bots }, during = () => {}) {
    const redis = await PersistentRedis.create();
    cleanup(() => redis.stop());
    const pg = await Postgres.create();
    cleanup(() => pg.stop());
    const bot = await startBotApi();
    cleanup(() => bot.stop());
    installWorkflow(pg, WORKFLOW);
    installBots(pg, bots);
    const queue = await openQueue(redis, 'workflow-processing');
    cleanup(() => queue.close());
    const config = { redis: { url: redis.url }, database: { url: pg.url }, telegram: { apiUrl: bot.url },
        http: { listen: '127.0.0.1:0' },
        queues: [{ name: 'workflow-processing', handler: 'workflow', concurrency: 128, groupStrict: true,
            groupKey: ['projectId+context.update.message.chat.id',
                'projectId+context.update.callback_query.message.chat.id'] }],
        workflow: { 'ratelimit.bot': BOT_LIMIT, 'ratelimit.chat_ms': WINDOW_MS / CHAT_LIMIT } };
    const daemons = [Daemon.start(config), Daemon.start(config)];
    cleanup(() => daemons.forEach((daemon) => daemon.signal('SIGKILL')));
    await Promise.all(daemons.map((daemon) => daemon.logged('status server listens')));

    const plan = Array.from({ length: updates }, (_, i) => ({ n: i + 1, chat: Math.floor(Math.random() * chats) }));
    const expected = grouped(plan, ({ chat }) => String(1000 + chat), ({ n }) => `u${n}`);
    const jobs = plan.map(({ n, chat }) => job(n, chat, bots));
    const start = performance.now();
    for (let at = 0; at < jobs.length; at += BULK)
        await queue.addBulk(jobs.slice(at, at + BULK));
    const longest = Math.max(...[...expected.values()].map(({ length }) => length));
    const patience = 30000 + 2000 * (updates / (bots * BOT_LIMIT) + longest / CHAT_LIMIT);
    await until(async () => {
        await during(redis);
        return await queue.getCompletedCount() + await queue.getFailedCount() === updates;
    }, 'the jobs\' end', patience * PATIENCE);
    const seconds = (performance.now() - start) / 1000;

    const calls = bot.sent();
    const ofBot = crowds(calls, (call) => call.bot, BOT_LIMIT);
    const ofChat = crowds(calls, (call) => `${call.bot}:${call.chat}`, CHAT_LIMIT);
    const sent = grouped(calls, ({ chat }) => chat, ({ params }) => params.text);
    console.log(`${calls.length} messages in ${seconds.toFixed(1)} s; at most ${ofBot.most} in a second for a bot ` +
        `(${ofBot.over} too many), ${ofChat.most} for a chat (${ofChat.over} too many)`);
    assert.equal(await queue.getFailedCount(), 0, 'all succeeded');
    for (const [chat, texts] of expected)
        assert.deepEqual(sent.get(chat), texts, `chat ${chat}: every update once, in order`);
    assert.equal(sent.size, expected.size);
    assert.equal(ofBot.over, 0, `a bot sent ${ofBot.most} messages within a second`);
    assert.equal(ofChat.over, 0, `a chat was sent ${ofChat.most} messages within a second`);
}

test(`${UPDATES} updates of ${CHATS} chats of ${BOTS} bots`, (cleanup) =>
    serve(cleanup, { chats: CHATS, updates: UPDATES, bots: BOTS }));

test('the same while Redis stops to answer for moments', (cleanup) =>
    serve(cleanup, { chats: 40, updates: 150, bots: 1 }, async (redis) => {
        redis.signal('SIGSTOP');
        await sleep(300); // longer than the engine waits for an answer
        redis.signal('SIGCONT');
        await sleep(2500 * SLOWNESS);
    }));

await runAll();
