// node expressions.js EVAL_LINES [COUNT [SEED]]
//
// Holds the expression evaluator against JavaScript itself: random expressions of the grammar of
// worker/workflow/spec/workflow.md §7.3 are evaluated by both, and every result must be equal. Left out is
// what the spec decides differently: num() of arrays, and exponents of tiny numbers.
'use strict';
const { spawnSync } = require('child_process');
const fs = require('fs');
const os = require('os');
const path = require('path');

const [, , program, countArg, seedArg] = process.argv;
const count = Number(countArg || 4000);
let state = Number(seedArg || 1) >>> 0;

function random(n) { // xorshift: the same cases on every run
  state ^= state << 13; state >>>= 0;
  state ^= state >>> 17;
  state ^= state << 5; state >>>= 0;
  return state % n;
}
const pick = (list) => list[random(list.length)];

const variables = {
  balance: 150.5, zero: 0, neg: -3, big: 12345678901, name: 'Анна <3', empty: '', blank: '  ',
  digits: '42', yes: true, no: false, nothing: null, emoji: 'a😀б😀c', list: [3, 'x', null, 'Ё'],
  numbers: [1, 2, 3], nested: { a: { b: [10, 20] }, s: 'deep', length: 7 }, words: 'one two  three',
};

// ---- a generator by type; `d` bounds the nesting ----
const literalNumber = () => pick(['0', '1', '2', '3.5', '.5', '1e3', '0x1F', '100', '7', '1e21', '0.1', '9007199254740993']);
const literalString = () => pick(['""', '"a"', "'б'", '"😀"', '"10"', '" 12 "', '"\\u0041"', '"\\ud83d"', '"\\ude00"', '"x\\ty"', "'it\\'s'", '"Анна"', '","', '"ZZ"', '"\uffff"']);

// What parseFloat(), parseInt() and Number() read, and what looks so.
const numeral = () => JSON.stringify(`${pick(['', '', ' ', '\u00a0', '\ufeff', '\n'])}${pick(['', '', '-', '+', '--'])}${pick([
  '0x10', '0X1f', '0b101', '0o17', '0b2', '0o8', '0x', '0xg', '0x1.8', '10', '5.', '.5', '.', '1e3', '1e', '1e+', '1.5e-2z', '12abc',
  '0x1fffffffffffff', '0xffffffffffffffffff', '0x20000000000001', '0x20000000000003', '9007199254740993', '1_000', '1,5', '010', '1e999',
  'Infinity', 'Infinityx', 'infinity', 'NaN', 'inf', '', 'e5', '0x1p4', '1n', '٣', 'zz', '7\u00005', '11111111111111111111111111111111111111111111111111111111',
])}${pick(['', '', ' ', 'px', ' 5'])}`);
const radix = () => pick(['', ', 2', ', 8', ', 10', ', 16', ', 36', ', 3', ', 0', ', 1', ', 37', ', -16', ', 16.9', ', 4294967306', ', NaN', ', "16"', ', Infinity', ', null']);

