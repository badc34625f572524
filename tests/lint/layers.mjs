// scripts/layers finds what it is for: each case is a small tree with one thing wrong.
import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const LAYERS = fileURLToPath(new URL('../../scripts/layers', import.meta.url));
const TABLE = `lib/include/bulwark :
lib/low : lib/include/bulwark
lib/high : lib/low
worker/left : lib/include/bulwark
worker/right : lib/low
`;

/** What the check says of a tree of these files, compiled into objects when `build` says so. */
function check(files, { table = TABLE, build = true } = {}) {
    const root = mkdtempSync(path.join(tmpdir(), 'bulwark-layers-'));
    try {
        const all = { 'scripts/layers.txt': table, 'lib/include/bulwark/api.h': '', ...files };
        for (const [name, text] of Object.entries(all)) {
            mkdirSync(path.join(root, path.dirname(name)), { recursive: true });
            writeFileSync(path.join(root, name), text);
        }
        for (const name of Object.keys(files).filter((file) => build && file.endsWith('.c'))) {
            const [folder, base] = [path.dirname(name), path.basename(name)];
            const out = path.join(root, 'build/debug', folder, 'CMakeFiles/part.dir');
            mkdirSync(out, { recursive: true });
            execFileSync('cc', ['-c', '-fvisibility=hidden', `-I${root}/lib/include`, `-I${root}/lib`,
                path.join(root, name), '-o', path.join(out, `${base}.o`)]);
        }
        const { status, stdout, stderr } = spawnSync(LAYERS, ['--root', root], { encoding: 'utf8' });
        return { status, text: stdout + stderr };
    } finally {
        rmSync(root, { recursive: true });
    }
}

const cases = {
    'what goes down is right': () => {
        const { status, text } = check({ 'lib/low/a.c': 'int a(void) { return 1; }', 'lib/low/a.h': 'int a(void);',
            'lib/high/b.c': '#include "low/a.h"\nint b(void) { return a(); }' });
        assert.equal(status, 0, text);
        assert.match(text, /5 layers, 4 files, 2 objects, no arrow upwards, no circle/);
    },
    'an include that goes up': () => {
        const { status, text } = check({ 'lib/low/a.c': '#include "high/b.h"', 'lib/high/b.h': '' });
        assert.equal(status, 1);
        assert.match(text, /lib\/low\/a\.c includes lib\/high\/b\.h: an arrow upwards/);
    },
    'a call that goes up, declared by hand': () => {
        const { status, text } = check({ 'lib/low/a.c': 'int b(void); int a(void) { return b(); }',
            'lib/high/b.c': 'int b(void) { return 1; }' });
        assert.equal(status, 1);
        assert.match(text, /lib\/low\/a\.c calls b\(\) of lib\/high\/b\.c/);
    },
    'a neighbour nobody has allowed': () => {
        const { status, text } = check({ 'worker/left/a.c': 'int b(void); int a(void) { return b(); }',
            'worker/right/b.c': 'int b(void) { return 1; }' });
        assert.equal(status, 1);
        assert.match(text, /worker\/left\/a\.c calls b\(\)/);
    },
    'the public interface is for all, what is hidden is not': () => {
        const files = (how) => ({ 'lib/high/b.c': `${how} int b(void) { return 1; }`,
            'worker/left/a.c': 'int b(void); int a(void) { return b(); }' });
        assert.equal(check(files('__attribute__((visibility("default")))')).status, 0);
        assert.equal(check(files('')).status, 1);
    },
    'two files that call each other, unless they may': () => {
        const files = { 'lib/low/a.c': 'int b(void); int a(void) { return b(); }',
            'lib/low/b.c': 'int a(void); int b(void) { return a(); }' };
        const { status, text } = check(files);
        assert.equal(status, 1);
        assert.match(text, /a circle: lib\/low\/a\.c, lib\/low\/b\.c/);
        assert.equal(check(files, { table: `${TABLE}circle lib/low/a.c lib/low/b.c\n` }).status, 0);
    },
    'a folder that the table does not know': () => {
        const { status, text } = check({ 'lib/other/a.c': '#include "low/a.h"', 'lib/low/a.h': '' });
        assert.notEqual(status, 0);
        assert.match(text, /lib\/other\/a\.c lies in no layer/);
    },
};

let failed = 0;
for (const [name, run] of Object.entries(cases)) {
    try {
        run();
        console.log(`ok      ${name}`);
    } catch (error) {
        failed++;
        console.log(`FAILED  ${name}: ${error.stack}`);
    }
}
console.log(`${Object.keys(cases).length - failed} of ${Object.keys(cases).length} passed`);
process.exit(failed === 0 ? 0 : 1);
