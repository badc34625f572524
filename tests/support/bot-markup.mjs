// What Telegram sees of a text in each parse mode, as strictly as Telegram reads it: throws with the words
// that follow "can't parse entities: ".

class MarkupError extends Error {}

export { MarkupError };

const TAGS = new Set(['a', 'b', 'strong', 'i', 'em', 's', 'strike', 'del', 'u', 'ins', 'span', 'tg-spoiler',
    'tg-emoji', 'pre', 'code', 'blockquote']);
const NAMED = { lt: '<', gt: '>', amp: '&', quot: '"' };
const byteOffset = (text, index) => Buffer.byteLength(text.slice(0, index));
const fail = (words, text, index) => {
    throw new MarkupError(`${words} at byte offset ${byteOffset(text, index)}`);
};

// ---------------------------------------------------------------- HTML

const ENTITY = /&(?:#x([0-9a-fA-F]*)|#([0-9]*)|([a-zA-Z]*));?/y;

function entityAt(text, at) {
    ENTITY.lastIndex = at;
    const [all, hex, dec, name] = ENTITY.exec(text);
    const body = all.endsWith(';') ? all.length - 1 : all.length;
    if (name !== undefined)
        return Object.hasOwn(NAMED, name) ? [NAMED[name], all.length] : ['&', 1];
    const code = parseInt(hex ?? dec, hex !== undefined ? 16 : 10);
    const good = body < 10 && code > 0 && code < 0x10ffff && !(code >= 0xd800 && code < 0xe000);
    return good ? [String.fromCodePoint(code), all.length] : ['&', 1];
}

const ATTRIBUTE = /([^\s=>]+)\s*(?:=\s*(?:"([^"]*)"|'([^']*)'|([a-zA-Z0-9.-]+)(?=[\s>])))?\s*/y;

// The attributes from `at` on: [{name: value}, index of the ">"].
function attributesAt(text, at, start) {
    const attributes = {};

    while (text[at] !== '>') {
        ATTRIBUTE.lastIndex = at;
        const found = ATTRIBUTE.exec(text);
        if (found === null || text[ATTRIBUTE.lastIndex] === undefined || text[ATTRIBUTE.lastIndex] === '=')
            fail('Unclosed start tag', text, start);
        attributes[found[1].toLowerCase()] = found[2] ?? found[3] ?? found[4] ?? '';
        at = ATTRIBUTE.lastIndex;
    }
    return [attributes, at];
}

const START = /<([^\s>]*)\s*/y;
const END = /<\/([^\s>]*)\s*/y;

export function plainOfHtml(text) {
    const open = [];
    let out = '';

    for (let at = 0; at < text.length;) {
        if (text[at] === '&') {
            const [shown, length] = entityAt(text, at);
            out += shown;
            at += length;
        } else if (text[at] !== '<') {
            out += text[at++];
        } else if (text[at + 1] === '/') {
            END.lastIndex = at;
            const name = END.exec(text)[1].toLowerCase();
            if (open.length === 0)
                fail('Unexpected end tag', text, at);
            const expected = open.pop();
            if (text[END.lastIndex] !== '>')
                fail('Unclosed end tag', text, at);
            if (name !== '' && name !== expected)
                throw new MarkupError(`Unmatched end tag at byte offset ${byteOffset(text, at)}, ` +
                    `expected "</${expected}>", found "</${name}>"`);
            at = END.lastIndex + 1;
        } else {
            START.lastIndex = at;
            const name = START.exec(text)[1].toLowerCase();
            if (!TAGS.has(name))
                fail(`Unsupported start tag "${name}"`, text, at);
            const [attributes, end] = attributesAt(text, START.lastIndex, at);
            if (name === 'span' && attributes.class?.toLowerCase() !== 'tg-spoiler')
                fail('Tag "span" must have class "tg-spoiler"', text, at);
            if (name === 'tg-emoji' && !attributes['emoji-id'])
                fail('Tag "tg-emoji" must have attribute "emoji-id"', text, at);
            open.push(name);
            at = end + 1;
        }
    }
    if (open.length > 0)
        throw new MarkupError(`Can't find end tag corresponding to start tag "${open.pop()}"`);
    return out;
}

// ---------------------------------------------------------------- Markdown

// Behind "```": a language, if it is followed by white space, and a line's end are not seen.
function skipLanguage(text, at) {
    const language = /[^\s`]*/y;
    language.lastIndex = at;
    language.exec(text);
    const end = language.lastIndex;
    if (end > at && end < text.length && text[end] !== '`')
        at = end;
    const line = /(?:\r\n|\n\r|\n|\r)?/y;
    line.lastIndex = at;
    line.exec(text);
    return line.lastIndex;
}

export function plainOfMarkdown(text) {
    let out = '';

    for (let at = 0; at < text.length; at++) {
        const start = at, mark = text[at];
        if (mark === '\\' && /[_*`[]/.test(text[at + 1] ?? '')) {
            out += text[++at];
            continue;
        }
        if (!'_*`['.includes(mark)) {
            out += mark;
            continue;
        }
        const pre = text.startsWith('```', at);
        const close = pre ? '```' : mark === '[' ? ']' : mark;
        at = pre ? skipLanguage(text, at + 3) : at + 1;
        const end = text.indexOf(close, at);
        if (end < 0)
            fail("Can't find end of the entity starting", text, start);
        out += text.slice(at, end);
        at = end + close.length - 1;
        if (mark !== '[' || text[at + 1] !== '(')
            continue;
        at = text.indexOf(')', at);
        if (at < 0)
            fail("Can't find end of the entity starting", text, start);
    }
    return out;
}

// ---------------------------------------------------------------- MarkdownV2

const RESERVED = '_*[]()~`>#+-=|{}.!\n';
const MARKS = ['```', '`', '__', '_', '*', '~', '||'];
const NAMES = { '```': 'Pre', '`': 'Code', __: 'Underline', _: 'Italic', '*': 'Bold', '~': 'Strikethrough',
    '||': 'Spoiler', '[': 'TextUrl', '![': 'CustomEmoji', '>': 'BlockQuote' };

function urlEnd(text, at) {
    for (let i = at + 2; i < text.length; i++) {
        if (text[i] === '\\')
            i++;
        else if (text[i] === ')')
            return i;
    }
    return fail("Can't find end of a URL", text, at);
}

class V2 {
    constructor(text) {
        this.text = text;
        this.at = 0;
        this.out = '';
        this.open = [];
        this.lineBegins = true;
    }

    get top() {
        return this.open.at(-1)?.mark;
    }

    push(mark, length) {
        this.open.push({ mark, at: this.at });
        this.at += length;
    }

    unclosed({ mark, at }) {
        fail(`Can't find end of ${NAMES[mark]} entity`, this.text, at);
    }

    copy() {
        this.out += this.text[this.at++];
    }

    line() {
        this.copy();
        if (!this.open.some(({ mark }) => mark === '>')) {
            this.lineBegins = true;
        } else if (this.text[this.at] === '>') {
            this.at++;
        } else {
            this.lineBegins = true;
            const last = this.open.pop();
            if (last.mark !== '>')
                this.unclosed(last);
        }
    }

    mark(mark) {
        const after = this.text[this.at + 2];

        if (this.top === mark) {
            this.open.pop();
            this.at += mark.length;
        } else if (mark === '||' && this.top === '>' && (after === undefined || after === '\n')) {
            this.open.pop();
            this.at += 2;
        } else if (mark === '```') {
            this.push(mark, skipLanguage(this.text, this.at + 3) - this.at);
        } else {
            this.push(mark, mark.length);
        }
    }

    bracket() {
        const { mark } = this.open.pop();
        if (this.text[this.at + 1] === '(')
            this.at = urlEnd(this.text, this.at) + 1;
        else if (mark === '![')
            fail('Custom emoji entity must contain a tg://emoji URL', this.text, this.at);
        else
            this.at++;
    }

    reserved() {
        const c = this.text[this.at], first = this.lineBegins;
        const mark = MARKS.find((one) => this.text.startsWith(one, this.at));

        this.lineBegins = false;
        if (c === '\n')
            this.line();
        else if (first && c === '>')
            this.push('>', 1);
        else if (first && this.text.startsWith('**>', this.at))
            this.push('>', 3);
        else if (c === ']' && (this.top === '[' || this.top === '!['))
            this.bracket();
        else if (mark !== undefined)
            this.mark(mark);
        else if (c === '[')
            this.push('[', 1);
        else if (this.text.startsWith('![', this.at))
            this.push('![', 2);
        else
            throw new MarkupError(`Character '${c}' is reserved and must be escaped with the preceding '\\'`);
    }

    read() {
        while (this.at < this.text.length) {
            const c = this.text[this.at], next = this.text.charCodeAt(this.at + 1);
            const code = this.top === '`' || this.top === '```';
            if (c === '\\' && next > 0 && next <= 126) {
                this.at++;
                this.lineBegins = false;
                this.copy();
            } else if (code ? this.text.startsWith(this.top, this.at) : RESERVED.includes(c)) {
                this.reserved();
            } else {
                this.lineBegins = false;
                this.copy();
            }
        }
        if (this.top === '>')
            this.open.pop();
        if (this.open.length > 0)
            this.unclosed(this.open.at(-1));
        return this.out;
    }
}

export const plainOfMarkdownV2 = (text) => new V2(text).read();
