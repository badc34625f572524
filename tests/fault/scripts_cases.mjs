// What tests/fault/scripts_refused.mjs plays: small queues, and for each script the calls that write all that it
// can write. Ids say what a job is there for; base keys are bull:q: and bull:par: (queues q and par).
const NOW = '1785000000000';
const AGO = '1784999999000';
const Q = 'bull:q:';
const P = 'bull:par:';

function hash(key, fields) {
    return ['HSET', key, ...Object.entries(fields).flat()];
}

function job(id, fields = {}, base = Q) {
    return hash(base + id, { name: 'n', data: '{}', opts: '{"attempts":0}', timestamp: '1', delay: '0',
        priority: '0', ...fields });
}

function child(id, parent, flag = '', base = Q) {
    const json = `{"id":"${parent}","queueKey":"bull:par"${flag && `,"${flag}":true`}}`;
    return [job(id, { parentKey: P + parent, parent: json }, base), ['SADD', `${P}${parent}:dependencies`, base + id]];
}

function parent(id, fields = {}) {
    return [job(id, fields, P), ['ZADD', `${P}waiting-children`, '1', id]];
}

function active(id, fields = {}) {
    return [job(id, fields), ...running(id)];
}

function running(id) {
    return [['LPUSH', `${Q}active`, id], ['SET', `${Q}${id}:lock`, `t-${id}`]];
}

const META = [hash(`${Q}meta`, { 'opts.maxLenEvents': '1000' }), hash(`${P}meta`, { 'opts.maxLenEvents': '1000' })];

const waiting = [job('w1'), job('w2'), ['LPUSH', `${Q}wait`, 'w1', 'w2'],
    job('p1', { priority: '1' }), job('p2', { priority: '1' }), ['ZADD', `${Q}prioritized`, '4294967297', 'p1', '4294967298', 'p2'],
    job('d1', { delay: '5', priority: '3' }), job('d2', { delay: '5' }), job('later', { delay: '5' }),
    ['ZADD', `${Q}delayed`, `${Number(AGO) * 4096}`, 'd1', `${Number(AGO) * 4096 + 1}`, 'd2',
        `${(Number(NOW) + 90000) * 4096}`, 'later'],
    ['SET', `${Q}pc`, '2'], ['SET', `${Q}id`, '100'], ['XADD', `${Q}events`, '*', 'event', 'x'],
    ['XADD', `${P}events`, '*', 'event', 'x']];

// --- worlds

