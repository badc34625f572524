#!/usr/bin/env node
// fleet.mjs [--scale N]
//
// Four workers share queues: BullMQ's of both lines and two of ours. Plain, prioritized, delayed, failing
// jobs, flows, schedulers, pauses amid work, a rate limit, a global concurrency. Each job leaves a row in its
// log whenever it is run, and the stream of events says in which order things happened: every job is done
// as often as it should be, order and limits are kept whoever works.
//   --scale N  N times as many jobs (1)
// Our worker is peer_worker of $BULWARK_BUILD. Exit code 0 when all holds.
import assert from 'node:assert/strict';
import process from 'node:process';
import { parseArgs } from 'node:util';

import { bullmq } from '../peer/peer.mjs';
import { startRedis } from '../peer/server.mjs';
import { fail, ret } from './scenarios/scenario.mjs';
import { bullmqSide, ourSide } from './sides.mjs';
import { Stage } from './stage.mjs';

const WAIT_MS = 45000;
const CLOCK_MS = 3; // the server's clock may stand still for a script

const { values } = parseArgs({ options: { scale: { type: 'string', default: '1' } } });
const scale = Number(values.scale);

/** A start that leaves a row in the job's log. */
const logged = (row, end) => [['log', row], ...end];
const once = (result = 'done') => [logged('run', ret(result))];

class Fleet {
    constructor(stages) {
        this.stages = stages;
        [this.stage] = stages;
        this.redis = this.stage.redis;
    }

    /** Four workers on `queue`; a crew is what ends them. */
    async man(queue, options) {
        const crew = await Promise.all(
            this.stages.map((stage, i) =>
                stage.start({ concurrency: 5, drainDelay: 1, ...options, name: `w${i}` }, queue),
            ),
        );
        return { leave: () => Promise.all(crew.map((worker) => worker.stop())) };
    }

    async events(queue) {
        const entries = await this.redis.xrange(this.stage.key('events', queue), '-', '+');
        return entries.map(([id, flat]) => {
            const event = { ms: Number(id.split('-')[0]) };
            for (let i = 0; i < flat.length; i += 2) event[flat[i]] = flat[i + 1];
            return event;
        });
    }

    async finished(queue, n) {
        const key = (state) => this.stage.key(state, queue);
        const deadline = Date.now() + WAIT_MS;
        let done = 0;
        while (done < n) {
            const counts = await Promise.all([
                this.redis.zcard(key('completed')),
                this.redis.zcard(key('failed')),
            ]);
            done = counts[0] + counts[1];
            assert.ok(Date.now() < deadline, `${queue}: ${done} of ${n} jobs are finished`);
            await new Promise((resolve) => setTimeout(resolve, 20));
        }
        assert.equal(done, n, `${queue}: more jobs finished than there are`);
    }

    /** The rows each job should have logged: {id: [row, …]}. */
    async ran(queue, expected) {
        for (const [id, rows] of Object.entries(expected))
            assert.deepEqual(
                await this.redis.lrange(this.stage.key(`${id}:logs`, queue), 0, -1),
                rows,
                `${queue}: what job ${id} logged`,
            );
    }

    /** The workers that ran these jobs. */
    async workers(queue, ids) {
        const key = (id) => this.stage.key(id, queue);
        return new Set(await Promise.all(ids.map((id) => this.redis.hget(key(id), 'pb'))));
    }

    async empty(queue) {
        for (const list of ['wait', 'paused', 'active'])
            assert.equal(await this.redis.llen(this.stage.key(list, queue)), 0, `${queue}: ${list}`);
        for (const set of ['prioritized', 'delayed', 'waiting-children'])
            assert.equal(await this.redis.zcard(this.stage.key(set, queue)), 0, `${queue}: ${set}`);
        const locks = await this.redis.keys(this.stage.key('*:lock', queue));
        assert.deepEqual(locks, [], `${queue}: locks are left`);
    }
}

/** The first start of each job, in order. */
function firstStarts(events) {
    const ids = events.filter(({ event }) => event === 'active').map(({ jobId }) => jobId);
    return [...new Set(ids)];
}

