#!/usr/bin/env node
// table.mjs --names
// table.mjs REPORT…
//
// Prints the statements of worker/workflow/spec/workflow.md, the tests that cite each and whether they passed,
// as ctest's reports (--output-junit) say. Exit code 0 when each statement is cited, all tests that cite it
// ran and passed, and no other is cited.
//   --names   prints a regular expression instead: the tests that cite statements, for ctest -R
// $BULWARK_BUILD is the build that was tested (default: build/debug).
import { spawnSync } from 'node:child_process';
import path from 'node:path';
import process from 'node:process';
import { fileURLToPath } from 'node:url';

import { readOutcomes } from '../../support/outcomes.mjs';
import { printTable } from '../../support/statement_table.mjs';
import { readCitations } from './citations.mjs';

const here = path.dirname(fileURLToPath(import.meta.url));
const build = process.env.BULWARK_BUILD ?? path.join(here, '../../../build/debug');

/** ctest's tests as {name, command}. */
function knownTests() {
    const listing = spawnSync('ctest', ['--test-dir', build, '--show-only=json-v1']);
    return JSON.parse(listing.stdout).tests;
}

/** {name, test?, numbers}: the citations with the names that ctest has for them; others are no tests. */
function citationsOf(known) {
    const nameOf = ({ program, script }) =>
        known.find(({ name, command }) =>
            script === undefined ? name === program : command?.includes(script),
        )?.name;
    return readCitations()
        .map((citation) => ({ ...citation, name: nameOf(citation) }))
        .filter(({ name }) => name !== undefined);
}

function answer({ name, test }, outcomes) {
    const outcome = outcomes.get(name);
    if (test === undefined) return { name, passed: outcome?.passed === true };
    return { name: `${name}: ${test}`, passed: outcome?.functions.get(test) === true };
}

const citations = citationsOf(knownTests());
if (process.argv[2] === '--names') {
    console.log(`^(${[...new Set(citations.map(({ name }) => name))].join('|')})$`);
    process.exit(0);
}
const outcomes = readOutcomes(process.argv.slice(2));
function answersOf(number) {
    const cited = citations
        .filter(({ numbers }) => numbers.includes(number))
        .map((citation) => answer(citation, outcomes));
    return [...new Map(cited.map((one) => [one.name, one])).values()];
}

printTable('WF', answersOf, readCitations().flatMap(({ numbers }) => numbers));
