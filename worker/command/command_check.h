/* `bulwark check`. */
#ifndef WORKER_COMMAND_CHECK_H
#define WORKER_COMMAND_CHECK_H

/* Takes its name as argv[0]; returns the exit code. */
int wk_command_check(int argc, char **argv);

#endif
