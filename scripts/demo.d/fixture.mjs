// fixture.mjs --jobs N --run NAME [--troubles]
//
// The demo's shops, bots, workflows and customers as SQL on stdout.
import { readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';

import { makePlan } from './plan.mjs';

const { values } = parseArgs({
    options: { jobs: { type: 'string' }, run: { type: 'string' }, troubles: { type: 'boolean' } },
});
const plan = makePlan({ ...values, jobs: Number(values.jobs) });
const workflow = JSON.parse(
    readFileSync(new URL('workflows/loyalty.json', import.meta.url), 'utf8'),
);
const out = [];

// An engine must not trust a version whose edges may still be on their way: ours are a day old.
const YESTERDAY = "now() at time zone 'UTC' - interval '1 day'";

function literal(value) {
    if (value === null || value === undefined) return 'null';
    if (typeof value === 'number' || typeof value === 'boolean') return String(value);
    const text = typeof value === 'object' ? JSON.stringify(value) : value;
    return `'${text.replace(/'/g, "''")}'`;
}

function insert(table, row, stamps) {
    const columns = [...Object.keys(row), ...stamps];
    const values_ = [...Object.values(row).map(literal), ...stamps.map(() => YESTERDAY)];
    out.push(
        `insert into ${table} (${columns.map((c) => `"${c}"`).join(', ')})` +
            ` values (${values_.join(', ')});`,
    );
}

function shop({ id, name, token, bot, workflow: flow }) {
    insert(
        'projects',
        {
            id,
            name,
            webhook_secret: `${id}-secret`,
            operation_mode: 'with_bot',
            bonus_mode: 'levels',
        },
        ['updated_at'],
    );
    insert(
        'bot_settings',
        { id: `${id}-bot`, project_id: id, bot_token: token, bot_username: bot },
        ['updated_at'],
    );
    plan.levels.forEach(([level, min, max], i) =>
        insert(
            'bonus_levels',
            {
                id: `${id}-level-${i}`,
                project_id: id,
                name: level,
                min_amount: min,
                max_amount: max,
                bonus_percent: [3, 5, 10][i],
                payment_percent: 30,
                order: i,
            },
            ['updated_at'],
        ),
    );
    insert(
        'workflows',
        {
            id: flow,
            project_id: id,
            name: workflow.name,
            is_active: true,
            nodes: workflow.nodes,
            connections: workflow.connections,
            variables: workflow.variables,
        },
        ['created_at', 'updated_at'],
    );
    insert(
        'workflow_versions',
        {
            id: `${flow}-v1`,
            workflow_id: flow,
            version: 1,
            nodes: workflow.nodes,
            entry_node_id: workflow.entryNodeId,
            variables: workflow.variables,
            is_active: true,
        },
        ['created_at'],
    );
}

function customer(person) {
    insert(
        'users',
        {
            id: person.id,
            project_id: person.shop.id,
            first_name: person.firstName,
            phone: `+${person.phone}`,
            telegram_id: person.linked ? person.chat : null,
            telegram_username: person.linked ? person.username : null,
            is_active: person.linked,
            total_purchases: person.purchases,
        },
        ['updated_at'],
    );
    insert(
        'bonuses',
        {
            id: `${person.id}-bonus`,
            user_id: person.id,
            amount: person.balance,
            type: 'PURCHASE',
            description: 'Покупка',
        },
        ['created_at'],
    );
    insert(
        'transactions',
        {
            id: `${person.id}-earned`,
            user_id: person.id,
            bonus_id: `${person.id}-bonus`,
            amount: person.balance,
            type: 'EARN',
            description: 'Покупка',
        },
        ['created_at'],
    );
}

out.push("set client_min_messages = warning; set timezone = 'UTC'; begin;");
plan.shops.forEach(shop);
plan.people.filter((person) => person.customer).forEach(customer);
out.push('commit; analyze;');
process.stdout.write(`${out.join('\n')}\n`);
