// The control side of the Bot API stand-in.

export class Control {
    constructor(root) {
        this.root = `${root.replace(/\/$/, '')}/__control`;
    }

    async get(path) {
        const response = await fetch(this.root + path);
        if (!response.ok)
            throw new Error(`the Bot API stand-in answers ${response.status} to ${path}`);
        return response.json();
    }

    /** False where a real Bot API answers. */
    async obeys() {
        return this.get('/stats').then(
            () => true,
            () => false,
        );
    }

    rule(rule) {
        return fetch(`${this.root}/rules`, { method: 'POST', body: JSON.stringify(rule) });
    }

    /** Messages delivered to a chat (all chats when not given), in order. */
    async sent(chat) {
        const which = chat === undefined ? '' : `&chat=${chat}`;
        const { calls } = await this.get(`/calls?method=sendMessage${which}`);
        return calls.filter((call) => call.status === 200);
    }

    async answered() {
        return (await this.get('/calls?method=answerCallbackQuery')).total;
    }
}
