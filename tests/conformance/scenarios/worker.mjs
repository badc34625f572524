// The worker from outside: start, discovery, end (§11).
export const worker = [];
