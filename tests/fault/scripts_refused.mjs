// Every write of every Redis script fails once (BMQ-171): a user who lacks one of its commands, who may not
// touch or not write one of its keys, and each key of another type, in turn. Afterwards each job is in exactly
// one state, an error reply has left nothing behind, and only the end whose own keys are spoilt is refused.
// scripts_refused.mjs DIR: the folder with the assembled scripts. --case TEXT: only cases with it; --verbose
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';

import { Redis } from '../peer/peer.mjs';
import { startRedis } from '../peer/server.mjs';
import { cases, worlds } from './scripts_cases.mjs';

const [folder, ...rest] = process.argv.slice(2);
const only = rest.includes('--case') ? rest[rest.indexOf('--case') + 1] : '';
const verbose = rest.includes('--verbose');
const BROKEN = 'of another type';
const TEMPLATE_DB = 1;
const USER = 'restricted';

// What an undone script may leave: numbers that were drawn, events (where XDEL is refused), wake-ups.
const LEFT_OUT = /:(id|pc|seq|events|marker|stalled-check)$/;

/** In which sets each job is, and the keys with their contents, lists as sets. */
const LOOK = `
local LISTS, ZSETS = {'wait', 'paused', 'active'}, {'prioritized', 'delayed', 'completed', 'failed',
    'waiting-children'}
local out = {}
local function line(...) out[#out + 1] = table.concat({...}, '\\n') end
local readers = {
    hash = function(k) local f, t = redis.call('HGETALL', k), {}
        for i = 1, #f, 2 do t[#t + 1] = f[i] .. '=' .. f[i + 1] end return t end,
    list = function(k) return redis.call('LRANGE', k, 0, -1) end,
    set = function(k) return redis.call('SMEMBERS', k) end,
    zset = function(k) local f, t = redis.call('ZRANGE', k, 0, -1, 'WITHSCORES'), {}
        for i = 1, #f, 2 do t[#t + 1] = f[i] .. '=' .. f[i + 1] end return t end,
    string = function(k) return {redis.call('GET', k)} end,
    stream = function(k) return {} end,
}
for _, k in ipairs(redis.call('KEYS', '*')) do
    local kind = redis.call('TYPE', k).ok
    local content = readers[kind](k)
    table.sort(content)
    line('key', k, kind, table.concat(content, '|'))
    if kind == 'hash' and redis.call('HEXISTS', k, 'name') == 1 and redis.call('HEXISTS', k, 'ic') == 0 and
       not k:find(':dn:') then
        line('job', k)
    end
end
for _, base in ipairs({'bull:q:', 'bull:par:'}) do
    for _, name in ipairs(LISTS) do
        if redis.call('TYPE', base .. name).ok == 'list' then
            for _, id in ipairs(redis.call('LRANGE', base .. name, 0, -1)) do line('in', base .. id, name) end
        end
    end
    for _, name in ipairs(ZSETS) do
        if redis.call('TYPE', base .. name).ok == 'zset' then
            for _, id in ipairs(redis.call('ZRANGE', base .. name, 0, -1)) do line('in', base .. id, name) end
        end
    end
end
return out`;

const RESTORE = `
for _, k in ipairs(ARGV) do redis.call('SELECT', ${TEMPLATE_DB}) redis.call('COPY', k, k, 'DB', 0) end
redis.call('SELECT', 0) return 1`;

class Rig {
    static async create() {
        const rig = new Rig();
        rig.server = await startRedis(['--databases', '2']);
        rig.redis = new Redis(rig.server.url(0), { enableReadyCheck: false });
        rig.scripts = new Map();
        for (const file of readdirSync(folder).filter((name) => name.endsWith('.lua'))) {
            const text = readFileSync(path.join(folder, file), 'utf8');
            const keyCount = Math.max(...[...text.matchAll(/KEYS\[(\d+)\]/g)].map((m) => Number(m[1])));
            const words = new Set([...text.matchAll(/'([A-Z]{3,})'/g)].map((m) => m[1].toLowerCase()));
            rig.scripts.set(path.basename(file, '.lua'), {
                sha: await rig.redis.script('LOAD', text),
                keyCount,
                words: [...words],
            });
        }
        const known = await rig.redis.command('LIST');
        for (const script of rig.scripts.values())
            script.words = script.words.filter((word) => known.includes(word));
        return rig;
    }

    async makeWorld(world) {
        await this.redis.flushall();
        await this.redis.select(TEMPLATE_DB);
        for (const command of world) await this.redis.call(...command);
        this.world = await this.redis.keys('*');
        await this.redis.select(0);
    }

