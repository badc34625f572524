// Random sequences of steps for random.mjs: what producers, workers and administrators may do to a queue.
//
// A step is plain JSON, so that a sequence can be printed and played again:
//   {"op", "args"}   an operation of both sides' libraries (Stage.op)
//   {"work"}         a worker takes all it can get, one job at a time, until it is idle or a job holds
//   {"open"}         the job that holds goes on, and the worker with it
// What would make two runs differ by themselves is not generated: due times are set, not "now", delays are
// minutes apart, and nothing depends on the order of what happens within one millisecond.

/** A generator of numbers in [0, 1) that repeats for its seed. */
export function numbers(seed) {
    let a = seed >>> 0;
    return () => {
        a = (a + 0x6d2b79f5) >>> 0;
        let t = a;
        t = Math.imul(t ^ (t >>> 15), t | 1);
        t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
        return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
    };
}

const FAR = 2000000000000; // due times beyond what the comparison masks as times of the run
const PAST = 1600000000000;
const HOUR = 3600000;
const MINUTE = 60000;
const MOST_STEPS = 16;
const MEMORY = 24; // ids that later steps may name

class Generator {
    constructor(seed, known) {
        this.random = numbers(seed);
        this.known = new Set(known);
        this.made = 0; // jobs, roughly: numeric ids are guessed from it
        this.unique = 0;
        this.ids = [];
    }

    below(n) {
        return Math.floor(this.random() * n);
    }

    chance(p) {
        return this.random() < p;
    }

    pick(list) {
        return list[this.below(list.length)];
    }

    /** Chooses among [weight, value]. */
    weighted(choices) {
        let left = this.random() * choices.reduce((sum, [weight]) => sum + weight, 0);
        return choices.find(([weight]) => (left -= weight) < 0)[1];
    }

    next() {
        return ++this.unique;
    }

    remember(id) {
        this.ids = [...this.ids, id].slice(-MEMORY);
    }

    /** Mostly a job that was added. */
    id() {
        return this.chance(0.9) && this.ids.length > 0 ? this.pick(this.ids) : 'nobody';
    }

    /** A delay that no other job's can be mistaken for. */
    delay() {
        return HOUR + this.next() * MINUTE;
    }

    /** With a backoff of its own type our handler names the delay, where BullMQ asks a strategy. */
    failure(own) {
        const message = this.pick(['boom', 'Привет', 'x"y']);
        return own ? ['backoff', message, this.pick([0, this.delay()])] : ['fail', message];
    }

    ending(own) {
        return this.weighted([
            [10, () => ['return', JSON.stringify(this.pick([null, 1, 'да', { ok: [true] }]))]],
            [2, () => ['nothing']],
            [5, () => this.failure(own)],
            [1, () => ['unrecoverable', 'never']],
            [1, () => ['delay', this.delay()]],
            [1, () => ['wait']],
        ])();
    }

    /** One start of a job. */
    start(own) {
        const operations = [];
        if (this.chance(0.15)) operations.push(['progress', JSON.stringify(this.below(100))]);
        if (this.chance(0.15)) operations.push(['log', `row ${this.next()}`]);
        if (this.chance(0.12)) {
            // The progress tells random_play.mjs which gate an active job is waiting at.
            const gate = `gate${this.next()}`;
            operations.push(['progress', JSON.stringify(gate)], ['gate', gate]);
        }
        return [...operations, this.ending(own)];
    }

    data({ backoff }) {
        const own = backoff?.type === 'custom';
        const starts = Array.from({ length: 1 + this.below(3) }, () => this.start(own));
        // A job that went back to wait without an attempt has to end some time.
        return { do: [...starts, [this.pick([['return', '"last"'], ['unrecoverable', 'last']])]] };
    }

    deduplication() {
        return {
            id: this.pick(['d', 'e']),
            ...this.pick([
                {},
                { ttl: HOUR },
                { ttl: HOUR, extend: true },
                { ttl: HOUR, replace: true },
                { replace: true },
                { keepLastIfActive: true },
            ]),
        };
    }

    options() {
        const opts = {};
        const maybe = (p, make) => this.chance(p) && Object.assign(opts, make());
        maybe(0.2, () => ({ priority: this.pick([1, 1, 5, 2097151]) }));
        maybe(0.2, () =>
            // A parent's delay counts from its last child's end: it must not be over within the play.
            this.chance(0.3) ? { delay: this.delay(), timestamp: PAST } : { delay: this.delay(), timestamp: FAR },
        );
        maybe(0.15, () => ({ lifo: true }));
        maybe(0.4, () => ({ attempts: this.pick([1, 2, 3, 4]) }));
        maybe(0.25, () => ({
            backoff: this.pick([
                this.delay(),
                { type: 'exponential', delay: this.delay() },
                { type: 'custom' },
            ]),
        }));
        maybe(0.15, () => ({ removeOnComplete: this.pick([true, false, { age: 600 }]) }));
        maybe(0.15, () => ({ removeOnFail: this.pick([true, false, { age: 600 }]) }));
        maybe(0.1, () => ({ keepLogs: 1, stackTraceLimit: this.pick([0, 1]) }));
        maybe(0.15, () => ({ deduplication: this.deduplication() }));
        return opts;
    }

