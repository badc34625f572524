/* Ids and tokens that nobody else draws. Any thread. */
#ifndef WORKFLOW_IDS_H
#define WORKFLOW_IDS_H

#define WF_ID_SIZE 26

/* 25 characters, `c` and base 36 (worker/workflow/spec/workflow.md §0.3). */
/* The same text makes the same id. */
void wf_id_of(const char *text, char id[WF_ID_SIZE]);
void wf_id_random(char id[WF_ID_SIZE]);
/* 128 random bits in hexadecimal. */
void wf_id_token(char token[33]);

#endif
