#!/usr/bin/env node
// table.mjs
//
// Prints the statements of the specification's checklist, the scenarios (or tests of ctest) that answer
// for each and whether they passed, from what run.mjs left in $BULWARK_BUILD for both lines of BullMQ.
// Exit code 0 when each statement is covered and everything that covers it passes.
import { spawnSync } from 'node:child_process';

import { printTable } from '../support/statement_table.mjs';
import { readResults } from './results.mjs';
import { build } from './sides.mjs';
import { beside, statements } from './statements.mjs';

/** {name, passed} of each scenario that cites the statement; a scenario failed if it did in a line. */
function scenariosOf(statement, results) {
    const found = new Map();
    for (const { name, statements: cited, passed } of results) {
        if (cited.includes(statement)) found.set(name, (found.get(name) ?? true) && passed);
    }
    return [...found].map(([name, passed]) => ({ name, passed }));
}

/** Runs a test of ctest by its command, because ctest itself would overwrite the log of its last run. */
function runBeside(name) {
    const args = ['--test-dir', build, '--show-only=json-v1', '-R', `^${name}$`];
    const [test] = JSON.parse(spawnSync('ctest', args).stdout).tests;
    const [program, ...rest] = test?.command ?? []; // not built: no command
    const passed = program !== undefined && spawnSync(program, rest).status === 0;
    return { name: `ctest ${name}`, passed };
}

const results = readResults();
printTable('BMQ', statements, (number, i) => [
    ...scenariosOf(number, results),
    ...(beside[i + 1] ?? []).map(runBeside),
]);