function number(d) {
  if (d <= 0) return pick([literalNumber, () => pick(['balance', 'zero', 'neg', 'big', 'NaN', 'nested.a.b[0]', 'numbers[2]', 'list.length', 'emoji.length'])])();
  return pick([
    () => `${number(d - 1)} ${pick(['+', '-', '*', '/', '%'])} ${number(d - 1)}`,
    () => `(${number(d - 1)})`,
    () => `- ${unary(number(d - 1))}`,
    () => `+ ${unary(any(d - 1, false))}`,
    () => `Math.${pick(['abs', 'ceil', 'floor', 'round', 'trunc', 'sqrt', 'sign'])}(${number(d - 1)})`,
    () => `Math.${pick(['min', 'max'])}(${number(d - 1)}, ${number(d - 1)})`,
    () => `Math.pow(${number(d - 1)}, ${pick(['2', '0.5', '-1', '3', 'NaN'])})`,
    () => `parseInt(${string(d - 1)}${pick(['', ', 16', ', 10', ', 2', ', 1'])})`,
    () => `parseFloat(${string(d - 1)})`,
    () => `Number(${any(d - 1, false)})`,
    () => `Number(${numeral()})`,
    () => `parseInt(${numeral()}${radix()})`,
    () => `parseFloat(${numeral()})`,
    () => `${primary(string(d - 1))}.length`,
    () => `${primary(string(d - 1))}.indexOf(${string(d - 1)}${pick(['', ', 1', ', -1'])})`,
    () => `${primary(array(d - 1))}.indexOf(${any(d - 1, false)})`,
    () => number(0),
  ])();
}
function string(d) {
  if (d <= 0) return pick([literalString, () => pick(['name', 'empty', 'blank', 'digits', 'emoji', 'nested.s', 'words', 'list[1]', 'emoji[1]'])])();
  return pick([
    () => `(${string(d - 1)} + ${any(d - 1, true)})`,
    () => `(${any(d - 1, true)} + ${string(d - 1)})`,
    () => `String(${any(d - 1, true)})`,
    () => `${primary(string(d - 1))}.${pick(['toLowerCase', 'toUpperCase', 'trim'])}()`,
    () => `${primary(string(d - 1))}.${pick(['slice', 'substring'])}(${pick(['', '1', '-2', '0, 2', '2, 1', '1, -1', '3', 'NaN, 3'])})`,
    () => `${primary(array(d - 1))}.join(${pick(['', '"-"', '""', 'null'])})`,
    () => `typeof ${unary(any(d - 1, true))}`,
    () => string(0),
  ])();
}
function boolean(d) {
  if (d <= 0) return pick(['true', 'false', 'yes', 'no']);
  return pick([
    () => `! ${unary(any(d - 1, true))}`,
    () => `${number(d - 1)} ${pick(['<', '>', '<=', '>='])} ${number(d - 1)}`,
    () => `${string(d - 1)} ${pick(['<', '>', '<=', '>='])} ${string(d - 1)}`,
    () => `(${any(d - 1, true)}) ${pick(['===', '!==', '==', '!='])} (${any(d - 1, true)})`,
    () => `${primary(string(d - 1))}.${pick(['includes', 'startsWith', 'endsWith'])}(${string(d - 1)}${pick(['', ', 1'])})`,
    () => `${primary(array(d - 1))}.includes(${any(d - 1, false)})`,
    () => `${pick(['isNaN', 'isFinite', 'Boolean'])}(${any(d - 1, false)})`,
    () => `Array.isArray(${any(d - 1, true)})`,
    () => `${pick(['isEmpty', 'notEmpty'])}(${any(d - 1, true)})`,
  ])();
}
function array(d) {
  if (d <= 0) return pick(['list', 'numbers', 'nested.a.b', '[1, "x", null]', '[]', '["a", ["b", 1]]']);
  return pick([
    () => `[${any(d - 1, true)}, ${any(d - 1, true)}]`,
    () => `${primary(array(d - 1))}.slice(${pick(['', '1', '-1', '0, 1', '1, -1'])})`,
    () => `${primary(string(d - 1))}.split(${pick(['', '""', '" "', '"o"', '"", 2', '" ", 1'])})`,
    () => `Object.keys(${pick(['nested', 'list', 'nested.a', '"ab"', '5'])})`,
  ])();
}
function any(d, arrays) {
  const kinds = [number, string, boolean, () => pick(['null', 'undefined', 'nothing', 'missing'])];
  if (arrays) kinds.push(array, () => 'nested');
  if (d > 0) {
    kinds.push(() => `(${any(d - 1, arrays)} ${pick(['&&', '||'])} ${any(d - 1, arrays)})`);
    kinds.push(() => `(${any(d - 1, arrays)} ?? ${any(d - 1, arrays)})`);
    kinds.push(() => `(${boolean(d - 1)} ? ${any(d - 1, arrays)} : ${any(d - 1, arrays)})`);
    kinds.push(() => `get(${pick(['"balance"', '"list"', '"none"', '"nested.a.b[1]"', '"name"'])})`);
  }
  return pick(kinds)(d);
}
const primary = (text) => /^[\w.[\]]+$|^"[^"]*"$|^'[^']*'$/.test(text) && !/^[\d.]/.test(text) ? text : `(${text})`;
const unary = (text) => `(${text})`;

// ---- the same names, in JavaScript ----
const lookUp = (key) => key.replace(/\[(\d+)\]/g, '.$1').split('.').reduce((v, k) => (v == null ? undefined : v[k]), variables);
const isEmpty = (x) => x === null || x === undefined || (typeof x === 'string' && x.trim() === '') || (Array.isArray(x) && x.length === 0);
const names = { ...variables, missing: undefined, get: lookUp, isEmpty, notEmpty: (x) => !isEmpty(x) };
const wellFormed = (v) => (typeof v === 'string' ? v.replace(/[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/g, '\ufffd') : Array.isArray(v) ? v.map(wellFormed) : v);

function inJavaScript(text) {
  try {
    return { v: wellFormed(new Function(...Object.keys(names), `return (${text});`)(...Object.values(names))) };
  } catch (error) {
    return { e: String(error.message) };
  }
}

// ---- comparison ----
const shape = (result) => ('e' in result ? 'error' : JSON.stringify(result.v === undefined ? { undefined: true } : result.v));
const tiny = (text) => /e-\d/.test(text);

const cases = [];
for (let i = 0; i < count / 8; i++)
  cases.push(pick([() => `Number(${numeral()})`, () => `parseInt(${numeral()}${radix()})`, () => `parseFloat(${numeral()})`,
    () => `${numeral()} * 1`, () => `${numeral()} > 3`, () => `isNaN(${numeral()})`])());
while (cases.length < count) {
  const text = any(4, true);
  if (text.length <= 1000) cases.push(text);
}
const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'expressions-'));
const scope = path.join(folder, 'scope.json');
fs.writeFileSync(scope, JSON.stringify({ session: variables }));
const run = spawnSync(program, [scope], { input: cases.map((c) => JSON.stringify(c)).join('\n') + '\n', maxBuffer: 1 << 28 });
fs.rmSync(folder, { recursive: true });
const lines = String(run.stdout).trim().split('\n');
if (run.status !== 0 || lines.length !== cases.length) {
  console.error(`eval_lines ended with ${run.status}/${run.signal} after ${lines.length} of ${cases.length}\n${run.stderr}`);
  process.exit(1);
}

let failures = 0, errors = 0;
cases.forEach((text, i) => {
  const ours = JSON.parse(lines[i]), theirs = inJavaScript(text);
  if ('e' in theirs) errors++;
  if (shape(ours) === shape(theirs) || tiny(shape(theirs))) return;
  if (++failures <= 20) console.error(`${text}\n  JavaScript: ${shape(theirs)} ${theirs.e || ''}\n  ours:       ${shape(ours)} ${ours.e || ''}`);
});
console.log(`${cases.length} expressions, ${errors} of them errors in both, ${failures} differences`);
process.exit(failures === 0 ? 0 : 1);
