// What the demo will do and what must come of it: a pure function of the number of jobs, so that the
// fixture, the play and the report agree without talking to each other.
//
// A person lives one story: steps that each become one job. A step says what the bot must answer
// (`says`, texts as sent to Telegram), the job's end (`result`, or `fails`), and what the execution it
// starts must be in the end (`execution`).

const NAMES = [
    ['Анна', 'anna'],
    ['Иван', 'ivan'],
    ['Мария', 'maria'],
    ['Олег', 'oleg'],
    ['Ann <3', 'ann'],
    ['Bob & Co', 'bob'],
    ['Zoë', 'zoe'],
    ['Тимур', 'timur'],
    ['Ольга', 'olga'],
    ['Grace', 'grace'],
];
const SHOPS = ['Кофейня «Заря»', 'Пекарня на углу', 'Book Nook', 'Чайный дом', 'Сыры и вино'];
const LEVELS = [
    ['Базовый', 0, 9999.99],
    ['Серебряный', 10000, 49999.99],
    ['Золотой', 50000, null],
];

const escape = (text) => text.replace(/&/g, '&amp;').replace(/</g, '&lt;').replace(/>/g, '&gt;');
const points = (n) => `${n.toFixed(2)} бонусов`;

// --- texts of the workflow, as it must send them

const say = {
    menu: (p, balance) =>
        `Здравствуйте, ${escape(p.firstName)}! ☕\n` +
        `У вас ${points(balance)}, уровень «${p.level}». Потратим?`,
    poor: (p, balance) =>
        `Здравствуйте, ${escape(p.firstName)}! Пока у вас ${points(balance)}, копим дальше 🙂`,
    ask: (p) =>
        `Добро пожаловать в «${p.shop.name}»! Поделитесь номером телефона, ` +
        'и мы найдём ваш бонусный счёт.',
    linked: (p) => `Готово, ${escape(p.firstName)}! Бонусный счёт привязан: ${points(p.balance)}.`,
    unknown: (phone) => `Номер ${phone} у нас не записан. Пришлите, пожалуйста, другой.`,
    spent: (n, left) => `Списано ${n}, осталось ${left}.`,
    account: (left, earned, spent) => `На счету ${left}: начислено ${earned}, потрачено ${spent}.`,
    basic: 'Базовый уровень: 3 % бонусами. До следующего: 9900 руб.',
    silver: 'Серебряный уровень: 5 % бонусами с каждой покупки.',
    gold: 'Золотой уровень: 10 % бонусами с каждой покупки.',
    promo: 'Введите промокод:',
    promoOk: (code) => `Промокод ${code} принят: +25 бонусов 🎉`,
    promoNo: (code) => `Промокода «${code}» нет.`,
    hello: (p) => `Hello, <b>${escape(p.telegramName)}</b>! a cappuccino as usual?`,
    help: (p) => `/start shows your balance, <i>promo</i> takes a code. Yours, ${p.shop.name}`,
};

// --- steps

const text = (message, expected) => ({
    kind: 'text',
    text: message,
    result: true,
    says: [],
    ...expected,
});
const start = (expected) => text('/start', expected);
const press = (data, expected) => ({ kind: 'press', data, result: true, says: [], ...expected });
const contact = (phone, expected) => ({
    kind: 'contact',
    phone,
    result: true,
    says: [],
    ...expected,
});

const menu = (p) => start({ says: [say.menu(p, p.balance)], execution: 'waiting' });

// --- stories: who the person is, and the steps. `executions` by step, `left` the balance in the end.

