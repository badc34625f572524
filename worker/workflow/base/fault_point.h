/* Places where the daemon ends itself, for tests of crashes. Only a build with
 * BULWARK_FAULT_POINTS has them; elsewhere a call is nothing. */
#ifndef WORKFLOW_FAULT_POINT_H
#define WORKFLOW_FAULT_POINT_H

/* The process passes the point `name`. BULWARK_FAULT="NAME:N" in the environment: the
 * N-th pass (from 1) ends it by SIGKILL, as a machine that dies. Any thread may call. */
#ifdef BULWARK_FAULT_POINTS
void wf_fault_point(const char *name);
#else
static inline void wf_fault_point(const char *name)
{
    (void)name; /* not in this build */
}
#endif

#endif
