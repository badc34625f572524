#!/usr/bin/env node
// A stand-in for the Telegram Bot API: real HTTP on a loopback port, no dependencies, Node 18 or newer.
//
// It answers POST or GET /bot<token>/<method> as Telegram does in what matters to a sender: required
// parameters, lengths, keyboards, markup errors, "message is not modified", callback queries answered
// twice. It gives out message ids, keeps all it was sent in order, and misbehaves on request.
//
//   node tests/support/bot-api.mjs [--port 0] [--host 127.0.0.1] [--log FILE] [--keep N] [--with-stdin]
//
// prints one line, {"port":N}, once it listens. --log appends every call as a JSON line; --keep holds
// only the newest N calls in memory (default: all); --with-stdin ends the program when stdin closes, so
// that it never outlives the test that started it. SIGTERM and SIGINT end it.
//
// Any token of the form <digits>:<text> is a bot; its digits are the bot's id, called `bot` below.
// Methods: getMe, sendMessage, sendPhoto, sendVideo, sendDocument, editMessageText, deleteMessage,
// answerCallbackQuery, getChatMember, sendChatAction.
//
// Control, on the same port:
//
//   GET  /__control/calls?chat=42&method=sendMessage&bot=1&since=10&limit=100&min=3&timeout=5000
//        {"calls":[…],"total":N} oldest first. With `min` it answers once so many calls match, or when
//        `timeout` ms (default 10000) are over. `since` skips calls with n ≤ since. A call is
//        {"n":1,"at":1700000000123.4,"done":…,"connection":1,"bot":"1","method":"sendMessage",
//         "chat":"42","params":{…},"status":200,"messageId":7,"description":…,"rule":…}
//        `at` and `done` are milliseconds since the epoch; status 0: never answered, or cut.
//   GET  /__control/chats
//        {"chats":{"42":[{"messageId","text","markup","deleted"}…]}}: what each chat looks like now.
//   GET  /__control/stats
//        {"calls","connections","open","byMethod","byStatus","maxPerSecond":{"bot":{"1":{"max","second"}},
//         "chat":{"1:42":{…}}},"rules"}: maxPerSecond counts send*, edit* and delete* by calendar second.
//   POST /__control/rules   one rule or a list; they are tried in the order given, first match acts.
//        {"match":{"method":"sendMessage","bot":"1","chat":"42","text":"regexp","nth":2},
//         "count":1,"action":"status","status":502,"delay":0}
//        All of `match` is optional; `nth` acts on the nth matching call only (from 1); `count` is how
//        often the rule acts (default: for ever). Actions:
//          "pass"     answer as usual (with "delay": later)
//          "limit"    429 with "retry_after" seconds (default 1)
//          "status"   "status" (default 500) with an optional "description"
//          "blocked"  403 "Forbidden: bot was blocked by the user"
//          "refuse"   cut the connection before the body is read (matches by method and bot only)
//          "cut"      cut it after the whole request was read, instead of an answer
//          "half"     send the head and half of the answer, then cut
//          "chunk"    send the answer in chunks and cut before the last
//          "stall"    send the head and half of the answer, and nothing more
//          "never"    read the request and never answer
//          "raw"      "status" (default 200) with the text of "body" as the answer
//          "migrate"  400 with "to" as the chat's new id
//        "delay" (ms) comes before any of them. "deliver":true lets the message count as delivered
//        (it gets an id and appears in the chat) although the answer says otherwise.
//   DELETE /__control/rules  (or POST /__control/rules/clear)  forget the rules
//   POST /__control/reset    forget rules, calls, chats and counters
//
// Example:
//   curl -d '{"match":{"chat":"42"},"count":1,"action":"limit","retry_after":1}' :PORT/__control/rules
//   curl -d '{"chat_id":42,"text":"hi"}' -H 'content-type: application/json' :PORT/bot1:abc/sendMessage

import http from 'node:http';
import fs from 'node:fs';
import { pathToFileURL } from 'node:url';

import { MarkupError, plainOfHtml, plainOfMarkdown, plainOfMarkdownV2 } from './bot-markup.mjs';

const MAX_BODY = 50 * 1024 * 1024;
const TEXT_LIMIT = 4096;
const CAPTION_LIMIT = 1024;
const CALLBACK_DATA_BYTES = 64;

class ApiError extends Error {
    constructor(code, description, parameters) {
        super(description);
        this.code = code;
        this.parameters = parameters;
    }
}

const bad = (text) => new ApiError(400, `Bad Request: ${text}`);

