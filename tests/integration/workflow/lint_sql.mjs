#!/usr/bin/env node
// lint_sql.mjs
//
// scripts/lint-sql has nothing to say of the statements as they are, and sees each kind of fault.
import { spawnSync } from 'node:child_process';
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import process from 'node:process';
import { fileURLToPath } from 'node:url';

const top = fileURLToPath(new URL('../../..', import.meta.url));
const folder = mkdtempSync(path.join(tmpdir(), 'bulwark-sql-'));
let failed = 0;

function expect(what, holds, output) {
    if (holds) return;
    console.log(`${what}\n${output}`);
    failed++;
}

/** The statements with some text in place of other. */
function changed(...changes) {
    const copy = mkdtempSync(path.join(folder, 'case-'));
    cpSync(path.join(top, 'worker/workflow/store'), copy, { recursive: true });
    for (const [name, from, to] of changes) {
        const file = path.join(copy, name);
        const text = readFileSync(file, 'utf8');
        if (!text.includes(from)) throw new Error(`${name} has no ${from}`);
        writeFileSync(file, text.replace(from, to));
    }
    return copy;
}

function run(program, ...args) {
    const { status, stdout, stderr } = spawnSync(path.join(top, 'scripts', program), args, { encoding: 'utf8' });
    return { status, output: stdout + stderr };
}

function refused(what, words, ...changes) {
    const { status, output } = run('embed-sql', changed(...changes), mkdtempSync(path.join(folder, 'made-')));
    expect(`${what} is not refused`, status === 1 && output.includes(words), output);
}

const whole = run('lint-sql');
expect('the statements are refused', whole.status === 0 && whole.output === '', whole.output);

const broken = run('lint-sql', changed(
    ['project.sql', 'b.bot_token,', 'b.bot_tokn,'],
    ['orders.sql', '--- gives number ', '--- gives nummer '],
    ['ledger.sql', '--- $2 workflow text', '--- $2 workflow bigint'],
));
expect('faults pass', broken.status === 1, broken.output);
for (const words of ['column b.bot_tokn does not exist', '-nummer text', '+number text', '-$2 bigint', '+$2 text'])
    expect(`no word of ${words}`, broken.output.includes(words), broken.output);

refused('a parameter that is not declared', 'uses $5', ['orders.sql', 'at time zone $3', 'at time zone $5']);
refused('a parameter that is not used', 'does not use $3 time_zone', ['orders.sql', 'at time zone $3', "at time zone 'UTC'"]);
refused('an unknown part', 'no part @nwo', ['variables.sql', '@now', '@nwo']);
refused('a part without its argument', '@iso takes 1', ['versions.sql', '@iso(v.created_at)', '@iso']);
refused('a part in itself', 'one in itself', ['parts.sql', "(now() at time zone 'UTC')", '@now']);
refused('a part that nothing uses', '@left is not used', ['server.sql', '--- statement writable', '--- part left\n1\n--- statement writable']);
refused('a second statement of one name', 'second statement', ['ledger.sql', '--- statement ledger_end', '--- statement ledger']);

rmSync(folder, { recursive: true });
process.exit(failed === 0 ? 0 : 1);
