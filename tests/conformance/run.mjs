#!/usr/bin/env node
// run.mjs [--line 5|6] [--only TEXT] [--lanes N] [--self] [--list]
//
// Runs every scenario once with BullMQ and once with ours, in two databases of one private Redis, and
// compares all keys they leave (lib/spec/bullmq.md, Appendix B), what the operations returned, and what
// BullMQ's own Queue reads from them. Both lines of BullMQ in turn, where a scenario allows it.
//   --only TEXT  scenarios whose name contains TEXT
//   --lanes N    so many scenarios side by side (3)
//   --self       BullMQ on both sides: shows that the masking hides no noise
//   --list       names the scenarios and what they answer for
// Our programs, peer_worker and peer_client, are those of $BULWARK_BUILD (default: build/debug). A run of
// everything leaves its results there for table.mjs. Exit code 0 when all are equal.
import process from 'node:process';
import { parseArgs } from 'node:util';

import { bullmq } from '../peer/peer.mjs';
import { startRedis } from '../peer/server.mjs';
import { compare } from './dump.mjs';
import { keepResults } from './results.mjs';
import { scenarios } from './scenarios/all.mjs';
import { bullmqSide, ourSide, RELEASES } from './sides.mjs';
import { Stage } from './stage.mjs';

function options() {
    const { values } = parseArgs({
        options: {
            line: { type: 'string' },
            only: { type: 'string' },
            lanes: { type: 'string', default: '3' },
            self: { type: 'boolean', default: false },
            list: { type: 'boolean', default: false },
        },
    });
    return {
        ...values,
        lanes: Number(values.lanes),
        chosen: scenarios.filter(({ name }) => name.includes(values.only ?? '')),
        lines: [...RELEASES.keys()].filter((line) => [undefined, line].includes(values.line)),
        other: (line, database) =>
            values.self ? bullmqSide(line, database, 'BullMQ again') : ourSide(database),
    };
}

async function perform(scenario, side, line, server) {
    const stage = new Stage(side, line, await bullmq(line), server.url(side.database));
    try {
        return await stage.result(await scenario.run(stage));
    } finally {
        await stage.end();
    }
}

/** Lines that say what differs or went wrong; none when both sides agree. */
async function differ(scenario, sides, line, server) {
    const runs = await Promise.allSettled(
        sides.map((side) => perform(scenario, side, line, server)),
    );
    const broken = runs.flatMap((run, i) =>
        run.status === 'rejected' ? [`${sides[i].name}: ${run.reason.stack}`] : [],
    );
    return broken.length > 0 ? broken : compare(runs[1].value, runs[0].value);
}

function report(scenario, line, found, ms) {
    const verdict = found.length === 0 ? 'equal' : 'DIFFERS';
    console.log(
        `${scenario.name.padEnd(46)} ${RELEASES.get(line).padEnd(7)} ${verdict.padEnd(8)}` +
            `${String(ms).padStart(6)} ms  ${scenario.statements.join(' ')}`,
    );
    for (const difference of found) console.log(`    ${difference}`);
}

/** Takes one scenario after the other from `queue`, with two databases of its own. */
async function runLane(lane, line, queue, opts, server, results) {
    const sides = [bullmqSide(line, 2 * lane), opts.other(line, 2 * lane + 1)];
    for (let scenario = queue.shift(); scenario !== undefined; scenario = queue.shift()) {
        const start = Date.now();
        const found = await differ(scenario, sides, line, server);
        report(scenario, line, found, Date.now() - start);
        const { name, statements } = scenario;
        results.push({ name, line, statements, passed: found.length === 0 });
    }
    await Promise.all(sides.map((side) => side.end()));
}

async function runLine(line, opts, server) {
    const queue = opts.chosen.filter(({ lines }) => lines.includes(line));
    const results = [];
    await Promise.all(
        Array.from({ length: opts.lanes }, (_, lane) =>
            runLane(lane, line, queue, opts, server, results),
        ),
    );
    if (!opts.self && opts.only === undefined) keepResults(line, results);
    return results;
}

async function main() {
    const opts = options();
    if (opts.list) {
        for (const { name, lines, statements } of opts.chosen)
            console.log(`${name.padEnd(46)} ${lines.join(',').padEnd(4)} ${statements.join(' ')}`);
        return 0;
    }
    const server = await startRedis(['--databases', String(2 * opts.lanes)]);
    const results = [];
    for (const line of opts.lines) results.push(...(await runLine(line, opts, server)));
    await server.stop();
    const failed = results.filter(({ passed }) => !passed).length;
    console.log(`\n${results.length - failed} passed, ${failed} failed`);
    return failed === 0 && results.length > 0 ? 0 : 1;
}

process.exit(await main());
