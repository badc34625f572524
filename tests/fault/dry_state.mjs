// The state of a dry run from the SQL that a bot's test begins with: inserts and updates of plain values.
const camel = (column) => column.replace(/"/g, '').replace(/_([a-z])/g, (_, letter) => letter.toUpperCase());
const DAY = 86400000;

/** One value of SQL: a number, a text, null, true, false, now(), now() - interval 'N days'. */
function value(word) {
    if (word.startsWith('\'')) {
        const text = word.slice(1, -1).replaceAll('\'\'', '\'');
        return text.startsWith('{') ? JSON.parse(text) : text;
    }
    if (word === 'null') return null;
    if (word === 'true' || word === 'false') return word === 'true';
    if (!word.startsWith('now()')) return Number(word);
    const [, days = 0] = /interval '(\d+) days?'/.exec(word) ?? [];
    return new Date(Date.now() - days * DAY).toISOString();
}

/** The values of `(…),(…)`, row by row. */
function rowsOf(text) {
    const rows = [];
    for (const [, inner] of text.matchAll(/\(((?:'(?:[^']|'')*'|\(\)|[^()'])*)\)/g))
        rows.push(inner.match(/(?:'(?:[^']|'')*'|[^,'])+/g).map((word) => value(word.trim())));
    return rows;
}

const withoutNulls = (row) => Object.fromEntries(Object.entries(row).filter(([, member]) => member !== null));
const pick = (row, names) => withoutNulls(Object.fromEntries(names.map((name) => [name, row[name] ?? null])));

const add = (object, name, item) => { (object[name] ??= []).push(item); };
const TABLES = {
    users: (state, { telegramId, updatedAt, projectId, ...row }) => {
        const one = withoutNulls({ ...row, telegramId: telegramId === null ? null : String(telegramId ?? '') || null });
        add(state, 'customers', one);
    },
    bonuses: (state, { userId, ...row }) => add(state.customers.find(({ id }) => id === userId), 'bonuses', row),
    transactions: (state, { userId, ...row }) =>
        add(state.customers.find(({ id }) => id === userId), 'transactions', row),
    orders: (state, { userId, updatedAt, projectId, ...row }) =>
        add(state.customers.find(({ id }) => id === userId), 'orders', row),
    order_items: (state, row) => add(state.customers.flatMap(({ orders = [] }) => orders)
        .find(({ id }) => id === row.orderId), 'items', pick(row, ['name', 'quantity'])),
    bonus_levels: (state, row) => add(state.project, 'levels', { ...pick(row, ['name', 'bonusPercent',
        'paymentPercent', 'order']), min: row.minAmount, max: row.maxAmount ?? 0 }),
    project_variables: (state, row) => { (state.project.variables ??= {})[row.key] = row.value; },
    referral_programs: (state, row) => { state.project.referralProgram = pick(row, ['welcomeBonus']); },
    partner_organizations: (state, row) => add(state, 'organizations', pick(row, ['id', 'name', 'slug'])),
    partner_organization_memberships: (state, row) => add(state.organizations
        .find(({ id }) => id === row.organizationId), 'members', pick(row, ['userId', 'level', 'title', 'canManage'])),
    partner_referral_links: (state, row) => add(state.organizations.find(({ id }) => id === row.organizationId),
        'links', { childId: row.childUserId, referrerId: row.referrerUserId }),
};

/** What the statements lead to; those of other tables say nothing to a dry run. */
export function stateOf(statements = []) {
    const state = { project: { name: 'Demo' }, customers: [] };
    for (const sql of statements) {
        const insert = /^insert into (\w+) \(([^)]*)\) values (.*)$/s.exec(sql);
        const update = /^update projects set (.*?)( where .*)?$/.exec(sql);
        if (insert && TABLES[insert[1]]) {
            const columns = insert[2].split(',').map((column) => camel(column.trim()));
            for (const row of rowsOf(insert[3]))
                TABLES[insert[1]](state, Object.fromEntries(columns.map((column, i) => [column, row[i]])));
        } else if (update) {
            for (const [, column, word] of update[1].matchAll(/(\w+) = ('[^']*'|[^,]+)/g))
                state.project[camel(column)] = value(word.trim());
        }
    }
    return state;
}