// ---------------------------------------------------------------- markup

const READERS = { '': (text) => text, html: plainOfHtml, markdown: plainOfMarkdown, markdownv2: plainOfMarkdownV2 };

function plainText(text, mode) {
    const read = READERS[String(mode ?? '').toLowerCase()];

    if (read === undefined)
        throw bad('unsupported parse_mode');
    try {
        return read(text);
    } catch (error) {
        if (!(error instanceof MarkupError))
            throw error;
        throw bad(`can't parse entities: ${error.message}`);
    }
}

// ---------------------------------------------------------------- parameters

function checkInlineButton(button) {
    const kinds = ['callback_data', 'url', 'web_app', 'login_url', 'switch_inline_query',
        'switch_inline_query_current_chat', 'switch_inline_query_chosen_chat', 'copy_text',
        'callback_game', 'pay'];

    if (button === null || typeof button !== 'object')
        throw bad("can't parse inline keyboard button: Object expected");
    if (typeof button.text !== 'string' || button.text.trim() === '')
        throw bad('inline keyboard button text must be non-empty');
    if (!kinds.some((kind) => button[kind] !== undefined))
        throw bad("can't parse inline keyboard button: Text buttons are unallowed in the inline keyboard");
    if (button.callback_data !== undefined &&
        (typeof button.callback_data !== 'string' || button.callback_data === '' ||
            Buffer.byteLength(button.callback_data) > CALLBACK_DATA_BYTES))
        throw bad('BUTTON_DATA_INVALID');
    if (button.url !== undefined && !/^(https?|tg|tonsite):|^[^\s/]+\.[^\s]+/.test(String(button.url)))
        throw bad(`inline keyboard button URL '${button.url}' is invalid: Wrong HTTP URL`);
}

function checkReplyButton(button) {
    const text = typeof button === 'string' ? button : button?.text;

    if (typeof text !== 'string' || text === '')
        throw bad("can't parse keyboard button: Field \"text\" must be of type String");
}

function checkRows(rows, check, what) {
    if (!Array.isArray(rows))
        throw bad(`object expected as reply markup: ${what} must be an Array of Arrays`);
    for (const row of rows) {
        if (!Array.isArray(row))
            throw bad(`object expected as reply markup: ${what} must be an Array of Arrays`);
        row.forEach(check);
    }
}

function markupOf(params) {
    let markup = params.reply_markup;

    if (markup === undefined || markup === null || markup === '')
        return undefined;
    if (typeof markup === 'string') {
        try {
            markup = JSON.parse(markup);
        } catch {
            throw bad("can't parse reply keyboard markup JSON object");
        }
    }
    if (typeof markup !== 'object' || Array.isArray(markup))
        throw bad('object expected as reply markup');
    if (markup.inline_keyboard !== undefined)
        checkRows(markup.inline_keyboard, checkInlineButton, 'inline_keyboard');
    else if (markup.keyboard !== undefined)
        checkRows(markup.keyboard, checkReplyButton, 'keyboard');
    return markup;
}

function chatOf(params) {
    const chat = params.chat_id;

    if (chat === undefined || chat === null || chat === '')
        throw bad('chat_id is empty');
    if (!/^(-?\d{1,19}|@[A-Za-z0-9_]{4,})$/.test(String(chat)))
        throw bad('chat not found');
    return String(chat);
}

function integerOf(params, name, missing) {
    const value = params[name];

    if (value === undefined || value === null || value === '')
        throw bad(missing);
    if (!/^\d{1,16}$/.test(String(value)))
        throw bad(`invalid ${name} specified`);
    return Number(value);
}

function captionOf(params) {
    if (params.caption === undefined || params.caption === '')
        return undefined;
    const caption = plainText(String(params.caption), params.parse_mode);
    if (caption.length > CAPTION_LIMIT)
        throw bad('message caption is too long');
    return caption;
}

function textOf(params) {
    const text = params.text;

    if (text === undefined || text === null || String(text).trim() === '')
        throw bad('message text is empty');
    const plain = plainText(String(text), params.parse_mode);
    if (plain.trim() === '')
        throw bad('message text is empty');
    if (plain.length > TEXT_LIMIT)
        throw bad('message is too long');
    return plain;
}

// ---------------------------------------------------------------- the API

const COUNTED = /^(send(?!ChatAction)|edit|delete)/;

