#!/usr/bin/env node
// The cron of libbulwark against the cron-parser that BullMQ uses: generated patterns, zones and instants, many
// of them about the hour at which clocks change, must give the same next three instants, or an error on both
// sides. BMQ-155, lib/spec/bullmq.md §9.5
//
//   node tests/conformance/cron.mjs [--count N] [--seed N] [--zones ZONE,…]
//
// Both sides have the same zone data: ours reads files made from Node's. H fields need not draw the reference's
// numbers, but from the same ones. Left out: its leniency towards patterns that mean nothing (see REFUSED); zones
// that change by other than an hour, or at other than a full one, where it loses its way (Lord Howe, Troll,
// Chatham), and America/Nuuk (see LOSES).

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createRequire } from 'node:module';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { changesOf, makeZones } from './zones.mjs';

const HERE = path.dirname(fileURLToPath(import.meta.url));
const BUILD = process.env.BULWARK_BUILD ?? path.join(HERE, '../../build/debug');
const HOUR = 3_600_000;
const FROM = Date.UTC(2015, 0, 1);
const TO = Date.UTC(2037, 0, 1);

const ZONES = [
  'UTC', 'Europe/Madrid', 'Europe/London', 'Europe/Dublin', 'Europe/Lisbon', 'Europe/Moscow', 'Europe/Istanbul',
  'America/New_York', 'America/Los_Angeles', 'America/St_Johns', 'America/Sao_Paulo', 'America/Santiago',
  'America/Havana', 'America/Phoenix', 'America/Argentina/Buenos_Aires', 'Asia/Kolkata',
  'Asia/Kathmandu', 'Asia/Tokyo', 'Asia/Shanghai', 'Asia/Jerusalem', 'Asia/Beirut', 'Asia/Tehran',
  'Australia/Sydney', 'Australia/Adelaide', 'Pacific/Auckland', 'Pacific/Kiritimati',
  'Pacific/Honolulu', 'Africa/Cairo', 'Africa/Johannesburg', 'Africa/Casablanca', 'Atlantic/Azores',
  'Etc/GMT+5',
];

const { values: args } = parseArgs({
  options: { count: { type: 'string', default: '20000' }, seed: { type: 'string' }, zones: { type: 'string' } },
});
const zones = args.zones?.split(',') ?? ZONES;
const count = Number(args.count);
const seed = Number(args.seed ?? Math.floor(Math.random() * 2 ** 32));

// What was once found to differ, and what random triples seldom meet. `ours`: the three instants where the
// reference is at fault.
const FIXED = [
  // Midnight comes twice, and the days before were looked at from a midnight on.
  { pattern: '* * * * * 0', tz: 'Atlantic/Azores', at: '2032-10-30T00:00:00Z' },
  { pattern: '30 0 * * 0', tz: 'Atlantic/Azores', at: '2032-10-28T00:40:00Z' },
  { pattern: '* * * * * 0', tz: 'America/Havana', at: '2032-11-06T04:00:00Z' },
  { pattern: '*/30 0 1 11 *', tz: 'America/Havana', at: '2026-10-01T04:00:00Z' },
  { pattern: '*/30 0 1 11 *', tz: 'America/Havana', at: '2026-10-15T16:00:00Z' },
  // LOSES: clocks go forward at 22:00 there, and the reference passes over the whole day before that hour.
  { pattern: '8 25 1/21 * * *', tz: 'America/Nuuk', at: '2036-03-28T15:00:00Z',
    ours: ['2036-03-29T00:25:08Z', '2036-03-29T03:25:08Z', '2036-03-30T00:25:08Z'] },
  // The reference remembers an hour skipped a year ago, and makes up for one it passes over otherwise.
  { pattern: '38 */5,23/8 27 3 *', tz: 'Atlantic/Azores', at: '2032-03-27T21:00:00Z',
    ours: ['2032-03-27T21:38:00Z', '2032-03-28T00:38:00Z', '2033-03-27T05:38:00Z'] },
  // Names in any case, and other names of what there is.
  ...['europe/london', 'EUROPE/LONDON', 'aMeRiCa/aRgEnTiNa/bUeNoS_aIrEs', 'etc/gmt+5', 'utc', 'Gmt', 'etc/utc', 'UTC+5:30',
    'utc-3', 'UTC+05:30', 'UTC+0', 'utc+14', 'local', 'System', 'UTC+15', 'utc+5:60', 'No/Where', 'Europe/', 'Europe', '../Europe/London', 'Europe/London ']
    .map((tz) => ({ pattern: '30 2 * * *', tz, at: '2026-03-28T12:00:00Z' })),
].map((row) => ({ ...row, at: Date.parse(row.at), ours: row.ours?.map((text) => Date.parse(text)).join(' ') }));

