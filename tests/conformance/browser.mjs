// A headless Chromium, driven by its debugging pipe: file descriptors 3 and 4, one JSON message a NUL.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';

import { startProcess, until } from '../peer/server.mjs';

const FLAGS = [
    '--headless',
    '--no-sandbox',
    '--disable-gpu',
    '--disable-quic',
    '--no-first-run',
    '--disable-background-networking',
    '--disable-component-update',
    '--disable-sync',
    '--disable-dev-shm-usage',
    '--window-size=1400,1000',
    '--remote-debugging-pipe',
    // Pages may name fonts and the like elsewhere: nothing but loopback is reached.
    '--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1',
];

const TEXT = "document.body?.innerText ?? ''";

class Pipe {
    constructor(child) {
        this.out = child.stdio[3];
        this.waiting = new Map();
        this.last = 0;
        this.rest = '';
        this.out.on('error', () => {}); // it ended: calls time out and say so
        child.stdio[4].setEncoding('utf8');
        child.stdio[4].on('data', (text) => this.receive(text));
    }

    receive(text) {
        const messages = (this.rest + text).split('\0');
        this.rest = messages.pop();
        for (const message of messages) {
            const { id, result, error } = JSON.parse(message);
            const pending = this.waiting.get(id); // undefined for events, which nobody asked for
            this.waiting.delete(id);
            if (error !== undefined) pending?.reject(new Error(error.message));
            else pending?.resolve(result);
        }
    }

    call(method, params = {}, sessionId = undefined) {
        const id = ++this.last;
        this.out.write(`${JSON.stringify({ id, method, params, sessionId })}\0`);
        return new Promise((resolve, reject) => {
            const timer = setTimeout(reject, 30000, new Error(`${method} is not answered`));
            timer.unref();
            this.waiting.set(id, { resolve, reject });
        });
    }
}

/** One page of a fresh profile. end() closes everything. */
export async function startBrowser(program = 'chromium') {
    const profile = mkdtempSync(path.join(tmpdir(), 'bulwark-chromium-'));
    const child = startProcess(program, [...FLAGS, `--user-data-dir=${profile}`, 'about:blank'], {
        stdio: ['ignore', 'ignore', 'ignore', 'pipe', 'pipe'],
    });
    const pipe = new Pipe(child);
    const { targetInfos } = await pipe.call('Target.getTargets');
    const { targetId } = targetInfos.find(({ type }) => type === 'page');
    const { sessionId } = await pipe.call('Target.attachToTarget', { targetId, flatten: true });
    const call = (method, params) => pipe.call(method, params, sessionId);

    async function evaluate(expression) {
        const { result, exceptionDetails } = await call('Runtime.evaluate', {
            expression,
            awaitPromise: true,
            returnByValue: true,
        });
        if (exceptionDetails !== undefined)
            throw new Error(exceptionDetails.exception?.description ?? exceptionDetails.text);
        return result.value;
    }

    return {
        evaluate,
        open: (url) => call('Page.navigate', { url }),
        text: () => evaluate(TEXT),
        /** Waits until the page shows all of these texts. */
        async shows(...texts) {
            let seen = '';
            const complete = async () => {
                // While a page loads there is no body, and evaluating may be refused.
                seen = await evaluate(TEXT).catch((error) => `(${error.message})`);
                return texts.every((text) => seen.includes(text));
            };
            await until(complete, 'the page', 20000).catch(() => {
                const missing = texts.filter((text) => !seen.includes(text));
                throw new Error(`the page does not show ${JSON.stringify(missing)} but:\n${seen}`);
            });
        },
        async picture() {
            const { data } = await call('Page.captureScreenshot');
            return Buffer.from(data, 'base64');
        },
        async end() {
            await pipe.call('Browser.close').catch(() => child.kill('SIGKILL'));
            await child.exited;
            rmSync(profile, { recursive: true, force: true, maxRetries: 5, retryDelay: 100 });
        },
    };
}