const stories = {
    regular: {
        person: { linked: true, balance: 300, level: 1 },
        steps: (p) => [
            start({ says: [say.menu(p, 300)], execution: 'completed' }),
            press('spend:50', { says: [say.spent(50, 250)] }),
            press('account', { says: [say.account(250, 300, 50)], execution: 'completed' }),
            press('level', { says: [say.silver], execution: 'completed' }),
        ],
        left: 250,
    },
    poor: {
        person: { linked: true, balance: 60, level: 2 },
        steps: (p) => [
            start({ says: [say.poor(p, 60)], execution: 'completed' }),
            press('spend:50', { says: [say.spent(50, 10)] }),
            press('spend:50', { result: false, execution: 'failed' }),
            press('level', { says: [say.gold], execution: 'completed' }),
        ],
        left: 10,
    },
    newcomer: {
        person: { linked: false, balance: 120, level: 0 },
        steps: (p) => [
            start({ says: [say.ask(p)], execution: 'completed' }),
            contact(p.phone, { says: [say.linked(p)] }),
            start({ says: [say.menu(p, 120)], execution: 'waiting' }),
        ],
        left: 120,
    },
    stranger: {
        person: { linked: false, balance: 15, level: 0 },
        steps: (p) => [
            start({ says: [say.ask(p)], execution: 'completed' }),
            contact('70000000000', { says: [say.unknown('70000000000')] }),
            text(`+${p.phone}`, { says: [say.linked(p)] }),
        ],
        left: 15,
    },
    english: {
        person: { customer: false },
        steps: (p) => [
            text('Hello there', { says: [say.hello(p)], execution: 'completed' }),
            text('/help', { says: [say.help(p)], execution: 'completed' }),
        ],
    },
    collector: {
        person: { linked: true, balance: 40, level: 0 },
        steps: () => [
            text('промокод', { says: [say.promo], execution: 'completed' }),
            text('spring', { says: [say.promoOk('spring')] }),
            text('promo', { says: [say.promo], execution: 'completed' }),
            text('XMAS', { says: [say.promoNo('XMAS')] }),
        ],
        left: 65,
    },
    planner: {
        // the front end sends the reminder later
        person: { linked: true, balance: 200, level: 1 },
        steps: (p) => [{ ...menu(p), delay: 1200 }],
        left: 200,
    },
    clerk: {
        // jobs that serve the queue's other duties
        person: { linked: true, balance: 5, level: 0 },
        steps: () => [
            { kind: 'small', type: 'user_variables_update', result: { success: true }, says: [] },
            { kind: 'small', type: 'statistics_aggregation', result: { success: true }, says: [] },
        ],
        left: 5,
    },
    repeated: {
        // the same update delivered twice
        person: { linked: true, balance: 110, level: 0 },
        steps: (p) => [menu(p), { ...start({}), again: true }],
        left: 110,
    },
    beta: {
        person: { linked: true, balance: 1, level: 0 },
        steps: () => [text('/beta', { result: false, execution: 'failed' })],
        left: 1,
    },
    typo: {
        // a job nobody knows: failed at once
        person: { linked: true, balance: 2, level: 0 },
        steps: () => [
            {
                kind: 'small',
                type: 'water_the_plants',
                fails: 'Unknown workflow job data',
                says: [],
            },
        ],
        left: 2,
    },
};

// Comes to a shop of her own when all others have gone, so that what each of her messages costs can be
// measured. `cold`: nobody has talked to this bot yet; after that the caches know all that is asked for.
const inspector = {
    person: { linked: true, balance: 500, level: 1 },
    steps: (p) => [
        start({ says: [say.menu(p, 500)], execution: 'completed', cold: true }),
        press('level', { says: [say.silver] }),
        press('level', { says: [say.silver], execution: 'completed' }),
        text('/help', { says: [say.help(p)], execution: 'completed' }),
        text('promo', { says: [say.promo], execution: 'completed' }),
        text('XMAS', { says: [say.promoNo('XMAS')] }),
        press('account', { says: [say.account(500, 500, 0)], execution: 'completed' }),
        press('spend:100', {
            says: [say.spent(100, 400)],
            execution: 'completed',
            changes: 1, // money is written before the customer hears of it: a trip of its own
        }),
    ],
    left: 400,
};

// Comes after her, to the same shop, and nobody knows him yet.
const visitor = {
    person: { linked: false, balance: 120, level: 0 },
    steps: (p) => [
        start({ says: [say.ask(p)], execution: 'completed', cold: true }),
        contact(p.phone, { says: [say.linked(p)], cold: true }),
        start({ says: [say.menu(p, 120)], execution: 'completed' }),
        press('level', { says: [say.basic] }),
    ],
    left: 120,
};

// One message at a time, so that each one's cost is known.
const measured = { inspector, visitor };