/** How many jobs were active at once, at most. */
function mostActive(events) {
    let most = 0;
    const active = new Set();
    for (const { event, jobId, prev } of events) {
        if (event === 'active') active.add(jobId);
        else if (prev === 'active' || event === 'delayed') active.delete(jobId);
        most = Math.max(most, active.size);
    }
    return most;
}

/** Starts in each window: one begins with the first start after the last one's end. */
function windows(events, duration) {
    const counts = [];
    let end = -Infinity;
    for (const { event, ms } of events) {
        if (event !== 'active') continue;
        if (ms >= end - CLOCK_MS) {
            end = ms + duration;
            counts.push(0);
        }
        counts[counts.length - 1]++;
    }
    return counts;
}

function startsWhilePaused(events) {
    let paused = false;
    return events.filter(({ event }) => {
        if (event === 'paused' || event === 'resumed') paused = event === 'paused';
        return paused && event === 'active';
    });
}

// --- what is tried

async function order(fleet) {
    const queue = fleet.stage.queueNamed('order');
    await queue.pause();
    const plain = [];
    for (let i = 0; i < 200 * scale; i++)
        plain.push((await queue.add('plain', { do: once() })).id);
    const urgent = [];
    for (let i = 0; i < 60 * scale; i++) {
        const priority = 1 + ((i * 7) % 5);
        const { id } = await queue.add('urgent', { do: once() }, { priority });
        urgent.push({ id, priority });
    }
    const crew = await fleet.man('order');
    await queue.resume();
    await fleet.finished('order', plain.length + urgent.length);
    await crew.leave();
    const byPriority = urgent.toSorted((a, b) => a.priority - b.priority).map(({ id }) => id);
    const events = await fleet.events('order');
    assert.deepEqual(firstStarts(events), [...plain, ...byPriority], 'the order of starts');
    const rows = [...plain, ...byPriority].map((id) => [id, ['run']]);
    await fleet.ran('order', Object.fromEntries(rows));
    await fleet.empty('order');
    assert.equal((await fleet.workers('order', plain)).size, fleet.stages.length, 'who worked');
}

async function mixture(fleet) {
    const queue = fleet.stage.queueNamed('mixture');
    const expected = {};
    const add = async (data, rows, opts) => {
        expected[(await queue.add('n', data, opts)).id] = rows;
    };
    const again = { do: [logged('one', fail('one')), logged('two', ret('fine'))] };
    const hopeless = { do: [logged('one', fail('one')), logged('two', fail('two'))] };
    const crew = await fleet.man('mixture');
    for (let i = 0; i < 40 * scale; i++) {
        await add({ do: once() }, ['run']);
        await add({ do: once() }, ['run'], { priority: 3 });
        await add({ do: once() }, ['run'], { delay: 20 * (i % 10) });
        await add(again, ['one', 'two'], { attempts: 2 });
        await add(again, ['one', 'two'], { attempts: 2, backoff: 30, priority: 1 });
        await add(hopeless, ['one', 'two'], { attempts: 2, backoff: 10 });
        if (i % 10 === 5) await queue.pause();
        if (i % 10 === 9) await queue.resume();
    }
    await fleet.finished('mixture', Object.keys(expected).length);
    await crew.leave();
    assert.deepEqual(startsWhilePaused(await fleet.events('mixture')), [], 'starts while paused');
    await fleet.ran('mixture', expected);
    await fleet.empty('mixture');
}

async function flows(fleet) {
    const node = (name, children) => ({ name, queueName: 'flows', data: { do: once(name) }, children });
    const ids = (tree) => [tree.job.id, ...(tree.children ?? []).flatMap(ids)];
    const trees = [];
    const crew = await fleet.man('flows');
    for (let i = 0; i < 20 * scale; i++) {
        const children = [node('a'), node('b'), node('c', [node('d'), node('e')])];
        trees.push(await fleet.stage.flows.add(node('root', children)));
    }
    const all = trees.flatMap(ids);
    await fleet.finished('flows', all.length);
    await crew.leave();
    const done = (await fleet.events('flows'))
        .filter(({ event }) => event === 'completed')
        .map(({ jobId }) => jobId);
    assert.equal(done.length, all.length, 'each job of the flows completes once');
    const place = new Map(done.map((id, i) => [id, i]));
    const check = ({ job, children = [] }) => {
        for (const child of children) {
            assert.ok(place.get(child.job.id) < place.get(job.id), 'children come first');
            check(child);
        }
    };
    trees.forEach(check);
    await fleet.ran('flows', Object.fromEntries(all.map((id) => [id, ['run']])));
    await fleet.empty('flows');
}

