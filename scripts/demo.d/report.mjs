// What a person wants to see of a demo that was played, and whether it is what was planned.
import { spawnSync } from 'node:child_process';

import { totals } from './plan.mjs';

const ROUND_TRIPS_WARM = 2;
const ROUND_TRIPS_COLD = 5;
const SHOWN = ['regular', 'stranger', 'collector', 'outage'];

/** Rows of a statement as objects. The connection is psql's own environment. */
function sql(statement) {
    const wrapped = `select coalesce(json_agg(row_to_json(r)), '[]') from (${statement}) r`;
    const psql = spawnSync('psql', ['-X', '-A', '-t', '-v', 'ON_ERROR_STOP=1', '-c', wrapped], {
        encoding: 'utf8',
        maxBuffer: 1 << 28,
    });
    if (psql.status !== 0) throw new Error(`psql: ${psql.stderr || psql.error}`);
    return JSON.parse(psql.stdout);
}

const plain = (html) =>
    html
        .replace(/<[^>]*>/g, '')
        .replace(/&lt;/g, '<')
        .replace(/&gt;/g, '>')
        .replace(/&amp;/g, '&');

/** Collects what is not as planned. */
class Checks {
    constructor() {
        this.wrong = [];
        this.right = 0;
    }

    equal(what, actual, expected) {
        this.that(
            what,
            JSON.stringify(actual) === JSON.stringify(expected),
            `is ${JSON.stringify(actual)}, planned ${JSON.stringify(expected)}`,
        );
    }

    that(what, holds, else_) {
        if (holds) this.right++;
        else this.wrong.push(`${what} ${else_}`);
    }
}

// --- conversations

function heard(step) {
    switch (step.kind) {
        case 'press':
            return `[${step.data}]`;
        case 'contact':
            return `☎ ${step.phone}`;
        case 'small':
            return `(${step.type})`;
        default:
            return step.text;
    }
}

function buttons(markup) {
    const parsed = typeof markup === 'string' ? JSON.parse(markup) : (markup ?? {});
    const rows = parsed.inline_keyboard ?? parsed.keyboard ?? [];
    return rows.map((row) => row.map(({ text }) => `[ ${text} ]`).join(' '));
}

function showConversation(person, calls) {
    console.log(`\n  ${person.telegramName} and the bot of ${person.shop.name}`);
    let at = 0;
    for (const step of person.steps) {
        console.log(`    ${person.telegramName.padEnd(8)} ${heard(step)}`);
        for (const call of calls.slice(at, (at += step.says.length))) {
            const lines = [
                ...plain(call.params.text).split('\n'),
                ...buttons(call.params.reply_markup),
            ];
            lines.forEach((line, i) =>
                console.log(`    ${(i === 0 ? 'Bot' : '').padEnd(8)} ${line}`),
            );
        }
    }
}

function conversations(plan, byChat) {
    console.log('\nConversations');
    for (const kind of SHOWN) {
        const person = plan.people.find((p) => p.kind === kind);
        if (person !== undefined) showConversation(person, byChat.get(String(person.chat)) ?? []);
    }
}

// --- checks against the plan

function checkJobs(plan, checks) {
    for (const { kind, chat, steps } of plan.people) {
        steps.forEach((step, i) => {
            const what = `job ${i + 1} of chat ${chat} (${kind}, ${heard(step)})`;
            if (step.fails === undefined) checks.equal(what, step.outcome, { result: step.result });
            else
                checks.that(
                    what,
                    step.outcome.failed?.includes(step.fails),
                    `ended with ${JSON.stringify(step.outcome)}, planned to fail: ${step.fails}`,
                );
        });
    }
}

