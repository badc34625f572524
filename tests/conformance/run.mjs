#!/usr/bin/env node
// run.mjs [--line 5|6] [--only TEXT] [--self] [--list]
//
// Runs every scenario once with BullMQ's Worker and once with ours, in two databases of one private
// Redis, and compares all keys they leave (specification, Appendix B) and what BullMQ's own Queue
// reads from them. Both lines of BullMQ in turn, where a scenario allows it.
//   --only TEXT  scenarios whose name contains TEXT
//   --self       BullMQ on both sides: shows that the masking hides no noise
//   --list       names the scenarios and what they answer for
// Our programs, peer_worker and peer_client, are those of $BULWARK_BUILD (default: build/debug).
// Exit code 0 when all are equal.
import path from 'node:path';
import process from 'node:process';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

import { bullmq } from '../peer/peer.mjs';
import { startRedis } from '../peer/server.mjs';
import { ProgramClient } from './clients.mjs';
import { compare } from './dump.mjs';
import { scenarios } from './scenarios/all.mjs';
import { Side, Stage } from './stage.mjs';

const here = path.dirname(fileURLToPath(import.meta.url));
const node = (line) => [process.execPath, path.join(here, 'node_worker.mjs'), line];
const LINES = { 6: '6.7.0', 5: '5.81.3' };

function options() {
    const { values } = parseArgs({
        options: {
            line: { type: 'string' },
            only: { type: 'string', default: '' },
            self: { type: 'boolean', default: false },
            list: { type: 'boolean', default: false },
        },
    });
    const build = process.env.BULWARK_BUILD ?? path.join(here, '../../build/debug');
    const program = (name) => path.join(build, 'tests/conformance', name);
    return {
        ...values,
        chosen: scenarios.filter(({ name }) => name.includes(values.only)),
        lines: Object.keys(LINES).filter((line) => [undefined, line].includes(values.line)),
        other: (line) =>
            values.self
                ? new Side('BullMQ again', node(line), 1)
                : new Side(
                      'bulwark',
                      [program('peer_worker')],
                      1,
                      new ProgramClient(program('peer_client')),
                  ),
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
        `${scenario.name.padEnd(46)} ${LINES[line].padEnd(7)} ${verdict.padEnd(8)}` +
            `${String(ms).padStart(6)} ms  ${scenario.statements.join(' ')}`,
    );
    for (const difference of found) console.log(`    ${difference}`);
}

async function runLine(line, opts, server, counts) {
    const sides = [new Side('BullMQ', node(line), 0), opts.other(line)];
    for (const scenario of opts.chosen.filter(({ lines }) => lines.includes(line))) {
        const start = Date.now();
        const found = await differ(scenario, sides, line, server);
        report(scenario, line, found, Date.now() - start);
        counts[found.length === 0 ? 'passed' : 'failed']++;
    }
    await Promise.all(sides.map((side) => side.end()));
}

async function main() {
    const opts = options();
    if (opts.list) {
        for (const { name, lines, statements } of opts.chosen)
            console.log(`${name.padEnd(46)} ${lines.join(',').padEnd(4)} ${statements.join(' ')}`);
        return 0;
    }
    const server = await startRedis(['--databases', '2']);
    const counts = { passed: 0, failed: 0 };
    for (const line of opts.lines) await runLine(line, opts, server, counts);
    await server.stop();
    console.log(`\n${counts.passed} passed, ${counts.failed} failed`);
    return counts.failed === 0 && counts.passed > 0 ? 0 : 1;
}

process.exit(await main());