export const worlds = {
    /** Jobs that end in every way, with what they end into. */
    ends: [...META, ...waiting,
        ...active('plain'), ...active('other'), ...active('kept'), ...active('gone'), ...active('failing'),
        ...active('retried'), ...active('ranked', { priority: '2' }), ...active('delayed1'), ...active('back'),
        ...active('backrank', { priority: '2' }), ...active('lastone'),
        ...active('owner', { deid: 'dd' }), ['SET', `${Q}de:dd`, 'owner'],
        hash(`${Q}dn:dd`, { name: 'parked', data: '{}', opts: '{"de":{"id":"dd","keepLastIfActive":true}}', jid: 'parked' }),
        ...parent('pa'), ...child('ca', 'pa'), ...running('ca'),
        ...parent('pb'), ...child('cb', 'pb', 'fpof'), ...running('cb'),
        ...parent('pc2', { priority: '1' }), ...child('cc', 'pc2', 'cpof'), ...running('cc'),
        ...parent('pd', { delay: '700' }), ...child('cd', 'pd', 'idof'), ...running('cd'),
        job('old1'), job('old2'), ['ZADD', `${Q}completed`, '1', 'old1', '2', 'old2'],
        job('oldf'), ['ZADD', `${Q}failed`, '1', 'oldf'],
        ['SADD', `${Q}stalled`, 'plain', 'ca'],
        hash(`${Q}metrics:completed`, { count: '1', prevTS: '1784999800000', prevCount: '0' }),
        ['LPUSH', `${Q}metrics:completed:data`, '1'],
        hash(`${Q}metrics:failed`, { count: '1', prevTS: '1784999800000', prevCount: '0' })],
    /** Waiting, finished and running jobs for the administrator. */
    admin: [...META, ...waiting,
        job('k1', { returnvalue: '1', finishedOn: '2' }), job('k2', { deid: 'dk' }), ['SET', `${Q}de:dk`, 'k2'],
        ['ZADD', `${Q}completed`, '1', 'k1', '2', 'k2'],
        job('f1', { failedReason: 'r', finishedOn: '2', atm: '1', ats: '1', priority: '2' }), job('f2', { failedReason: 'r' }),
        ['ZADD', `${Q}failed`, '1', 'f1', '2', 'f2'], ['RPUSH', `${Q}f2:logs`, 'row'],
        ...parent('pk', {}), ...child('ck', 'pk'), ['LPUSH', `${Q}wait`, 'ck'],
        job('fc', { parentKey: `${P}pk`, parent: '{"id":"pk","queueKey":"bull:par","idof":true}', failedReason: 'r' }),
        ['ZADD', `${Q}failed`, '3', 'fc'], hash(`${P}pk:failed`, { [`${Q}fc`]: 'r' }),
        job('tree'), ['ZADD', `${Q}waiting-children`, '1', 'tree'],
        job('t1', { parentKey: `${Q}tree`, parent: '{"id":"tree","queueKey":"bull:q"}' }), ['LPUSH', `${Q}wait`, 't1'],
        job('t2', { parentKey: `${Q}tree`, parent: '{"id":"tree","queueKey":"bull:q"}' }),
        ['ZADD', `${Q}completed`, '3', 't2'], ['SADD', `${Q}tree:dependencies`, `${Q}t1`],
        hash(`${Q}tree:processed`, { [`${Q}t2`]: '1' }),
        ...active('run'), ['SADD', `${Q}run:dependencies`, `${Q}w1`], ['SADD', `${Q}stalled`, 'run'],
        job('stray'), ['LPUSH', `${Q}active`, 'stray'], ['SADD', `${Q}stalled`, 'stray'],
        job('stray2', { priority: '1' }), ['LPUSH', `${Q}active`, 'stray2'], ['SADD', `${Q}stalled`, 'stray2'],
        ['ZADD', `${Q}marker`, '0', '0']],
    /** Schedulers, their iterations waiting and running. */
    schedulers: [...META, ...waiting,
        hash(`${Q}repeat:s1`, { name: 'n', ic: '1', every: '60000', offset: '0' }),
        ['ZADD', `${Q}repeat`, NOW, 's1'],
        job(`repeat:s1:${NOW}`, { rjk: 's1', deid: 'ds' }), ['ZADD', `${Q}delayed`, `${Number(NOW) * 4096}`, `repeat:s1:${NOW}`],
        ['SET', `${Q}de:ds`, `repeat:s1:${NOW}`],
        hash(`${Q}repeat:s2`, { name: 'n', ic: '1', every: '60000', offset: '0' }), ['ZADD', `${Q}repeat`, NOW, 's2'],
        ...active(`repeat:s2:${NOW}`, { rjk: 's2' }),
        hash(`${Q}repeat:s3`, { name: 'n', ic: '1', every: '60000', offset: '0' }), ['ZADD', `${Q}repeat`, NOW, 's3'],
        ...active(`repeat:s3:${NOW}`, { rjk: 's3', priority: '1' }), ['ZADD', `${Q}repeat`, '5', 'ghost']],
    /** Ordered groups: one runs, others stand in line. */
    groups: [...META, ...waiting.filter((command) => !String(command[1]).includes('delayed') && !/:(d\d|later)$/.test(command[1])),
        ...active('g1', { data: '{"g":"a"}' }), job('g2', { data: '{"g":"a"}' }), job('g3', { data: '{"g":"a"}' }),
        job('g4', { data: '{"g":"a"}' }), job('g5', { data: '{"g":"b"}' }), ['LPUSH', `${Q}wait`, 'g4', 'g5'],
        hash('bull::bulwark:q:groups:running', { g1: 'a' }), hash('bull::bulwark:q:groups:busy', { a: '1' }),
        ['ZADD', 'bull::bulwark:q:groups:line:a', '1', 'g2', '2', 'g3'], ['ZADD', 'bull::bulwark:q:groups:parked', 'inf', 'a'],
        ['SET', 'bull::bulwark:q:groups:seq', '2'], ['ZADD', `${Q}waiting-children`, '1', 'g2', '2', 'g3']],
};

// --- cases

const FIELDS = ['1', 'reason', '["trace"]', 'tm'];
const ITEMS = {
    c: (id) => ['c', id, `t-${id}`, '{"v":1}'],
    keep: (id, count) => ['C', id, `t-${id}`, '2', count, '-1', '-1'],
    F: (id, keep = '-1') => ['F', id, `t-${id}`, 'reason', ...FIELDS, '1', keep, '-1', '-1'],
    R: (id) => ['R', id, `t-${id}`, ...FIELDS, '0'],
    D: (id) => ['D', id, `t-${id}`, ...FIELDS, '1', '5000'],
    W: (id) => ['W', id, `t-${id}`],
};

