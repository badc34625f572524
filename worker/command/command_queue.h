/* `bulwark queue …`. */
#ifndef WORKER_COMMAND_QUEUE_H
#define WORKER_COMMAND_QUEUE_H

/* Takes its name as argv[0]; returns the exit code. */
int wk_command_queue(int argc, char **argv);

#endif
