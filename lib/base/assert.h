/* What we guarantee ourselves, said aloud and checked in every build, releases included:
 * the program ends before it works on with what cannot be. Never for what a peer, a user
 * or a file sends. */
#ifndef BW_BASE_ASSERT_H
#define BW_BASE_ASSERT_H

#define BW_ASSERT(what)                                                                  \
    ((what) ? (void)0 : bw_assert_failed(#what, __FILE__, __LINE__, __func__))

/* Writes what does not hold, and where, to standard error, and aborts. */
_Noreturn void bw_assert_failed(const char *what, const char *file, int line,
                                const char *function);

#endif
