// Plays the plan: every person is a user who sends an update, waits for the job's end and goes on.
// The jobs are added with BullMQ as the front end of a Node service adds them.
import { randomUUID } from 'node:crypto';

const ME = { id: 900000, is_bot: true, first_name: 'Loyalty', can_join_groups: true };
const JOB_PATIENCE_MS = 90000;
const ARRIVAL_MS = 15; // between two people
const ARRIVALS_MS = 5000; // until all are there, at most

// What a front end gives its jobs. It keeps the last ten; here all stay to be looked at.
const HEAVY = {
    priority: 1,
    attempts: 3,
    backoff: { type: 'exponential', delay: 2000 },
    removeOnComplete: { count: 100000 },
    removeOnFail: { count: 100000 },
};
const SMALL = {
    user_variables_update: { priority: 2, attempts: 2 },
    statistics_aggregation: { priority: 3, attempts: 1 },
};

let lastUpdate = 5000;
let lastMessage = 100;

function message(person, rest) {
    return {
        message_id: ++lastMessage,
        date: Math.floor(Date.now() / 1000),
        from: {
            id: person.chat,
            is_bot: false,
            first_name: person.telegramName,
            username: person.username,
            language_code: 'ru',
        },
        chat: {
            id: person.chat,
            first_name: person.telegramName,
            username: person.username,
            type: 'private',
        },
        ...rest,
    };
}

/** The update Telegram would deliver for a step. */
function updateOf(person, step, keyboardMessage) {
    const update_id = ++lastUpdate;
    switch (step.kind) {
        case 'press':
            return {
                update_id,
                callback_query: {
                    id: String(800000 + update_id),
                    chat_instance: '1',
                    data: step.data,
                    from: message(person).from,
                    message: {
                        ...message(person),
                        message_id: keyboardMessage,
                        from: ME,
                        text: '…',
                    },
                },
            };
        case 'contact':
            return {
                update_id,
                message: message(person, {
                    contact: {
                        phone_number: step.phone,
                        first_name: person.telegramName,
                        user_id: person.chat,
                    },
                }),
            };
        default:
            return { update_id, message: message(person, { text: step.text }) };
    }
}

function heavyData(person, step, update) {
    const trigger =
        step.kind === 'press' ? 'callback' : step.text === '/start' ? 'start' : 'message';
    return {
        type: 'heavy_workflow_execution',
        projectId: person.shop.id,
        executionId: randomUUID(),
        context: {
            update,
            api: { token: person.shop.token, raw: {}, config: {} },
            me: { ...ME, username: person.shop.bot },
            session: {
                projectId: person.shop.id,
                variables: {},
                flowStack: [],
                retryCount: 0,
                lastActivity: new Date().toISOString(),
            },
        },
        trigger,
        timestamp: Date.now(),
    };
}

/** Ends of jobs as QueueEvents tells them. */
class Ends {
    constructor(events) {
        this.waiting = new Map();
        this.early = new Map();
        this.finished = []; // ms, by Redis's clock
        this.retries = 0;
        events.on('completed', ({ jobId, returnvalue }, id) =>
            this.end(jobId, { result: returnvalue }, id),
        );
        events.on('failed', ({ jobId, failedReason }, id) =>
            this.end(jobId, { failed: failedReason }, id),
        );
        events.on('delayed', () => this.retries++);
    }

    end(jobId, outcome, id) {
        this.finished.push(Number(id.split('-')[0]));
        const done = this.waiting.get(jobId);
        if (done === undefined) {
            this.early.set(jobId, outcome); // before add() had told us the id
            return;
        }
        this.waiting.delete(jobId);
        done(outcome);
    }

    of(jobId) {
        if (this.early.has(jobId)) return this.early.get(jobId);
        return new Promise((resolve) => {
            const timer = setTimeout(resolve, JOB_PATIENCE_MS, { failed: 'the job never ended' });
            this.waiting.set(jobId, (outcome) => {
                clearTimeout(timer);
                resolve(outcome);
            });
        });
    }
}

async function keyboardOf(person, control) {
    if (control === undefined) return 1;
    const shown = (await control.sent(person.chat)).filter(
        (call) => call.params.reply_markup !== undefined,
    );
    return shown.at(-1)?.messageId ?? 1;
}

async function addStep(queue, person, step, control) {
    if (step.kind === 'small') {
        const { type } = step;
        const data = { type, projectId: person.shop.id, userId: person.id, timestamp: Date.now() };
        return queue.add(type, data, { ...HEAVY, ...SMALL[type] });
    }
    if (!step.again)
        person.update = updateOf(
            person,
            step,
            step.kind === 'press' ? await keyboardOf(person, control) : 0,
        );
    const data = heavyData(person, step, person.update);
    step.executionId = data.executionId;
    return queue.add('heavy_workflow_execution', data, {
        ...HEAVY,
        ...(step.delay ? { delay: step.delay } : {}),
    });
}

async function live(person, queue, ends, control, progress, measure = undefined) {
    for (const step of person.steps) {
        const before = await measure?.();
        step.job = await addStep(queue, person, step, control);
        step.outcome = await ends.of(step.job.id);
        if (measure !== undefined) step.trips = (await measure()).trips - before.trips;
        progress();
    }
}

/**
 * Plays all people side by side; each step gets `job`, `outcome` and `executionId`. `progress` is called
 * after every job; `measure` tells the worker's figures. Resolves with when jobs ended and how often one was put off.
 */
export async function play(plan, { queue, events, control, progress, measure }) {
    const ends = new Ends(events);
    await events.waitUntilReady();
    const gap = Math.min(ARRIVAL_MS, ARRIVALS_MS / plan.people.length);
    const arrive = async (person, i) => {
        await new Promise((resolve) => setTimeout(resolve, i * gap));
        return live(person, queue, ends, control, progress);
    };
    const alone = (person) => person.measured;
    await Promise.all(plan.people.filter((person) => !alone(person)).map(arrive));
    const finished = [...ends.finished];
    for (const person of plan.people.filter(alone))
        await live(person, queue, ends, control, progress, measure);
    return { finished, delayed: ends.retries };
}
