// Deduplication in all its modes (§3.6, §5.3).
export const deduplication = [];
