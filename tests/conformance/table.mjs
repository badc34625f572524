#!/usr/bin/env node
// table.mjs [REPORT…]
//
// Prints the statements of lib/spec/bullmq.md, the scenarios (or tests of ctest) that answer for each and
// whether they passed, from what run.mjs left in $BULWARK_BUILD for both lines of BullMQ and
// from ctest's reports (--output-junit); a test that is in none of them is run.
// Exit code 0 when each statement is covered, everything that covers it passes, and no other is cited.
import { spawnSync } from 'node:child_process';
import process from 'node:process';

import { readOutcomes } from '../support/outcomes.mjs';
import { printTable } from '../support/statement_table.mjs';
import { beside } from './beside.mjs';
import { readResults } from './results.mjs';
import { build } from './sides.mjs';

/** {name, passed} of each scenario that cites the statement; a scenario failed if it did in a line. */
function scenariosOf(statement, results) {
    const found = new Map();
    for (const { name, statements: cited, passed } of results) {
        if (cited.includes(statement)) found.set(name, (found.get(name) ?? true) && passed);
    }
    return [...found].map(([name, passed]) => ({ name, passed }));
}

/** A test of ctest that no report has. */
function run(name) {
    const report = `${build}/beside.tests.xml`;
    spawnSync('ctest', ['--test-dir', build, '-R', `^${name}$`, '--output-junit', report], { stdio: 'ignore' });
    return readOutcomes([report]).get(name);
}

function answerOf(name) {
    if (!outcomes.has(name)) outcomes.set(name, run(name));
    return { name: `ctest ${name}`, passed: outcomes.get(name)?.passed === true };
}

const results = readResults();
const outcomes = readOutcomes(process.argv.slice(2));
printTable(
    'BMQ',
    (number) => [...scenariosOf(number, results), ...(beside[number] ?? []).map(answerOf)],
    [...results.flatMap(({ statements }) => statements), ...Object.keys(beside)],
);
