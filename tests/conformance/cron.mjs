#!/usr/bin/env node
// The cron of libbulwark against the cron-parser that BullMQ uses: generated patterns, zones and instants, many
// of them about the hour at which clocks change, must give the same next three instants, or an error on both
// sides. BMQ-155, spec/bullmq.md §9.5
//
//   node tests/conformance/cron.mjs [--count N] [--seed N]
//
// Left out: H fields; the leniency of the reference towards patterns that mean nothing (see REFUSED); zones that
// change by other than an hour, or at other than a full one, where it loses its way (Lord Howe, Troll, Chatham).

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createRequire } from 'node:module';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

const HERE = path.dirname(fileURLToPath(import.meta.url));
const BUILD = process.env.BULWARK_BUILD ?? path.join(HERE, '../../build/debug');
const HOUR = 3_600_000;
const WEEK = 168 * HOUR;
const FROM = Date.UTC(2015, 0, 1);
const TO = Date.UTC(2037, 0, 1);

const ZONES = [
  'UTC', 'Europe/Madrid', 'Europe/London', 'Europe/Dublin', 'Europe/Lisbon', 'Europe/Moscow', 'Europe/Istanbul',
  'America/New_York', 'America/Los_Angeles', 'America/St_Johns', 'America/Sao_Paulo', 'America/Santiago',
  'America/Havana', 'America/Nuuk', 'America/Phoenix', 'America/Argentina/Buenos_Aires', 'Asia/Kolkata',
  'Asia/Kathmandu', 'Asia/Tokyo', 'Asia/Shanghai', 'Asia/Jerusalem', 'Asia/Beirut', 'Asia/Tehran',
  'Australia/Sydney', 'Australia/Adelaide', 'Pacific/Auckland', 'Pacific/Kiritimati',
  'Pacific/Honolulu', 'Africa/Cairo', 'Africa/Johannesburg', 'Africa/Casablanca', 'Atlantic/Azores',
  'Etc/GMT+5',
];

const { values: args } = parseArgs({
  options: { count: { type: 'string', default: '20000' }, seed: { type: 'string' } },
});
const count = Number(args.count);
const seed = Number(args.seed ?? Math.floor(Math.random() * 2 ** 32));

// --- the reference

const require = createRequire(path.join(HERE, '../peer/node_modules/bullmq/package.json'));
const { CronExpressionParser } = require('cron-parser');

// A new parser each time, as BullMQ makes one: a parser asked again remembers the change it came across.
function reference({ pattern, tz, at }) {
  const found = [];
  try {
    for (let after = at; found.length < 3; after = found.at(-1)) {
      const currentDate = new Date(after);
      found.push(CronExpressionParser.parse(pattern, { currentDate, tz }).next().getTime());
    }
    return found.join(' ');
  } catch {
    return 'error';
  }
}

// --- ours: one line in, one line out

const program = spawn(path.join(BUILD, 'tests/conformance/peer_cron'), { stdio: ['pipe', 'pipe', 'inherit'] });
const answers = [];
let rest = '';
program.stdout.setEncoding('utf8').on('data', (text) => {
  const lines = (rest + text).split('\n');
  rest = lines.pop();
  for (const line of lines) answers.shift()(line);
});

function ask({ pattern, tz, at }) {
  return new Promise((resolve) => {
    answers.push((line) => resolve({ line, value: line.includes('error') ? 'error' : line }));
    program.stdin.write(`${tz}\t${at}\t${pattern}\n`);
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

// Instants when a zone's clock changes, with the help of the reference's own zone data.
function changesOf(tz) {
  const format = new Intl.DateTimeFormat('en-US', { timeZone: tz, timeZoneName: 'longOffset' });
  const offset = (at) => format.formatToParts(at).find((part) => part.type === 'timeZoneName').value;
  const found = [];
  for (let at = FROM; at < TO; at += WEEK) {
    const before = offset(at);
    if (offset(at + WEEK) === before) continue;
    let [low, high] = [at, at + WEEK];
    while (high - low > 60_000) {
      const middle = low + Math.floor((high - low) / 120_000) * 60_000;
      if (offset(middle) === before) low = middle;
      else high = middle;
    }
    found.push(high);
  }
  return found;
}

const changes = new Map();

function makeInstant(tz) {
  if (!changes.has(tz)) changes.set(tz, changesOf(tz));
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
    const tz = pick(ZONES);
    if (!REFUSED.some((form) => form.test(pattern)) && !repeatsDays(pattern))
      return { pattern, tz, at: makeInstant(tz) };
  }
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
for (const triple of failed.slice(0, 10)) await report(triple);
program.stdin.end();
await once(program, 'exit');
console.log(`cron: ${count - failed.length} of ${count} agree (${errors} errors among them), seed ${seed}`);
process.exitCode = failed.length > 0 ? 1 : 0;
