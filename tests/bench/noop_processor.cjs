// The processor both sides of the bench run: nothing.
module.exports = async () => ({ ok: true });