// --- the reference

const require = createRequire(path.join(HERE, '../peer/node_modules/bullmq/package.json'));
const { CronExpressionParser } = require('cron-parser');

// A new parser each time, as BullMQ makes one: a parser asked again remembers the change it came across.
function reference({ pattern, tz, at, key }) {
  const found = [];
  try {
    for (let after = at; found.length < 3; after = found.at(-1)) {
      const currentDate = new Date(after);
      found.push(CronExpressionParser.parse(pattern, { currentDate, tz, hashSeed: key }).next().getTime());
    }
    return found.join(' ');
  } catch {
    return 'error';
  }
}

// --- ours: one line in, one line out

const program = spawn(path.join(BUILD, 'tests/conformance/peer_cron'), { stdio: ['pipe', 'pipe', 'inherit'],
  env: { ...process.env, TZDIR: makeZones([...ZONES, ...zones, 'America/Nuuk']) } });
const answers = [];
let rest = '';
program.stdout.setEncoding('utf8').on('data', (text) => {
  const lines = (rest + text).split('\n');
  rest = lines.pop();
  for (const line of lines) answers.shift()(line);
});

function ask({ pattern, tz, at, key = '' }) {
  return new Promise((resolve) => {
    answers.push((line) => resolve({ line, value: line.includes('error') ? 'error' : line }));
    program.stdin.write(`${tz}\t${at}\t${pattern}\t${key}\n`);
  });
}

// --- what is asked

// mulberry32
let state = seed >>> 0;
function random() {
  state = (state + 0x6d2b79f5) >>> 0;
  let t = Math.imul(state ^ (state >>> 15), state | 1);
  t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
  return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
}
const below = (n) => Math.floor(random() * n);
const pick = (list) => list[below(list.length)];
const chance = (p) => random() < p;

const MONTHS = ['jan', 'feb', 'mar', 'apr', 'may', 'jun', 'jul', 'aug', 'sep', 'oct', 'nov', 'dec'];
const DAYS = ['sun', 'mon', 'tue', 'wed', 'thu', 'fri', 'sat'];
const anyCase = (text) => (chance(0.3) ? text.toUpperCase() : text);

const FIELDS = [
  { min: 0, max: 59 },
  { min: 0, max: 59 },
  { min: 0, max: 23, likely: [0, 1, 2, 3, 4, 22, 23] },
  { min: 1, max: 31, likely: [1, 28, 29, 30, 31] },
  { min: 1, max: 12, names: (n) => MONTHS[n - 1] },
  { min: 0, max: 7, names: (n) => DAYS[n % 7] },
];

function value(field, from = field.min) {
  const likely = (field.likely ?? []).filter((n) => n >= from);
  const n = likely.length > 0 && chance(0.6) ? pick(likely) : from + below(field.max - from + 1);
  return n;
}

function spelled(field, n) {
  return field.names && n > 0 && chance(0.4) ? anyCase(field.names(n)) : String(n);
}