    /** Begins to watch; what is returned gives the words that scripts have since said to Redis. */
    async watch() {
        const monitor = await this.redis.duplicate().monitor();
        const words = new Set();
        let inside = false; // between the call and what looks at its effects
        monitor.on('monitor', (_time, args, source) => {
            if (source !== 'lua') inside = args[0].toLowerCase() === 'evalsha';
            else if (inside) for (const arg of args) words.add(String(arg));
        });
        return async () => {
            await this.redis.ping();
            await new Promise((resolve) => setTimeout(resolve, 5));
            monitor.disconnect();
            return [...words];
        };
    }

    /** One run of a case: `setUser` are ACL rules, `spoil` a key that becomes another type. */
    async run(one, { rules = [], spoil = null, whole = null } = {}) {
        const script = this.scripts.get(one.script);
        const pipeline = this.redis.pipeline();
        pipeline.call('ACL', 'SETUSER', USER, 'reset', 'on', 'nopass', '+@all', '&*', ...(rules.length ? rules : ['~*']));
        pipeline.flushdb();
        pipeline.eval(RESTORE, 0, ...this.world);
        for (const command of one.before ?? []) pipeline.call(...command);
        const spoilAt = pipeline.length;
        if (whole === null) pipeline.eval(LOOK, 0);
        if (spoil !== null)
            pipeline.eval(
                `local kind = redis.call('TYPE', KEYS[1]).ok redis.call('DEL', KEYS[1])
                if kind == 'string' then redis.call('RPUSH', KEYS[1], ARGV[1])
                else redis.call('SET', KEYS[1], ARGV[1]) end return 1`,
                1, spoil, BROKEN);
        const lookAt = pipeline.length;
        if (spoil !== null) pipeline.eval(LOOK, 0);
        pipeline.call('AUTH', USER, 'x');
        const at = pipeline.length;
        pipeline.call('EVALSHA', script.sha, script.keyCount, ...(one.keys ?? ['bull:q:']), ...one.args);
        pipeline.call('AUTH', 'default', 'x');
        pipeline.eval(LOOK, 0);
        const results = await pipeline.exec();
        for (const [i, [error]] of results.entries())
            if (error && i !== at) throw new Error(`${one.name}: ${error.message}`);
        whole ??= look(results[spoilAt][1]);
        return {
            whole,
            before: spoil !== null ? look(results[lookAt][1]) : whole,
            error: results[at][0]?.message ?? null,
            reply: results[at][1],
            after: look(results.at(-1)[1]),
        };
    }
}

function look(lines) {
    const seen = { keys: new Map(), jobs: new Set(), places: new Map() };
    for (const text of lines) {
        const [kind, key, ...more] = text.split('\n');
        if (kind === 'key') seen.keys.set(key, more.join(' '));
        else if (kind === 'job') seen.jobs.add(key);
        else seen.places.set(key, [...(seen.places.get(key) ?? []), more[0]]);
    }
    return seen;
}

// --- what could fail

/** Key patterns for all keys but this one. */
function allBut(key) {
    const patterns = [`~${key}?*`];
    for (let i = 0; i < key.length; i++) {
        patterns.push(`~${key.slice(0, i)}[^${key[i]}]*`);
        if (i > 0) patterns.push(`~${key.slice(0, i)}`);
    }
    return patterns;
}

function faults(script, keys, asks) {
    const list = script.words.map((word) => ({ what: `without ${word}`, rules: ['~*', `-${word}`] }));
    for (const key of keys) {
        list.push({ what: `${key} forbidden`, key, rules: allBut(key) });
        if (asks) list.push({ what: `${key} read only`, key, rules: [...allBut(key), `%R~${key}`] });
        list.push({ what: `${key} ${BROKEN}`, key, spoil: key });
    }
    return list;
}

// --- what must hold

function codesOf(one, result) {
    return one.codes === null ? result.reply : result.reply[one.codes];
}

function checkPlaces(one, fault, clean, { whole, before, after }) {
    const spoilt = fault.spoil;
    const base = spoilt?.match(/^bull:(q|par):/)?.[0];
    const out = new Set(spoilt ? [...whole.places].filter(([, names]) => names.some((name) => base + name === spoilt))
        .map(([key]) => key) : []);
    for (const key of after.jobs) {
        const places = after.places.get(key) ?? [];
        if (!out.has(key)) assert.equal(places.length, 1, `${key} is in [${places}]`);
    }
    for (const [key, places] of after.places) {
        const known = after.jobs.has(key) || key === spoilt || one.ghosts?.includes(key.replace('bull:q:', ''));
        assert.ok(known, `${key} is in [${places}] without a job`);
    }
    const stays = !one.removes && clean?.after.places.has(spoilt);
    if (spoilt && whole.jobs.has(spoilt) && whole.places.has(spoilt) && stays)
        assert.equal(after.places.get(spoilt)?.length, 1, `${spoilt} is in [${after.places.get(spoilt)}]`);
    for (const key of before.jobs)
        if (!after.jobs.has(key) && !one.removes && clean)
            assert.ok(!clean.after.jobs.has(key), `${key} is gone`);
}

