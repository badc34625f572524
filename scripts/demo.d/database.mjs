// database.mjs service | url SCHEMA
//
// DATABASE_URL, as Prisma takes it, for those who do not: `service` prints it as a libpq service file
// (so that no password stands in a process list), `url` prints it with another schema.
const PRISMA = new Set([
    'schema',
    'connection_limit',
    'pool_timeout',
    'pgbouncer',
    'statement_cache_size',
    'socket_timeout',
    'sslaccept',
    'sslidentity',
    'sslpassword',
]);

const [what, schema] = process.argv.slice(2);
const url = new URL(process.env.DATABASE_URL);

function service() {
    const fields = {
        host: url.hostname.replace(/^\[|\]$/g, ''),
        port: url.port,
        user: decodeURIComponent(url.username),
        password: decodeURIComponent(url.password),
        dbname: decodeURIComponent(url.pathname.slice(1)),
    };
    for (const [key, value] of url.searchParams) if (!PRISMA.has(key)) fields[key] = value;
    const lines = Object.entries(fields).filter(([, value]) => value !== '');
    return ['[demo]', ...lines.map(([key, value]) => `${key}=${value}`)].join('\n');
}

if (what === 'url') url.searchParams.set('schema', schema);
console.log(what === 'url' ? url.href : service());
