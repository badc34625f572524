#!/usr/bin/env node
// random.mjs [--seed N] [--sequences N] [--seconds N] [--line 5|6] [--lanes N] [--self] [--replay FILE]
//
// Random sequences of operations, jobs and worker outcomes (random_steps.mjs), played by BullMQ and by ours
// in lock-step; all keys are compared after every step. A sequence that ends differently is shrunk to the
// steps that are needed and printed, to be played again with --replay.
//   --seed N       of the first sequence, the next ones count on (default: a fresh one, printed)
//   --sequences N  how many (200)
//   --seconds N    begin no more sequences after that time
//   --line N       of BullMQ to compare with (6)
//   --lanes N      so many side by side (3)
//   --self         BullMQ on both sides: shows that the sequences make no noise
//   --replay FILE  plays the steps in it, one a line as they are printed
// Our programs are those of $BULWARK_BUILD. Exit code 0 when all are equal.
import { randomInt } from 'node:crypto';
import { readFileSync } from 'node:fs';
import process from 'node:process';
import { parseArgs } from 'node:util';

import { bullmq } from '../peer/peer.mjs';
import { startRedis } from '../peer/server.mjs';
import { operations } from './clients.mjs';
import { play } from './random_play.mjs';
import { sequence } from './random_steps.mjs';
import { shrink } from './shrink.mjs';
import { bullmqSide, ourSide, RELEASES } from './sides.mjs';
import { Stage } from './stage.mjs';

const MOST_FAILURES = 3; // more would only cost time

function options() {
    const { values } = parseArgs({
        options: {
            seed: { type: 'string' },
            sequences: { type: 'string', default: '200' },
            seconds: { type: 'string', default: 'Infinity' },
            line: { type: 'string', default: '6' },
            lanes: { type: 'string', default: '3' },
            self: { type: 'boolean', default: false },
            replay: { type: 'string' },
        },
    });
    return {
        ...values,
        seed: values.seed === undefined ? randomInt(2 ** 31) : Number(values.seed),
        sequences: Number(values.sequences),
        until: Date.now() + Number(values.seconds) * 1000,
        lanes: Number(values.lanes),
    };
}

/** Two sides with databases of their own. */
function sidesOf(lane, { line, self }) {
    const other = self ? bullmqSide(line, 2 * lane + 1, 'BullMQ again') : ourSide(2 * lane + 1);
    return [bullmqSide(line, 2 * lane), other];
}

/** What ours does as the newest line only (lib/spec/bullmq.md, A.1). */
const NEWEST_ONLY = new Set(['pause', 'resume', 'upsertScheduler']);

/** The operations that both sides have and that should leave the same. */
async function common(sides, line, urlOf) {
    const stage = new Stage(sides[1], line, await bullmq(line), urlOf(sides[1].database));
    const theirs = new Set(await (sides[1].client.operations?.(stage) ?? operations));
    await stage.end();
    return operations.filter(
        (op) => theirs.has(op) && (line === '6' || !NEWEST_ONLY.has(op)),
    );
}

function printFailure(what, steps, failure) {
    console.log(`${what}: differs after step ${failure.step + 1} of ${steps.length}`);
    for (const line of failure.found) console.log(`    ${line}`);
    for (const step of steps) console.log(JSON.stringify(step));
}

class Run {
    constructor(opts, urlOf) {
        this.opts = opts;
        this.urlOf = urlOf;
        this.taken = 0;
        this.passed = 0;
        this.failed = 0;
    }

    /** The seed of the next sequence; undefined when there is none. */
    next() {
        const { seed, sequences, until } = this.opts;
        if (this.taken >= sequences || this.failed >= MOST_FAILURES || Date.now() > until)
            return undefined;
        return seed + this.taken++;
    }

    async fail(seed, steps, failure, sides) {
        this.failed++;
        const again = (list) => play(list, sides, this.opts.line, this.urlOf);
        const smaller = await shrink(steps.slice(0, failure.step + 1), async (list) =>
            list.length === 0 ? null : again(list),
        );
        if (smaller === null) printFailure(`seed ${seed} (not when played again)`, steps, failure);
        else printFailure(`seed ${seed}`, smaller.steps, smaller.failure);
    }

    async lane(index) {
        const { line } = this.opts;
        const sides = sidesOf(index, this.opts);
        const known = await common(sides, line, this.urlOf);
        for (let seed = this.next(); seed !== undefined; seed = this.next()) {
            const steps = sequence(seed, known);
            const failure = await play(steps, sides, line, this.urlOf);
            if (failure === null) this.passed++;
            else await this.fail(seed, steps, failure, sides);
        }
        await Promise.all(sides.map((side) => side.end()));
    }
}

async function replay(opts, urlOf) {
    const lines = readFileSync(opts.replay, 'utf8').split('\n');
    const steps = lines.filter((line) => line.startsWith('{')).map((line) => JSON.parse(line));
    const sides = sidesOf(0, opts);
    const failure = await play(steps, sides, opts.line, urlOf);
    await Promise.all(sides.map((side) => side.end()));
    if (failure === null) console.log('equal');
    else printFailure('replayed', steps, failure);
    return failure === null ? 0 : 1;
}

async function main() {
    const opts = options();
    const server = await startRedis(['--databases', String(2 * opts.lanes)]);
    const urlOf = (database) => server.url(database);
    if (opts.replay !== undefined) return replay(opts, urlOf);
    console.log(`BullMQ ${RELEASES.get(opts.line)}, seed ${opts.seed}`);
    const run = new Run(opts, urlOf);
    await Promise.all(Array.from({ length: opts.lanes }, (_, index) => run.lane(index)));
    await server.stop();
    console.log(`${run.passed} sequences equal, ${run.failed} differ`);
    return run.failed === 0 && run.passed > 0 ? 0 : 1;
}

process.exit(await main());
