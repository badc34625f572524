// The table at the end of the conformance and the workflow tests: each statement of a specification, the
// tests that answer for it, and whether they passed.
import process from 'node:process';

const WIDTH = 56;

function verdict(answers) {
    if (answers.length === 0) return 'NO TEST';
    return answers.every(({ passed }) => passed) ? 'passed' : 'FAILED';
}

function names(answers) {
    return answers.map(({ name, passed }) => (passed ? name : `${name} (FAILED)`)).join(', ');
}

/**
 * Prints a row for each of `statements` (texts; the first is PREFIX-001). `answersOf(number, index)` has
 * the {name, passed} of a statement. Ends the process: code 0 when each statement is covered and
 * everything that covers it passes.
 */
export function printTable(prefix, statements, answersOf) {
    const rows = statements.map((text, i) => {
        const number = `${prefix}-${String(i + 1).padStart(3, '0')}`;
        const answers = answersOf(number, i);
        return { number, text, answers, verdict: verdict(answers) };
    });

    for (const row of rows)
        console.log(
            `${row.number}  ${row.text.padEnd(WIDTH)} ${row.verdict.padEnd(8)} ${names(row.answers)}`,
        );
    const bad = rows.filter((row) => row.verdict !== 'passed');
    console.log(
        `\n${rows.length - bad.length} of ${rows.length} statements covered and passing` +
            (bad.length > 0 ? `; not: ${bad.map(({ number }) => number).join(' ')}` : ''),
    );
    process.exit(bad.length === 0 ? 0 : 1);
}
