// For authors: `bulwark workflow …` from outside. What each check says is tests/unit/workflow/test_authoring.c.
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';

import { installWorkflow, Postgres } from './postgres.mjs';
import { bulwark, freePort, runAll, test, writeConfig } from './rig.mjs';

const BOTS = path.join(import.meta.dirname, '../integration/workflow/bots');

// Bots that are meant to stumble, and over what.
const MEANT = {
    'feedback.json': /^node c_odd, operator: Unknown operator: looks_like\nnode m_second: unreachable/,
    'order-status.json': /^node m_broken, keyboard\.buttons\[0\]\[0\]\.callback_data: 66 bytes/,
    'subscription.json': /^node d_never, delayMs: at most 86400000 expected\nnode d_odd, delayMs: a number/,
};

const node = (id, type, config) => ({ id, type, data: { config: { [type]: config } } });
const edge = (source, target) => ({ source, target });
const START = node('t', 'trigger.command', { command: '/start' });
const GOOD = { nodes: [START, node('m', 'message', { text: 'Hi {{user.firstName}}' })],
    connections: [edge('t', 'm')], entryNodeId: 't' };
const BAD = { nodes: [START, node('m', 'message', { text: 'Hi {{user.firstName' })],
    connections: [edge('t', 'm'), edge('m', 'n')], entryNodeId: 't' };
const LINES = 'node m, text: wrong template: "{{" without "}}"\n' +
    'node m, connections: missing target "n"\n';

const write = (value) => writeConfig(typeof value === 'string' ? value : JSON.stringify(value));
const validate = (args, env) => bulwark(['workflow', 'validate', ...args], env);

for (const file of readdirSync(BOTS).filter((name) => name.endsWith('.json'))) {
    test(`validate ${file}`, async () => {
        const bot = JSON.parse(readFileSync(path.join(BOTS, file), 'utf8'));
        for (const workflow of Object.values(bot.workflows ?? [bot.workflow])) {
            const result = await validate([write(workflow)]);
            assert.equal(result.stderr, '');
            assert.match(result.stdout, MEANT[file] ?? /^$/);
            assert.equal(result.code, MEANT[file] ? 1 : 0);
        }
    });
}

test('validate a file: problems by node and field, as text and as JSON', async () => {
    assert.deepEqual(await validate([write(GOOD)]), { code: 0, stdout: '', stderr: '' });
    assert.deepEqual(await validate([write(BAD)]), { code: 1, stdout: LINES, stderr: '' });
    const json = await validate(['--json', write(BAD)]);
    assert.equal(json.code, 1);
    assert.deepEqual(JSON.parse(json.stdout), { problems: [
        { node: 'm', field: 'text', problem: 'wrong template: "{{" without "}}"' },
        { node: 'm', field: 'connections', problem: 'missing target "n"' }] });
    const none = await validate([write(GOOD), '--json']);
    assert.deepEqual([none.code, JSON.parse(none.stdout)], [0, { problems: [] }]);
});

test('validate what is no workflow', async () => {
    const broken = await validate([write('{\n "nodes": [,]\n}')]);
    assert.equal(broken.code, 2);
    assert.match(broken.stderr, /: line 2, column \d+: /);
    const list = await validate([write([])]);
    assert.equal(list.code, 1);
    assert.match(list.stdout, /^workflow: an object .* expected\n$/);
});

test('validate a version of the database', async (cleanup) => {
    const pg = await Postgres.create();
    cleanup(() => pg.stop());
    installWorkflow(pg, { nodes: BAD.nodes, edges: BAD.connections });
    const env = { DATABASE_URL: pg.url };
    assert.deepEqual(await validate(['--version-id', 'v'], env), { code: 1, stdout: LINES, stderr: '' });
    pg.sql("update workflow_versions set nodes = nodes - 1; update workflows set connections = '[]'");
    assert.deepEqual(await validate(['--version-id=v'], env), { code: 0, stdout: '', stderr: '' });
    const gone = await validate(['--version-id', 'w'], env);
    assert.equal(gone.code, 2);
    assert.match(gone.stderr, /w: no such version/);
    assert.equal((await validate(['--version-id', 'v', 'file.json'], env)).code, 2);
});

test('validate without its database', async () => {
    const url = `postgresql://u:s3cr3t@127.0.0.1:${await freePort()}/d`;
    const result = await validate(['--version-id', 'v'], { DATABASE_URL: url });
    assert.equal(result.code, 2);
    assert.match(result.stderr, /PostgreSQL: /);
    assert.ok(!result.stderr.includes('s3cr3t'), result.stderr);
});

await runAll();
