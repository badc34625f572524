// What a run of all scenarios of a line found, kept in the build folder between run.mjs and table.mjs.
import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';

import { build, RELEASES } from './sides.mjs';

const file = (line) => path.join(build, 'tests/conformance', `results-${line}.json`);

/** `results` is a list of {name, line, statements, passed}. */
export function keepResults(line, results) {
    writeFileSync(file(line), JSON.stringify(results));
}

/** The results of all lines; throws for a line that was not run. */
export function readResults() {
    return [...RELEASES.keys()].flatMap((line) => JSON.parse(readFileSync(file(line), 'utf8')));
}
