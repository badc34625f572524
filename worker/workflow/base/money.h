/* Sums of money as texts. worker/workflow/spec/workflow.md §6.5. Pure. */
#ifndef WORKFLOW_MONEY_H
#define WORKFLOW_MONEY_H

/* New text: whole rubles, half away from zero, in groups of three: `12 346 ₽` (the
 * blanks are U+00A0). */
char *wf_money_rub(double amount);

#endif