function settle(take, ...items) {
    return [NOW, String(items.length), String(take), 'tok:', '0', '30000', '5', '1000', 'me', '3', '6', ...items.flat()];
}

const { c, keep, F, R, D, W } = ITEMS;
const ALL_ENDS = [c('plain'), keep('kept', '1'), keep('gone', '0'), F('failing'), R('retried'), R('ranked'), D('delayed1'),
    W('back'), W('backrank'), c('owner'), c('ca'), F('cb'), F('cc', '1'), F('cd', '0'), c('lastone')];
const GROUPS = ['1', '2', '1000', '0', 'g'];

function added({ path = 'standard', id = '', delay = '0', priority = '0', parentKey = '', deid = '', modes = '', ttl = '0' } = {}) {
    return [path, id, 'n', '{}', '{}', NOW, delay, priority, 'LPUSH', parentKey,
        parentKey && '{"id":"pk","queueKey":"bull:par"}', '', deid, ttl, modes];
}

const list = [];

/** `items`: the jobs of the call whose own codes its reply begins with or is. */
function play(script, world, args, more = {}) {
    list.push({ script, world, args: args.map(String), ...more });
}

play('settle', 'ends', settle(0, ...ALL_ENDS), { items: ALL_ENDS.map((item) => item[1]), codes: 0 });
for (const item of ALL_ENDS) play('settle', 'ends', settle(0, item), { items: [item[1]], codes: 0 });
play('settle', 'ends', settle(8), { items: [], codes: 0 });
play('settle', 'ends', settle(1, c('plain')), { items: ['plain'], codes: 0 });
play('settle', 'ends', settle(3, c('plain'), D('delayed1'), c('other')), { items: ['plain', 'delayed1', 'other'], codes: 0 });
play('settle_grouped', 'groups', [...settle(5, c('g1')), ...GROUPS], { items: ['g1'], codes: 0 });
play('settle_grouped', 'groups', [...settle(4), ...GROUPS], { items: [], codes: 0 });
play('check_groups', 'groups', [NOW, '1000', '6', '0', ...GROUPS]);
play('check_groups', 'groups', [NOW, '1000', '6', '1', 'g1', ...GROUPS], { before: [['LREM', `${Q}active`, '0', 'g1'], ['LPUSH', `${Q}wait`, 'g1']] });
play('check_groups', 'groups', [NOW, '1000', '6', '0', '1', '0', '0', '0', '']);
play('hand_back', 'ends', ['6', 'plain', 't-plain', '1', 'back', 't-back', '0', 'ranked', 't-ranked', '1'],
    { items: ['plain', 'back', 'ranked'], codes: null });
play('extend_locks', 'admin', ['30000', 'run', 't-run'], { keys: [Q, `${Q}stalled`] });
play('check_stalled', 'admin', [NOW, '30000', '1', '6']);
play('check_stalled', 'admin', [NOW, '30000', '0', '6']);
play('adopt', 'admin', ['t-', '30000'], { keys: [Q, `${Q}active`, `${Q}stalled`] });
play('drop_ghost', 'admin', ['ghost'], { keys: [Q, `${Q}active`, `${Q}stalled`],
    before: [['LPUSH', `${Q}active`, 'ghost'], hash(`${Q}ghost`, { ats: '1' })], ghosts: ['ghost'] });
for (const member of ['0', '1']) play('return_marker', 'admin', [member], { before: [['DEL', `${Q}marker`]] });

const ADDS = [added(), added({ path: 'prioritized', priority: '3' }), added({ path: 'delayed', delay: '5000' }),
    added({ path: 'parent' }), added({ parentKey: `${P}pk` }), added({ deid: 'new', ttl: '1000' }),
    added({ deid: 'dk' }), added({ id: 'k1', parentKey: `${P}pk` }), added({ id: 'w1', parentKey: `${P}pk` })];
for (const add of ADDS) play('add', 'admin', [NOW, '6', ...add]);
play('add', 'admin', [NOW, '6', ...added({ deid: 'rep', modes: 'r' })], { before: [['SET', `${Q}de:rep`, 'later']] });
play('add', 'admin', [NOW, '6', ...added({ deid: 'res', modes: 's', path: 'delayed', delay: '9' })], { before: [['SET', `${Q}de:res`, 'later']] });
play('add', 'admin', [NOW, '6', ...added({ deid: 'par', modes: 'k' })], { before: [['SET', `${Q}de:par`, 'run']] });
play('add_many', 'admin', [NOW, '6', ...ADDS.flat()]);
play('add_flow', 'admin', [NOW, '6', '3', Q, ...added({ path: 'parent', id: 'root' }),
    P, ...added({ id: 'leaf', parentKey: `${Q}root` }), Q, ...added({ parentKey: `${Q}root`, path: 'delayed', delay: '9' })]);
