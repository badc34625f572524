// What the tests of a run found, from the reports ctest wrote of it.
import { existsSync, readFileSync } from 'node:fs';

const CASE = /<testcase name="([^"]+)"[^>]*? status="(\w+)"[^]*?<\/testcase>/g;
const FUNCTION = /^\[ +(OK|FAILED|SKIPPED) +\] ([\w.-]+)$/gm;

const entities = { lt: '<', gt: '>', amp: '&', quot: '"', apos: "'" };
const plain = (xml) => xml.replaceAll(/&(\w+);/g, (entity, name) => entities[name] ?? entity);

/** Whether each of a cmocka program's functions passed, as the program itself said. */
function functionsIn(output) {
    const found = new Map();
    for (const [, word, name] of output.matchAll(FUNCTION))
        found.set(name, word === 'OK' && found.get(name) !== false);
    return found;
}

/**
 * program → {passed, functions} of the reports. Reports that are not there are left out.
 */
export function readOutcomes(reports) {
    const outcomes = new Map();
    for (const report of reports.filter((file) => existsSync(file))) {
        for (const [xml, program, status] of readFileSync(report, 'utf8').matchAll(CASE))
            outcomes.set(program, { passed: status === 'run', functions: functionsIn(plain(xml)) });
    }
    return outcomes;
}
