// Every key of a database as plain values, and the same masked as Appendix B of lib/spec/bullmq.md
// lays down: what must differ between two runs is replaced, everything else stays to the byte.

const readers = {
    string: (redis, key) => redis.get(key),
    list: (redis, key) => redis.lrange(key, 0, -1),
    set: async (redis, key) => (await redis.smembers(key)).sort(),
    zset: async (redis, key) => pairs(await redis.zrange(key, 0, -1, 'WITHSCORES')),
    hash: (redis, key) => redis.hgetall(key),
    stream: async (redis, key) =>
        (await redis.xrange(key, '-', '+')).map(([, fields]) => pairs(fields)),
};

function pairs(flat) {
    const list = [];
    for (let i = 0; i < flat.length; i += 2) list.push([flat[i], flat[i + 1]]);
    return list;
}

/** {key: {type, value, pttl}} of all keys of the database. */
export async function dump(redis) {
    const result = {};
    for (const key of (await redis.keys('*')).sort()) {
        const type = await redis.type(key);
        if (type === 'none') continue; // expired under our hands
        const [value, pttl] = await Promise.all([readers[type](redis, key), redis.pttl(key)]);
        result[key] = { type, value, pttl };
    }
    return result;
}

const UUID = /[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}/g;
const JSON_FIELDS = new Set(['opts', 'parent', 'pd']);
const BY_TIME = new Set(['completed', 'failed', 'waiting-children']);
const MS_A_DAY = 86400000;
const UNTIL_THEN = '<until its time>';
const ITERATION = /^(.*?)(repeat:.+?:)(\d{13})(:.*)?$/;

/** A masker for one run that began at `since` (ms). UUIDs are numbered by first appearance. */
class Masker {
    constructor(since) {
        this.since = since;
        this.uuids = new Map();
        this.firsts = new Map(); // of each scheduler's iterations about this run
    }

    /** Times about this run, also those in its future; other numbers stay. */
    isTime(number) {
        return number >= this.since - 600000 && number <= this.since + MS_A_DAY;
    }

    text(text) {
        const masked = String(text).replace(UUID, (uuid) => {
            if (!this.uuids.has(uuid)) this.uuids.set(uuid, `<uuid${this.uuids.size + 1}>`);
            return this.uuids.get(uuid);
        });
        const iteration = ITERATION.exec(masked);
        if (iteration && this.isTime(Number(iteration[3]))) return this.iteration(iteration);
        return /^\d{13}$/.test(masked) && this.isTime(Number(masked)) ? '<time>' : masked;
    }

    /** An iteration's id, or a key with it: counted from the first one that was seen. */
    iteration([, before, prefix, time, after = '']) {
        if (!this.firsts.has(prefix)) this.firsts.set(prefix, Number(time));
        const since = Number(time) - this.firsts.get(prefix);
        return `${before}${prefix}<first${since === 0 ? '' : ` + ${since}`}>${after}`;
    }

    /** A delay until the time in an iteration's id, which the script's clock decides. */
    delay(hash) {
        const at = Number(/:(\d{13})$/.exec(JSON.parse(hash.opts).jobId)?.[1]);
        const waits = hash.rjk !== undefined && Number(hash.delay) > 0;
        return waits && Number(hash.timestamp) + Number(hash.delay) === at ? hash.delay : undefined;
    }

    /** The scheduler's offset is the phase of its first iteration. */
    isPhase(suffix, hash) {
        const first = this.firsts.get(`${suffix}:`);
        return first !== undefined && first % Number(hash.every) === Number(hash.offset);
    }

    /** Values of a JSON tree; the order of members means nothing. */
    tree(value) {
        if (Array.isArray(value)) return value.map((item) => this.tree(item));
        if (value !== null && typeof value === 'object') {
            const sorted = Object.keys(value).sort();
            return Object.fromEntries(sorted.map((key) => [key, this.tree(value[key])]));
        }
        if (typeof value !== 'number' && typeof value !== 'string') return value;
        const masked = this.text(value);
        return masked === String(value) ? value : masked;
    }

    field(name, value) {
        if (name === 'stacktrace') return `${JSON.parse(value).length} traces`;
        if (JSON_FIELDS.has(name)) return this.tree(JSON.parse(value));
        return this.text(value);
    }

    /**
     * What depends on when an iteration was planned is replaced, where it fits the rest. `nrjid` is what
     * the 5.x line notes for itself.
     */
    scheduled(suffix, { nrjid, ...hash }) {
        void nrjid;
        const delay = hash.opts === undefined ? undefined : this.delay(hash);
        if (delay !== undefined) {
            const opts = JSON.parse(hash.opts);
            if (opts.delay === Number(delay)) opts.delay = UNTIL_THEN;
            return { ...hash, delay: UNTIL_THEN, opts: JSON.stringify(opts) };
        }
        return this.isPhase(suffix, hash) ? { ...hash, offset: '<phase>' } : hash;
    }