// What goes wrong at Telegram; only where the stand-in obeys.
const troubles = {
    limited: {
        // asked to wait, and waits
        person: { linked: true, balance: 130, level: 1 },
        rule: { action: 'limit', retry_after: 1, count: 2 },
        steps: (p) => [menu(p)],
        left: 130,
    },
    outage: {
        // longer than one attempt endures: the second one delivers
        person: { linked: true, balance: 140, level: 1 },
        rule: { action: 'status', status: 502, count: 4 },
        steps: (p) => [{ ...menu(p), attempts: 2 }],
        left: 140,
    },
    dead: {
        // never comes back: the attempts run out
        person: { linked: true, balance: 150, level: 1 },
        rule: { action: 'status', status: 502 },
        steps: () => [start({ fails: 'Bad Gateway', attempts: 3, execution: 'failed' })],
        left: 150,
    },
    blocked: {
        // the user has blocked the bot: nothing to retry, the link is cut
        person: { linked: true, balance: 160, level: 1 },
        rule: { action: 'blocked' },
        steps: () => [start({ result: false, execution: 'failed' })],
        left: 160,
        unlinks: true,
    },
};

const CYCLE = [
    'regular',
    'newcomer',
    'collector',
    'english',
    'regular',
    'poor',
    'stranger',
    'planner',
    'regular',
    'newcomer',
    'collector',
    'clerk',
    'regular',
    'poor',
];
const ONCE = ['repeated', 'beta', 'typo'];
const ONCE_EVERY = 300; // jobs
const JOBS_A_SHOP = 30; // a bot may send 10 messages a second

export const MIN_JOBS = 50;

function makePerson(index, kind, story, shop, run) {
    const [firstName, username] = NAMES[index % NAMES.length];
    const person = {
        id: `${run}-user-${index}`,
        kind,
        shop,
        firstName,
        username: `${username}${index}`,
        telegramName: firstName,
        chat: 700000000 + index,
        phone: String(79000000000 + index),
        customer: true,
        ...story.person,
        left: story.left,
        rule: story.rule,
        unlinks: story.unlinks === true,
        measured: kind in measured,
    };
    person.level = LEVELS[story.person.level ?? 0][0];
    person.purchases = LEVELS[story.person.level ?? 0][1] + 100;
    person.steps = story.steps(person);
    return person;
}

// Only to count the steps of a story.
const NOBODY = {
    firstName: '',
    telegramName: '',
    phone: '',
    balance: 0,
    level: '',
    shop: { name: '' },
};

/** Names of stories that make up `jobs` jobs; what is left over is filled with small jobs. */
function cast(jobs, withTroubles) {
    const all = { ...stories, ...troubles, ...measured };
    const names = [];
    let left = jobs;
    const take = (name) => {
        names.push(name);
        left -= all[name].steps(NOBODY).length;
    };
    const rounds = Math.max(1, Math.floor(jobs / ONCE_EVERY));
    for (let i = 0; i < rounds; i++)
        [...ONCE, ...(withTroubles ? Object.keys(troubles) : [])].forEach(take);
    Object.keys(measured).forEach(take);
    for (let i = 0; left >= 4; i++) take(CYCLE[i % CYCLE.length]);
    return { all, names, left };
}

/** {shops, people, levels} for about `jobs` jobs, exactly that many. */
export function makePlan({ jobs, run, troubles: withTroubles }) {
    const { all, names, left } = cast(jobs, withTroubles);
    const shops = Array.from(
        { length: Math.max(SHOPS.length, Math.ceil(jobs / JOBS_A_SHOP)) + 1 },
        (_, i) => ({
            id: `${run}-shop-${i}`,
            workflow: `${run}-flow-${i}`,
            token: `${900000 + i}:${run}`,
            bot: `demo_shop_${i}_bot`,
            name: SHOPS[i % SHOPS.length] + (i < SHOPS.length ? '' : ` № ${i + 1}`),
        }),
    );
    const shopOf = (name, i) =>
        name in measured ? shops.at(-1) : shops[i % (shops.length - 1)];
    const people = names.map((name, i) => makePerson(i, name, all[name], shopOf(name, i), run));
    for (let i = 0; i < left; i++)
        people[0].steps.push({
            kind: 'small',
            type: 'statistics_aggregation',
            result: { success: true },
            says: [],
        });
    return { shops, people, levels: LEVELS };
}

/** What the queue's books must say in the end. */
export function totals(plan) {
    const steps = plan.people.flatMap((person) => person.steps);
    const count = (condition) => steps.filter(condition).length;
    const executions = {};
    for (const { execution } of steps.filter((step) => step.execution !== undefined))
        executions[execution] = (executions[execution] ?? 0) + 1;
    return {
        jobs: steps.length,
        completed: count((step) => step.fails === undefined),
        failed: count((step) => step.fails !== undefined),
        messages: steps.reduce((sum, step) => sum + step.says.length, 0),
        presses: count((step) => step.kind === 'press'),
        executions,
    };
}