class BotApi {
    constructor(options) {
        this.keep = options.keep ?? Infinity;
        this.log = options.log ? fs.createWriteStream(options.log, { flags: 'a' }) : null;
        this.connections = 0;
        this.open = 0;
        this.waiters = new Set();
        this.reset();
    }

    reset() {
        this.calls = [];
        this.total = 0;
        this.rules = [];
        this.chats = new Map(); // "bot:chat" -> Map(message id -> message)
        this.nextMessage = new Map();
        this.answered = new Set();
        this.byMethod = {};
        this.byStatus = {};
        this.rates = { bot: new Map(), chat: new Map() };
    }

    count(kind, key, second) {
        let rate = this.rates[kind].get(key);

        if (rate === undefined)
            this.rates[kind].set(key, (rate = { at: 0, n: 0, max: 0, second: 0 }));
        if (rate.at !== second) {
            rate.at = second;
            rate.n = 0;
        }
        if (++rate.n > rate.max) {
            rate.max = rate.n;
            rate.second = second;
        }
    }

    record(call) {
        call.n = ++this.total;
        this.calls.push(call);
        if (this.calls.length > this.keep * 1.25 + 16)
            this.calls.splice(0, this.calls.length - this.keep);
        this.byMethod[call.method] = (this.byMethod[call.method] ?? 0) + 1;
        if (COUNTED.test(call.method)) {
            const second = Math.floor(call.at / 1000);
            this.count('bot', call.bot, second);
            if (call.chat !== undefined)
                this.count('chat', `${call.bot}:${call.chat}`, second);
        }
        for (const waiter of this.waiters)
            waiter(call);
    }

    finish(call, status) {
        call.done = now();
        call.status = status;
        this.byStatus[status] = (this.byStatus[status] ?? 0) + 1;
        if (this.log !== null)
            this.log.write(`${JSON.stringify(call)}\n`);
    }

    ruleFor(call, early) {
        for (const rule of this.rules) {
            const match = rule.match;
            if (rule.left <= 0 || (rule.action === 'refuse') !== early)
                continue;
            if (match.method !== undefined && match.method !== call.method)
                continue;
            if (match.bot !== undefined && String(match.bot) !== call.bot)
                continue;
            if (match.chat !== undefined && String(match.chat) !== call.chat)
                continue;
            if (rule.text !== null && !rule.text.test(String(call.params?.text ?? call.params?.caption ?? '')))
                continue;
            rule.seen++;
            if (match.nth !== undefined && rule.seen !== Number(match.nth))
                continue;
            rule.left--;
            rule.acted++;
            return rule;
        }
        return null;
    }

    messages(bot, chat) {
        const key = `${bot}:${chat}`;
        let list = this.chats.get(key);

        if (list === undefined)
            this.chats.set(key, (list = new Map()));
        return list;
    }

    deliver(call, chat, fields, markup) {
        const id = (this.nextMessage.get(chat) ?? 0) + 1;
        const message = { messageId: id, at: call.at, ...fields, markup, deleted: false };

        this.nextMessage.set(chat, id);
        this.messages(call.bot, chat).set(id, message);
        call.messageId = id;
        return this.view(call, chat, message);
    }

    view(call, chat, message) {
        const view = {
            message_id: message.messageId,
            from: { id: Number(call.bot), is_bot: true, first_name: `Bot ${call.bot}`, username: `b${call.bot}_bot` },
            chat: /^-?\d+$/.test(chat)
                ? { id: Number(chat), type: chat.startsWith('-') ? 'supergroup' : 'private' }
                : { id: -1000000000001, type: 'channel', username: chat.slice(1) },
            date: Math.floor(message.at / 1000),
        };
        for (const name of ['text', 'caption', 'photo', 'video', 'document'])
            if (message[name] !== undefined)
                view[name] = message[name];
        if (message.markup?.inline_keyboard !== undefined)
            view.reply_markup = message.markup;
        return view;
    }

    sendMedia(call, kind) {
        const params = call.params;
        const chat = chatOf(params);
        const file = params[kind];

        if (typeof file !== 'string' || file === '')
            throw bad(`there is no ${kind} in the request`);
        const caption = captionOf(params);
        const markup = markupOf(params);
        const held = { file_id: file, file_unique_id: `u${file.length}` };
        return this.deliver(call, chat, { caption, [kind]: kind === 'photo' ? [held] : held }, markup);
    }

