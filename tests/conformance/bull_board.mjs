#!/usr/bin/env node
// bull_board.mjs [--ours COMMAND]
//
// The jobs our worker finishes, and the worker itself, as bull-board shows them in a browser.
// COMMAND is our worker program (default: peer_worker of $BULWARK_BUILD). Exit code 77: no Chromium.
import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

import { bullBoard, bullmq } from '../peer/peer.mjs';
import { startRedis } from '../peer/server.mjs';
import { startBrowser } from './browser.mjs';
import { fail, gate, ret } from './scenarios/scenario.mjs';
import { Side, Stage } from './stage.mjs';

const SKIPPED = 77;
const WORKER = 'clerk-7';

const here = path.dirname(fileURLToPath(import.meta.url));
const build = process.env.BULWARK_BUILD ?? path.join(here, '../../build/debug');
const { values } = parseArgs({ options: { ours: { type: 'string' } } });
const command = values.ours ?? path.join(build, 'tests/conformance/peer_worker');

/** One job of each kind: completed, failed for good, still active. */
async function fill(stage) {
    await stage.add('greet', [
        [['progress', '42'], ['log', 'a row of the log'], ...ret({ said: 'Привет' })],
    ]);
    await stage.add('stumble', [fail('first stone'), fail('second stone')], { attempts: 2 });
    await stage.start({ name: WORKER });
    await stage.finished(2);
    await stage.add('linger', [gate('later')]);
    await stage.seen('active', 4);
}

async function press(browser, label) {
    await browser.evaluate(`[...document.querySelectorAll('button')].find((button) =>
        [button.innerText, button.title, button.getAttribute('aria-label')].includes('${label}')).click()`);
}

async function look(browser, base) {
    const queue = `${base}/queue/conf`;
    await browser.open(`${queue}?status=completed`);
    await browser.shows('greet', 'said:"Привет"', `by ${WORKER}`);
    console.log('ok  the completed job, its value and who did it');
    await browser.open(`${queue}?status=failed`);
    await browser.shows('stumble', 'Error', `by ${WORKER}`);
    console.log('ok  the failed job');
    await browser.open(`${queue}/2?status=failed`);
    await browser.shows('stumble', 'second stone');
    console.log('ok  why it failed');
    await browser.open(`${queue}?status=active`);
    await browser.shows('linger', `by ${WORKER}`);
    console.log('ok  the job at work');
    await press(browser, 'Queue info');
    await browser.shows('Connected workers', 'Workers\n1');
    await press(browser, 'Connected workers');
    await browser.shows(WORKER);
    console.log('ok  the worker among the connected ones');
}

async function main() {
    if (spawnSync('chromium', ['--version']).status !== 0) {
        console.log('skipped: there is no chromium');
        return SKIPPED;
    }
    const redis = await startRedis();
    const side = new Side('bulwark', [command], 0);
    const stage = new Stage(side, '6', await bullmq('6'), redis.url());
    await fill(stage);
    const app = await bullBoard([stage.queue]);
    const server = app.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const browser = await startBrowser();
    await look(browser, `http://127.0.0.1:${server.address().port}`);
    await browser.end();
    server.close();
    stage.open('later');
    await stage.end();
    await side.end();
    await redis.stop();
    console.log('\n5 passed, 0 failed');
    return 0;
}

process.exit(await main());
