// Operations on single jobs (§7.1, §7.2).
export const jobs = [];
