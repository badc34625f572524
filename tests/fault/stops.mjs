// Stops in the very moment in which a job comes (BMQ-169, 170): an idle worker gets one, a delayed one is
// due, a busy queue is fetched from, and a mixture of what queues and jobs can be. Late: the time to stop is
// over while jobs run, or a second signal comes. Every job is run to its end or back in wait as if it had not been
// fetched; none is left in `active`, failed without having run, lost or run twice.
//
//   node tests/fault/stops.mjs [--stops 300] [--moments idle,delayed,busy,mixed,late] [--handlers noop,exec,workflow]
//                              [--side-by-side 4]
//
// Prints a line for each moment and handler: what was found how often. Exit code 0 when all is as it should be.
import { parseArgs } from 'node:util';

import { Redis } from '../peer/peer.mjs';
import { installWorkflow, Postgres, startBotApi } from './postgres.mjs';
import { Daemon, openQueue, PATIENCE, PersistentRedis, sleep } from './rig.mjs';

const { values: opts } = parseArgs({ options: {
    stops: { type: 'string', default: '300' },
    moments: { type: 'string', default: 'idle,delayed,busy,mixed,late' },
    handlers: { type: 'string', default: 'noop,exec,workflow' },
    'side-by-side': { type: 'string', default: '4' },
} });
const BUSY_JOBS = 400;
const DELAY_MS = 250;

const redis = await PersistentRedis.create();
const client = new Redis(redis.port, '127.0.0.1');
await client.config('SET', 'appendonly', 'no'); // nothing here is read back
const database = opts.handlers.includes('workflow') ? await startDatabase() : undefined;

async function startDatabase() {
    const [pg, bot] = [await Postgres.create(), await startBotApi()];
    const config = (type, value) => ({ data: { label: type, config: { [type]: value } } });
    installWorkflow(pg, { nodes: [
        { id: 't', type: 'trigger.command', ...config('trigger.command', { command: '/start' }) },
        { id: 'm', type: 'message', ...config('message', { text: 'hi' }) },
    ], edges: [{ source: 't', target: 'm' }] });
    return { pg, bot };
}

// The smallest processor: it answers each job at once, and ends with its stdin.
const PROCESSOR = `read -r hello; echo '{"type":"ready"}'
while read -r line; do
    case $line in *'"type":"job"'*)
        seq=\${line#*'"seq":'}
        echo '{"type":"result","value":1,"seq":'"\${seq%%[!0-9]*}}";;
    esac
done`;

let chats = 1000;
const message = () => {
    const chat = chats++;
    return { projectId: 'P', executionId: `stop-${chat}`, context: { update: { update_id: chat,
        message: { message_id: chat, text: '/start', from: { id: chat, first_name: 'Ann' },
            chat: { id: chat, type: 'private' } } } } };
};

const handlers = {
    noop: { settings: 'noop', ready: 'running', data: () => ({}) },
    exec: { settings: { exec: ['sh', '-c', PROCESSOR] }, ready: 'a processor is ready: jobs are taken',
        data: () => ({}) },
    workflow: { settings: 'workflow', ready: 'running', data: message },
};

/** Each makes the moment, and returns how many jobs there are once the signal is sent. */
const moments = {
    async idle(queue, daemon, job) {
        await sleep(20 + Math.random() * 20);
        const added = queue.addBulk([job()]);
        await sleep(Math.random() * 3);
        daemon.signal('SIGTERM');
        await added;
        return 1;
    },
    async delayed(queue, daemon, job) {
        const due = Date.now() + DELAY_MS;
        await queue.addBulk([{ ...job(), opts: { delay: DELAY_MS } }]);
        await sleep(due - Date.now() - 3 + Math.random() * 6);
        daemon.signal('SIGTERM');
        return 1;
    },
    async mixed(queue, daemon, job) {
        const count = 1 + Math.floor(Math.random() * 60);
        const adding = queue.addBulk(Array.from({ length: count }, (_, i) => {
            const { name, data, opts: own } = job();
            return { name, data: { group: `g${i % 5}`, ...data }, opts: { ...own, ...pick(jobTraits)() } };
        }));
        if (Math.random() < 0.5) await adding;
        await sleep(Math.random() * 40);
        for (const signal of pick(ends)) {
            daemon.signal(signal);
            await sleep(Math.random() * 2);
        }
        await adding;
        return count;
    },
    async late(queue, daemon, job) {
        await queue.addBulk(Array.from({ length: BUSY_JOBS }, job));
        await sleep(Math.random() * 15);
        for (let i = pick([1, 2]); i > 0; i--) {
            daemon.signal('SIGTERM');
            await sleep(Math.random() * 3);
        }
        return BUSY_JOBS;
    },
    async busy(queue, daemon, job) {
        await queue.addBulk(Array.from({ length: BUSY_JOBS }, job));
        await sleep(Math.random() * 15);
        daemon.signal('SIGTERM');
        return BUSY_JOBS;
    },
};

const WAITING = ['wait', 'prioritized', 'waiting-children', 'delayed'];
const SLOW = 'Redis did not answer in time';
let names = 0;

const pick = (list) => list[Math.floor(Math.random() * list.length)];

// What a queue, its jobs and the stop can have beside: all drawn anew for each stop.
const queueTraits = [{}, { groupKey: 'group' }, { limiter: { max: 30, duration: 50 } },
    { removeOnComplete: false, drainDelay: 0.05 }, { concurrency: 1 }, { concurrency: 200 }];
const jobTraits = [() => ({}), () => ({ lifo: true }), () => ({ priority: 1 + Math.floor(Math.random() * 3) }),
    () => ({ delay: Math.floor(Math.random() * 60) })];
