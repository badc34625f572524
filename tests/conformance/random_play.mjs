// Plays a sequence of random_steps.mjs on both sides in lock-step and compares after every step.
import { bullmq } from '../peer/peer.mjs';
import { compare, dump, mask } from './dump.mjs';
import { Stage } from './stage.mjs';

const WORKER = { lockDuration: 600000, stalledInterval: 600000 };

/** A handler's delay is the distance to a point in time: a ms may pass on the way. */
function roundDelay(hash) {
    if (hash?.delay !== undefined) hash.delay = Math.ceil(hash.delay / 100) * 100;
}

/** Operations that take ended jobs in the order of their times. */
const BY_END = new Set(['retryJobs', 'clean']);

/**
 * Of jobs that ended within one millisecond the set shows no order, the stream does: moves the times apart
 * accordingly, so that chance does not decide which job an operation takes first.
 */
async function spreadEnds({ redis, key }, events, state) {
    const order = new Map(events.map(([, fields], at) => [`${fields[1]} ${fields[3]}`, at]));
    const flat = await redis.zrange(key(state), 0, -1, 'WITHSCORES');
    const ids = flat.filter((_, i) => i % 2 === 0);
    const scores = new Map(ids.map((id, i) => [id, Number(flat[2 * i + 1])]));
    const at = (id) => order.get(`${state} ${id}`) ?? -1;
    let last = 0;
    for (const id of ids.sort((a, b) => at(a) - at(b))) {
        last = Math.max(last + 1, scores.get(id));
        await redis.zadd(key(state), 'XX', last, id);
    }
}

/** A stage with at most one worker, of concurrency 1: what it does has one order only. */
class Player {
    constructor(stage) {
        this.stage = stage;
        this.worker = undefined;
        this.opened = new Set();
    }

    async begin() {
        await this.stage.queue.waitUntilReady(); // writes meta
    }

    /** The gate at which the active job waits. */
    async gate() {
        const { stage } = this;
        const [id] = await stage.redis.lrange(stage.key('active'), 0, 0);
        if (id === undefined) return undefined;
        const progress = JSON.parse((await stage.redis.hget(stage.key(id), 'progress')) ?? 'null');
        return /^gate\d+$/.test(progress) && !this.opened.has(progress) ? progress : undefined;
    }

    async idle() {
        const { redis } = this.stage;
        const key = (suffix) => this.stage.key(suffix);
        const [[, active], [, marker], [, checked], [, due], [, paused], [, wait], [, prioritized]] =
            await redis
                .pipeline()
                .llen(key('active'))
                .exists(key('marker'))
                .exists(key('stalled-check'))
                .zcount(key('delayed'), 0, Date.now() * 4096)
                .hexists(key('meta'), 'paused')
                .llen(key('wait'))
                .zcard(key('prioritized'))
                .exec();
        if (active > 0 || !checked || due > 0 || marker > 0) return false;
        return paused > 0 || (wait === 0 && prioritized === 0);
    }

    /** Waits until the worker holds or has nothing to do; then it goes, unless it holds. */
    async rest() {
        if (this.worker === undefined) return;
        await this.stage.until(
            async () => (await this.gate()) !== undefined || (await this.idle()),
            'a worker at rest',
        );
        if ((await this.gate()) === undefined) await this.dismiss();
    }

    async dismiss() {
        const { worker } = this;
        this.worker = undefined;
        await worker.stop();
        // At rest there was no marker. That of a delayed job ours gives to who is still there; BullMQ's takes it along.
        await this.stage.redis.zrem(this.stage.key('marker'), '1');
    }

    async work() {
        this.worker ??= await this.stage.start(WORKER);
        await this.rest();
    }

    async open() {
        const gate = await this.gate();
        if (gate === undefined) return;
        this.opened.add(gate);
        this.stage.open(gate);
        await this.rest();
    }

    async spreadEnds() {
        const { redis } = this.stage;
        const key = (suffix) => this.stage.key(suffix);
        const events = await redis.xrange(key('events'), '-', '+');
        for (const state of ['completed', 'failed'])
            await spreadEnds({ redis, key }, events, state);
    }

    async step({ op, args, work, open }) {
        if (BY_END.has(op)) await this.spreadEnds();
        if (op !== undefined) await this.stage.op(op, args);
        else if (work) await this.work();
        else if (open) await this.open();
    }

    async state() {
        const { stage } = this;
        const options = { since: stage.since, ignore: stage.ignored, results: stage.results };
        const keys = mask(await dump(stage.redis), options);
        // While a job holds, whether its worker has a marker in hand is its own affair.
        if (this.worker !== undefined) delete keys[stage.key('marker')];
        for (const { value } of Object.values(keys)) roundDelay(value);
        return keys;
    }

    async end() {
        await this.stage.op('resume').catch(() => {});
        for (let gate = await this.gate(); gate !== undefined; gate = await this.gate())
            await this.open();
    }
}

/**
 * Null when both sides agreed on every step, else {step, found}: the index of the first step after which
 * they did not, and lines that say how.
 */
export async function play(steps, sides, line, urlOf) {
    const library = await bullmq(line);
    const stages = sides.map((side) => new Stage(side, line, library, urlOf(side.database)));
    const players = stages.map((stage) => new Player(stage));
    try {
        await Promise.all(players.map((player) => player.begin()));
        for (const [i, step] of steps.entries()) {
            const done = await Promise.allSettled(players.map((player) => player.step(step)));
            const broken = done.flatMap(({ reason }, k) =>
                reason === undefined ? [] : [`${sides[k].name}: ${reason.stack}`],
            );
            if (broken.length > 0) return { step: i, found: broken };
            const [theirs, ours] = await Promise.all(players.map((player) => player.state()));
            const found = compare(ours, theirs);
            if (found.length > 0) return { step: i, found };
        }
        await Promise.all(players.map((player) => player.end()));
        return null;
    } finally {
        await Promise.allSettled(stages.map((stage) => stage.end()));
    }
}