play('add_flow', 'admin', [NOW, '5', '2', Q, ...added({ path: 'parent', id: 'root' }), Q, ...added({ id: 'k1', parentKey: `${Q}root` })]);
play('move_to_waiting_children', 'admin', ['run', 't-run', '', NOW, '0']);
play('pause', 'admin', []);
play('resume', 'admin', ['1'], { before: [hash(`${Q}meta`, { paused: '1' }), ['RENAME', `${Q}wait`, `${Q}paused`], ['LMOVE', `${Q}paused`, `${Q}wait`, 'RIGHT', 'LEFT']] });
play('resume', 'admin', ['1'], { before: [hash(`${Q}meta`, { paused: '1' }), ['RENAME', `${Q}wait`, `${Q}paused`]] });
play('update_progress', 'admin', ['run', '5']);
play('update_data', 'admin', ['run', '5']);
play('add_log', 'admin', ['f2', 'row', '1']);
play('change_delay', 'admin', ['later', NOW, '7000']);
play('change_priority', 'admin', ['w1', '4', '0']);
play('change_priority', 'admin', ['p1', '0', '0']);
play('change_priority', 'admin', ['p1', '7', '1']);
play('promote', 'admin', ['later', '0']);
play('promote', 'admin', ['d1', '0']);
for (const [id, state] of [['f1', 'failed'], ['f2', 'failed'], ['fc', 'failed'], ['k1', 'completed'], ['t2', 'completed']])
    play('reprocess', 'admin', [id, state, '1', '1', '6']);
for (const id of ['w1', 'p1', 'd1', 'k2', 'f2', 'ck', 't1', 'stray']) play('remove', 'admin', [id, '1'], { removes: true });
play('remove', 'admin', ['tree', '1'], { removes: true });
play('remove_children', 'admin', ['tree'], { removes: true });
play('drain', 'admin', ['1', '100', '0'], { removes: true });
play('drain', 'admin', ['1', '2', '0'], { removes: true });
for (const state of ['failed', 'completed', 'delayed']) play('move_jobs', 'admin', [state, '100', '+inf', '0', '6']);
play('obliterate', 'admin', ['100', '1'], { removes: true, before: [hash(`${Q}meta`, { paused: '1' })] });
play('obliterate', 'admin', ['3', '1'], { removes: true, before: [hash(`${Q}meta`, { paused: '1' })] });
for (const state of ['wait', 'delayed', 'prioritized', 'completed', 'failed', 'active'])
    play('clean', 'admin', [state, NOW, '100'], { removes: true });

const HASH = ['name', 'n', 'every', '60000'];
const ITERATION = ['n', '{}', '{"repeat":{"every":60000}', '"s1"'];
play('upsert_scheduler', 'schedulers', [NOW, 's1', '60000', '', '0', '', ...ITERATION, '0', 'LPUSH', '0', ...HASH], { removes: true });
play('upsert_scheduler', 'schedulers', [NOW, 's1', '30000', '', '0', '', ...ITERATION, '2', 'LPUSH', '0', ...HASH], { removes: true });
play('upsert_scheduler', 'schedulers', [NOW, 'new', '60000', '', '0', '', ...ITERATION, '0', 'LPUSH', '0', ...HASH]);
play('remove_scheduler', 'schedulers', ['s1'], { removes: true });
const step = (sid) => [`repeat:${sid}:${NOW}`, sid, '60000', '', '0', '{}', '{"repeat":{"every":60000}', `"${sid}"`, '0', 'LPUSH', '', ''];
play('next_iteration', 'schedulers', [NOW, '0', ...step('s2'), ...step('s3')]);
play('read_schedulers', 'schedulers', ['', '0', '-1', '0']);

play('count_jobs', 'admin', ['wait', 'paused', 'active', 'delayed', 'completed']);
play('count_priorities', 'admin', ['6', '0', '1']);
play('job_ids', 'admin', ['wait', '0', '-1', '1']);
play('job_state', 'admin', ['w1']);
play('dependencies', 'admin', ['tree', 'all']);
play('get_flow', 'admin', ['tree', '5', '10']);
play('limit_ttl', 'admin', ['3'], { before: [['SET', `${Q}limiter`, '5']] });
play('read_metrics', 'ends', ['completed', '0', '-1']);

/** { script, world, args, keys, before, items, codes, removes, ghosts, name } */
export const cases = list.map((one, i) => ({ ...one, name: `${i + 1} ${one.script} ${one.args.slice(0, 24).join(' ')}` }));
