/* `bulwark run`. */
#ifndef WORKER_COMMAND_RUN_H
#define WORKER_COMMAND_RUN_H

/* Takes its name as argv[0]; returns the exit code. */
int wk_command_run(int argc, char **argv);

#endif