async function checkHashes(plan, queue, worker, checks) {
    for (const step of plan.people.flatMap((person) => person.steps)) {
        const job = await queue.getJob(step.job.id);
        const attempts = step.attempts ?? 1;
        const what = `job ${step.job.id}`;
        checks.equal(`${what}: state`, await job.getState(), step.fails ? 'failed' : 'completed');
        checks.equal(`${what}: attemptsMade`, job.attemptsMade, attempts);
        checks.equal(
            `${what}: stack traces`,
            job.stacktrace.length,
            step.fails ? attempts : attempts - 1,
        );
        checks.equal(`${what}: processedBy`, job.processedBy, worker);
        checks.that(
            `${what}: times`,
            job.timestamp <= job.finishedOn && job.processedOn <= job.finishedOn,
            `are ${job.timestamp}, ${job.processedOn}, ${job.finishedOn}`,
        );
    }
}

async function checkQueue(queues, planned, worker, checks) {
    for (const [line, queue] of Object.entries(queues)) {
        const counts = await queue.getJobCounts(
            'wait',
            'active',
            'delayed',
            'prioritized',
            'completed',
            'failed',
        );
        checks.equal(`counts as BullMQ ${line} reports them`, counts, {
            wait: 0,
            active: 0,
            delayed: 0,
            prioritized: 0,
            completed: planned.completed,
            failed: planned.failed,
        });
        const names = (await queue.getWorkers()).map(({ rawname }) => rawname);
        checks.that(
            `workers as BullMQ ${line} lists them`,
            names.some((name) => name.includes(worker)),
            `are ${JSON.stringify(names)}`,
        );
        const [done, failed] = [
            await queue.getMetrics('completed'),
            await queue.getMetrics('failed'),
        ];
        checks.equal(
            `metrics as BullMQ ${line} reports them`,
            [Number(done.meta.count), Number(failed.meta.count)],
            [planned.completed, planned.failed],
        );
    }
}

function checkMessages(plan, byChat, answered, planned, checks) {
    for (const person of plan.people) {
        const texts = (byChat.get(String(person.chat)) ?? []).map((call) => call.params.text);
        checks.equal(
            `messages to chat ${person.chat} (${person.kind})`,
            texts,
            person.steps.flatMap((step) => step.says),
        );
    }
    checks.equal('callback queries answered', answered, planned.presses);
}

function checkExecutions(plan, rows, checks) {
    const statuses = new Map(rows.map(({ id, status }) => [id, status]));
    const expected = plan.people
        .flatMap((person) => person.steps)
        .filter((step) => step.execution !== undefined);
    for (const { executionId, execution, text, data } of expected)
        checks.equal(`execution of ${text ?? data}`, statuses.get(executionId), execution);
    checks.equal('executions in the database', rows.length, expected.length);
}

function checkCustomers(plan, run, checks) {
    const rows = sql(`select u.id, u.telegram_id, (select coalesce(sum(amount), 0) from bonuses b
        where b.user_id = u.id and not b.is_used) as balance from users u where u.project_id like '${run}-%'`);
    const found = new Map(rows.map((row) => [row.id, row]));
    for (const person of plan.people.filter((p) => p.customer)) {
        const row = found.get(person.id);
        checks.equal(`balance of ${person.id} (${person.kind})`, Number(row.balance), person.left);
        const linked = person.linked || ['newcomer', 'stranger', 'visitor'].includes(person.kind);
        checks.equal(
            `Telegram account of ${person.id} (${person.kind})`,
            row.telegram_id,
            linked && !person.unlinks ? person.chat : null,
        );
    }
}

// --- figures

/** Answered messages, round trips and cache look-ups that the worker's GET /status tells. */
export function figures(status) {
    const found = status.queues.find((queue) => queue.handler === 'workflow').figures;
    const sum = (object) => Object.values(object ?? {}).reduce((a, b) => a + b, 0);
    return {
        messages: found.workflow_messages,
        trips: found.workflow_db_round_trips,
        hits: sum(found.workflow_cache_hits),
        misses: sum(found.workflow_cache_misses),
    };
}

function busiest(finished) {
    const seconds = new Map();
    for (const ms of finished)
        seconds.set(Math.floor(ms / 1000), (seconds.get(Math.floor(ms / 1000)) ?? 0) + 1);
    return Math.max(...seconds.values());
}