    perform(call) {
        const params = call.params;

        switch (call.method) {
        case 'getMe':
            return { id: Number(call.bot), is_bot: true, first_name: `Bot ${call.bot}`, username: `b${call.bot}_bot` };
        case 'sendMessage': {
            const chat = chatOf(params);
            const text = textOf(params);
            return this.deliver(call, chat, { text }, markupOf(params));
        }
        case 'sendPhoto':
            return this.sendMedia(call, 'photo');
        case 'sendVideo':
            return this.sendMedia(call, 'video');
        case 'sendDocument':
            return this.sendMedia(call, 'document');
        case 'editMessageText': {
            const chat = chatOf(params);
            const id = integerOf(params, 'message_id', 'message identifier is not specified');
            const text = textOf(params);
            const markup = markupOf(params);
            const message = this.messages(call.bot, chat).get(id);
            if (message === undefined || message.deleted)
                throw bad('message to edit not found');
            if (message.text === text && JSON.stringify(message.markup) === JSON.stringify(markup))
                throw bad('message is not modified: specified new message content and reply markup ' +
                    'are exactly the same as a current content and reply markup of the message');
            message.text = text;
            message.markup = markup;
            call.messageId = id;
            return this.view(call, chat, message);
        }
        case 'deleteMessage': {
            const chat = chatOf(params);
            const id = integerOf(params, 'message_id', 'message identifier is not specified');
            const message = this.messages(call.bot, chat).get(id);
            if (message === undefined || message.deleted)
                throw bad('message to delete not found');
            message.deleted = true;
            return true;
        }
        case 'answerCallbackQuery': {
            const id = params.callback_query_id;
            if (id === undefined || id === '')
                throw bad('query ID is empty');
            const key = `${call.bot}:${id}`;
            if (this.answered.has(key))
                throw bad('query is too old and response timeout expired or query ID is invalid');
            this.answered.add(key);
            return true;
        }
        case 'getChatMember':
            chatOf(params);
            return { status: 'member', user: { id: integerOf(params, 'user_id', 'invalid user_id specified'), is_bot: false, first_name: 'A' } };
        case 'sendChatAction':
            chatOf(params);
            if (typeof params.action !== 'string' || params.action === '')
                throw bad('wrong parameter action in request');
            return true;
        default:
            throw new ApiError(404, 'Not Found: method not found');
        }
    }

    answer(call) {
        try {
            return { status: 200, body: { ok: true, result: this.perform(call) } };
        } catch (error) {
            if (!(error instanceof ApiError))
                throw error;
            return refusal(error.code, error.message, error.parameters);
        }
    }

    // What a rule makes of a call: { status, body } or { cut }.
    misbehave(rule, call) {
        const asked = rule.spec;
        let normal = null;

        if (['pass', 'half', 'chunk', 'stall'].includes(rule.action) || asked.deliver === true)
            normal = this.answer(call);
        switch (rule.action) {
        case 'pass':
            return normal;
        case 'half':
        case 'chunk':
        case 'stall':
            return { ...normal, broken: rule.action };
        case 'migrate':
            return refusal(400, 'Bad Request: group chat was upgraded to a supergroup chat',
                { migrate_to_chat_id: Number(asked.to) });
        case 'limit': {
            const seconds = Number(asked.retry_after ?? 1);
            return refusal(429, `Too Many Requests: retry after ${seconds}`, { retry_after: seconds });
        }
        case 'status': {
            const status = Number(asked.status ?? 500);
            return refusal(status, asked.description ?? http.STATUS_CODES[status] ?? 'Error', asked.parameters);
        }
        case 'blocked':
            return refusal(403, 'Forbidden: bot was blocked by the user');
        case 'raw':
            return { status: Number(asked.status ?? 200), raw: String(asked.body ?? '') };
        default:
            return { silent: rule.action };
        }
    }
}

function refusal(code, description, parameters) {
    return { status: code, body: { ok: false, error_code: code, description, ...(parameters ? { parameters } : {}) } };
}

const now = () => performance.timeOrigin + performance.now();

// ---------------------------------------------------------------- HTTP

function parseBody(req, query, text) {
    const type = req.headers['content-type'] ?? '';
    const params = Object.fromEntries(query);

    if (text === '')
        return params;
    if (type.startsWith('application/x-www-form-urlencoded'))
        return Object.assign(params, Object.fromEntries(new URLSearchParams(text)));
    const parsed = JSON.parse(text);
    if (parsed === null || typeof parsed !== 'object' || Array.isArray(parsed))
        throw new Error('object expected');
    return Object.assign(params, parsed);
}

function send(res, status, text) {
    res.writeHead(status, { 'content-type': 'application/json', 'content-length': Buffer.byteLength(text) });
    res.end(text);
}