/** An error for the whole call has left nothing. */
function checkUntouched({ before, after }) {
    const keys = new Set([...before.keys.keys(), ...after.keys.keys()]);
    for (const key of keys)
        if (!LEFT_OUT.test(key)) assert.equal(after.keys.get(key), before.keys.get(key), key);
}

/** Keys that only this job's end may touch. */
function isOwn(key, id, result) {
    const parentKey = result.whole.keys.get(`bull:q:${id}`)?.match(/parentKey=([^|]*)/)?.[1];
    return (
        key === `bull:q:${id}` || key.startsWith(`bull:q:${id}:`) ||
        (parentKey && (key === parentKey || key.startsWith(`${parentKey}:`))) ||
        (parentKey && /^bull:par:(wait|prioritized|delayed|waiting-children|events|marker|meta|pc|active)$/.test(key)) ||
        (result.whole.keys.get(`bull:q:${id}`)?.includes('deid') && /:d[en]:|:parked$/.test(key))
    );
}

function checkItems(one, fault, result) {
    const ids = one.items ?? [];
    for (const [i, code] of ids.length ? codesOf(one, result).slice(0, ids.length).entries() : []) {
        const key = `bull:q:${ids[i]}`;
        const places = result.after.places.get(key) ?? [];
        const activeSpoilt = fault.spoil === 'bull:q:active';
        if (code instanceof Error) {
            if (!activeSpoilt) assert.deepEqual(places, ['active'], `${key} was refused and is in [${places}]`);
            if (fault.key !== `${key}:lock`)
                assert.equal(result.after.keys.get(`${key}:lock`), result.before.keys.get(`${key}:lock`), `lock of ${key}`);
        } else if (code === 0) {
            assert.ok(!places.includes('active'), `${key} has ended and is in [${places}]`);
        }
    }
    const culprits = fault.key ? ids.filter((id) => isOwn(fault.key, id, result)) : ids;
    if (ids.length > 1 && culprits.length > 0 && culprits.length < ids.length)
        for (const [i, code] of codesOf(one, result).entries())
            if (ids[i] && !culprits.includes(ids[i]))
                assert.equal(code, 0, `${ids[i]} has to do with ${culprits}: ${code.message ?? code}`);
}

function check(one, fault, clean, result) {
    checkPlaces(one, fault, clean, result);
    if (result.error) checkUntouched(result);
    else if (one.items) checkItems(one, fault, result);
}

// --- all of them

const rig = await Rig.create();
const version = (await rig.redis.info('server')).match(/redis_version:(\d+)/)[1];
const asks = Number(version) >= 7;
const started = Date.now();
const failures = [];
let runs = 0;
let world = null;

for (const name of rig.scripts.keys())
    if (!cases.some((one) => one.script === name)) failures.push(`${name}.lua has no case in scripts_cases.mjs`);

for (const one of [...cases].sort((a, b) => (a.world < b.world ? -1 : a.world > b.world ? 1 : 0))) {
    if (!one.name.includes(only)) continue;
    if (one.world !== world) {
        world = one.world;
        await rig.makeWorld(worlds[world]);
    }
    const touched = await rig.watch();
    const clean = await rig.run(one);
    const present = new Set([...clean.before.keys.keys(), ...clean.after.keys.keys()]);
    const keys = (await touched()).filter((key) => present.has(key));
    const trial = (fault, result) => {
        runs++;
        try {
            check(one, fault, fault.what === 'nothing' ? null : clean, result);
        } catch (error) {
            if (!(error instanceof assert.AssertionError)) throw error;
            failures.push(`${one.name}\n    ${fault.what}: ${error.message.split('\n').slice(0, verbose ? 30 : 6).join('\n        ')}` +
                `\n    reply: ${result.error ?? JSON.stringify(result.reply, (_, v) => (v instanceof Error ? v.message : v))}`);
        }
    };
    trial({ what: 'nothing' }, clean);
    if (clean.error) failures.push(`${one.name}: ${clean.error}`);
    for (const fault of faults(rig.scripts.get(one.script), keys, asks)) trial(fault, await rig.run(one, { ...fault, whole: clean.whole }));
}
for (const failure of failures) console.error(`not ok: ${failure}`);
console.log(`${cases.length} calls of ${rig.scripts.size} scripts, ${runs} faults, ${failures.length} failures, ` +
    `${Math.round((Date.now() - started) / 100) / 10} s`);
rig.redis.disconnect();
await rig.server.stop();
process.exit(failures.length > 0 ? 1 : 0);
