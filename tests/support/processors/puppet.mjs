// A processor that does what each job's data says, to the letter of the line protocol:
// {say: [messages]} writes them (`seq` is added; a string is written raw), {exit: code}, {kill: signal},
// {hang: true} never answers, {echo: true} answers with the whole job message. Replies, events and
// cancellations are kept and answered to {seen: true}.
import { writeSync } from 'node:fs';
import { createInterface } from 'node:readline';

const seen = [];
const mode = process.argv[2] ?? '';
const write = (text) => {
    for (let bytes = Buffer.from(text); bytes.length > 0;)
        bytes = bytes.subarray(writeSync(1, bytes));
};
const send = (message) => write(`${JSON.stringify(message)}\n`);
let open = 0;
let closing = false;

function act({ seq, data, ...job }, line) {
    open++;
    for (const message of data.say ?? []) {
        if (typeof message === 'string') write(message);
        else send({ seq, ...message });
        if (message.type === 'result' || message.type === 'error') open--;
    }
    if (data.flood) for (let i = 0; i < data.flood; i++) send({ type: 'log', seq, row: `row ${i}` });
    if (data.echo) send({ type: 'result', seq, value: { line } });
    if (data.seen) send({ type: 'result', seq, value: seen });
    if (data.long) write(`{"x":"${'x'.repeat(data.long)}"}\n`);
    if (data.request) send({ type: 'request', seq, req: seq, ...data.request });
    if (data.slow) setTimeout(() => { open--; send({ type: 'result', seq, value: job.id }); leave(); }, data.slow);
    if (data.echo || data.seen || data.flood) open--;
    if (data.flood) send({ type: 'result', seq, value: data.flood });
    if (data.exit !== undefined) process.exit(data.exit);
    if (data.kill) process.kill(process.pid, data.kill);
}

function leave() {
    if (closing && open === 0 && mode !== 'stubborn') process.exit(0);
}

if (mode === 'stubborn') process.on('SIGTERM', () => console.error('SIGTERM came'));
if (mode === 'dies') process.exit(3);
createInterface({ input: process.stdin }).on('line', (line) => {
    const message = JSON.parse(line);
    if (message.type === 'hello' && mode !== 'mute') send({ type: 'ready' });
    else if (message.type === 'job') return act(message, line);
    else if (message.type === 'cancel' && mode === 'polite') {
        open--;
        send({ type: 'error', seq: message.seq, name: 'Error', message: 'gave up' });
    } else if (message.type === 'reply') {
        open--;
        send({ type: 'result', seq: message.req, value: message });
    } else if (message.type === 'close') closing = true;
    seen.push(message);
    leave();
}).on('close', () => mode !== 'stubborn' && process.exit(0));
if (mode === 'stubborn') setInterval(() => {}, 1000);