function sendBroken(res, status, text, how) {
    const length = how === 'chunk' ? {} : { 'content-length': Buffer.byteLength(text) };

    res.writeHead(status, { 'content-type': 'application/json', ...length });
    res.write(text.slice(0, Math.max(1, text.length >> 1)), () => how === 'stall' || res.socket?.destroy());
}

function reply(api, call, res, made) {
    if (made.silent === 'cut') {
        api.finish(call, 0);
        res.socket?.destroy();
        return;
    }
    if (made.silent === 'never') {
        api.finish(call, 0);
        return;
    }
    const text = made.raw ?? JSON.stringify(made.body);
    if (made.body?.ok === false)
        call.description = made.body.description;
    api.finish(call, made.status);
    if (made.broken)
        sendBroken(res, made.status, text, made.broken);
    else
        send(res, made.status, text);
}

function finishCall(api, call, req, res, query, text) {
    call.at = now();
    try {
        call.params = parseBody(req, query, text);
    } catch {
        call.params = {};
        api.record(call);
        reply(api, call, res, refusal(400, "Bad Request: can't parse JSON object"));
        return;
    }
    if (call.params.chat_id !== undefined && call.params.chat_id !== null)
        call.chat = String(call.params.chat_id);
    const rule = api.ruleFor(call, false);
    if (rule !== null)
        call.rule = rule.action;
    api.record(call);
    const go = () => reply(api, call, res, rule === null ? api.answer(call) : api.misbehave(rule, call));
    if (rule !== null && rule.delay > 0)
        setTimeout(go, rule.delay);
    else
        go();
}

function botCall(api, req, res, path, query) {
    const match = /^\/bot(\d+):([A-Za-z0-9_-]+)\/([A-Za-z]+)$/.exec(path);

    if (match === null) {
        req.resume();
        send(res, 404, '{"ok":false,"error_code":404,"description":"Not Found"}');
        return;
    }
    const call = { n: 0, at: now(), done: null, connection: req.socket.botConnection, bot: match[1],
        method: match[3], chat: undefined, params: null, status: null };
    const early = api.ruleFor(call, true);
    if (early !== null) {
        call.rule = early.action;
        api.record(call);
        setTimeout(() => {
            api.finish(call, 0);
            req.socket.destroy();
        }, early.delay);
        return;
    }
    readBody(req, res, (text) => finishCall(api, call, req, res, query, text));
}

function readBody(req, res, then) {
    const chunks = [];
    let size = 0;

    req.on('data', (chunk) => {
        size += chunk.length;
        if (size > MAX_BODY)
            req.socket.destroy();
        else
            chunks.push(chunk);
    });
    req.on('end', () => then(chunks.length === 1 ? chunks[0].toString() : Buffer.concat(chunks).toString()));
    req.on('error', () => res.destroy());
}

// ---------------------------------------------------------------- control

function selector(query) {
    const wanted = ['chat', 'method', 'bot'].filter((name) => query.has(name));
    const since = Number(query.get('since') ?? 0);

    return (call) => call.n > since && wanted.every((name) => call[name] === query.get(name));
}

function controlCalls(api, res, query) {
    const wanted = selector(query);
    const limit = Number(query.get('limit') ?? Infinity);
    const min = Number(query.get('min') ?? 0);
    let found = min > 0 ? api.calls.filter(wanted).length : 0;
    let timer = null;
    const answer = () => {
        clearTimeout(timer);
        api.waiters.delete(waiter);
        const calls = api.calls.filter(wanted);
        send(res, 200, JSON.stringify({ calls: calls.slice(0, limit), total: calls.length }));
    };
    const waiter = (call) => {
        if (wanted(call) && ++found === min)
            setImmediate(answer); // once the call that was counted has its answer
    };

    if (found >= min) {
        answer();
        return;
    }
    api.waiters.add(waiter);
    timer = setTimeout(answer, Number(query.get('timeout') ?? 10000));
}

function controlChats(api, res) {
    const chats = {};

    for (const [key, messages] of api.chats) {
        const chat = key.slice(key.indexOf(':') + 1);
        (chats[chat] ??= []).push(...messages.values());
    }
    send(res, 200, JSON.stringify({ chats }));
}