function speed({ finished, delayed, startedAt }) {
    const seconds = (Math.max(...finished) - startedAt) / 1000;
    console.log(
        `  jobs            ${finished.length} in ${seconds.toFixed(1)} s, ${busiest(finished)} in the busiest` +
            ` second; ${delayed} times one was delayed or waited for its next attempt`,
    );
}

/** These people's messages came one by one, so that each one's cost is known. */
function database(plan, end, checks) {
    const steps = plan.people.filter((person) => person.measured).flatMap(({ steps: own }) => own);
    const warm = steps.filter((step) => !step.cold);
    const mean = warm.reduce((sum, step) => sum + step.trips, 0) / warm.length;
    const worst = (some) => Math.max(...some.map((step) => step.trips));
    const rate = (100 * end.hits) / (end.hits + end.misses);
    const costs = steps.map((step) => `${heard(step)} ${step.trips}${step.cold ? ' (cold)' : ''}`);
    console.log(
        `  database        ${(end.trips / end.messages).toFixed(2)} round trips a message over all,` +
            ' first messages and retries included',
    );
    console.log(`  one by one      ${costs.join(', ')}`);
    console.log(
        `                  warm: ${mean.toFixed(2)} in the mean, ${worst(warm)} at most;` +
            ` cold: ${worst(steps.filter((step) => step.cold))} at most`,
    );
    console.log(`  caches          ${rate.toFixed(1)} % hits`);
    checks.that(
        'round trips of a warm message',
        mean <= ROUND_TRIPS_WARM,
        `are ${mean.toFixed(2)} in the mean, at most ${ROUND_TRIPS_WARM} may be`,
    );
    for (const step of steps) {
        const limit = step.cold ? ROUND_TRIPS_COLD : ROUND_TRIPS_WARM + (step.changes ?? 0);
        checks.that(
            `round trips of ${heard(step)}, ${step.cold ? 'cold' : 'warm'}`,
            step.trips <= limit,
            `are ${step.trips}, at most ${limit} may be`,
        );
    }
}

function tell(checks) {
    if (checks.wrong.length === 0) {
        console.log(`\nAll as planned: ${checks.right} checks.`);
        return true;
    }
    console.log(
        `\n${checks.wrong.length} of ${checks.wrong.length + checks.right} checks are not as planned:`,
    );
    checks.wrong.slice(0, 40).forEach((line) => console.log(`  ${line}`));
    return false;
}

/** Prints everything; true when all is as planned. `control` is undefined for a real Bot API. */
export async function report(plan, { run, queues, worker, control, played, end }) {
    const checks = new Checks();
    const planned = totals(plan);
    const queue = queues['6.7.0'];
    const byChat = new Map();
    if (control !== undefined) {
        for (const call of await control.sent())
            byChat.set(call.chat, [...(byChat.get(call.chat) ?? []), call]);
        conversations(plan, byChat);
        checkMessages(plan, byChat, await control.answered(), planned, checks);
    }
    const rows = sql(`select id, status from workflow_executions where project_id like '${run}-%'`);
    const byStatus = {};
    rows.forEach(({ status }) => {
        byStatus[status] = (byStatus[status] ?? 0) + 1;
    });
    const list = (object) =>
        Object.entries(object)
            .filter(([, n]) => n > 0)
            .map(([k, n]) => `${n} ${k}`)
            .join(', ');

    console.log('\nBooks');
    console.log(`  queue           ${list(await queue.getJobCounts())}`);
    console.log(`  executions      ${list(byStatus)}`);
    console.log(
        `  messages        ${[...byChat.values()].flat().length} sent, ${planned.messages} planned`,
    );
    speed(played);
    database(plan, end, checks);

    checkJobs(plan, checks);
    await checkHashes(plan, queue, worker, checks);
    await checkQueue(queues, planned, worker, checks);
    checkExecutions(plan, rows, checks);
    checkCustomers(plan, run, checks);
    return tell(checks);
}