async function limiter(fleet) {
    const [max, duration, jobs] = [15, 300, 75 * scale];
    const queue = fleet.stage.queueNamed('limiter');
    const crew = await fleet.man('limiter', { limiter: { max, duration } });
    await queue.addBulk(Array.from({ length: jobs }, () => ({ name: 'n', data: { do: once() } })));
    await fleet.finished('limiter', jobs);
    await crew.leave();
    const counts = windows(await fleet.events('limiter'), duration);
    assert.ok(Math.max(...counts) <= max, `starts in windows of ${duration} ms: ${counts}`);
    await fleet.empty('limiter');
}

async function narrow(fleet) {
    const [most, jobs] = [3, 100 * scale];
    const queue = fleet.stage.queueNamed('narrow');
    await queue.setGlobalConcurrency(most);
    const crew = await fleet.man('narrow');
    await queue.addBulk(Array.from({ length: jobs }, () => ({ name: 'n', data: { do: once() } })));
    await fleet.finished('narrow', jobs);
    await crew.leave();
    assert.ok(mostActive(await fleet.events('narrow')) <= most, 'the concurrency of the queue');
    await fleet.empty('narrow');
}

async function schedulers(fleet) {
    const [every, limit] = [100, 15];
    const queue = fleet.stage.queueNamed('schedulers');
    const crew = await fleet.man('schedulers');
    const template = (name) => ({ name, data: { do: once(name) } });
    const names = ['tick', 'tock', 'tack'];
    for (const name of names) await queue.upsertJobScheduler(name, { every, limit }, template(name));
    await fleet.finished('schedulers', names.length * limit);
    await crew.leave();
    const ran = [];
    for (const name of names) {
        const starts = firstStarts(await fleet.events('schedulers'))
            .filter((id) => id.startsWith(`repeat:${name}:`))
            .map((id) => Number(id.split(':')[2]));
        assert.equal(starts.length, limit, `iterations of ${name}`);
        const gaps = starts.slice(1).map((ms, i) => ms - starts[i]);
        assert.ok(gaps.every((gap) => gap > 0 && gap % every === 0), `slots of ${name}: ${starts}`);
        const ids = starts.map((ms) => `repeat:${name}:${ms}`);
        ran.push(...(await fleet.workers('schedulers', ids)));
        await fleet.ran('schedulers', Object.fromEntries(ids.map((id) => [id, ['run']])));
    }
    assert.ok(ran.includes('w2') || ran.includes('w3'), 'ours plan iterations too');
    await fleet.empty('schedulers');
}

async function main() {
    const server = await startRedis();
    const library = await bullmq('6');
    const sides = [bullmqSide('6', 0), bullmqSide('5', 0, 'BullMQ 5'), ourSide(0), ourSide(0)];
    const stages = sides.map((side) => new Stage(side, '6', library, server.url()));
    const fleet = new Fleet(stages);
    let failures = 0;
    for (const trial of [order, mixture, flows, limiter, narrow, schedulers]) {
        const start = Date.now();
        try {
            await trial(fleet);
            console.log(`${trial.name.padEnd(12)} fine    ${Date.now() - start} ms`);
        } catch (error) {
            failures++;
            console.log(`${trial.name.padEnd(12)} FAILED  ${error.message}`);
            const left = stages.flatMap((stage) => stage.workers.map((w) => stage.drop(w)));
            await Promise.all(left.map((program) => program.kill()));
        }
    }
    await Promise.allSettled(stages.map((stage) => stage.end()));
    await Promise.allSettled(sides.map((side) => side.end()));
    await server.stop();
    console.log(`\n${failures} failed`);
    return failures === 0 ? 0 : 1;
}

process.exit(await main());