const ends = [['SIGTERM'], ['SIGINT'], ['SIGTSTP', 'SIGTERM'], ['SIGTSTP', 'SIGCONT', 'SIGTERM'],
    ['SIGHUP', 'SIGTERM'], ['SIGUSR1', 'SIGTERM']];

function start(handler, name, traits, late) {
    return Daemon.start({ ...(late && { shutdownTimeout: pick([1, 20, 60]) }), redis: { url: redis.url }, http: { listen: 'off' },
        ...(handler === 'workflow' && { database: { url: database.pg.url },
            telegram: { apiUrl: database.bot.url },
            workflow: { 'ratelimit.bot': 1000000 } }),
        queues: [{ name, concurrency: 20, maxStartedAttempts: 1, skipStalledCheck: true,
            handler: late && handler === 'noop' ? { noop: { delayMs: 40 } } : handlers[handler].settings,
            ...traits }] });
}

/** What is left of a job, and whether it is as it should be. */
async function look(name, id, states, completions, late) {
    const [state] = Object.keys(states).filter((key) => states[key].has(id));
    const [ats, lock] = await Promise.all([client.hget(`bull:${name}:${id}`, 'ats'),
        client.exists(`bull:${name}:${id}:lock`)]);
    const found = Object.values(states).filter((ids) => ids.has(id)).length;
    if (found !== 1) return found ? 'doubled' : 'lost';
    if (state === 'completed') return ats === '1' && completions.get(id) === 1 ? 'completed' : 'run twice';
    if (WAITING.includes(state)) return (ats === null || late) && !lock ? state : 'start counted';
    return state;
}

async function inspect(name, count, moment) {
    const key = (suffix) => `bull:${name}:${suffix}`;
    const ids = async (suffix) => new Set(await (['wait', 'active'].includes(suffix)
        ? client.lrange(key(suffix), 0, -1) : client.zrange(key(suffix), 0, -1)));
    const suffixes = ['wait', 'prioritized', 'waiting-children', 'active', 'completed', 'failed', 'delayed'];
    const states = Object.fromEntries(await Promise.all(suffixes.map(async (s) => [s, await ids(s)])));
    const completions = new Map();
    for (const [, [, event, , id]] of await client.xrange(key('events'), '-', '+'))
        if (event === 'completed') completions.set(id, (completions.get(id) ?? 0) + 1);
    const looks = Array.from({ length: count }, (_, i) => look(name, String(i + 1), states, completions, moment === 'late'));
    const found = {};
    for (const what of await Promise.all(looks)) found[what] = (found[what] ?? 0) + 1;
    if (states.wait.size + states.prioritized.size > 0 && (await client.zcard(key('marker'))) === 0)
        found['without a marker'] = 1;
    // The next is at the tail: what was handed back is where it was fetched from.
    if (moment !== 'mixed' && [...states.wait].some((id, i, all) => i > 0 && Number(id) > Number(all[i - 1])))
        found['out of order'] = 1;
    return found;
}

async function stopOnce(handler, moment) {
    const name = `s${names++}`;
    const queue = await openQueue(redis, name);
    const daemon = start(handler, name, moment === 'mixed' ? pick(queueTraits) : {}, moment === 'late');
    const job = () => ({ name: 'heavy_workflow_execution', data: handlers[handler].data(), opts: {} });
    try {
        await daemon.logged(handlers[handler].ready);
        const count = await moments[moment](queue, daemon, job);
        const code = await daemon.ended(20000 * PATIENCE);
        const late = moment === 'late';
        const found = await inspect(name, count, moment);
        if (code !== 0 && !(late && code === 75)) found[`exit code ${code}`] = 1;
        // A machine that is too busy for the workflow's cache is no matter of the stop.
        const fault = late ? undefined : daemon.lines.find(({ level, reason }) => level !== 'info' && reason !== SLOW) ??
            daemon.lines.find(({ message }) => /reset|lost/.test(message));
        if (fault !== undefined && fault.reason !== SLOW) found[`told "${fault.message}"`] = 1;
        return found;
    } finally {
        daemon.signal('SIGKILL');
        await queue.close();
    }
}

/** Side by side, all stops of a kind. */
async function stopMany(handler, moment, stops) {
    const sum = {};
    let begun = 0;
    const worker = async () => {
        while (begun++ < stops)
            for (const [what, count] of Object.entries(await stopOnce(handler, moment)))
                sum[what] = (sum[what] ?? 0) + count;
    };
    await Promise.all(Array.from({ length: Number(opts['side-by-side']) }, worker));
    return sum;
}

const GOOD = ['completed', ...WAITING];
let sentBefore = 0;
let bad = 0;
for (const moment of opts.moments.split(','))
    for (const handler of opts.handlers.split(',')) {
        const sum = await stopMany(handler, moment, Number(opts.stops));
        if (handler === 'workflow' && moment !== 'late') {
            const sent = database.bot.sent().length;
            if (sent - sentBefore !== (sum.completed ?? 0)) sum['messages sent'] = sent - sentBefore;
        }
        sentBefore = database?.bot.sent().length ?? 0;
        const wrong = Object.keys(sum).filter((what) => !GOOD.includes(what));
        bad += wrong.length;
        console.log(`${wrong.length ? 'FAILED' : 'ok    '}  ${opts.stops} stops, ${moment}, ${handler}: ` +
            Object.entries(sum).map(([what, count]) => `${count} ${what}`).join(', '));
    }
client.disconnect();
await database?.pg.stop();
await database?.bot.stop();
await redis.stop();
process.exit(bad ? 1 : 0);
