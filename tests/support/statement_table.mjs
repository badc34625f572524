// The table at the end of the conformance and the workflow tests: each statement of a contract, the tests
// that answer for it, and whether they passed.
import process from 'node:process';

import { documents, readSections, readStatements } from './statements.mjs';

const WIDTH = 64;

function verdict(answers) {
    if (answers.length === 0) return 'NO TEST';
    return answers.every(({ passed }) => passed) ? 'passed' : 'FAILED';
}

function names(answers) {
    return answers.map(({ name, passed }) => (passed ? name : `${name} (FAILED)`)).join(', ');
}

const short = (text) => (text.length > WIDTH ? `${text.slice(0, WIDTH - 1)}…` : text).padEnd(WIDTH);

/**
 * Prints a row for each statement with that prefix. `answersOf(number)` has the {name, passed} of one;
 * `cited` has all that tests name, sections as well. Ends the process: code 0 when each is covered,
 * everything that covers it passes, and nothing is cited that the document does not have.
 */
export function printTable(prefix, answersOf, cited) {
    const rows = readStatements(prefix).map(({ number, text }) => {
        const answers = answersOf(number);
        return { number, text, answers, verdict: verdict(answers) };
    });
    const known = new Set([...rows.map(({ number }) => number), ...readSections(prefix)]);
    const unknown = [...new Set(cited)].filter((number) => !known.has(number)).sort();
    const bad = rows.filter((row) => row.verdict !== 'passed');

    for (const row of rows)
        console.log(`${row.number}  ${short(row.text)} ${row.verdict.padEnd(8)} ${names(row.answers)}`);
    console.log(
        `\n${rows.length - bad.length} of ${rows.length} statements covered and passing` +
            (bad.length > 0 ? `; not: ${bad.map(({ number }) => number).join(' ')}` : ''),
    );
    if (unknown.length > 0)
        console.log(`cited, but not in ${documents[prefix]}: ${unknown.join(' ')}`);
    process.exit(bad.length + unknown.length === 0 ? 0 : 1);
}