function item(field) {
  const form = random();
  if (form < 0.5) return spelled(field, value(field));
  if (form < 0.65) return `${value(field)}/${1 + below(field.max)}`;
  if (form < 0.75) return `*/${1 + below(field.max + 5)}`;
  const from = value(field);
  const to = chance(0.05) ? value(field) : value(field, from);
  return `${from}-${to}${chance(0.3) ? `/${1 + below(9)}` : ''}`;
}

function fieldText(index, open) {
  const field = FIELDS[index];
  if (chance(open)) return chance(0.1) ? '?' : '*';
  if (chance(0.01)) return pick(['60', '', '1,', '-1', 'x', '*/0', '5-', '1//2', '99', 'jan', '1L', '1#2', '2-1']);
  if (index === 3 && chance(0.1)) return chance(0.5) ? 'L' : `${1 + below(28)},L`;
  if (index === 5 && chance(0.15)) return `${below(8)}L${chance(0.3) ? `,${1 + below(6)}` : ''}`;
  if (index === 5 && chance(0.15)) return `${chance(0.3) ? pick(DAYS) : below(8)}#${1 + below(chance(0.1) ? 8 : 5)}`;
  const items = [item(field)];
  while (chance(0.25)) items.push(item(field));
  return items.join(',');
}

const ALIASES = ['@yearly', '@annually', '@monthly', '@weekly', '@daily', '@hourly', '@minutely', '@secondly',
  '@weekdays', '@weekends', '@never'];

// Nearer to the left is more often closed: a pattern that fires once a minute says little about days.
const OPEN = [0.05, 0.25, 0.25, 0.6, 0.7, 0.6];

function makePattern() {
  if (chance(0.02)) return pick(ALIASES);
  const number = pick([5, 5, 5, 6, 6, 6, 4, 3, 2, 1]);
  const texts = [];
  for (let i = 6 - number; i < 6; i++) texts.push(fieldText(i, OPEN[i]));
  return texts.join(chance(0.05) ? '  ' : ' ');
}

