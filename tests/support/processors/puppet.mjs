// A processor that does what each job's data says, to the letter of the line protocol:
// {say: [messages]} writes them (`seq` is added; a string is written raw), {exit: code}, {kill: signal},
// {hang: true} never answers, {echo: true} answers with the whole job message, {env: true} with its
// environment, {fork: true} leaves a child behind and reports its pid as progress, {deaf: true} reads no
// more, {floodAfter: ms} begins to flood then, {pieces: value} answers in pieces, {spin: true} computes for
// ever. {turns: […]}: the nth start does what the nth says. {script: […]} writes messages one after the
// other, but first waits for the reply where one is {ask: {method, params}}; "$replies" as a result's
// value stands for all of them, {pause: ms} waits. Hello, replies, events and cancellations are kept and answered to
// {seen: true}. Modes (an argument): stubborn, polite, single, mute, dies, loud, quitter, late, telling (events
// go to stderr), padded (an empty line and a byte order mark come first).
import { spawn } from 'node:child_process';
import { writeSync } from 'node:fs';
import { createInterface } from 'node:readline';

const seen = [];
const mode = process.argv[2] ?? '';
const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
const write = (text) => {
    for (let bytes = Buffer.from(text); bytes.length > 0;)
        bytes = bytes.subarray(writeAll(bytes));
};
const send = (message) => write(`${JSON.stringify(message)}\n`);
const waiting = new Map(); // request → who waits for its reply
let requests = 0;
let open = 0;
let closing = false;

/** The pipe may be full, and it does not wait. */
function writeAll(bytes) {
    try {
        return writeSync(1, bytes);
    } catch (error) {
        if (error.code !== 'EAGAIN') throw error;
        Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 2);
        return 0;
    }
}

const ends = ({ type }) => type === 'result' || type === 'error';

async function run(seq, script) {
    const replies = [];
    for (const step of script) {
        if (step.pause) {
            await sleep(step.pause);
            continue;
        }
        if (step.ask) {
            const req = `r${++requests}`;
            send({ type: 'request', seq, req, ...step.ask });
            replies.push(await new Promise((resolve) => waiting.set(req, resolve)));
            continue;
        }
        send({ seq, ...step, ...(step.value === '$replies' && { value: replies }) });
        if (ends(step)) open--;
    }
    leave();
}

function flood(seq, count) {
    for (let i = 0; i < count; i++) send({ type: 'log', seq, row: `row ${i}` });
    send({ type: 'result', seq, value: count });
    open--;
    leave();
}

async function pieces(seq, value) {
    const bytes = Buffer.from(`${JSON.stringify({ type: 'log', seq, row: 'ü' })}\n` +
        `${JSON.stringify({ type: 'result', seq, value })}\n`);
    for (let at = 0; at < bytes.length; at += 7) { // in the midst of characters and of lines
        write(bytes.subarray(at, at + 7));
        await sleep(5);
    }
    open--;
}

function leaveChild(seq) {
    const child = spawn('sleep', ['300'], { stdio: 'inherit' }); // it has our stdout
    send({ type: 'progress', seq, value: child.pid });
}

function act(job, line) {
    const { seq } = job;
    const data = job.data.turns ? job.data.turns[Math.min(job.attemptsStarted, job.data.turns.length) - 1]
        : job.data;
    open++;
    for (const message of data.say ?? []) {
        if (typeof message === 'string') write(message);
        else send({ seq, ...message });
        if (ends(message)) open--;
    }
    if (data.script) run(seq, data.script);
    if (data.floodAfter) setTimeout(flood, data.floodAfter, seq, data.rows);
    if (data.pieces) pieces(seq, data.pieces);
    if (data.fork) leaveChild(seq);
    if (data.deaf) {
        input.pause();
        setInterval(() => {}, 1000); // to stay
    }
    if (data.spin) setTimeout(() => { for (;;); }, 10);
    if (data.echo) send({ type: 'result', seq, value: { line } });
    if (data.env) send({ type: 'result', seq, value: process.env });
    if (data.seen) send({ type: 'result', seq, value: seen });
    if (data.long) write(`{"x":"${'x'.repeat(data.long)}"}\n`);
    if (data.request) send({ type: 'request', seq, req: seq, ...data.request });
    if (data.slow) setTimeout(() => { open--; send({ type: 'result', seq, value: job.id }); leave(); }, data.slow);
    if (data.echo || data.env || data.seen) open--;
    if (data.flood) flood(seq, data.flood);
    if (data.exit !== undefined) process.exit(data.exit);
    if (data.kill) process.kill(process.pid, data.kill);
}

function leave() {
    if (closing && open === 0 && mode !== 'stubborn') process.exit(0);
}

function takeReply(message) {
    const resolve = waiting.get(message.req);
    if (resolve) {
        waiting.delete(message.req);
        resolve(message);
        return;
    }
    open--;
    send({ type: 'result', seq: message.req, value: message });
}

function ready() {
    if (mode === 'padded') write('\n\r\n\ufeff\n \n\ufeff');
    send({ type: 'ready', ...(mode === 'single' && { concurrency: 1 }) });
}

function tell({ event, id, result, error }) {
    console.error(JSON.stringify([event, id, result ?? error].filter((part) => part !== undefined)));
}

if (mode === 'stubborn') process.on('SIGTERM', () => console.error('SIGTERM came'));
if (mode === 'dies') process.exit(3);
const input = createInterface({ input: process.stdin });
input.on('line', (line) => {
    const message = JSON.parse(line);
    if (message.type === 'hello' && mode !== 'mute')
        setTimeout(ready, mode === 'late' ? 5000 : 0);
    else if (message.type === 'job') return act(message, line);
    else if (message.type === 'cancel' && mode === 'polite') {
        open--;
        send({ type: 'error', seq: message.seq, name: 'Error', message: 'gave up' });
    } else if (message.type === 'reply') takeReply(message);
    else if (message.type === 'close') {
        closing = true;
        if (mode === 'loud') console.error('close came');
        if (mode === 'quitter') process.exit(1);
    }
    else if (message.type === 'event' && ['late', 'telling'].includes(mode)) tell(message);
    if (line.length < 1000) seen.push(message); // not what an answer to {seen} completed with
    leave();
}).on('close', () => mode !== 'stubborn' && process.exit(0));
if (mode === 'stubborn') setInterval(() => {}, 1000);