    hash(value) {
        const sorted = Object.keys(value).sort();
        return Object.fromEntries(sorted.map((name) => [name, this.field(name, value[name])]));
    }

    /** The wall clock decides the order of these; the stream shows it exactly. */
    byTime(value) {
        return value.map(([member]) => this.text(member)).sort();
    }

    due(score) {
        const ms = Math.floor(score / 4096);
        return `${this.text(ms)} +${score - ms * 4096}`;
    }

    zset(suffix, value) {
        if (BY_TIME.has(suffix) || suffix.endsWith(':unsuccessful')) return this.byTime(value);
        return value.map(([member, score]) => [
            this.text(member),
            suffix === 'delayed'
                ? this.due(Number(score))
                : this.text(suffix === 'marker' ? Math.floor(Number(score)) : score),
        ]);
    }

    stream(value) {
        return value.map((fields) =>
            fields.map(([name, text]) => `${name}=${this.text(text)}`).join(' '),
        );
    }

    /** The view: jobs by masked ids; delays of iterations are compared in their hashes. */
    view(value) {
        const jobs = Object.entries(value.jobs).map(([id, job]) => {
            const delay = ITERATION.test(id) && job.delay > 0 ? UNTIL_THEN : job.delay;
            return [this.text(id), { ...job, delay }];
        });
        return { ...value, jobs: Object.fromEntries(jobs) };
    }

    value(suffix, { type, value }) {
        switch (type) {
            case 'string':
                return suffix.endsWith(':lock') ? '<token>' : this.text(value);
            case 'list':
                return value.map((item) => this.text(item));
            case 'set':
                return value.map((item) => this.text(item)).sort();
            case 'hash':
                return this.hash(this.scheduled(suffix, value));
            case 'zset':
                return this.zset(suffix, value);
            default:
                return this.stream(value);
        }
    }
}

/**
 * `raw` of dump() masked. `ignore` lists suffixes of queue keys that a scenario cannot compare.
 * Keys are named by prefix and queue as they are; their lifetimes stay for compare(). `results` are
 * [name, value] of operations, `seen` is what view() gives; both are masked alike and put beside the keys.
 */
export function mask(raw, { since, ignore = [], results = [], seen }) {
    const masker = new Masker(since);
    const result = {};
    const rank = (key) => (key.endsWith(':events') ? 0 : 1); // names UUIDs in the order of events
    for (const key of Object.keys(raw).sort((a, b) => rank(a) - rank(b) || (a < b ? -1 : 1))) {
        const suffix = key.split(':').slice(2).join(':');
        if (ignore.includes(suffix)) continue;
        const value = masker.value(suffix, raw[key]);
        if (suffix === 'meta') delete value.version; // the line of the producer, by definition
        result[masker.text(key)] = { value, pttl: raw[key].pttl };
    }
    results.forEach(([name, value], i) => {
        result[`(${i + 1}: ${name})`] = { value: masker.tree(value), pttl: -1 };
    });
    if (seen !== undefined) result['(BullMQ sees)'] = { value: masker.view(seen), pttl: -1 };
    return result;
}

const PTTL_TOLERANCE = 5000;

function show(value) {
    return value === undefined ? '(absent)' : JSON.stringify(value);
}

function differences(path, a, b, out) {
    if (JSON.stringify(a) === JSON.stringify(b)) return;
    const inner = (v) => v !== null && typeof v === 'object';
    if (!inner(a) || !inner(b)) {
        out.push(`${path}\n      BullMQ   ${show(a)}\n      bulwark  ${show(b)}`);
        return;
    }
    for (const key of new Set([...Object.keys(a), ...Object.keys(b)]))
        differences(`${path} ${key}`, a[key], b[key], out);
}

/** The differences of two masked dumps, as lines for a person; empty when they are equal. */
export function compare(ours, theirs) {
    const out = [];
    for (const key of [...new Set([...Object.keys(theirs), ...Object.keys(ours)])].sort()) {
        const [a, b] = [theirs[key], ours[key]];
        differences(key, a?.value, b?.value, out);
        if (a !== undefined && b !== undefined && Math.abs(a.pttl - b.pttl) > PTTL_TOLERANCE)
            out.push(`${key} lifetime\n      BullMQ   ${a.pttl} ms\n      bulwark  ${b.pttl} ms`);
    }
    return out;
}
