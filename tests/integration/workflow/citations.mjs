// Which test answers for which statement of worker/workflow/spec/workflow.md. CONTRIBUTING.md has the
// convention.
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const here = path.dirname(fileURLToPath(import.meta.url));
const tests = path.join(here, '../..');

/** Folders of workflows as data, and the program that runs each. */
const data = { cases: 'test_workflow_cases', bots: 'test_workflow_bots' };

const CITATION = /WF-(\d{3})(?:[\s*]*…[\s*]*WF-(\d{3}))?/g;
const TEST = /^static void (\w+)\(void \*\*state\)\n\{[^]*?^\}/gm;

/** {at, numbers} of each citation in a text; `WF-001 … WF-003` are three statements. */
function citationsIn(text) {
    return [...text.matchAll(CITATION)].map(({ index, 1: first, 2: last = first }) => {
        const numbers = [];
        for (let n = Number(first); n <= Number(last); n++)
            numbers.push(`WF-${String(n).padStart(3, '0')}`);
        return { at: index, numbers };
    });
}

/** A citation in a C file is its test function's, or the next one's; above the includes, the program's. */
function citationsOfC(file, text) {
    const program = path.basename(file, '.c');
    const functions = [...text.matchAll(TEST)];
    const includes = text.indexOf('#include');

    return citationsIn(text).map(({ at, numbers }) => {
        const test = functions.find(({ index, 0: { length } }) => index + length > at);
        return { program, test: at < includes ? undefined : test?.[1], numbers };
    });
}

/** A script's citations are its own: `script` is what its test's command line names. */
function citationsOfScript(file, text) {
    return citationsIn(text).map(({ numbers }) => ({ script: file, numbers }));
}

function citationsOfData(folder, program) {
    return readdirSync(path.join(here, folder))
        .filter((name) => name.endsWith('.json'))
        .map((name) => {
            const { cite = [] } = JSON.parse(readFileSync(path.join(here, folder, name), 'utf8'));
            return { program, test: name, numbers: cite };
        });
}

/** {program or script, test?, numbers} of all tests. */
export function readCitations() {
    const sources = readdirSync(tests, { recursive: true })
        .filter((name) => !path.join(tests, name).startsWith(`${here}/`) || name.endsWith('.c'))
        .map((name) => path.join(tests, name));
    const read = (file) => readFileSync(file, 'utf8');

    return [
        ...Object.entries(data).flatMap(([folder, program]) => citationsOfData(folder, program)),
        ...sources
            .filter((file) => /\/test_\w+\.c$/.test(file))
            .flatMap((file) => citationsOfC(file, read(file))),
        ...sources
            .filter((file) => file.endsWith('.mjs'))
            .flatMap((file) => citationsOfScript(file, read(file))),
    ];
}
