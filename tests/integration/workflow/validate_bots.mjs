#!/usr/bin/env node
// validate_bots.mjs
//
// `bulwark workflow validate` has nothing to say of the workflows in bots/, but for the nodes that a file
// lists as its `problems`: those are wrong on purpose. $BULWARK_BIN is the program.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import process from 'node:process';
import { fileURLToPath } from 'node:url';

const bots = path.join(path.dirname(fileURLToPath(import.meta.url)), 'bots');
const folder = mkdtempSync(path.join(tmpdir(), 'bulwark-bots-'));

/** The ids of the nodes with problems. */
function nodesWithProblems(workflow) {
    const file = path.join(folder, 'workflow.json');
    writeFileSync(file, JSON.stringify(workflow));
    const args = ['workflow', 'validate', '--json', file];
    const { status, stdout, stderr } = spawnSync(process.env.BULWARK_BIN, args, { encoding: 'utf8' });
    if (status !== 0 && status !== 1) throw new Error(`exit code ${status}: ${stderr}`);
    return JSON.parse(stdout).problems.map(({ node }) => node);
}

let failed = 0;
for (const name of readdirSync(bots)) {
    const { workflow, workflows = { W1: workflow }, problems = [] } = JSON.parse(
        readFileSync(path.join(bots, name), 'utf8'),
    );
    const found = Object.values(workflows).flatMap(nodesWithProblems);
    if (found.sort().join() !== problems.sort().join()) {
        console.log(`${name}: expected [${problems}], found [${found}]`);
        failed++;
    }
}
rmSync(folder, { recursive: true });
process.exit(failed === 0 ? 0 : 1);