function controlStats(api, res) {
    const rates = (map) => Object.fromEntries([...map].map(([key, rate]) =>
        [key, { max: rate.max, second: rate.second }]));

    send(res, 200, JSON.stringify({
        calls: api.total, connections: api.connections, open: api.open, byMethod: api.byMethod,
        byStatus: api.byStatus,
        maxPerSecond: { bot: rates(api.rates.bot), chat: rates(api.rates.chat) },
        rules: api.rules.map((rule) => ({ ...rule.spec, acted: rule.acted, seen: rule.seen })),
    }));
}

const ACTIONS = new Set(['pass', 'limit', 'status', 'blocked', 'refuse', 'cut', 'half', 'chunk', 'stall', 'never',
    'raw', 'migrate']);

function addRules(api, text) {
    const asked = JSON.parse(text);
    const made = [];

    for (const spec of Array.isArray(asked) ? asked : [asked]) {
        const action = spec.action ?? 'pass';
        const match = spec.match ?? {};
        if (!ACTIONS.has(action))
            throw new Error(`unknown action "${action}"`);
        for (const name of Object.keys(match))
            if (!['method', 'bot', 'chat', 'text', 'nth'].includes(name))
                throw new Error(`unknown match "${name}"`);
        made.push({ spec, action, match, text: match.text !== undefined ? new RegExp(match.text) : null,
            left: Number(spec.count ?? Infinity), delay: Number(spec.delay ?? 0), seen: 0, acted: 0 });
    }
    api.rules.push(...made);
    return made.length;
}

function control(api, req, res, path, query) {
    const what = `${req.method} ${path.slice('/__control'.length)}`;

    readBody(req, res, (text) => {
        switch (what) {
        case 'GET /calls':
            return controlCalls(api, res, query);
        case 'GET /chats':
            return controlChats(api, res);
        case 'GET /stats':
            return controlStats(api, res);
        case 'POST /rules':
            try {
                return send(res, 200, JSON.stringify({ added: addRules(api, text) }));
            } catch (error) {
                return send(res, 400, JSON.stringify({ error: error.message }));
            }
        case 'DELETE /rules':
        case 'POST /rules/clear':
            api.rules = [];
            return send(res, 200, '{}');
        case 'POST /reset':
            api.reset();
            return send(res, 200, '{}');
        default:
            return send(res, 404, '{"error":"no such control"}');
        }
    });
}

// Starts it: resolves to { port, api, close() }.
export function start(options = {}) {
    const api = new BotApi(options);
    const server = http.createServer({ keepAlive: true, noDelay: true }, (req, res) => {
        const cut = req.url.indexOf('?');
        const path = cut < 0 ? req.url : req.url.slice(0, cut);
        const query = new URLSearchParams(cut < 0 ? '' : req.url.slice(cut + 1));
        if (path.startsWith('/__control/'))
            control(api, req, res, path, query);
        else
            botCall(api, req, res, path, query);
    });

    server.keepAliveTimeout = 75000;
    server.requestTimeout = 0;
    server.on('connection', (socket) => {
        socket.botConnection = ++api.connections;
        api.open++;
        socket.on('close', () => api.open--);
        socket.on('error', () => {}); // a peer that goes away is not our concern
    });
    return new Promise((resolve, reject) => {
        server.on('error', reject);
        server.listen(options.port ?? 0, options.host ?? '127.0.0.1', 4096, () => resolve({
            port: server.address().port,
            api,
            close: () => new Promise((done) => {
                server.close(done);
                server.closeAllConnections();
            }),
        }));
    });
}

function arguments_(argv) {
    const options = {};

    for (let i = 0; i < argv.length; i++) {
        const name = argv[i];
        if (name === '--with-stdin') {
            options.withStdin = true;
            continue;
        }
        const value = argv[++i];
        if (value === undefined || !['--port', '--host', '--log', '--keep'].includes(name)) {
            console.error(`usage: bot-api.mjs [--port N] [--host ADDRESS] [--log FILE] [--keep N] [--with-stdin]`);
            process.exit(name === '--help' ? 0 : 2);
        }
        options[name.slice(2)] = name === '--port' || name === '--keep' ? Number(value) : value;
    }
    return options;
}

if (process.argv[1] !== undefined && import.meta.url === pathToFileURL(fs.realpathSync(process.argv[1])).href) {
    const options = arguments_(process.argv.slice(2));
    const { port } = await start(options);

    process.stdout.write(`${JSON.stringify({ port })}\n`);
    for (const signal of ['SIGTERM', 'SIGINT'])
        process.on(signal, () => process.exit(0));
    if (options.withStdin)
        process.stdin.on('end', () => process.exit(0)).on('error', () => process.exit(0)).resume();
}
