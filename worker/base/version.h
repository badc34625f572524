/* The version of the program, as the build knows it. */
#ifndef WORKER_VERSION_H
#define WORKER_VERSION_H

#ifndef WK_VERSION
#define WK_VERSION "unknown"
#endif

#endif
