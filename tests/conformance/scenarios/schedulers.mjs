// Job schedulers and legacy repeatables (§9).
export const schedulers = [];
