/* `bulwark workflow …`. */
#ifndef WORKER_COMMAND_WORKFLOW_H
#define WORKER_COMMAND_WORKFLOW_H

/* Takes its name as argv[0]; returns the exit code. */
int wk_command_workflow(int argc, char **argv);

#endif