    job() {
        const opts = this.options();
        if (this.chance(0.2)) opts.jobId = this.pick(['mail-1', 'a:b:c', '007', 'пример']);
        this.remember(opts.jobId ?? String(++this.made));
        return { name: this.pick(['n', 'Имя']), data: this.data(opts), opts };
    }

    child(depth) {
        const node = this.node(depth);
        Object.assign(
            node.opts,
            this.pick([
                {},
                { failParentOnFailure: true },
                { continueParentOnFailure: true },
                { ignoreDependencyOnFailure: true },
                { removeDependencyOnFailure: true },
            ]),
        );
        return node;
    }

    node(depth) {
        const opts = { ...this.options(), jobId: `f${this.next()}` };
        delete opts.deduplication;
        // A parent can be refused its end when no handler of ours is there to name a delay.
        if (opts.backoff?.type === 'custom') delete opts.backoff;
        this.remember(opts.jobId);
        const node = { name: 'n', queueName: 'conf', data: this.data(opts), opts };
        if (depth > 0)
            node.children = Array.from({ length: 1 + this.below(3) }, () => this.child(depth - 1));
        return node;
    }

    /** First iterations far ahead, so that both sides plan the same. */
    scheduler() {
        const every = MINUTE * (1 + this.below(3));
        const repeat = this.pick([
            { every, startDate: FAR },
            { every, startDate: FAR, limit: 3 },
            { every, startDate: FAR, endDate: FAR + HOUR },
            { pattern: '0 0 1 1 *', tz: 'UTC' },
            { pattern: '30 2 * * *', tz: 'Europe/Madrid', startDate: FAR },
        ]);
        const opts = this.pick([{}, { priority: 2 }, { attempts: 3, backoff: 500 }]);
        const data = { every, do: [[['return', '1']]] };
        return { id: this.slot(), repeat, template: { name: 'n', data, opts } };
    }

    slot() {
        return this.pick(['s', 't']);
    }

    place() {
        return { priority: this.pick([0, 1, 5]), lifo: this.chance(0.3) };
    }

    ended() {
        return this.pick(['failed', 'completed']);
    }

    resets() {
        return { resetAttemptsMade: this.chance(0.3), resetAttemptsStarted: this.chance(0.3) };
    }

    state() {
        return this.pick(['wait', 'delayed', 'prioritized', 'completed', 'failed']);
    }

    /** Steps that change what later ones meet; each only if both sides know it. */
    operation() {
        const choices = [
            [30, 'add', () => this.job()],
            [3, 'addBulk', () => ({ jobs: Array.from({ length: 3 }, () => this.job()) })],
            [4, 'addFlow', () => this.node(1 + this.below(2))],
            [3, 'pause', () => ({})],
            [4, 'resume', () => ({})],
            [3, 'upsertScheduler', () => this.scheduler()],
            [1, 'removeScheduler', () => ({ id: this.slot() })],
            [1, 'getScheduler', () => ({ id: this.slot() })],
            [1, 'countSchedulers', () => ({})],
            [2, 'jobState', () => ({ id: this.id() })],
            [2, 'changePriority', () => ({ id: this.id(), ...this.place() })],
            [2, 'changeDelay', () => ({ id: this.id(), delay: this.delay() })],
            [3, 'promote', () => ({ id: this.id() })],
            [3, 'reprocess', () => ({ id: this.id(), state: this.ended(), ...this.resets() })],
            [3, 'remove', () => ({ id: this.id(), alone: this.chance(0.3) })],
            [1, 'removeUnprocessedChildren', () => ({ id: this.id() })],
            [1, 'retryJobs', () => ({ state: this.ended(), count: this.pick([2, 1000]) })],
            [1, 'promoteJobs', () => ({ count: this.pick([2, 1000]) })],
            [1, 'drain', () => ({ delayed: this.chance(0.5) })],
            [1, 'clean', () => ({ state: this.state(), grace: -FAR, limit: this.pick([0, 2]) })],
            [1, 'countsPerPriority', () => ({ priorities: [0, 1, 5] })],
        ].filter(([, op]) => this.known.has(op));
        return this.weighted(
            choices.map(([weight, op, args]) => [weight, () => ({ op, args: args() })]),
        )();
    }

    step() {
        return this.weighted([
            [10, () => this.operation()],
            [4, () => ({ work: true })],
            [2, () => ({ open: true })],
        ])();
    }
}

/** The sequence of a seed; `known` are the operations that both sides have. */
export function sequence(seed, known) {
    const generator = new Generator(seed, known);
    const count = 4 + generator.below(MOST_STEPS - 3);
    return Array.from({ length: count }, () => generator.step());
}