// Patterns that the reference takes although they mean nothing; ours names their fault.
const REFUSED = [/\d+-\d+-/, /[*?]-/, /-[*?]/, /[*?]#/, /[89]\d*L/, /\dL#/, /-\dL/, /H/];

// The reference forgives a day that is there twice when the only month does not have it.
function repeatsDays(pattern) {
  const [days = '', month = ''] = pattern.trim().split(/\s+/).slice(-3);
  return days.includes(',') && month !== '*' && month !== '?';
}

const changes = new Map();

function makeInstant(tz) {
  if (!changes.has(tz)) changes.set(tz, changesOf(tz, FROM / 1000, TO / 1000).changes.map(({ at }) => at * 1000));
  const near = changes.get(tz);
  if (near.length > 0 && chance(0.6)) {
    const at = pick(near) + Math.floor((random() - 0.75) * pick([2, 6, 48]) * HOUR);
    return chance(0.3) ? Math.floor(at / 60_000) * 60_000 : at;
  }
  return FROM + Math.floor(random() * (TO - FROM));
}

function makeTriple() {
  for (;;) {
    const pattern = makePattern();
    const tz = pick(zones);
    if (!REFUSED.some((form) => form.test(pattern)) && !repeatsDays(pattern))
      return { pattern, tz, at: makeInstant(tz) };
  }
}

// --- H: over many keys both sides draw from the same values, ours the same one each time

const HASHED = ['0 0 H * * *', '0 0 0 * * H', '0 0 0 H * *', '0 0 0 1 H *', 'H/20 * * * * *', '0 H/7 0 * * *', '0 0 0 H/10 * *', '0 0 0 1 H/5 *',
  '0 0 0 * * H/3', '0 0 H/30 * * *', 'H(3-5) 0 0 * * *', '0 H(0-10)/4 0 * * *', 'H(50-70) 0 0 * * *', '0 0 0 H(0-5) * *',
  '0 0 0 * * H(1-7)', '0 0 0 * * H(mon-FRI)', '0 0 0 1 H(jan-mar) *', 'H(3-5)/10 0 0 * * *', '0 H(0-2),50 0 * * *',
  'H(0-5)/2,7 0 0 * * *', '0 0 0 H(1-3),L * *', '0 0 0 * * H(1-3),5L', '0 0 0 * * H#2', '0 H(05-07) H(2-4) * * *',
  'H(10-5) * * * * *', 'h * * * * *', 'H(3) * * * * *', 'H/0 * * * * *', 'H() * * * * *'];
const KEYS = Array.from({ length: 800 }, (_, i) => `scheduler-${i}`);

async function drawn(pattern) {
  const triples = KEYS.map((key) => ({ pattern, tz: 'UTC', at: Date.UTC(2026, 0, 1), key }));
  const ours = await Promise.all([...triples, ...triples].map(ask));
  const steady = triples.every((_, i) => ours[i].value === ours[i + KEYS.length].value);
  const sets = [triples.map(reference), ours.map(({ value }) => value)].map((list) => [...new Set(list)].sort());
  return { pattern, ok: steady && String(sets[0]) === String(sets[1]), steady, sets };
}

// --- failures, made small

const differs = async (triple) => (await ask(triple)).value !== reference(triple);

function* simpler({ pattern, tz, at }) {
  const texts = pattern.split(/\s+/);
  for (let i = 0; i < texts.length; i++) {
    const items = texts[i].split(',');
    for (const other of ['*', ...(items.length > 1 ? items.map((_, k) => items.toSpliced(k, 1).join(',')) : [])]) {
      if (other !== texts[i]) yield { pattern: texts.toSpliced(i, 1, other).join(' '), tz, at };
    }
  }
  for (const unit of [24 * HOUR, HOUR, 60_000, 1000]) {
    if (at % unit !== 0) yield { pattern, tz, at: at - (at % unit) };
  }
  if (tz !== 'UTC') yield { pattern, tz: 'UTC', at };
}

async function shrink(triple) {
  for (const next of simpler(triple)) {
    if (await differs(next)) return shrink(next);
  }
  return triple;
}

async function report(triple) {
  const small = await shrink(triple);
  const show = (text) => text.split(' ').map((n) => (/^\d+$/.test(n) ? new Date(Number(n)).toISOString() : n)).join(' ');
  console.log(`not the same: "${small.pattern}" ${small.tz} after ${new Date(small.at).toISOString()}`);
  console.log(`  reference: ${show(reference(small))}`);
  console.log(`  bulwark:   ${show((await ask(small)).line)}`);
}

// --- all of them

console.log(`cron: ${count} triples, seed ${seed}`);
const failed = [];
let errors = 0;
for (let first = 0; first < count; first += 500) {
  const triples = Array.from({ length: Math.min(500, count - first) }, makeTriple);
  const ours = await Promise.all(triples.map(ask));
  triples.forEach((triple, i) => {
    const expected = reference(triple);
    if (expected === 'error') errors++;
    if (ours[i].value !== expected) failed.push(triple);
  });
}
for (const triple of FIXED) {
  if ((await ask(triple)).value !== (triple.ours ?? reference(triple))) failed.push(triple);
}
for (const triple of failed.slice(0, 10)) await report(triple);
for (const { pattern, ok, steady, sets: [theirs, ours] } of await Promise.all(HASHED.map(drawn))) {
  if (ok) continue;
  failed.push(pattern);
  console.log(`not drawn from the same values: "${pattern}"${steady ? '' : ', not the same for the same key'}`);
  console.log(`  reference ${theirs.length}: ${theirs.slice(0, 3).join(' | ')}`);
  console.log(`  bulwark   ${ours.length}: ${ours.slice(0, 3).join(' | ')}`);
}
program.stdin.end();
await once(program, 'exit');
const all = count + FIXED.length + HASHED.length;
console.log(`cron: ${all - failed.length} of ${all} agree (${errors} errors among them), seed ${seed}`);
process.exitCode = failed.length > 0 ? 1 : 0;
