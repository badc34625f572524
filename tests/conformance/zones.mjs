// Zone files (TZif, RFC 8536) made from Node's own zone data, for a test that compares times of the two sides: the
// system's zone database and Node's are seldom of one version, and what differs there says nothing about the code.

import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';

const WEEK = 604_800;
const FROM = Date.UTC(2010, 0, 1) / 1000;
const TO = Date.UTC(2105, 0, 1) / 1000;

// Seconds east of UTC at an instant (s since the epoch).
function offsets(tz) {
  const format = new Intl.DateTimeFormat('en-US', { timeZone: tz, timeZoneName: 'longOffset', hourCycle: 'h23' });
  return (at) => {
    const text = format.formatToParts(at * 1000).find((part) => part.type === 'timeZoneName').value;
    const [, sign, hours, minutes, seconds] = /^GMT(?:([+-])(\d\d):(\d\d)(?::(\d\d))?)?$/.exec(text);
    if (sign === undefined) return 0;
    return (sign === '-' ? -1 : 1) * (Number(hours) * 3600 + Number(minutes) * 60 + Number(seconds ?? 0));
  };
}

// Every change of the offset between two instants, found between weeks that differ.
export function changesOf(tz, from = FROM, to = TO) {
  const offset = offsets(tz);
  const changes = [];
  let before = offset(from);
  for (let at = from; at < to; at += WEEK) {
    const after = offset(at + WEEK);
    if (after === before) continue;
    let [low, high] = [at, at + WEEK];
    while (high - low > 1) {
      const middle = Math.floor((low + high) / 2);
      if (offset(middle) === before) low = middle;
      else high = middle;
    }
    changes.push({ at: high, offset: after });
    before = after;
  }
  return { first: offset(from), changes };
}

function block(version, changes, kinds, timeLength) {
  const head = Buffer.alloc(44);
  head.write(`TZif${version}`, 'latin1');
  head.writeUInt32BE(changes.length, 32);
  head.writeUInt32BE(kinds.length, 36);
  head.writeUInt32BE(1, 40); // one abbreviation: an empty one
  const times = Buffer.alloc(changes.length * timeLength);
  const types = Buffer.alloc(kinds.length * 6);
  changes.forEach(({ at }, i) => times.writeBigInt64BE(BigInt(at), i * timeLength));
  kinds.forEach((offset, i) => types.writeInt32BE(offset, i * 6));
  return Buffer.concat([head, times, Buffer.from(changes.map(({ offset }) => kinds.indexOf(offset))), types,
    Buffer.alloc(1)]);
}

export function zoneFile(tz) {
  const { first, changes } = changesOf(tz);
  const kinds = [...new Set([first, ...changes.map(({ offset }) => offset)])];
  return Buffer.concat([block('2', [], [first], 4), block('2', changes, kinds, 8), Buffer.from('\n\n')]);
}

// A folder for TZDIR with those zones; it goes when the process ends.
export function makeZones(zones) {
  const folder = mkdtempSync(path.join(tmpdir(), 'bulwark-zones-'));
  process.once('exit', () => rmSync(folder, { recursive: true, force: true }));
  for (const tz of zones) {
    const file = path.join(folder, tz);
    mkdirSync(path.dirname(file), { recursive: true });
    writeFileSync(file, zoneFile(tz));
  }
  return folder;
}
