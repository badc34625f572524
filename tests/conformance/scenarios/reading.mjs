// Reading a queue (§7.4).
export const reading = [];
